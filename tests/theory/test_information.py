"""What one action reveals: 30-digit arithmetic, closed forms and sampling."""

import mpmath
import numpy as np
import pytest
from scipy import integrate, special

from sumabm import sphere, theory


def test_the_largest_radius_tends_to_its_limit():
    """Published values at d = 1, 2, 3 are in tests/reference."""
    many = theory.largest_uniform_radius(np.array([1e3, 1e6, 1e8])) / np.sqrt([1e3, 1e6, 1e8])
    np.testing.assert_allclose(many[1:], 1.860935682, rtol=1e-6)
    assert abs(many[0] - 1.860935682) > 1e-4


def test_beyond_the_largest_radius_a_mixture_tells_more():
    """At the radius, and only there, no shift and the sphere are equally informative inputs.

    The information density of an input at distance r is ``E_r[log p(s|r)/p(s)]``; sampled here.
    """
    d = 3
    radius = float(theory.largest_uniform_radius(d))
    s = np.random.default_rng(5).standard_normal((400_000, d))

    def log_ratio(shift, amplitude):  # log p(s|v)/p(s) for s about the shift, sinh z/z at d = 3
        seen = s + shift * np.eye(1, d)
        z = amplitude * np.linalg.norm(seen, axis=1)
        mixed = np.log(np.sinh(z) / z) - amplitude**2 / 2
        return shift * seen[:, 0] - shift**2 / 2 - mixed

    for amplitude, sign in ((radius, 0), (radius + 0.5, -1), (radius - 0.5, 1)):
        gap = log_ratio(amplitude, amplitude) - log_ratio(0.0, amplitude)
        error = gap.std() / np.sqrt(gap.size)
        assert abs(gap.mean()) < 4 * error if sign == 0 else sign * gap.mean() > 4 * error


# --- exact values -------------------------------------------------------------------------------


def in_many_digits(d, x):
    """Return information and mean cosine from the noncentral chi law of |s|, in 30 digits."""
    with mpmath.workdps(30):
        d, amplitude = mpmath.mpf(d), mpmath.sqrt(2 * mpmath.mpf(x))
        order = d / 2 - 1

        def log_0f1(z):
            scale = mpmath.loggamma(d / 2) - order * mpmath.log(z / 2)
            return mpmath.log(mpmath.besseli(order, z)) + scale

        def weighted(f):
            def integrand(u):  # ρ = u²: smooth at 0 for half-integer d too
                rho = u * u
                z = amplitude * rho
                return f(z) * 2 * u * rho ** (d - 1) * mpmath.exp(log_0f1(z) - rho * rho / 2 - top)

            return mpmath.quad(integrand, cuts, maxdegree=5)

        mode = mpmath.sqrt(max(d - 1, 0) + amplitude**2)
        top = (d - 1) * mpmath.log(mode) + log_0f1(amplitude * mode) - mode * mode / 2
        cuts = [mpmath.sqrt(max(mode + k, 0)) for k in (-9, -3, 0, 3, 9)]
        total = weighted(lambda z: 1)
        information = 2 * x - weighted(log_0f1) / total
        cosine = weighted(lambda z: mpmath.besseli(order + 1, z) / mpmath.besseli(order, z)) / total
        return float(information), float(cosine)


@pytest.mark.parametrize(
    ("d", "x"), [(1, 0.3), (1, 4), (2, 1e-6), (2, 3), (2.5, 1), (4, 9), (30, 1e-3), (61, 4)]
)
def test_to_many_digits(d, x):
    information, cosine = in_many_digits(d, x)
    assert float(theory.action_information(d, x)) == pytest.approx(information, rel=1e-11)
    assert float(theory.action_alignment(d, x)) == pytest.approx(cosine, rel=1e-11)


@pytest.mark.parametrize("x", [0.01, 1.0, 12.0])
def test_two_signs_by_the_gaussian_channel(x):
    """d = 1: ``I = 2x − E log cosh(2x + sqrt(2x) z)``, E tanh for the cosine."""
    z, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    at = 2.0 * x + np.sqrt(2.0 * x) * z
    information = 2.0 * x - weights @ (np.logaddexp(at, -at) - np.log(2.0))
    assert float(theory.action_information(1, x)) == pytest.approx(information, rel=1e-9)
    # the estimate's cosine with the truth is the sign's: E|tanh|
    whole = integrate.quad(
        lambda y: abs(np.tanh(2.0 * x + np.sqrt(2.0 * x) * y)) * np.exp(-y * y / 2), -9, 9,
        points=[-np.sqrt(2.0 * x)], epsabs=1e-12,
    )[0] / np.sqrt(2.0 * np.pi)  # fmt: skip
    assert float(theory.action_alignment(1, x)) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("x", [0.1, 2.0, 30.0])
