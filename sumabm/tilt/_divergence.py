"""How far Q is from P, from ``ell = log(q/p)``: small differences keep their digits."""

from __future__ import annotations

import numpy as np

from sumabm.tilt._rows import Rows, log_sum_exp
from sumabm.tilt._table import BLOCK
from sumabm.types import Array

_SMALL = 0.25  # exponents below this go through a series
_TERMS = 15


def change(p: Array, q: Array, ell: Array) -> Array:
    """Return ``q − p``, each difference accurate where it is small."""
    small = np.abs(ell) < _SMALL
    return np.where(small, p * np.expm1(np.where(small, ell, 0.0)), q - p)


def rise(rows: Rows, ell: Array) -> Array:
    """Return ``E_Q[x] − E_P[x]`` per row from ``ell = log(q/p)``, accurate when it is small."""
    with np.errstate(under="ignore"):
        p = np.exp(rows.log_p)
        q = np.exp(rows.log_p + ell)
        # The changes sum to zero: measuring x from its mean keeps rounding out of the gain.
        centred = rows.x - (p * rows.x).sum(axis=-1, keepdims=True)
        return np.maximum((change(p, q, ell) * centred).sum(axis=-1), 0.0)


def mean_divergence(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return ``Σ p ψ(q/p)``, ``ψ(w) = (w^α − 1 − α(w − 1))/(α(α − 1))``, ``ell = log(q/p)``.

    α is ``order``: 1 gives ``KL(Q‖P)``, 0 ``KL(P‖Q)``. Every term is positive and ψ is summed as a
    series where w is near 1, so that a small divergence keeps its digits.

    >>> p = np.log(np.array([[0.5, 0.5]]))
    >>> ell = np.log1p(np.array([[1e-9, -1e-9]]))
    >>> mean_divergence(p, p + ell, ell, 2.0)
    array([5.e-19])
    """
    tall = max(1, BLOCK // ell.shape[-1])
    sums = np.empty(ell.shape[0])
    for first in range(0, sums.size, tall):
        rows = slice(first, first + tall)
        sums[rows] = _terms(log_p[rows], log_q[rows], ell[rows], order).sum(axis=-1)
    return sums


def _terms(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return the terms of `mean_divergence` of some rows."""
    small = np.abs(ell) * max(1.0, order) < _SMALL
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        p = np.exp(log_p)
        near = p * _psi_near(np.where(small, ell, 0.0), order)
        far = _psi_far(log_p, log_q, ell, order)
    return np.where(small, near, far)


def _psi_near(ell: Array, order: float) -> Array:
    """Return ψ of `mean_divergence` for small ``ell``: ``Σ_k (1 + α + … + α^(k−2)) ell^k/k!``."""
    largest = max(1.0, order)  # the series runs in powers of largest·ell, which are below ¼
    coefficients, partial, factorial = [], 1.0, 2.0
    for k in range(2, _TERMS):
        coefficients.append(partial / factorial)
        partial = largest ** (1.0 - k) + (order / largest) * partial
        factorial *= k + 1.0
    scaled = largest * ell
    total = np.full(ell.shape, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * scaled + coefficient
    return total * ell * ell


def _psi_far(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return ``p ψ(q/p)`` of `mean_divergence`, in the form that is stable at each α."""
    p, q = np.exp(log_p), np.exp(log_q)
    if order < 0.5:
        return (_grown(log_p, p, ell, order) - (q - p)) / (order - 1.0)
    # Below −700 the exponent is clipped: what it multiplies vanishes.
    return (_grown(log_q, q, np.maximum(ell, -700.0), order - 1.0) - (q - p)) / order


def _grown(log_mass: Array, mass: Array, ell: Array, rate: float) -> Array:
    """Return ``mass · (exp(rate · ell) − 1)/rate``, 0 without mass; the limit at rate 0."""
    if rate == 0.0:
        return np.where(log_mass > -np.inf, mass * ell, 0.0)
    exponent = rate * ell
    # A mass below the floats may grow to an ordinary one: multiply as logarithms.
    grown = np.where(exponent > 30.0, np.exp(log_mass + exponent) - mass, mass * np.expm1(exponent))
    return np.where(log_mass > -np.inf, grown, 0.0) / rate


def renyi(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return ``log(Σ q^α p^(1−α))/(α − 1)``: by a sum of small terms where it is itself small."""
    with np.errstate(over="ignore"):
        mean = order * (order - 1.0) * mean_divergence(log_p, log_q, ell, order)
    outside = np.where((log_q > -np.inf) & (order > 1.0), np.inf, -np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        terms = np.where(log_p > -np.inf, log_p + order * ell, outside)
        whole = log_sum_exp(terms) / (order - 1.0)
    whole = np.where((terms == np.inf).any(axis=-1), np.inf, whole)
    small = np.abs(mean) < 0.5
    return np.where(small, np.log1p(np.where(small, mean, 0.0)) / (order - 1.0), whole)


def from_renyi(value: Array, measure: str) -> Array:
    """Return a measure's value, given the Rényi divergence of its order (else unchanged)."""
    with np.errstate(over="ignore"):
        if measure == "chi2":
            return np.expm1(value)
        return -np.expm1(-0.5 * value) if measure == "hellinger" else value


def to_renyi(value: Array, measure: str) -> Array:
    """Invert `from_renyi`."""
    if measure == "chi2":
        return np.log1p(value)
    return -2.0 * np.log1p(-value) if measure == "hellinger" else value
