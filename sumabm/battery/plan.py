"""From a battery to its points, each a checked scenario, and to chunks of their replicates."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.battery.designs import Points
from sumabm.battery.spec import Battery
from sumabm.identity import run_identity
from sumabm.model import SUMModel
from sumabm.recorder import VARIABLES
from sumabm.scenario import Scenario
from sumabm.toml import ScenarioError
from sumabm.types import Array

MOST = 4096  # replicates in a chunk: more gain no speed, only memory
_TRIED, _STEPS, _PATIENCE = (16, 256), 25, 0.5  # replicates, steps and seconds of a timing
_WORTH = 4.0  # how many times what a step costs anyway its replicates should cost
_SHOWN = 20  # problems in one message
_TAKEN = {*VARIABLES, "agent", "complete", "coordinate", "last_step", "point", "replicate", "role"}
_TAKEN |= {"seed", "step", "unit"}

Progress = Callable[[int, int], None]
"""Called with the points checked and the points in all."""


class Chunk(NamedTuple):
    """Replicates ``first`` to ``stop`` of a point: what a worker does at a time, and one file."""

    identity: str
    point: int
    overrides: str
    seed: int
    first: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """What a battery comes to: a table of n points and a table of chunks."""

    columns: dict[str, NDArray[Any]]
    """By parameter column, ``(n,)``: numbers, or labels of what is no number."""
    unit: dict[str, Array]
    """By coordinate of the design's unit cube, ``(n,)``; empty where points were listed."""
    overrides: list[str]
    """JSON of what each point changes in the scenario, by dotted path."""
    seeds: list[int]
    size: int
    """Replicates in a chunk."""
    chunks: dict[str, NDArray[Any]]
    """``identity``, ``point``, ``first`` and ``stop`` of every chunk, ``(m,)``."""


def plan(battery: Battery, progress: Progress | None = None) -> Plan:
    """Return a battery's plan: every point checked, every chunk named by what is in it.

    Raises ScenarioError, naming the points, when some are no valid scenario, or for a design that
    does not fit the parameters.
    """
    points = _points(battery)
    scenarios, overrides = _scenarios(battery, points, progress)
    seeds = [point_seed(battery, scenario) for scenario in scenarios]
    size = battery.chunk.replicates or timed_size(scenarios, battery)
    columns: dict[str, NDArray[Any]] = {}
    unit: dict[str, Array] = {}
    for name, parameter in battery.parameters.items():
        shown = f"scenario.{name}" if name in _TAKEN else name
        columns |= parameter.columns(shown, points.values[name])
        if name in points.unit:
            many = parameter.coordinates > 1
            for i, axis in enumerate(points.unit[name].T):
                unit[f"{shown}[{i}]" if many else shown] = axis
    return Plan(columns, unit, overrides, seeds, size, _chunks(battery, scenarios, seeds, size))


def check(battery: Battery) -> int:
    """Return how many points a battery has; raises ScenarioError as `plan` does."""
    return len(_scenarios(battery, _points(battery), None)[0])


def _points(battery: Battery) -> Points:
    try:
        return battery.design.lay_out(battery.parameters, battery.seed)
    except ValueError as error:
        raise ScenarioError(f"battery {battery.battery}", [f"design: {error}"]) from None


def _scenarios(
    battery: Battery, points: Points, progress: Progress | None
) -> tuple[list[Scenario], list[str]]:
    """Return each point's scenario, and JSON of what it changes."""
    scenarios, overrides, problems = [], [], []
    for number in range(len(points)):
        values = {name: column[number] for name, column in points.values.items()}
        try:
            changes = battery.overrides(values)
            scenarios.append(battery.scenario.replace(changes))
            overrides.append(json.dumps(changes))
        except ValueError as error:
            rules = error.problems if isinstance(error, ScenarioError) else [str(error)]
            told = ", ".join(f"{name}={value}" for name, value in values.items())
            problems += [f"point {number} ({told}): {rule}" for rule in rules]
        if len(problems) >= _SHOWN:
            problems.append("and there may be more")
            break
        if progress is not None:
            progress(number + 1, len(points))
    if problems:
        raise ScenarioError(f"battery {battery.battery}", problems)
    return scenarios, overrides


def point_seed(battery: Battery, scenario: Scenario) -> int:
    """Return a point's seed: the battery's, or one of its own that its scenario determines."""
    if battery.paired:
        return battery.seed
    text = f"{battery.seed} {scenario.identity()}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _chunks(
    battery: Battery, scenarios: list[Scenario], seeds: list[int], size: int
) -> dict[str, NDArray[Any]]:
    """Return the table of chunks; a point that two designs share has the same ones in both."""
    starts = range(0, battery.replicates, size)
    parts = [range(start, min(start + size, battery.replicates)) for start in starts]
    identities = [
        run_identity(scenario, seed, part, battery.keep.facts())
        for scenario, seed in zip(scenarios, seeds, strict=True)
        for part in parts
    ]
    n = len(scenarios)
    return {
        "identity": np.array(identities, dtype=object),
        "point": np.repeat(np.arange(n), len(parts)),
        "first": np.tile([part.start for part in parts], n),
        "stop": np.tile([part.stop for part in parts], n),
    }


def timed_size(scenarios: list[Scenario], battery: Battery) -> int:
    """Return how many replicates make a chunk of the time target, measured at three points.

    A power of two up to `MOST`, so that batteries timed on different days still share chunks.
    """
    if battery.replicates == 1:
        return 1
    tried = {0, len(scenarios) // 2, len(scenarios) - 1}
    sizes = [_fitting(scenarios[i], battery.chunk.seconds) for i in sorted(tried)]
    fitting = max(1.0, min(statistics.median(sizes), MOST))
    return int(2 ** np.floor(np.log2(fitting)))


def _fitting(scenario: Scenario, seconds: float) -> float:
    """Return the replicates that take so many seconds, but enough of them to be worth a step.

    A step costs ``a + b·R``; with ``R ≥ 4 a/b`` at least four fifths of it are the replicates'.
    """
    few, many = (_seconds_per_step(scenario, replicates) for replicates in _TRIED)
    each = max(many - few, 1e-9) / (_TRIED[1] - _TRIED[0])
    fixed = max(few - each * _TRIED[0], 0.0)
    return max((seconds / scenario.steps - fixed) / each, _WORTH * fixed / each)


def _seconds_per_step(scenario: Scenario, replicates: int) -> float:
    model = SUMModel(scenario, replicates)
    began = time.perf_counter()
    while model.running and model.steps < _STEPS and time.perf_counter() - began < _PATIENCE:
        model.step()
    return (time.perf_counter() - began) / max(model.steps, 1)
