"""From a battery to its points, each a checked scenario, and to chunks of their replicates."""

from __future__ import annotations

import contextlib
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.battery.designs import Points
from sumabm.battery.engine import Done, Local, deadline, execute
from sumabm.battery.graphs import GRAPH_COLUMNS, PointGraphs
from sumabm.battery.parameters import MOST_POINTS
from sumabm.battery.spec import Battery
from sumabm.identity import run_identity
from sumabm.model import SUMModel
from sumabm.recorder import VARIABLES
from sumabm.scenario import Scenario
from sumabm.toml import ScenarioError
from sumabm.types import Array

MOST = 2048  # replicates in a chunk: more gain no speed, only memory
_TRIED = (1, 16, 256)  # replicates of a timing
_STEPS, _PATIENCE, _HUNG = 25, 0.5, 20.0  # its steps, its seconds, and when it is given up
_WORTH = 4.0  # how many times what a step costs anyway its replicates should cost
_TAKEN = {*VARIABLES, "agent", "complete", "coordinate", "last_step", "point", "replicate", "role"}
_TAKEN |= {"seed", "step", "unit", *(variable.dim for variable in VARIABLES.values())}
_TAKEN |= {*GRAPH_COLUMNS}
# and what analyses call their own
_TAKEN |= {"count", "correlation", "difference", "mean", "noise", "other", "outcome", "pairs"}
_TAKEN |= {"parameter", "probability", "quantile", "quantile_error", "standard_error", "units"}
_TAKEN |= {"value", "variance_ratio"}

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
    graphs: dict[str, Array]
    """By statistic, ``(n,)``: see `graphs.PointGraphs`."""
    seeds: list[int]
    size: int
    """Replicates in a chunk."""
    chunks: dict[str, NDArray[Any]]
    """``identity``, ``point``, ``first`` and ``stop`` of every chunk, ``(m,)``.

    Points that are the same scenario have the same chunks: ``again`` says which came before.
    """


def plan(battery: Battery, progress: Progress | None = None) -> Plan:
    """Return a battery's plan: every point checked, every chunk named by what is in it.

    Raises ScenarioError, naming the points, when some are no valid scenario, or for a design that
    does not fit the parameters.
    """
    points = _points(battery)
    size = battery.chunk.replicates or timed_size(_some(battery, points), battery)
    starts = range(0, battery.replicates, size)
    if len(points) * len(starts) > MOST_POINTS:
        rule = f"makes {len(points) * len(starts)} chunks of {size}; allowed: at most {MOST_POINTS}"
        raise ScenarioError(f"battery {battery.battery}", [f"replicates: {rule}"])
    parts = [range(start, min(start + size, battery.replicates)) for start in starts]
    n, kept = len(points), battery.keep.facts()
    identities = np.empty(n * len(parts), dtype="S64")
    overrides, seeds, graphs = [], [], PointGraphs()
    for number, (changes, scenario) in enumerate(_checked(battery, points, progress)):
        overrides.append(json.dumps(changes))
        graphs.add(scenario)
        seeds.append(point_seed(battery, scenario))
        for k, part in enumerate(parts):
            name = run_identity(scenario, seeds[-1], part, kept)
            identities[number * len(parts) + k] = name.encode()
    chunks = {
        "identity": identities,
        "point": np.repeat(np.arange(n), len(parts)),
        "first": np.tile([part.start for part in parts], n),
        "stop": np.tile([part.stop for part in parts], n),
        "again": np.ones(identities.size, dtype=bool),
    }
    chunks["again"][np.unique(identities, return_index=True)[1]] = False
    return Plan(*_columns(battery, points), overrides, graphs.columns(), seeds, size, chunks)


def check(battery: Battery) -> int:
    """Return how many points a battery has; raises ScenarioError as `plan` does."""
    return sum(1 for _ in _checked(battery, _points(battery), None))


def _points(battery: Battery) -> Points:
    try:
        return battery.design.lay_out(battery.parameters, battery.seed)
    except ValueError as error:
        raise ScenarioError(f"battery {battery.battery}", [f"design: {error}"]) from None


def _columns(battery: Battery, points: Points) -> tuple[dict[str, NDArray[Any]], dict[str, Array]]:
    """Return the points' parameters and unit coordinates as columns."""
    columns: dict[str, NDArray[Any]] = {}
    unit: dict[str, Array] = {}
    for name, parameter in battery.parameters.items():
        shown = f"scenario.{name}" if name in _TAKEN else name
        columns |= parameter.columns(shown, points.values[name])
        if name in points.unit:
            many = parameter.coordinates > 1
            for i, axis in enumerate(points.unit[name].T):
                unit[f"{shown}[{i}]" if many else shown] = axis
    return columns, unit


