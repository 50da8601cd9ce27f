"""What alignment costs: the integral of concentration, the expansion, and its slope in d."""

import numpy as np
import pytest
from scipy import integrate, special

from sumabm import sphere, theory


@pytest.mark.parametrize("d", [2, 3, 40, 1e5])
@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.95])
def test_cost_is_the_work_against_concentration(d, threshold):
    """``dD/dc = κ``."""
    work = integrate.quad(
        lambda c: float(sphere.concentration(d, c)), 0.0, threshold, epsabs=0.0, epsrel=1e-10
    )[0]
    assert float(theory.alignment_cost(d, threshold)) == pytest.approx(work, rel=1e-8)


def test_cost_on_the_circle_by_bessel_functions():
    kappa = np.array([0.1, 2.0, 30.0])
    mean = special.ive(1, kappa) / special.ive(0, kappa)
    expected = kappa * mean - np.log(special.ive(0, kappa)) - kappa
    np.testing.assert_allclose(theory.alignment_cost(2, mean), expected, rtol=1e-10)


def test_cost_inverts_alignment():
    d, c = np.array([[2.0], [9.0], [1e9]]), np.array([1e-9, 0.3, 0.99])
    np.testing.assert_allclose(
        theory.alignment(d, theory.alignment_cost(d, c)), c * np.ones((3, 1))
    )


@pytest.mark.parametrize("threshold", [0.3, 0.9, 0.999])
def test_the_limit_is_off_by_one_over_d(threshold):
    """Three terms of large d: d times the gap is bounded; without ½ ln(1 − c⁴) it isn't."""
    d = np.array([1e3, 1e4, 1e5])
    cost = theory.alignment_cost(d, threshold)
    gap = d * (cost - theory.alignment_cost_limit(d, threshold))
    np.testing.assert_allclose(gap, gap[0], rtol=1e-2, atol=1e-4)
    assert abs(gap[0]) < 1.0
    leading = d * (cost - d * theory.cost_per_dimension(threshold))
    assert np.all(leading[1:] / leading[:-1] > 9.0)


def test_cost_per_dimension_is_the_slope_in_d():
    c = np.array([0.0, 1e-8, 0.2, 0.9, 1.0 - 1e-9])
    slope = (theory.alignment_cost_limit(1e3, c) - theory.alignment_cost_limit(1e2, c)) / 900.0
    np.testing.assert_allclose(theory.cost_per_dimension(c), slope, rtol=1e-12)
    exact = (theory.alignment_cost(1e6, c) - theory.alignment_cost(1e5, c)) / 9e5
    np.testing.assert_allclose(theory.cost_per_dimension(c), exact, rtol=1e-6)


def test_edges():
    assert theory.alignment_cost(7, 0.0) == theory.alignment_cost_limit(7, 0.0) == 0.0
    for infinite in (theory.alignment_cost, theory.alignment_cost_limit):
        assert infinite(2, 1.0) == np.inf
    assert theory.cost_per_dimension(1.0) == np.inf
    tiny = 1e-9
    assert float(theory.cost_per_dimension(tiny)) == pytest.approx(tiny**2 / 2, rel=1e-14)
    near = 1.0 - 2.0**-40
    assert float(theory.cost_per_dimension(near)) == pytest.approx(
        -0.5 * np.log(2.0**-39 - 2.0**-80), rel=1e-14
    )
    d, c = np.full((3, 1), 5.0), np.full(4, 0.5)
    assert theory.alignment_cost(d, c).shape == theory.alignment_cost_limit(d, c).shape == (3, 4)


@pytest.mark.parametrize("function", [theory.alignment_cost, theory.alignment_cost_limit])
def test_what_is_refused(function):
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\]; got -0.1"):
        function(5, -0.1)
    with pytest.raises(ValueError, match=r"d must be a finite number.* 2 or more; got 1.0"):
        function(1.0, 0.5)
