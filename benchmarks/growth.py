"""How cost grows with an ensemble's size: exponents of time in R, d, N, T and the number of agents.

Run from the repository root: ``python benchmarks/growth.py``. It prints a Markdown table: the
milliseconds of a step (for T: of a run) at each size, and the slope of log time in log size between
the last two; then one of the seconds that whole studies take.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.timing import medians
from sumabm import SUMModel, simulate

REPEATS, ENDLESS = 15, 1_000_000
MANY = (1, 10, 100, 1000)
STUDIES: tuple[tuple[str, int, dict[str, object]], ...] = (
    ("essay", 1, {}),
    ("essay", 200, {}),
    ("essay", 1000, {}),
    ("bayesian", 1000, {}),
    ("many", 1000, {}),
    ("essay", 100, {"world.dimensions": 10_000}),
    ("bayesian", 100, {"world.dimensions": 10_000}),
    ("essay-discrete", 20, {}),
)
"""Scenarios, replicates and overrides of runs as a user makes them."""

Sized = Callable[[int], Callable[[], object]]


def studies() -> Iterator[tuple[str, Sized, tuple[int, ...]]]:
    """Yield what grows, how to make a call of a size, and sizes."""
    for name in ("essay", "bayesian"):
        grow_r = partial(_step, name)
        yield f"{name}, d = 100, by R", grow_r, (1, 10, 100, 1000, 10_000)
        yield f"{name}, R = 100, by d", partial(_wide, name), (10, 100, 1000, 10_000)
    yield "essay-discrete, R = 10, by states N", _states, (100, 1000, 10_000, 100_000)
    yield "essay, R = 100, d = 100, a run by T", _run, (10, 100, 1000)
    yield "essay, R = 10, d = 100, by AIs", _ais, MANY
    yield "essay, R = 10, d = 100, by aligners", _aligners, MANY


def _step(scenario: str, replicates: int) -> Callable[[], object]:
    return _ready(SUMModel(scenario, replicates, steps=ENDLESS))


def _wide(scenario: str, dimensions: int) -> Callable[[], object]:
    return _ready(SUMModel(scenario, 100, steps=ENDLESS, **{"world.dimensions": dimensions}))


def _states(states: int) -> Callable[[], object]:
    world = {"world.points": states}
    return _ready(SUMModel("essay-discrete", 10, steps=ENDLESS, **world))


def _run(steps: int) -> Callable[[], object]:
    return partial(simulate, "essay", 100, steps=steps)


def _ais(count: int) -> Callable[[], object]:
    powers = {"agents.X.count": count, "agents.X.power": 2.0 / count}
    return _ready(SUMModel("essay", 10, steps=ENDLESS, **powers))


def _aligners(count: int) -> Callable[[], object]:
    return _ready(SUMModel("essay", 10, steps=ENDLESS, **{"agents.W.count": count}))


def _ready(model: SUMModel) -> Callable[[], object]:
    model.step()  # the first one makes generators
    return model.step


def cost(scenario: str, replicates: int, overrides: dict[str, object]) -> tuple[int, float]:
    """Return the steps of a study, and the seconds it takes: the median of three."""
    study = partial(simulate, scenario, replicates, overrides=overrides)
    return study().sizes["step"], medians({"": study}, 3)[""]


def main() -> None:
    print("| | ms at each size | exponent at the end |\n|---|---|---:|")
    for name, sized, sizes in studies():
        # one size after the other: large arrays would throw small ones out of the caches
        times = {size: medians({size: sized(size)}, REPEATS)[size] for size in sizes}
        told = ", ".join(f"{size:,}: {1e3 * times[size]:.3g}" for size in sizes)
        before, last = sizes[-2:]
        slope = math.log(times[last] / times[before]) / math.log(last / before)
        print(f"| {name} | {told} | {slope:.2f} |", flush=True)
    print("\n| scenario | replicates | steps | seconds |\n|---|---:|---:|---:|")
    for scenario, replicates, overrides in STUDIES:
        steps, seconds = cost(scenario, replicates, overrides)
        name = ", ".join([scenario, *(f"{key} = {value}" for key, value in overrides.items())])
        print(f"| {name} | {replicates:,} | {steps} | {seconds:.2g} |", flush=True)


if __name__ == "__main__":
    main()
