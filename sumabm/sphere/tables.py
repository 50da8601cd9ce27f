"""Tables of the von Mises-Fisher law's cosine, behind `sumabm.sphere.quantiles`.

Let c0 be the mode of ``y = atanh c`` (its density is ``cosh(y)^-m exp(kappa tanh y)``, m = d - 1;
c0 is the leading term of the mean cosine) and u = y - atanh c0. Then with T = tanh u
``log density = -m (log cosh u + log(1 + c0 T) - c0 T / (1 + c0 T))``: kappa has gone, and neither
c0 near 1 nor a large d loses digits. A table holds the cumulative probability at its nodes, by
Gauss-Legendre quadrature; between nodes u is a quintic Hermite polynomial in the logit of the
probability, or the logit one in u.

The inner table ends where the outer one has nodes too, far enough out that what lies beyond does
not change, to all digits, what it is used for.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import hypot, sqrt
from typing import NamedTuple

import numpy as np

from sumabm.sphere._elementwise import FloatArray, Floats

OUTER = 37.4
"""Ends of the outer table in standard deviations of a normal law: tail probabilities of 1e-305."""
INNER = 12.0
"""Ends of the inner table: tail probabilities of 2e-33, with an error of 1 % of that."""
WITHIN = 40.0
"""Logits up to which, up and down, the inner table is used: probabilities of 4e-18."""
STEP, CROWDING = 0.16, 3.0
"""Spacing of the nodes in sqrt(2 drop) + CROWDING asinh(u), drop = -log relative density. The
second term matters at small d, where the far side of the sphere flattens the tail."""
POINTS = 8
BORDER = 4.0
"""The u from which functions of exp(-2u) are used; the inner table ends before it from d = 50."""
RUNGS = 256
REMEMBERED = 512
"""Tables that are kept, 10 to 30 KiB each: ensembles and AIs go through the same laws."""


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Return 0 with the Gauss-Legendre points on [0, 1], and their weights: columns."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    return np.concatenate(([0.0], 0.5 * (points + 1.0)))[:, None], 0.5 * weights[:, None]


class Shape(NamedTuple):
    """What fixes the law of u: m = d - 1, the mode c0, and 1 - c0."""

    m: float
    c0: float
    phi0: float

    def drop(self, u: FloatArray) -> FloatArray:
        """Return -log of the density relative to its value at the mode, u as in `_parted`."""
        return self.m * _parted(u, self._near_drop, self._far_drop)

    def slope(self, u: FloatArray) -> FloatArray:
        """Return the derivative of `drop`."""
        return self.m * _parted(u, self._near_slope, self._far_slope)

    def _near_drop(self, u: FloatArray) -> FloatArray:
        e = np.expm1(2.0 * u)
        rise = (1.0 + self.c0) * e
        return np.log1p(0.5 * rise) - u - self.c0 * e / (2.0 + rise)

    def _far_drop(self, u: FloatArray) -> FloatArray:
        g, pull = self._far(u)
        return u + np.log1p(-0.5 * self.phi0 * g) - self.c0 * g / pull

    def _near_slope(self, u: FloatArray) -> FloatArray:
        e = np.expm1(2.0 * u)
        one, two = 1.0 + self.c0, 2.0 * (1.0 + self.c0**2)
        found: FloatArray = e * (two + one * one * e) / (2.0 + one * e) ** 2
        return found

    def _far_slope(self, u: FloatArray) -> FloatArray:
        g, pull = self._far(u)
        one, two = 1.0 + self.c0, 2.0 * (1.0 + self.c0**2)
        found: FloatArray = g * (two * (1.0 - g) + one * one * g) / pull**2
        return found

    def _far(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        g = -np.expm1(-2.0 * u)
        return g, 2.0 * (1.0 - g) + (1.0 + self.c0) * g


def _parted(
    u: FloatArray,
    near: Callable[[FloatArray], FloatArray],
    far: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """Return `near` of u up to BORDER, `far` above, where exp(2u) could overflow.

    u increases, or the first row of it does: then each column goes with its first.
    """
    split = int((u if u.ndim == 1 else u[0]).searchsorted(BORDER, side="right"))
    if split == u.shape[-1]:
        return near(u)
    return np.concatenate((near(u[..., :split]), far(u[..., split:])), axis=-1)


def shape_of(d: float, kappa: float) -> Shape:
    """Return the shape of the law of u; kappa is finite."""
    half = 0.5 * (d - 1.0)
    span = hypot(half, kappa)
    phi0 = half / (half + span) * (1.0 + half / (kappa + span))
    return Shape(d - 1.0, kappa / (half + span), phi0)


def _ladder(first: float, last: float) -> FloatArray:
    """Return RUNGS numbers in geometric progression, as `numpy.geomspace` but sooner."""
    low, high = np.log10(first), np.log10(last)
    rungs: FloatArray = 10.0 ** (np.arange(RUNGS) * ((high - low) / (RUNGS - 1)) + low)
    rungs[0], rungs[-1] = first, last
    return rungs


def _nodes(shape: Shape, reach: float) -> FloatArray:
    """Return increasing u, 0 among them, roughly evenly spaced in the measure described at STEP.

    Those within `reach` standard deviations: the same ones for any reach.
    """
    scale = 1.0 / sqrt(shape.m * (1.0 + shape.c0**2))
    ladder = _ladder(0.5 * STEP * scale, 2.0 * OUTER * scale + OUTER**2 / shape.m)
    needed = 2.0 * reach * scale + reach**2 / shape.m
    ladder = ladder[: ladder.searchsorted(needed) + 1]
    drops = shape.drop(np.concatenate((-ladder[::-1], ladder)))
    drops[~(drops >= 0.0)] = np.inf
    heights = np.sqrt(2.0 * drops)
    crowding = CROWDING * np.arcsinh(ladder)
    sides = []
    for height in (heights[: ladder.size][::-1], heights[ladder.size :]):
        rank = height + crowding
        last = np.interp(reach, height, rank)
        sides.append(np.interp(np.arange(STEP, last, STEP), rank, ladder))
    return np.concatenate((-sides[0][::-1], [0.0], sides[1]))


class Table(NamedTuple):
    """The law at the nodes: u, logit of its probability, du/dlogit and d2u/dlogit2."""

    u: FloatArray
    logit: FloatArray
    first: FloatArray
    second: FloatArray

    def u_at(self, logit: Floats) -> Floats:
        """Return u at logits, held at the table's ends."""
        return _hermite((self.logit, self.u, self.first, self.second), logit)

    def logit_at(self, u: Floats) -> Floats:
        """Return the logits at u, held at the table's ends."""
        first = 1.0 / self.first
        return _hermite((self.u, self.logit, first, -self.second * first**3), u)


