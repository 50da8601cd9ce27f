"""What is behind a mark on a battery's map: how its points were run, and what was kept of that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.battery.results import read_chunk
from sumabm.battery.store import Store
from sumabm.browser.curves import above, axis, entry, legend, tooltip
from sumabm.browser.frame import band_of, thinned
from sumabm.browser.picture import MUTED, Picture, faded, hue, points
from sumabm.files import RunError
from sumabm.recorder import VARIABLES
from sumabm.report.text import number
from sumabm.scenario import Scenario
from sumabm.types import Array

MOST_POINTS = 50
"""Points of which the trajectories are drawn together, at most."""


class Cell(NamedTuple):
    """A point of a battery, to be run again: ``scenario`` with ``overrides``, by dotted path.

    With the same seed and replicates it comes out the same, bit for bit.
    """

    scenario: Scenario
    overrides: dict[str, Any]
    replicates: int
    seed: int


class Courses(NamedTuple):
    """What was kept of runs: columns ``(runs, n)`` at ``steps`` ``(n,)``; missing where done."""

    steps: NDArray[np.intp]
    columns: Mapping[str, Array]


def cell_of(store: Store, point: int) -> Cell:
    """Return a point as it was run; raises RunError when the battery cannot be read."""
    plan = store.table("plan")
    overrides = json.loads(plan["overrides"][point])
    seed = int(plan["seed"][point])
    return Cell(store.battery.scenario, overrides, store.battery.replicates, seed)


def courses(store: Store, where: Sequence[int], outcomes: Sequence[str]) -> Courses | None:
    """Return the trajectories that were kept of points, all their replicates one below another.

    None where the battery kept only the ends, or nothing of these is done. Raises RunError when
    something cannot be read.
    """
    every = store.battery.keep.every
    if every is None:
        return None
    plan, chunks = store.table("plan"), store.table("chunks")
    usual = store.battery.scenario.steps
    changes = (json.loads(plan["overrides"][point]) for point in where)
    longest = max(int(change.get("steps", usual)) for change in changes)
    steps = np.arange(0, longest, every)
    parts = []
    for row in np.flatnonzero(np.isin(chunks["point"], where)):
        identity, first, stop = (chunks[name][row] for name in ("identity", "first", "stop"))
        if store.file(identity).exists():
            parts.append(_part(store, identity, (first, stop), steps, outcomes))
    if not parts:
        return None
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return Courses(steps, {name: np.concatenate([p[name] for p in parts]) for name in names})


def _part(
    store: Store,
    identity: str,
    replicates: tuple[int, int],
    steps: NDArray[np.intp],
    outcomes: Sequence[str],
) -> dict[str, Array]:
    """Return a chunk's columns ``(replicates, steps)``; raises RunError for what is damaged."""
    first, stop = replicates
    chunk = read_chunk(store, identity, outcomes)
    who, when = chunk.pop("replicate") - first, chunk.pop("step")
    kept = np.isin(when, steps)
    if who.size and not 0 <= who.min() <= who.max() < stop - first:
        raise RunError(f"{identity[:12]}: replicates are not {first}:{stop}")
    place = np.searchsorted(steps, when[kept])
    found = {}
    for name, values in chunk.items():
        found[name] = np.full((stop - first, len(steps)), np.nan)
        found[name][who[kept], place] = values[kept]
    return found


def course(found: Courses, column: str) -> Picture:
    """Return the mean of a column over runs, and their central 95 %, by step."""
    values, variable = found.columns[column], column.partition(".")[0]
    unit = VARIABLES[variable].unit
    most = {"max": 1.0} if variable in ("alignment", "believed") else {}
    chosen = thinned(len(found.steps))
    x, band = found.steps[chosen], band_of(values.T[chosen])
    mean = points(x, band.mean)
    low, high = points(x, band.low), points(x, band.high)
    rows = [[step, a, b] for (step, a), (_, b) in zip(low, high, strict=True)]
    series = [
        {
            "type": "sumabm-band",
            "name": "95 %",
            "data": rows,
            "itemStyle": {"color": faded(hue(0), 0.2)},
        },
        {
            "type": "line",
            "name": "mean",
            "data": mean,
            "color": hue(0),
            "lineStyle": {"width": 2},
            "symbol": "circle" if len(mean) == 1 else "none",
            "emphasis": {"disabled": True},
        },
    ]
    grey = {"name": "95 %", "icon": "rect", "itemStyle": {"color": faded(MUTED, 0.35)}}
    option = {
        "grid": {"left": 4, "right": 16, "top": 24, "bottom": 22, "containLabel": True},
        "legend": legend([entry("mean"), grey]),
        "tooltip": tooltip("axis"),
        "xAxis": axis("step", 22, min=0, max=max(int(found.steps[-1]), 1), minInterval=1),
        "yAxis": above(unit or variable, scale=True, **most),
        "series": series,
    }
    ends = f"{number(float(band.mean[0]))} at first and {number(float(band.mean[-1]))} at last"
    return Picture(column, option, f"The mean of {column} over {len(values)} runs is {ends}.")
