"""Means over the tilted law against adaptive quadrature in the angle and exact moments."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy import integrate

from sumabm import sphere, theory
from sumabm.theory.law import mean_power

MEASURES = {
    "regret": lambda t: 2.0 * np.sin(0.5 * t) ** 2,
    "orthogonal": np.sin,
    "utility-loss": lambda t: max(-np.cos(t), 0.0),
}


def by_quadrature(d, kappa, f):
    """Return E[f(angle)], density ∝ sin(t)^(d−2) exp(κ cos t), piece by piece round the mode."""
    half = 0.5 * (d - 2.0)
    mode = np.arccos(kappa / (half + np.hypot(half, kappa))) if d > 2 else 0.0
    bend = kappa * np.cos(mode) + ((d - 2.0) / np.sin(mode) ** 2 if d > 2 else 1.0)
    width = 1.0 / np.sqrt(bend)

    def log_density(t):
        return ((d - 2.0) * np.log(np.sin(t)) if d > 2 else 0.0) + kappa * (np.cos(t) - 1.0)

    top = log_density(mode) if d > 2 else 0.0
    cuts = [mode + k * width for k in (-40, -12, -6, -3, 0, 3, 6, 12, 40)]
    cuts = sorted({min(max(cut, 0.0), np.pi) for cut in (*cuts, 0.5 * np.pi)})
    if mode + 40 * width < 0.5 * np.pi:
        cuts = cuts[:-1]

    def integral(g):
        return sum(
            integrate.quad(
                lambda t: g(t) * np.exp(log_density(t) - top), a, b,
                epsabs=1e-12 * width * scale, epsrel=1e-11, limit=400,
            )[0]
            for a, b in pairwise(cuts)
        )  # fmt: skip

    scale = 1e-6
    return integral(f) / integral(lambda t: 1.0)


@pytest.mark.parametrize("d", [2, 3, 10, 100, 1e4, 1e6])
@pytest.mark.parametrize("per_d", [0.0, 0.01, 0.4, 3.0])
@pytest.mark.parametrize("measure", MEASURES)
def test_mean_power_is_the_mean(d, per_d, measure):
    f = MEASURES[measure]
    for p in (0.5, 0.75, 1.0):
        expected = by_quadrature(d, per_d * d, lambda t, p=p: f(t) ** (2.0 * p))
        found = float(mean_power(d, per_d * d, measure, p))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-17)


@pytest.mark.parametrize(("d", "kappa"), [(2, 0.3), (3, 5.0), (7, 20.0), (30, 3.0), (4, 60.0)])
@pytest.mark.parametrize("measure", MEASURES)
def test_mean_power_to_many_digits(d, kappa, measure):
    """Against 30-digit arithmetic, the far tail of the utility loss included."""
    shape = {
        "regret": lambda t: 1 - mpmath.cos(t),
        "orthogonal": mpmath.sin,
        "utility-loss": lambda t: max(-mpmath.cos(t), mpmath.mpf(0)),
    }[measure]
    with mpmath.workdps(30):
        ends = mpmath.linspace(0, mpmath.pi, 9)

        def integral(power):
            return mpmath.quad(
                lambda t: mpmath.sin(t) ** (d - 2) * mpmath.exp(kappa * mpmath.cos(t))
                * shape(t) ** power,
                ends,
            )  # fmt: skip

        total = integral(0) if measure != "utility-loss" else mpmath.quad(
            lambda t: mpmath.sin(t) ** (d - 2) * mpmath.exp(kappa * mpmath.cos(t)), ends
        )  # fmt: skip
        for p in (0.5, 1.0):
            expected = float(integral(int(2 * p)) / total)
            assert float(mean_power(d, kappa, measure, p)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("d", [2, 3, 10, 1e3, 1e6])
@pytest.mark.parametrize("per_d", [1e-8, 1e-3, 0.2, 5.0, 1e3, 1e6])
def test_second_moments_are_exact(d, per_d):
    """``E[1 − c²] = (d − 1) A/κ`` and ``E[(1 − c)²] = 2(1 − A) − (d − 1) A/κ``."""
    kappa = per_d * d
    mean, phi = float(sphere.mean_cosine(d, kappa)), float(sphere.divergence(d, kappa))
    width = (d - 1.0) * mean / kappa
    assert float(mean_power(d, kappa, "orthogonal", 1.0)) == pytest.approx(width, rel=1e-10)
    if per_d <= 5.0:  # beyond, the difference cancels
        square = 2.0 * phi - width
        assert float(mean_power(d, kappa, "regret", 1.0)) == pytest.approx(square, rel=1e-9)


@pytest.mark.parametrize("d", [2, 3, 10, 1e3, 1e6])
def test_mean_divergence_is_the_spheres(d):
    kappa = d * np.array([0.0, 1e-6, 0.1, 1.0, 30.0, 1e4])
    found = mean_power(d, kappa, "regret", 0.5)
    np.testing.assert_allclose(found, sphere.divergence(d, kappa), rtol=1e-10)


@pytest.mark.parametrize("d", [2, 3, 50])
def test_the_uniform_law_by_sampling(d):
    vectors = np.random.default_rng(1).standard_normal((20_000, d))
    c = vectors[:, 0] / np.linalg.norm(vectors, axis=1)
    for measure, values in (
        ("regret", 1.0 - c),
        ("orthogonal", np.sqrt(1.0 - c**2)),
        ("utility-loss", np.maximum(-c, 0.0)),
    ):
        for p in (0.5, 1.0):
            powers = values ** (2.0 * p)
            error = powers.std(ddof=1) / np.sqrt(powers.size)
            mean = float(mean_power(d, 0.0, measure, p))
            assert abs(powers.mean() - mean) < 4 * error
            assert abs(powers.mean() - 1.1 * mean) > 4 * error


def test_mean_power_takes_any_shape_of_kappa():
    kappa = np.array([[0.0, 1.0, 10.0], [2.0, 5.0, 1e3]])
    for measure in MEASURES:
        found = mean_power(20, kappa, measure)
        assert found.shape == (2, 3)
        assert float(mean_power(20, 5.0, measure)) == pytest.approx(found[1, 1], rel=1e-13)
        assert np.all(np.diff(found[0]) < 0.0)


def test_alignment_inverts_the_nats():
    """``A`` from D, checked by D from the derivative ``dD/dA = κ``: integrate κ back."""
    for d in (2, 10, 1000):
        for nats in (0.1, 1.0, 4.0):
            mean = float(theory.alignment(d, nats))
            spent = integrate.quad(
                lambda c, d=d: float(sphere.concentration(d, c)),
                0.0,
                mean,
                epsabs=1e-10,
                epsrel=1e-9,
            )[0]
            assert spent == pytest.approx(nats, rel=1e-8)
    assert theory.alignment(10, np.zeros((2, 3))).shape == (2, 3)


# --- what looking tells -----------------------------------------------------------------------


@pytest.mark.parametrize("x", [0.01, 0.5, 1.0, 8.0])
def test_bayesian_alignment_is_that_of_a_noisy_gaussian_look(x):
    """Many dimensions: see ``sqrt(x) v + noise`` of unit length per sqrt(d); cosine by sampling."""
    d, rows = 2000, 400
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((rows, d)) / np.sqrt(d)
    belief = noise + np.sqrt(x) * np.eye(1, d)
    c = belief[:, 0] / np.linalg.norm(belief, axis=1)
    expected = float(theory.bayesian_alignment(x))
    error = c.std(ddof=1) / np.sqrt(rows)
    assert abs(c.mean() - expected) < 4 * error + 2.0 / d  # and the bias of finite d
    assert abs(c.mean() - expected) < 0.01
    assert abs(c.mean() - float(theory.bayesian_alignment(1.3 * x))) > 4 * error


def test_bayesian_information_costs_what_the_alignment_does_at_large_d():
    """(d/2) ln(1+x) is −(d/2) ln(1−c²) at c = sqrt(x/(1+x)): the sphere's nats as d → ∞."""
    x = np.array([0.01, 0.5, 4.0])
    for d, close in ((1e4, 2e-2), (1e7, 2e-5)):
        nats = sphere.nats(d, theory.bayesian_alignment(x))
        np.testing.assert_allclose(theory.bayesian_information(d, x), nats, rtol=close)
    assert theory.bayesian_information(10.0, 0.0) == theory.bayesian_alignment(0.0) == 0.0


def test_bayesian_information_is_the_entropy_a_gaussian_channel_removes():
    """½ ln det(I + x I) in d dimensions, by a determinant."""
    for d, x in ((3, 0.2), (12, 5.0)):
        expected = 0.5 * np.linalg.slogdet(np.eye(d) * (1.0 + x))[1]
        assert float(theory.bayesian_information(d, x)) == pytest.approx(expected, rel=1e-12)
