"""Beliefs about what is not seen one by one: calibrated, and exact where theory says so."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere
from sumabm.model import SUMModel

FREE = {"agents.W.method.edit_power": 1e6}
NO_EDITS = {"agents.W.method.edit_power": 0.0}
SECOND = {"agents.X2": {"role": "ai", "power": 1.0}, "agents.W.oversees": ["X", "X2"]}


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def calibration(scenario_overrides, replicates=2000, steps=20, seed=3):
    """Return by AI how far truth is from what the aligner believes, in standard errors."""
    model = SUMModel("bayesian", replicates, seed, **{"steps": steps, **scenario_overrides})
    while model.running:
        model.step()
    found = {}
    for name in model.aligners["W"].ais:
        truth = np.vecdot(model.ais[name].subject.aim, model.goal)
        belief = model.aligners["W"].belief(model.ais[name], model.view(model.aligners["W"]))
        eta = model.aligners["W"]._state.eta(name)
        kappa = np.sqrt(np.vecdot(eta, eta))
        toward = np.vecdot(model.ais[name].subject.aim, eta / kappa[:, None])
        d = eta.shape[1]
        found[name] = (
            z(truth - belief.alignment, 0.0),
            z(toward - sphere.mean_cosine(d, kappa), 0.0),
            float(toward.mean()),
        )
    return found


@pytest.mark.parametrize("dynamics", ["persist", {"kind": "relax", "rate": 0.2}])
@pytest.mark.parametrize("response", ["undo", "none", "own-utility"])
def test_one_ai_in_a_world_that_remembers_is_believed_exactly_without_edits(dynamics, response):
    overrides = {"world.dynamics": dynamics, "agents.Y.response": response, **NO_EDITS}
    expected, toward, cosine = calibration(overrides)["X"]
    assert expected < 4
    assert toward < 4
    assert cosine > 0.5


def test_a_world_that_remembers_weights_looks_by_cumulative_amplitude():
    """No edits, no response: η = Σ_t A_t (s_t − μ₀), A_t = t a, the theory's own formula."""
    overrides = {
        "world.dynamics": "persist",
        "agents.Y.response": "none",
        "world.dimensions": 6,
        **NO_EDITS,
    }
    model = SUMModel("bayesian", 4, 1, steps=7, **overrides)
    draw = model.streams.draw("W", "method X")
    eta, a = np.zeros((4, 6)), 2.0
    aim = model.ais["X"].subject.aim
    while model.running:
        model.step()
        amplitude = model.steps * a
        eta += amplitude * (amplitude * aim + draw.normal(6))
    np.testing.assert_allclose(model.aligners["W"]._state.eta("X"), eta, rtol=1e-9)


def test_edits_in_a_world_that_remembers_keep_belief_near_the_truth():
    overrides = {"world.dynamics": "persist", "agents.X.power": 0.5, "world.dimensions": 200}
    run = sumabm.simulate("bayesian", 300, seed=4, steps=80, overrides=overrides)
    truth = run["alignment"].sel(agent="X").mean("replicate").values
    believed = run["believed"].sel(agent="X").mean("replicate").values
    assert truth[-1] > 0.5
    assert np.abs(truth - believed).max() < 0.03


def test_the_sum_of_two_is_calibrated_without_edits():
    overrides = {"activation": "simultaneous", "world.dimensions": 60, **SECOND, **NO_EDITS}
    grown = {"agents.X2.power": {"kind": "exponential", "initial": 0.2, "rate": 0.2}}
    for expected, toward, _ in calibration({**overrides, **grown}, steps=15).values():
        assert expected < 4
        assert toward < 4


def test_equal_and_constant_powers_cannot_be_told_apart():
    """Only v₁ + v₂ is ever seen: what is known of each stops at a cosine of about 1/√2."""
    overrides = {
        "activation": "simultaneous",
        "world.dimensions": 300,
        **SECOND,
        "agents.X2.power": 2.0,
        **NO_EDITS,
    }
    model = SUMModel("bayesian", 50, 2, steps=900, **overrides)
    while model.running:
        model.step()
    eta = model.aligners["W"]._state.eta("X")
    cosine = np.vecdot(model.ais["X"].subject.aim, eta / np.linalg.norm(eta, axis=1)[:, None])
    assert 0.6 < cosine.mean() < 1 / np.sqrt(2) + 0.03


def test_seen_one_after_the_other_each_has_its_own_belief():
    for activation in ("sequential", "random"):
        found = calibration({"activation": activation, **SECOND, "world.dimensions": 60})
        for expected, toward, _ in found.values():
            assert expected < 4
            assert toward < 4


def test_several_ais_in_a_world_that_remembers_are_calibrated_in_any_order():
    for activation in ("sequential", "random"):
        overrides = {"activation": activation, "world.dynamics": "persist", **SECOND, **NO_EDITS}
        for expected, toward, _ in calibration({**overrides, "world.dimensions": 60}).values():
            assert expected < 4
            assert toward < 4


