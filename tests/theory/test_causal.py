"""Closed forms of causal worlds: against sampling, general formulas and each other."""

import numpy as np
import pytest
from scipy import optimize

from sumabm import theory

FORK = np.array([[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [-2.0, 0.4, 0.0]])  # 0 → 1 → 2, 0 → 2
NOISE = np.array([1.0, 0.5, 2.0])
POWER = 1.7


def model(seed):
    """Return B (nodes in no causal order), Ω, several utilities and actuators."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(3, 9))
    lower = np.tril(rng.normal(size=(d, d)) * (rng.random((d, d)) < 0.6), -1)
    order = rng.permutation(d)
    actuators = rng.choice(d, size=int(rng.integers(1, d)), replace=False).tolist()
    return lower[np.ix_(order, order)], rng.uniform(0.3, 2, d), rng.normal(size=(5, d)), actuators


models = pytest.mark.parametrize("seed", range(20))


def test_by_hand():
    v = np.array([0.0, 0.0, 1.0])
    np.testing.assert_allclose(theory.causal_effects(FORK, v), [-1.4, 0.4, 1.0])
    variance = 1.96 + 0.16 * 0.5 + 2.0
    np.testing.assert_allclose(theory.evidential_gain(FORK, NOISE, v, 0.5), np.sqrt(variance))
    np.testing.assert_allclose(theory.soft_gain(FORK, NOISE, v, 0.5, [1]), 0.4 * np.sqrt(0.5))
    np.testing.assert_allclose(theory.actuator_share(FORK, NOISE, v, [1]), 0.08 / variance)
    # cut off from node 0, which adds 1.5 s₀ of variance 2.25 to noise of 0.5
    np.testing.assert_allclose(theory.severing_cost(FORK, NOISE, [1]), 2.25)
    np.testing.assert_allclose(theory.hard_gain(FORK, NOISE, v, 2.75, [1]), 0.4 * np.sqrt(0.5))
    # E[s₂ | s₁] = s₁ Cov/Var = s₁ (0.4 · 2.75 − 2 · 1.5)/2.75
    believed = 1.9 / np.sqrt(2.75)
    np.testing.assert_allclose(theory.news_belief(FORK, NOISE, v, 0.5, [1]), believed)
    np.testing.assert_allclose(theory.news_gain(FORK, NOISE, v, 0.5, [1]), -0.4 * np.sqrt(0.5))


@models
def test_the_covariance_solves_the_equations(seed):
    weights, noise, _, _ = model(seed)
    equations = np.eye(len(noise)) - weights
    back = equations @ theory.causal_covariance(weights, noise) @ equations.T
    np.testing.assert_allclose(back, np.diag(noise), atol=1e-9)


@models
def test_gains_are_ordered(seed):
    weights, noise, v, actuators = model(seed)
    given = (weights, noise, v, POWER, actuators)
    soft, whole = theory.soft_gain(*given), theory.evidential_gain(*given[:4])
    assert np.all(theory.news_gain(*given) <= soft * (1 + 1e-12))
    assert np.all(soft <= whole)
    assert np.all(theory.news_belief(*given) <= whole * (1 + 1e-12))
    assert np.all(theory.hard_gain(*given) <= soft)
    share = theory.actuator_share(weights, noise, v, actuators)
    np.testing.assert_allclose((soft / whole) ** 2, share)


@models
def test_nothing_outside_causes_the_actuators(seed):
    """Then news are effects: all causes of an actuator are actuators."""
    weights, noise, v, actuators = model(seed)
    ways = np.linalg.inv(np.eye(len(noise)) - np.abs(weights)) > 0.0
    ancestors = np.flatnonzero(ways[actuators].any(axis=0)).tolist()
    given = (weights, noise, v, POWER, ancestors)
    np.testing.assert_allclose(theory.news_gain(*given), theory.soft_gain(*given), rtol=1e-9)
    np.testing.assert_allclose(theory.news_belief(*given), theory.soft_gain(*given), rtol=1e-9)


@models
def test_the_price_of_a_cut_is_a_divergence(seed):
    """`severing_cost` is the KL divergence of the cut world from the whole one."""
    weights, noise, _, actuators = model(seed)
    cut = weights.copy()
    cut[actuators] = 0.0
    after, before = (theory.causal_covariance(each, noise) for each in (cut, weights))
    inverse = np.linalg.inv(before)
    logs = np.linalg.slogdet(before)[1] - np.linalg.slogdet(after)[1]
    general = 0.5 * (np.trace(inverse @ after) - len(noise) + logs)
    price = theory.severing_cost(weights, noise, actuators)
    np.testing.assert_allclose(price, general, rtol=1e-9, atol=1e-10)


def test_moments_of_the_world_before_give_another_price():
    """Negative control: where actuators cause each other, it is the moments after that count."""
    weights, noise = np.array([[0.0, 0, 0], [2.0, 0, 0], [0, 1.0, 0]]), np.ones(3)
    before = theory.causal_covariance(weights, noise)
    wrong = 0.5 * sum(weights[j] @ before @ weights[j] for j in (1, 2))
    assert theory.severing_cost(weights, noise, [1, 2]) == pytest.approx(0.5 * (4.0 + 1.0))
    assert wrong == pytest.approx(0.5 * (4.0 + 5.0))


@models
def test_the_best_shift_of_noise_by_an_optimiser(seed):
    weights, noise, v, actuators = model(seed)
    effects = theory.causal_effects(weights, v[0])[actuators]
    own = noise[actuators]
    found = optimize.minimize(
        lambda x: -effects @ x,
        0.1 * np.ones(len(own)),
        constraints={"type": "ineq", "fun": lambda x: POWER - 0.5 * x @ (x / own)},
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 300},
    )
    gain = theory.soft_gain(weights, noise, v[0], POWER, actuators)
    np.testing.assert_allclose(gain, -found.fun, rtol=1e-6)


@models
def test_news_by_regression(seed):
    """What it believes: E[u] under the marginal of s_A tilted by O, the rest following s_A."""
    weights, noise, v, actuators = model(seed)
    covariance = theory.causal_covariance(weights, noise)
    inner = covariance[np.ix_(actuators, actuators)]
    slopes = np.linalg.solve(inner, covariance[actuators] @ v[0])
    root = np.linalg.cholesky(inner)
    ways = np.random.default_rng(0).normal(size=(4000, len(actuators)))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    best = (np.sqrt(2.0 * POWER) * ways @ root.T @ slopes).max()
    believed = theory.news_belief(weights, noise, v[0], POWER, actuators)
    assert best <= believed * (1.0 + 1e-12)
    whitened = root.T @ slopes
    np.testing.assert_allclose(believed, np.sqrt(2.0 * POWER) * np.linalg.norm(whitened))


def test_a_hard_intervention_out_of_reach_gains_nothing():
    v = np.array([0.0, 0.0, 1.0])
    gains = theory.hard_gain(FORK, NOISE, v, np.array([0.0, 2.25, 2.26]), [1])
    assert gains[:2].tolist() == [0.0, 0.0]
    assert gains[2] > 0.0


def test_no_news_in_the_actuators_is_no_act():
    v = np.array([0.0, 1.0, 0.0])
    weights = np.zeros((3, 3))
    assert theory.news_gain(weights, NOISE, v, 1.0, [0]) == 0.0
    assert theory.news_belief(weights, NOISE, v, 1.0, [0]) == 0.0


@pytest.mark.parametrize(
    ("weights", "noise", "power", "message"),
    [
        (np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones(2), 1.0, "no cycle"),
        (np.eye(2), np.ones(2), 1.0, "no cycle"),
        (np.ones((2, 3)), np.ones(2), 1.0, r"must be \(d, d\)"),
        (np.array([[0.0, np.inf], [0.0, 0.0]]), np.ones(2), 1.0, "must be finite"),
        (np.zeros((2, 2)), np.array([1.0, 0.0]), 1.0, "noise must be above 0"),
        (np.zeros((2, 2)), np.ones(2), -1.0, "power must be 0 or more"),
    ],
)
def test_bad_values(weights, noise, power, message):
    with pytest.raises(ValueError, match=message):
        theory.evidential_gain(weights, noise, np.ones(2), power)
