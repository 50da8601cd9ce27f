"""Means over the tilted law of random utilities: von Mises–Fisher on the sphere in d dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import special

from sumabm import sphere
from sumabm.theory.arguments import checked, log_width
from sumabm.types import Array

Shape: TypeAlias = Callable[[Array, Array], Array]
"""A harm's amplitude per unit of residual amplitude, ``f(c, 1 − c)``; near c = 1 like 1 − c."""

SHAPES: dict[str, Shape] = {
    "regret": lambda c, phi: phi,
    "orthogonal": lambda c, phi: np.sqrt(phi * (1.0 + c)),
    "utility-loss": lambda c, phi: np.maximum(-c, 0.0),
}
"""Harm amplitude per unit of residual amplitude, at alignment c and divergence ``phi = 1 − c``."""

_NODES = 801
_BLOCK = 64  # laws at a time: their nodes stay in the cache
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(128)
_REACH = 14.0  # standard deviations either side of the mode, where the tails are Gaussian


def shape_of(measure: str | Shape) -> Shape:
    """Return the measure's harm amplitude ``f(c, 1 − c)``; ValueError names the measures."""
    if callable(measure):
        return measure
    if measure not in SHAPES:
        raise ValueError(f"measure must be one of {', '.join(SHAPES)}; got {measure!r}")
    return SHAPES[measure]


def alignment(d: Array | float, nats: Array | float) -> Array:
    """Return the mean alignment ``A_d(κ(D))`` after ``nats`` D of optimisation; they broadcast.

    The inverse of `cost.alignment_cost`: 0 at D = 0, ``sqrt(2D/d)`` when small, 1 at infinity.
    Values out of range (d below 2, D below 0) raise ValueError. [mardia-jupp-2000]

    >>> round(float(alignment(3, 4.298317366548037)), 12)
    0.99
    """
    return np.asarray(sphere.cosine_from_nats(d, nats))


def cosine_density(d: Array | float, cosine: Array | float) -> Array:
    """Return the density of the cosine c of two random directions in d dimensions.

    ``Γ(d/2) / (sqrt(π) Γ((d−1)/2)) · (1 − c²)^((d−3)/2)`` on [−1, 1], 0 outside: the essay's law
    of the alignment of a random AI. ``d ≥ 2`` and ``cosine`` broadcast. Near ``N(0, 1/d)`` for
    large d; flat at d = 3; the arcsine law at d = 2, infinite at ±1. Relative error 1e-13 for
    d to 1e9 (within 10 standard deviations). d below 2 raises ValueError. [mardia-jupp-2000]

    >>> float(cosine_density(3, 0.3)), float(cosine_density(2, 1.0))
    (0.5, inf)
    """
    d, c = checked("dimensions", "d", d), np.asarray(cosine, dtype=np.float64)
    inside = np.abs(c) <= 1.0
    width = log_width(np.where(inside, c, 0.0))
    with np.errstate(invalid="ignore"):
        power = np.where(d == 3.0, 0.0, 0.5 * (d - 3.0) * width)
    return np.where(inside, np.exp(_log_gamma_ratio(0.5 * (d - 1.0)) + power), 0.0) / np.sqrt(np.pi)


def _log_gamma_ratio(a: Array) -> Array:
    """Return ``ln Γ(a + ½)/Γ(a)``: from 30 on by Stirling's series, where lnΓ would cancel."""
    x = 1.0 / np.maximum(a, 30.0)
    x2 = x * x
    series = x * (-1 / 8 + x2 * (1 / 192 + x2 * (-1 / 640 + x2 * 17 / 14336)))
    low = np.minimum(a, 30.0)
    near = special.gammaln(low + 0.5) - special.gammaln(low)
    return np.where(a < 30.0, near, series - 0.5 * np.log(x))


def mean_power(
    d: Array | float,
    kappa: Array | float,
    measure: str | Shape = "regret",
    p: Array | float = 1.0,
) -> Array:
    """Return ``E[f(c)^(2p)]`` over the law of concentration κ; ``d``, ``kappa``, ``p`` broadcast.

    f is the measure's harm amplitude per unit of residual: ``1 − c`` (regret), ``sqrt(1 − c²)``
    (orthogonal), ``(−c)₊`` (utility loss). In ``y = atanh c`` the density is
    ``∝ sech(y)^(d−1) exp(κ tanh y)``, smooth with light tails, and the trapezoid rule converges
    faster than any power of its step [trefethen-weideman-2014]. The utility loss has a kink at
    c = 0 that would spoil that: it is integrated over c < 0 alone, by Gauss–Legendre in sqrt(−y).
    d below 2, κ below 0, p below 0 and unknown measures raise ValueError.

    >>> round(float(mean_power(5, 0.0, "orthogonal")), 12)  # 1 − 1/d
    0.8
    """
    shape_of(measure)
    d, kappa = checked("dimensions", "d", d), checked("an amount", "kappa", kappa)
    whole = np.broadcast_arrays(d, kappa, checked("an amount", "p", p))
    flat = [a.reshape(-1, 1) for a in whole]
    out = np.empty(whole[0].size)
    for start in range(0, out.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = _mean_power(flat[0][part], flat[1][part], flat[2][part], measure)
    return out.reshape(whole[0].shape)


def _mean_power(d: Array, kappa: Array, p: Array, measure: str | Shape) -> Array:
    """Return the means for columns ``(n, 1)`` of d, κ and p: ``(n,)``."""
    # The mode solves κ(1 − t²) = (d − 1) t in t = tanh y; the curvature there sets the scale.
    half = 0.5 * (d - 1.0)
    root = np.hypot(kappa, half)
    t, phi = kappa / (half + root), half / (half + root) * (1.0 + half / (kappa + root))
    mode = 0.5 * (np.log1p(t) - np.log(phi))
    scale = 1.0 / np.sqrt(phi * (1.0 + t) * 2.0 * root)
    reach = np.minimum(_REACH, np.sqrt(d)) * scale + 40.0 / (d - 1.0)
    log_density, phi, c = _density(d, kappa, mode + reach * np.linspace(-1.0, 1.0, _NODES))
    top = log_density.max(axis=-1, keepdims=True)
    weight = np.exp(log_density - top)
    total = weight.sum(axis=-1)
    if measure == "utility-loss":
        deepest = np.arccosh(np.exp(40.0 / (d - 1.0)))  # where sech(y)^(d−1) has fallen to e^−40
        x = 0.5 * (1.0 + _GAUSS_NODES)  # y ∝ x², in which half-integer powers of y are smooth
        log_density, phi, c = _density(d, kappa, -deepest * x**2)
        step = 2.0 * reach / (_NODES - 1)
        weight = np.exp(log_density - top) * (deepest * x * _GAUSS_WEIGHTS / step)
    return np.asarray((weight * shape_of(measure)(c, phi) ** (2.0 * p)).sum(axis=-1) / total)


def _density(d: Array, kappa: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return at c = tanh y: the log of the density in y, but for a constant; 1 − c; and c."""
    e = np.exp(-2.0 * np.abs(y))
    near, far = 2.0 * e / (1.0 + e), 2.0 / (1.0 + e)  # 1 − |c| and 1 + |c|
    phi = np.where(y > 0.0, near, far)
    log_sech = np.log(2.0) - np.abs(y) - np.log1p(e)
    return (d - 1.0) * log_sech - kappa * phi, phi, np.tanh(y)
