"""The powers of AIs and humans over time."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from sumabm.figures.style import DASHES, band, colour, finish, panels
from sumabm.recorder import columns_of
from sumabm.types import Array


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure:
    """Return the figure; humans' powers are dashed."""
    figure, (panel,) = panels(1)
    roles = dict(zip(run["agent"].values, run["role"].values, strict=True))
    for column, values in columns_of(run, "power").items():
        agent = column.partition(".")[2]
        role = roles[agent]
        dash = DASHES[0] if role == "ai" else DASHES[1]
        name = f"{agent} ({'AI' if role == 'ai' else role})"
        band(panel, run, values, name, color=colour(run, agent), linestyle=dash)
    panel.set_ylim(bottom=0.0)
    finish(panel, "power (nats per action)")
    return figure
