"""Harm per step and cumulative harm, with what theory expects."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from sumabm.figures.style import band, finish, panels, theory_line
from sumabm.types import Array

_DUST = 1e-9  # less is rounding: nothing to zoom in on

_PANELS = (
    ("harm_amplitude", "harm amplitude of a step (√nats)"),
    ("harm", "harm of a step (nats)"),
    ("cumulative_harm", "cumulative harm (nats)"),
)


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure:
    """Return the figure: amplitude and nats per step, and nats so far."""
    figure, axes = panels(len(_PANELS))
    for panel, (name, label) in zip(axes, _PANELS, strict=True):
        band(panel, run, run[name].values, "simulation")
        theory_line(panel, curves.get(name))
        panel.set_ylim(bottom=0.0)
        if panel.get_ylim()[1] < _DUST:
            panel.set_ylim(0.0, 1.0)
        finish(panel, label)
    return figure
