"""Training harm: the essay's closed forms, what the arguments do, and runs as left sums."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special

from sumabm import sphere, theory
from sumabm.theory.law import mean_power
from sumabm.theory.training import expected_harm

CLOSED = {
    ("regret", 0.5): lambda c: c - np.log1p(c),
    ("regret", 1.0): lambda c: 2.0 * c - 0.5 * c**2 - 2.0 * np.log1p(c),
    ("orthogonal", 0.5): lambda c: 1.0 - np.sqrt(1.0 - c**2),
    ("orthogonal", 1.0): lambda c: 0.5 * c**2,
}
MEASURES = ["regret", "orthogonal", "utility-loss"]


@pytest.mark.parametrize("d", [3, 50, 1e5])
def test_amplitudes_of_regret_by_parts(d):
    """``∫ φ dD = [φ D] + ∫ D dc``, an integral of the nats alone."""
    threshold = 0.9
    under = integrate.quad(
        lambda c: float(sphere.nats(d, c)), 0.0, threshold, epsabs=0.0, epsrel=1e-10
    )[0]
    expected = (1.0 - threshold) * float(sphere.nats(d, threshold)) + under
    found = float(theory.training_harm(d, 4.0, 1.0, threshold, "regret", 0.5))
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("measure", "p"), CLOSED)
def test_the_limit_is_the_closed_form(measure, p):
    c = np.array([1e-6, 0.1, 0.5, 0.9, 0.999, 1.0])
    d, o_x, o_y = 700.0, 2.0, 0.5
    unit = d * (np.sqrt(o_x) - np.sqrt(o_y)) ** (2.0 * p) / o_y
    found = theory.training_harm(d, o_x, o_y, c, measure, p, exact=False)
    cancelled = 1e-15  # what the closed forms lose near 0
    np.testing.assert_allclose(found / unit, CLOSED[measure, p](c), rtol=1e-10, atol=cancelled)


@pytest.mark.parametrize(("measure", "p"), CLOSED)
@pytest.mark.parametrize("threshold", [0.3, 0.9, 0.999, 0.9999])
def test_exact_tends_to_the_closed_form(measure, p, threshold):
    gaps = [
        float(theory.training_harm(d, 2.0, 1.0, threshold, measure, p))
        / (d * theory.residual(2.0, 1.0) ** (2.0 * p) * CLOSED[measure, p](threshold))
        - 1.0
        for d in (1e4, 1e5, 1e6)
    ]
    assert abs(gaps[2]) < 1e-4 / threshold
    for wide, narrow in pairwise(gaps):  # first order in 1/d
        assert wide / narrow == pytest.approx(10.0, rel=0.05)


def test_the_limit_of_other_powers():
    """p = ¾: ``∫ (1−c)^½ c/(1+c) dc`` by adaptive quadrature, up to c = 1."""
    for threshold in (0.4, 0.99, 1.0):
        expected = integrate.quad(
            lambda c: np.sqrt(1.0 - c) * c / (1.0 + c), 0.0, threshold, epsrel=1e-11
        )[0]
        found = float(theory.training_harm(1.0, 4.0, 1.0, threshold, "regret", 0.75, exact=False))
        assert found == pytest.approx(expected, rel=1e-8)
    assert theory.training_harm(100, 4.0, 1.0, 0.9, "utility-loss", exact=False) == 0.0


def test_a_whole_training_ends():
    """To c* = 1 at d = 3: ``∫ E[φ] dD`` and ``∫ E[1 − c²] dD`` by D's known elementary form."""

    # A = coth κ − 1/κ, dD = κ dA, E[φ] = 1 − A, E[1 − c²] = 2A/κ
    def slope(k):
        return 1.0 / k**2 - 1.0 / np.sinh(k) ** 2 if k > 1e-3 else 1.0 / 3.0

    def mean(k):
        return 1.0 / np.tanh(k) - 1.0 / k if k > 1e-3 else k / 3.0

    for measure, p, f in (
        ("regret", 0.5, lambda k: 1.0 - mean(k)),
        ("orthogonal", 1.0, lambda k: 2.0 * mean(k) / k if k else 2.0 / 3.0),
    ):
        near, far = (
            integrate.quad(
                lambda k, f=f: k * slope(k) * f(k), *ends, epsabs=1e-12, epsrel=1e-10, limit=200
            )[0]
            for ends in ((0.0, 5.0), (5.0, 300.0))
        )
        threshold = mean(300.0)
        found = float(theory.training_harm(3, 4.0, 1.0, threshold, measure, p))
        assert found == pytest.approx(near + far, rel=1e-8)


