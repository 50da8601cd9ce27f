"""Means over the tilted law of random utilities: von Mises–Fisher on the sphere in d dimensions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sumabm import sphere
from sumabm.types import Array

SHAPES: dict[str, Callable[[Array, Array], Array]] = {
    "regret": lambda c, phi: phi,
    "orthogonal": lambda c, phi: np.sqrt(phi * (1.0 + c)),
    "utility-loss": lambda c, phi: np.maximum(-c, 0.0),
}
"""Harm amplitude per unit of residual amplitude, at alignment c and divergence ``phi = 1 − c``."""

_NODES = 801
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(128)
_REACH = 14.0  # standard deviations either side of the mode, where the tails are Gaussian


def alignment(d: float, nats: Array | float) -> Array:
    """Return the mean alignment ``A_d(κ(D))`` after ``nats`` (any shape) of optimisation.

    >>> round(float(alignment(3, 4.298317366548037)), 12)
    0.99
    """
    return np.asarray(sphere.cosine_from_nats(d, nats))


def mean_power(d: float, kappa: Array | float, measure: str = "regret", p: float = 1.0) -> Array:
    """Return ``E[f(c)^(2p)]`` over the law of concentration κ, any shape of ``kappa``.

    f is the measure's harm amplitude per unit of residual: ``1 − c`` (regret), ``sqrt(1 − c²)``
    (orthogonal), ``(−c)₊`` (utility loss). In ``y = atanh c`` the density is
    ``∝ sech(y)^(d−1) exp(κ tanh y)``, smooth with light tails, and the trapezoid rule converges
    faster than any power of its step [trefethen-weideman-2014]. The utility loss has a kink at
    c = 0 that would spoil that: it is integrated over c < 0 alone, by Gauss–Legendre in sqrt(−y).
    """
    kappa = np.asarray(kappa, dtype=np.float64)[..., None]
    # The mode solves κ(1 − t²) = (d − 1) t in t = tanh y; the curvature there sets the scale.
    half = 0.5 * (d - 1.0)
    root = np.hypot(kappa, half)
    mode = np.arctanh(np.minimum(kappa / (half + root), 1.0 - 1e-16))
    sech2 = 1.0 / np.cosh(mode) ** 2
    scale = 1.0 / np.sqrt(sech2 * 2.0 * root)
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
    return np.asarray((weight * SHAPES[measure](c, phi) ** (2.0 * p)).sum(axis=-1) / total)


def _density(d: float, kappa: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return at c = tanh y: the log of the density in y, but for a constant; 1 − c; and c."""
    e = np.exp(-2.0 * np.abs(y))
    near, far = 2.0 * e / (1.0 + e), 2.0 / (1.0 + e)  # 1 − |c| and 1 + |c|
    phi = np.where(y > 0.0, near, far)
    log_sech = np.log(2.0) - np.abs(y) - np.log1p(e)
    return (d - 1.0) * log_sech - kappa * phi, phi, np.tanh(y)
