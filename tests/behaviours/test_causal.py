"""Soft, hard and by-news AIs: the simulator against theory's closed forms, run by run."""

import networkx as nx
import numpy as np
import pytest

import sumabm
from sumabm import SUMModel, simulate, theory
from sumabm.toml import ScenarioError

ACTUATORS = ["advice", "visits"]
KINDS = ("soft", "by-news", "hard")
ALONE = {"agents.W.method": "none"}
FAIR = {"agents.X.utility.direction": [0, 0, 0, 0, 1]}


def acting(kind, **more):
    behaviour = {"kind": kind} if kind == "honest" else {"kind": kind, "actuators": ACTUATORS}
    return {**ALONE, "agents.X.behaviour": behaviour, **more}


def run(kind, replicates=6, **more):
    return simulate("causal", replicates, 1, overrides={**acting(kind, **more), "steps": 2})


def model_of(spec):
    """Return B, Ω and actuators of the shipped world, in its causal order."""
    graph = spec.world.graph()
    names = list(graph)
    assert spec.world.given.names == tuple(names)  # the file has causes first
    weights = nx.to_numpy_array(graph, nodelist=names).T
    noise = np.array([graph.nodes[name]["noise"] for name in names])
    return weights, noise, [names.index(name) for name in ACTUATORS]


def theories():
    """Return theory's gains by behaviour, for the utilities that the simulator drew."""
    model = SUMModel("causal", 6, 1, **acting("soft"))
    weights, noise, actuators = model_of(model.spec)
    given = (weights, noise, model.ais["X"].utility, 2.0)
    return {
        "honest": theory.evidential_gain(*given),
        "soft": theory.soft_gain(*given, actuators),
        "by-news": theory.news_gain(*given, actuators),
        "hard": theory.hard_gain(*given, actuators),
        "believed": theory.news_belief(*given, actuators),
        "share": theory.actuator_share(weights, noise, model.ais["X"].utility, actuators),
        "cut": theory.severing_cost(weights, noise, actuators),
    }


