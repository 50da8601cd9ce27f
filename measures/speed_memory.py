"""Memory of a tilt of 1e7 states, and of a run of a million steps of ten replicates.

A tilt is within four arrays of its size, its two inputs counted: traced by tracemalloc, which
NumPy reports its arrays to. A run's resident memory is flat after its first 1e4 steps, in each of
four ways to run it, each in a process of its own: a model that is stepped without Mesa's collector,
a run that is stored, what a battery does, and `simulate`, which has all that it returns in memory
from the first step on. A million steps are of `unopposed`, for it takes a tenth of a millisecond a
step; `essay` and `bayesian` make fewer. What Mesa's collector grows by is told, without a limit.
``python measures/speed_memory.py 100000`` makes fewer steps.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

from sumabm import SUMModel, load_scenario, runs, simulate
from sumabm.recorder import record
from sumabm.tilt.discrete import discrete_tilt
from sumabm.types import Array

STATES, ARRAYS = 10_000_000, 4.0
STEPS, REPLICATES, SETTLED, GROWTH = 1_000_000, 10, 10_000, 4.0
"""Growth: MiB that resident memory may change by after the first `SETTLED` steps."""

SIZE: dict[str, Any] = {"world.dimensions": 10}
FEWER = 20  # of the steps, so many times as few where a step takes so much longer


def table(states: int) -> tuple[Array, Array]:
    """Return log-probabilities and utilities of a world."""
    rng = np.random.default_rng(20261121)
    log_p = np.asarray(log_softmax(rng.standard_normal(states)))
    return log_p, rng.standard_normal(states)


def arrays(log_p: Array, utility: Array, power: float) -> float:
    """Return the peak memory of a tilt in arrays of its size, inputs counted."""
    tracemalloc.start()
    discrete_tilt(log_p, utility, power)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 2.0 + peak / log_p.nbytes


def tilts() -> bool:
    """Print what tilts take; return whether that is little enough."""
    log_p, utility = table(STATES)
    found = {f"{power:g} nats": arrays(log_p, utility, power) for power in (1e-6, 0.01, 1.0, 99.0)}
    log_p[::7] = -np.inf
    log_p -= np.log(np.exp(log_p).sum())
    found["1 nat, impossible states, utilities to 1e300"] = arrays(log_p, utility * 1e300, 1.0)
    for name, peak in found.items():
        print(f"{STATES:.0e} states, {name}: {peak:.2f} arrays (limit {ARRAYS:g})")
    return max(found.values()) <= ARRAYS


def stepped(scenario: str, steps: int, note: Callable[[int], None]) -> None:
    """Step a model."""
    model = SUMModel(scenario, REPLICATES, steps=steps, **SIZE)
    model.collects = False
    _step(model, note)


def collected(scenario: str, steps: int, note: Callable[[int], None]) -> None:
    """Step a model that Mesa's collector watches."""
    _step(SUMModel(scenario, REPLICATES, steps=steps, **SIZE), note)


def _step(model: SUMModel, note: Callable[[int], None]) -> None:
    while model.running:
        model.step()
        note(model.steps)


def simulated(scenario: str, steps: int, note: Callable[[int], None]) -> None:
    """Simulate, all variables of every step kept."""
    simulate(scenario, REPLICATES, 0, steps, SIZE, progress=lambda done, _: note(done))


def stored(scenario: str, steps: int, note: Callable[[int], None]) -> None:
    """Simulate and store, as `sumabm run` does."""
    spec = load_scenario(scenario, {"steps": steps, **SIZE})
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as out:
        runs.run(spec, range(REPLICATES), 0, Path(out), {}, progress=lambda done, _: note(done))


def recorded(scenario: str, steps: int, note: Callable[[int], None]) -> None:
    """Record end values, as a battery does."""

    class Noting(SUMModel):
        def step(self) -> None:
            super().step()
            note(self.steps)

    record(Noting(scenario, REPLICATES, steps=steps, **SIZE))


WAYS = {
    "stepped": stepped,
    "stored": stored,
    "battery": recorded,
    "simulate": simulated,
    "collected": collected,
}
CASES = (
    ("stored", "unopposed", 1),
    ("stepped", "unopposed", 1),
    ("battery", "unopposed", 1),
    ("simulate", "unopposed", 1),
    ("stored", "essay", FEWER),
    ("stored", "bayesian", FEWER),
    ("collected", "unopposed", FEWER),
)
"""Ways, scenarios, and how many times fewer steps."""


def along(way: str, scenario: str, steps: int) -> list[float]:
    """Return the resident MiB of a process of its own along a run, from `SETTLED` on."""
    words = [sys.executable, __file__, str(steps), way, scenario]
    told = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [float(value) for value in told.split()]


def be(way: str, scenario: str, steps: int) -> None:
    """Be that process."""

    def note(done: int) -> None:
        if done >= SETTLED and done % SETTLED == 0:
            print(resident())

    WAYS[way](scenario, steps, note)


def resident() -> float:
    """Return this process's resident memory in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main(steps: int = STEPS) -> int:
    met = [tilts()]
    made = [max(steps // fewer, 2 * SETTLED) for _, _, fewer in CASES]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(along, *zip(*[case[:2] for case in CASES], strict=True), made)
        for (way, scenario, _), count, mib in zip(CASES, made, found, strict=True):
            growth = max(mib) - mib[0]
            judged = way != "collected"
            told = f"{mib[0]:.0f} MiB after {SETTLED} steps, at most {growth:+.1f} MiB later"
            limit = f"limit {GROWTH:g}" if judged else "no limit: Mesa keeps every step's means"
            rate = growth * 2**20 / (count - SETTLED)
            print(f"{count} steps of {scenario}, {way}: {told} ({limit}), {rate:.0f} bytes a step")
            met.append(not judged or growth <= GROWTH)
    return 0 if all(met) else 1


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) == 3:
        be(words[1], words[2], int(words[0]))
    else:
        sys.exit(main(*map(int, words)))
