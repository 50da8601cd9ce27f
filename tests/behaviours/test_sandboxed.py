"""The sandbox: information without harm, about what the copy has, and not more than that."""

import numpy as np
import pytest

import sumabm
from sumabm import theory
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError

METHOD, BEHAVIOUR = "agents.W.method", "agents.X.behaviour"


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def sandboxed(edits="full", looks=1, d=100, fraction=0.5, edit_power=1e6, **behaviour):
    return {
        "world.dimensions": d,
        METHOD: {"kind": "bayesian", "looks": looks, "edits": edits, "edit_power": edit_power},
        BEHAVIOUR: {"kind": "sandboxed", "fraction": fraction, **behaviour},
    }


def run(overrides, replicates, steps, seed=1):
    return sumabm.simulate("bayesian", replicates, seed, steps=steps, overrides=overrides)


def alignment(data):
    return data["alignment"].sel(agent="X").values


@pytest.mark.parametrize("fidelity", [1.0, 0.6])
def test_confined_edits_at_finite_d_are_exact_at_every_step(fidelity):
    data = run(sandboxed("confined", 2, 20, 0.4, fidelity=fidelity), 3000, 31)
    seen = alignment(data)
    for time in (1, 5, 30):
        x = 2.0 * 2 * 2.0 * time / 8
        exact = theory.sandbox_expected_alignment(20, 8, x, fidelity)
        assert z(seen[:, time], float(exact)) < 4, time
        assert z(seen[:, time], float(exact) / 0.9) > 4, time


@pytest.mark.parametrize("fidelity", [1.0, 0.6])
def test_full_edits_at_finite_d_are_exact_after_the_first(fidelity):
    seen = alignment(run(sandboxed("full", 5, 20, 0.4, fidelity=fidelity), 3000, 2))
    exact = theory.sandbox_expected_alignment(20, 8, 2.0 * 5 * 2.0 / 8, fidelity, "full")
    assert z(seen[:, 1], float(exact)) < 4
    confined = theory.sandbox_expected_alignment(20, 8, 2.0 * 5 * 2.0 / 8, fidelity)
    assert z(seen[:, 1], float(confined)) > 4


@pytest.mark.parametrize(("edits", "other"), [("full", "confined"), ("confined", "full")])
@pytest.mark.parametrize(("fraction", "fidelity"), [(0.5, 1.0), (0.25, 1.0), (0.5, 0.6)])
def test_alignment_saturates_where_theory_says(edits, other, fraction, fidelity):
    """The limit d → ∞, at d = 400: ``ρ sqrt(f)`` or ``ρ f``, whatever more is looked at."""
    data = run(sandboxed(edits, 5000, 400, fraction, fidelity=fidelity), 150, 31, seed=2)
    for time in (15, 30):
        seen = alignment(data)[:, time]
        assert z(seen, float(theory.sandbox_alignment(fraction, fidelity, edits))) < 4
        assert z(seen, float(theory.sandbox_alignment(fraction, fidelity, other))) > 4


@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
def test_a_contained_ai_does_nothing_to_the_world(activation):
    alone = {"activation": activation, METHOD: "none"}
    both = {
        **alone,
        BEHAVIOUR: {"kind": "sandboxed", "fraction": 0.5, "release": 4},
        "agents.X2": {"role": "ai", "power": 3.0},
    }
    contained = sumabm.simulate("bayesian", 5, steps=6, overrides=both)
    spent = contained["spent"].sel(agent="X").values
    assert (spent[:, :4] == 0.0).all()
    assert (spent[:, 4:] == 2.0).all()
    single = {**alone, "agents.X2": {"role": "ai", "power": 3.0}, "agents.X.power": 0.0}
    without = sumabm.simulate("bayesian", 5, steps=6, overrides=single)
    np.testing.assert_allclose(
        contained["harm"].values[:, :4], without["harm"].values[:, :4], rtol=1e-12
    )
    assert (contained["harm"].values[:, 4:] != without["harm"].values[:, 4:]).all()


def test_information_without_harm():
    data = run(sandboxed(release=20, looks=3), 50, 22)
    assert (data["harm"].values[:, :20] == 0.0).all()
    assert (data["joint_spent"].values[:, :20] == 0.0).all()
    assert (data["harm"].values[:, 20:] > 0.0).all()
    assert alignment(data)[:, 20].mean() > 0.6


