"""The off-switch game [hadfield-menell-2017] at finite d, its threshold and its closed forms.

Its numbers are in `test_claims`, where `play` says how acts come to be worth N(0, 1) and N(1, 1).
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from sumabm import sphere, theory
from sumabm.science.off_switch import LEARNT, D, play, switch

PLAYS = ((0, 0.0), (1, 0.0), (0, 1.0), (1, 1.0))
"""Mean and noise."""


def expected(mean, noise):
    """Return the gain by deferring at this d, where the mean is off 1 by order 1/d."""
    gain = theory.aim_deference_gain(D, mean * LEARNT, np.sqrt(D), noise)
    return gain + np.sqrt(D) * mean * LEARNT - mean


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


@pytest.fixture(scope="module")
def acted():
    """What the act of one without an off-switch is worth."""
    return {mean: play(mean, "honest")[0] for mean in (0, 1)}


@pytest.mark.parametrize("mean", [0, 1])
def test_the_law_of_what_an_act_is_worth(mean, acted):
    assert z(acted[mean], mean) < 4
    assert z((acted[mean] - mean) ** 2, 1.0) < 4
    assert z(acted[mean], mean + 0.05) > 4
    assert z((acted[mean] - mean) ** 2, 1.1) > 4


@pytest.mark.parametrize(("mean", "noise"), PLAYS)
def test_gain_by_deferring(mean, noise):
    """At finite d, of AIs that all defer."""
    worth, _ = play(mean, switch(noise, 0.0))
    gain = worth - max(mean, 0.0)
    assert z(gain, expected(mean, noise)) < 4
    for wrong in PLAYS:
        assert wrong == (mean, noise) or z(gain, expected(*wrong)) > 4


def test_a_noisy_human_is_not_deferred_to(acted):
    """By an AI that knows as much as (1, 1); by (0, 1), and to a rational human, it is."""
    worth, acts = play(1, switch(1.0, LEARNT), 2000)
    assert acts.all()
    np.testing.assert_array_equal(worth, acted[1][:2000])
    worth, acts = play(1, switch(0.0, LEARNT), 2000)
    np.testing.assert_array_equal(acts, acted[1][:2000] > 0.0)
    assert not acts.all()
    _, acts = play(0, switch(1.0, 0.0), 2000)
    assert abs(acts.mean() - 0.5) < 4 * 0.5 / np.sqrt(2000)


@pytest.mark.parametrize("c", [0.01, LEARNT, 0.3, -0.1])
def test_threshold(c):
    """2|μ|b = σ² of the published rule, at finite d 2|κ|b = a: on one side and on the other."""
    edge = np.sqrt(D) / (2.0 * float(sphere.concentration(D, abs(c))))
    _, below = play(0, switch(0.9999 * edge, c), 100)
    _, above = play(0, switch(1.0001 * edge, c), 100)
    assert 0 < below.sum() < 100  # humans decide
    assert (above == (c > 0.0)).all()
    mean, sd = c * np.sqrt(D), np.sqrt(1.0 - c * c)
    assert edge == pytest.approx(sd**2 / (2.0 * abs(mean)), rel=1.5 / D)


# --- the closed forms ---------------------------------------------------------------------------


def by_quadrature(density, allowed, low, high, noise):
    """Return E[π U] − max(E U, 0) for a density that need not be normalised."""
    ends = [*np.linspace(low, high, 61), *np.clip(noise * np.arange(-30, 31), low, high)]
    ends = np.unique(np.round(ends, 12))

    def integral(f):
        parts = pairwise(ends)
        return sum(integrate.quad(f, a, b, epsabs=1e-13, epsrel=1e-10)[0] for a, b in parts)

    whole = integral(density)
    mean = integral(lambda u: density(u) * u) / whole
    return integral(lambda u: density(u) * u * allowed(u)) / whole - max(mean, 0.0)


def logistic(noise):
    return lambda u: special.expit(u / noise) if noise > 0.0 else float(u > 0.0)


@pytest.mark.parametrize(
    ("mean", "sd", "noise"),
    [(0.3, 0.7, 0.2), (-2.0, 0.5, 3.0), (5.0, 1.0, 0.01), (0.0, 1.0, 1e-2), (1.0, 0.1, 1.0)],
)
def test_formula_by_quadrature(mean, sd, noise):
    law = stats.norm(mean, sd)
    expected = by_quadrature(law.pdf, logistic(noise), mean - 12 * sd, mean + 12 * sd, noise)
    assert theory.deference_gain(mean, sd, noise) == pytest.approx(expected, abs=1e-10)
    assert theory.deference_gain(-mean, sd, noise) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("d", "kappa", "amplitude", "noise"),
    [(3, 1.0, 2.0, 0.3), (4, 0.0, 1.0, 0.0), (20, 15.0, 2.0, 0.05), (300, 40.0, 17.0, 0.2)],
)
def test_formula_on_the_sphere_by_quadrature(d, kappa, amplitude, noise):
    cosine = float(sphere.mean_cosine(d, kappa))

    def density(u):
        t = u / amplitude
        return np.exp(kappa * (t - 1.0)) * max(1.0 - t * t, 0.0) ** (0.5 * (d - 3.0))

    expected = by_quadrature(density, logistic(noise), -amplitude, amplitude, noise)
    assert theory.aim_deference_gain(d, cosine, amplitude, noise) == pytest.approx(
        expected, abs=1e-10
    )


def test_gains_change_sign_at_the_threshold():
    mean, sd = np.array([[0.1], [1.0], [-3.0]]), np.array([0.5, 2.0])
    edge = sd**2 / (2.0 * np.abs(mean))
    assert (theory.deference_gain(mean, sd, 0.99 * edge) > 0.0).all()
    assert (theory.deference_gain(mean, sd, 1.01 * edge) < 0.0).all()
    d, kappa = np.array([[2.0], [3.0], [50.0]]), np.array([0.5, 3.0, 20.0])
    cosine = sphere.mean_cosine(d, kappa)
    edge = 1.5 / (2.0 * kappa)
    assert (theory.aim_deference_gain(d, cosine, 1.5, 0.99 * edge) > 0.0).all()
    assert (theory.aim_deference_gain(d, cosine, 1.5, 1.01 * edge) < 0.0).all()


def test_limits():
    gain = theory.deference_gain
    assert gain(1.0, 0.0, 1.0) == pytest.approx(-special.expit(-1.0), rel=1e-12)
    assert gain(2.0, 1.0, np.inf) == pytest.approx(-1.0, rel=1e-12)
    assert gain(1.0, 0.0) == 0.0
    on_sphere = theory.aim_deference_gain
    assert on_sphere(5, 1.0, 1.0, 0.5) == pytest.approx(-special.expit(-2.0), rel=1e-12)
    assert on_sphere(5, 0.3, 0.0, 0.5) == 0.0
    assert on_sphere(2, 0.0, 1.0) == pytest.approx(1.0 / np.pi, rel=1e-12)
    wide = on_sphere(1e8, 1e-4, 1e4, 1.0)
    assert wide == pytest.approx(theory.deference_gain(1.0, 1.0, 1.0), abs=1e-7)
    assert (
        abs(on_sphere(20, 1 / np.sqrt(20), np.sqrt(20), 1.0) - theory.deference_gain(1.0, 1.0, 1.0))
        > 1e-3
    )


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: theory.deference_gain(0.0, -1.0), "sd must"),
        (lambda: theory.deference_gain(0.0, 1.0, -1.0), "noise must"),
        (lambda: theory.deference_gain(np.nan, 1.0), "mean"),
        (lambda: theory.aim_deference_gain(1, 0.0, 1.0), "d must"),
        (lambda: theory.aim_deference_gain(3, 1.5, 1.0), "cosine must"),
        (lambda: theory.aim_deference_gain(3, 0.5, -1.0), "amplitude must"),
        (lambda: theory.aim_deference_gain(3, 0.5, 1.0, np.nan), "noise must"),
    ],
)
def test_theory_refuses_what_is_out_of_range(call, rule):
    with pytest.raises(ValueError, match=rule):
        call()
