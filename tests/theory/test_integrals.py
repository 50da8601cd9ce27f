"""The integral of harm in any power and variable: against others over nats, and 30 digits."""

import mpmath
import numpy as np
import pytest
from scipy import integrate

from sumabm import sphere, theory
from sumabm.theory.law import mean_power

SHAPES = {
    "regret": lambda c: 1.0 - c,
    "orthogonal": lambda c: np.sqrt(1.0 - c**2),
    "utility-loss": lambda c: np.maximum(-c, 0.0),
}

POINTS = np.polynomial.legendre.leggauss(200)


def mean_by_angle(d, kappa, measure, p):
    """Return E[f^(2p)] by Gauss–Legendre in the angle of either half of the sphere."""
    x, w = POINTS
    t = np.concatenate((0.25 * np.pi * (1.0 + x), 0.25 * np.pi * (3.0 + x)))
    weight = np.concatenate((w, w)) * np.sin(t) ** (d - 2.0) * np.exp(kappa * (np.cos(t) - 1.0))
    values = SHAPES[measure](np.cos(t)) ** (2.0 * p)
    return (weight * values).sum() / weight.sum()


def by_nats(d, threshold, mean, w):
    """Return ``∫ mean(D) d(D^w)`` up to the threshold: Gauss–Legendre on panels of D^(1/8)."""
    x, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(0.0, 1.0, 101)
    v = (edges[:-1, None] + 0.005 * (1.0 + x)).ravel()
    end = float(sphere.nats(d, threshold)) if d else -0.5 * np.log1p(-(threshold**2))
    return (
        mean(end * v**8) * np.tile(0.005 * weights, 100) * 8 * w * v ** (8 * w - 1)
    ).sum() * end**w


@pytest.mark.parametrize("d", [2, 5, 60])
@pytest.mark.parametrize("measure", SHAPES)
@pytest.mark.parametrize("p", [0.5, 1.0])
def test_exact_is_the_integral_over_nats(d, measure, p):
    threshold, o_x, o_y = 0.8, 3.0, 0.5

    def per_step(nats):
        kappas = sphere.concentration(d, nats=nats)
        return np.array([mean_by_angle(d, kappa, measure, p) for kappa in kappas])

    whole = by_nats(d, threshold, per_step, 1.0)
    expected = whole * (np.sqrt(o_x) - np.sqrt(o_y)) ** (2.0 * p) / min(o_x, o_y)
    found = float(theory.training_harm(d, o_x, o_y, threshold, measure, p))
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("measure", SHAPES)
@pytest.mark.parametrize(
    ("d", "p", "m", "w", "threshold"),
    [
        (2.0, 0.5, 1.0, 0.5, 0.9),
        (5.0, 1.0, 2.0, 2.0, 0.999),
        (100.0, 0.5, 0.6, 0.5, 0.9999),
        (1e4, 0.75, 3.0, 1.0, 0.5),
        (1e6, 1.0, 1.0, 0.75, 0.95),
    ],
)
def test_exact_with_fragility_in_other_variables(measure, d, p, m, w, threshold):
    def mean(nats):
        return mean_power(d, sphere.concentration(d, nats=nats), measure, p * m)

    # the utility loss of many dimensions is over after a few nats: resolve those
    end = threshold if measure != "utility-loss" else min(threshold, 12.0 / np.sqrt(d))
    integral = by_nats(d, end, mean, w)
    found = float(theory.training_harm(d, 3.0, 0.5, threshold, measure, p, fragility=m, variable=w))
    expected = integral * theory.residual(3.0, 0.5) ** (2.0 * p) / 0.5**w
    assert found == pytest.approx(expected, rel=1e-9)
    wrong = theory.training_harm(d, 3.0, 0.5, threshold, measure, p, fragility=1.1 * m, variable=w)
    assert abs(float(wrong) / expected - 1.0) > 1e-4


@pytest.mark.parametrize("measure", ["regret", "orthogonal"])
@pytest.mark.parametrize(
    ("q", "w", "tolerance"),
    [(2.6, 1.0, 1e-12), (0.3, 1.0, 1e-12), (1.0, 0.5, 1e-12), (2.0, 2.0, 1e-12), (1.4, 0.6, 1e-7)],
)
def test_the_limit_with_fragility_in_other_variables(measure, q, w, tolerance):
    for threshold in (0.1, 0.9, 0.9999):

        def mean(per_d):
            c = np.sqrt(-np.expm1(-2.0 * per_d))
            width = np.exp(-2.0 * per_d)
            return (width / (1.0 + c) if measure == "regret" else np.sqrt(width)) ** q

        found = theory.training_harm(
            300.0, 4.0, 1.0, threshold, measure, 0.5, False, fragility=q, variable=w
        )
        expected = 300.0**w * by_nats(0.0, threshold, mean, w)
        assert float(found) == pytest.approx(expected, rel=tolerance)


