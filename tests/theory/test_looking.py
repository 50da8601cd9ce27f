"""What looking tells and what it costs: noisy looks by sampling, integrals, the essay beside it."""

import numpy as np
import pytest
from scipy import integrate

from sumabm import sphere, theory


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


# --- finite dimensions ----------------------------------------------------------------------------


def noisy_look(d, x, rows, seed):
    """Return κ and the direction's cosine with the truth of beliefs after looks worth x."""
    s = np.random.default_rng(seed).standard_normal((rows, d))
    s[:, 0] += np.sqrt(d * x)
    length = np.linalg.norm(s, axis=1)
    return np.sqrt(d * x) * length, s[:, 0] / length


@pytest.mark.parametrize(("d", "x"), [(2, 0.3), (5, 2.0), (40, 1.0)])
def test_expected_alignment_by_sampling(d, x):
    _, c = noisy_look(d, x, 40_000, 8)
    error = c.std(ddof=1) / np.sqrt(c.size)
    expected = float(theory.expected_alignment(d, x))
    assert abs(c.mean() - expected) < 4 * error
    if d < 40:  # the limit is not it
        assert abs(c.mean() - float(theory.bayesian_alignment(x))) > 4 * error


def test_expected_alignment_tends_to_the_limit():
    x = np.array([0.0, 0.1, 1.0, 20.0])
    gaps = [theory.expected_alignment(d, x) - theory.bayesian_alignment(x) for d in (1e3, 1e4)]
    np.testing.assert_allclose(gaps[0], 10.0 * gaps[1], rtol=0.02, atol=1e-12)
    assert abs(gaps[1]).max() < 1e-4
    one = theory.expected_alignment(9, x)
    np.testing.assert_allclose(one, theory.action_alignment(9, 4.5 * x), rtol=1e-15)
    assert theory.expected_alignment(np.full((2, 1), 3.0), x).shape == (2, 4)


def test_looked_nats_invert_the_alignment():
    d, c = np.array([[2.0], [300.0]]), np.array([0.0, 1e-9, 0.5, 0.99])
    nats = theory.looked_nats(d, c)
    assert nats.shape == (2, 4)
    np.testing.assert_allclose(
        theory.bayesian_alignment(2.0 * nats / d), c * np.ones((2, 1)), rtol=1e-12
    )
    assert theory.looked_nats(9, 1.0) == np.inf
    ratio = theory.looked_nats(1.0, c[1:]) / theory.cost_per_dimension(c[1:])
    assert ratio[0] == pytest.approx(1.0)  # tight only early
    assert np.all(np.diff(ratio) > 0.0)
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\]; got 1.5"):
        theory.looked_nats(9, 1.5)


# --- harm -----------------------------------------------------------------------------------------

CLOSED = {
    ("regret", 0.5): lambda c: np.arctanh(c) - c / (1.0 + c),
    ("regret", 1.0): lambda c: 2.0 * np.log1p(c) - 2.0 * c / (1.0 + c),
    ("orthogonal", 0.5): lambda c: 2.0 * ((1.0 - c * c) ** -0.5 - 1.0),
    ("orthogonal", 1.0): lambda c: -np.log1p(-c * c),
}


@pytest.mark.parametrize(("measure", "p"), CLOSED)
def test_bayesian_training_harm_is_the_closed_form(measure, p):
    c = np.array([0.01, 0.5, 0.9, 0.9999])
    found = theory.bayesian_training_harm(60.0, 5.0, 2.0, c, 3.0, measure, p)
    unit = 60.0 * theory.residual(5.0, 2.0) ** (2.0 * p) / (2.0 * 3.0 * 5.0)
    np.testing.assert_allclose(found, unit * CLOSED[measure, p](c), rtol=1e-10)


@pytest.mark.parametrize("measure", ["regret", "orthogonal"])
@pytest.mark.parametrize("p", [0.3, 0.5, 0.8, 1.0, 1.7])
def test_bayesian_training_harm_is_an_integral_over_looks(measure, p):
    for threshold in (0.2, 0.97):
        end = threshold**2 / (1.0 - threshold**2)

        def f(y):  # x = y²
            c = y / np.sqrt(1.0 + y * y)
            return (1.0 - c if measure == "regret" else np.sqrt(1.0 - c * c)) ** (2.0 * p) * 2.0 * y

        expected = integrate.quad(f, 0.0, np.sqrt(end), epsrel=1e-11)[0]
        found = float(theory.bayesian_training_harm(2.0, 1.0, 0.0, threshold, 1.0, measure, p))
        assert found == pytest.approx(expected, rel=1e-9)


def test_bayesian_training_harm_is_a_sum_over_steps():
    """The limit in d of `bayesian_expected_harm`, summed as the steps shrink."""
    d, looks, o_x, o_y, threshold = 4000.0, 2.0, 3.0, 1.0, 0.8
    end = threshold**2 / (1.0 - threshold**2)
    steps = 100
    amplitude = theory.residual(o_x, o_y)
    x = end * (np.arange(steps) + 0.5) / steps
    rate = d / (2.0 * looks * o_x) * end / steps  # steps of the run in one of these
    for measure, p in CLOSED:
        each = theory.bayesian_expected_harm(d, x, amplitude, measure, p)
        found = float(theory.bayesian_training_harm(d, o_x, o_y, threshold, looks, measure, p))
        assert rate * each.sum() == pytest.approx(found, rel=5e-3)


