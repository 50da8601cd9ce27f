"""Log-linear pools of agents [lee-2025], by worlds and by agents; numbers are in `test_claims`."""

import numpy as np
import pytest

from sumabm import DiscreteWorld
from sumabm.science.pools import PARENT, after, gap, outcomes

# --- pools add natural parameters --------------------------------------------------------------


def test_a_pool_adds_weighted_natural_parameters():
    """Of agents p_i ∝ P exp(η_i): ∏ p_i^{w_i} ∝ P exp(Σ w_i η_i), w of sum 1."""
    base = np.array([0.4, 0.3, 0.2, 0.1])
    eta = np.array([[1.0, 0.0, 2.0, -1.0], [0.0, 1.0, 0.5, 3.0]])
    agents = [DiscreteWorld(p / p.sum()) for p in base * np.exp(eta)]
    pool = DiscreteWorld.pool(agents, [0.3, 0.7]).probabilities
    expected = base * np.exp(0.3 * eta[0] + 0.7 * eta[1])
    np.testing.assert_allclose(pool, expected / expected.sum(), rtol=1e-12)
    wrong = base * np.exp(0.7 * eta[0] + 0.3 * eta[1])
    assert not np.allclose(pool, wrong / wrong.sum(), rtol=1e-2)
    linear = 0.3 * agents[0].probabilities + 0.7 * agents[1].probabilities
    assert not np.allclose(pool, linear, rtol=1e-2)


def test_agents_that_act_at_once_are_a_pool_of_what_each_would_do():
    """∏ Q_i / P^{n−1}: a pool, with the base world counted off; acting in turn is none."""
    base = [0.4, 0.3, 0.2, 0.1]
    acts = {"A": ([1.0, 0.0, 2.0, -1.0], 0.1), "B": ([0.0, 1.0, 0.5, 3.0], 0.2)}
    alone = [DiscreteWorld(after(outcomes(base, {name: acts[name]}))) for name in acts]
    pool = DiscreteWorld.pool([*alone, DiscreteWorld(base)], [1.0, 1.0, -1.0]).probabilities
    together = after(outcomes(base, acts), activation="simultaneous")
    np.testing.assert_allclose(together, pool, rtol=1e-10)
    assert not np.allclose(after(outcomes(base, acts)), pool, rtol=1e-3)


# --- welfare gaps -------------------------------------------------------------------------------


def test_no_linear_pool_pleases_its_agents_on_average():
    """Nor can it; one that is sharper than they are does."""
    rng = np.random.default_rng(2)
    beliefs, weights = rng.dirichlet(np.ones(4), (200, 3)), rng.dirichlet(np.ones(3), 200)
    means = {1.0: [], 3.0: []}
    for tables, w in zip(beliefs, weights, strict=True):
        agents, linear = [DiscreteWorld(p) for p in tables], DiscreteWorld(w @ tables)
        for sharpness, found in means.items():
            pool = DiscreteWorld.pool([linear], [sharpness])
            found.append(sum(s * gap(pool, one) for s, one in zip(w, agents, strict=True)))
    assert max(means[1.0]) <= 1e-12
    assert max(means[3.0]) > 0.1


def test_a_child_is_an_act_of_the_nats_that_its_tilt_costs():
    """Theorem 14 with λ = 1, α = 0.4 tilts it by β = (1 − α)λ."""
    away = np.array([-1.0, 0.0, 0.0])
    child = np.array(PARENT) * np.exp(0.6 * away)
    child /= child.sum()
    nats = float(child @ np.log(child / PARENT))
    assert float(DiscreteWorld(PARENT).tilt(away, nats).beta) == pytest.approx(0.6, rel=1e-10)
    np.testing.assert_allclose(after(outcomes(PARENT, {"A": (away, nats)})), child, rtol=1e-10)


def test_three_outcomes_allow_unanimity_in_a_log_linear_pool_alone():
    one, two = DiscreteWorld([0.899, 0.1, 0.001]), DiscreteWorld([0.899, 0.001, 0.1])
    pool = DiscreteWorld.pool([one, two], [0.5, 0.5])
    linear = DiscreteWorld([0.899, 0.0505, 0.0505])
    for agent in (one, two):
        assert gap(linear, agent) < 0.0 < gap(pool, agent)


def test_two_outcomes_allow_none():
    rng = np.random.default_rng(1)
    for p, q, w in rng.uniform(0.01, 0.99, (200, 3)):
        agents = [DiscreteWorld([p, 1 - p]), DiscreteWorld([q, 1 - q])]
        pool = DiscreteWorld.pool(agents, [w, 1 - w])
        assert min(gap(pool, agent) for agent in agents) <= 1e-12
