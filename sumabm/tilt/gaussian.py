"""Tilts of a Gaussian world by a linear utility: the one verb, in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sumabm.types import Array

_TINY, _HUGE = 1e-280, 1e280  # a variance of a utility outside these is computed rescaled

_ROUNDING = 1e-12


class LinearTilt(NamedTuple):
    """What a tilt of ``N(μ, C)`` by ``u = v·s`` did: each field has one entry per row.

    ``shift (R, d)`` is the displacement ``βCv`` of the mean; ``beta (R,)`` the multiplier;
    ``spent (R,)`` the KL divergence in nats; ``gain (R,)`` the rise of ``E[u]``.
    """

    shift: Array
    beta: Array
    spent: Array
    gain: Array


def times(covariance: Array | None, vectors: Array) -> Array:
    """Return ``C v`` for each row of ``vectors (…, d)``.

    ``covariance`` is None (identity), ``(d,)`` (diagonal) or ``(d, d)`` (full). A row's result
    does not depend on how many rows there are, which a matrix product does not promise.

    >>> times(np.array([1.0, 4.0]), np.array([[1.0, 1.0]]))
    array([[1., 4.]])
    """
    if covariance is None:
        return vectors
    if covariance.ndim == 1:
        return vectors * covariance
    return np.einsum("de,...e->...d", covariance, vectors)


def linear_tilt(
    utility: Array, power: Array | float, covariance: Array | None = None
) -> LinearTilt:
    """Move ``N(μ, C)`` by the tilt that gains it most ``u = v·s`` within KL divergence O.

    The optimum of ``max E_Q[u]`` subject to ``KL(Q‖P) ≤ O`` is ``Q = N(μ + βCv, C)`` with
    ``β = sqrt(2O / vᵀCv)``; it gains ``sqrt(2O vᵀCv)`` and spends all of O [essay].

    ``utility`` is ``(d,)`` or ``(R, d)``, ``power`` a scalar or ``(R,)`` in nats, ``covariance``
    as in `times`. Limits: a utility that is constant under the world (``vᵀCv = 0``) or no power
    moves nothing and spends nothing; the scale of v is immaterial from 1e-300 to 1e300 (β itself
    may then overflow to inf). A utility that is not finite raises ValueError; power is
    not checked here: the worlds do.

    >>> t = linear_tilt(np.array([[3.0, 4.0]]), 0.5)
    >>> t.shift, t.spent, t.gain
    (array([[0.6, 0.8]]), array([0.5]), array([5.]))
    """
    push, variance, scale = _push(utility, covariance)
    stride, beta, spent, gain = _strides(variance, scale, power)
    return LinearTilt(stride[..., None] * push, beta, spent, gain)


def linear_tilts(
    utilities: Sequence[Array], powers: Array, covariance: Array | None = None
) -> Iterator[LinearTilt]:
    """Yield the tilt by each of some utilities ``(R, d)``, with ``powers (n, R)`` nats.

    What `linear_tilt` returns of each, with less to do for one of many.
    """
    pushes = [_push(utility, covariance) for utility in utilities]
    variances = np.stack([variance for _, variance, _ in pushes])
    scales = np.stack([np.broadcast_to(k, one.shape) for _, one, k in pushes])
    made = zip(pushes, *_strides(variances, scales, powers), strict=True)
    for (push, _, _), stride, beta, spent, gain in made:
        yield LinearTilt(stride[..., None] * push, beta, spent, gain)


def _strides(
    variance: Array, scale: Array | float, power: Array | float
) -> tuple[Array, Array, Array, Array]:
    """Return the shift in units of `_push`'s vector, β, nats spent and gain of a tilt."""
    spent = np.where(variance > 0.0, power, 0.0)
    root, reach = np.sqrt(np.where(variance > 0.0, variance, 1.0)), np.sqrt(2.0 * spent)
    stride = reach / root
    with np.errstate(over="ignore"):
        return stride, stride / scale, spent, reach * root * scale


def stride_towards(distance2: Array, power: Array | float) -> tuple[Array, Array]:
    """Return how much of the way to a target mean a power buys, and the nats it takes.

    The verb with utility ``ln(P_target/Q)`` between Gaussians of one covariance, stopped at the
    target: ``β = min(1, sqrt(2O / Δ²))``, ``spent = ½ β² Δ²`` where ``Δ² = Δᵀ C⁻¹ Δ`` is given as
    ``distance2 (R,)``. At the target already (Δ² = 0) the way is complete and nothing is spent. A
    target out of reach by no more than rounding (1e-12 of the power) counts as reached, so that a
    power that exactly suffices leaves exactly nothing.

    >>> stride_towards(np.array([8.0, 1.0, 0.0]), 1.0)
    (array([0.5, 1. , 1. ]), array([1. , 0.5, 0. ]))
    """
    reach = 2.0 * np.asarray(power, dtype=np.float64)
    enough = distance2 <= reach * (1.0 + _ROUNDING)
    beta = np.where(enough, 1.0, np.sqrt(reach / np.where(enough, 1.0, distance2)))
    return beta, np.where(enough, np.minimum(0.5 * distance2, power), power)


def _push(utility: Array, covariance: Array | None) -> tuple[Array, Array, Array | float]:
    """Return ``Cv/k``, ``vᵀCv/k²`` and k; k is 1 unless squares would leave the float range."""
    with np.errstate(over="ignore", invalid="ignore"):
        push = times(covariance, utility)
        variance = np.vecdot(utility, push)
    ordinary = (variance > _TINY) & (variance < _HUGE)
    if ordinary.all():
        return push, variance, 1.0
    largest = np.abs(utility).max(axis=-1)
    if not np.all(largest < np.inf):
        raise ValueError("utilities must be finite")
    scale = np.where(ordinary | (largest == 0.0), 1.0, largest)
    unit = utility / scale[..., None]
    push = times(covariance, unit)
    return push, np.vecdot(unit, push), scale