def test_bayesian_training_harm_at_its_edges():
    def harm(*arguments, **more):
        return float(theory.bayesian_training_harm(*arguments, **more))

    assert harm(10, 1.0, 1.0, 0.9) == harm(10, 0.0, 1.0, 0.9) == harm(10, 0.0, 0.0, 0.9) == 0.0
    assert harm(10, 4.0, 0.0, 0.0) == 0.0
    assert 0.0 < harm(10, 4.0, 0.0, 0.9) < np.inf  # the budget aligner never starts
    assert harm(10, 4.0, 1.0, 0.9, measure="utility-loss") == 0.0
    assert harm(2, 4.0, 0.0, 1.0) == pytest.approx(2.0 * np.log(2.0) - 1.0, rel=1e-12)
    assert harm(2, 4.0, 1.0, 1.0, p=0.5) == np.inf
    assert harm(2, 4.0, 1.0, 1.0, measure="orthogonal", p=1.0) == np.inf
    assert harm(2, 4.0, 1.0, 1.0, measure="orthogonal", p=0.7) == np.inf
    assert harm(2, 4.0, 0.0, 1.0, measure="orthogonal", p=2.0) == pytest.approx(4.0)
    table = theory.bayesian_training_harm(
        np.full((2, 1, 1), 9.0), 2.0, 1.0, np.array([[0.5], [1.0]]), p=np.array([0.5, 0.6, 1.0])
    )
    assert table.shape == (2, 2, 3)
    assert np.isinf(table[:, 1, 0]).all()
    assert np.isfinite(table[:, 1, 1:]).all()
    with pytest.raises(ValueError, match="got 'harm'"):
        harm(10, 4.0, 1.0, 0.9, measure="harm")
    with pytest.raises(ValueError, match=r"looks must be above 0; got 0.0"):
        harm(10, 4.0, 1.0, 0.9, looks=0.0)


def test_looking_costs_more_than_the_budget_grants():
    """Side by side at the same rate of nats: the essay's aligner does less harm, less so early."""
    for measure, p in CLOSED:
        c = np.array([0.01, 0.5, 0.9, 0.99])
        looked = theory.bayesian_training_harm(100.0, 4.0, 1.0, c, 1.0, measure, p)
        granted = theory.training_harm(100.0, 4.0, 1.0, c, measure, p, exact=False, cap=False)
        assert looked[0] / granted[0] == pytest.approx(1.0, rel=0.02)
        assert np.all(np.diff(looked / granted) > 0.0)


@pytest.mark.parametrize("measure", ["regret", "orthogonal", "utility-loss"])
@pytest.mark.parametrize("d", [2, 8])
def test_bayesian_expected_harm_by_sampling(measure, d):
    shapes = {
        "regret": lambda c: 1.0 - c,
        "orthogonal": lambda c: np.sqrt(np.maximum(1.0 - c * c, 0.0)),
        "utility-loss": lambda c: np.maximum(-c, 0.0),
    }
    x = np.array([0.0, 0.2, 1.5])
    amplitudes = np.array([1.0, 2.0, 0.5])
    for p in (0.5, 1.0):
        found = theory.bayesian_expected_harm(d, x, amplitudes, measure, p)
        assert found.shape == (3,)
        for t, (seen, amplitude) in enumerate(zip(x, amplitudes, strict=True)):
            _, c = noisy_look(d, seen, 40_000, 9)  # edited by the angle from the belief to v_Y
            harm = (amplitude * shapes[measure](c)) ** (2.0 * p)
            error = harm.std(ddof=1) / np.sqrt(harm.size)
            assert abs(harm.mean() - found[t]) < 4 * error
            if t == 0 or measure != "utility-loss":  # else it is rare
                assert abs(harm.mean() - 1.3 * found[t]) > 4 * error


def test_bayesian_expected_harm_of_amplitudes_is_one_less_the_alignment():
    d, x = np.array([[2.0], [30.0], [1e5]]), np.array([0.0, 0.01, 1.0, 50.0])
    found = theory.bayesian_expected_harm(d, x, 1.0, "regret", 0.5)
    np.testing.assert_allclose(found, 1.0 - theory.expected_alignment(d, x), rtol=1e-10)
    with pytest.raises(ValueError, match=r"d must be a finite number, 2 or more; got 1.0"):
        theory.bayesian_expected_harm(1.0, x, 1.0)
    with pytest.raises(ValueError, match=r"x must be 0 or more; got -1.0"):
        theory.bayesian_expected_harm(3.0, -1.0, 1.0)


@pytest.mark.parametrize("function", [theory.expected_alignment, theory.bayesian_expected_harm])
def test_dimensions_out_of_range_are_named(function):
    more = () if function is theory.expected_alignment else (1.0,)
    with pytest.raises(ValueError, match=r"d must be .*a finite number, 2 or more; got -3.0"):
        function(-3.0, 1.0, *more)
