"""Many agents: AIs that act alike, where shared utilities end, and where an arms race does."""

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


def arms_race(
    powers: ArrayLike,
    weights: ArrayLike,
    reaction: float,
    fatigue: float,
    grievance: ArrayLike,
    steps: int,
) -> Array:
    """Return the powers ``(steps + 1, n)`` of an arms race, nats, after 0, 1, … steps.

    ``O ← O + k W O − f O + g`` [richardson-1960] from ``powers (n,)``: ``weights`` W ``(n, n)`` how
    much i minds what j has (what is on the diagonal does nothing), k the ``reaction`` and f, up to
    1, the ``fatigue`` per step, g the ``grievance``, one or ``(n,)``. Negative or infinite values
    and wrong shapes raise ValueError.

    >>> arms_race([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]], 0.5, 0.25, 0.0, 2).round(12)
    array([[1.    , 0.    ],
           [0.75  , 0.5   ],
           [0.8125, 0.75  ]])
    """
    start = checked("an amount", "powers", powers)
    gain, g = _race(weights, reaction, fatigue, grievance)
    if start.shape != g.shape or not np.isfinite(start).all():
        raise ValueError(f"powers must be finite, ({g.size},); got shape {start.shape}")
    path = [start]
    for _ in range(steps):
        path.append(path[-1] + gain @ path[-1] + g)
    return np.stack(path)


def arms_race_end(
    weights: ArrayLike, reaction: float, fatigue: float, grievance: ArrayLike
) -> Array:
    """Return ``(f − kW)⁻¹ g``, nats ``(n,)``: the powers that an arms race tends to.

    From wherever it begins; arguments as in `arms_race`. One whose spectral radius of kW is not
    below f tends to nothing, and raises ValueError, as other values that `arms_race` refuses do.

    >>> arms_race_end([[0.0, 1.0], [1.0, 0.0]], 0.1, 0.3, [1.0, 0.0]).round(12)
    array([3.75, 1.25])
    """
    gain, g = _race(weights, reaction, fatigue, grievance)
    growth = float(np.linalg.eigvals(gain).real.max())  # that of kW, which is its radius, less f
    if growth >= -1e-12 * fatigue:  # no more than rounding below
        radius = growth + fatigue
        raise ValueError(f"the race has no end: k times W's spectral radius is {radius:g} ≥ f")
    return np.asarray(np.linalg.solve(-gain, g))


def _race(
    weights: ArrayLike, reaction: float, fatigue: float, grievance: ArrayLike
) -> tuple[Array, Array]:
    """Return ``kW − f (n, n)`` and g ``(n,)``, checked."""
    w = checked("an amount", "weights", weights)
    if w.ndim != 2 or w.shape[0] != w.shape[1] or not w.size or not np.isfinite(w).all():
        raise ValueError(f"weights must be finite, (n, n); got shape {w.shape}")
    g = checked("an amount", "grievance", grievance)
    if g.shape not in ((), (len(w),)) or not np.isfinite(g).all():
        raise ValueError(f"grievance must be finite, one or ({len(w)},); got shape {g.shape}")
    k, f = checked("an amount", "reaction", reaction), checked("a cosine", "fatigue", fatigue)
    if not np.isfinite(k):
        raise ValueError(f"reaction must be finite; got {reaction}")
    w = np.where(np.eye(len(w), dtype=bool), 0.0, w)
    return k * w - f * np.eye(len(w)), np.broadcast_to(g, (len(w),))


def _heard_by_all(heeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which agents all others hear, directly or through others, ``(n,)``."""
    reach = (heeds | np.eye(len(heeds), dtype=bool)).astype(np.float64)
    for _ in range(int(np.ceil(np.log2(len(heeds)))) + 1):
        reach = np.minimum(reach @ reach, 1.0)
    return np.asarray((reach > 0.0).all(axis=0))
