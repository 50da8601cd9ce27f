"""The off-switch game: what an AI gains for humans by letting them decide whether it acts.

Its act is worth U to the humans, of whom it knows a law of U. Of its own accord it gets them
``max(E U, 0)``. If it defers, they let it act with probability ``π(U) = 1/(1 + e^(−U/b))``, or for
``noise`` b = 0 where U > 0, and it gets them ``E[π(U) U]``. [hadfield-menell-2017]
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtr

from sumabm import sphere
from sumabm.theory.arguments import checked
from sumabm.types import Array

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_SPREADS = np.arange(-12.0, 13.0)  # panels of the law end at so many of its widths from its mode
_NOISES = np.array([1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 40.0])  # those of π, in b


def deference_gain(mean: Array | float, sd: Array | float, noise: Array | float = 0.0) -> Array:
    """Return ``Δ = E[π(U) U] − max(μ, 0)`` for ``U ~ N(μ, σ²)``: what an AI gains by deferring.

    ``σ φ(μ/σ) + μ Φ(μ/σ) − max(μ, 0)`` without noise, never below 0; else an integral, above 0
    exactly where ``σ² > 2|μ|b``, and ``−|μ|/2`` as b → ∞. Even in μ, in the unit of U. ``mean``,
    ``sd ≥ 0`` and ``noise ≥ 0`` broadcast; values out of range raise ValueError.

    >>> deference_gain([0.0, 1.0], 1.0).round(6), deference_gain([0.0, 1.0], 1.0, 1.0).round(6)
    (array([0.398942, 0.083315]), array([ 0.206621, -0.125322]))
    """
    size, sd, noise = np.broadcast_arrays(
        checked("an amount", "|mean|", np.abs(mean)),
        checked("an amount", "sd", sd),
        checked("an amount", "noise", noise),
    )
    width = np.where(sd > 0.0, sd, 1.0)
    z = size / width
    rational = width * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) - size * ndtr(-z)
    rational = np.where(sd > 0.0, rational, 0.0)
    u, du = _panels(size, width, noise, size + 12.0 * width)
    scale = du / (np.sqrt(2.0 * np.pi) * width[..., None])
    up, down = ((u - side * size[..., None]) / width[..., None] for side in (1.0, -1.0))
    slips = (_slip(u, noise) * scale * (np.exp(-0.5 * up * up) + np.exp(-0.5 * down * down))).sum(
        axis=-1
    )
    slips = np.where(sd > 0.0, slips, _slip(size[..., None], noise)[..., 0])
    return np.asarray(rational - slips)


def aim_deference_gain(
    d: Array | float, cosine: Array | float, amplitude: Array | float, noise: Array | float = 0.0
) -> Array:
    """Return Δ at finite d: ``U = a t``, t the cosine of an aim with a von Mises–Fisher v_Y.

    ``cosine`` is the mean of t, in [−1, 1], κ its concentration, ``amplitude`` ``a = sqrt(2O)``: a
    tilt of a Gaussian world is worth that. Above 0 exactly where ``2 b |κ| < a``. Even in the
    cosine. As d → ∞ at fixed ``κ/sqrt(d)`` it is `deference_gain` of ``μ = a · cosine``,
    ``σ² = a²/d``. d ≥ 2, ``amplitude ≥ 0`` and ``noise ≥ 0``, in sd, broadcast; values out of range
    raise ValueError.

    >>> round(float(aim_deference_gain(3, 0.0, 1.0)), 12)  # t is uniform
    0.25
    """
    d, cosine, amplitude, noise = np.broadcast_arrays(
        checked("dimensions", "d", d),
        np.abs(checked("a correlation", "cosine", cosine)),
        checked("an amount", "amplitude", amplitude),
        checked("an amount", "noise", noise),
    )
    relative = noise / np.where(amplitude > 0.0, amplitude, 1.0)
    t, above, below = _cosines(d, np.where(cosine < 1.0, cosine, 0.0), relative)
    u = amplitude[..., None] * t
    gain = (u * below - _slip(u, noise) * (above + below)).sum(axis=-1)
    return np.asarray(np.where(cosine < 1.0, gain, -_slip(amplitude[..., None], noise)[..., 0]))


def _slip(u: Array, noise: Array) -> Array:
    """Return ``|U| π(−|U|)`` at u = |U|, what humans lose by error where they decide of U or −U."""
    b = noise[..., None]
    with np.errstate(over="ignore"):
        return np.where(b > 0.0, u * expit(-u / np.where(b > 0.0, b, 1.0)), 0.0)


def _cosines(d: Array, mean: Array, noise: Array) -> tuple[Array, Array, Array]:
    """Return nodes t in (0, 1) on a last axis, and the weights of t and of −t; they sum to 1.

    ``t = sin λ`` of density ``∝ cos^(d−2) λ exp(κ sin λ)``, smooth at every d.
    """
    kappa, m = np.asarray(sphere.concentration(d, mean)), d - 2.0
    half = 0.5 * (m + np.hypot(m, 2.0 * kappa))
    mode = np.arcsin(np.minimum(kappa / np.where(half > 0.0, half, 1.0), 1.0))
    width = 1.0 / np.sqrt(np.maximum(half + kappa * np.sin(mode), 1.0))
    latitude, step = _panels(mode, width, noise, np.full_like(mode, 0.5 * np.pi))
    t = np.sin(latitude)
    log = m[..., None] * np.log(np.cos(latitude)) + kappa[..., None] * t
    above = step * np.exp(log - log.max(axis=-1, keepdims=True))
    below = above * np.exp(-2.0 * kappa[..., None] * t)
    total = (above + below).sum(axis=-1, keepdims=True)
    return t, above / total, below / total


def _panels(mode: Array, width: Array, noise: Array, end: Array) -> tuple[Array, Array]:
    """Return nodes and weights of integrals from 0 to ``end``, on a last axis.

    Panels as fine as a law of this ``mode`` and ``width`` there, and as π of this ``noise`` near 0.
    """
    law = mode[..., None] + width[..., None] * _SPREADS
    ends = np.concatenate(
        [0.0 * end[..., None], law, noise[..., None] * _NOISES, end[..., None]], axis=-1
    )
    ends = np.sort(np.clip(ends, 0.0, end[..., None]), axis=-1)
    half = 0.5 * np.diff(ends)[..., None]
    nodes = ends[..., :-1, None] + half * (1.0 + _POINTS)
    shape = (*mode.shape, -1)
    return nodes.reshape(shape), (half * _WEIGHTS).reshape(shape)
