"""A battery's points over one parameter, and which of them each mark is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sumabm.browser.curves import above, axis, tooltip
from sumabm.browser.picture import INK, Option, Picture, faded, hue
from sumabm.browser.stored.heat import LONGEST, Axes, Points, View, categories, codes, said, titled
from sumabm.report.effects import Results, at, is_numeric, levels
from sumabm.report.text import labels, plus_minus

_MOST_MARKS = 5000


def line(results: Results, axes: Axes, units: Mapping[str, str], chosen: Points) -> View:
    """Return the mean over the one parameter, with bars of two standard errors."""
    values = results.points[axes.along]
    order = np.argsort(codes(values, levels(values)), kind="stable")
    return _over(results, axes, units, chosen, order, joined=is_numeric(values))


def scatter(results: Results, axes: Axes, units: Mapping[str, str], chosen: Points) -> View:
    """Return the means of the points over one parameter of several, evenly chosen if very many."""
    count = len(results.points[axes.along])
    order = np.unique(np.linspace(0, count - 1, min(count, _MOST_MARKS)).astype(np.intp))
    view = _over(results, axes, units, chosen, order, joined=False)
    others = ", ".join(name for name in results.varied if name != axes.along)
    notes = [f"Other parameters vary too: {others}."]
    if count > order.size:
        notes.append(f"Shown are {order.size} of {count} points.")
    return replace(view, notes=tuple(notes))


def _over(
    results: Results,
    axes: Axes,
    units: Mapping[str, str],
    chosen: Points,
    order: NDArray[np.intp],
    *,
    joined: bool,
) -> View:
    """Return the means of points in this order, each with a bar of two standard errors."""
    values, means = results.points[axes.along], results.mean[axes.outcome]
    order = order[~np.isnan(means[order])]
    found, numeric = levels(values), is_numeric(values)
    places = values[order] if numeric else codes(values[order], found)
    errors = np.nan_to_num(results.error[axes.outcome][order])
    data: list[Option] = []
    bars: list[Option] = []
    for x, point, error in zip(places.tolist(), order.tolist(), errors.tolist(), strict=True):
        mean = float(means[point])
        name = f"{at(results, point)}: {plus_minus(mean, error)}"
        look = {"borderColor": INK, "borderWidth": 2} if (point,) == chosen else {}
        data.append({"name": name, "value": [x, mean], "itemStyle": look})
        bars.append({"coords": [[x, mean - 2.0 * error], [x, mean + 2.0 * error]]})
    across = axis(titled(axes.along, units), 24, scale=True)
    if not numeric:
        across = categories(across, labels(found, LONGEST))
    elif _is_spread_by_ratio(values):
        across["type"] = "log"
    title = f"Mean {results.title(axes.outcome)}"
    option = {
        "grid": {"left": 4, "right": 16, "top": 28, "bottom": 22, "containLabel": True},
        "tooltip": {**tooltip("item"), "formatter": "{b}"},
        "xAxis": across,
        "yAxis": above("mean ± 2 standard errors", scale=True),
        "series": [_marks(data, joined), _bars(bars, joined or not numeric)],
    }
    marks = {"points": [(point,) for point in order.tolist()]}
    return View(Picture(title, option, said(results, axes, means)), marks)


def _marks(data: list[Option], joined: bool) -> Option:
    look: Option = {"name": "points", "data": data, "symbolSize": 8, "z": 3}
    if joined:
        return {**look, "type": "line", "color": hue(0), "symbol": "circle", "showAllSymbol": True}
    return {**look, "type": "scatter", "color": faded(hue(0), 0.6)}


def _bars(data: list[Option], few: bool) -> Option:
    look = {"color": hue(0), "width": 1, "opacity": 0.6 if few else 0.25}
    place = {"type": "lines", "coordinateSystem": "cartesian2d", "silent": True}
    return {**place, "name": "errors", "data": data, "lineStyle": look}


def _is_spread_by_ratio(values: NDArray[Any]) -> bool:
    """Whether positive numbers lie more evenly on a scale of logarithms."""
    low, middle, high = np.quantile(np.unique(values), (0.0, 0.5, 1.0))
    return bool(low > 0.0 and high > 10.0 * low and middle < 0.3 * (low + high))
