"""A run in a few numbers: what the last row says, with its standard error and what theory says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from sumabm.recorder import VARIABLES, columns_of, end_values
from sumabm.types import Array

_SHOWN = ("alignment", "learnt", "information", "budget", "displacement", "harm", "harm_amplitude")
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
    lines, ends = [], end_values(run)
    for name in (*_SHOWN, *_CUMULATIVE):
        if name not in run:
            continue
        for column, values in columns_of(ends, name).items():
            there = values[~np.isnan(values)]
            if there.size:
                lines.append(_line(column, there, curves.get(column)))
    return lines


def _line(column: str, ends: Array, curve: Array | None) -> Line:
    error = float(ends.std(ddof=1) / np.sqrt(ends.size)) if ends.size > 1 else None
    expected = None if curve is None else float(curve[~np.isnan(curve)][-1])
    unit = VARIABLES[column.partition(".")[0]].unit
    return Line(column, float(ends.mean()), error, expected, unit)
