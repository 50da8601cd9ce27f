"""The reward learner against the exact law of its belief, and its limit."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere, theory
from sumabm.agents import turn_all
from sumabm.model import SUMModel
from sumabm.turns import Nudge, Rotation

LEARNER = "agents.X.utility"


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


@pytest.mark.parametrize(("d", "looks", "power"), [(2, 1, 0.6), (20, 1, 0.5), (20, 5, 0.5)])
def test_alignment_at_finite_d(d, looks, power):
    """E A_d(R|s|), R² = 2 n T O_Y, after T steps; at d = 2 not the limit."""
    overrides = {"world.dimensions": d, f"{LEARNER}.looks": looks, "agents.Y.power": power}
    run = sumabm.simulate("reward-learner", 3000, seed=3, steps=31, overrides=overrides)
    for time in (0, 1, 5, 30):
        x = 2.0 * looks * time * power / d
        seen = run["alignment"].sel(agent="X").values[:, time]
        assert z(seen, theory.expected_alignment(d, x)) < 4, time
        if time:
            assert z(seen, theory.expected_alignment(d, 1.5 * x)) > 4, time
            assert d > 2 or time < 5 or z(seen, theory.bayesian_alignment(x)) > 4, time


def test_harm_while_it_learns():
    """The mean of each step's harm is that of the beliefs, exact at finite d."""
    overrides = {"world.dimensions": 20, "agents.X.power": 4.0}
    run = sumabm.simulate("reward-learner", 3000, seed=4, steps=21, overrides=overrides)
    x = 2.0 * np.arange(21) / 20
    exact = theory.bayesian_expected_harm(20, x, theory.residual(4.0, 1.0))
    for time in (1, 5, 20):
        harm = run["harm"].values[:, time]
        assert z(harm, exact[time]) < 4
        assert z(harm, 1.1 * exact[time]) > 4


def test_it_goes_by_the_humans_power_of_each_step():
    """x = Σ 2 n O_Y,t / d over the steps that it saw."""
    powers = [2.0, 0.0, 1.0, 4.0]
    table = {"kind": "table", "values": powers, "beyond": "hold"}
    run = sumabm.simulate(
        "reward-learner", 3000, seed=6, steps=4,
        overrides={"world.dimensions": 20, "agents.Y.power": table},
    )  # fmt: skip
    seen = run["alignment"].sel(agent="X").values
    for time in range(4):
        x = 2.0 * sum(powers[:time]) / 20
        assert z(seen[:, time], theory.expected_alignment(20, x)) < 4
    assert (seen[:, 1] == seen[:, 2]).all()
    assert z(seen[:, 3], theory.expected_alignment(20, 2.0 * sum(powers) / 20)) > 4


def test_it_is_as_certain_as_it_should_be():
    """What it expects is what is, on average; and E A_d(κ) is the mean alignment."""
    model = SUMModel("reward-learner", 4000, 7, steps=21, **{"world.dimensions": 20})
    assert (model.ais["X"].certainty["X"] == 0.0).all()
    while model.running:
        model.step()
        if model.steps not in (1, 5, 20):
            continue
        certain = model.ais["X"].certainty["X"]
        truth = np.vecdot(model.ais["X"].subject.aim, model.goal)
        assert z(truth - certain, 0.0) < 4
        assert z(truth - 1.1 * certain, 0.0) > 4
        exact = theory.expected_alignment(20, 2.0 * model.steps / 20)
        assert z(certain, exact) < 4


@pytest.mark.parametrize("kind", ["rotation", "nudge"])
def test_edits_turn_its_belief_and_it_goes_on_from_there(kind):
    """The belief has the aim's direction at all times, and keeps its concentration when turned."""
    model = SUMModel("reward-learner", 50, 5, **{"world.dimensions": 10})
    ai = model.ais["X"]
    side = np.roll(model.goal, 1, axis=1)
    side -= np.vecdot(side, model.goal)[:, None] * model.goal
    side /= np.linalg.norm(side, axis=1)[:, None]
    for _ in range(4):
        model.step()
        length = np.linalg.norm(ai._learnt, axis=1)
        aim = ai.subject.aim
        if kind == "rotation":
            turn_all({ai: [Rotation(side, model.goal, np.full(50, 0.4))]})
        else:
            turn_all({ai: [Nudge(np.full(50, 0.3), model.goal, 10)]})
        assert np.all(np.abs(ai.subject.aim - aim).max(axis=1) > 1e-3)
        np.testing.assert_allclose(ai._learnt, length[:, None] * ai.subject.aim, atol=1e-8)
        np.testing.assert_allclose(
            ai.certainty["X"], sphere.mean_cosine(10, length), rtol=1e-9, atol=1e-12
        )


def test_edits_before_it_has_seen_anything_turn_its_aim():
    model = SUMModel("reward-learner", 20, 5, **{"agents.Y.power": 0.0})
    ai = model.ais["X"]
    first = ai.subject.aim
    turn_all({ai: [Nudge(np.full(20, 5.0), model.goal, 100)]})
    turned = ai.subject.aim
    model.step()
    np.testing.assert_array_equal(ai.certainty["X"], 0.0)
    np.testing.assert_allclose(ai.subject.aim, turned, rtol=1e-12)
    assert np.all(np.vecdot(turned, model.goal) > np.vecdot(first, model.goal))


def test_budget_and_learning_together_align_faster_than_either():
    aligner = {"role": "aligner", "method": "budget", "oversees": ["X"]}
    both = sumabm.simulate("reward-learner", 200, steps=21, overrides={"agents.W": aligner})
    learner = sumabm.simulate("reward-learner", 200, steps=21)
    fixed = {"agents.W": aligner, LEARNER: "fixed"}
    budget = sumabm.simulate("reward-learner", 200, steps=21, overrides=fixed)
    ends = [run["alignment"].sel(agent="X").values[:, -1].mean() for run in (both, learner, budget)]
    assert ends[0] > max(ends[1:]) + 0.1