# --- arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("measure", MEASURES)
def test_no_harm_where_humans_are_as_strong(exact, measure):
    for o_x, o_y in ((1.0, 1.0), (0.5, 1.0), (0.0, 1.0), (0.0, 0.0)):
        assert theory.training_harm(20, o_x, o_y, 0.9, measure, exact=exact) == 0.0


@pytest.mark.parametrize("exact", [True, False])
def test_without_human_power_training_never_ends(exact):
    assert theory.training_harm(20, 1.0, 0.0, 0.9, exact=exact) == np.inf
    assert theory.training_harm(20, 1.0, 0.0, 0.0, exact=exact) == 0.0  # there already


def test_residual_is_that_of_the_mechanics():
    o_x, o_y = np.array([0.0, 1.0, 2.0, 9.0]), np.array([1.0, 1.0, 0.5, 0.0])
    np.testing.assert_allclose(theory.residual(o_x, o_y), [0.0, 0.0, np.sqrt(0.5), 3.0])
    assert theory.residual(9.0, np.array([0.0, 4.0, 16.0])).tolist() == [3.0, 1.0, 0.0]


@pytest.mark.parametrize("exact", [True, False])
def test_arguments_broadcast(exact):
    powers, thresholds = np.array([[0.5], [2.0], [7.0]]), np.array([0.1, 0.5, 0.9, 0.99])
    table = theory.training_harm(30, powers, 1.0, thresholds, exact=exact)
    assert table.shape == (3, 4)
    for i in range(3):
        for j in range(4):
            alone = float(theory.training_harm(30, powers[i, 0], 1.0, thresholds[j], exact=exact))
            assert table[i, j] == pytest.approx(alone, rel=1e-12)
    d = np.array([10.0, 20.0, 30.0, 1e6])
    table = theory.training_harm(d, powers, 1.0, thresholds, exact=exact)
    for i, j in np.ndindex(3, 4):
        alone = theory.training_harm(d[j], powers[i, 0], 1.0, thresholds[j], exact=exact)
        assert table[i, j] == pytest.approx(float(alone), rel=1e-12)
    more = {"p": np.full((2, 1), 0.5), "fragility": [1.0, 2.0, 3.0], "variable": np.ones((4, 1, 1))}
    assert theory.training_harm(30, 2.0, 1.0, 0.5, exact=exact, **more).shape == (4, 2, 3)


@pytest.mark.parametrize(("measure", "p"), CLOSED)
def test_harm_grows_with_dimension_and_threshold(measure, p):
    harm = [float(theory.training_harm(d, 2.0, 1.0, 0.9, measure, p)) for d in (10, 100, 1000)]
    assert 8.0 < harm[1] / harm[0] < 12.0
    assert 9.8 < harm[2] / harm[1] < 10.2
    grid = theory.training_harm(10, 2.0, 1.0, np.linspace(0.0, 0.999, 30), measure, p)
    assert grid[0] == 0.0
    assert np.diff(grid).min() > 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": 1.1}, r"threshold must lie in \[0, 1\]; got 1.1"),
        ({"power_ai": -1.0}, r"power_ai must be 0 or more; got -1.0"),
        ({"power_human": np.nan}, r"power_human must be 0 or more; got nan"),
        ({"p": 0.0}, r"p must be above 0; got 0.0"),
        ({"fragility": -1.0}, r"fragility must be above 0; got -1.0"),
        ({"variable": 0.1}, r"variable must be a finite number, ¼ or more; got 0.1"),
        (
            {"measure": "harm"},
            r"measure must be one of regret, orthogonal, utility-loss; got 'harm'",
        ),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_what_training_harm_refuses(arguments, message, exact):
    usual = {"d": 10.0, "power_ai": 2.0, "power_human": 1.0, "threshold": 0.9}
    with pytest.raises(ValueError, match=message):
        theory.training_harm(**{**usual, **arguments}, exact=exact)


