"""What becomes of the humans' goal as subagents hand it down: alignment by generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sumabm.browser.curves import (
    DASHED,
    DOTTED,
    SOLID,
    Group,
    above,
    axis,
    entry,
    groups,
    latest,
    legend,
    so_far,
    tooltip,
)
from sumabm.browser.frame import Frame, band_of
from sumabm.browser.panels.alignment import limits
from sumabm.browser.picture import INK, MUTED, Option, Picture, faded, points
from sumabm.origins.subagents import MAX_GENERATIONS, Subagents
from sumabm.roles import AISpec
from sumabm.types import Array

PLACE = 2.5  # next to alignment
_MOST_BANDS = 3
_BAND, _START, _THEORY = "95 %", "at step 0", "theory"


def draw(frame: Frame) -> Picture | None:
    """Return the picture, or None for a run without subagents: as the last step found them."""
    depths = {name: _depth(frame, name) for name in frame.spec.names("ai")}
    ais = [name for name, depth in depths.items() if depth]
    if not ais:
        return None
    found = groups(frame, ais)
    series = [line for group in found for line in _lines(frame, group, len(found))]
    names = [*(group.name for group in found), _BAND, _replicate(frame), _START, _THEORY]
    drawn = {str(line["name"]) for line in series}
    values = [y for line in series for _, *ys in line["data"] for y in ys if y is not None]
    low = min([0.0, *values])
    option: Option = {
        "grid": {"left": 4, "right": 16, "top": 18, "bottom": 22, "containLabel": True},
        "legend": legend(_entry(name) for name in names if name in drawn),
        "tooltip": tooltip("axis"),
        "xAxis": {
            **axis("generation, from the humans on", 22),
            "type": "category",
            "data": [str(place) for place in range(max(depths.values()))],
        },
        "yAxis": above("alignment (cosine)", **limits(low)),
        "series": series,
    }
    said = [
        f"the goals of {ai}'s generation {place} are {latest(frame, _column(ai, place))} aligned"
        for ai in ais[:3] * bool(frame.count)
        for place in sorted({0, depths[ai] - 1})
    ]
    return Picture("Generations of subagents", option, so_far(frame, said))


def _depth(frame: Frame, ai: str) -> int:
    """Return how many generations are recorded of an AI."""
    agent = frame.spec.population[ai]
    if not isinstance(agent, AISpec) or not isinstance(agent.utility, Subagents):
        return 0
    depth = 1 + max(agent.utility.network.generation)
    return depth if depth <= MAX_GENERATIONS and (not frame.count or _has(frame, ai)) else 0


def _has(frame: Frame, ai: str) -> bool:
    return _column(ai, 0) in frame.columns  # a run of an older version has not


def _column(ai: str, place: int) -> str:
    return f"generation_alignment.{ai}.{place}"


def _replicate(frame: Frame) -> str:
    return f"replicate {frame.first + frame.shown}"


def _lines(frame: Frame, group: Group, of: int) -> Iterator[Option]:
    """Yield what is drawn of a group: its mean now and at first, its band, one replicate, theory.

    A group of several agents is that of the replicate on show alone.
    """
    if not frame.count:
        return
    several = len(group.agents) > 1
    now, first = (_values(frame, group, row) for row in (frame.count - 1, 0))
    band = band_of(now)
    if now.shape[1] > 1 and of <= _MOST_BANDS:
        x = np.arange(len(now))
        rows = zip(points(x, band.low), points(x, band.high), strict=True)
        data = [[*low, high] for low, (_, high) in rows]
        look = {"itemStyle": {"color": faded(group.colour, 0.25)}}
        yield {"type": "sumabm-band", "name": _BAND, "data": data, **look}
        if not several:
            yield _line(_replicate(frame), group.colour, now[:, frame.shown], 1.0, SOLID)
    yield _line(group.name, group.colour, band.mean, 2.0, SOLID)
    if frame.count > 1:
        yield _line(_START, group.colour, band_of(first).mean, 1.5, DOTTED)
    limits = _theory(frame, group)
    if np.isfinite(limits).any():
        yield _line(_THEORY, INK, limits, 1.2, DASHED)


def _values(frame: Frame, group: Group, row: int) -> Array:
    """Return what a step's means are of, by generation: ``(n, R)``, or ``(n, A)`` of A agents."""
    found = _stacked(frame, group, {name: own[row] for name, own in frame.columns.items()})
    return found[0] if len(found) == 1 else found[:, :, frame.shown].T


def _theory(frame: Frame, group: Group) -> Array:
    """Return what theory says of the last step, ``(n,)``: missing where it says nothing."""
    last = {name: own[frame.count - 1, None] for name, own in frame.theory.items()}
    return np.asarray(_stacked(frame, group, last).mean(axis=0)[:, 0])


def _stacked(frame: Frame, group: Group, columns: Mapping[str, Array]) -> Array:
    """Return agents' columns by generation ``(A, n, …)``, missing beyond those that one has."""
    deepest = max(_depth(frame, ai) for ai in group.agents)
    wanted = [[_column(ai, place) for place in range(deepest)] for ai in group.agents]
    missing = np.full_like(next(iter(columns.values()), np.zeros(1)), np.nan)
    return np.stack([np.stack([columns.get(c, missing) for c in own]) for own in wanted])


def _line(name: str, colour: str, values: Array, width: float, dash: str) -> Option:
    marked = name not in (_START, _THEORY) or len(values) == 1  # one point makes no line
    return {
        "type": "line",
        "name": name,
        "data": points(np.arange(len(values)), values),
        "color": colour,
        "lineStyle": {"width": width, "type": dash},
        "symbol": "circle" if marked else "none",
        "symbolSize": 6 if width > 1.0 else 4,
        "emphasis": {"disabled": True},
    }


def _entry(name: str) -> Option:
    """Return the entry of a line in the legend, grey where it stands for several AIs' lines."""
    if name.startswith("replicate "):
        return entry(name, color=MUTED, width=1)
    looks: dict[str, Option] = {
        _START: entry(name, type=DOTTED, width=1.5, color=MUTED),
        _THEORY: entry(name),
        _BAND: {"name": name, "icon": "rect", "itemStyle": {"color": faded(MUTED, 0.35)}},
    }
    return looks.get(name, entry(name))
