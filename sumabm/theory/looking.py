"""What an aligner learns by looking, and the harm it takes: the Bayesian aligner's closed forms.

Its edits are taken not to bind. ``x = Σ_t 2 n_t O_t / d`` sums what it has seen: n looks at each
act of power O. The limits are those of d → ∞ at fixed x.
"""

from __future__ import annotations

import numpy as np

from sumabm.theory.arguments import checked, log_width
from sumabm.theory.information import action_alignment, posterior
from sumabm.theory.integrals import nodes
from sumabm.theory.law import mean_power, shape_of
from sumabm.theory.training import residual
from sumabm.types import Array


def bayesian_alignment(x: Array | float) -> Array:
    """Return ``c = sqrt(x/(1+x))``, ``x = Σ_t 2 n_t O_t / d``: alignment when edits don't bind.

    The limit d → ∞ of a von Mises–Fisher belief after n looks at each act of power O. Any shape.

    >>> float(bayesian_alignment(1.0))
    0.7071067811865476
    """
    x = np.asarray(x, dtype=np.float64)
    return np.sqrt(x / (1.0 + x))


def bayesian_information(d: Array | float, x: Array | float) -> Array:
    """Return ``(d/2) ln(1 + x)`` nats, the limit d → ∞ of what the looks have told; they broadcast.

    At finite d: `information.action_information` of ``d x/2`` nats.

    >>> round(float(bayesian_information(2.0, 1.0)), 12)
    0.69314718056
    """
    return np.asarray(0.5 * d * np.log1p(x))


def expected_alignment(d: Array | float, x: Array | float) -> Array:
    """Return mean alignment after looks worth ``x``, exact at finite d: ``E A_d(R|s|)``.

    ``R² = d x``, ``s ~ N(R e, I)``: `information.action_alignment` of ``d x/2`` nats. ``d`` (1, or
    2 and more) and ``x ≥ 0`` broadcast; tends to `bayesian_alignment` as d → ∞. Values out of
    range raise ValueError. [dytso-2018]

    >>> round(float(expected_alignment(3, 2 / 3)), 12)
    0.628904145185
    """
    d = checked("dimensions or a line", "d", d)
    return action_alignment(d, 0.5 * d * checked("an amount", "x", x))


def looked_nats(d: Array | float, threshold: Array | float) -> Array:
    """Return ``(d/2) c²/(1 − c²)``: nats of looked-at action that alignment c takes, as d → ∞.

    More than the ``−(d/2) ln(1 − c²)`` of `cost.alignment_cost_limit`: an action tells all of its
    power only while little is known. Arguments broadcast; infinite at c = 1. Values out of range
    (threshold outside [0, 1], d not above 0) raise ValueError.

    >>> round(float(looked_nats(200, 0.5)), 9)
    33.333333333
    """
    c = checked("a cosine", "threshold", threshold)
    with np.errstate(divide="ignore"):
        return 0.5 * checked("positive", "d", d) * c * c / ((1.0 - c) * (1.0 + c))


def bayesian_training_harm(
    d: Array | float,
    power_ai: Array | float,
    power_human: Array | float,
    threshold: Array | float,
    looks: Array | float = 1.0,
    measure: str = "regret",
    p: Array | float = 1.0,
) -> Array:
    """Return the harm done until the aligner that looks has aligned the AI to ``threshold``.

    ``∫ f(c)^(2p) dx``, ``x = c²/(1 − c²)``, in units of ``d · residual^(2p)/(2 n O_X)``, n the
    ``looks``: regret ``artanh c − c/(1+c)`` at p = ½, ``2 ln(1+c) − 2c/(1+c)`` at p = 1;
    orthogonal ``2[(1−c²)^(−½) − 1]`` and ``−ln(1−c²)``; utility loss 0. The limit d → ∞. All but
    ``measure`` broadcast; nats for p = 1, sqrt(nats) for p = ½. Zero where O_X ≤ O_Y; finite where
    O_Y = 0. At threshold 1 infinite for p ≤ ½ (regret) or p ≤ 1 (orthogonal), where
    `training.training_harm` is finite. Values out of range and unknown measures raise ValueError.

    >>> round(float(bayesian_training_harm(2.0, 4.0, 1.0, 0.5, measure="orthogonal")), 6)
    0.071921
    """
    power_ai = checked("an amount", "power_ai", power_ai)
    amplitude = residual(power_ai, checked("an amount", "power_human", power_human))
    d, p = checked("positive", "d", d), checked("positive", "p", p)
    integral = _looking_integral(checked("a cosine", "threshold", threshold), measure, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = d * amplitude ** (2.0 * p) / (2.0 * checked("positive", "looks", looks) * power_ai)
        return np.where((amplitude > 0.0) & (integral > 0.0), integral * unit, 0.0)


def _looking_integral(threshold: Array, measure: str, p: Array) -> Array:
    """Return ``∫ f(c)^(2p) dx`` up to ``x = c*²/(1 − c*²)``."""
    shape_of(measure)
    threshold, p = np.broadcast_arrays(threshold, p)
    if measure == "utility-loss":
        return np.zeros(threshold.shape)
    if measure == "orthogonal":  # ∫ (1 − c²)^(p−2) 2c dc
        wide, more = -log_width(threshold), p - 1.0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(more == 0.0, wide, -np.expm1(-more * wide) / more)
    endless = (threshold == 1.0) & (p <= 0.5)
    decay = np.maximum(2.0 * p[..., None] - 1.0, 1e-9)
    t, weights = nodes(np.where(endless, 0.0, threshold)[..., None], decay, 1.0)
    c = -np.expm1(-t)
    values = 2.0 * c * np.exp((1.0 - 2.0 * p[..., None]) * t) / (1.0 + c) ** 2
    return np.where(endless, np.inf, (values * weights).sum(axis=-1))


def bayesian_expected_harm(
    d: Array | float,
    x: Array | float,
    amplitudes: Array | float,
    measure: str = "regret",
    p: float = 1.0,
) -> Array:
    """Return ``E[f(c)^(2p)](x_t) · amplitude_t^(2p)`` for each step, exact at finite d: ``(T,)``.

    ``x (T,)`` is what was seen before each step (0 at the first), ``amplitudes (T,)`` the residual
    amplitudes in sqrt(nats). Given the belief the truth is von Mises–Fisher about it, with the
    belief's own ``κ = R|s|``, ``R² = d x``, and edits that don't bind have turned it onto v_Y: a
    mean of `law.mean_power` over ``s ~ N(R e, I)``. d ≥ 2; all but ``measure`` and p broadcast.
    Values out of range and unknown measures raise ValueError.

    >>> float(bayesian_expected_harm(5, 0.0, 2.0, "orthogonal").round(12))
    3.2
    """
    d = checked("dimensions", "d", d)
    wide, kappa, weights = posterior(d, 0.5 * d * checked("an amount", "x", x))
    mean = (mean_power(wide, kappa, measure, p) * weights).sum(axis=-1)
    return np.asarray(mean * np.asarray(amplitudes) ** (2.0 * p))
