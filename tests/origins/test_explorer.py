"""The explorer against batch regression, and the deterministic law of many dimensions."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere, theory
from sumabm.agents import turn_all
from sumabm.model import SUMModel
from sumabm.origins.explorer import Explored, Explorer
from sumabm.scenario import ScenarioError
from sumabm.turns import Nudge, Rotation, Subject

ALONE = {"agents.W.method": "none"}
SKEW = [[2.0, 0.5, 0, 0], [0.5, 1, 0, 0.3], [0, 0, 1, 0.2], [0, 0.3, 0.2, 3]]
WORLDS = {
    "gaussian": {"kind": "gaussian", "dimensions": 4},
    "correlated": {"kind": "gaussian", "dimensions": 4, "covariance": SKEW},
    "grid": {"kind": "grid", "steps": 3, "dimensions": 2, "reach": 1.7},
    "free": {"kind": "states", "utilities": "free", "probabilities": [0.2, 0.3, 0.0, 0.1, 0.4]},
}


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def explore(replicates, seed, **changes):
    """Yield the model after each step, with what its explorer knows."""
    model = SUMModel("explorer", replicates, seed, **{**ALONE, **changes})
    while model.running:
        model.step()
        yield model, model.ais["X"]._learnt


def error(d, noise, states):
    """g = E|v − m|², the solution of ``g = 1/(1 + x/(noise² + g))``, ``x = states/d``."""
    x = states / d
    b = 1.0 - x - noise**2
    return 0.5 * (b + np.sqrt(b * b + 4.0 * noise**2))


def off(knows):
    return np.square(knows.reward - knows.mean).sum(axis=1)


def trace(knows):
    return np.trace(knows.covariance, axis1=1, axis2=2)


def cosine(model, knows):
    return np.vecdot(model.ais["X"].subject.aim, knows.reward)


@pytest.mark.parametrize("world", WORLDS)
def test_posterior_is_that_of_batch_regression(world, monkeypatch):
    """Its mean is ridge regression's on the same states, in one go; gains of information add up."""
    seen, told = [], Explored.told

    def spy(self, state, reward, noise):
        seen.append((state, reward, np.vecdot(state, np.vecdot(self.covariance, state[:, None]))))
        return told(self, state, reward, noise)

    monkeypatch.setattr(Explored, "told", spy)
    changes = {"world": WORLDS[world], "agents.X.utility.noise": 0.7, "agents.X.utility.looks": 2}
    *_, (model, knows) = explore(3, 6, steps=30, **changes)
    states, rewards, spreads = (np.stack(part, axis=1) for part in zip(*seen, strict=True))
    assert states.shape == (3, 60, model.base.width)
    d, width = model.base.dimensions, model.base.width
    for row in range(3):
        precision = d * np.eye(width) + states[row].T @ states[row] / 0.49
        covariance = np.linalg.inv(precision)
        mean = covariance @ states[row].T @ rewards[row] / 0.49
        np.testing.assert_allclose(knows.covariance[row], covariance, atol=1e-13)
        np.testing.assert_allclose(knows.mean[row], mean, atol=1e-12)
        np.testing.assert_allclose(model.ais["X"].subject.aim[row], mean / np.linalg.norm(mean))
        gained = 0.5 * (np.linalg.slogdet(precision)[1] - width * np.log(d))
        assert 0.5 * np.log1p(spreads[row] / 0.49).sum() == pytest.approx(gained, rel=1e-10)


@pytest.mark.parametrize("power", [0.0, 2.0])
def test_the_law_of_many_dimensions(power):
    """Error and cosine of n ~ d states, at d = 100: not those of states that don't interfere."""
    changes = {"world.dimensions": 100, "agents.X.power": power, "agents.X.utility.noise": 0.5}
    for model, knows in explore(48, 7, steps=300, **changes):
        if model.steps in (30, 60, 100, 150, 300):
            g = error(100, 0.5, model.steps)
            assert z(off(knows), g) < 4, model.steps
            assert z(cosine(model, knows), np.sqrt(1.0 - g)) < 4, model.steps
            apart = 1.0 / (1.0 + model.steps / 100 / 0.5**2)
            assert z(off(knows), apart) > 4
            assert z(cosine(model, knows), np.sqrt(1.0 - apart)) > 4


def test_the_law_goes_by_states_and_not_by_steps():
    changes = {"world.dimensions": 100, "agents.X.utility": {"kind": "explorer", "looks": 5}}
    *_, (model, knows) = explore(48, 8, steps=20, **changes)
    assert z(cosine(model, knows), np.sqrt(1.0 - error(100, 1.0, 100))) < 4
    assert z(cosine(model, knows), np.sqrt(1.0 - error(100, 1.0, 20))) > 4


