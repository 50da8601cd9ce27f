"""From replicates to numbers with standard errors: means, fitted slopes, slopes between points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import xarray as xr

from sumabm.reproduce.findings import Point
from sumabm.types import Array


class Estimate(NamedTuple):
    """Numbers and their standard errors, of one shape."""

    mean: Array
    error: Array


def mean(values: Array) -> Estimate:
    """Return the means over the last axis, of replicates, and ``s / √n`` (0 for one replicate).

    >>> mean(np.array([[1.0, 3.0], [2.0, 2.0]]))
    Estimate(mean=array([2., 2.]), error=array([1., 0.]))
    """
    n = values.shape[-1]
    spread = values.std(axis=-1, ddof=1) if n > 1 else np.zeros(values.shape[:-1])
    return Estimate(values.mean(axis=-1), spread / np.sqrt(n))


def at(data: xr.Dataset, outcome: str, **where: object) -> Array:
    """Return an outcome ``([point,] [step,] replicate)`` at the points that ``where`` names.

    ``outcome`` is a column, ``alignment.X`` for one agent's; ``where`` gives values of parameters,
    in whose names dots are written as ``__``. The axis of points is dropped where there is one.
    """
    name, _, agent = outcome.partition(".")
    values = data[name].sel(agent=agent) if agent else data[name]
    mask = np.ones(data.sizes["point"], dtype=bool)
    for parameter, value in where.items():
        mask &= data[parameter.replace("__", ".")].values == value
    chosen = values.isel(point=np.flatnonzero(mask))
    dims = [dim for dim in ("point", "step", "replicate") if dim in chosen.dims]
    found = chosen.transpose(*dims).values
    return np.asarray(found[0] if len(found) == 1 else found, dtype=np.float64)


def line(x: Array, y: Estimate) -> tuple[float, float]:
    """Return the slope of ``y`` over ``x`` by weighted least squares, and its standard error.

    >>> line(np.array([0.0, 1.0, 2.0]), Estimate(np.array([1.0, 3.0, 5.0]), np.full(3, 0.1)))[0]
    2.0
    """
    weight = 1.0 / y.error**2
    centre = np.average(x, weights=weight)
    spread = float((weight * (x - centre) ** 2).sum())
    slope = float((weight * (x - centre) * y.mean).sum()) / spread
    return round(slope, 14), spread**-0.5


def exponent(x: Array, y: Estimate) -> tuple[float, float]:
    """Return the exponent e of ``y ∝ x^e``, a line through logarithms, and its standard error."""
    return line(np.log(x), Estimate(np.log(y.mean), y.error / y.mean))


def crossing(x: Array, y: Estimate, level: float) -> tuple[float, float]:
    """Return where ``y`` first comes up to ``level``, between its points, and its standard error.

    Straight lines between points: give ``y`` in units in which it is nearly straight. Raises
    ValueError if it is there from the start, or never.

    >>> crossing(np.array([0.0, 1.0, 2.0]), Estimate(np.array([0.0, 2.0, 6.0]), np.ones(3)), 3.0)
    (1.25, 0.25)
    """
    above = np.flatnonzero(y.mean >= level)
    if above.size == 0 or above[0] == 0:
        raise ValueError(f"y must come up to {level:g}, from below; got {y.mean[0]:g} at first")
    pair = slice(above[0] - 1, above[0] + 1)
    (low, high), run, errors = y.mean[pair], float(np.diff(x[pair])[0]), y.error[pair]
    share, per_unit = (level - low) / (high - low), run / (high - low)
    error = (1.0 - share) * errors[0] + share * errors[1]
    return float(x[pair][0] + share * run), float(error * per_unit)


def slope_between(x: Array, low: Array, high: Array, *, paired: bool) -> tuple[float, float]:
    """Return ``d ln E[y] / d ln x`` between two points ``x (2,)`` with replicates ``(R,)`` each.

    ``paired`` replicates share their random numbers, so that what they share goes out of the error.
    """
    a, b = low / low.mean(), high / high.mean()
    error = mean(b - a).error if paired else np.hypot(mean(a).error, mean(b).error)
    span = float(np.log(x[1] / x[0]))
    return float(np.log(high.mean() / low.mean())) / span, float(error) / span


def points(series: str, x: Iterable[float], theory: Array, simulated: Estimate) -> list[Point]:
    """Return the points of a series."""
    rows = zip(x, theory, simulated.mean, simulated.error, strict=True)
    return [Point(series, *(float(value) for value in row)) for row in rows]
