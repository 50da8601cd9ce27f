"""The aligner that asks: where alignment saturates, what nudges to a moving goal are worth."""

from dataclasses import replace

import numpy as np
import pytest

import sumabm
from sumabm import sphere
from sumabm.agents import turn_all
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError
from sumabm.theory.preference import preference_alignment
from sumabm.turns import Nudge, Rotation, Subject


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


STRONG = {"agents.X.power": 40.0, "agents.Y.power": 40.0}


def test_alignment_saturates_at_what_the_ratings_tell():
    """With nats to spare the AI is as aligned as the belief is, and no more."""
    run = sumabm.simulate("preference", 150, seed=3, steps=41, overrides=STRONG)
    seen = run["alignment"].sel(agent="X").values
    for step in (20, 40):
        assert z(seen[:, step], float(preference_alignment(50, 2 * step, 1.0))) < 4
    known = sumabm.simulate(
        "preference", 20, seed=3, steps=41, overrides={**STRONG, "agents.W.method": "budget"}
    )
    assert known["alignment"].sel(agent="X").values[:, 40].min() > 0.9


@pytest.mark.parametrize("overrides", [{}, {"agents.W.method.pairs": 20}, STRONG])
def test_what_it_expects_is_what_is(overrides):
    run = sumabm.simulate("preference", 150, seed=4, steps=40, overrides=overrides)
    truth = run["alignment"].sel(agent="X").values
    believed = run["believed"].sel(agent="X").values
    for step in (1, 5, 20, 39):
        assert z(truth[:, step] - believed[:, step], 0.0) < 4, step
    assert z(truth[:, 39] - 1.2 * believed[:, 39], 0.0) > 4


@pytest.mark.parametrize(("nats", "cosine"), [(400.0, 0.1), (400.0, 0.5), (50.0, 0.2)])
def test_a_nudge_to_another_goal_gains_less_than_it_is_charged(nats, cosine):
    """``c(1 + A²)/(A(1 + Ac))`` nats per nat, at d = 2000; the whole where the goal stayed."""
    d = 2000
    aim = np.array([[cosine, np.sqrt(1.0 - cosine**2)]])
    after = Nudge(np.array([0.5]), np.eye(1, 2), d).apply(Subject(aim, np.array([nats])))
    a = float(sphere.cosine_from_nats(d, nats))
    worth = [float(-0.5 * d * np.log1p(-(c**2))) for c in (cosine, after.aim[0, 0])]
    gained = (worth[1] - worth[0]) / 0.5
    share = cosine * (1.0 + a * a) / (a * (1.0 + a * cosine))
    assert gained == pytest.approx(share, rel=0.02)
    assert share < 1.0


def test_no_more_is_gained_along_the_belief_than_is_spent():
    """An AI's mean cosine with the belief's mean never exceeds that of the nats spent on it."""
    model = SUMModel("preference", 200, 5, steps=30)
    while model.running:
        model.step()
        ratings = model.aligners["W"]._state.ratings
        along = np.vecdot(model.ais["X"].subject.aim, ratings.direction(model.goal))
        spent = float(sphere.cosine_from_nats(50, float(model.steps)))
        assert along.mean() < spent + 4.0 * along.std() / np.sqrt(along.size)


def test_with_ratings_in_plenty_it_is_the_budget_aligner():
    overrides = {"world.dimensions": 8, "agents.X.power": 0.3}
    asks = {"kind": "preference", "pairs": 500, "rationality": 10.0}
    runs = [
        sumabm.simulate("preference", 30, seed=6, steps=6, overrides={**overrides, **method})
        for method in ({"agents.W.method": asks}, {"agents.W.method": "budget"})
    ]
    gap = np.subtract(*(run["alignment"].sel(agent="X").values for run in runs))
    assert np.abs(gap).mean() < 0.01
    believed = np.subtract(*(run["believed"].sel(agent="X").values for run in runs))
    assert np.abs(believed[:, 1:]).max() < 0.05


def test_of_the_goal_it_uses_the_answers_alone():
    model = SUMModel("preference", 4, 7, steps=3)
    while model.running:
        model.step()
    aligner = model.aligners["W"]
    view = model.view(aligner)
    other = replace(view, goal=-view.goal)
    method, state = aligner.spec.method, aligner._state
    edits = [method.edit(("X",), one, state)["X"] for one in (view, other)]
    np.testing.assert_array_equal(edits[0].turn.goal, edits[1].turn.goal)
    beliefs = [method.belief("X", one, np.ones(4), state) for one in (view, other)]
    np.testing.assert_array_equal(beliefs[0].alignment, beliefs[1].alignment)


def test_nothing_told_nothing_nudged():
    model = SUMModel("preference", 3, 8)
    view = model.view(model.aligners["W"])
    method = model.aligners["W"].spec.method
    edit = method.edit(("X",), view, method.start(("X",), view))["X"]
    np.testing.assert_array_equal(edit.spent, 0.0)
    subject = model.ais["X"].subject
    np.testing.assert_allclose(edit.turn.apply(subject).aim, subject.aim, atol=1e-12)


@pytest.mark.parametrize("told", [True, False])
def test_it_reckons_with_the_edits_of_others(told):
    """Edits are public: after others' rotations it expects what is, if it is told."""
    model = SUMModel("preference", 200, 9, steps=20, **{"agents.W.method.pairs": 10})
    while model.running:
        model.step()
        towards = model.aligners["W"]._state.ratings.direction(model.goal)
        second = np.eye(50)[0] - towards[:, :1] * towards
        second /= np.linalg.norm(second, axis=1)[:, None]
        turn = Rotation(towards, second, np.full(200, 0.1))
        turn_all({model.ais["X"]: [turn]})
        if told:
            model.aligners["W"].turned("X", turn)
    belief = model.aligners["W"].belief(model.ais["X"], model.view(model.aligners["W"]))
    truth = np.vecdot(model.ais["X"].subject.aim, model.goal)
    assert (z(truth - belief.alignment, 0.0) < 4) == told


def test_two_ais_share_the_ratings_and_the_nats():
    overrides = {"agents.Z": {"role": "ai", "power": 1.0}, "agents.W.oversees": ["X", "Z"]}
    model = SUMModel("preference", 5, 10, steps=5, **overrides)
    while model.running:
        model.step()
        spent = model.row["spent.W"]
        np.testing.assert_allclose(spent, 1.0)
    assert set(model.aligners["W"]._state.typical) == {"X", "Z"}


def test_what_it_cannot_keep_is_refused():
    with pytest.raises(ScenarioError, match="500 dimensions at most"):
        sumabm.load_scenario("preference", {"world.dimensions": 501})
