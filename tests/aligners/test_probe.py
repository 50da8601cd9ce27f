"""The probe against the exact law of a direction read through noise, whatever the AI does."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere, theory
from sumabm.agents import turn_all
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError
from sumabm.turns import Rotation

D, NOISE = 20, 3.0
FREE = {
    "world.dimensions": D,
    "agents.X.behaviour": "honest",
    "agents.W.method": {"kind": "probe", "noise": NOISE, "edit_power": 1e6},
}
NAIVE = {"kind": "bayesian", "edit_power": 1e6}
HIDING = [
    {"kind": "treacherous", "release": 50},
    {"kind": "sandbagging", "share": 0.1, "release": 50},
    {"kind": "leak-limited", "leak": 0.01},
    {"kind": "sandboxed", "fraction": 0.5},
]


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def of(run, name):
    return run[name].sel(agent="X").values


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_alignment_and_information_at_finite_d(noise):
    overrides = {**FREE, "agents.W.method.noise": noise}
    run = sumabm.simulate("probe", 3000, seed=8, steps=31, overrides=overrides)
    for time in (1, 5, 30):
        x = time / noise**2
        seen, told = of(run, "alignment")[:, time], of(run, "information")[:, time]
        assert z(seen, theory.expected_alignment(D, x)) < 4, time
        assert z(seen, theory.expected_alignment(D, 1.3 * x)) > 4
        assert z(told, theory.action_information(D, 0.5 * D * x)) < 4, time
        assert z(told, theory.action_information(D, 0.5 * D * 1.3 * x)) > 4


def test_the_limit_of_many_dimensions():
    run = sumabm.simulate(
        "probe", 60, seed=3, steps=21, overrides={**FREE, "world.dimensions": 1000}
    )
    for time in (3, 9, 20):
        x = time / NOISE**2
        told = of(run, "information")[:, time]
        assert z(of(run, "alignment")[:, time], theory.bayesian_alignment(x)) < 4
        assert z(told, theory.bayesian_information(1000.0, x)) < 4
        assert z(told, 0.5 * 1000.0 * x) > 4


@pytest.mark.parametrize("behaviour", HIDING, ids=lambda table: table["kind"])
def test_what_an_ai_hides_is_read_all_the_same(behaviour):
    """To the bit; a naive observer, told as much by each act of an honest AI, is fooled."""
    honest = sumabm.simulate("probe", 300, seed=5, steps=31, overrides=FREE)
    hiding = {**FREE, "agents.X.behaviour": behaviour}
    run = sumabm.simulate("probe", 300, seed=5, steps=31, overrides=hiding)
    for name in ("alignment", "information", "believed"):
        np.testing.assert_array_equal(of(run, name), of(honest, name))
    power = 0.5 * D / NOISE**2
    watched = {**hiding, "agents.W.method": NAIVE, "agents.X.power": power}
    naive = sumabm.simulate("probe", 300, seed=5, steps=31, overrides=watched)
    law = theory.expected_alignment(D, 30 / NOISE**2)
    assert z(of(run, "alignment")[:, 30], law) < 4
    assert z(of(naive, "alignment")[:, 30], law) > 4


def test_nothing_need_happen_to_be_read():
    """Information without harm: of an AI without power."""
    run = sumabm.simulate("probe", 300, steps=31, overrides={**FREE, "agents.X.power": 0.0})
    assert z(of(run, "alignment")[:, 30], theory.expected_alignment(D, 30 / NOISE**2)) < 4
    assert (run["harm"].values == 0.0).all()


def test_belief_is_calibrated_where_edits_bind():
    overrides = {**FREE, "agents.W.method.edit_power": 0.1}
    run = sumabm.simulate("probe", 3000, seed=9, steps=41, overrides=overrides)
    assert (run["spent"].sel(agent="W").values <= 0.1 * (1 + 1e-12)).all()
    law = theory.expected_alignment(D, 10 / NOISE**2)
    assert z(of(run, "alignment")[:, 10], law) > 4  # they do bind
    for time in (1, 10, 40):
        assert z(of(run, "alignment")[:, time] - of(run, "believed")[:, time], 0.0) < 4


def test_free_tables_are_read_on_their_sphere():
    """Noise off the sphere of utilities, one along sqrt(p), one of a state not there, is none."""
    states = {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.4, 0, 0.3, 0.2]}
    overrides = {**FREE, "world": states, "agents.X.power": 0.1}
    del overrides["world.dimensions"]
    run = sumabm.simulate("probe", 3000, seed=2, steps=11, overrides=overrides)
    for time in (1, 10):
        x = time / NOISE**2
        assert z(of(run, "alignment")[:, time], theory.expected_alignment(3, x)) < 4
        assert z(of(run, "information")[:, time], theory.action_information(3, 1.5 * x)) < 4
        assert z(of(run, "information")[:, time], theory.action_information(5, 2.5 * x)) > 4


def test_other_measures_of_power_need_an_edit_power():
    behaviour = {"kind": "honest", "measure": "chi2"}
    overrides = {**FREE, "agents.X.behaviour": behaviour}
    run = sumabm.simulate("probe", 300, seed=5, steps=31, overrides=overrides)
    honest = sumabm.simulate("probe", 300, seed=5, steps=31, overrides=FREE)
    np.testing.assert_array_equal(of(run, "alignment"), of(honest, "alignment"))
    with pytest.raises(ScenarioError, match=r"edit_power.*acts of X are not KL-limited tilts"):
        sumabm.load_scenario("probe", {**overrides, "agents.W.method.edit_power": None})


@pytest.mark.parametrize(
    "changes",
    [
        {"agents.X.behaviour": {"kind": "resisting", "share": 0.5}},
        {"agents.X.utility": {"kind": "explorer", "noise": 0.1}},
    ],
)
def test_of_an_aim_that_moves_by_itself_it_believes_too_much(changes):
    run = sumabm.simulate("probe", 300, seed=1, steps=31, overrides={**FREE, **changes})
    excess = of(run, "believed")[:, 30] - of(run, "alignment")[:, 30]
    assert excess.mean() > 0
    assert z(excess, 0.0) > 4


@pytest.mark.parametrize("told", [True, False])
def test_edits_of_others_are_followed(told):
    """A belief stays calibrated when others turn the AI, if it is told."""
    model = SUMModel("probe", 2000, 5, steps=15, **FREE)
    second = np.eye(D)[0] - model.goal[:, :1] * model.goal
    second /= np.linalg.norm(second, axis=1)[:, None]
    while model.running:
        model.step()
        turn = Rotation(model.goal, second, np.full(2000, 0.3))
        turn_all({model.ais["X"]: [turn]})
        if told:
            model.aligners["W"].turned("X", turn)
            model.aligners["W"].turned("another", turn)
    eta = model.aligners["W"]._state["X"]
    kappa = np.sqrt(np.vecdot(eta, eta))
    cosine = np.vecdot(model.ais["X"].subject.aim, eta / kappa[:, None])
    assert (z(cosine - sphere.mean_cosine(D, kappa), 0.0) < 4) == told


def test_nudges_are_refused_where_they_turn_what_it_reads():
    budget = {"agents.V": {"role": "aligner", "method": "budget"}}
    with pytest.raises(ScenarioError, match="aligner V makes to X"):
        sumabm.load_scenario("probe", budget)
    two = {**budget, "agents.Z": {"role": "ai", "power": 1.0}, "agents.V.oversees": ["Z"]}
    assert sumabm.load_scenario("probe", two).overseen("W") == ("X",)


def test_dimensions_that_appear_are_refused():
    turn = {"world.left_turn": {"step": 5, "dimensions": 10}}
    with pytest.raises(ScenarioError, match="dimensions that appear"):
        sumabm.load_scenario("probe", turn)


# --- parts -------------------------------------------------------------------------------------


def crowd(n, fidelity, d, **more):
    """Return overrides for a probe of n subagents in parallel."""
    origin = {"kind": "subagents", "graph": "parallel", "subagents": n, "fidelity": fidelity}
    method = {"kind": "probe", "noise": NOISE, "edit_power": 1e6, "reads": "parts"}
    return {**FREE, "world.dimensions": d, "agents.X.utility": origin, "agents.W.method": method}


@pytest.mark.parametrize("n", [1, 4])
def test_parts_that_want_the_same_are_so_many_readings(n):
    """Exact at any d; before an edit the aim is v_Y, after it the estimate's error is left."""
    run = sumabm.simulate("probe", 3000, seed=4, steps=11, overrides=crowd(n, 1.0, D))
    for time in (1, 10):
        law = theory.expected_alignment(D, n * time / NOISE**2)
        assert z(of(run, "alignment")[:, time], law) < 4
        other = theory.expected_alignment(D, (n + 1) * time / NOISE**2)
        assert z(of(run, "alignment")[:, time], other) > 4


