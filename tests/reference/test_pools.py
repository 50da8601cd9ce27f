"""Log-linear pools of agents [lee-2025], by worlds and by agents, to the digits given.

A belief is a distribution over outcomes, whose utility is its logarithm. An agent's welfare gap is
``Δ = E_P[log p] − E_p[log p]`` in the pool P. Each number has a negative control.
"""

import numpy as np
import pytest

import sumabm
from sumabm import DiscreteWorld
from sumabm.model import SUMModel


def gap(pool, agent):
    """Return the welfare gap of an agent with belief p."""
    table = agent.log_probabilities
    return float(pool.expect(table) - agent.expect(table))


def outcomes(probabilities, **agents):
    """Return a scenario of a world of outcomes, of AIs that tilt it: (utility, nats) by name."""
    ais = {
        name: {"role": "ai", "power": nats, "utility": {"kind": "table", "values": list(table)}}
        for name, (table, nats) in agents.items()
    }
    human = {"role": "human", "power": 0.0, "response": "none"}
    return sumabm.Scenario.model_validate({
        "scenario": "outcomes",
        "steps": 1,
        "world": {"kind": "states", "probabilities": list(probabilities), "utilities": "free"},
        "agents": {**ais, "Y": human},
    })  # fmt: skip


def after(scenario, **overrides):
    """Return the probabilities of the outcomes once its AIs have acted."""
    model = SUMModel(scenario, **overrides)
    model.step()
    return np.ravel(model.acted.probabilities)


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
    alone = [DiscreteWorld(after(outcomes(base, **{name: acts[name]}))) for name in acts]
    pool = DiscreteWorld.pool([*alone, DiscreteWorld(base)], [1.0, 1.0, -1.0]).probabilities
    together = after(outcomes(base, **acts), activation="simultaneous")
    np.testing.assert_allclose(together, pool, rtol=1e-10)
    assert not np.allclose(after(outcomes(base, **acts)), pool, rtol=1e-3)


# --- welfare gaps -------------------------------------------------------------------------------


def test_linear_pools_please_nobody_on_average():
    one = DiscreteWorld([0.6, 0.3, 0.1])
    two = DiscreteWorld.pool([one], [2.0])
    linear = DiscreteWorld(0.5 * one.probabilities + 0.5 * two.probabilities)
    mean = 0.5 * gap(linear, one) + 0.5 * gap(linear, two)
    assert mean == pytest.approx(-0.053138263890808, abs=1e-14)
    wrong = DiscreteWorld.pool([one, two], [0.5, 0.5])  # the log-linear one
    assert abs(0.5 * gap(wrong, one) + 0.5 * gap(wrong, two) - mean) > 1e-3


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


def test_a_parent_gains_from_its_pool():
    parent = DiscreteWorld([0.6, 0.3, 0.1])
    assert gap(DiscreteWorld.pool([parent], [1.5]), parent) == pytest.approx(
        0.1289745781560656, abs=1e-13
    )
    assert gap(DiscreteWorld.pool([parent], [1.6]), parent) > 0.13


def test_a_tilted_child_gains_less_than_its_parent():
    """Theorem 14, λ = 1, α = 0.4: the child is an AI's act, of the nats that β = (1 − α)λ costs."""
    parent = np.array([0.6, 0.3, 0.1])
    pool = DiscreteWorld.pool([DiscreteWorld(parent)], [1.5])
    away = np.array([-1.0, 0.0, 0.0])
    gaps = {}
    for beta in (0.6, 1.0):
        child = parent * np.exp(beta * away)
        child /= child.sum()
        nats = float(child @ np.log(child / parent))
        assert float(DiscreteWorld(parent).tilt(away, nats).beta) == pytest.approx(beta, rel=1e-10)
        act = after(outcomes(parent, A=(away, nats)))
        gaps[beta] = gap(pool, DiscreteWorld(act))
    assert gaps[0.6] == pytest.approx(0.121524697612, abs=1e-11)
    assert abs(gaps[1.0] - 0.121524697612) > 1e-3  # without the share 1 − α


def test_three_outcomes_allow_unanimity():
    one, two = DiscreteWorld([0.899, 0.1, 0.001]), DiscreteWorld([0.899, 0.001, 0.1])
    pool = DiscreteWorld.pool([one, two], [0.5, 0.5])
    linear = DiscreteWorld([0.899, 0.0505, 0.0505])
    for agent in (one, two):
        assert gap(pool, agent) == pytest.approx(0.12850836893881, abs=1e-13)
        assert gap(linear, agent) < 0.0


def test_two_outcomes_allow_none():
    rng = np.random.default_rng(1)
    for p, q, w in rng.uniform(0.01, 0.99, (200, 3)):
        agents = [DiscreteWorld([p, 1 - p]), DiscreteWorld([q, 1 - q])]
        pool = DiscreteWorld.pool(agents, [w, 1 - w])
        assert min(gap(pool, agent) for agent in agents) <= 1e-12


# --- suppressing an event -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "fall"),
    [((-1.0, 1.0, -1.0, 1.0), 0.0498326032992), ((-3.0, 1.0, 1.0, 1.0), 0.0828956086491)],
)
def test_an_agent_suppresses_an_event_on_a_small_budget(direction, fall):
    for nats, agrees in ((0.02, True), (0.021, False)):
        seen = 0.25 - after(outcomes([0.25] * 4, A=(direction, nats)))[0]
        assert bool(seen == pytest.approx(fall, abs=1e-12)) is agrees