def test_three_dimensions_by_elementary_functions(x):
    """``log 0F1 = log(sinh z/z)``, and |s| has the density ``∝ ρ exp(−ρ²/2) sinh(Rρ)``."""
    r = np.sqrt(2.0 * x)

    def density(rho):
        pair = np.exp(-((rho - r) ** 2) / 2) - np.exp(-((rho + r) ** 2) / 2)
        return rho / r * pair / np.sqrt(2.0 * np.pi)

    def mean(f):
        ends = max(r - 10.0, 0.0), r + 10.0
        return integrate.quad(
            lambda rho: density(rho) * f(r * rho), *ends, epsabs=1e-13, limit=200
        )[0]

    def log_0f1(z):
        return z + np.log(-np.expm1(-2.0 * z) / (2.0 * z)) if z > 0.0 else 0.0

    assert mean(lambda z: 1.0) == pytest.approx(1.0, rel=1e-9)
    information = 2.0 * x - mean(log_0f1)
    assert float(theory.action_information(3, x)) == pytest.approx(information, rel=1e-8)
    cosine = mean(lambda z: 1.0 / np.tanh(z) - 1.0 / z if z > 1e-9 else 0.0)
    assert float(theory.action_alignment(3, x)) == pytest.approx(cosine, rel=1e-8)


@pytest.mark.parametrize(("d", "x"), [(1, 1.0), (2, 0.5), (7, 3.0), (60, 200.0)])
def test_by_sampling(d, x):
    amplitude = np.sqrt(2.0 * x)
    s = np.random.default_rng(4).standard_normal((100_000, d)) + amplitude * np.eye(1, d)
    length = np.linalg.norm(s, axis=1)
    cosine = s[:, 0] / length  # of the estimate with the truth e
    if d == 1:
        cosine = cosine * np.tanh(amplitude * length) * np.sign(s[:, 0])
        density = amplitude * s[:, 0] - np.logaddexp(amplitude * s[:, 0], -amplitude * s[:, 0])
        density += np.log(2.0)
    else:
        kappa = amplitude * length
        log_0f1 = kappa * sphere.mean_cosine(d, kappa) - sphere.nats(d, kappa=kappa)
        density = amplitude * s[:, 0] - log_0f1
    for values, expected in (
        (density, float(theory.action_information(d, x))),
        (cosine, float(theory.action_alignment(d, x))),
    ):
        error = values.std(ddof=1) / np.sqrt(values.size)
        assert abs(values.mean() - expected) < 4 * error
        assert abs(values.mean() - 1.05 * expected) > 4 * error


@pytest.mark.parametrize(("d", "x"), [(2, 0.2), (3, 1.0), (12, 30.0), (1000, 50.0)])
def test_its_slope_is_the_error_left(d, x):
    """The I–mmse relation, ``dI/dx = 1 − E[A_d²]``, by a difference quotient and by sampling."""
    h = 1e-4 * x
    ends = theory.action_information(d, [x - h, x + h])
    s = np.random.default_rng(6).standard_normal((40_000, d if d < 100 else 2))
    length = np.hypot(s[:, 0] + np.sqrt(2.0 * x), np.linalg.norm(s[:, 1:], axis=1))
    if d >= 100:
        rest = np.random.default_rng(7).chisquare(d - 1, size=40_000)
        length = np.hypot(s[:, 0] + np.sqrt(2.0 * x), np.sqrt(rest))
    left = 1.0 - np.asarray(sphere.mean_cosine(d, np.sqrt(2.0 * x) * length)) ** 2
    error = left.std(ddof=1) / np.sqrt(left.size)
    assert abs(np.diff(ends)[0] / (2.0 * h) - left.mean()) < 4 * error


# --- limits, bounds and shapes ------------------------------------------------------------------

