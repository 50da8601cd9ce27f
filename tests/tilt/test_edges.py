"""Discrete tilts at the edges: of floats, of the blocks they are worked in, of ordinary rows."""

import numpy as np
import pytest

from sumabm.tilt import _table
from sumabm.tilt.discrete import deviation, discrete_tilt, expect, kl
from sumabm.tilt.rules import best_of_n, quantilize_fraction


def normalised(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def world(*shape):
    rng = np.random.default_rng(11)
    return normalised(rng.normal(size=shape)), rng.normal(size=shape)


def test_total_probability_off_by_rounding_counts_for_nothing():
    log_p, u = world(40)
    off = log_p + 5e-7
    assert deviation(off, u) == pytest.approx(deviation(log_p, u), rel=1e-12)
    for power in (1e-3, 0.3, 1.0):
        exact, found = discrete_tilt(log_p, u, power), discrete_tilt(off, u, power)
        assert found.beta == pytest.approx(exact.beta, rel=1e-11)
        assert found.gain == pytest.approx(exact.gain, rel=1e-11)
        np.testing.assert_allclose(found.log_q, exact.log_q, atol=1e-11)


def test_states_that_are_split_among_many_copies_tilt_as_one():
    """Of 300 states, and of 300 000 that are the same a thousand times, each as likely."""
    log_p, u = world(300)
    one = discrete_tilt(log_p, u, 0.7)
    many = discrete_tilt(np.tile(log_p, 1000) - np.log(1000.0), np.tile(u, 1000), 0.7)
    assert many.beta == pytest.approx(one.beta, rel=1e-11)
    assert many.gain == pytest.approx(one.gain, rel=1e-11)
    np.testing.assert_allclose(many.log_q, np.tile(one.log_q, 1000) - np.log(1000.0), atol=1e-11)


def test_rows_of_every_kind_are_those_they_are_alone():
    """An impossible best state, 800 nats of price, little power and an ordinary row, at once."""
    log_p, u = world(5, 30)
    u[0, 3], log_p[0, 3] = 9.0, -np.inf
    log_p[0] = normalised(log_p[0])
    u[1, 4], log_p[1, 4] = 9.0, -800.0
    log_p[1] = normalised(log_p[1])
    power = np.array([1e-3, 799.9, 1e-4, 0.8, 0.01])
    whole = discrete_tilt(log_p, u, power)
    assert not whole.saturated.any()
    np.testing.assert_array_equal(whole.spent, power)
    for i in range(5):
        alone = discrete_tilt(log_p[i], u[i], power[i])
        for found, expected in zip(whole, alone, strict=True):
            np.testing.assert_array_equal(found[i], expected)
        assert kl(whole.log_q[i], log_p[i]) == pytest.approx(power[i], rel=1e-9)


@pytest.mark.parametrize("power", [0.003, 0.1, 0.6])
def test_utilities_that_are_neighbouring_floats_tilt_as_any_two(power):
    log_p = np.log([0.25, 0.75])
    plain = discrete_tilt(log_p, np.array([1.0, 0.0]), power)
    for low in (1.0, 1e9, -3.0):
        next_to = discrete_tilt(log_p, np.array([np.nextafter(low, 1e300), low]), power)
        np.testing.assert_allclose(next_to.log_q, plain.log_q, rtol=1e-12)


def test_the_mean_of_the_smallest_utilities_is_not_lost():
    """Each term of the sum, 1e-324, would be nothing."""
    mean = expect(np.full(1000, -np.log(1000.0)), np.full(1000, 1e-321))
    assert mean == pytest.approx(1e-321, rel=1e-2, abs=0.0)
    assert deviation(np.log([0.5, 0.5]), np.array([1.5e308, -1.5e308])) == pytest.approx(1.5e308)


def test_one_world_and_many_utilities_are_as_many_rows():
    (log_p, _), (_, u) = world(12), world(3, 12)
    rule = best_of_n(log_p, u, 4.0)
    assert rule.log_q.shape == (3, 12)
    assert rule.spent.shape == (3,)
    for i in range(3):
        np.testing.assert_array_equal(rule.log_q[i], best_of_n(log_p, u[i], 4.0).log_q)


def test_the_careful_search_takes_few_passes(monkeypatch):
    """Halley's method, not halving: some ten passes over the table at any power and price."""
    passes = {"coarse": 0, "fine": 0}
    for name, function in [(name, getattr(_table, name)) for name in passes]:

        def counted(*given, name=name, function=function):
            passes[name] += 1
            return function(*given)

        monkeypatch.setattr(_table, name, counted)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        log_p, u = normalised(rng.normal(size=50) * 3.0), rng.normal(size=50)
        best = -log_p[u.argmax()]
        for power in (1e-9, 1e-4, 0.01, 0.019, 0.99 * best, best - 1e-9):
            before = dict(passes)
            discrete_tilt(log_p, u, power)
            assert passes["coarse"] - before["coarse"] <= 16, power
            assert passes["fine"] - before["fine"] <= 8, power


def test_rules_refuse_one_bad_row_among_good_ones():
    log_p, u = world(3, 6)
    with pytest.raises(ValueError, match="n must be at least 1"):
        best_of_n(log_p, u, [4.0, 0.5, 2.0])
    with pytest.raises(ValueError, match="fraction must be in"):
        quantilize_fraction(log_p, u, [1.0, 1.5, 0.5])


def test_of_equal_states_all_are_kept():
    log_p, _ = world(6)
    rule = quantilize_fraction(log_p, np.full(6, 2.5), 0.3)
    assert rule.fraction == 1.0
    assert rule.spent == rule.gain == 0.0
    np.testing.assert_allclose(rule.log_q, log_p, atol=1e-15)
