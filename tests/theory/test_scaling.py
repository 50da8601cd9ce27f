"""Harm against AI power: the three stages of the essay, and slopes against finite differences."""

import numpy as np
import pytest

from sumabm import theory


@pytest.mark.parametrize("exact", [True, False])
def test_scaled_harm_is_training_harm(exact):
    xi, alpha = np.array([0.3, 1.0, 1.5, 9.0]), np.array([[0.0], [0.5], [1.0]])
    found = theory.scaled_harm(xi, 20.0, alpha, 0.9, "orthogonal", 0.5, exact)
    assert found.shape == (3, 4)
    assert np.all(found[:, :2] == 0.0)
    for i, j in np.ndindex(3, 2):
        d = 20.0 * xi[j + 2] ** alpha[i, 0]
        one = theory.training_harm(d, xi[j + 2], 1.0, 0.9, "orthogonal", 0.5, exact)
        assert found[i, j + 2] == pytest.approx(float(one), rel=1e-12)


@pytest.mark.parametrize("measure", ["regret", "orthogonal"])
@pytest.mark.parametrize(("p", "alpha"), [(0.5, 0.0), (1.0, 0.0), (1.0, 0.7), (0.75, -0.2)])
def test_local_slope_is_that_of_the_limit(measure, p, alpha):
    h = 1e-5
    for xi in (1.01, 2.0, 30.0, 1e6):
        ends = theory.scaled_harm(xi * np.exp([-h, h]), 1e4, alpha, 0.9, measure, p, exact=False)
        slope = np.diff(np.log(ends))[0] / (2.0 * h)
        assert slope == pytest.approx(float(theory.local_slope(xi, p, alpha)), rel=1e-5)


@pytest.mark.parametrize("measure", ["regret", "orthogonal"])
@pytest.mark.parametrize("d0", [2.0, 5.0, 60.0, 1e5])
def test_harm_slope_is_that_of_the_exact_harm(measure, d0):
    h, xi = 1e-4, np.array([1.5, 4.0, 100.0])
    for p, alpha in ((0.5, 0.5), (1.0, 1.0), (1.0, 0.0)):
        ends = [theory.scaled_harm(xi * np.exp(s * h), d0, alpha, 0.8, measure, p) for s in (-1, 1)]
        slope = np.log(ends[1] / ends[0]) / (2.0 * h)
        found = theory.harm_slope(xi, d0, alpha, 0.8, measure, p)
        np.testing.assert_allclose(found, slope, rtol=1e-5)
        limit = theory.local_slope(xi, p, alpha)
        if d0 == 1e5 or alpha == 0.0:
            np.testing.assert_allclose(found, limit, rtol=1e-5)
        elif d0 == 2.0:
            assert abs(found / limit - 1.0).max() > 1e-2


def test_harm_slope_of_the_orthogonal_nats_is_elementary():
    """``S = (d − 1) c²/2``: ``d ln S/d ln d = d/(d − 1)``, at d = 2 too."""
    d0 = np.array([2.0, 3.0, 50.0])
    found = theory.harm_slope(4.0, d0 / 4.0, 1.0, 0.9, "orthogonal", 1.0)
    np.testing.assert_allclose(found - 2.0, d0 / (d0 - 1.0), rtol=1e-10)


def test_stages():
    """Lag, catch-up, exponential."""
    slopes = theory.local_slope(np.array([0.0, 0.99, 1.0, 1.01, 4.0, 1e12]), 1.0, 0.5)
    assert np.isnan(slopes[:2]).all()
    assert slopes[2] == np.inf
    assert slopes[3] > 200.0
    assert slopes[4] == pytest.approx(2.5)
    assert slopes[5] == pytest.approx(1.5, rel=1e-5)
    exact = theory.harm_slope(np.array([0.5, 1.0, 4.0]), 50.0, 0.5, 0.9)
    assert np.isnan(exact[0])
    assert exact[1] == np.inf
    assert exact[2] == pytest.approx(2.5, rel=0.05)
    assert np.isnan(theory.harm_slope(4.0, 50.0, 0.5, 0.0))
    table = theory.harm_slope(np.full((3, 1), 2.0), np.array([10.0, 20.0]), 0.5, 0.9)
    assert table.shape == (3, 2)


def test_dimensions_below_the_threshold_do_not_matter():
    assert theory.scaled_harm(1e-6, 10.0, 1.0, 0.9) == 0.0  # ten millionths of a dimension
    with pytest.raises(ValueError, match=r"d must be a finite number, 2 or more; got 1.25"):
        theory.scaled_harm(2.0, 2.5, -1.0, 0.9)
    with pytest.raises(ValueError, match=r"xi must be 0 or more; got -1.0"):
        theory.local_slope(-1.0)


def test_local_slope_near_equal_powers():
    near = 1e-12
    assert float(theory.local_slope(1.0 + near)) == pytest.approx(2.0 / near, rel=1e-3)
    assert theory.local_slope(np.inf, 0.5, 0.25) == 0.75
