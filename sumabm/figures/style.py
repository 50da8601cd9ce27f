"""How figures look: one palette that colour-blind readers tell apart, one way to draw a band."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm.types import Array

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's colours, in the order in which agents take them [okabe-ito-2008]."""

DASHES = ("-", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""Lines of a second variable in the same axes differ by dash too, for print in grey."""

_STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.prop_cycle": "cycler('color', ['" + "','".join(PALETTE) + "'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "font.size": 9,
    "grid.alpha": 0.25,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "sumabm",
}


def styled() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn and saved."""
    return rc_context(_STYLE)


WIDTH, HEIGHT = 4.6, 3.1  # inches: legible at one column's width


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` panels side by side."""
    figure = Figure(figsize=(WIDTH * (1.0 if count == 1 else 0.85 * count), HEIGHT))
    axes = figure.subplots(1, count, squeeze=False)
    return figure, list(axes[0])


def colour(run: xr.Dataset, agent: str) -> str:
    """Return the colour of an agent, the same in every figure of a run."""
    agents = [str(name) for name in run["agent"].values]
    return PALETTE[agents.index(agent) % len(PALETTE)]


def band(axes: Axes, run: xr.Dataset, values: Array, label: str, **line: Any) -> None:
    """Draw the mean over replicates of ``(replicate, step)`` and, shaded, their central 95 %.

    Over the steps of the run, which may be some of them only.
    """
    there = ~np.isnan(values).all(axis=0)
    steps = run["step"].values[there]
    shown = values[:, there]
    (drawn,) = axes.plot(steps, np.nanmean(shown, axis=0), label=label, **line)
    if values.shape[0] > 1 and steps.size:
        low, high = np.nanquantile(shown, (0.025, 0.975), axis=0)
        axes.fill_between(steps, low, high, color=drawn.get_color(), alpha=0.18, linewidth=0)


def theory_line(axes: Axes, curve: Array | None, label: str | None = "theory") -> None:
    """Draw theory's curve, dashed in black; nothing where there is none."""
    if curve is not None:
        axes.plot(curve, color="black", linestyle="--", linewidth=1.0, label=label, zorder=5)


def finish(axes: Axes, ylabel: str) -> None:
    """Label the axes of a panel over time and put its legend above it."""
    axes.set_xlabel("step")
    axes.set_ylabel(ylabel)
    axes.margins(x=0.01)
    legend(axes)


def legend(axes: Axes) -> None:
    """Put a panel's legend above it, clear of the data; theory comes last."""
    handles, labels = axes.get_legend_handles_labels()
    last = [i for i, label in enumerate(labels) if label == "theory"]
    order = [i for i in range(len(labels)) if i not in last] + last
    axes.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        title="mean and 95 % of replicates",
        title_fontsize=7,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        columnspacing=1.0,
        borderaxespad=0.2,
    )