@pytest.mark.parametrize("edits", ["full", "confined"])
def test_belief_is_calibrated_in_the_copy_and_after_release(edits):
    """To order 1/d: lengths of the parts are taken to be their expected ones."""
    overrides = sandboxed(edits, d=400, release=60, looks=4, edit_power=1.0)
    data = run(overrides, 300, 100)
    off = np.abs((alignment(data) - data["believed"].sel(agent="X").values).mean(axis=0))
    assert off.max() < 0.006
    assert alignment(data)[:, -1].mean() > 0.8


def test_a_copy_says_nothing_of_the_rest_until_release():
    model = SUMModel("bayesian", 3, **sandboxed("confined", release=5), steps=8)
    for _ in range(5):
        model.step()
    blocks = model.aligners["W"]._state.blocks["X"]
    assert blocks.edges == (0, 50, 100)
    assert (blocks.eta[:, 50:] == 0.0).all()
    model.step()
    assert (model.aligners["W"]._state.eta("X")[:, 50:] != 0.0).all()


def test_low_fidelity_is_not_noticed():
    """The belief converges on the self that the copy shows; it is too sure of the AI itself."""
    data = run(sandboxed("full", 200, fidelity=0.6), 100, 10)
    believed = data["believed"].sel(agent="X").values[:, -1]
    assert z(alignment(data)[:, -1] - believed, 0.0) > 4
    assert abs(believed.mean() - np.sqrt(0.5)) < 0.01


def test_edits_in_blocks_keep_to_their_power_and_use_it_when_it_binds():
    overrides = sandboxed(looks=5, edit_power=0.3, release=6)
    spent = run(overrides, 30, 12)["spent"].sel(agent="W").values
    assert (spent <= 0.3 * (1 + 1e-9)).all()
    np.testing.assert_allclose(spent[:, 2], 0.3, rtol=1e-6)


def test_a_whole_copy_is_seen_as_the_world_is():
    """fraction = 1: the same beliefs and edits, bit for bit, and no harm."""
    plain = sumabm.simulate("bayesian", 3, steps=5)
    copy = {BEHAVIOUR: {"kind": "sandboxed", "fraction": 1.0}}
    whole = sumabm.simulate("bayesian", 3, steps=5, overrides=copy)
    np.testing.assert_array_equal(alignment(plain), alignment(whole))
    assert (whole["harm"].values == 0.0).all()


def test_correlated_worlds_copy_whitened_dimensions():
    root = np.tril(np.random.default_rng(0).standard_normal((12, 12))) + 3.0 * np.eye(12)
    overrides = {**sandboxed("confined", 3, 12, 0.5), "world.covariance": (root @ root.T).tolist()}
    seen = alignment(run(overrides, 2000, 11))[:, 10]
    exact = float(theory.sandbox_expected_alignment(12, 6, 2.0 * 3 * 2.0 * 10 / 6))
    assert z(seen, exact) < 4


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({METHOD: "budget"}, "sandbox does not show all"),
        ({METHOD: "suspicious"}, "sandbox does not show all"),
        ({METHOD: {"kind": "bayesian", "watches": "outcome"}}, "X is in a sandbox"),
        ({"world.dynamics": "persist"}, "X is in a sandbox"),
        ({"world": {"kind": "cloud", "points": 64, "dimensions": 4}}, "needs a Gaussian world"),
        ({"world.dimensions": 2}, "at least 2 of the 2 dimensions"),
        ({"world.dimensions": 3}, "not all but one"),
        ({f"{BEHAVIOUR}.inner": {"kind": "sandboxed", "fraction": 0.5}}, "in a sandbox already"),
        (
            {
                f"{BEHAVIOUR}.inner": {"kind": "resisting", "share": 0.5},
                f"{BEHAVIOUR}.fidelity": 0.5,
            },
            "needs inner = 'honest'",
        ),
        (
            {"world.left_turn": {"step": 3, "dimensions": 5}, f"{BEHAVIOUR}.fidelity": 0.5},
            "should be 1 where the world has a left turn",
        ),
    ],
)
def test_what_is_not_defined_is_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("bayesian", {**sandboxed(), **overrides})
