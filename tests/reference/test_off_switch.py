"""The off-switch game [hadfield-menell-2017], its numbers through agents: LITERATURE item 8.

An AI of power d/2 moves a Gaussian world by sqrt(d), so that its act is worth N(0, 1) to humans as
d → ∞ if its aim is random. A mean of 1 comes from a budget aligner's first step: its aim is von
Mises–Fisher then, and its act worth N(1, 1).
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

import sumabm
from sumabm import sphere, theory

D = 300
LEARNT = float(sphere.mean_cosine(D, np.sqrt(D)))
"""What κ = sqrt(d) makes of a cosine, so that μ = σ to order 1/d."""
NUMBERS = {
    (0, 0.0): 0.39894228040143,
    (1, 0.0): 0.083315470587686,
    (0, 1.0): 0.2066209641419,
    (1, 1.0): -0.1253219496915,
}
"""Gain by deferring, by mean and noise, at sd 1."""


def play(mean, behaviour, replicates=10_000):
    """Return what acts of worth N(``mean``, 1) were worth, and whether they were made."""
    nats = float(sphere.nats(D, LEARNT))
    changes = {
        "harm": "regret",
        "world": {"kind": "gaussian", "dimensions": D},
        "agents.X.power": D / 2,
        "agents.X.behaviour": behaviour,
        "agents.Y.power": nats,  # what the aligner has to spend
        "agents.Y.response": "none",
    }
    run = sumabm.simulate("essay", replicates, 11, 1 + mean, changes).isel(step=-1)
    return run["welfare_acted"].values, run["spent"].sel(agent="X").values > 0.0


def switch(noise, expects):
    return {"kind": "off-switch", "human_noise": noise, "expects": expects}


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


@pytest.mark.parametrize(("mean", "noise"), NUMBERS)
def test_gain_by_deferring(mean, noise):
    """Published, by the normal law, and at finite d; of AIs that all defer."""
    worth, _ = play(mean, switch(noise, 0.0))
    gain = worth - max(mean, 0.0)
    exact = theory.aim_deference_gain(D, mean * LEARNT, np.sqrt(D), noise)
    exact = exact + np.sqrt(D) * mean * LEARNT - mean  # the mean is off 1 by order 1/d
    assert z(gain, NUMBERS[mean, noise]) < 4
    assert z(gain, exact) < 4
    for wrong in {*NUMBERS.values()} - {NUMBERS[mean, noise]}:
        assert z(gain, wrong) > 4


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


@pytest.mark.parametrize(("mean", "noise"), NUMBERS)
def test_formula(mean, noise):
    assert theory.deference_gain(mean, 1.0, noise) == pytest.approx(NUMBERS[mean, noise], abs=2e-13)


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
    assert wide == pytest.approx(NUMBERS[1, 1.0], abs=1e-7)
    assert abs(on_sphere(20, 1 / np.sqrt(20), np.sqrt(20), 1.0) - NUMBERS[1, 1.0]) > 1e-3


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
