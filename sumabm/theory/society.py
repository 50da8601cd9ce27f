"""Many agents: the power of AIs that act alike, and where a society's shared utilities end."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sumabm.theory.arguments import checked
from sumabm.types import Array


def effective_power(powers: ArrayLike, cosines: ArrayLike) -> Array:
    """Return ``Σ_ij sqrt(O_i O_j) ρ_ij``: the power of one AI that acts as these do together.

    Linear tilts ``sqrt(2 O_i) v_i`` of a Gaussian world add, in any order or at once, and this is
    the KL divergence in nats of their sum: n copies of power O act as ``n² O``, strangers as
    ``n O``, cosines of mean ρ on average as ``O (n + n(n − 1) ρ)``. Elsewhere it holds to first
    order in the powers. ``powers`` is ``(…, n)`` nats; ``cosines`` ρ is one for all pairs, or
    ``(…, n, n)``, whose diagonal is not read. With shares w² for powers it is the squared length
    of a weighted mean of unit vectors. Values out of range, and cosines that no vectors have where
    that makes the sum negative, raise ValueError.

    >>> float(effective_power([4.0, 4.0, 4.0], 1.0)), float(effective_power([4.0, 4.0, 4.0], 0.0))
    (36.0, 12.0)
    """
    amplitudes = np.sqrt(checked("an amount", "powers", np.atleast_1d(powers)))
    rho = checked("a correlation", "cosines", cosines)
    n = amplitudes.shape[-1]
    if rho.ndim and rho.shape[-2:] != (n, n):
        raise ValueError(f"cosines must be one number or (…, {n}, {n}); got shape {rho.shape}")
    rho = np.where(np.eye(n, dtype=bool), 1.0, rho)
    total = np.einsum("...i,...ij,...j->...", amplitudes, rho, amplitudes)
    size = np.square(amplitudes.sum(axis=-1))
    if np.any(total < -1e-12 * size):
        raise ValueError("cosines must be those of vectors; got ones whose sum is negative")
    return np.asarray(np.maximum(total, 0.0))


def consensus_weights(weights: ArrayLike) -> Array:
    """Return π, ``(n,)`` of sum 1: agents who share utilities end at ``∝ Σ_i π_i v_i``.

    ``v_i ← v_i + λ Σ_j w_ij (v_j − v_i)``, ``weights`` w ``(n, n)`` how much i heeds j (what is on
    the diagonal does nothing). π solves ``π_j Σ_i w_ji = Σ_i π_i w_ij``: the stationary weights,
    which are the left eigenvector of a row-stochastic w, and don't depend on λ. It is reached for
    any ``0 < λ < 1/max_i Σ_j w_ij``. Weights that are negative, infinite or not square, and those
    by which no agent is heard by all (if through others) so that they never agree, raise
    ValueError.

    >>> consensus_weights(np.array([[0.0, 1.0], [0.5, 0.0]])).round(9)
    array([0.33333333, 0.66666667])
    """
    w = checked("an amount", "weights", weights)
    if w.ndim != 2 or w.shape[0] != w.shape[1] or not w.size or not np.isfinite(w).all():
        raise ValueError(f"weights must be finite, (n, n); got shape {w.shape}")
    w = np.where(np.eye(len(w), dtype=bool), 0.0, w)
    if not _heard_by_all(w > 0.0).any():
        raise ValueError("weights must let one agent at least be heard by all, if through others")
    balance = (np.diag(w.sum(axis=1)) - w) / max(w.max(), np.finfo(float).tiny)
    equations = np.vstack([balance.T[1:], np.ones(len(w))])  # one of them says nothing new
    stationary = np.linalg.solve(equations, np.eye(len(w))[-1])
    return np.maximum(stationary, 0.0)  # who is not heard has 0, to rounding


def _heard_by_all(heeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which agents all others hear, directly or through others, ``(n,)``."""
    reach = (heeds | np.eye(len(heeds), dtype=bool)).astype(np.float64)
    for _ in range(int(np.ceil(np.log2(len(heeds)))) + 1):
        reach = np.minimum(reach @ reach, 1.0)
    return np.asarray((reach > 0.0).all(axis=0))
