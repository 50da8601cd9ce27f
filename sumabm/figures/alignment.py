"""Alignment of each AI with the humans over time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm.figures.style import DASHES, band, colour, finish, panels, theory_line
from sumabm.recorder import columns_of
from sumabm.types import Array


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None for a run without AIs."""
    if "alignment" not in run:
        return None
    figure, (panel,) = panels(1)
    label: str | None = "theory"
    own = columns_of(run, "learnt") if "learnt" in run else {}
    own = {name: values for name, values in own.items() if not np.isnan(values).all()}
    for column, values in columns_of(run, "alignment").items():
        agent = column.partition(".")[2]
        band(panel, run, values, agent, color=colour(run, agent))
        theory_line(panel, curves.get(column), label)
        label = None if column in curves else label
        if (learnt := f"learnt.{agent}") in own:
            look = {"color": colour(run, agent), "linestyle": DASHES[2]}
            band(panel, run, own[learnt], f"{agent} with its own reward", **look)
            theory_line(panel, curves.get(learnt), "theory: own reward")
    panel.set_ylim(top=1.02)
    finish(panel, "alignment $c$ (cosine)")
    return figure
