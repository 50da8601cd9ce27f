"""Figures of a battery's report: results in, matplotlib figures out, and those as SVG in a page."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sumabm.figures.style import DASHES, HEIGHT, PALETTE, WIDTH, styled
from sumabm.report.effects import Results, average, groups, is_numeric, levels, spread
from sumabm.report.text import labels, shown
from sumabm.types import Array

_DOTS = 1000  # more of them are drawn as pixels
_ACROSS, _BINS = 3, 10  # panels in a row, bins of a scatter
_SLANTED: dict[str, Any] = {"rotation": 30, "ha": "right"}
_COLOURS = colormaps["viridis"].with_extremes(under="white", bad="0.85")
_NO_FACTS = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # in an SVG's metadata


def as_svg(figure: Figure) -> bytes:
    """Return a figure as an SVG image: the same figure, the same text."""
    file = io.BytesIO()
    with styled(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts may have it
        figure.savefig(file, format="svg", metadata=_NO_FACTS)
    return file.getvalue()


def as_uri(svg: bytes) -> str:
    """Return an SVG image as a data URI."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")


def draw_map(results: Results, outcome: str, names: Sequence[str]) -> Figure:
    """Return heat maps of the mean over two parameters, a panel for each value of a third.

    Grey is where nothing is.
    """
    along, up = _placed(results.points, names[0], names[1])
    third = results.points[names[2]] if len(names) > 2 else None
    panels = [("", np.ones(len(results.points[along]), dtype=bool))]
    if third is not None:
        panels = [(f"{plain(names[2])} = {plain(t)}", mask) for t, mask in groups(third)]
    cells = [_cells(results, outcome, along, up, mask) for _, mask in panels]
    with styled():
        figure, axes = _panels(len(panels))
        norm, least = _norm(np.stack(cells))
        hidden = any((values < least).any() for values in cells)
        for axis, (title, _), values in zip(axes, panels, cells, strict=True):
            drawn = np.where(values < least, least / 10.0, values)
            mesh = axis.pcolormesh(drawn, norm=norm, cmap=_COLOURS, rasterized=True)
            axis.grid(visible=False)
            axis.set_title(title)
            _label(axis, results.points, along, up)
        figure.supxlabel(plain(along), fontsize=9)
        figure.supylabel(plain(up), fontsize=9)
        extend = "min" if hidden else "neither"
        figure.colorbar(mesh, ax=axes, shrink=0.9, pad=0.02, extend=extend)
        below = "; white: below the scale" if hidden else ""
        figure.suptitle(f"mean {plain(results.title(outcome))}{below}", fontsize=9)
    return figure


def draw_line(results: Results, outcome: str, name: str) -> Figure:
    """Return the mean over one parameter with a band, or bars, of two standard errors."""
    values = results.points[name]
    mean, error = results.mean[outcome], 2.0 * np.nan_to_num(results.error[outcome])
    with styled():
        figure, (axis,) = _panels(1)
        x = _places(axis, values)
        if is_numeric(values):
            order = np.argsort(x, kind="stable")
            x, y, e = x[order], mean[order], error[order]
            axis.plot(x, y, marker="o", markersize=3, color=PALETTE[0])
            axis.fill_between(x, y - e, y + e, color=PALETTE[0], alpha=0.2, linewidth=0)
        else:
            axis.errorbar(x, mean, yerr=error, fmt="o", color=PALETTE[0])
        axis.set(xlabel=plain(name), ylabel=plain(results.title(outcome)))
    return figure


def draw_scatter(results: Results, outcome: str, names: Sequence[str]) -> Figure:
    """Return the points' means over each parameter, with averages over bins or labels."""
    mean = results.mean[outcome]
    with styled():
        figure, axes = _panels(len(names))
        for axis, name in zip(axes, names, strict=True):
            values = results.points[name]
            x = _places(axis, values)
            look: dict[str, Any] = {"alpha": 0.35, "markersize": 3, "color": PALETTE[0]}
            axis.plot(x, mean, ".", rasterized=mean.size > _DOTS, **look)
            parts = [part for _, part in _bins(values)]
            centres = [float(np.mean(x[part])) for part in parts]
            heights = [float(average(mean[part])) for part in parts]
            errors = [2.0 * np.nan_to_num(float(spread(mean[part]))) for part in parts]
            axis.errorbar(centres, heights, yerr=errors, fmt="o", color=PALETTE[1], capsize=2)
            axis.set_xlabel(plain(name))
        figure.supylabel(plain(results.title(outcome)), fontsize=9)
    return figure


