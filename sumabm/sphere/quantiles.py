"""Distribution function and quantiles of the cosine under the von Mises-Fisher law.

Let c0 be the mode of ``y = atanh c`` (its density is ``cosh(y)^-m exp(kappa tanh y)``, m = d - 1;
c0 is the leading term of the mean cosine) and u = y - atanh c0. Then with T = tanh u
``log density = -m (log cosh u + log(1 + c0 T) - c0 T / (1 + c0 T))``: kappa has gone, and neither
c0 near 1 nor a large d loses digits. One table per (d, kappa) holds the cumulative probability at
300 to 600 nodes, by Gauss-Legendre quadrature; between nodes u is a quintic Hermite polynomial in
the logit of the probability, or the logit one in u.
"""

from collections.abc import Callable
from functools import cache
from math import hypot, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sumabm.sphere._elementwise import FloatArray, Floats, checked, one_of

REACH = 37.4
"""Ends of the table in standard deviations of a normal law: tail probabilities of 1e-305."""
STEP, CROWDING = 0.16, 3.0
"""Spacing of the nodes in sqrt(2 drop) + CROWDING asinh(u), drop = -log relative density. The
second term matters at small d, where the far side of the sphere flattens the tail."""
POINTS = 8


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre points and weights on [0, 1]."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    return 0.5 * (points + 1.0), 0.5 * weights


