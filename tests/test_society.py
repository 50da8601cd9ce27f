"""Societies against their closed forms: copies and strangers, humans who disagree, consensus."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere, theory
from sumabm.model import SUMModel
from sumabm.theory.society import consensus_weights, effective_power

POWER = 0.5


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def family(n, likeness, power=POWER):
    """Return overrides that make n AIs of ``unopposed``."""
    utility = {"kind": "kin", "family": "ais", "likeness": likeness}
    spec = {"role": "ai", "power": power, "utility": utility}
    return {"agents.X": spec, **{f"agents.X{i}": spec for i in range(1, n)}}


def society(n, likeness, replicates, d=50, **more):
    overrides = {**family(n, likeness), "world.dimensions": d, **more}
    return sumabm.simulate("unopposed", replicates, seed=6, steps=1, overrides=overrides)


# --- effective power ---------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
@pytest.mark.parametrize("n", [1, 3, 10])
def test_copies_act_as_the_square_of_their_number(n, activation):
    run = society(n, 1.0, 5, activation=activation)
    expected = float(effective_power(np.full(n, POWER), 1.0))
    assert expected == pytest.approx(n**2 * POWER)
    np.testing.assert_allclose(run["joint_spent"].values, expected, rtol=1e-12)
    assert n == 1 or abs(expected - n * POWER) > 0.5


@pytest.mark.parametrize("likeness", [0.0, 0.4])
@pytest.mark.parametrize("n", [3, 10])
def test_kin_act_on_average_by_their_mean_cosine(n, likeness):
    spent = society(n, likeness, 800)["joint_spent"].values
    assert z(spent, float(effective_power(np.full(n, POWER), likeness))) < 4
    assert z(spent, POWER * (1.2 * n + n * n * likeness)) > 4


@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
def test_unequal_ais_act_by_their_own_cosines(activation):
    """Exact in every replicate, given the utilities; also in a correlated world."""
    more = {
        "activation": activation,
        "world": {"kind": "gaussian", "dimensions": 4, "covariance": [1.0, 2.0, 0.5, 3.0]},
        "agents.A": {"role": "ai", "power": 2.0},
        "agents.B": {"role": "ai", "power": 0.1},
    }
    model = SUMModel("unopposed", 20, 1, **more)
    aims = np.stack([ai.subject.aim for ai in model.ais.values()], axis=1)
    cosines = np.einsum("rid,rjd->rij", aims, aims)
    powers = [ai.spec.power.nats(0) for ai in model.ais.values()]
    model.step()
    expected = effective_power(powers, np.clip(cosines, -1.0, 1.0))
    np.testing.assert_allclose(model.row["joint_spent"], expected, rtol=1e-12)
    assert not np.allclose(expected, np.sum(powers), rtol=1e-2)


def test_effective_power_of_what_cannot_be():
    with pytest.raises(ValueError, match="negative"):
        effective_power([1.0, 1.0, 1.0], -0.9)
    with pytest.raises(ValueError, match="shape"):
        effective_power([1.0, 1.0, 1.0], np.eye(2))
    with pytest.raises(ValueError, match="cosines must lie"):
        effective_power([1.0, 1.0], 1.5)
    with pytest.raises(ValueError, match="powers"):
        effective_power([1.0, -1.0], 0.0)
    assert effective_power([1.0, 1.0], -1.0) == 0.0
    assert effective_power(3.0, 0.0) == pytest.approx(3.0)
    assert effective_power(np.ones((4, 1, 2)), np.zeros((3, 1, 1)) + np.eye(2)).shape == (4, 3)


# --- the harm they do --------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 10])
@pytest.mark.parametrize("likeness", [0.0, 1.0])
def test_harm_is_that_of_one_ai_of_the_effective_power(n, likeness):
    """``E[(1 − c)²] · residual²``, c random: exact for copies, to O(1/d) for strangers."""
    d, human = 200, 0.25
    more = {"agents.Y.power": human, "agents.Y.response": "undo"}
    run = society(n, likeness, 600, d=d, **more)
    effective = effective_power(np.full(n, POWER), likeness)
    unit = theory.mean_power(d, 0.0, "regret", 1.0)
    harm, left = run["harm"].values, run["displacement"].values
    assert z(harm, float(unit * theory.residual(effective, human) ** 2)) < 4
    exact = theory.residual(run["joint_spent"].values, human) ** 2
    np.testing.assert_allclose(left, exact, rtol=1e-9)
    if n > 1:
        for wrong in (POWER, n**1.5 * POWER, n ** (2 - likeness) * POWER * 1.1):
            assert z(harm, float(unit * theory.residual(wrong, human) ** 2)) > 4


def test_copies_against_strangers_of_the_same_total_power():
    """The shipped pair: at first, then on the way to alignment."""
    copies, strangers = (sumabm.simulate(name, 60, 4, 60) for name in ("copies", "strangers"))
    powers = np.full(5, 0.4)
    many, few = float(effective_power(powers, 1.0)), float(effective_power(powers, 0.0))
    np.testing.assert_allclose(copies["joint_spent"].values, many)
    assert z(strangers["joint_spent"].values[:, 0], few) < 4
    assert z(strangers["joint_spent"].values[:, 0], many) > 4
    c = copies["alignment"].sel(agent="X1").values
    for assumed, agrees in ((many, True), (few, False)):
        amplitude = (1.0 - c) * theory.residual(assumed, 1.0)
        assert np.allclose(copies["harm_amplitude"].values, amplitude) is agrees
    total = [run["cumulative_harm"].values[:, -1].mean() for run in (copies, strangers)]
    assert total[0] > 20 * total[1]


def test_strangers_become_alike_as_they_are_aligned():
    """Of mean cosine ``⟨c⟩²``, so that they act as ``O (n + n(n − 1) ⟨c⟩²)``."""
    run = sumabm.simulate("strangers", 200, 4, 101, overrides={"agents.X.utility": "fixed"})
    budget = np.arange(101) / 5.0  # the human's nat a step, shared by five
    c = theory.alignment(100, budget)
    for t in (0, 50, 100):
        spent = run["joint_spent"].values[:, t]
        assert z(spent, float(effective_power(np.full(5, 0.4), c[t] ** 2))) < 4
        assert z(spent, float(effective_power(np.full(5, 0.5), c[t] ** 2))) > 4
    assert sphere.nats(100, c[100]) == pytest.approx(budget[100])


def test_humans_who_disagree_are_harmed_by_an_ai_that_serves_their_mean():
    """Mean amplitude ``(1 − c|m|) · residual``, m the mean of their aims: |m|² (1 + 2ρ)/3."""
    more = {f"agents.Y{i}.response": "undo" for i in (1, 2, 3)} | {"agents.X.power": 4.0}
    run = sumabm.simulate("disagreeing-humans", 600, seed=2, steps=40, overrides=more)
    model = SUMModel("disagreeing-humans", 600, 2)
    mean = sum(human.aim for human in model.humans.values()) / 3
    length = np.sqrt(np.vecdot(mean, mean))
    assert z(length**2, float(effective_power(np.full(3, 1 / 9), 0.5))) < 4
    assert z(length**2, float(effective_power(np.full(3, 1 / 9), 0.6))) > 4
    c = run["alignment"].sel(agent="X").values
    left = np.sqrt(4.0) - 3 * np.sqrt(0.25)
    np.testing.assert_allclose(run["harm_amplitude"].values, (1 - c * length[:, None]) * left)
    assert run["harm_amplitude"].values[:, -1].mean() > (1 - np.sqrt(2 / 3)) * left


# --- consensus ---------------------------------------------------------------------------------


def shared(weights, utilities, rate, rounds):
    for _ in range(rounds):
        utilities = utilities + rate * (weights @ utilities - weights.sum(1)[:, None] * utilities)
    return utilities


def test_sharing_utilities_ends_at_the_stationary_mean():
    rng = np.random.default_rng(5)
    weights = rng.uniform(size=(7, 7)) * (rng.uniform(size=(7, 7)) < 0.5)
    weights[np.arange(7), (np.arange(7) + 1) % 7] += 0.1  # a ring, so that all hear of all
    start = rng.standard_normal((7, 4))
    pi = consensus_weights(weights)
    for rate in (0.3, 0.1):
        end = shared(weights, start, rate / weights.sum(1).max(), 5000)
        np.testing.assert_allclose(end, np.tile(pi @ start, (7, 1)), rtol=1e-9)
    assert not np.allclose(end[0], start.mean(axis=0), rtol=0.05)
    assert not np.allclose(end[0], consensus_weights(weights.T) @ start, rtol=0.05)


def test_consensus_weights_of_known_societies():
    rng = np.random.default_rng(6)
    both = rng.uniform(size=(9, 9))
    both = both + both.T
    np.testing.assert_allclose(consensus_weights(both), 1 / 9)  # equal regard: all count the same
    degree = both.sum(axis=1) - np.diag(both)
    heed = (both - np.diag(np.diag(both))) / degree[:, None]
    np.testing.assert_allclose(consensus_weights(heed), degree / degree.sum())
    np.testing.assert_allclose(consensus_weights(heed) @ heed, consensus_weights(heed))
    leader = np.zeros((4, 4))
    leader[1:, 0] = [1.0, 1e-8, 1e8]
    leader[3, 1] = 2.0
    np.testing.assert_allclose(consensus_weights(leader), [1, 0, 0, 0], atol=1e-12)
    assert consensus_weights([[0.0]]) == [1.0]


def test_consensus_that_cannot_be():
    apart = np.kron(np.eye(2), np.ones((2, 2)))
    two_leaders = np.array([[0.0, 0, 0], [1, 0, 1], [0, 0, 0]])
    for weights in (apart, two_leaders, np.zeros((2, 2))):
        with pytest.raises(ValueError, match="heard by all"):
            consensus_weights(weights)
    with pytest.raises(ValueError, match="weights"):
        consensus_weights([[0.0, -1.0], [1.0, 0.0]])
    for shape in ((2, 3), (3,), (0, 0)):
        with pytest.raises(ValueError, match="shape"):
            consensus_weights(np.ones(shape))
    with pytest.raises(ValueError, match="finite"):
        consensus_weights([[0.0, np.inf], [1.0, 0.0]])
