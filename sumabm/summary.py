"""A run in a few numbers: what the last row says, with its standard error and what theory says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from sumabm.recorder import VARIABLES, columns_of
from sumabm.types import Array

_SHOWN = ("alignment", "information", "budget", "displacement", "harm", "harm_amplitude")
_CUMULATIVE = ("cumulative_harm", "cumulative_harm_amplitude")


class Line(NamedTuple):
    """One quantity at a replicate's last step: mean over replicates, standard error, theory."""

    quantity: str
    mean: float
    standard_error: float | None
    theory: float | None
    unit: str


def summarise(run: xr.Dataset, curves: dict[str, Array]) -> list[Line]:
    """Return the lines of a run's result table, in a fixed order.

    The last step is each replicate's own: replicates that stopped early count with the last row
    they have. The standard error is missing for a single replicate.
    """
    lines = []
    for name in (*_SHOWN, *_CUMULATIVE):
        if name not in run:
            continue
        for column, values in columns_of(run, name).items():
            ends = _last(values)
            if ends.size:
                lines.append(_line(column, ends, curves.get(column)))
    return lines


def _last(values: Array) -> Array:
    there = ~np.isnan(values)
    last = values.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    return values[np.arange(values.shape[0]), last][there.any(axis=1)]


def _line(column: str, ends: Array, curve: Array | None) -> Line:
    error = float(ends.std(ddof=1) / np.sqrt(ends.size)) if ends.size > 1 else None
    expected = None if curve is None else float(curve[-1])
    unit = VARIABLES[column.partition(".")[0]].unit
    return Line(column, float(ends.mean()), error, expected, unit)
