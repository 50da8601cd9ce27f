"""The AI that learns from ratings: alignment by the theory, what edits do to what it knows."""

import numpy as np
import pytest

import sumabm
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError
from sumabm.theory.preference import pair_precision, preference_alignment


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def learner(pairs, rationality):
    utility = {"kind": "preference", "pairs": pairs, "rationality": rationality}
    return {"agents.X.utility": utility, "agents.W.method": "none"}


@pytest.mark.parametrize("beta", [0.5, 2.0, 1e6])
def test_alignment_is_that_of_state_evolution(beta):
    overrides = {**learner(10, beta), "world.dimensions": 100}
    run = sumabm.simulate("preference", 120, seed=3, steps=11, overrides=overrides)
    seen = run["alignment"].sel(agent="X").values
    assert z(seen[:, 0], 0.0) < 4
    for step in (1, 4, 10):
        assert z(seen[:, step], float(preference_alignment(100, 10 * step, beta))) < 4, step
    assert z(seen[:, 10], float(preference_alignment(100, 200, beta))) > 4


def test_small_belief_in_closed_form():
    """sqrt(x/(1+x)), x = T · precision/d: while T ≪ d; by T = d it is too low."""
    overrides = {**learner(5, 4.0), "world.dimensions": 100}
    run = sumabm.simulate("preference", 120, seed=4, steps=21, overrides=overrides)
    seen = run["alignment"].sel(agent="X").values
    x = np.arange(21) * 5 * float(pair_precision(4.0)) / 100
    early = np.sqrt(x / (1.0 + x))
    assert z(seen[:, 1], early[1]) < 4
    assert z(seen[:, 20], early[20]) > 4


def test_it_is_as_certain_as_it_should_be():
    model = SUMModel("preference", 200, 5, steps=20, **learner(3, 1.0))
    certain = [model.ais["X"].certainty["X"]]
    while model.running:
        model.step()
        certain.append(model.ais["X"].certainty["X"])
        assert z(np.vecdot(model.ais["X"].subject.aim, model.goal) - certain[-1], 0.0) < 4
    assert (certain[0] == 0.0).all()
    assert np.all(np.diff(np.mean(certain, axis=1)) > 0.0)


def test_edits_turn_what_it_believes_and_later_ratings_pull_at_them():
    """It ends above the learner that none edits, below the edited AI that does not learn."""
    both = {**learner(2, 1.0), "agents.W.method": "budget"}
    end = {}
    for name, overrides in {
        "both": both,
        "learner": learner(2, 1.0),
        "edited": {"agents.W.method": "budget"},
    }.items():
        run = sumabm.simulate("preference", 60, seed=6, steps=30, overrides=overrides)
        end[name] = run["alignment"].sel(agent="X").values[:, -1].mean()
    assert end["learner"] + 0.2 < end["both"] < end["edited"] - 0.03
    ai = SUMModel("preference", 3, 6, steps=2, **both).ais["X"]
    while ai.model.running:
        ai.model.step()
    np.testing.assert_allclose(ai._learnt.direction(ai.model.goal), ai.subject.aim, atol=1e-12)


def test_it_learns_in_any_world():
    for world in (
        {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.2, 0.3, 0.4]},
        {"kind": "causal-random", "dimensions": 4},
        {"kind": "grid", "dimensions": 2, "steps": 5, "reach": 2.0},
    ):
        overrides = {**learner(10, 3.0), "world": world}
        run = sumabm.simulate("preference", 30, seed=7, steps=30, overrides=overrides)
        assert run["alignment"].sel(agent="X").values[:, -1].mean() > 0.95, world


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"world.dimensions": 501}, "500 dimensions at most"),
        ({"agents.Y.utility": "preference"}, "is for AIs"),
        ({"agents.X.utility": {"kind": "preference", "rationality": 0.0}}, "rationality"),
    ],
)
def test_what_it_cannot_do_is_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("preference", {**learner(2, 1.0), **overrides})
