"""Curves over the steps of a run: what the panels that draw them share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.browser.frame import Band, Frame, band_of, mean_of, thinned
from sumabm.browser.picture import GRID, INK, MUTED, PAPER, Option, faded, hue, points
from sumabm.report.text import number
from sumabm.types import Array

SOLID, DASHED, DOTTED, BROKEN = "solid", "dashed", "dotted", [9, 6, 2, 6]
"""Dashes: the simulation, theory, what is believed, a second variable."""

_MOST_AGENTS = 7  # drawn one by one: there are as many hues
_MOST_BANDS = 3  # more on top of each other are a blur
_DUST = 1e-9  # less is rounding: nothing to zoom in on
_PLURALS = {"ai": "AIs", "human": "humans", "aligner": "aligners"}


class Group(NamedTuple):
    """Agents that have one curve: its name, its colour, and who they are."""

    name: str
    colour: str
    agents: list[str]

    def columns(self, variable: str) -> list[str]:
        """Return the names of the agents' columns of a variable."""
        return [f"{variable}.{agent}" for agent in self.agents]


def ordered(frame: Frame) -> list[str]:
    """Return all agents in the order of their colours: that of the file.

    Where there are more agents than colours, those who act come first, so that they differ.
    """
    names = list(frame.spec.population)
    if len(names) <= _MOST_AGENTS:
        return names
    return sorted(names, key=lambda name: frame.spec.population[name].kind == "aligner")


def groups(frame: Frame, agents: Sequence[str]) -> list[Group]:
    """Return agents one by one or, if there are more than 7, those of a role together."""
    if len(agents) <= _MOST_AGENTS:
        places = {name: place for place, name in enumerate(ordered(frame))}
        return [Group(name, hue(places[name]), [name]) for name in agents]
    found = []
    for role, plural in _PLURALS.items():
        if members := [name for name in agents if frame.spec.population[name].kind == role]:
            name = members[0] if len(members) == 1 else f"{len(members)} {plural}"
            found.append(Group(name, hue_of(role), members))
    return found


def hue_of(role: str) -> str:
    """Return the colour of the agents of a role together: no other role has it."""
    return hue(list(_PLURALS).index(role))


class Curves:
    """Curves of a frame over its steps, gathered into an ECharts option.

    ``look`` is for all lines. Several columns at once are those of a group of agents: their curve
    is that of the replicate on show alone, and its band is over agents.
    """

    def __init__(self, frame: Frame, **look: Any) -> None:
        self._frame = frame
        self._look = look
        self._steps = frame.steps()
        self._series: list[Option] = []
        self._names: dict[str, Option] = {}  # entries of the legend, and those after them
        self._kinds: dict[str, Option] = {}
        self._most = 0.0
        self.least = 0.0
        """The least value drawn, at most 0."""

    def groups(self, found: Sequence[Group], variable: str, name: str = "{}") -> None:
        """Add a variable of each group, as `add` does; ``name`` says what is drawn of it."""
        for group in found:
            few = len(found) <= _MOST_BANDS
            columns = group.columns(variable)
            self.add(columns, name.format(group.name), group.colour, spread=few)

    def add(self, columns: Sequence[str], name: str, colour: str, *, spread: bool = True) -> None:
        """Add the mean over replicates; with ``spread`` also its band and the replicate on show.

        Nothing where there is no such column; the mean alone where all replicates are the same.
        """
        columns = self._there(columns)
        if not columns:
            return
        band, shown = (
            band_of(self.values(columns)),
            f"replicate {self._frame.first + self._frame.shown}",
        )
        several = len(columns) > 1
        spread = spread and bool(np.any(band.high - band.low > _DUST * np.abs(band.high)))
        if spread:
            of = f"95 % of agents, {shown}" if several else f"95 %{_of_those_left(self._frame)}"
            self._band(of, colour, band)
        self._names[name] = entry(name)
        self._line(name, colour, self._steps, band.mean, width=2.0)
        if spread and not several:
            self._kinds[shown] = entry(shown, color=MUTED, width=1)
            self._line(shown, colour, self._steps, self._frame.one(columns[0]), opacity=0.8)

    def mean(self, columns: Sequence[str], name: str, colour: str, dash: Any) -> None:
        """Add the mean alone, dashed; those with the same ``name`` have one entry in the legend."""
        if columns := self._there(columns):
            colours = {line["color"] for line in self._series if line["name"] == name}
            shared = {"color": MUTED} if colours - {colour} else {}
            self._names[name] = entry(name, type=dash, width=1.5, **shared)
            mean = mean_of(self.values(columns))
            self._line(name, colour, self._steps, mean, 1.5, dash)

    def values(self, columns: Sequence[str]) -> Array:
        """Return what a curve is the mean of, ``(n, R)``, or ``(n, A)`` of a group's A agents."""
        if len(columns) == 1:
            return self._frame.columns[columns[0]][self._steps]
        shown, steps = self._frame.shown, self._steps
        return np.stack([self._frame.columns[c][:, shown][steps] for c in columns], axis=1)

    def _there(self, columns: Sequence[str]) -> list[str]:
        return [column for column in columns if column in self._frame.columns]

    def theory(self, columns: Sequence[str], name: str = "theory") -> None:
        """Add theory's curve, the mean of those of these columns, if it has one for each."""
        curves = [self._frame.theory[column] for column in columns if column in self._frame.theory]
        if not curves or len(curves) < len(columns):
            return
        chosen = thinned(len(curves[0]))
        curve = np.mean([curve[chosen] for curve in curves], axis=0)
        self._kinds[name] = entry(name)
        self._line(name, INK, chosen, curve, 1.2, DASHED, z=3)

    def option(self, unit: str, **y: Any) -> Option:
        """Return the option: axes from step 0 to the horizon, and from 0 unless ``y`` says more."""
        empty = {"max": 1.0, "interval": 0.5} if self._most < _DUST else {}
        last = max(self._frame.horizon - 1, 1)
        whole = {"label": {"precision": 0}}
        return {
            "grid": {"left": 4, "right": 16, "top": 18, "bottom": 22, "containLabel": True},
            "legend": legend([*self._names.values(), *self._kinds.values()]),
            "tooltip": tooltip("axis"),
            "xAxis": axis("step", 22, min=0, max=last, minInterval=1, axisPointer=whole),
            "yAxis": above(unit, **{"min": 0.0, **empty, **y}),
            "series": self._series,
        }

    def _note(self, values: Array) -> None:
        there = values[np.isfinite(values)]
        if there.size:
            self._most = max(self._most, float(there.max()))
            self.least = min(self.least, float(there.min()))

    def _band(self, name: str, colour: str, band: Band) -> None:
        look = {"color": faded(MUTED, 0.35)}
        self._kinds[name] = {"name": name, "icon": "rect", "itemStyle": look}
        low, high = points(self._steps, band.low), points(self._steps, band.high)
        rows = [[x, a, b] for (x, a), (_, b) in zip(low, high, strict=True)]
        look = {"color": faded(colour, 0.25)}
        self._series.append({"type": "sumabm-band", "name": name, "data": rows, "itemStyle": look})
        self._note(band.low)
        self._note(band.high)

    def _line(
        self,
        name: str,
        colour: str,
        steps: NDArray[np.intp],
        values: Array,
        width: float = 1.0,
        dash: Any = SOLID,
        **more: Any,
    ) -> None:
        line = {"width": width, "type": dash, "opacity": more.pop("opacity", 1.0)}
        self._series.append(
            {
                "type": "line",
                "name": name,
                "data": points(steps, values),
                "color": colour,
                "lineStyle": line,
                "symbol": "circle" if len(values) == 1 else "none",  # one point makes no line
                "symbolSize": 6,
                "emphasis": {"disabled": True},
                **self._look,
                **more,
            }
        )
        self._note(values)


