"""Fragility in closed form: a factor for every power, and what narrower laws and worlds do."""

import numpy as np
import pytest
from scipy.integrate import quad

from sumabm import theory

ENDS = np.array([1e-3, 0.2, 0.5, 0.9, 0.999])
WIDTHS = [0.05, 0.3, 0.5, 0.9, 0.999]


def amplitude_integral(w, c):
    """``∫₀^c f_w(c) c/(1 − c²) dc`` by hand."""
    s = np.sqrt(1.0 / w**2 - (1.0 / w**2 - 1.0) * c**2)
    ratio = (1.0 / w - 1.0) * (s + 1.0) / ((1.0 / w + 1.0) * (s - 1.0))
    return 1.0 / w - s + 0.5 * np.log(ratio) - np.arctanh(c) + c


def nats_integral(w, c):
    """``∫₀^c f_w(c)² c/(1 − c²) dc`` by hand."""
    k = 1.0 / w**2
    m = k - 1.0
    s = np.sqrt(k - m * c**2)
    angle = (k - 2.0) * np.arcsin(c * np.sqrt(m / k)) / np.sqrt(m)
    logs = -np.log1p(-(c**2)) - 2.0 * np.arctanh(c / s)
    return (k - 2.0) * c**2 / 2.0 + logs + c * s - angle


def regret(c, p):
    if p == 0.5:
        return c - np.log1p(c)
    return 2.0 * c - c**2 / 2.0 - 2.0 * np.log1p(c)


@pytest.mark.parametrize("w", WIDTHS)
@pytest.mark.parametrize(("p", "by_hand"), [(0.5, amplitude_integral), (1.0, nats_integral)])
def test_narrow_harm_in_closed_form(w, p, by_hand):
    ends = ENDS[2:]  # below, the formulas cancel
    shape, powers = theory.narrow_shape(w), (4.0, 1.0)
    whole = theory.training_harm(100, *powers, ends, shape, p, exact=False)
    np.testing.assert_allclose(whole / 100, by_hand(w, ends), rtol=1e-8)
    factor = theory.narrow_factor(w, ends, p)
    np.testing.assert_allclose(factor, by_hand(w, ends) / regret(ends, p), rtol=1e-8)
    wrong = by_hand(1.02 * w if w < 0.9 else 0.98 * w, ends)
    assert np.abs(whole / 100 / wrong - 1.0).min() > 1e-4


@pytest.mark.parametrize("p", [0.5, 0.8, 1.0])
def test_narrow_harm_by_quadrature(p):
    for w in (0.02, 0.4):
        shape = theory.narrow_shape(w)

        def integrand(c, shape=shape):
            f = float(shape(np.array(c), np.array(1.0 - c)))
            return f ** (2 * p) * c / (1 - c * c)

        expected = [quad(integrand, 0.0, c, epsrel=1e-11)[0] for c in ENDS]
        found = theory.training_harm(1.0, 4.0, 1.0, ENDS, shape, p, exact=False)
        np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("p", [0.5, 1.0])
def test_narrow_factor_and_its_bounds(p):
    np.testing.assert_allclose(theory.narrow_factor(1.0, ENDS, p), 1.0, rtol=1e-12)
    for w in WIDTHS:
        factor = theory.narrow_factor(w, np.array([0.0, *ENDS, 1.0]), p)
        assert factor[0] == pytest.approx(w ** (-2 * p))
        assert np.all(np.diff(factor) > 0.0)
        assert factor[-1] < w ** (-4 * p)
    near = theory.narrow_factor(1e-6, 0.9, p) * 1e-12**p
    orthogonal = theory.training_harm(1.0, 4.0, 1.0, 0.9, "orthogonal", p, exact=False)
    assert near == pytest.approx(orthogonal / regret(0.9, p), rel=1e-5)


def test_narrow_shape_near_alignment_and_against():
    phi = np.array([1e-300, 1e-12, 1e-3])
    shape = theory.narrow_shape(0.1)
    np.testing.assert_allclose(shape(1.0 - phi, phi)[:2], 100.0 * phi[:2], rtol=1e-9)
    c = np.linspace(-1.0, 1.0, 41)
    np.testing.assert_allclose(shape(c, 1.0 - c), np.sqrt(c**2 + 100 * (1 - c**2)) - c, atol=1e-12)
    np.testing.assert_allclose(theory.narrow_shape(1.0)(c, 1.0 - c), 1.0 - c, atol=1e-14)
    assert shape(np.array(-1.0), np.array(2.0)) == 2.0  # against them, it has no part across


@pytest.mark.parametrize("w", [0.0, -1.0, 1.1, float("nan")])
def test_a_width_is_a_share(w):
    with pytest.raises(ValueError, match="width must lie above 0, up to 1"):
        theory.narrow_shape(w)


@pytest.mark.parametrize("d", [3.0, 4.5, 100.0])
@pytest.mark.parametrize("power", [0.5, 2.0, 10.0])
def test_a_narrower_law_of_alignment_is_one_of_more_dimensions(d, power):
    """The essay's claim, exactly: ``p(c)^k`` is the law at ``3 + k (d − 3)`` dimensions."""
    c = np.linspace(-0.4, 0.4, 19)
    larger = theory.narrowed_dimensions(d, power)
    raised = theory.cosine_density(d, c) ** power
    ratio = raised / theory.cosine_density(larger, c)
    np.testing.assert_allclose(ratio, ratio[9], rtol=1e-10)
    if d > 3.0:
        other = raised / theory.cosine_density(larger + 1.0, c)
        assert np.ptp(other / other[9]) > 1e-2
    with pytest.raises(ValueError, match="d - 3 must be 0 or more"):
        theory.narrowed_dimensions(2.0, 2.0)


@pytest.mark.parametrize("shape", ["regret", theory.narrow_shape(0.3)])
@pytest.mark.parametrize("m", [0.5, 1.0, 2.0])
def test_fragility_is_one_factor_for_every_power_of_the_ai(shape, m):
    """``acts like a larger d``: the factor on harm depends on neither ξ nor, at large d, d."""
    xi = np.array([1.01, 2.0, 10.0, 1e4])
    for d, rel in ((20.0, 0.5), (2e4, 1e-3)):
        plain = theory.training_harm(d, xi, 1.0, 0.9)
        factor = theory.training_harm(d, xi, 1.0, 0.9, shape, fragility=m) / plain
        np.testing.assert_allclose(factor, factor[0], rtol=1e-12)
        if m == 1.0 and shape != "regret":
            assert factor[0] == pytest.approx(float(theory.narrow_factor(0.3, 0.9)), rel=rel)
        if shape == "regret":
            assert factor[0] == pytest.approx(float(theory.fragility_factor(m, 0.9)), rel=rel)
    assert theory.fragility_factor(2.0, 0.9) < 1.0 < theory.fragility_factor(0.5, 0.9)