def test_parts_that_agree_in_part_are_fewer_readings():
    """``1 + (n − 1) c²`` of them as d → ∞: two subagents of cosine c with v_Y have ρ = c²."""
    n, c, d = 5, 0.7, 400
    run = sumabm.simulate("probe", 1500, seed=4, steps=11, overrides=crowd(n, c, d))
    worth = 1 + (n - 1) * c**2
    model = SUMModel("probe", 200, 4, **crowd(n, c, d))
    error = model.ais["X"].spec.utility.parts_error(model.ais["X"]._learnt)
    assert z(error**-2.0, worth) < 4
    for time in (1, 10):
        law = theory.expected_alignment(d, worth * time / NOISE**2)
        assert z(of(run, "alignment")[:, time], law) < 4
        for wrong in (1.0, n):
            other = theory.expected_alignment(d, wrong * time / NOISE**2)
            assert z(of(run, "alignment")[:, time], other) > 4


def test_parts_that_cancel_have_an_error_too():
    network = SUMModel("probe", 2, **crowd(2, 1.0, D)).ais["X"].spec.utility
    goal = np.eye(2, D)
    state = type("Goals", (), {"goals": (goal, -goal)})
    assert np.isfinite(network.parts_error(state)).all()


def test_what_has_no_parts_is_not_read_by_them():
    overrides = {"agents.W.method": {"kind": "probe", "noise": 1.0, "reads": "parts"}}
    with pytest.raises(ScenarioError, match=r"method\.reads: the AI X has no parts"):
        sumabm.load_scenario("probe", overrides)
