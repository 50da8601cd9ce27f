"""An AI that learns from humans what they want, and waits until it is certain.

After n looks at each act of humans of power O, ``x = Σ_t 2 n_t O_t / d`` in all, its belief on v_Y
is that of an aligner that has looked as much: its alignment is `looking.expected_alignment`,
`looking.bayesian_alignment` as d → ∞, and it has learnt an alignment c by `looking.looked_nats`.
So too the direction of the mean of n samples, ``x = 2nO/d``: the imitator's. The law of the
belief's concentration ``κ = R|s|``, ``R² = d x``, ``s ~ N(R e, I)``, says when it is certain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sumabm import sphere
from sumabm.theory.arguments import checked
from sumabm.theory.law import mean_power
from sumabm.types import Array

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_REACH = 12.0  # standard deviations of |s|, each 1 at most, either side of its mode


def certain_share(d: Array | float, x: Array | float, certainty: Array | float) -> Array:
    """Return ``P(A_d(R|s|) ≥ certainty)``: the share of learners that expect such an alignment.

    ``|s|²`` is noncentral χ² with d degrees and noncentrality ``R² = d x``. ``d ≥ 2``, ``x ≥ 0``
    and ``certainty`` in [0, 1] broadcast. 0 at x = 0, 1 as x → ∞ (but 1 at certainty 0, and 0 at
    certainty 1); as d → ∞ a step at ``x = c²/(1 − c²)``. Values out of range raise ValueError.

    >>> round(float(certain_share(2, 1.0, 0.0)), 12)
    1.0
    """
    _, _, weights = _certain(d, x, certainty)
    return np.asarray(weights.sum(axis=-1))


def explored_alignment(x: ArrayLike, noise: ArrayLike) -> Array:
    """Return ``sqrt(1 − g)``, ``2g = b + sqrt(b² + 4 noise²)``, ``b = 1 − x − noise²``, d → ∞.

    The cosine of the best guess of a random linear reward with it, after rewards of ``x d`` random
    states, with ``noise`` to the spread of rewards. ``g = 1/(1 + x/(noise² + g))`` is the error
    that is left. ``x ≥ 0`` and ``noise > 0`` broadcast, others raise ValueError; 0 at x = 0, 1 as
    x → ∞, and ``sqrt(x)`` up to x = 1 as noise → 0.

    >>> explored_alignment([0.0, 2.0], 1.0)
    array([0.        , 0.76536686])
    """
    x, noise = checked("an amount", "x", x), checked("positive", "noise", noise)
    b = 1.0 - x - noise**2
    larger = 0.5 * (np.abs(b) + np.sqrt(b * b + 4.0 * noise**2))  # in size, of the two roots
    left = np.where(b > 0.0, larger, noise**2 / larger)
    return np.sqrt(x / (x + noise**2 + left))  # which is 1 − g, and 0 at x = 0


def cooperative_expected_harm(
    d: Array | float,
    x: Array | float,
    amplitudes: Array | float,
    certainty: Array | float,
    measure: str = "regret",
    p: float = 1.0,
) -> Array:
    """Return ``E[f(c)^(2p); A_d(κ) ≥ certainty] · amplitude^(2p)``: harm by those who don't wait.

    At finite d, step by step: ``x`` is what was seen before each step, ``amplitudes`` the residual
    amplitudes in sqrt(nats). Given its belief, v_Y is von Mises–Fisher about the AI's aim, with
    the belief's own κ. d ≥ 2; all but ``measure`` and p broadcast. At certainty 0 it is
    `looking.bayesian_expected_harm`. Values out of range and unknown measures raise ValueError.

    >>> round(float(cooperative_expected_harm(5, 0.0, 2.0, 0.0, "orthogonal")), 12)
    3.2
    """
    wide, kappa, weights = _certain(d, x, certainty)
    mean = (mean_power(wide, kappa, measure, p) * weights).sum(axis=-1)
    return np.asarray(mean * checked("an amount", "amplitudes", amplitudes) ** (2.0 * p))


def _certain(
    d: Array | float, x: Array | float, certainty: Array | float
) -> tuple[Array, Array, Array]:
    """Return nodes and weights on a last axis for means of f(κ) over beliefs that are certain.

    ``(d[..., None], kappa, weights)``; weights sum to the probability that a belief is. The
    density of ``ρ = |s|`` is ``∝ ρ^(d−1) exp(−(ρ² + R²)/2) 0F1(; d/2; κ²/4)``, ``κ = Rρ``, as in
    `information.posterior`, with an edge where beliefs become certain.
    """
    d, x, least = np.broadcast_arrays(
        checked("dimensions", "d", d),
        checked("an amount", "x", x),
        checked("a cosine", "certainty", certainty),
    )
    least = np.asarray(sphere.concentration(d, least))[..., None]
    d, amplitude = d[..., None], np.sqrt(d * x)[..., None]
    mode = np.hypot(np.sqrt(d - 1.0), amplitude)
    low, high = np.maximum(mode - _REACH, 0.0), mode + _REACH
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = np.clip(np.where(least > 0.0, least / amplitude, 0.0), low, high)
    z = 0.5 * (1.0 + _POINTS)  # in which the ρ^(d−1) near 0 is smooth enough at every d
    length = np.concatenate([low + (edge - low) * z * z, edge + (high - edge) * z * z], axis=-1)
    kappa = amplitude * length
    with np.errstate(divide="ignore"):
        log_density = (d - 1.0) * np.log(length / high) - 0.5 * (length - amplitude) ** 2
    log_density -= kappa * sphere.divergence(d, kappa) + sphere.nats(d, kappa=kappa)
    parts = np.concatenate([(edge - low) * z * _WEIGHTS, (high - edge) * z * _WEIGHTS], axis=-1)
    weights = np.exp(log_density - log_density.max(axis=-1, keepdims=True)) * parts
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return d, kappa[..., z.size :], weights[..., z.size :]