def entry(name: str, **line: Any) -> Option:
    """Return a line's entry in a legend; ``line`` is where it should look unlike the line."""
    return {"name": name, "itemStyle": {"opacity": 0}, "lineStyle": line}  # no dot on the line


def legend(entries: Iterable[Option]) -> Option:
    """Return a legend above the plot; the page gives it as many rows as its width takes."""
    return {
        "data": list(entries),
        "left": 0,
        "top": 0,
        "padding": [2, 4],
        "itemWidth": 22,
        "itemHeight": 9,
        "itemGap": 9,
        "textStyle": {"color": INK, "fontSize": 11},
    }


def tooltip(trigger: str) -> Option:
    """Return what is shown of the point under the mouse: of an ``item``, or along the ``axis``."""
    return {
        "trigger": trigger,
        "confine": True,
        "backgroundColor": PAPER,
        "borderColor": GRID,
        "padding": 6,
        "textStyle": {"color": INK, "fontSize": 11},
        "axisPointer": {"lineStyle": {"color": MUTED, "type": "solid"}},
    }


def axis(name: str, gap: int, **more: Any) -> Option:
    """Return an axis with its name along it, ``gap`` pixels away."""
    return {
        "type": "value",
        "name": name,
        "nameLocation": "middle",
        "nameGap": gap,
        "nameTextStyle": {"color": INK, "fontSize": 11},
        "axisLabel": {"color": MUTED, "fontSize": 11, "hideOverlap": True},
        "axisLine": {"show": True, "onZero": False, "lineStyle": {"color": MUTED}},
        "splitNumber": 4,
        "splitLine": {"lineStyle": {"color": GRID}},
        **more,
    }


def above(name: str, **more: Any) -> Option:
    """Return an upward axis with its name above it, where it takes no width."""
    look = {"color": INK, "fontSize": 11, "align": "left"}
    place = {"nameLocation": "end", "nameTextStyle": look}
    return {**axis(name, 7), **place, **more}


def _of_those_left(frame: Frame) -> str:
    """Return in words how many replicates go on, where some are done: curves are theirs."""
    last = frame.columns["harm"][-1:] if "harm" in frame.columns else np.zeros((0, 0))
    left = int(np.count_nonzero(~np.isnan(last)))
    return f" of the {left} left" if 0 < left < frame.replicates else ""


def latest(frame: Frame, column: str) -> str:
    """Return a column's last mean in words, with its band where there are replicates."""
    mean, low, high = (float(limit[0]) for limit in band_of(frame.columns[column][-1:]))
    if not high - low > _DUST * abs(high):
        return number(mean)
    return f"{number(mean)} ({number(low)} to {number(high)})"


def so_far(frame: Frame, said: Sequence[str]) -> str:
    """Return one sentence of what is said of the last step."""
    if not said or frame.count == 0:
        return "No step has been made yet."
    told = "; ".join(said[:_MOST_AGENTS])
    over = f", means over {frame.replicates} replicates with their 95 %" * (frame.replicates > 1)
    over += _of_those_left(frame)
    return f"At step {frame.count - 1}{over}: {told}."
