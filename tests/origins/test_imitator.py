"""The imitator against the exact law of a sample mean's direction, and its limit."""

import numpy as np
import pytest

import sumabm
from sumabm import theory
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError

SAMPLES = "agents.X.utility.samples"


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def first(overrides, replicates=4000, seed=11):
    model = SUMModel("imitator", replicates, seed, **overrides)
    aim = model.ais["X"].subject.aim
    np.testing.assert_allclose(np.vecdot(aim, aim), 1.0, rtol=1e-12)
    return np.vecdot(aim, model.goal)


@pytest.mark.parametrize(("d", "n", "power"), [(3, 1, 1.0), (2, 3, 1.0), (20, 1, 5.0), (20, 30, 1)])
def test_alignment_at_finite_d(d, n, power):
    """E A_d(R|s|), R² = 2 n O_Y; not that of more samples, nor the limit where it is far."""
    seen = first({"world.dimensions": d, SAMPLES: n, "agents.Y.power": float(power)})
    x = 2.0 * n * power / d
    assert z(seen, theory.expected_alignment(d, x)) < 4
    assert z(seen, theory.expected_alignment(d, 1.5 * x)) > 4
    assert d > 2 or z(seen, theory.bayesian_alignment(x)) > 4


def test_alignment_tends_to_its_limit():
    """c = sqrt(x/(1+x)), x = 2 n O_Y/d."""
    seen = first({"world.dimensions": 2000, SAMPLES: 1000, "agents.Y.power": 0.5}, 500)
    np.testing.assert_allclose(seen.mean(), theory.bayesian_alignment(0.5), rtol=3e-3)
    assert z(seen, theory.expected_alignment(2000, 0.5)) < 4


def test_published_cosine_of_one_look():
    """Dytso, Al, Poor and Shamai's channel, seen from the humans' side [dytso-2018]."""
    for (d, power), cosine in {(3, 1.0): 0.628904145185, (10, 5.0): 0.711001336194}.items():
        seen = first({"world.dimensions": d, SAMPLES: 1, "agents.Y.power": power})
        assert z(seen, cosine) < 4


def test_humans_show_as_one_what_they_want_on_average():
    """Powers add, and the direction is v_Y: not amplitudes, and neither human's own."""
    other = {"role": "human", "power": 2.0}
    seen = first({"world.dimensions": 20, SAMPLES: 5, "agents.Z": other})
    assert z(seen, theory.expected_alignment(20, 2.0 * 5 * 3.0 / 20)) < 4
    amplitudes = (1.0 + np.sqrt(2.0)) ** 2
    assert z(seen, theory.expected_alignment(20, 2.0 * 5 * amplitudes / 20)) > 4


def test_correlations_make_no_difference():
    world = {
        "kind": "gaussian",
        "dimensions": 3,
        "covariance": [[2, 0.5, 0], [0.5, 1, 0], [0, 0, 9]],
    }
    seen = first({"world": world, SAMPLES: 2}, 2000)
    assert z(seen, theory.expected_alignment(3, 4.0 / 3.0)) < 4


def test_other_worlds_agree_where_the_humans_are_weak():
    """To first order in sqrt(O_Y); exactly so in a causal world, whose law is Gaussian."""
    exact = theory.expected_alignment(3, 2.0 * 100 * 0.01 / 3)
    weak = {SAMPLES: 100, "agents.Y.power": 0.01}
    cloud = {"kind": "cloud", "points": 1000, "dimensions": 3}
    free = {"kind": "states", "utilities": "free", "probabilities": [0.25] * 4}
    causal = {"kind": "causal", "edges": [["a", "b", 0.5], ["b", "c", -1.0]]}
    for world in (cloud, free, causal):
        seen = first({"world": world, **weak}, 2000)
        assert abs(seen.mean() - exact) < 4 * seen.std(ddof=1) / np.sqrt(seen.size) + 0.01
        assert z(seen, 0.9 * exact) > 4


def test_samples_without_a_trace_leave_it_untrained():
    """Four samples, one in each of four states, show nothing: the aim is that of `start`."""
    free = {"kind": "states", "utilities": "free", "probabilities": [0.25] * 4}
    imitator = {"kind": "imitator", "samples": 4}
    model, fixed = (
        SUMModel(
            "imitator",
            3000,
            2,
            **{"world": free, "agents.X.utility": origin, "agents.Y.power": 0.0},
        )
        for origin in (imitator, "fixed")
    )
    random = np.abs(model.ais["X"].subject.aim - fixed.ais["X"].subject.aim).max(axis=1) < 1e-12
    assert abs(random.mean() - 24 / 256) < 4 * np.sqrt(24 * 232 / 256**2 / 3000)
    assert z(np.vecdot(model.ais["X"].subject.aim, model.goal), 0.0) < 4


def test_it_learns_but_once():
    run = sumabm.simulate("imitator", 10, steps=5)
    assert (np.diff(run["alignment"].sel(agent="X").values, axis=1) == 0).all()
    assert "certainty" not in run


def test_humans_do_not_imitate():
    with pytest.raises(ScenarioError, match="is for AIs"):
        sumabm.load_scenario("imitator", {"agents.Y.utility": "imitator"})