class _Shape(NamedTuple):
    """What fixes the law of u: m = d - 1, the mode c0, and 1 - c0."""

    m: float
    c0: float
    phi0: float

    def drop(self, u: FloatArray) -> FloatArray:
        """Return -log of the density relative to its value at the mode."""
        e = np.expm1(2.0 * np.minimum(u, 1.0))
        rise = (1.0 + self.c0) * e
        near = np.log1p(0.5 * rise) - u - self.c0 * e / (2.0 + rise)
        g, pull = self._far(u)  # far above the mode exp(2u) would overflow
        far = u + np.log1p(-0.5 * self.phi0 * g) - self.c0 * g / pull
        return self.m * np.where(u > 1.0, far, near)

    def slope(self, u: FloatArray) -> FloatArray:
        """Return the derivative of `drop`."""
        e = np.expm1(2.0 * np.minimum(u, 1.0))
        one, two = 1.0 + self.c0, 2.0 * (1.0 + self.c0**2)
        near = e * (two + one * one * e) / (2.0 + one * e) ** 2
        g, pull = self._far(u)
        far = g * (two * (1.0 - g) + one * one * g) / pull**2
        return self.m * np.where(u > 1.0, far, near)

    def _far(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        g = -np.expm1(-2.0 * np.maximum(u, 1.0))
        return g, 2.0 * (1.0 - g) + (1.0 + self.c0) * g


def _shape(d: float, kappa: float) -> _Shape:
    half = 0.5 * (d - 1.0)
    span = hypot(half, kappa)
    phi0 = half / (half + span) * (1.0 + half / (kappa + span))
    return _Shape(d - 1.0, kappa / (half + span), phi0)


def _nodes(shape: _Shape) -> FloatArray:
    """Return increasing u, 0 among them, roughly evenly spaced in the measure described at STEP."""
    scale = 1.0 / sqrt(shape.m * (1.0 + shape.c0**2))
    reach = 2.0 * REACH * scale + REACH**2 / shape.m
    ladder = np.geomspace(0.5 * STEP * scale, reach, 256)
    sides = []
    for sign in (-1.0, 1.0):
        drop = shape.drop(sign * ladder)
        height = np.sqrt(2.0 * np.where(drop >= 0.0, drop, np.inf))
        rank = height + CROWDING * np.arcsinh(ladder)
        last = np.interp(REACH, height, rank)
        sides.append(sign * np.interp(np.arange(STEP, last, STEP), rank, ladder))
    return np.concatenate((sides[0][::-1], [0.0], sides[1]))


class _Table(NamedTuple):
    """The law at the nodes: u, logit of its probability, du/dlogit and d2u/dlogit2."""

    shape: _Shape
    u: FloatArray
    logit: FloatArray
    first: FloatArray
    second: FloatArray

    def u_at(self, logit: FloatArray) -> FloatArray:
        return _hermite(self.logit, self.u, self.first, self.second, logit)

    def logit_at(self, u: FloatArray) -> FloatArray:
        first = 1.0 / self.first
        return _hermite(self.u, self.logit, first, -self.second * first**3, u)


def _table(d: float, kappa: float) -> _Table:
    shape = _shape(d, kappa)
    u = _nodes(shape)
    points, weights = _quadrature()
    width = np.diff(u)
    inside = np.exp(-shape.drop(u[:-1, None] + width[:, None] * points))
    cells = width * (inside * weights).sum(axis=1)
    density = np.exp(-shape.drop(u))
    slope = shape.slope(u)
    # beyond the ends the density is exponential; whatever error that makes dies within a few cells
    below = np.cumsum(np.concatenate(([density[0] / -slope[0]], cells)))
    above = np.cumsum(np.concatenate(([density[-1] / slope[-1]], cells[::-1])))[::-1]
    total = below[-1] + above[-1]
    below, above, density = below / total, above / total, density / total
    first = below * above / density
    second = first * (above - below + first * slope)
    return _Table(shape, u, np.log(below) - np.log(above), first, second)


def _hermite(
    x: FloatArray, y: FloatArray, first: FloatArray, second: FloatArray, at: FloatArray
) -> FloatArray:
    """Interpolate y and its two derivatives at the increasing nodes x by quintics, held at ends."""
    h = np.diff(x)
    a1, a2 = h * first[:-1], 0.5 * h * h * second[:-1]
    gap0 = np.diff(y) - a1 - a2
    gap1 = h * first[1:] - a1 - 2.0 * a2
    gap2 = 0.5 * h * h * second[1:] - a2
    a3 = 10.0 * gap0 - 4.0 * gap1 + gap2
    a4 = -15.0 * gap0 + 7.0 * gap1 - 2.0 * gap2
    a5 = 6.0 * gap0 - 3.0 * gap1 + gap2
    at = np.clip(at, x[0], x[-1])
    cell = np.minimum(np.searchsorted(x, at, side="right") - 1, len(h) - 1)
    s = (at - x[cell]) / h[cell]
    value = a5[cell]
    for a in (a4, a3, a2, a1, y):
        value = value * s + a[cell]
    return value


def _by_law(
    d: FloatArray,
    kappa: FloatArray,
    argument: FloatArray,
    value: Callable[[_Table, FloatArray], FloatArray],
    certain: Callable[[FloatArray], FloatArray],
) -> Floats:
    """Apply `value` with one table per distinct (d, kappa); `certain` where kappa is infinite."""
    whole = np.broadcast_arrays(argument, d, kappa)
    flat = whole[0].ravel()
    if d.size == 1 and kappa.size == 1:
        laws, which = np.array([[d.item(), kappa.item()]]), np.zeros(1, dtype=np.intp)
    else:
        pairs = np.stack([a.ravel() for a in whole[1:]], axis=1)
        laws, which = np.unique(pairs, axis=0, return_inverse=True)
    out = np.empty(flat.size)
    with np.errstate(all="ignore"):
        for law, (one_d, one_kappa) in enumerate(laws.tolist()):
            rows = np.flatnonzero(which == law) if len(laws) > 1 else slice(None)
            if one_kappa == np.inf:
                out[rows] = certain(flat[rows])
            else:
                out[rows] = value(_table(one_d, one_kappa), flat[rows])
    result: Floats = out.reshape(whole[0].shape)[()]
    return result


def _divergence(table: _Table, logit: FloatArray) -> FloatArray:
    c0, phi0 = table.shape.c0, table.shape.phi0
    inside = 2.0 * phi0 / (phi0 + (1.0 + c0) * np.exp(2.0 * table.u_at(logit)))
    return np.where(logit == -np.inf, 2.0, np.where(logit == np.inf, 0.0, inside))


def _logit(table: _Table, gap: FloatArray, divergence: FloatArray) -> FloatArray:
    """Return the logit of the probability below the cosine 1 - divergence = c0 + gap."""
    c0, phi0 = table.shape.c0, table.shape.phi0
    change = 2.0 * gap / (divergence * (1.0 + c0))  # exp(2u) - 1
    ratio = (2.0 - divergence) * phi0 / (divergence * (1.0 + c0))  # exp(2u)
    u = 0.5 * np.where(change < -0.5, np.log(ratio), np.log1p(change))
    inside = table.logit_at(u)
    return np.where(divergence == 2.0, -np.inf, np.where(divergence == 0.0, np.inf, inside))


def cosine_logit(
    d: ArrayLike,
    kappa: ArrayLike,
    cosine: ArrayLike | None = None,
    *,
    divergence: ArrayLike | None = None,
) -> Floats:
    """Return ``log F/(1 - F)`` of `cosine_cdf`: both tails to all digits, to 1e-305.

    Arguments as there. Beyond the ends it is held at about -702 and 702, but -inf at c = -1 and
    inf at c = 1. `divergence_quantile` takes it back.
    """
    name, given = one_of(cosine=cosine, divergence=divergence)
    argument = checked(f"signed {name}", given)

    def value(table: _Table, x: FloatArray) -> FloatArray:
        if name == "cosine":
            return _logit(table, x - table.shape.c0, 1.0 - x)
        return _logit(table, table.shape.phi0 - x, x)

    def certain(x: FloatArray) -> FloatArray:
        return np.where(x == (1.0 if name == "cosine" else 0.0), np.inf, -np.inf)

    return _by_law(checked("d", d), checked("kappa", kappa), argument, value, certain)


def cosine_cdf(
    d: ArrayLike,
    kappa: ArrayLike,
    cosine: ArrayLike | None = None,
    *,
    divergence: ArrayLike | None = None,
) -> Floats:
    """Return the probability that the cosine to the mean direction is at most the one given.

    ``F(c) = integral from -1 to c of (1 - x^2)^((d-3)/2) exp(kappa x) dx``, normalised.

    ``d`` is the dimension, 2 or more, not necessarily whole; ``kappa`` the concentration, 0
    (uniform on the sphere) to inf (the mean direction itself). Exactly one of ``cosine`` c in
    [-1, 1] and ``divergence`` 1 - c in [0, 2] is given. All broadcast; each distinct (d, kappa)
    costs one table, a fraction of a millisecond.

    The inverse of `cosine_quantile` to 1e-8 standard deviations, where the probability, being
    rounded, can carry it. Probabilities below 1e-304 come out as about 1e-305, but 0 at c = -1.

    A value out of range, or not exactly one of the two, raises ValueError.
    References: [mardia-jupp-2000], [wood-1994].

    >>> round(cosine_cdf(3, 0, 0.5), 9)  # the uniform law on the ordinary sphere: (1 + c) / 2
    np.float64(0.75)
    """
    logit = cosine_logit(d, kappa, cosine, divergence=divergence)
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-logit))


