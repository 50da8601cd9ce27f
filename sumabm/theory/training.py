"""Harm done while an AI is being aligned on a budget of nats: the essay's integral."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import elementwise

from sumabm import sphere
from sumabm.theory.arguments import checked
from sumabm.theory.integrals import harm_integral
from sumabm.theory.law import Shape, mean_power
from sumabm.types import Array

_MOST_DIMENSIONS = 1e9


def residual(power_ai: Array | float, power_human: Array | float) -> Array:
    """Return ``(sqrt(O_X) − sqrt(O_Y))₊``, the amplitude that undoing leaves, in sqrt(nats).

    Arguments (nats) broadcast. 0 where the humans are as strong.

    >>> float(residual(4.0, 1.0)), float(residual(1.0, 4.0))
    (1.0, 0.0)
    """
    return np.maximum(np.sqrt(power_ai) - np.sqrt(power_human), 0.0)


def threshold_power(powers_human: Array | float) -> Array:
    """Return ``(Σ sqrt(O_Yi))²`` nats: the AI power above which several humans leave something.

    Each human takes ``sqrt(O_Yi)`` off the amplitude, one after the other, so that m equal ones
    hold an AI of ``m² O_Y``. The sum is over the last axis: ``(..., m)`` gives ``(...)``; a
    number is one human. Powers below 0 raise ValueError.

    >>> float(threshold_power([1.0, 1.0, 4.0]))
    16.0
    """
    powers = np.atleast_1d(checked("an amount", "powers_human", powers_human))
    return np.asarray(np.sqrt(powers).sum(axis=-1) ** 2)


def _power(p: Array | float, fragility: Array | float) -> Array:
    """Return the power p·m of ``f(c)²`` that is summed."""
    return checked("positive", "p", p) * checked("positive", "fragility", fragility)


def training_harm(
    d: Array | float,
    power_ai: Array | float,
    power_human: Array | float,
    threshold: Array | float,
    measure: str | Shape = "regret",
    p: Array | float = 1.0,
    exact: bool = True,
    fragility: Array | float = 1.0,
    variable: Array | float = 1.0,
    cap: bool = True,
) -> Array:
    """Return the harm done until mean alignment reaches ``threshold``: ``∫ h^p dD/ι``.

    Each nat of budget costs a share 1/ι of a step, ``ι = min(O_X, O_Y)`` (``cap=False``: O_X), and
    each step does harm of amplitude ``f(c)^m·(sqrt(O_X) − sqrt(O_Y))₊``, m the ``fragility``;
    measures and f as in `law.mean_power`. ``variable`` w integrates over ``(D/ι)^w``: the essay's
    sqrt(D) at ½, D² at 2. All but ``measure`` and the flags broadcast. The unit is nats for
    p = 1, sqrt(nats) for p = ½. Zero where O_X ≤ O_Y; infinite where ι = 0 < O_X.

    ``exact``: the expectation over the von Mises–Fisher law at finite d. Else the limit d → ∞, at
    w = 1 in units of ``d · residual^(2p)/ι``: regret ``∫₀^c* (1−c)^(2pm−1) c/(1+c) dc``
    (m = 1: ``c* − ln(1+c*)`` at p = ½, ``2c* − c*²/2 − 2 ln(1+c*)`` at p = 1), orthogonal
    ``(1 − (1−c*²)^pm)/(2pm)``, utility loss 0. A simulation is the left sum: see `left_sum`.
    Values out of range and unknown measures raise ValueError.

    >>> float(training_harm(100, 2.0, 1.0, 0.9, p=0.5, exact=False))  # doctest: +ELLIPSIS
    10.692...
    >>> float(training_harm(100, 1.0, 1.0, 0.9))
    0.0
    """
    power_ai = checked("an amount", "power_ai", power_ai)
    power_human = checked("an amount", "power_human", power_human)
    amplitude = residual(power_ai, power_human)
    iota = np.minimum(power_ai, power_human) if cap else power_ai
    integral = harm_integral(d, threshold, measure, _power(p, fragility), variable, exact)
    with np.errstate(divide="ignore", invalid="ignore"):
        harm = integral * amplitude ** np.multiply(2.0, p) / iota**variable
        return np.where((amplitude > 0.0) & (integral > 0.0), harm, 0.0)


def fragility_factor(m: Array | float, threshold: Array | float, p: Array | float = 1.0) -> Array:
    """Return ``K(2pm)/K(2p)``: by how much amplitudes ``φ^m`` change training harm, as d → ∞.

    ``K(q) = ∫₀^c* (1−c)^(q−1) c/(1+c) dc``, for the regret and any powers: where the essay says
    that fragility acts like a larger d, this is by how much; below 1 for m > 1. Arguments
    broadcast: m > 0, threshold in [0, 1], p > 0 (else ValueError). 1 at m = 1 and at threshold 0.

    >>> round(float(fragility_factor(2.0, 0.9)), 6)
    0.342737
    """
    below = harm_integral(2.0, threshold, "regret", p, exact=False)
    above = harm_integral(2.0, threshold, "regret", _power(p, m), exact=False)
    with np.errstate(invalid="ignore"):
        return np.where(below > 0.0, above / below, 1.0)


def power_ratio(
    harm: Array | float,
    d: Array | float,
    threshold: Array | float,
    power_human: Array | float = 1.0,
    measure: str | Shape = "regret",
    p: Array | float = 1.0,
    exact: bool = True,
    fragility: Array | float = 1.0,
) -> Array:
    """Return the ``r = O_X/O_Y ≥ 1`` at which `training_harm` (capped) is ``harm``.

    ``sqrt(r) = 1 + (harm · O_Y^(1−p) / S)^(1/2p)``, S the integral without its powers. All but
    ``measure`` and ``exact`` broadcast. 1 at harm 0; infinite where no ratio does such harm
    (threshold 0). Values out of range (harm below 0, O_Y = 0) raise ValueError.

    >>> round(float(power_ratio(training_harm(50, 3.0, 1.0, 0.9), 50, 0.9)), 12)
    3.0
    """
    harm = checked("an amount", "harm", harm)
    human = checked("positive", "power_human", power_human)
    p = checked("positive", "p", p)
    integral = harm_integral(d, threshold, measure, _power(p, fragility), 1.0, exact)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(harm > 0.0, harm * human ** (1.0 - p) / integral, 0.0)
    return (1.0 + share ** (0.5 / p)) ** 2


def intolerable_dimensions(
    harm: Array | float,
    power_ai: Array | float,
    power_human: Array | float,
    threshold: Array | float,
    measure: str | Shape = "regret",
    p: Array | float = 1.0,
    exact: bool = True,
    fragility: Array | float = 1.0,
) -> Array:
    """Return the real d ≥ 2 at which `training_harm` (capped) reaches ``harm``.

    All but ``measure`` and ``exact`` broadcast. 2 where two dimensions already do that harm;
    infinite where none do (O_X ≤ O_Y, threshold 0). ``exact``: a root in d, infinite beyond 1e9;
    else a ratio, since the limit is proportional to d. Regret with p·m above 1 falls with d at
    first, over a few dimensions: a harm done at d = 2 gives 2. The utility loss is refused, since
    it doesn't grow with d; so are values out of range: ValueError.

    >>> harm = training_harm([2.0, 70.5, 1e6], 2.0, 1.0, 0.9)
    >>> intolerable_dimensions(harm, 2.0, 1.0, 0.9).round(6)
    array([2.00e+00, 7.05e+01, 1.00e+06])
    """
    if measure == "utility-loss":
        raise ValueError("measure must be one of regret, orthogonal; got 'utility-loss'")
    power_ai = checked("an amount", "power_ai", power_ai)
    power_human = checked("an amount", "power_human", power_human)
    amplitude, iota = residual(power_ai, power_human), np.minimum(power_ai, power_human)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_integral = np.where(amplitude > 0.0, amplitude ** np.multiply(2.0, p) / iota, 0.0)
        target = checked("positive", "harm", harm) / per_integral
        power = _power(p, fragility)
        if exact:
            return _dimensions(target, np.asarray(threshold), power, measure)
        integral = harm_integral(2.0, threshold, measure, power, exact=False)
        return np.maximum(np.where(integral > 0.0, 2.0 * target / integral, np.inf), 2.0)


def _dimensions(target: Array, threshold: Array, power: Array, measure: str | Shape) -> Array:
    """Return the d at which the exact integral is ``target``, by a bracketed root in ln(d − 1)."""

    def gap(y: Array | float, target: Array, threshold: Array, power: Array) -> Array:
        return np.log(harm_integral(1.0 + np.exp(y), threshold, measure, power) / target)

    arguments = np.broadcast_arrays(target, threshold, power)
    top = np.log(_MOST_DIMENSIONS)
    low, high = gap(0.0, *arguments), gap(top, *arguments)
    found = np.where(low >= 0.0, 2.0, np.inf)  # NaN at threshold 0
    between = (low < 0.0) & (high >= 0.0)
    root = elementwise.find_root(gap, (0.0, top), args=tuple(a[between] for a in arguments))
    found[between] = 1.0 + np.exp(root.x)
    return found


def left_sum(
    d: float,
    budgets: ArrayLike,
    amplitudes: ArrayLike,
    measure: str | Shape = "regret",
    p: float = 1.0,
    fragility: float = 1.0,
) -> Array:
    """Return the expected cumulative harm of a run, step by step: harm comes before the edit.

    ``Σ_{s ≤ t} E[f(c)^(2pm)](D_s) · amplitude_s^(2p)`` for ``budgets (T,)`` spent before each step
    and residual ``amplitudes (T,)``. It tends to `training_harm`'s integral as the steps shrink.
    Arguments as in `expected_harm`.

    >>> left_sum(5, np.zeros(3), np.ones(3), "orthogonal").round(12)
    array([0.8, 1.6, 2.4])
    """
    return np.cumsum(expected_harm(d, budgets, amplitudes, measure, p, fragility))


def expected_harm(
    d: float,
    budgets: ArrayLike,
    amplitudes: ArrayLike,
    measure: str | Shape = "regret",
    p: float = 1.0,
    fragility: float = 1.0,
) -> Array:
    """Return ``E[f(c)^(2pm)](D_t) · amplitude_t^(2p)`` for each step, ``(T,)``.

    ``budgets (T,)`` are the nats D_t spent before each step, ``amplitudes (T,)`` the residual
    amplitudes in sqrt(nats), m the ``fragility``; nats for p = 1, sqrt(nats) for p = ½. Values out
    of range and unknown measures raise ValueError.

    >>> expected_harm(5, np.zeros(1), np.full(1, 2.0), "orthogonal").round(12)
    array([3.2])
    """
    kappa = np.asarray(sphere.concentration(d, nats=budgets))
    mean = mean_power(d, kappa, measure, p * fragility)
    return mean * np.asarray(amplitudes, dtype=np.float64) ** (2.0 * p)
