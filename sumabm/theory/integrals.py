"""The integral of harm over training, without its powers: a number for each d and threshold."""

from __future__ import annotations

import numpy as np

from sumabm import sphere
from sumabm.theory.arguments import checked
from sumabm.theory.law import Shape, mean_power, shape_of
from sumabm.types import Array

_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(64)
_BLOCK = 256


def harm_integral(
    d: Array | float,
    threshold: Array | float,
    measure: str | Shape,
    power: Array | float,
    variable: Array | float = 1.0,
    exact: bool = True,
) -> Array:
    """Return ``∫ E[f(c)^(2·power)] d(D^w)`` from no optimisation to mean alignment ``threshold``.

    w is ``variable``; all broadcast. ``exact``: the von Mises–Fisher mean at finite d. Else both
    limits d → ∞, ``f(⟨c⟩)`` for the mean and ``D = −(d/2) ln(1 − c²)``: proportional to d^w.
    Relative error 1e-11 at w = ½, 1 and above, 1e-7 elsewhere from w = ¼. Values out of range
    (d below 2 if exact, threshold outside [0, 1], power 0 or less, w below ¼) raise ValueError.

    >>> round(float(harm_integral(9, 0.5, "orthogonal", 1.0)), 12)  # (d − 1) c²/2
    1.0
    """
    shape_of(measure)
    whole = np.broadcast_arrays(
        checked("dimensions" if exact else "positive", "d", d),
        checked("a cosine", "threshold", threshold),
        checked("positive", "power", power),
        checked("a power of nats", "variable", variable),
    )
    flat = [a.reshape(-1, 1) for a in whole]
    out = np.empty(whole[0].size)
    for start in range(0, out.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        at = (flat[0][part], flat[1][part], flat[2][part], flat[3][part])
        out[part] = _exact(*at, measure) if exact else _limit(*at, measure)
    return out.reshape(whole[0].shape)


def nodes(threshold: Array, decay: Array | float, variable: Array | float) -> tuple[Array, Array]:
    """Return points ``t = −ln(1 − c)`` and weights for integrals over t, on the last axis.

    From c = 0 to a column ``(n, 1)`` of thresholds, for integrands that fall as ``exp(−decay t)``
    and begin as ``t^(2w − 1)``. Gauss–Legendre in z, ``t ∝ z^2k``: k = 1 keeps the singularity at
    c = −1 away, larger k that of small w. Where t reaches e^−40 the rest is left out.
    """
    with np.errstate(divide="ignore"):
        end = np.minimum(-np.log1p(-threshold), 40.0 / decay)
    k = np.maximum(1.0, 0.5 / np.asarray(variable))
    z = 0.5 * (1.0 + _GAUSS_NODES)
    return end * z ** (2.0 * k), end * k * z ** (2.0 * k - 1.0) * _GAUSS_WEIGHTS


def _exact(
    d: Array, threshold: Array, power: Array, variable: Array, measure: str | Shape
) -> Array:
    if measure == "utility-loss":  # beyond, it is below e^−45 of what it was
        threshold = np.minimum(threshold, sphere.mean_cosine(d, 50.0 + 10.0 * np.sqrt(d)))
    t, weights = nodes(threshold, _decay(measure, power), variable)
    phi = np.exp(-t)
    kappa = np.asarray(sphere.concentration(d, divergence=phi))
    spent = np.asarray(sphere.nats(d, divergence=phi))
    per_nat = mean_power(d, kappa, measure, power) * _stretch(spent, variable)
    return np.asarray((per_nat * kappa * phi * weights).sum(axis=-1))


def _limit(
    d: Array, threshold: Array, power: Array, variable: Array, measure: str | Shape
) -> Array:
    if measure == "utility-loss":
        return np.zeros(d.size)
    t, weights = nodes(threshold, _decay(measure, power), variable)
    phi, c = np.exp(-t), -np.expm1(-t)
    spent = 0.5 * d * (t - np.log1p(c))
    values = shape_of(measure)(c, phi) ** (2.0 * power) * _stretch(spent, variable)
    return np.asarray((values * d * c / (1.0 + c) * weights).sum(axis=-1))


def _decay(measure: str | Shape, power: Array) -> Array:
    """Return the power of 1 − c in ``f^(2·power)`` near c = 1; 1/15 keeps e^−t a normal number."""
    return np.maximum(power if measure == "orthogonal" else 2.0 * power, 1.0 / 15.0)


def _stretch(nats: Array, variable: Array) -> Array:
    """Return ``d(D^w)/dD``, 0 at D = 0 where nothing is integrated."""
    with np.errstate(divide="ignore"):
        slope = variable * nats ** (variable - 1.0)
    return np.where(nats > 0.0, slope, 0.0)