EVERY_D = np.array([1, 2, 2.5, 3, 7, 50, 1e3, 1e6])[:, None]
EVERY_X = np.array([0.0, 1e-12, 1e-6, 1e-3, 0.1, 1.0, 10.0, 1e3, 1e6])


def test_bounds_hold_everywhere():
    information = theory.action_information(EVERY_D, EVERY_X)
    assert information.shape == (8, 9)
    slack = 1.0 + 1e-13
    assert np.all(information <= EVERY_X * slack)
    assert np.all(information <= theory.information_bound(EVERY_D, EVERY_X) * slack)
    assert np.all(theory.information_bound(EVERY_D, EVERY_X) <= EVERY_X * slack)
    assert np.all(information[0] <= np.log(2.0) * slack)
    assert np.all(np.diff(information[1:], axis=1) > 0.0)
    assert np.all(information[:, 0] == 0.0)
    cosine = theory.action_alignment(EVERY_D, EVERY_X)
    assert np.all(cosine[:, 0] == 0.0)
    assert np.all((cosine[:, 1:] > 0.0) & (cosine[:, 1:] <= 1.0))


def test_little_power_is_all_told():
    """``I = x − x²/d + …``, to the last digits."""
    x = np.array([1e-300, 1e-12, 1e-6])
    found = theory.action_information(EVERY_D, x)
    np.testing.assert_allclose(found, x - x * x / EVERY_D, rtol=2e-12)
    lengths = np.exp(special.gammaln((EVERY_D + 1) / 2) - special.gammaln(EVERY_D / 2))
    expected = 2.0 * np.sqrt(x) * lengths / EVERY_D
    np.testing.assert_allclose(
        theory.action_alignment(EVERY_D, x)[:, :2], expected[:, :2], rtol=1e-8
    )


def test_much_power_in_few_dimensions():
    """The density about the truth flattens: ``I → ((d−1)/2) ln(2x/e) + ½ ln π − … − lnΓ(d/2)``."""
    x = 1e6
    for d in (2, 3, 10):
        # entropy of the sphere less that of d − 1 Gaussian coordinates of variance 1/(2x)
        sphere_area = np.log(2.0) + 0.5 * d * np.log(np.pi) - special.gammaln(0.5 * d)
        expected = sphere_area - 0.5 * (d - 1) * np.log(np.pi * np.e / x)
        assert float(theory.action_information(d, x)) == pytest.approx(expected, abs=d * d / x)
    assert float(theory.action_information(1, 1e6)) == pytest.approx(np.log(2.0), rel=1e-15)
    assert 1.0 - float(theory.action_alignment(3, x)) == pytest.approx(1.0 / (2.0 * x), rel=1e-5)


def test_many_dimensions_are_a_gaussian_channel():
    d, per_d = 1e6, np.array([0.01, 0.5, 3.0])
    found = theory.action_information(d, per_d * d / 2.0)
    np.testing.assert_allclose(found, theory.information_bound(d, per_d * d / 2.0), rtol=1e-5)
    cosine = theory.action_alignment(d, per_d * d / 2.0)
    np.testing.assert_allclose(cosine, np.sqrt(per_d / (1.0 + per_d)), rtol=1e-5)


def test_looks_multiply_power():
    for function in (
        theory.action_information, theory.action_alignment, theory.information_bound
    ):  # fmt: skip
        assert function(5, 0.3, 7.0) == function(5, 2.1) != function(5, 0.3)
        assert function(5, 3.0, 0.0) == 0.0
        table = function(np.full((2, 1, 1), 3.0), np.ones((4, 1)), np.arange(3.0))
        assert table.shape == (2, 4, 3)


def test_nothing_overflows():
    found = theory.action_information([1.0, 3.0, 1e6], [[1e12], [1e300]])
    assert np.isfinite(found).all()
    assert np.all(found[1, 1:] > found[0, 1:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5, 1.0), r"d must be 1 or a finite number, 2 or more; got 1.5"),
        ((3, -1.0), r"power must be 0 or more; got -1.0"),
        ((3, 1.0, np.nan), r"looks must be 0 or more; got nan"),
    ],
)
def test_what_is_refused(arguments, message):
    for function in (
        theory.action_information, theory.action_alignment, theory.information_bound
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            function(*arguments)
    with pytest.raises(ValueError, match=r"got 0.0"):
        theory.largest_uniform_radius(0.0)