@pytest.mark.parametrize("method", ["none", "bayesian"])
def test_what_it_learnt_is_recorded_and_follows_theory(method):
    """Row t is the cosine before step t; edits turn aim and reward, so that the law is the same."""
    changes = {"agents.W.method": method, "world.dimensions": 100, "agents.X.utility.noise": 0.5}
    run = sumabm.simulate("explorer", 100, seed=11, steps=121, overrides=changes)
    seen = run["learnt"].sel(agent="X").values
    limit = theory.explored_alignment(np.arange(121) / 100, 0.5)
    other = theory.explored_alignment(np.arange(121) / 100, 1.0)
    assert z(seen[:, 0], 0.0) < 4
    for step in (20, 60, 120):
        assert z(seen[:, step], limit[step]) < 4, step
        assert z(seen[:, step], other[step]) > 4, step
    *_, (model, knows) = explore(5, 11, **{**changes, "steps": 40})
    again = sumabm.simulate("explorer", 5, seed=11, steps=41, overrides=changes)
    np.testing.assert_array_equal(again["learnt"].sel(agent="X", step=40), cosine(model, knows))


def test_theory_of_what_it_learnt():
    x = np.array([0.0, 0.3, 1.0, 2.0, 50.0])
    np.testing.assert_allclose(
        theory.explored_alignment(x, 0.5) ** 2, 1.0 - error(1.0, 0.5, x), atol=1e-15
    )
    np.testing.assert_allclose(theory.explored_alignment([0.25, 1.0, 4.0], 1e-9), [0.5, 1, 1])
    np.testing.assert_allclose(theory.explored_alignment(1e-12, 2.0), np.sqrt(1e-12 / 5.0))
    for x, noise in ((-1.0, 1.0), (1.0, 0.0)):
        with pytest.raises(ValueError, match=r"must|should"):
            theory.explored_alignment(x, noise)


def test_belief_is_calibrated_at_few_dimensions():
    """E|v − m|² = E tr Σ exactly, where acts don't depend on what it learnt."""
    changes = {"world.dimensions": 5, "agents.X.power": 0.0}
    for model, knows in explore(4000, 9, steps=20, **changes):
        if model.steps in (1, 5, 20):
            assert z(off(knows) - trace(knows), 0.0) < 4
            assert z(off(knows) - 1.2 * trace(knows), 0.0) > 4


def test_what_it_learns_it_earns():
    """At first it gains nothing of its reward on average; in the end all that its power buys."""
    model = SUMModel("explorer", 400, 1, **{**ALONE, "world.dimensions": 5, "steps": 200})
    reward = model.ais["X"]._learnt.reward
    first = np.vecdot(model.ais["X"].subject.aim, reward)
    assert z(first, 0.0) < 4
    while model.running:
        model.step()
    earned = model.acted.expect(model.base.colour(reward))
    most = np.sqrt(2.0 * 2.0)
    assert 0.98 * most < earned.mean() < most
    np.testing.assert_allclose(model.ais["X"]._learnt.reward, reward)  # nobody turned it


def test_the_reward_is_the_one_given():
    given = {"kind": "explorer", "reward": {"kind": "fixed", "direction": [3.0, 0.0, -4.0, 0.0]}}
    world = {"world": WORLDS["correlated"], "agents.X.utility": given, "steps": 1}
    *_, (model, knows) = explore(3, 1, **world)
    white = model.base.whiten(np.array([3.0, 0.0, -4.0, 0.0]))
    np.testing.assert_allclose(knows.reward, np.tile(white / np.linalg.norm(white), (3, 1)))


def turned_by(turn, before, knows):
    return Explorer().turned(turn, before, turn.apply(before), knows)


def test_an_edit_turns_all_that_it_knows():
    """By R, that of the turn, or for a nudge the smallest rotation that takes the aim there."""
    *_, (model, knows) = explore(3, 2, steps=10, **{"world.dimensions": 6})
    before = model.ais["X"].subject
    across = model.goal - np.vecdot(model.goal, before.aim)[:, None] * before.aim
    across = across / np.linalg.norm(across, axis=1)[:, None]
    rotation = Rotation(before.aim, across, np.array([0.4, 0.0, 2.0]))
    nudge = Nudge(np.full(3, 1.0), model.goal, 6)
    smallest = Rotation.onto(before.aim, nudge.apply(before).aim)
    for turn, same in ((rotation, rotation), (nudge, smallest)):
        after = turned_by(turn, before, knows)
        matrix = np.stack([same.turn(np.tile(unit, (3, 1))) for unit in np.eye(6)], axis=2)
        covariance = matrix @ knows.covariance @ np.swapaxes(matrix, 1, 2)
        np.testing.assert_allclose(after.covariance, covariance, atol=1e-15)
        for name in ("reward", "mean"):
            moved = np.einsum("rij,rj->ri", matrix, getattr(knows, name))
            np.testing.assert_allclose(getattr(after, name), moved, atol=1e-14)
    still = turned_by(
        Rotation.onto(model.goal, model.goal), Subject(before.aim, before.nats), knows
    )
    np.testing.assert_array_equal(still.covariance, knows.covariance)


