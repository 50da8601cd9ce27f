"""Harm done while an AI is being aligned on a budget of nats: the essay's integral."""

from __future__ import annotations

import numpy as np

from sumabm import sphere
from sumabm.theory.law import mean_power
from sumabm.types import Array

_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(64)


def residual(power_ai: Array | float, power_human: Array | float) -> Array:
    """Return ``(sqrt(O_X) − sqrt(O_Y))₊``, the amplitude that undoing leaves, in sqrt(nats).

    >>> float(residual(4.0, 1.0)), float(residual(1.0, 4.0))
    (1.0, 0.0)
    """
    return np.maximum(np.sqrt(power_ai) - np.sqrt(power_human), 0.0)


def training_harm(
    d: Array | float,
    power_ai: Array | float,
    power_human: Array | float,
    threshold: Array | float,
    measure: str = "regret",
    p: float = 1.0,
    exact: bool = True,
) -> Array:
    """Return the harm done until mean alignment reaches ``threshold``: ``∫ h^p dD/ι``.

    Each nat of budget costs a share 1/ι of a step, ``ι = min(O_X, O_Y)``, and each step does harm
    of amplitude ``f(c)·(sqrt(O_X) − sqrt(O_Y))₊``; measures and f as in `law.mean_power`. All
    arguments broadcast; zero where O_X ≤ O_Y, infinite where O_Y = 0 < O_X.

    ``exact``: the expectation over the von Mises–Fisher law at finite d (a scalar d then). Else
    the limit d → ∞, in units of ``d · residual^(2p)/ι``: regret ``∫₀^c* (1−c)^(2p−1) c/(1+c) dc``
    (``c* − ln(1+c*)`` at p = ½, ``2c* − c*²/2 − 2 ln(1+c*)`` at p = 1), orthogonal
    ``(1 − (1−c*²)^p)/(2p)``, utility loss 0. A simulation is the left sum: see `left_sum`.

    >>> float(training_harm(100, 2.0, 1.0, 0.9, p=0.5, exact=False))  # doctest: +ELLIPSIS
    10.692...
    >>> float(training_harm(100, 1.0, 1.0, 0.9))
    0.0
    """
    amplitude = residual(power_ai, power_human)
    iota = np.minimum(power_ai, power_human)
    shape = _exact(d, threshold, measure, p) if exact else d * _limit(threshold, measure, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        harm = shape * amplitude ** (2.0 * p) / iota
        return np.where((amplitude > 0.0) & (shape > 0.0), harm, 0.0)


def _exact(d: Array | float, threshold: Array | float, measure: str, p: float) -> Array:
    """Return ``∫₀^D* E[f^(2p)] dD`` with ``dD = κ d⟨c⟩``."""
    cosine, weights = _nodes(threshold)
    kappa = sphere.concentration(d, cosine)
    values = kappa * mean_power(float(d), kappa, measure, p)
    return np.asarray((values * weights).sum(axis=-1))


def _nodes(threshold: Array | float) -> tuple[Array, Array]:
    """Return points and weights for integrals over c from 0 to ``threshold``, on a last axis.

    Gauss–Legendre in arcsin c, in which half-integer powers of 1 − c are smooth.
    """
    angle = np.arcsin(np.asarray(threshold, dtype=np.float64))[..., None]
    at = 0.5 * angle * (1.0 + _GAUSS_NODES)
    return np.sin(at), 0.5 * angle * np.cos(at) * _GAUSS_WEIGHTS


def _limit(threshold: Array | float, measure: str, p: float) -> Array:
    c = np.asarray(threshold, dtype=np.float64)
    if measure == "utility-loss":
        return np.zeros_like(c)
    if measure == "orthogonal":
        return (1.0 - (1.0 - c * c) ** p) / (2.0 * p)
    nodes, weights = _nodes(c)
    values = (1.0 - nodes) ** (2.0 * p - 1.0) * nodes / (1.0 + nodes)
    return np.asarray((values * weights).sum(axis=-1))


def left_sum(
    d: float, budgets: Array, amplitudes: Array, measure: str = "regret", p: float = 1.0
) -> Array:
    """Return the expected cumulative harm of a run, step by step: harm comes before the edit.

    ``Σ_{s ≤ t} E[f(c)^(2p)](D_s) · amplitude_s^(2p)`` for ``budgets (T,)`` spent before each step
    and residual ``amplitudes (T,)``. It tends to `training_harm`'s integral as the steps shrink.
    """
    return np.cumsum(expected_harm(d, budgets, amplitudes, measure, p))


def expected_harm(
    d: float, budgets: Array, amplitudes: Array, measure: str = "regret", p: float = 1.0
) -> Array:
    """Return ``E[f(c)^(2p)](D_t) · amplitude_t^(2p)`` for each step, ``(T,)``."""
    kappa = sphere.concentration(d, nats=budgets)
    return mean_power(d, kappa, measure, p) * np.asarray(amplitudes) ** (2.0 * p)
