"""Sobol' indices through the whole path, from a battery's file to its analysis, against known ones.

The Ishigami function, a plug-in harm of three numbers, has indices in closed form. So does, point
by point, the essay's expected cumulative harm: the shipped battery `sensitivity` is compared with
the closed form on the same sample and on a much larger one, and with a form that is wrong.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from SALib.analyze import sobol as salib

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measures.battery_kill import PYTHON, battery
from measures.plugin import installed
from sumabm import open_battery, theory
from sumabm.analysis import sobol
from sumabm.battery.spec import load_battery
from sumabm.types import Array

WITHIN, POINTS, A, B = 0.02, 2048, 7.0, 0.1
CLOSE, MANY = 0.05, 4096
SOURCE = f'''\
"""The Ishigami function as a harm."""

from typing import Annotated

import numpy as np
from pydantic import Field

from sumabm.harms import Harm

Number = Annotated[float, Field(description="an argument")]


class Ishigami(Harm):
    """The function of three numbers that sensitivity analyses are tried on."""

    kind = "ishigami"

    one: Number = 0.0
    two: Number = 0.0
    three: Number = 0.0

    def amplitude(self, utility, view):
        sine = np.sin(self.one)
        value = sine + {A} * np.sin(self.two) ** 2 + {B} * self.three**4 * sine
        return np.full(len(utility), value)
'''
NUMBER = '{ kind = "continuous", low = -3.141592653589793, high = 3.141592653589793 }'
FILE = f"""
battery = "ishigami"
scenario = "essay"
replicates = 1
set = {{ steps = 1, "world.dimensions" = 2, harm = {{ kind = "ishigami" }} }}
[uncertainties]
"harm.one" = {NUMBER}
"harm.two" = {NUMBER}
"harm.three" = {NUMBER}
[design]
kind = "saltelli"
points = {POINTS}
second_order = true
[keep]
outcomes = ["harm_amplitude"]
"""
INPUTS = ("world.dimensions", "agents.X.power", "agents.Y.power", "steps")


def analytic() -> dict[str, Array]:
    """Return Ishigami's indices: first-order, total-order, and second-order of the pairs."""
    one = 0.5 * (1.0 + B * np.pi**4 / 5.0) ** 2
    two = A**2 / 8.0
    both = 8.0 * B**2 * np.pi**8 / 225.0  # of the first and the third
    parts = np.array([one, two, 0.0, both]) / (one + two + both)
    first = parts[:3]
    second = np.full((3, 3), np.nan)
    second[0, 1] = second[1, 0] = second[1, 2] = second[2, 1] = 0.0
    second[0, 2] = second[2, 0] = parts[3]
    total = first + parts[3] * np.array([1.0, 0.0, 1.0])
    return {"first_order": first, "total_order": total, "second_order": second}


def results(out: Path, words: list[str]) -> xr.Dataset:
    """Run a battery by its command and open what it stored."""
    began = time.perf_counter()
    done = subprocess.run([*PYTHON, *words], capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"exits with {done.returncode}: {done.stderr[-1000:]}")
    [path] = out.glob("*-*")
    data = open_battery(path)
    print(f"{path.name}: {data.sizes['point']} points, {time.perf_counter() - began:.0f} s")
    return data


def faults_of_ishigami() -> list[str]:
    """Return which of Ishigami's indices are too far from the analytic ones; print all."""
    with installed(SOURCE) as folder:
        file, out = folder / "ishigami.toml", folder / "runs"
        file.write_text(FILE, encoding="utf-8")
        found = sobol(results(out, battery(file, out)), "harm_amplitude")
    wrong = []
    for name, expected in analytic().items():
        off = float(np.nanmax(np.abs(found[name].values - expected)))
        print(f"  {name}: {listed(found[name].values)}, analytic {listed(expected)}: {off:.4f} off")
        if not off <= WITHIN:
            wrong.append(f"Ishigami's {name} is {off:.4f} off")
    return wrong


def listed(values: Array) -> str:
    """Return numbers as text; of a table of pairs, each pair once."""
    if values.ndim == 2:
        values = values[np.triu_indices(len(values), 1)]
    return " ".join(f"{value:6.3f}" for value in values)


def closed_form(p: float, inputs: tuple[int, float, float, int]) -> float:
    """Return the essay's expected cumulative harm: its amplitude for p = ½, nats for p = 1."""
    dimensions, ai, human, steps = inputs
    if ai <= human:
        return 0.0
    amplitudes = theory.residual(ai, human) * np.ones(steps)
    budgets = min(ai, human) * np.arange(steps, dtype=np.float64)
    return float(theory.left_sum(dimensions, budgets, amplitudes, p=p)[-1])


def harms(values: Mapping[str, Any], p: float) -> Array:
    """Return the closed form at points given by columns."""
    rows = zip(*(np.asarray(values[name]).tolist() for name in INPUTS), strict=True)
    with get_context("spawn").Pool() as pool:
        return np.array(pool.map(partial(closed_form, p), rows, chunksize=64))


def indices(names: list[str], outcome: Array) -> dict[str, Array]:
    """Return the indices of outcomes on a Saltelli sample, by SALib alone."""
    problem = {"num_vars": len(names), "names": names}
    found = salib.analyze(problem, outcome, calc_second_order=False, seed=1)
    return {"first_order": found["S1"], "total_order": found["ST"]}


def faults_of_essay(data: xr.Dataset, outcome: str, p: float) -> list[str]:
    """Return which indices of the essay's harm differ from the closed form's; print all."""
    found = sobol(data, outcome)
    names = found["parameter"].values.tolist()
    points = {name: data[name].values for name in INPUTS}
    exact = harms(points, p)
    off = np.abs(data[outcome].mean("replicate").values - exact).max() / exact.std()
    same = indices(names, exact)
    spec = load_battery("sensitivity", {"design.points": MANY})
    large = indices(names, harms(spec.design.lay_out(spec.parameters, spec.seed).values, p))
    fixed = indices(names, harms({**points, "world.dimensions": np.full(len(exact), 55)}, p))
    print(f"{outcome}, by {', '.join(names)}")
    print(f"  share of replicate noise: at most {float(found['noise']):.2g}")
    print(f"  at a point at most {off:.3f} standard deviations off the closed form")
    wrong, differs = [], 0.0
    for name, expected in same.items():
        simulated, margin = found[name].values, found[f"{name}_margin"].values
        error = np.abs(simulated - expected)
        print(f"  {name}")
        print(f"    simulated          {listed(simulated)}, ± {listed(margin)}")
        print(f"    closed form        {listed(expected)}, {error.max():.4f} off at most")
        print(f"    {MANY} × 6 points    {listed(large[name])}")
        print(f"    all d = 55         {listed(fixed[name])}")
        if not (np.all(error <= margin) and np.all(error <= CLOSE)):
            wrong.append(f"{outcome}: {name} is {error.max():.4f} off")
        differs = max(differs, float(np.abs(fixed[name] - expected).max()))
    if differs <= 2.0 * CLOSE:
        wrong.append(f"{outcome}: would not tell that d is fixed")
    return wrong


def main() -> int:
    wrong = faults_of_ishigami()
    with tempfile.TemporaryDirectory() as name:
        data = results(Path(name), ["sumabm", "battery", "sensitivity", "--out", name])
    for outcome, p in (("cumulative_harm", 1.0), ("cumulative_harm_amplitude", 0.5)):
        wrong += faults_of_essay(data, outcome, p)
    print("; ".join(wrong) or "all indices are what they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