def test_small_powers_to_the_very_end():
    """At threshold 1: ``∫ u^(q−1) (1−u)/(2−u) du`` in 30 digits, however slowly it converges."""
    for q in (0.1, 0.4, 1.3, 9.0):
        with mpmath.workdps(30):
            expected = mpmath.quad(lambda t, q=q: mpmath.exp(-q * t) * -mpmath.expm1(-t)
                / (1 - mpmath.expm1(-t)), [0, 1, 4, 16, 64, 256, 1024])  # fmt: skip
        found = theory.training_harm(1.0, 4.0, 1.0, 1.0, "regret", 0.5, False, fragility=q)
        assert float(found) == pytest.approx(float(expected), rel=1e-11)
        many = theory.training_harm(1e9, 4.0, 1.0, 1.0, "regret", 0.5, True, fragility=q)
        assert float(many) == pytest.approx(1e9 * float(expected), rel=1e-6)


@pytest.mark.parametrize("w", [0.5, 2.0])
@pytest.mark.parametrize("exact", [True, False])
def test_other_variables_scale_as_the_essay_says(w, exact):
    harm = theory.training_harm(np.array([1e6, 4e6]), 2.0, 1.0, 0.9, exact=exact, variable=w)
    assert harm[1] / harm[0] == pytest.approx(4.0**w, rel=1e-5)
    shares = theory.training_harm(
        1e3, np.array([8.0, 2.0]), [4.0, 1.0], 0.9, variable=w, exact=exact
    )
    assert shares[0] / shares[1] == pytest.approx(4.0 ** (1.0 - w), rel=1e-12)


def test_without_the_cap_the_aligner_has_all_of_the_actions_nats():
    capped, free = (theory.training_harm(9, 5.0, 2.0, 0.9, cap=cap) for cap in (True, False))
    assert capped / free == pytest.approx(2.5)
    root = [theory.training_harm(9, 5.0, 2.0, 0.9, variable=0.5, cap=cap) for cap in (True, False)]
    assert root[0] / root[1] == pytest.approx(np.sqrt(2.5))
    harm = float(theory.training_harm(9, 5.0, 0.0, 0.9, p=0.5, cap=False))
    assert harm == pytest.approx(
        float(theory.training_harm(9, 4.0, 1.0, 0.9, p=0.5)) / np.sqrt(5.0)
    )
    assert theory.training_harm(9, 1.0, 2.0, 0.9, cap=False) == 0.0


@pytest.mark.parametrize("p", [0.5, 0.75, 1.0])
def test_fragility_factor_is_a_ratio_of_closed_forms(p):
    c = np.array([1e-9, 0.1, 0.5, 0.9, 0.999])
    for m in (0.5, 1.0, 2.0, 3.5):
        for at, found in zip(c, theory.fragility_factor(m, c, p), strict=True):
            below, above = (
                integrate.quad(
                    lambda x, q=q: (1 - x) ** (q - 1) * x / (1 + x), 0.0, at, epsabs=0.0
                )[0]
                for q in (2 * p, 2 * p * m)
            )
            assert found == pytest.approx(above / below, rel=1e-7)
    exact = [theory.training_harm(1e6, 2.0, 1.0, c, p=p, fragility=m) for m in (1.0, 2.0)]
    np.testing.assert_allclose(
        exact[1][1:] / exact[0][1:], theory.fragility_factor(2.0, c[1:], p), rtol=1e-4
    )


def test_fragility_factor_at_its_edges():
    table = theory.fragility_factor(np.array([[0.5], [1.0], [2.0]]), np.linspace(0.0, 1.0, 5))
    assert table.shape == (3, 5)
    assert np.all(table[:, 0] == 1.0)
    np.testing.assert_allclose(table[1], 1.0, rtol=1e-15)
    assert np.all(table[0, 1:] > 1.0)
    assert np.all(table[2, 1:] < 1.0)


@pytest.mark.parametrize("d", [1e6, 1e9])
def test_utility_loss_of_many_dimensions(d):
    """``sqrt(d) c ~ N(k, 1)``, ``dD = k dk``: ``∫₀^∞ k E(−z − k)₊^2p dk / d^p``."""
    for p, expected in ((0.5, 1.0 / (3.0 * np.sqrt(2.0 * np.pi))), (1.0, 0.125)):
        found = theory.training_harm(d, 4.0, 1.0, [0.01, 0.9, 1.0], "utility-loss", p)
        np.testing.assert_allclose(found * d**p, expected, rtol=1e-5)
