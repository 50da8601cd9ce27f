"""The AI that waits until it is certain: who acts when, and the harm that is not done."""

import numpy as np
import pytest
from scipy import stats

import sumabm
from sumabm import sphere, theory
from sumabm.scenario import ScenarioError
from sumabm.theory.learning import certain_share, cooperative_expected_harm

BEHAVIOUR = "agents.X.behaviour"


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def runs(certainty, d=20, replicates=3000, steps=41, **more):
    """Return a run of those who wait, and one of those who don't: their randomness is shared."""
    waits = {"kind": "cooperative", "certainty": certainty}
    return [
        sumabm.simulate(
            "cooperative", replicates, seed=5, steps=steps,
            overrides={"world.dimensions": d, BEHAVIOUR: how, **more},
        )
        for how in (waits, "honest")
    ]  # fmt: skip


@pytest.mark.parametrize(("d", "certainty"), [(20, 0.7), (3, 0.9)])
def test_share_that_acts_and_harm_that_is_left(d, certainty):
    """By step: P(A_d(κ) ≥ certainty), and E[harm; A_d(κ) ≥ certainty], exact at finite d."""
    run, learner = runs(certainty, d)
    acts = run["spent"].sel(agent="X").values > 0.0
    x = 2.0 * np.arange(41) / d
    share = certain_share(d, x, certainty)
    harm = cooperative_expected_harm(d, x, theory.residual(2.0, 1.0), certainty)
    told = 0
    for time in (1, 3, 4, 5, 7, 8, 10, 12, 40):
        error = np.sqrt(share[time] * (1.0 - share[time]) / len(acts))
        assert abs(acts[:, time].mean() - share[time]) <= 4 * error + 1e-3 / len(acts), time
        if 0.05 < share[time] < 0.95:
            told += 1
            assert z(run["harm"].values[:, time], harm[time]) < 4, time
            assert (
                abs(acts[:, time].mean() - certain_share(d, 1.2 * x[time], certainty)) > 4 * error
            )
            assert z(learner["harm"].values[:, time], harm[time]) > 4, time
    assert told >= 3


def test_no_harm_before_and_the_learners_from_then_on():
    """Replicate by replicate: what it learns does not depend on its acts."""
    run, learner = runs(0.7, replicates=200)
    acts = run["spent"].sel(agent="X").values > 0.0
    assert 0.2 < acts.mean() < 0.9
    np.testing.assert_array_equal(run["alignment"], learner["alignment"])
    np.testing.assert_array_equal(run["harm"].values[acts], learner["harm"].values[acts])
    assert (run["harm"].values[~acts] == 0.0).all()
    assert (learner["harm"].values[~acts] > 0.0).all()
    assert (run["spent"].sel(agent="X").values[acts] == 2.0).all()


def test_in_many_dimensions_all_begin_at_once():
    """At x = c²/(1 − c²): looked_nats(d, c) of the humans' acts."""
    run, _ = runs(0.6, d=5000, replicates=20, steps=31, **{"agents.X.utility.looks": 100})
    acts = run["spent"].sel(agent="X").values > 0.0
    begins = theory.looked_nats(5000, 0.6) / 100
    assert not acts[:, : int(0.95 * begins)].any()
    assert acts[:, int(1.05 * begins) + 1 :].all()


@pytest.mark.parametrize(("certainty", "share"), [(0.0, 1.0), (1.0, 0.0)])
def test_extremes(certainty, share):
    run, learner = runs(certainty, replicates=10)
    assert ((run["spent"].sel(agent="X").values > 0.0) == share).all()
    np.testing.assert_array_equal(run["harm"], share * learner["harm"])


def test_it_says_how_certain_it_must_be_of_what():
    with pytest.raises(ScenarioError, match="fixed does not say"):
        sumabm.load_scenario("cooperative", {"agents.X.utility": "fixed"})
    with pytest.raises(ScenarioError, match="imitator does not say"):
        sumabm.load_scenario("cooperative", {"agents.X.utility": "imitator"})


def test_theory_is_the_noncentral_chi_law():
    for d, x, c in [(2, 0.5, 0.6), (3, 2.0, 0.8), (20, 1.0, 0.7), (1000, 1.7, 0.8)]:
        edge = float(sphere.concentration(d, c)) ** 2 / (d * x)
        exact = stats.ncx2.sf(edge, d, d * x)
        assert certain_share(d, x, c) == pytest.approx(exact, rel=1e-9)
    x = np.array([0.0, 0.5, 2.0])
    np.testing.assert_array_equal(certain_share(5, x, 1.0), 0.0)
    np.testing.assert_allclose(certain_share(5, x, 0.0), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(certain_share(5, x[:1], 0.1), 0.0)
    for measure in ("regret", "orthogonal", "utility-loss"):
        np.testing.assert_allclose(
            cooperative_expected_harm(5, x, 2.0, 0.0, measure, 0.5),
            theory.bayesian_expected_harm(5, x, 2.0, measure, 0.5),
            rtol=1e-9,
        )


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((1, 1.0, 0.5), "d must be"),
        ((3, -1.0, 0.5), "x must be"),
        ((3, 1.0, 1.5), "certainty must"),
    ],
)
def test_theory_refuses_what_is_out_of_range(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        certain_share(*arguments)
