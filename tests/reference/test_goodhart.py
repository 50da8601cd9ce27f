"""Catastrophic Goodhart [kwa-2024]: how it grows with power, and the scenarios that show it.

Its numbers are in `test_claims`. The AI wants V + X, its human V.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

import sumabm
from sumabm import theory
from sumabm.science.goodhart import act, chance, student

# --- the tilt -----------------------------------------------------------------------------------


def test_at_fixed_power_humans_get_nothing_as_the_tail_grows():
    gains = [act(1.0, student(cut), panels=32)[0] for cut in (10.0, 100.0, 1e3, 1e4)]
    assert np.all(np.diff(gains) < 0.0)
    assert gains[-1] < 0.01
    light = [act(1.0, {"kind": "gaussian", "cut": cut})[0] for cut in (6.0, 12.0, 24.0)]
    np.testing.assert_allclose(light, 1.0, rtol=1e-4)


def test_with_independent_error_the_tilt_never_takes_away():
    powers = np.geomspace(0.01, 20.0, 12)
    gains = [act(power, student(30.0))[0] for power in powers]
    assert np.all(np.diff(gains) > 0.0)
    best = [act(power, student(30.0), "quantilizing")[0] for power in powers]
    assert not np.all(np.diff(best) > 0.0)


def test_an_exponential_error_is_a_ceiling():
    """Both tails light by the paper's definition, and yet E[V] < 1 at any power."""
    error = {"kind": "exponential", "cut": 700.0}
    gains = [act(power, error, panels=32)[0] for power in (0.1, 1.0, 3.0, 10.0, 20.0)]
    assert np.all(np.diff(gains) > 0.0)
    assert 0.9 < gains[-1] < 1.0
    assert act(3.0, "gaussian")[0] > 1.7


@pytest.mark.parametrize(("power", "s"), [(0.3, 0.5), (1.0, 1.0), (3.0, 2.0)])
def test_gaussian_control(power, s):
    v, x = act(power, {"kind": "gaussian", "scale": s})
    assert v == pytest.approx(np.sqrt(2.0 * power / (1.0 + s * s)), abs=1e-9)
    assert v == pytest.approx(float(theory.proxy_gain(power, s)), abs=1e-9)
    assert x == pytest.approx(s * s * v, abs=1e-8)
    assert abs(act(power, {"kind": "gaussian", "scale": 1.01 * s})[0] - v) > 1e-3


# --- conditioning: a quantilizer of the matching power ------------------------------------------

LAWS = {"student-t": stats.t(3), "gaussian": stats.norm(), "laplace": stats.laplace()}


def beyond(law, level):
    """Return P(V + X ≥ level), by an integral over V."""
    parts = [-40.0, -2.0, 0.0, level - 1.0, level, level + 1.0, 40.0]
    return sum(
        integrate.quad(
            lambda v: stats.norm.pdf(v) * law.sf(level - v), a, b, epsabs=0.0, epsrel=1e-12
        )[0]
        for a, b in pairwise(parts)
    )


def test_conditioning_far_out():
    """E[V | V + X ≥ t] → 0 for t₃ errors, 1 for Laplace's, ∞ for Gaussian ones."""
    far = {}
    for kind, law in LAWS.items():
        error = {"kind": kind, **({"cut": 1e5} if kind == "student-t" else {})}
        power = -np.log(beyond(law, 7.0))
        far[kind] = act(power, error, "quantilizing", panels=32, level=1.0)[0]
    assert far["student-t"] < 0.5
    assert far["laplace"] == pytest.approx(1.0, abs=1e-3)
    assert far["gaussian"] > 3.5


# --- quantilizer and best of n in a finite world ------------------------------------------------


def conditioned(power, cut=30.0):
    """Return E[V | V + X ≥ t] of t₃ errors cut at ``cut``, t such that it costs ``power`` nats."""
    v = np.linspace(-9.0, 10.0, 40_001)
    density, law = stats.norm.pdf(v), stats.t(3)
    inside = 1.0 - 2.0 * law.sf(cut)
    low, high = -5.0, cut + 8.0
    for _ in range(60):
        level = 0.5 * (low + high)
        beyond = (law.sf(np.clip(level - v, -cut, cut)) - law.sf(cut)) / inside * density
        share = beyond.sum() * (v[1] - v[0])
        low, high = (level, high) if share > np.exp(-power) else (low, level)
    return float((beyond * v).sum() / beyond.sum())


@pytest.mark.parametrize(
    ("power", "accuracy"),
    [(0.3, 2e-3), (1.0, 2e-3), (3.0, 2e-3), (5.0, 2e-3), (9.2, 2e-3), (16.0, 0.03), (22.0, 0.06)],
)
def test_quantilizer_rises_falls_and_rises(power, accuracy):
    """At 22 nats the ideal is 3.955, this world 4.00."""
    found = act(power, student(30.0), "quantilizing", panels=32)[0]
    assert found == pytest.approx(conditioned(power), abs=accuracy)


def test_the_far_end_depends_on_where_the_truth_is_cut():
    """The 3.7 at 22 nats of THEORY §7.6 is a world whose V ends at 4."""
    ends = {"kind": "gaussian", "cut": 4.0}
    found = [act(p, student(30.0), "quantilizing", 32, truth=ends)[0] for p in (3.0, 9.2, 22.0)]
    np.testing.assert_allclose(found, [0.91, 0.21, 3.7], atol=0.03)


@pytest.mark.parametrize("behaviour", ["quantilizing", "best-of-n"])
def test_rise_fall_and_rise_of_both_rules(behaviour):
    gains = [act(power, student(30.0), behaviour)[0] for power in (0.3, 2.5, 9.2, 22.0)]
    assert 0.2 < gains[0] < gains[1]
    assert gains[1] == pytest.approx(0.9, abs=0.06)
    assert gains[2] == pytest.approx(0.24, abs=0.04)
    assert gains[3] > 3.5
    light = [act(power, "gaussian", behaviour)[0] for power in (0.3, 2.5, 9.2)]
    assert np.all(np.diff(light) > 0.0)


def test_the_scenario_shows_the_fall():
    run = sumabm.simulate("goodhart-heavy-tail")
    welfare, power = run["welfare"].values[0], run["power"].sel(agent="X").values[0]
    assert 2.0 < power[welfare.argmax()] < 4.0
    expected = [conditioned(nats) for nats in power]
    np.testing.assert_allclose(welfare, expected, atol=0.05)
    honest = sumabm.simulate("goodhart-heavy-tail", overrides={"agents.X.behaviour": "honest"})
    assert np.all(np.diff(honest["welfare"].values[0]) > 0.0)


@pytest.mark.parametrize("kind", LAWS)
def test_states_are_found_where_they_should_be(kind):
    """The world's own quadrature, against an integral: P(V + X ≥ 2)."""
    error = {"kind": kind, **({"cut": 1e4} if kind == "student-t" else {})}
    assert chance(error, 2.0) == pytest.approx(beyond(LAWS[kind], 2.0), abs=1e-9)
    assert abs(chance(error, 3.0) - beyond(LAWS[kind], 2.0)) > 1e-2
