"""How harm grows with AI power when tasks widen with it: O_X = ξ, O_Y = 1, ``d = d0 ξ^α``."""

from __future__ import annotations

import numpy as np

from sumabm.theory.arguments import checked
from sumabm.theory.integrals import harm_integral
from sumabm.theory.training import training_harm
from sumabm.types import Array

_STEP = 0.01  # in ln(d − 1)
_FORWARD = np.array([-25.0, 48.0, -36.0, 16.0, -3.0]) / 12.0  # the slope at the first of 5 points


def scaled_harm(
    xi: Array | float,
    d0: Array | float,
    alpha: Array | float,
    threshold: Array | float,
    measure: str = "regret",
    p: Array | float = 1.0,
    exact: bool = True,
) -> Array:
    """Return `training_harm` at ``O_X = ξ``, ``O_Y = 1`` and ``d = d0 ξ^α`` (real, not rounded).

    All but ``measure`` and ``exact`` broadcast; nats for p = 1, sqrt(nats) for p = ½. Zero for
    ξ ≤ 1 (lag), then steep (catch-up), then about ``ξ^(p + α)``; over time, ``ξ = exp(g t)``.
    Values out of range (ξ below 0, a d below 2 at ξ ≥ 1) raise ValueError.

    >>> scaled_harm(np.array([0.5, 1.0, 4.0]), 25.0, 1.0, 0.9, exact=False).round(6)
    array([ 0.      ,  0.      , 11.129223])
    """
    xi = checked("an amount", "xi", xi)
    d = _dimensions(xi, d0, alpha)
    return training_harm(d, xi, 1.0, threshold, measure, p, exact)


def local_slope(xi: Array | float, p: Array | float = 1.0, alpha: Array | float = 0.0) -> Array:
    """Return ``p sqrt(ξ)/(sqrt(ξ) − 1) + α``, the slope d ln harm/d ln ξ as d → ∞.

    For every measure and threshold; arguments broadcast. Infinite at ξ = 1, NaN below, where
    harm is zero; it falls to ``p + α``. ξ below 0 raises ValueError.

    >>> local_slope(np.array([0.5, 1.0, 4.0, np.inf]), 1.0, 0.5)
    array([nan, inf, 2.5, 1.5])
    """
    with np.errstate(divide="ignore"):
        beyond = -np.expm1(-0.5 * np.log(checked("an amount", "xi", xi)))  # 1 − 1/sqrt(ξ)
        slope = p / np.where(beyond >= 0.0, beyond, np.nan) + alpha
    return np.asarray(slope)


def harm_slope(
    xi: Array | float,
    d0: Array | float,
    alpha: Array | float,
    threshold: Array | float,
    measure: str = "regret",
    p: Array | float = 1.0,
) -> Array:
    """Return d ln `scaled_harm`/d ln ξ at finite d: ``p sqrt(ξ)/(sqrt(ξ) − 1) + α d ln S/d ln d``.

    S(d) is the exact `integrals.harm_integral`, its slope taken by a one-sided difference of
    fourth order (error 1e-9); arguments and limits as in `scaled_harm` and `local_slope`, to which
    it tends as d0 → ∞. NaN at threshold 0.

    >>> slope = harm_slope(4.0, 1e6, 0.5, 0.9)
    >>> round(float(slope), 5) == round(float(local_slope(4.0, 1.0, 0.5)), 5) == 2.5
    True
    """
    d = _dimensions(checked("an amount", "xi", xi), d0, alpha)[..., None]  # S is about ∝ d − 1
    near = 1.0 + (d - 1.0) * np.exp(_STEP * np.arange(5))
    c, q = (np.asarray(a, dtype=np.float64)[..., None] for a in (threshold, p))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log(harm_integral(near, c, measure, q)) @ _FORWARD / _STEP
        return np.asarray(local_slope(xi, p) + alpha * slope * (1.0 + 1.0 / (d[..., 0] - 1.0)))


def _dimensions(xi: Array, d0: Array | float, alpha: Array | float) -> Array:
    """Return ``d0 ξ^α``, held at d0 below ξ = 1, where there is no harm whatever d."""
    return np.asarray(d0 * np.maximum(xi, 1.0) ** np.asarray(alpha, dtype=np.float64))
