"""What becomes of the humans' goal as subagents hand it down: alignment by generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sumabm.figures.style import legend, panels
from sumabm.types import Array

_MOST = 3  # AIs, a panel each
_MARKERS = "osD^"
_COLOURS = colormaps["viridis"](np.linspace(0.0, 0.85, len(_MARKERS)))  # early to late
_APART = 0.09  # between the marks of two steps, in generations


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None for a run without subagents: a quarter of the run at a time.

    A panel for each AI that has them, of the first three. Beyond the last generation stands the AI
    itself, whose aim is the pool of the goals that are handed on to nobody.
    """
    if "generation_alignment" not in run:
        return None
    there = run["generation_alignment"].notnull()
    ais = [str(ai) for ai in run["agent"].values[there.any(("replicate", "step", "generation"))]]
    if not ais:  # a run that was done at once
        return None
    steps = _quarters(there.any(("replicate", "agent", "generation")).values)
    figure, shown = panels(len(ais[:_MOST]))
    for panel, ai in zip(shown, ais, strict=False):
        _draw(panel, run.sel(agent=ai), ai, steps, curves)
        if len(ais) > 1:
            panel.set_title(ai, loc="right")
    return figure


def _quarters(there: NDArray[np.bool_]) -> list[int]:
    """Return the first, the last and the steps between, of those that the run has."""
    ran = np.flatnonzero(there)
    return sorted({int(ran[round(share * (ran.size - 1))]) for share in (0.0, 0.25, 0.5, 1.0)})


def _draw(
    panel: Axes, run: xr.Dataset, ai: str, steps: list[int], curves: Mapping[str, Array]
) -> None:
    """Draw an AI's generations, and after them itself, at some steps."""
    every = run["generation_alignment"].dropna("generation", how="all")
    last = every.sizes["generation"]
    names = [*(f"generation_alignment.{ai}.{g}" for g in range(last)), f"alignment.{ai}"]
    label: str | None = "theory"
    for place, step in enumerate(steps):
        own = [every.isel(step=step).values, run["alignment"].isel(step=step).values[:, None]]
        x = np.arange(last + 1.0) + _APART * (place - (len(steps) - 1) / 2)
        _marks(panel, x, np.concatenate(own, axis=1), place, f"step {run['step'].values[step]}")
        theory = np.array([curves[n][step] if n in curves else np.nan for n in names])
        if np.isfinite(theory).any():
            _line(panel, x, theory, label, color="black", linestyle="--", marker="_", zorder=5)
            label = None
    stride = -(-last // 10)
    shown = range(0, last, stride)
    panel.set_xticks([*shown, last], [*map(str, shown), "AI"])
    panel.set_xlabel("generation of subagents, from the humans on")
    panel.set_ylabel("alignment (cosine)")
    panel.set_ylim(top=1.02)
    legend(panel)


def _marks(panel: Axes, x: Array, values: Array, place: int, label: str) -> None:
    """Draw means over replicates of ``(replicate, x)``, with bars of their central 95 %."""
    there = values[~np.isnan(values).any(axis=1)]
    mean = there.mean(axis=0)
    look: dict[str, Any] = {"color": _COLOURS[place]}
    _line(panel, x, mean, label, marker=_MARKERS[place], markersize=4, **look)
    if len(there) > 1:
        low, high = np.quantile(there, (0.025, 0.975), axis=0)
        panel.vlines(x, low, high, alpha=0.5, linewidth=1.0, **look)


def _line(panel: Axes, x: Array, y: Array, label: str | None, **look: Any) -> None:
    """Draw a line that ends before the last point, which is no generation."""
    gap = np.insert(y, -1, np.nan)
    panel.plot(np.insert(x, -1, x[-1]), gap, label=label, linewidth=1.2, **look)
