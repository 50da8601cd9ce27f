"""Training as the essay's batteries simulate it: what harm it should do, and how that scales."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import xarray as xr

from sumabm import sphere, theory
from sumabm.report.text import number
from sumabm.reproduce.estimates import at, mean, slope_between
from sumabm.reproduce.findings import Measured, Point
from sumabm.types import Array

ALIGNED = 0.9
"""The mean alignment at which training ends."""

WITHIN = 0.05
"""How near a simulated slope must come to its formula."""

D0 = 400
"""Dimensions at ξ = 1."""

UNITS = {1.0: "nats", 0.5: "amplitude"}
"""What harm is in, by the power p of it that is summed."""

_STEPS = 256  # of O_Y nats each, until then


def left_harm(d: float, ratio: Array | float, p: float, steps: int = _STEPS) -> Array:
    """Return what training in so many steps should do, where O_Y is 1 nat: ``ratio`` is O_X.

    The left sum of ``∫ h^p dD/ι``, whose steps of ι are a share of what alignment costs; at
    ratios up to 1, where steps are shorter, there is no harm.
    """
    whole = float(sphere.nats(d, ALIGNED))
    budgets = np.linspace(0.0, whole, steps, endpoint=False)
    unit = theory.left_sum(d, budgets, np.ones(steps), p=p)[-1] * whole / steps
    return np.asarray(unit * theory.residual(ratio, 1.0) ** (2.0 * p))


def trained(
    runs: xr.Dataset, dimensions: int, p: float, *, steps: int = _STEPS, **where: object
) -> Array:
    """Return simulated harm ``([point,] replicate)``, in the unit of `left_harm`."""
    if p == 1.0:
        return at(runs, "cumulative_harm", **where)
    human = float(sphere.nats(dimensions, ALIGNED)) / steps
    return at(runs, "cumulative_harm_amplitude", **where) * np.sqrt(human)


class Slope(NamedTuple):
    """A slope d ln harm / d ln ξ about ``xi``: by the formula, of the two runs, and simulated."""

    xi: float
    alpha: float
    p: float
    formula: float
    theory: float
    mean: float
    error: float

    def near(self, value: float) -> bool:
        """Return whether it is within `WITHIN` of a value, or as near as its noise can tell."""
        return abs(self.mean - value) <= max(WITHIN, 3.0 * self.error)

    def measured(self) -> Measured:
        """Return it as a claim shows it."""
        what = f"slope at ξ = {self.xi:.4g}, α = {self.alpha:g}, p = {self.p:g}"
        return Measured(
            f"{what} (formula {number(self.formula)})", self.theory, self.mean, self.error
        )

    def point(self) -> Point:
        """Return it as a point over ξ."""
        series = f"slope, α = {self.alpha:g}, p = {self.p:g}"
        return Point(series, self.xi, self.theory, self.mean, self.error)


def dimensions(xi: float, alpha: float) -> int:
    """Return the whole number of dimensions that the simulated world has."""
    return round(D0 * xi**alpha)


def harms(runs: xr.Dataset, alpha: float, p: float) -> list[Point]:
    """Return the harm in training for every ξ that a battery has with that α."""
    series = f"harm, α = {alpha:g}, {UNITS[p]}"
    every = np.unique(runs["xi"].values[runs["alpha"].values == alpha])
    return [
        Point(series, xi, float(left_harm(dimensions(xi, alpha), xi, p)), *map(float, found))
        for xi in map(float, every)
        for found in [mean(_harm(runs, xi, alpha, p))]
    ]


def slopes(runs: xr.Dataset, alphas: Iterable[float], *, last: bool = False) -> list[Slope]:
    """Return the slopes of every pair of a battery's ξ in turn, or of the ``last``, all α and p.

    Points of the battery share their random numbers.
    """
    xi = np.unique(runs["xi"].values)
    pairs = xi[-2:].reshape(1, 2) if last else xi.reshape(-1, 2)
    known = [alpha for alpha in alphas if alpha in runs["alpha"].values]
    return [
        slope(runs, alpha, p, pair, paired=True) for p in UNITS for alpha in known for pair in pairs
    ]


def slope(runs: xr.Dataset, alpha: float, p: float, pair: Array, *, paired: bool) -> Slope:
    """Return the slope between a ``pair (2,)`` of ξ."""
    low, high = (_harm(runs, xi, alpha, p) for xi in pair)
    a, b = (float(left_harm(dimensions(xi, alpha), xi, p)) for xi in pair)
    middle = float(np.sqrt(pair.prod()))
    formula = float(theory.local_slope(middle, p, alpha))
    expected = float(np.log(b / a) / np.log(pair[1] / pair[0]))
    found = slope_between(pair, low, high, paired=paired)
    return Slope(middle, float(alpha), p, formula, expected, *found)


def _harm(runs: xr.Dataset, xi: float, alpha: float, p: float) -> Array:
    return trained(runs, dimensions(xi, alpha), p, xi=xi, alpha=alpha)