def draw_trajectories(
    steps: NDArray[Any], curves: Sequence[tuple[str, Array]], ylabel: str, legend: str
) -> Figure:
    """Return curves ``(replicate, step)`` over steps: their means, with two standard errors."""
    names = _texts([name for name, _ in curves], 40)
    columns = max(1, min(3, 48 // (4 + max(map(len, names)))))
    with styled():
        figure = Figure(figsize=(WIDTH, HEIGHT + 0.17 * (len(names) // columns)))
        axis = figure.subplots()
        for number, (_, values) in enumerate(curves):
            mean, error = average(values), 2.0 * np.nan_to_num(spread(values))
            look: dict[str, Any] = {"color": PALETTE[number % len(PALETTE)]}
            axis.plot(steps, mean, linestyle=DASHES[number % len(DASHES)], **look)
            axis.fill_between(steps, mean - error, mean + error, alpha=0.18, linewidth=0, **look)
        axis.margins(x=0.01)
        axis.set(xlabel="step", ylabel=plain(ylabel))
        if len(names) > 1:
            place: dict[str, Any] = {"loc": "outside upper left", "ncols": columns}
            figure.legend(axis.lines, names, title=plain(legend), title_fontsize=8, **place)
    return figure


def draw_sobol(indices: xr.Dataset) -> Figure:
    """Return bars of first-order and total indices with their confidence intervals."""
    names = [str(name) for name in indices["parameter"].values]
    rows = np.arange(len(names))
    with styled():
        figure = Figure(figsize=(WIDTH, 1.0 + 0.45 * len(names)))
        axis = figure.subplots()
        for shift, key, label, colour, hatch in (
            (-0.19, "first_order", "first order: alone", PALETTE[0], ""),
            (0.19, "total_order", "total: with all others", PALETTE[5], "///"),
        ):
            look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": "white"}
            margin = indices[f"{key}_margin"].values
            axis.barh(rows + shift, indices[key].values, 0.36, xerr=margin, label=label, **look)
        axis.set_yticks(rows, _texts(names))
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.axvline(0.0, color="black", linewidth=0.8)
        axis.set_xlabel("share of the variance over points")
        axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    return figure


def draw_morris(measures: xr.Dataset, ylabel: str) -> Figure:
    """Return Morris's mu* against sigma; parameters are numbered in the Dataset's order."""
    mu, sigma = measures["mu_star"].values, np.nan_to_num(measures["sigma"].values)
    with styled():
        figure, (axis,) = _panels(1)
        margin = np.nan_to_num(measures["mu_star_margin"].values)
        axis.errorbar(mu, sigma, xerr=margin, fmt="o", color=PALETTE[0], markersize=4)
        for number, place in enumerate(zip(mu, sigma, strict=True), start=1):
            axis.annotate(str(number), place, (4, 4), textcoords="offset points", fontsize=9)
        axis.margins(0.08)
        axis.set(xlabel=f"μ*: mean size of effects on {plain(ylabel)}")
        axis.set_ylabel("σ: their standard deviation")
    return figure


def plain(text: object, width: int = 40) -> str:
    """Return a text that a figure shows as it is: short, without mathematics or control codes."""
    kept = "".join(c if c.isprintable() else " " for c in shown(text, width, digits=4))
    return kept.replace("$", r"\$")


def _texts(values: Sequence[Any], width: int = 28) -> list[str]:
    """Return values as labels that figures show: those that begin with ``_`` are hidden ones."""
    found = [plain(text) for text in labels(values, width)]
    return [f" {text}" if text.startswith("_") else text for text in found]


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels in rows, all of one scale upwards."""
    across = 2 if count in (2, 4) else min(count, _ACROSS)
    down = -(-count // across)
    one = WIDTH * (1.0 if count == 1 else 0.72)
    figure = Figure(figsize=(one * across, HEIGHT * (1.0 if count == 1 else 0.85) * down))
    axes = figure.subplots(down, across, squeeze=False, sharey=True)
    every = list(axes.flat)
    for spare in every[count:]:
        spare.set_axis_off()
    return figure, every[:count]


def _placed(points: Mapping[str, NDArray[Any]], a: str, b: str) -> tuple[str, str]:
    """Return which parameter goes along and which up: the most numbers, or the fewest labels."""

    def room(name: str) -> tuple[bool, int]:
        numeric, count = is_numeric(points[name]), len(levels(points[name]))
        return numeric, count if numeric else -count

    return (b, a) if room(b) > room(a) else (a, b)


def _cells(results: Results, outcome: str, along: str, up: str, mask: NDArray[np.bool_]) -> Array:
    """Return means ``(values up, values along)`` of the points of the mask."""
    y = results.mean[outcome][mask]
    places = []
    for name in (up, along):
        index = {value: i for i, value in enumerate(levels(results.points[name]))}
        places.append(np.array([index[v] for v in results.points[name][mask].tolist()]))
    shape = [len(levels(results.points[name])) for name in (up, along)]
    there = ~np.isnan(y)
    flat = np.ravel_multi_index(tuple(place[there] for place in places), shape)
    total = np.bincount(flat, weights=y[there], minlength=shape[0] * shape[1])
    count = np.bincount(flat, minlength=shape[0] * shape[1])
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape)


def _norm(values: Array) -> tuple[Normalize, float]:
    """Return a colour scale: of logarithms where positive values span more than two decades.

    And what it begins with, if anything can be less: zeros, or six decades below the largest.
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    least = float(np.min(values, where=values > 0.0, initial=np.inf))
    if low < 0.0 or least >= high / 100.0:
        return Normalize(low, high), -np.inf
    least = max(least, high * 1e-6)
    return LogNorm(least, high), least


def _label(axis: Axes, points: Mapping[str, NDArray[Any]], along: str, up: str) -> None:
    """Label the cells of a heat map with the values that they stand for."""
    look = {} if is_numeric(points[along]) else _SLANTED
    axis.set_xticks(*_ticks(levels(points[along]), 0.5, 8), **look)
    axis.set_yticks(*_ticks(levels(points[up]), 0.5, 20))
    axis.tick_params(length=0)


def _ticks(found: Sequence[Any], first: float, most: int) -> tuple[NDArray[Any], list[str]]:
    """Return where values in a row have labels and which, no more than can be read."""
    every = -(-len(found) // most)
    return np.arange(0, len(found), every) + first, _texts(found[::every])


def _places(axis: Axes, values: NDArray[Any]) -> NDArray[Any]:
    """Return where a parameter's values go along an axis: numbers themselves, labels in a row."""
    if is_numeric(values):
        _scale(axis, values)
        return values
    found = levels(values)
    axis.set_xticks(*_ticks(found, 0.0, 12), **_SLANTED)
    return np.array([found.index(value) for value in values.tolist()])


def _scale(axis: Axes, values: NDArray[Any]) -> None:
    """Scale an axis by logarithms where positive values lie evenly on that scale."""
    low, middle, high = np.quantile(np.unique(values), (0.0, 0.5, 1.0))
    if low > 0.0 and high > 10.0 * low and middle < 0.3 * (low + high):
        axis.set_xscale("log")


def _bins(values: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the points of each value or, of many numbers, of bins with as many of them."""
    found = levels(values)
    if len(found) <= _BINS or not is_numeric(values):
        return groups(values, most=len(found))
    bins = np.searchsorted(found, values) * _BINS // len(found)
    return [(str(i), bins == i) for i in range(_BINS)]
