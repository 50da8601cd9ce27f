"""The world in the plane of the humans' and an AI's utilities, with what each step did to it."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from sumabm.figures.style import colour, panels
from sumabm.types import Array

_DOTS = 300  # replicates shown as dots, at most


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None for a discrete world or a run in which no AI acted.

    Along: the humans' utility v_Y; across: the part of the AI's v_X that is orthogonal to it, both
    in standard deviations of the base world, whose 1 and 2 sd circles are drawn. Dots are the
    replicates' worlds after the AIs acted, arrows the means over replicates: an AI's own tilt, and
    for a single AI the humans' response. Three steps: the first, the one where alignment is
    halfway to its last, the last.
    """
    ais = [str(name) for name in run["agent"].values[run["role"].values == "ai"]]
    steps = (
        _steps(run["alignment"].sel(agent=ais).mean(("replicate", "agent")).values) if ais else []
    )
    if not steps or "state_base" in run:  # in a discrete world a tilt is no straight arrow
        return None
    figure, axes = panels(len(steps))
    for panel, step in zip(axes, steps, strict=True):
        for radius in (1.0, 2.0):
            panel.add_patch(Circle((0, 0), radius, fill=False, color="0.6", linestyle=":"))
        for ai in ais:
            _draw_ai(panel, run.isel(step=step), ai, colour(run, ai), alone=len(ais) == 1)
        panel.plot(0, 0, marker="+", color="black", linestyle="none", label="base world")
        panel.set_title(f"step {run['step'].values[step]}")
        panel.set_xlabel("along the humans' utility (sd)")
    axes[0].set_ylabel("across, towards the AI's (sd)")
    _same_frame(axes)
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _steps(alignment: Array) -> list[int]:
    """Return the first step, the one halfway in alignment, and the last with any data."""
    there = np.flatnonzero(~np.isnan(alignment))
    if there.size == 0:
        return []
    first, last = int(there[0]), int(there[-1])
    middle = 0.5 * (alignment[first] + alignment[last])
    halfway = int(there[np.argmin(np.abs(alignment[there] - middle))])
    return sorted({first, halfway, last})


def _draw_ai(panel: Axes, row: xr.Dataset, ai: str, color: str, *, alone: bool) -> None:
    one = row.sel(agent=ai)
    cosine = one["alignment"].values
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
    push = np.sqrt(2.0 * one["spent"].values) * np.stack([cosine, sine])
    acted = _place(row["welfare_acted"].values, one["utility_acted"].values, cosine, sine)
    left = _place(row["welfare"].values, one["utility"].values, cosine, sine)
    if not alone:
        acted = push
    panel.plot(*acted[:, :_DOTS], ".", color=color, alpha=0.25, markersize=2, linewidth=0)
    tip, foot = np.nanmean(acted, axis=1), np.nanmean(acted - push, axis=1)
    _arrow(panel, foot, tip, color, f"tilt of {ai}", width=2.6)
    if alone:
        _arrow(panel, tip, np.nanmean(left, axis=1), "black", "humans' response", width=1.0)


def _place(along: Array, own: Array, cosine: Array, sine: Array) -> Array:
    """Return where the world is in the plane, ``(2, R)``, from its components on v_Y and v_X."""
    across = (own - cosine * along) / np.where(sine > 1e-9, sine, np.inf)
    return np.stack([along, across])


def _arrow(panel: Axes, foot: Array, tip: Array, color: str, label: str, width: float) -> None:
    look = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", (tip[0], tip[1]), (foot[0], foot[1]), arrowprops=look)
    panel.plot([], [], color=color, marker=">", markersize=4, linewidth=width, label=label)


def _same_frame(axes: list[Axes]) -> None:
    """Give all panels one scale, in which a circle is round."""
    for panel in axes:
        panel.set_aspect("equal")
        panel.autoscale_view()
    low_x, high_x = (f(p.get_xlim()[i] for p in axes) for i, f in ((0, min), (1, max)))
    low_y, high_y = (f(p.get_ylim()[i] for p in axes) for i, f in ((0, min), (1, max)))
    for panel in axes:
        panel.set(xlim=(low_x, high_x), ylim=(low_y, high_y))