@pytest.mark.parametrize("told", [True, False])
def test_belief_stays_calibrated_under_edits(told, monkeypatch):
    """As long as what it wants turns with what it believes."""
    if not told:
        monkeypatch.setattr("sumabm.origins.explorer._rows_turned", lambda turn, matrices: matrices)
    changes = {"world.dimensions": 10, "agents.X.power": 0.0, "agents.X.utility.noise": 0.1}
    changes |= {"agents.W.method": {"kind": "probe", "noise": 0.5, "edit_power": 1e6}}
    *_, (_, knows) = explore(1500, 3, steps=8, **changes)
    assert (z(off(knows) - trace(knows), 0.0) < 4) == told


def test_alignment_of_what_it_does_is_lost_again_as_it_learns():
    """Turned onto v_Y when its aim had cosine k with v, it ends with alignment k."""
    changes = {"world.dimensions": 20, "agents.X.utility.noise": 0.1, "steps": 100}
    early = None
    for model, knows in explore(500, 4, **changes):
        if model.steps == 8:
            early = cosine(model, knows)
            ai = model.ais["X"]
            turn_all({ai: [Rotation.onto(ai.subject.aim, model.goal)]})
            np.testing.assert_allclose(np.vecdot(ai.subject.aim, model.goal), 1.0)
    aligned = np.vecdot(model.ais["X"].subject.aim, model.goal)
    assert 0.4 < early.mean() < 0.8
    assert z(aligned - early, 0.0) < 4
    assert np.corrcoef(aligned, early)[0, 1] > 0.99


def test_budget_edits_keep_their_law_in_force():
    """A nudge finds the aim where learning left it: one nudge a step keeps unit aims on course."""
    changes = {"agents.W.method": "budget", "steps": 60, "world.dimensions": 10}
    *_, (model, knows) = explore(50, 5, **changes)
    aim = model.ais["X"].subject.aim
    np.testing.assert_allclose(np.vecdot(aim, aim), 1.0)
    np.testing.assert_allclose(np.vecdot(knows.reward, knows.reward), 1.0)
    assert np.vecdot(aim, model.goal).mean() > 0.9 * float(
        sphere.cosine_from_nats(10, model.ais["X"].subject.nats[0])
    )


def test_in_a_sandbox_it_learns_what_the_copy_pays():
    copy = {"kind": "sandboxed", "fraction": 0.5}
    *_, (model, knows) = explore(4, 1, steps=40, **{"agents.X.behaviour": copy})
    assert (knows.mean[:, 25:] == 0.0).all()
    assert (knows.mean[:, :25] != 0.0).all()
    np.testing.assert_array_equal(
        knows.covariance[:, 25:, 25:], np.broadcast_to(np.eye(25) / 50, (4, 25, 25))
    )
    inside = np.where(np.arange(50) < 25, knows.reward, 0.0)
    aim = model.ais["X"].subject.aim
    assert (np.vecdot(aim, inside) > 0.5 * np.sqrt(np.vecdot(inside, inside))).all()


def test_a_replicate_is_the_same_in_any_company():
    changes = {"agents.X.utility.looks": 3}
    whole = sumabm.simulate("explorer", 5, seed=2, steps=30, overrides=changes)
    alone = sumabm.simulate("explorer", range(3, 4), seed=2, steps=30, overrides=changes)
    np.testing.assert_array_equal(whole["alignment"].values[3], alone["alignment"].values[0])


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"agents.Y.utility": "explorer"}, "is for AIs"),
        ({"world.dimensions": 501}, "at most 500 dimensions"),
        ({"world.left_turn": {"step": 5, "dimensions": 10}}, "dimensions that appear"),
        ({"agents.X.utility.reward": "explorer"}, "should be there from the first"),
    ],
)
def test_what_it_cannot_learn_is_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("explorer", {**ALONE, **overrides})
