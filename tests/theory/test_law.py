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


def test_mean_power_broadcasts_dimensions_and_powers():
    d, kappa, p = np.array([[2.0], [7.5], [1e6]]), np.array([0.0, 3.0]), np.full((4, 1, 1), 0.75)
    for measure in MEASURES:
        table = mean_power(d, kappa, measure, p)
        assert table.shape == (4, 3, 2)
        for i, j in np.ndindex(3, 2):
            alone = float(mean_power(float(d[i, 0]), float(kappa[j]), measure, 0.75))
            np.testing.assert_allclose(table[:, i, j], alone, rtol=1e-14)


def test_mean_power_beyond_what_a_float_cosine_can_tell():
    """κ so large that 1 − c is lost: ``E[1 − c] = (d − 1)/(2κ)``, however many dimensions."""
    for d in (2.0, 50.0, 1e6):
        for kappa in (1e18 * d, 1e25 * d):
            assert float(mean_power(d, kappa, p=0.5)) == pytest.approx(
                0.5 * (d - 1) / kappa, rel=1e-7
            )


# --- the cosine of random directions ------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 2.5, 3, 17, 60, 62, 200, 1e4, 1e6, 1e9])
def test_cosine_density_to_many_digits(d):
    with mpmath.workdps(40):
        m = mpmath.mpf(d) / 2
        front = mpmath.exp(mpmath.loggamma(m) - mpmath.loggamma(m - 0.5)) / mpmath.sqrt(mpmath.pi)
        for sds in (-5.0, 0.0, 0.1, 1.0, 9.0):
            c = float(np.clip(sds / np.sqrt(d), -0.999999, 0.999999))
            expected = float(front * (1 - mpmath.mpf(c) ** 2) ** (m - 1.5))
            assert float(theory.cosine_density(d, c)) == pytest.approx(expected, rel=2e-13)


@pytest.mark.parametrize("d", [2, 3, 4.5, 30, 1e5])
def test_cosine_density_is_the_slope_of_the_spheres_distribution(d):
    c = np.array([-1.5, -0.3, 0.0, 0.7, 2.0]) * min(0.45, 1.0 / np.sqrt(d))
    h = 1e-4 / np.sqrt(d)
    slope = (sphere.cosine_cdf(d, 0.0, c + h) - sphere.cosine_cdf(d, 0.0, c - h)) / (2.0 * h)
    np.testing.assert_allclose(theory.cosine_density(d, c), slope, rtol=1e-6)


def test_cosine_density_at_the_edges():
    assert theory.cosine_density(2, [-1.0, 1.0]).tolist() == [np.inf, np.inf]
    assert theory.cosine_density(3, [-1.0, 0.2, 1.0]).tolist() == pytest.approx(
        [0.5] * 3, rel=1e-15
    )
    assert theory.cosine_density([4, 1e9], [[-1.0], [1.0]]).tolist() == [[0.0, 0.0]] * 2
    assert theory.cosine_density([2, 3, 50], 1.0 + 1e-12).tolist() == [0.0] * 3
    assert float(theory.cosine_density(1e9, 0.0)) == pytest.approx(
        np.sqrt(1e9 / (2 * np.pi)), rel=1e-8
    )
    whole = integrate.quad(lambda c: float(theory.cosine_density(2, c)), -1.0, 1.0)[0]
    assert whole == pytest.approx(1.0, rel=1e-8)


def test_what_law_refuses():
    with pytest.raises(ValueError, match=r"d must be a finite number, 2 or more; got 1.5"):
        theory.cosine_density([3.0, 1.5], 0.0)
    with pytest.raises(ValueError, match=r"measure must be one of regret, .*; got 'regrets'"):
        mean_power(3, 1.0, "regrets")
    with pytest.raises(ValueError, match=r"kappa must be 0 or more; got -1.0"):
        mean_power(3, -1.0)
