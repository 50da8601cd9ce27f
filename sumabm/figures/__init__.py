"""Figures of a run: labelled data in, matplotlib figures out.

Each module here draws one: ``draw(run, curves)`` takes the Dataset of `simulate` and theory's
curves by column name and returns a Figure, or None when the run has nothing to show in it.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from sumabm.figures.style import styled
from sumabm.types import Array

FORMATS = ("svg", "png")


def draw_all(run: xr.Dataset, curves: dict[str, Array]) -> dict[str, Figure]:
    """Return the figures of a run by name."""
    figures = {}
    with styled():
        for info in pkgutil.iter_modules(__path__):
            draw = getattr(importlib.import_module(f"{__name__}.{info.name}"), "draw", None)
            figure = draw(run, curves) if draw is not None else None
            if figure is not None:
                figures[info.name] = figure
    return figures


def save_all(run: xr.Dataset, curves: dict[str, Array], folder: Path) -> list[str]:
    """Draw a run's figures into ``folder`` as SVG and PNG; return the file names."""
    folder.mkdir()
    names = []
    with styled():
        for name, figure in draw_all(run, curves).items():
            for suffix in FORMATS:
                metadata = {"Date": None} if suffix == "svg" else None
                figure.savefig(folder / f"{name}.{suffix}", metadata=metadata)
                names.append(f"{name}.{suffix}")
    return names
