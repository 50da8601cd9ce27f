"""Probabilities of the states of a discrete world against the base world's."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm.figures.style import PALETTE, panels
from sumabm.types import Array

_FEW = 16  # up to so many states are shown as bars with their names


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None for a run without states: the last step, the first replicate."""
    if "state_base" not in run:
        return None
    figure, (panel,) = panels(1)
    base = run["state_base"].values
    if base.size <= _FEW:
        _bars(panel, run)
    else:
        _points(panel, run, base)
    panel.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2)
    return figure


def _bars(panel: Axes, run: xr.Dataset) -> None:
    shown = {"base": "state_base", "AIs acted": "state_acted", "humans responded": "state_left"}
    places = np.arange(run.sizes["state"])
    width = 0.8 / len(shown)
    for i, (label, name) in enumerate(shown.items()):
        panel.bar(places + (i - 1) * width, run[name].values, width, label=label, color=PALETTE[i])
    panel.set_xticks(places, [str(name) for name in run["state"].values])
    panel.set_xlabel("state")
    panel.set_ylabel("probability")


def _points(panel: Axes, run: xr.Dataset, base: Array) -> None:
    there = base > 0.0
    for label, name, color in (
        ("AIs acted", "state_acted", PALETTE[1]),
        ("humans responded", "state_left", PALETTE[0]),
    ):
        with np.errstate(over="ignore"):
            ratio = run[name].values[there] / base[there]
        order = np.argsort(-ratio)
        share = np.cumsum(base[there][order])
        panel.step(share, ratio[order], where="pre", label=label, color=color)
    panel.axhline(1.0, color="black", linewidth=0.8, linestyle=":", label="base")
    panel.set_xscale("log")
    panel.set_yscale("symlog", linthresh=0.01)
    panel.set_ylim(bottom=0.0)
    panel.set_xlabel("share of the base world, most favoured states first")
    panel.set_ylabel("probability / base probability")
