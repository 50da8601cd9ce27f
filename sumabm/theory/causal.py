"""Acting through some nodes of a linear-Gaussian causal model, on a budget of the joint's nats.

``s = Bs + ε``, ``ε ~ N(0, Ω)``, Ω diagonal. ``weights (d, d)`` is B, acyclic: ``weights[i, j]`` is
what node j adds to node i; ``noise (d,)`` the diagonal of Ω; ``utility (…, d)`` the v of
``u = v·s``; ``actuators`` the places of the nodes acted on; ``power`` nats. ``L = (I − B)⁻¹``,
``C = LΩLᵀ``, and ``w = Lᵀv`` are the causal effects. All raise ValueError for values that make no
such model. [pearl-2009]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sumabm.theory.arguments import checked
from sumabm.types import Array


def causal_covariance(weights: Array, noise: Array) -> Array:
    """Return ``C = L Ω Lᵀ``, ``(d, d)``.

    >>> causal_covariance(np.array([[0.0, 0.0], [2.0, 0.0]]), np.ones(2))
    array([[1., 2.],
           [2., 5.]])
    """
    effects = _total(weights)
    return np.asarray(effects * checked("positive", "noise", noise) @ effects.T)


def causal_effects(weights: Array, utility: Array) -> Array:
    """Return ``w = Lᵀv``, ``(…, d)``: what a unit of each node's noise adds to u.

    >>> causal_effects(np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([0.0, 1.0]))
    array([2., 1.])
    """
    return np.asarray(utility @ _total(weights))


def evidential_gain(weights: Array, noise: Array, utility: Array, power: Array | float) -> Array:
    """Return ``sqrt(2O vᵀCv)``: what the joint tilt gains, by whatever noise it takes."""
    variance = np.vecdot(utility, utility @ causal_covariance(weights, noise))
    return np.sqrt(2.0 * checked("an amount", "power", power) * variance)


def soft_gain(
    weights: Array, noise: Array, utility: Array, power: Array | float, actuators: Sequence[int]
) -> Array:
    """Return ``sqrt(2O Σ_A w_j² Ω_jj)``: what the best shift of the actuators' noise gains."""
    felt = _felt(weights, noise, utility, actuators)
    return np.sqrt(2.0 * checked("an amount", "power", power) * felt)


def actuator_share(weights: Array, noise: Array, utility: Array, actuators: Sequence[int]) -> Array:
    """Return ``Σ_A w_j² Ω_jj / vᵀCv``: the actuators' share of Var u.

    The squared ratio of `soft_gain` to `evidential_gain`, at any power.
    """
    everything = range(len(noise))
    felt = (_felt(weights, noise, utility, nodes) for nodes in (actuators, everything))
    return np.asarray(next(felt) / next(felt))


def severing_cost(weights: Array, noise: Array, actuators: Sequence[int]) -> float:
    """Return ``c₀ = ½ Σ_A Var_Q b_j / Ω_jj``: the least nats of cutting off the actuators.

    ``b_j = Σ_k B_jk s_k`` is what its causes had added to actuator j, Q the world in which they no
    longer do. A point mass in place of ``N(m_j, Ω_jj)`` would cost infinitely many.
    """
    nodes = list(actuators)
    cut = np.array(weights, dtype=np.float64)
    cut[nodes] = 0.0
    parts = np.asarray(weights)[nodes]
    variance = np.einsum("ai,ij,aj->a", parts, causal_covariance(cut, noise), parts)
    return float(0.5 * np.sum(variance / np.asarray(noise)[nodes]))


def hard_gain(
    weights: Array, noise: Array, utility: Array, power: Array | float, actuators: Sequence[int]
) -> Array:
    """Return ``sqrt(2(O − c₀)₊ Σ_A w_j² Ω_jj)``: what the best hard intervention gains.

    It cuts the actuators off from their causes and sets their means. Means in the cut world obey
    the same equations, with shifted noise, as in the whole one, so that beyond the price c₀ of
    `severing_cost` it is a soft intervention.
    """
    left = checked("an amount", "power", power) - severing_cost(weights, noise, actuators)
    return soft_gain(weights, noise, utility, np.maximum(left, 0.0), actuators)


def news_belief(
    weights: Array, noise: Array, utility: Array, power: Array | float, actuators: Sequence[int]
) -> Array:
    """Return ``sqrt(2O Var E[u | s_A])``: what an agent that acts by news believes it gains.

    ``Var E[u | s_A] = vᵀ C_·A C_AA⁻¹ C_A· v``: it tilts the marginal of s_A, keeps P(rest | s_A).
    """
    nodes = list(actuators)
    covariance = causal_covariance(weights, noise)
    shift = utility @ covariance[:, nodes]
    known = np.vecdot(shift, np.linalg.solve(covariance[np.ix_(nodes, nodes)], shift.T).T)
    return np.sqrt(2.0 * checked("an amount", "power", power) * known)


def news_gain(
    weights: Array, noise: Array, utility: Array, power: Array | float, actuators: Sequence[int]
) -> Array:
    """Return ``sqrt(2O) (w_A·x) / sqrt(xᵀ Ω_A⁻¹ x)``, ``x = L_AA⁻¹ C_A· v``: what it does gain.

    Its act is the shift of the actuators' noise that moves s_A the way that looked best,
    ``C_A· v``, by O nats of the joint. At most `soft_gain`; equal to it and to `news_belief` where
    nothing outside A causes A; negative where news mislead; 0 where it sees no news in A.
    """
    nodes = list(actuators)
    shift = utility @ causal_covariance(weights, noise)[:, nodes]
    inner = _total(weights)[np.ix_(nodes, nodes)]
    pushes = np.linalg.solve(inner, shift.T).T
    effect = np.vecdot(causal_effects(weights, utility)[..., nodes], pushes)
    cost = np.vecdot(pushes, pushes / np.asarray(noise)[nodes])
    some = cost > 0.0
    ratio = np.where(some, effect / np.sqrt(np.where(some, cost, 1.0)), 0.0)
    return np.sqrt(2.0 * checked("an amount", "power", power)) * ratio


def _total(weights: Array) -> Array:
    """Return L; raises ValueError unless B is square, finite and nilpotent, as of no cycle."""
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"weights must be (d, d), got shape {matrix.shape}")
    if not np.all(np.isfinite(matrix)):
        raise ValueError("weights must be finite")
    ways = (matrix != 0.0).astype(np.float64)
    for _ in range(len(matrix).bit_length()):  # ways of 2, 4, 8, … edges: none beyond d
        ways = np.minimum(ways @ ways, 1.0)
    if ways.any():
        raise ValueError("weights must have no cycle")
    return np.asarray(np.linalg.inv(np.eye(len(matrix)) - matrix), dtype=np.float64)


def _felt(weights: Array, noise: Array, utility: Array, actuators: Sequence[int]) -> Array:
    """Return ``Σ_A w_j² Ω_jj``."""
    effects = causal_effects(weights, utility)[..., list(actuators)]
    return np.vecdot(effects, effects * checked("positive", "noise", noise)[list(actuators)])