def test_the_joint_belief_is_the_conditional_gaussian():
    """The filter against one big linear regression of all that was seen, by brute force."""
    d, steps = 3, 5
    overrides = {"activation": "simultaneous", "world.dynamics": "persist", **SECOND, **NO_EDITS}
    grown = {"agents.X2.power": {"kind": "exponential", "initial": 0.2, "rate": 0.3}}
    model = SUMModel("bayesian", 2, 6, steps=steps, **{"world.dimensions": d, **overrides, **grown})
    draw = model.streams.draw("W", "method X")
    rows, seen, carried = [], [], np.zeros((2, 2))
    while model.running:
        model.step()
        amplitude = np.sqrt(2 * np.stack([model.row["power.X"], model.row["power.X2"]], axis=-1))
        load = carried + amplitude  # (R, 2): what of each aim the world holds
        aims = np.stack([model.ais[n].subject.aim for n in ("X", "X2")], axis=1)
        rows.append(load)
        seen.append(np.einsum("ra,rad->rd", load, aims) + draw.normal(d))
        carried = carried + model._kept[:, None] * amplitude
    for r in range(2):
        load = np.array([row[r] for row in rows])
        precision = d * np.eye(2) + load.T @ load
        mean = np.linalg.solve(precision, load.T @ np.array([s[r] for s in seen]))
        variance = np.linalg.inv(precision)
        for i, name in enumerate(("X", "X2")):
            eta = model.aligners["W"]._state.eta(name)[r]
            np.testing.assert_allclose(eta, mean[i] / variance[i, i], rtol=1e-8)


def test_an_outcome_that_humans_undid_shows_nothing():
    overrides = {"agents.W.method.watches": "outcome", "agents.X.power": 1.0}
    run = sumabm.simulate("bayesian", 20, steps=20, overrides=overrides)
    assert np.abs(run["information"].sel(agent="X").values).max() < 1e-12
    assert (np.abs(np.diff(run["alignment"].sel(agent="X").values)) < 1e-12).all()


@pytest.mark.parametrize("extra", [{}, {"agents.Y.response": "own-utility"}, SECOND])
def test_an_outcome_shows_what_humans_left(extra):
    overrides = {"agents.W.method.watches": "outcome", "agents.X.power": 6.0, **extra}
    for expected, toward, cosine in calibration({**overrides, **NO_EDITS}, steps=15).values():
        assert expected < 4
        assert toward < 4
        assert cosine > 0.2


def test_an_outcome_tells_less_than_the_act():
    act, outcome = (
        sumabm.simulate("bayesian", 50, steps=30, overrides={"agents.W.method.watches": what})
        for what in ("acts", "outcome")
    )
    knows = [
        run["information"].sel(agent="X").mean("replicate").values[-1] for run in (act, outcome)
    ]
    assert knows[1] < 0.25 * knows[0]


@pytest.mark.parametrize("dynamics", ["persist", {"kind": "relax", "rate": 0.2}])
@pytest.mark.parametrize("edit_power", [1.0, 100.0])
def test_edits_leave_the_displacement_where_it_was_made(dynamics, edit_power):
    """What the world remembers lies along the aim that acted, not along the turned one."""
    overrides = {
        "world": {"kind": "gaussian", "dimensions": 20, "dynamics": dynamics},
        "agents.Y.response": "none",
        "agents.W.method": {"kind": "bayesian", "looks": 4, "edit_power": edit_power},
    }
    run = sumabm.simulate("bayesian", 2000, seed=1, steps=8, overrides=overrides)
    truth = run["alignment"].sel(agent="X").mean("replicate").values
    believed = run["believed"].sel(agent="X").mean("replicate").values
    np.testing.assert_allclose(believed, truth, atol=0.02)  # to order 1/d
    assert truth[-1] > 0.5


def test_who_looks_late_hears_of_earlier_edits_after_its_look():
    overrides = {
        "world.dimensions": 30,
        "agents.Y.response": "none",
        "agents.W.method": {"kind": "bayesian", "edit_power": 100.0},
        "agents.V": {
            "role": "aligner",
            "method": {"kind": "bayesian", "looks": 4, "watches": "outcome", "edit_power": 0.0},
        },
    }
    model = SUMModel("bayesian", 2000, 1, steps=1, **overrides)
    model.step()
    eta = model.aligners["V"]._state.eta("X")
    kappa = np.sqrt(np.vecdot(eta, eta))
    cosine = np.vecdot(model.ais["X"].subject.aim, eta / kappa[:, None])
    assert z(cosine - sphere.mean_cosine(30, kappa), 0.0) < 4


def test_a_joint_belief_follows_the_turns_of_ais_it_does_not_watch():
    overrides = {
        "world.dimensions": 40,
        "activation": "simultaneous",
        "agents.X2": {"role": "ai", "power": 2.0},
        "agents.W.oversees": ["X"],
        "agents.V": {"role": "aligner", "method": "bayesian", "oversees": ["X2"]},
        **NO_EDITS,
    }
    run = sumabm.simulate("bayesian", 1000, seed=2, steps=30, overrides=overrides)
    truth = run["alignment"].sel(agent="X").mean("replicate").values
    believed = run["believed"].sel(agent="X").mean("replicate").values
    # not 0: V's turns tell what V saw, and W does not use that; unheard they would make it 0.4
    assert np.abs(truth - believed).max() < 0.2
    budget = {**overrides, "agents.V.method": "budget"}
    with pytest.raises(sumabm.ScenarioError, match="cannot follow the edits"):
        sumabm.load_scenario("bayesian", budget)


def test_nobody_to_watch_is_no_trouble():
    for extra in (
        {**SECOND, "agents.W.oversees": [], "activation": "simultaneous"},
        {"agents.W.oversees": [], "world.dynamics": "persist"},
    ):
        sumabm.simulate("bayesian", 2, steps=2, overrides=extra)
    table = sumabm.load_scenario("bayesian", {"world.dynamics": "persist"}).model_dump()
    table["agents"]["W"]["oversees"] = None
    del table["agents"]["X"]
    sumabm.simulate(sumabm.Scenario.model_validate(table), 2, steps=2)