@lru_cache(maxsize=REMEMBERED)
def table_of(d: float, kappa: float, reach: float) -> Table:
    """Return the table out to `reach` standard deviations, INNER or OUTER; kappa is finite."""
    shape = shape_of(d, kappa)
    u = _nodes(shape, reach)
    points, weights = _quadrature()
    width = np.zeros(u.size)
    np.subtract(u[1:], u[:-1], out=width[:-1])
    densities = np.exp(-shape.drop(u + width * points))  # a column is a node and its cell's points
    density, slope = densities[0], shape.slope(u)
    parts = densities[1:] * weights
    while len(parts) > 1:
        parts = parts[::2] + parts[1::2]
    mass = np.empty(u.size + 1)
    mass[1:] = width * parts[0]
    # beyond the ends the density is exponential; whatever error that makes dies within a few cells
    mass[0], mass[-1] = density[0] / -slope[0], density[-1] / slope[-1]
    below, above = mass[:-1].cumsum(), mass[:0:-1].cumsum()[::-1]
    total = below[-1] + above[-1]
    below, above, density = below / total, above / total, density / total
    first = below * above / density
    second = first * (above - below + first * slope)
    return Table(u, np.log(below) - np.log(above), first, second)


Nodes = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""The increasing nodes x of an interpolation, y there and its first two derivatives."""


def _hermite(nodes: Nodes, at: Floats) -> Floats:
    """Return y at `at`, held at the ends."""
    x = nodes[0]
    at = np.minimum(np.maximum(at, x[0]), x[-1])
    cell = np.minimum(x.searchsorted(at, side="right"), x.size - 1) - 1
    if at.size < x.size:
        quintics = _quintics([a[cell] for a in nodes], [a[cell + 1] for a in nodes])
    else:  # made sooner for all cells than for each value
        whole = _quintics([a[:-1] for a in nodes], [a[1:] for a in nodes])
        quintics = tuple(np.asarray(a)[cell] for a in whole)
    start, width, value, *rest = quintics
    s = (at - start) / width
    for a in rest:
        value = value * s + a
    return value


def _quintics(left: Sequence[Floats], right: Sequence[Floats]) -> tuple[Floats, ...]:
    """Return start and width of cells, and Hermite's quintics there, highest power first.

    From `Nodes` at either end of the cells.
    """
    x, y, first, second = left
    x1, y1, first1, second1 = right
    h = x1 - x
    a1, a2 = h * first, 0.5 * h * h * second
    gap0 = y1 - y - a1 - a2
    gap1 = h * first1 - a1 - 2.0 * a2
    gap2 = 0.5 * h * h * second1 - a2
    a3 = 10.0 * gap0 - 4.0 * gap1 + gap2
    a4 = -15.0 * gap0 + 7.0 * gap1 - 2.0 * gap2
    a5 = 6.0 * gap0 - 3.0 * gap1 + gap2
    return x, h, a5, a4, a3, a2, a1, y