# --- runs are left sums -----------------------------------------------------------------------


@pytest.mark.parametrize(("measure", "p"), CLOSED)
def test_left_sums_tend_to_the_integral_at_first_order(measure, p):
    """The gap in steps is ``½(f(0) − f(D*)) − ζ(−½) b sqrt(ι) + …``, where f falls as b sqrt(D)."""
    d, nats, ratio = 30, 24.0, 4.0
    threshold = float(theory.alignment(d, nats))
    fall = 2.0 * p * np.sqrt(2.0 / d) if measure == "regret" else 0.0  # ⟨c⟩ begins as sqrt(2D/d)
    gaps = []
    for iota in (0.5, 0.25, 0.125):
        steps = round(nats / iota)
        amplitudes = np.full(steps, theory.residual(ratio * iota, iota))
        total = theory.left_sum(d, iota * np.arange(steps), amplitudes, measure, p)[-1]
        integral = float(theory.training_harm(d, ratio * iota, iota, threshold, measure, p))
        gaps.append(total / integral - 1.0)
        ends = expected_harm(d, np.array([0.0, nats]), amplitudes[:2], measure, p)
        start = 0.2078862249773545 * fall * np.sqrt(iota) * amplitudes[0] ** (2.0 * p)
        assert total - integral == pytest.approx(0.5 * (ends[0] - ends[1]) + start, rel=0.01)
    for wide, narrow in pairwise(gaps):
        assert wide / narrow == pytest.approx(2.0, rel=0.06)


def test_a_left_sum_is_a_running_sum_of_its_steps():
    budgets, amplitudes = np.array([0.0, 1.0, 1.5, 7.0]), np.array([1.0, 0.5, 2.0, 0.0])
    total = theory.left_sum(5, budgets, amplitudes, "orthogonal", 0.5)
    steps = [
        float(mean_power(5, sphere.concentration(5, nats=b), "orthogonal", 0.5)) * a
        for b, a in zip(budgets, amplitudes, strict=True)
    ]
    np.testing.assert_allclose(total, np.cumsum(steps), rtol=1e-9)
    nats = theory.left_sum(5, budgets, amplitudes, "orthogonal", 1.0)
    assert nats[0] == pytest.approx(4.0 / 5.0, rel=1e-12)  # E[1 − c²] of random vectors


def test_the_first_step_harms_as_random_vectors_do():
    """E|c| of the uniform law by gamma functions: half of it is the mean utility loss."""
    for d in (2, 9, 1e4):
        mean = np.exp(special.gammaln(0.5 * d) - special.gammaln(0.5 * (d + 1.0))) / np.sqrt(np.pi)
        found = theory.left_sum(d, np.zeros(1), np.ones(1), "utility-loss", 0.5)[0]
        assert found == pytest.approx(0.5 * mean, rel=1e-9)


def test_fragile_steps():
    budgets, amplitudes = np.array([0.0, 2.0, 5.0]), np.array([1.0, 0.5, 2.0])
    found = expected_harm(20, budgets, amplitudes, "regret", 0.5, fragility=2.0)
    square = expected_harm(20, budgets, np.ones(3), "regret", 1.0)  # φ² either way
    np.testing.assert_allclose(found, square * amplitudes, rtol=1e-14)
    total = theory.left_sum(20, budgets, amplitudes, "regret", 0.5, fragility=2.0)
    np.testing.assert_allclose(total, np.cumsum(found), rtol=1e-15)
