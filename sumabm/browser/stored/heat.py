"""A battery as a heat map over two parameters, and which points each of its cells is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.browser.curves import above, axis, tooltip
from sumabm.browser.picture import GRID, INK, Option, Picture
from sumabm.report.effects import Results, levels, map_axes
from sumabm.report.text import labels, number
from sumabm.types import Array

LONGEST = 18
"""Characters of a value along an axis, at most."""

_VIRIDIS: tuple[str, ...] = ("#440154", "#482878", "#3e4989", "#31688e", "#26828e")
_VIRIDIS += ("#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725")

Points = tuple[int, ...]


class Axes(NamedTuple):
    """What is drawn over which parameters: over ``along`` alone, unless there is one ``up`` too."""

    outcome: str
    along: str
    up: str = ""


@dataclass(frozen=True)
class View:
    """A picture of a battery, and the points behind its marks, by series and place in it."""

    picture: Picture
    marks: Mapping[str, Sequence[Points]]
    notes: tuple[str, ...] = field(default=())

    def picked(self, mark: Mapping[str, Any]) -> Points:
        """Return the points behind a mark that was clicked; none for what is no mark."""
        place, there = mark.get("place"), self.marks.get(str(mark.get("series")), ())
        return there[place] if isinstance(place, int) and 0 <= place < len(there) else ()


def heat(results: Results, axes: Axes, units: Mapping[str, str], chosen: Points) -> View:
    """Return the means over two parameters as colours, averaged over all others."""
    columns, rows = (levels(results.points[name]) for name in (axes.along, axes.up))
    places = [codes(results.points[axes.along], columns), codes(results.points[axes.up], rows)]
    flat = places[1] * len(columns) + places[0]
    means = _means(results.mean[axes.outcome], flat, len(columns) * len(rows))
    behind = _behind(flat, len(columns) * len(rows))
    texts = (labels(columns, LONGEST), labels(rows, LONGEST))
    scale = _Scale.of(means)
    marks: dict[str, list[Points]] = {"cells": [], "missing": []}
    data: dict[str, list[Option]] = {"cells": [], "missing": []}
    order = sorted(range(means.size), key=lambda cell: behind[cell] == chosen)  # it is drawn last
    for cell in order:
        value = float(means[cell])
        up, along = divmod(cell, len(columns))
        series = "missing" if math.isnan(value) else "cells"
        where = f"{axes.along} = {texts[0][along]}, {axes.up} = {texts[1][up]}"
        look = {"borderColor": INK, "borderWidth": 3} if chosen and behind[cell] == chosen else {}
        name = f"{where}: {number(value) if series == 'cells' else 'nothing'}"
        height = scale.place(value) if series == "cells" else 0.0
        data[series].append({"name": name, "value": [along, up, height], "itemStyle": look})
        marks[series].append(behind[cell])
    option = {
        "grid": {"left": 4, "right": 12, "top": 64, "bottom": 22, "containLabel": True},
        "tooltip": {**tooltip("item"), "formatter": "{b}"},
        "xAxis": categories(axis(titled(axes.along, units), 24), texts[0]),
        "yAxis": categories(above(titled(axes.up, units)), texts[1]),
        "visualMap": [scale.legend(), _grey()],
        "series": [{"type": "heatmap", "name": name, "data": data[name]} for name in data],
    }
    picture = Picture(f"Mean {results.title(axes.outcome)}", option, said(results, axes, means))
    return View(picture, marks, tuple(_notes(results, axes, scale)))


class _Scale(NamedTuple):
    """What colours stand for: ``low`` to ``high``, or their logarithms."""

    low: float
    high: float
    is_log: bool
    clips: bool
    """Whether something lies below ``low``."""

    @classmethod
    def of(cls, values: Array) -> _Scale:
        """Return the scale of what is there: of logarithms where it spans over two decades."""
        there = values[np.isfinite(values)]
        if not there.size:
            return cls(0.0, 1.0, False, False)
        low, high = float(there.min()), float(there.max())
        least = float(np.min(there, where=there > 0.0, initial=np.inf))
        if low < 0.0 or least >= high / 100.0:
            return cls(low, high, False, False)
        least = max(least, high * 1e-6)
        return cls(least, high, True, low < least)

    def place(self, value: float) -> float:
        """Return where a value is on the scale, to be drawn."""
        shown = math.log10(max(value, self.low)) if self.is_log else value
        return float(f"{shown:.6g}")

    def legend(self) -> Option:
        """Return the scale with the numbers at its ends, above the map."""
        low, high = self.place(self.low), self.place(self.high)
        least = "≤ " * self.clips + number(self.low, 3)
        return {
            "type": "continuous",
            "seriesIndex": 0,
            "dimension": 2,
            "min": low,
            "max": high if high > low else low + 1.0,
            "inRange": {"color": list(_VIRIDIS)},
            "text": [number(self.high, 3), least + ("  log scale" if self.is_log else "")],
            "textStyle": {"color": INK, "fontSize": 11},
            "orient": "horizontal",
            "right": 8,
            "top": 0,
            "itemWidth": 12,
            "itemHeight": 110,
            "hoverLink": False,
        }


def _grey() -> Option:
    return {
        "type": "continuous",
        "seriesIndex": 1,
        "min": 0,
        "max": 1,
        "show": False,
        "inRange": {"color": [GRID, GRID]},
    }


def categories(plain: Option, texts: list[str]) -> Option:
    """Return an axis with these texts along it, each in the middle of its place."""
    look = {**plain["axisLabel"], "width": 90, "overflow": "truncate"}
    more = {"type": "category", "data": texts, "splitLine": {"show": False}}
    return {**plain, **more, "axisTick": {"show": False}, "axisLabel": look}


def codes(values: NDArray[Any], found: Sequence[Any]) -> NDArray[np.intp]:
    """Return the place of each value among the levels that were ``found``."""
    index = {value: place for place, value in enumerate(found)}
    return np.array([index[value] for value in values.tolist()], dtype=np.intp)


def _means(values: Array, cells: NDArray[np.intp], count: int) -> Array:
    """Return the mean of each cell ``(count,)``; missing where nothing is."""
    there = ~np.isnan(values)
    total = np.bincount(cells[there], weights=values[there], minlength=count)
    number_in = np.bincount(cells[there], minlength=count)
    return np.where(number_in > 0, total / np.maximum(number_in, 1), np.nan)


def _behind(cells: NDArray[np.intp], count: int) -> list[Points]:
    """Return the points in each cell."""
    order = np.argsort(cells, kind="stable")
    ends = np.searchsorted(cells[order], np.arange(1, count))
    return [tuple(part.tolist()) for part in np.split(order, ends)]


def _notes(results: Results, axes: Axes, scale: _Scale) -> list[str]:
    notes = []
    others = [name for name in results.varied if name not in (axes.along, axes.up)]
    if others:
        notes.append(f"Cells are averages over {', '.join(others)}.")
    if not map_axes(results.points, [axes.along, axes.up]):
        notes.append("The points are no full grid over these axes: cells may not be comparable.")
    if scale.clips:
        notes.append(f"What is below {number(scale.low, 3)}, zero too, has that colour.")
    return notes


def said(results: Results, axes: Axes, means: Array) -> str:
    """Return in words what means range over."""
    over = f"over {axes.along}" + (f" and {axes.up}" if axes.up else "")
    there = means[np.isfinite(means)]
    if not there.size:
        return f"The mean of {axes.outcome} {over}: nothing is done yet."
    low, high, unit = number(there.min()), number(there.max()), results.units[axes.outcome]
    return f"The mean of {axes.outcome} {over}, from {low} to {high} {unit}".rstrip() + "."


def titled(name: str, units: Mapping[str, str]) -> str:
    """Return a parameter's name, with its unit if it has one."""
    return f"{name} ({units[name]})" if units.get(name) else name