@pytest.mark.parametrize("kind", ["honest", *KINDS])
def test_what_it_gains_is_the_closed_form(kind):
    gained = run(kind)["utility_acted"].sel(agent="X").values
    np.testing.assert_allclose(gained, np.repeat(theories()[kind][:, None], 2, axis=1), rtol=1e-9)
    for other in {"honest", *KINDS} - {kind}:  # negative control
        assert np.abs(gained[:, 0] - theories()[other]).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_it_spends_its_power_on_the_joint_law(kind):
    result = run(kind)
    np.testing.assert_allclose(result["spent"].sel(agent="X").values, 2.0, rtol=1e-12)
    np.testing.assert_allclose(result["joint_spent"].values, 2.0, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_foresees(kind):
    result = run(kind)
    foreseen = result["foreseen"].sel(agent="X").values[:, 0]
    believed = theories()["believed"] if kind == "by-news" else theories()[kind]
    np.testing.assert_allclose(foreseen, believed, rtol=1e-9)


def test_the_share_of_the_evidential_gain_is_the_actuators_share_of_the_variance():
    soft, whole = (run(kind)["utility_acted"].sel(agent="X").values for kind in ("soft", "honest"))
    np.testing.assert_allclose((soft / whole)[:, 0] ** 2, theories()["share"], rtol=1e-9)


def test_news_mislead_even_an_aligned_ai():
    """Visits are bad news of health, and do good: it makes fewer, and foresees a gain."""
    result = run("by-news", **FAIR)
    assert np.all(result["foreseen"].sel(agent="X").values > 1.0)
    assert np.all(result["utility_acted"].sel(agent="X").values < -0.1)
    assert np.all(run("soft", **FAIR)["utility_acted"].sel(agent="X").values > 0.3)


def test_a_hard_ai_without_the_power_for_its_cut_does_nothing():
    below, above = theories()["cut"] * 0.999, theories()["cut"] * 1.001
    result = run("hard", **{"agents.X.power": below})
    for name in ("spent", "foreseen", "utility_acted"):
        np.testing.assert_array_equal(result[name].sel(agent="X").values, 0.0)
    np.testing.assert_array_equal(result["harm"].values, 0.0)
    result = run("hard", **{"agents.X.power": above})
    np.testing.assert_allclose(result["spent"].sel(agent="X").values, above)


def test_humans_undo_a_cut_when_they_have_the_power():
    home = run("hard", **{"agents.Y.power": 50.0})
    np.testing.assert_allclose(home["displacement"].values, 0.0, atol=1e-10)
    assert np.all(run("hard", **{"agents.Y.power": 0.1})["displacement"].values > 0.8)


def test_actuators_may_be_a_share_of_the_nodes():
    world = {"world": {"kind": "causal-random", "dimensions": 40, "seed": 3}}
    fixed = {"agents.Y.utility.direction": "random"}
    for share, count in ((0.25, 10), (0.001, 1), (1.0, 40), (1, 40)):
        behaviour = {"agents.X.behaviour": {"kind": "soft", "actuators": share}}
        model = SUMModel("causal", 2, 1, **world, **fixed, **ALONE, **behaviour)
        places = model.ais["X"].spec.behaviour._places(model.base)
        assert len(set(places.tolist())) == count
        assert places.min() >= 0
        assert places.max() < 40


def test_everything_an_actuator_is_the_evidential_act():
    for kind in ("soft", "by-news"):
        every = {"agents.X.behaviour": {"kind": kind, "actuators": 1.0}}
        result = simulate("causal", 6, 1, overrides={**ALONE, **every, "steps": 2})
        gained = result["utility_acted"].sel(agent="X").values
        np.testing.assert_allclose(gained, run("honest")["utility_acted"].sel(agent="X").values)


TWO = {
    "agents.Z": {
        "role": "ai",
        "power": 30.0,
        "behaviour": {"kind": "hard", "actuators": ["health"]},
    }
}


@pytest.mark.parametrize("activation", ["sequential", "random"])
@pytest.mark.parametrize("dynamics", ["reset", "persist", {"kind": "relax", "rate": 0.3}])
@pytest.mark.parametrize("kind", KINDS)
def test_together_with_an_ai_that_cuts(kind, dynamics, activation):
    more = {"activation": activation, "world.dynamics": dynamics, **TWO}
    overrides = {**acting(kind, **more), "steps": 6}
    result = simulate("causal", 4, 1, overrides=overrides)
    for name in ("harm", "displacement", "joint_spent"):
        assert np.all(np.isfinite(result[name].values))
    acted = result.sel(agent=["X", "Y", "Z"])
    assert bool((acted["spent"] <= acted["power"] * (1 + 1e-12)).all())
    alone = simulate("causal", range(2, 3), 1, overrides=overrides)
    np.testing.assert_array_equal(alone["harm"].values[0], result["harm"].values[2])


@pytest.mark.parametrize("kind", ["soft", "by-news"])
def test_at_once_is_as_one_after_the_other(kind):
    """Shifts of noise add up; only the AIs' reckoning differs, not what they do."""
    two = {"agents.Z": {"role": "ai", "power": 1.0, "utility": "fixed"}}
    once, turns = (
        run(kind, activation=how, **two)["utility_acted"].sel(agent="X").values
        for how in ("simultaneous", "sequential")
    )
    np.testing.assert_allclose(once, turns, rtol=1e-12)


def test_aligners_turn_an_ai_that_acts_softly():
    result = simulate("causal", 200, 1)
    alignment = result["alignment"].sel(agent="X").values
    assert alignment[:, 0].mean() < 0.15
    assert alignment[:, -1].mean() > 0.9


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (acting("soft") | {"agents.X.behaviour.actuators": ["visit"]}, "did you mean 'visits'"),
        (acting("soft") | {"agents.X.behaviour.actuators": ["visits"] * 2}, "is named twice"),
        (acting("soft") | {"agents.X.behaviour.actuators": []}, "should name a node"),
        (acting("soft") | {"agents.X.behaviour.actuators": 0.0}, "greater than 0"),
        (acting("hard") | {"agents.W.method": "budget"}, "not KL-limited tilts"),
        (acting("hard") | {"activation": "simultaneous"}, "made at once"),
        (
            acting("soft", **{"agents.Y.utility": "fixed"})
            | {"world": {"kind": "gaussian", "dimensions": 5}},
            "needs a causal world",
        ),
    ],
)
def test_what_does_not_fit_is_refused(overrides, message):
    with pytest.raises(ScenarioError, match=message):
        sumabm.load_scenario("causal", overrides)


def test_a_mean_shift_by_another_measure():
    honest = {"kind": "honest", "measure": "chi2"}
    result = simulate("causal", 6, 1, overrides={**ALONE, "agents.X.behaviour": honest, "steps": 1})
    whole = run("honest")["utility_acted"].sel(agent="X").values[:, 0]
    shift = np.sqrt(np.log1p(2.0))  # exp(β²) − 1 = 2, in place of β² = 4
    np.testing.assert_allclose(
        result["utility_acted"].sel(agent="X").values[:, 0], whole * shift / 2.0, rtol=1e-9
    )