def cosine_quantile(d: ArrayLike, kappa: ArrayLike, q: ArrayLike) -> Floats:
    """Return the cosine c to the mean direction with ``F(c) = q``; `cosine_cdf` has F, d, kappa.

    At fixed q the paths kappa -> c never decrease: one q per replicate gives exact, monotone draws
    from the tilted law at every kappa. Error below 1e-9 standard deviations for d >= 10, 1e-7 for
    d >= 2, at q from 1e-12 to 1 - 1e-12. q = 0 gives -1, q = 1 gives 1, kappa = inf gives 1.
    A value out of range raises ValueError.

    >>> cosine_quantile(3, 0, [0.0, 0.25, 1.0])
    array([-1. , -0.5,  1. ])
    """
    return 1.0 - divergence_quantile(d, kappa, q)  # neither rounds past 1 nor breaks monotony


def divergence_quantile(
    d: ArrayLike, kappa: ArrayLike, q: ArrayLike | None = None, *, logit: ArrayLike | None = None
) -> Floats:
    """Return 1 - c, in [0, 2], of `cosine_quantile`, relatively accurate also where c is near 1.

    Exactly one of ``q`` and its ``logit`` ``log q/(1 - q)`` is given: the latter carries the upper
    tail, where 1 - q is below rounding, as well as the lower one. A NaN raises ValueError.

    >>> round(divergence_quantile(3, 1e12, 0.5) * 1e12, 9)  # an exponential law: log 2
    np.float64(0.693147181)
    """
    name, given = one_of(q=q, logit=logit)
    argument = checked(name, given)
    if name == "q":
        with np.errstate(divide="ignore"):
            argument = np.log(argument) - np.log1p(-argument)
    law = checked("d", d), checked("kappa", kappa)
    return _by_law(*law, argument, _divergence, np.zeros_like)
