"""Prices of a Gaussian's mean shift: against integrals, high precision and their own inverses."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sumabm.tilt.measures import price
from sumabm.tilt.shifts import MEASURES, shift_price, shift_within

CASES = [(m, 2.5 if m == "renyi" else None) for m in MEASURES]
SIZES = [1e-12, 1e-6, 1e-3, 0.1, 1.0, 3.0]


def exact(beta, measure, alpha):
    b = mpmath.mpf(beta)
    return {
        "kl": b**2 / 2,
        "reverse-kl": b**2 / 2,
        "renyi": mpmath.mpf(alpha or 1) * b**2 / 2,
        "chi2": mpmath.expm1(b**2),
        "hellinger": -mpmath.expm1(-(b**2) / 8),
        "tv": mpmath.erf(b / mpmath.sqrt(8)),
        "wasserstein": b,
    }[measure]


@pytest.mark.parametrize(("measure", "alpha"), CASES)
@pytest.mark.parametrize("beta", SIZES)
def test_price_and_inverse(measure, alpha, beta):
    with mpmath.workdps(40):
        expected = float(exact(beta, measure, alpha))
    found = shift_price(beta, measure, alpha)
    assert found == pytest.approx(expected, rel=1e-14)
    assert shift_price(-beta, measure, alpha) == found
    assert shift_within(expected, measure, alpha) == pytest.approx(
        beta, rel=2e-15 * np.exp(beta**2)
    )


@pytest.mark.parametrize("beta", [0.3, 1.7])
def test_prices_are_the_divergences(beta):
    """By their definitions, integrated."""

    def integral(f):
        return quad(lambda x: f(norm.pdf(x, beta), norm.pdf(x)), -15, 15, points=[0, beta / 2])[0]

    def log_ratio(q, p):
        return np.log(q) - np.log(p)

    assert shift_price(beta, "kl") == pytest.approx(integral(lambda q, p: q * log_ratio(q, p)))
    assert shift_price(beta, "reverse-kl") == pytest.approx(
        integral(lambda q, p: p * log_ratio(p, q))
    )
    assert shift_price(beta, "chi2") == pytest.approx(integral(lambda q, p: (q - p) ** 2 / p))
    assert shift_price(beta, "hellinger") == pytest.approx(
        1 - integral(lambda q, p: np.sqrt(q * p))
    )
    assert shift_price(beta, "tv") == pytest.approx(0.5 * integral(lambda q, p: abs(q - p)))
    for alpha in (0.5, 2.0):
        power = integral(lambda q, p, a=alpha: q**a * p ** (1 - a))
        assert shift_price(beta, "renyi", alpha) == pytest.approx(np.log(power) / (alpha - 1))


@pytest.mark.parametrize(("measure", "alpha"), CASES)
def test_a_fine_grid_agrees_with_the_discrete_price(measure, alpha):
    if measure == "wasserstein":
        return
    x = np.linspace(-12.0, 12.0, 4001)
    p, q = norm.logpdf(x), norm.logpdf(x, 0.8)
    p, q = p - np.log(np.exp(p).sum()), q - np.log(np.exp(q).sum())
    assert price(q, p, measure, alpha=alpha) == pytest.approx(
        shift_price(0.8, measure, alpha), rel=1e-5
    )


def test_limits():
    for measure, alpha in CASES:
        assert shift_price(0.0, measure, alpha) == 0.0
        assert shift_within(0.0, measure, alpha) == 0.0
        assert shift_within(np.inf, measure, alpha) == np.inf
    for measure in ("tv", "hellinger"):
        np.testing.assert_array_equal(shift_within(np.array([1.0, 2.0]), measure), np.inf)
        assert np.isfinite(shift_within(1.0 - 1e-15, measure))
        assert shift_price(1e200, measure) == 1.0
    assert shift_price(1e200, "chi2") == shift_price(1e200, "kl") == np.inf
    assert shift_price(np.ones((2, 3)), "kl").shape == (2, 3)


@pytest.mark.parametrize(
    ("measure", "alpha", "message"),
    [
        ("KL", None, "must be one of 'kl', "),
        ("renyi", None, "got measure 'renyi' and alpha None"),
        ("kl", 2.0, "got measure 'kl' and alpha 2.0"),
        ("renyi", 1.0, 'use the KL tilt, measure "kl"'),
        ("renyi", 0.0, "above 0: got 0.0"),
    ],
)
def test_errors(measure, alpha, message):
    for function in (shift_price, shift_within):
        with pytest.raises(ValueError, match=message):
            function(1.0, measure, alpha)
    with pytest.raises(ValueError, match="at least 0"):
        shift_within(-1.0, "kl")
