"""What a proxy is worth to those who want something else: Goodhart's law where it is solvable."""

from __future__ import annotations

import numpy as np

from sumabm import sphere
from sumabm.theory.arguments import checked
from sumabm.types import Array

_SMALL = 0.1  # arguments below this go through a series


def proxy_alignment(error: Array | float, correlation: Array | float = 0.0) -> Array:
    """Return the correlation of V with the proxy V + X, ``(1 + ρs)/sqrt(1 + 2ρs + s²)``.

    ``error`` s ≥ 0 is the standard deviation of X in V's, ``correlation`` ρ in [−1, 1] that of V
    and X; they broadcast, and other values raise ValueError. At s = 1, ρ = −1 nothing is left of
    the proxy: NaN.

    >>> round(float(proxy_alignment(1.0)), 12)
    0.707106781187
    """
    s, rho = checked("an amount", "error", error), checked("a correlation", "ρ", correlation)
    with np.errstate(invalid="ignore"):
        return np.asarray((1.0 + rho * s) / np.sqrt((1.0 - s) ** 2 + 2.0 * s * (1.0 + rho)))


def proxy_gain(
    power: Array | float, error: Array | float, correlation: Array | float = 0.0
) -> Array:
    """Return E[V], in V's standard deviations, after a tilt by V + X with ``power`` O nats.

    ``c sqrt(2O)``, c the `proxy_alignment`, for V and X jointly Gaussian: E[V] grows without end,
    unless c ≤ 0. Arguments broadcast; a power below 0 raises ValueError. [kwa-2024]

    >>> round(float(proxy_gain(1.0, 1.0)), 12)
    1.0
    """
    return np.sqrt(2.0 * checked("an amount", "power", power)) * proxy_alignment(error, correlation)


def ball_gain(d: Array | float, power: Array | float) -> Array:
    """Return E[u] after a tilt by a unit linear u of the uniform law on the unit ball: A_{d+2}(O).

    The ball in d dimensions is the shadow of the sphere in d + 2, and a tilt by u is a tilt there:
    the mean is that of a von Mises–Fisher law that costs ``power`` nats. Any other unit linear
    utility of cosine c gets c times as much: in a ball two never part. Arguments broadcast; d below
    1 or a power below 0 raise ValueError. [mardia-jupp-2000]

    >>> round(float(ball_gain(2, 1.0)), 6)
    0.646032
    """
    d = checked("positive", "d", d)
    return np.asarray(sphere.cosine_from_nats(d + 2.0, checked("an amount", "power", power)))


def box_tilt(utility: Array, beta: Array | float) -> tuple[Array, Array]:
    """Return the mean state and the nats spent by a tilt of the uniform law on a box.

    ``utility (…, d)`` are the coefficients u, ``beta`` broadcasts against ``(…)``. In the box
    ``−1 ≤ s_i ≤ 1`` the tilt factorises: ``E[s_i] = coth x − 1/x`` at ``x = β u_i``, and the nats
    are ``Σ x E[s_i] − ln(sinh x / x)``. As β grows the mean tends to the corner ``sign(u)``, the
    nats to infinity.

    >>> mean, nats = box_tilt(np.array([1.0, 0.1]), 10.0)
    >>> mean.round(6), round(float(nats), 6)
    (array([0.9     , 0.313035]), 2.147328)
    """
    x = np.asarray(beta, np.float64)[..., None] * np.asarray(utility, np.float64)
    size = np.abs(x)
    square = np.minimum(size, _SMALL) ** 2
    large = np.maximum(size, _SMALL)
    far = 1.0 / np.tanh(large) - 1.0 / large
    near = size * (1 / 3 - square * (1 / 45 - square * (2 / 945 - square / 4725)))
    mean = np.where(size < _SMALL, near, far)
    log_z = large + np.log1p(-np.exp(-2.0 * large)) - np.log(2.0 * large)
    small = square * (1 / 6 - square * (1 / 60 - square * (1 / 567 - square / 5400)))
    nats = np.where(size < _SMALL, small, large * mean - log_z).sum(axis=-1)
    return np.sign(x) * mean, nats
