"""What one observed action reveals of the utility behind it: the sphere seen through noise.

An AI of power O and uniformly random utility v shifts a unit Gaussian world by ``sqrt(2O) v``;
``looks`` samples ``s ~ N(sqrt(2O) v, I)`` are seen. With ``x = looks · O`` nats that is one sample
at amplitude ``R = sqrt(2x)``, and the belief it leaves is von Mises–Fisher of concentration
``κ = R|s|``: means over the law of |s|, a noncentral chi, are all that is needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import elementwise

from sumabm import sphere
from sumabm.theory.arguments import checked
from sumabm.types import Array

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_REACH = 12.0  # standard deviations of |s|, each 1 at most, either side of its mode


def action_information(d: Array | float, power: Array | float, looks: Array | float = 1.0) -> Array:
    """Return the mutual information, in nats, of a random utility and what is seen of an action.

    ``I = 2x − E log 0F1(; d/2; x|s|²/2) = E KL(posterior‖prior)``, the mean of the posterior's
    nats, in which nothing cancels; ``x = looks · power``. ``d`` is 1 (v = ±1), or 2 and more;
    arguments broadcast. Never above x, `information_bound` or, for d = 1, ln 2; it tends to x as
    x → 0, and to the bound as d → ∞ at fixed x/d. Values out of range raise ValueError.
    [dytso-2018]

    >>> round(float(action_information(3, 1.0)), 12)
    0.760999623373
    """
    d, kappa, weights = posterior(d, _seen(power, looks))
    return np.asarray((_nats(d, kappa) * weights).sum(axis=-1))


def action_alignment(d: Array | float, power: Array | float, looks: Array | float = 1.0) -> Array:
    """Return the mean cosine of the Bayesian estimate of a random utility with the truth.

    ``E A_d(R|s|)``, ``R² = 2 · looks · power``; arguments as in `action_information`, whose
    derivative in x is ``1 − E[A_d²]``. 0 at power 0, 1 at infinite power, and
    ``sqrt(2x/(d + 2x))`` as d → ∞ at fixed x/d. [dytso-2018]

    >>> round(float(action_alignment(3, 1.0)), 12)
    0.628904145185
    """
    d, kappa, weights = posterior(d, _seen(power, looks))
    return np.asarray((_mean_cosine(d, kappa) * weights).sum(axis=-1))


def information_bound(d: Array | float, power: Array | float, looks: Array | float = 1.0) -> Array:
    """Return ``(d/2) ln(1 + 2x/d)`` nats, ``x = looks · power``: what no utility's law can exceed.

    The capacity of the Gaussian channel at that mean power, itself below x. Arguments as in
    `action_information`. [dytso-2018]

    >>> round(float(information_bound(2, 1.0)), 12)  # ln 2
    0.69314718056
    """
    d = checked("dimensions or a line", "d", d)
    return 0.5 * d * np.log1p(2.0 * _seen(power, looks) / d)


def largest_uniform_radius(d: Array | float) -> Array:
    """Return the largest amplitude R at which a uniform direction is the most informative input.

    Among all laws of shifts no longer than R; above it, weaker actions mixed in would tell more.
    It solves ``R²/2 = E_R[L] − E_0[L]``, ``L = log 0F1(; d/2; R²|s|²/4)``, ``s ~ N(r e, I)`` under
    ``E_r``. Any shape of ``d``, 1 or 2 and more (else ValueError). R/sqrt(d) rises from 1.67 to
    1.860935682 as d → ∞. [dytso-2018]

    >>> round(float(largest_uniform_radius(3)), 4)
    3.0651
    """
    d = checked("dimensions or a line", "d", d)

    def excess(per_root: Array, d: Array) -> Array:
        d, amplitude = d[..., None], (per_root * np.sqrt(d))[..., None]
        gain = 0.5 * amplitude**2
        for shift, sign in ((amplitude, -1.0), (0.0 * amplitude, 1.0)):
            length, weights = _lengths(d, shift)
            kappa = amplitude * length
            gain = gain + sign * ((_log_bessel(d, kappa) + kappa) * weights).sum(-1, keepdims=True)
        return np.asarray(gain[..., 0] / d[..., 0])

    root = elementwise.find_root(excess, (1.0, 2.5), args=(d,))
    return np.asarray(root.x * np.sqrt(d))


def posterior(d: ArrayLike, nats: ArrayLike) -> tuple[Array, Array, Array]:
    """Return the law of the belief's concentration κ after ``nats`` x of action were looked at.

    ``(d[..., None], kappa, weights)``: nodes and weights on a last axis, so that the sum of
    ``f(kappa) · weights`` is ``E f(R|s|)``, ``R² = 2x``, ``s ~ N(R e, I)``. Arguments broadcast.
    """
    d = checked("dimensions or a line", "d", d)[..., None]
    amplitude = np.sqrt(2.0 * checked("an amount", "nats", nats))[..., None]
    length, weights = _lengths(d, amplitude)
    return d, amplitude * length, weights


def _lengths(d: Array, amplitude: Array) -> tuple[Array, Array]:
    """Return nodes and weights for the length of ``s ~ N(R e, I)``, R the ``amplitude``.

    Its density is ``∝ ρ^(d−1) exp(−(ρ − R)²/2) exp(−κ) 0F1(; d/2; κ²/4)``, ``κ = Rρ``, and
    ``log 0F1 = κ A_d(κ) − D_d(κ)``. Gauss–Legendre round the mode, down to 0.
    """
    mode = np.hypot(np.sqrt(d - 1.0), amplitude)
    low, high = np.maximum(mode - _REACH, 0.0), mode + _REACH
    z = 0.5 * (1.0 + _POINTS)  # in which the ρ^(d−1) near 0 is smooth enough at every d
    length = low + (high - low) * z * z
    kappa = amplitude * length
    log_density = (d - 1.0) * np.log(length / high) - 0.5 * (length - amplitude) ** 2
    log_density += _log_bessel(d, kappa)
    weights = np.exp(log_density - log_density.max(axis=-1, keepdims=True)) * z * _WEIGHTS
    return length, weights / weights.sum(axis=-1, keepdims=True)


def _log_bessel(d: Array, kappa: Array) -> Array:
    """Return ``log 0F1(; d/2; κ²/4) − κ``: ``log cosh κ − κ`` at d = 1."""
    many = np.maximum(d, 2.0)
    log = -kappa * sphere.divergence(many, kappa) - sphere.nats(many, kappa=kappa)
    return np.where(d > 1.0, log, np.log1p(np.exp(-2.0 * kappa)) - np.log(2.0))


def _mean_cosine(d: Array, kappa: Array) -> Array:
    """Return ``A_d(κ)``, at d = 1 too."""
    return np.where(d > 1.0, sphere.mean_cosine(np.maximum(d, 2.0), kappa), np.tanh(kappa))


def _nats(d: Array, kappa: Array) -> Array:
    """Return ``D_d(κ)``, at d = 1 too: ``κ tanh κ − log cosh κ``."""
    near = np.minimum(kappa, 1.0)
    below = near * np.tanh(near) - np.log1p(2.0 * np.sinh(0.5 * near) ** 2)
    e = np.exp(-2.0 * kappa)
    line = np.where(kappa < 1.0, below, np.log(2.0) - np.log1p(e) - 2.0 * kappa * e / (1.0 + e))
    return np.where(d > 1.0, sphere.nats(np.maximum(d, 2.0), kappa=kappa), line)


def _seen(power: ArrayLike, looks: ArrayLike) -> Array:
    return checked("an amount", "looks", looks) * checked("an amount", "power", power)
