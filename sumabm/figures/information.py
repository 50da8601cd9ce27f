"""What aligners know of the AIs and what they have spent on them."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from sumabm.figures.style import band, colour, finish, panels, theory_line
from sumabm.recorder import columns_of
from sumabm.types import Array


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None for a run without aligners."""
    if "budget" not in run or "information" not in run:
        return None
    figure, (known, spent) = panels(2)
    label: str | None = "theory"
    for column, values in columns_of(run, "information").items():
        agent = column.partition(".")[2]
        band(known, run, values, f"about {agent}", color=colour(run, agent))
        theory_line(known, curves.get(column), label)
        label = None if column in curves else label
    for column, values in columns_of(run, "budget").items():
        agent = column.partition(".")[2]
        band(spent, run, values, f"by {agent}", color=colour(run, agent))
    for panel in (known, spent):
        panel.set_ylim(bottom=0.0)
    finish(known, "information (nats)")
    finish(spent, "budget spent (nats)")
    return figure