def _checked(
    battery: Battery, points: Points, progress: Progress | None
) -> Iterator[tuple[dict[str, Any], Scenario]]:
    """Yield what each point changes and its scenario; raises ScenarioError once all were tried."""
    problems: dict[str, list[str]] = {}
    for number in range(len(points)):
        try:
            yield _resolved(battery, points, number)
        except ValueError as error:
            rules = error.problems if isinstance(error, ScenarioError) else [str(error)]
            values = (f"{name}={column[number]}" for name, column in points.values.items())
            point = f"point {number} ({', '.join(values)})"
            for rule in rules:  # the same one may get another value at every point
                problems.setdefault(rule.partition(" (got ")[0], []).append(f"{point}: {rule}")
        if progress is not None:
            progress(number + 1, len(points))
    if problems:
        told = [at[0] + f" (and at {len(at) - 1} more)" * (len(at) > 1) for at in problems.values()]
        raise ScenarioError(f"battery {battery.battery}", told)


def _resolved(battery: Battery, points: Points, number: int) -> tuple[dict[str, Any], Scenario]:
    """Return what a point changes and its scenario; raises ValueError where that is none."""
    changes = battery.overrides({name: column[number] for name, column in points.values.items()})
    return changes, battery.changed(changes)


def _some(battery: Battery, points: Points) -> list[Scenario]:
    """Return the scenarios of up to three points; those that are none are told of later."""
    found = []
    for number in sorted({0, len(points) // 2, len(points) - 1}):
        with contextlib.suppress(ValueError):
            found.append(_resolved(battery, points, number)[1])
    return found


def point_seed(battery: Battery, scenario: Scenario) -> int:
    """Return a point's seed: the battery's, or one of its own that its scenario determines."""
    if battery.paired:
        return battery.seed
    text = f"{battery.seed} {scenario.identity()}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def timed_size(scenarios: list[Scenario], battery: Battery) -> int:
    """Return how many replicates make a chunk of the time target, measured on the scenarios.

    A power of two up to `MOST`, so that batteries timed on different days still share chunks.
    """
    if battery.replicates <= _TRIED[1]:
        return _TRIED[1]
    sizes = [
        _fitting(times, scenario.steps, battery.chunk.seconds)
        for scenario, times in _timings(scenarios, battery.replicates)
    ]
    fitting = max(1.0, min(statistics.median(sizes or [1.0]), MOST))
    return int(2 ** np.floor(np.log2(fitting)))


def _fitting(times: dict[int, float], steps: int, seconds: float) -> float:
    """Return the replicates that take so many seconds, but enough of them to be worth a step.

    A step costs ``a + b·R``; with ``R ≥ 4 a/b`` at least four fifths of it are the replicates'.
    ``times`` has the seconds that a step took by R.
    """
    few, many = min(times), max(times)
    each = max(times[many] - times[few], 1e-9) / (many - few) if few < many else times[few] / few
    fixed = max(times[few] - each * few, 0.0)
    return max((seconds / steps - fixed) / each, _WORTH * fixed / each)


def _timings(scenarios: list[Scenario], replicates: int) -> list[tuple[Scenario, dict[int, float]]]:
    """Return the scenarios that run, with the seconds of a step by number of replicates.

    In a worker: one of them may hang, or take more memory than there is, as any point may.
    """
    with tempfile.TemporaryDirectory() as folder, Local(1) as engine:
        items = list(enumerate(scenarios))
        tried = execute(engine, partial(_seconds_per_step, replicates, Path(folder)), items)
        return [(each.item[1], each.result) for each in tried if isinstance(each, Done)]


def _seconds_per_step(
    replicates: int, folder: Path, item: tuple[int, Scenario]
) -> dict[int, float]:
    number, scenario = item
    found: dict[int, float] = {}
    with deadline(_HUNG, folder / f"{number}.trace"):
        for size in _TRIED:
            if size > replicates or max(found.values(), default=0.0) > _PATIENCE:
                break
            model = SUMModel(scenario, size)
            began = time.perf_counter()
            while model.running and model.steps < _STEPS:
                model.step()
                if time.perf_counter() - began > _PATIENCE:
                    break
            found[size] = (time.perf_counter() - began) / max(model.steps, 1)
    return found
