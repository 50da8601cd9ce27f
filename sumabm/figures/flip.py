"""Where an outcome flips along one parameter: from tolerable to worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator

from sumabm.figures.style import DASHES, HEIGHT, PALETTE, WIDTH, styled
from sumabm.types import Array

_FINE = 20  # points between two values, for lines that are the cubics whose crossing is the flip
_DECADE = 10.0  # how far beyond the limit the outcome goes before it is shown by logarithms


def draw_flips(found: xr.Dataset, xlabel: str, ylabel: str, legend: str) -> Figure:
    """Return the outcome over the parameter, and below it the share of replicates that are worse.

    ``found`` is a Dataset of `sumabm.analysis.flips`. Above: a curve's median with the central 90 %
    of replicates, the limit, dashed, and on it the flips with their intervals. An outcome far
    beyond a positive limit is on a logarithmic scale, linear up to the limit. Below: the shares
    with their intervals. ``legend`` says what tells the curves apart, if there are several.
    """
    names = [str(name) for name in found["curve"].values]
    with styled():
        figure = Figure(figsize=(WIDTH, 1.45 * HEIGHT + 0.17 * len(names)))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        lines = []
        for number, name in enumerate(names):
            look = {"color": PALETTE[number % len(PALETTE)], "linestyle": DASHES[number % 4]}
            curve = found.isel(curve=number)
            lines += _outcome(upper, curve, look)
            _share(lower, curve, look)
            told = str(curve["told"].values)
            lines[-1].set_label(told if len(names) == 1 else f"{name}: {told}")
        limit = float(found.attrs["limit"])
        upper.axhline(limit, color="black", linestyle="--", linewidth=1.0)
        upper.annotate(f"limit {limit:.4g}", (1.0, limit), (-2, 3), **_AT_THE_EDGE)
        lower.axhline(0.5, color="black", linestyle="--", linewidth=1.0)
        _scales(upper, lower, found)
        upper.set_ylabel(ylabel)
        lower.set(xlabel=xlabel, ylabel=f"share {found.attrs['worse']} the limit")
        place: dict[str, Any] = {"loc": "outside upper left", "ncols": 1, "title_fontsize": 8}
        figure.legend(handles=lines, title=legend if len(names) > 1 else None, **place)
    return figure


_AT_THE_EDGE: dict[str, Any] = {
    "xycoords": ("axes fraction", "data"),
    "textcoords": "offset points",
    "ha": "right",
    "fontsize": 8,
    "bbox": {"color": "white", "alpha": 0.6, "pad": 0.5, "linewidth": 0},
}


def _outcome(axis: Axes, curve: xr.Dataset, look: dict[str, Any]) -> list[Any]:
    """Draw a curve's median, band and flip; return the line."""
    x = curve["value"].values.astype(float)
    scaled = np.log(x) if curve.attrs["scale"] == "log" else x
    fine = np.interp(np.arange((x.size - 1) * _FINE + 1) / _FINE, np.arange(x.size), scaled)
    places = np.exp(fine) if curve.attrs["scale"] == "log" else fine

    def between(name: str) -> Array:
        return np.asarray(PchipInterpolator(scaled, curve[name].values)(fine))

    lines = axis.plot(places, between("median"), **look)
    band: dict[str, Any] = {"color": look["color"], "alpha": 0.18, "linewidth": 0}
    axis.fill_between(places, between("low"), between("high"), **band)
    flip = float(curve["flip"])
    if np.isfinite(flip):
        ends = [[flip - float(curve["flip_low"])], [float(curve["flip_high"]) - flip]]
        mark: dict[str, Any] = {"color": look["color"], "markeredgecolor": "black", "zorder": 6}
        limit = float(curve.attrs["limit"])
        axis.errorbar(flip, limit, xerr=np.maximum(ends, 0.0), fmt="o", capsize=3, **mark)
    return list(lines)


def _share(axis: Axes, curve: xr.Dataset, look: dict[str, Any]) -> None:
    x, share = curve["value"].values, curve["share"].values
    axis.plot(x, share, marker="o", markersize=2.5, **look)
    band: dict[str, Any] = {"color": look["color"], "alpha": 0.18, "linewidth": 0}
    axis.fill_between(x, curve["share_low"].values, curve["share_high"].values, **band)


def _scales(upper: Axes, lower: Axes, found: xr.Dataset) -> None:
    """Scale the axes: the parameter's as the battery has it, the outcome's as it needs it."""
    upper.set_xscale("log" if found.attrs["scale"] == "log" else "linear")
    upper.margins(x=0.01)
    lower.set_ylim(-0.03, 1.03)
    limit, most = float(found.attrs["limit"]), float(np.nanmax(found["high"].values))
    if 0.0 < limit * _DECADE < most:
        upper.set_yscale("symlog", linthresh=limit)
    if float(np.nanmin(found["low"].values)) >= 0.0:
        upper.set_ylim(bottom=0.0)
