"""The Bayesian aligner against exact posteriors and the theory's limits."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere, theory
from sumabm.agents import turn_all
from sumabm.aligners.bayesian import Bayesian
from sumabm.aligners.beliefs import SeparateBelief
from sumabm.model import SUMModel
from sumabm.power import Constant
from sumabm.scenario import ScenarioError
from sumabm.turns import Nudge, Rotation


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def finite_d_cosine(d, x):
    """E A_d(R|s|), R² = d x, s ~ N(R e, I), by quadrature over the noncentral chi law of |s|."""
    from scipy import integrate, stats

    radius = np.sqrt(d * x)
    law = stats.ncx2(d, radius**2)
    low, high = law.ppf([1e-13, 1 - 1e-13])
    return integrate.quad(
        lambda s2: float(sphere.mean_cosine(d, radius * np.sqrt(s2))) * law.pdf(s2), low, high,
        epsabs=1e-10, limit=200,
    )[0]  # fmt: skip


def test_information_of_one_look_is_that_of_the_gaussian_channel():
    """Mean cosine after one look, against Dytso, Al, Poor and Shamai's channel [dytso-2018]."""
    for d, power in ((3, 1.0), (10, 1.0), (10, 5.0)):
        cosine = finite_d_cosine(d, 2.0 * power / d)
        overrides = {
            "world.dimensions": d,
            "agents.X.power": power,
            "agents.W.method.edit_power": 1e6,
        }
        run = sumabm.simulate("bayesian", 6000, seed=4, steps=2, overrides=overrides)
        seen = run["alignment"].sel(agent="X").values[:, 1]
        believed = run["believed"].sel(agent="X").values[:, 1]
        assert z(seen, cosine) < 4
        assert z(believed, cosine) < 4
        assert z(seen, cosine * 1.1) > 4


@pytest.mark.parametrize("looks", [1, 5])
def test_alignment_at_finite_d_with_free_edits(looks):
    overrides = {
        "world.dimensions": 20,
        "agents.X.power": 0.5,
        "agents.W.method": {"kind": "bayesian", "looks": looks, "edit_power": 1e6},
    }
    run = sumabm.simulate("bayesian", 3000, seed=8, steps=31, overrides=overrides)
    for time in (1, 5, 30):
        exact = finite_d_cosine(20, 2.0 * looks * 0.5 * time / 20)
        seen = run["alignment"].sel(agent="X").values[:, time]
        assert z(seen, exact) < 4, time
        assert z(seen, theory.bayesian_alignment(2.0 * looks * 0.5 * (time * 1.5) / 20)) > 4


def test_belief_is_calibrated():
    """What it expects is what is, on average, at every stage and with edits that bind."""
    run = sumabm.simulate("bayesian", 4000, seed=9, steps=60)
    truth = run["alignment"].sel(agent="X").values
    believed = run["believed"].sel(agent="X").values
    for time in (1, 10, 59):
        assert z(truth[:, time] - believed[:, time], 0.0) < 4


def test_edits_keep_to_their_power_and_use_it_when_it_binds():
    overrides = {"agents.X.power": 20.0, "agents.W.method.edit_power": 0.3}
    run = sumabm.simulate("bayesian", 50, steps=20, overrides=overrides)
    spent = run["spent"].sel(agent="W").values
    assert (spent <= 0.3 * (1 + 1e-12)).all()
    np.testing.assert_allclose(spent[:, 2], 0.3, rtol=1e-9)


def test_price_of_an_edit_is_the_kl_divergence_of_the_rotated_belief():
    """κ A (1 − cos δ) = E_p[log p − log p'], by Monte Carlo over the belief."""
    d, kappa, delta = 6, 4.0, 0.7
    mean = np.eye(d)[0]
    turned = np.cos(delta) * np.eye(d)[0] + np.sin(delta) * np.eye(d)[1]
    draws = sphere.sample_vectors(mean, kappa, 200_000, np.random.default_rng(3))
    loss = kappa * (draws @ mean - draws @ turned)
    price = kappa * sphere.mean_cosine(d, kappa) * (1 - np.cos(delta))
    assert z(loss, price) < 4
    assert z(loss, 1.05 * price) > 4


def test_looks_multiply_information_but_not_edits():
    some = sumabm.simulate("bayesian", 20, steps=10)
    more = sumabm.simulate("bayesian", 20, steps=10, overrides={"agents.W.method.looks": 10})
    knows = [run["information"].sel(agent="X").mean("replicate").values[-1] for run in (some, more)]
    assert knows[1] > 4 * knows[0]
    assert (more["spent"].sel(agent="W").values <= 1.0 + 1e-12).all()


@pytest.mark.parametrize("told", [True, False])
def test_a_belief_turns_with_the_ai_when_others_turn_it(told):
    """Edits are public: after others' rotations the belief is calibrated, if it is told."""
    model = SUMModel("bayesian", 2000, 5, steps=25)
    first = model.goal
    second = np.eye(100)[0] - first[:, :1] * first
    second /= np.linalg.norm(second, axis=1)[:, None]
    while model.running:
        model.step()
        turn = Rotation(first, second, np.full(2000, 0.3))
        turn_all({model.ais["X"]: [turn]})
        if told:
            model.aligners["W"].turned("X", turn)
    eta = model.aligners["W"]._state.eta("X")
    kappa = np.sqrt(np.vecdot(eta, eta))
    cosine = np.vecdot(model.ais["X"].subject.aim, eta / kappa[:, None])
    assert (z(cosine - sphere.mean_cosine(100, kappa), 0.0) < 4) == told


def test_nothing_seen_nothing_edited():
    run = sumabm.simulate("bayesian", 5, steps=5, overrides={"agents.X.power": 0.0})
    assert (run["information"].sel(agent="X").values == 0).all()
    assert (run["spent"].sel(agent="W").values == 0).all()
    assert (np.diff(run["alignment"].sel(agent="X").values, axis=1) == 0).all()


def test_belief_exactly_on_the_goal_is_left_alone():
    method = Bayesian(edit_power=Constant(value=1.0))
    model = SUMModel("bayesian", 2)
    view = model.view(model.aligners["W"])
    for sign in (1.0, -1.0):
        edit = method.edit(("X",), view, SeparateBelief({"X": sign * 3.0 * view.goal}, late=False))[
            "X"
        ]
        np.testing.assert_allclose(edit.turn.apply(model.ais["X"].subject).aim,
            model.ais["X"].subject.aim, atol=1e-15)  # fmt: skip
        np.testing.assert_allclose(edit.spent, 0.0, atol=1e-30)


def test_edits_it_cannot_follow_leave_its_belief():
    method, belief = Bayesian(), SeparateBelief({"X": np.ones((1, 3))}, late=False)
    turn = Rotation(np.eye(3)[:1], np.eye(3)[1:2], np.array([0.3]))
    assert method.turned("X", Nudge(np.ones(1), np.eye(3)[:1], 3), belief) is belief
    assert not np.array_equal(method.turned("X", turn, belief).eta("X"), belief.eta("X"))


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"agents.V": {"role": "aligner", "method": "budget"}}, "the aligner V"),
        (
            {"agents.W.method.edit_power": {"kind": "exponential", "initial": 1.0, "rate": 9.0}},
            r"edit_power\.rate",
        ),
    ],
)
def test_what_it_cannot_describe_is_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("bayesian", overrides)
