"""Quantilizer and best-of-n: published numbers, exact laws, limits and edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from sumabm.tilt.measures import price
from sumabm.tilt.rules import (
    best_of_n,
    best_of_n_bound,
    best_of_power,
    quantilize,
    quantilize_fraction,
)

BY_POWER = [quantilize, best_of_power]


def ranked(levels):
    return np.full(levels, -np.log(levels)), np.arange(float(levels))


def gaussian(states=20_001):
    """A Gaussian utility as equal masses at the means of its quantile slices."""
    edges = norm.ppf(np.linspace(0.0, 1.0, states + 1))
    return np.full(states, -np.log(states)), states * -np.diff(norm.pdf(edges))


def worlds(rows, states=8, seed=1):
    rng = np.random.default_rng(seed)
    p = np.maximum(rng.dirichlet(np.full(states, 0.3), rows), 1e-100)
    return np.log(p / p.sum(axis=-1, keepdims=True)), np.round(
        2.0 * rng.normal(size=(rows, states))
    )


def log_best(log_p, u):
    return np.log(np.where(u == u.max(axis=-1, keepdims=True), np.exp(log_p), 0.0).sum(axis=-1))


# --- published numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "levels", "nats"),
    [
        (2, 2, 0.130812035941),
        (2, 10, 0.189318194856),
        (16, 2, 0.692962696501),
        (16, 10, 1.733063229346),
    ],
)
def test_nats_of_the_best_of_n(n, levels, nats):
    b = best_of_n(*ranked(levels), n)
    assert b.spent == pytest.approx(nats, abs=6e-13)
    assert b.spent < best_of_n_bound(n)
    assert best_of_n_bound(n) == pytest.approx(np.log(n) - (n - 1) / n, rel=1e-14)
    assert np.exp(best_of_power(*ranked(levels), b.spent).log_n) == pytest.approx(n, rel=1e-9)


def test_gain_of_the_best_of_two_gaussians():
    """1/sqrt(π), against 0.62152583302699 by a tilt of as many nats."""
    b = best_of_n(*gaussian(), 2)
    assert b.gain == pytest.approx(0.56418958354776, abs=1e-7)
    assert b.spent == pytest.approx(best_of_n_bound(2), abs=1e-7)
    assert np.sqrt(2.0 * best_of_n_bound(2)) == pytest.approx(0.62152583302699, rel=1e-13)
    assert b.gain < 0.62152583302699


def test_quantilizer_of_a_gaussian():
    """The best tenth gains 1.7549833193249 and takes ln 10 nats; a tilt gains sqrt(2 ln 10)."""
    log_p, u = gaussian(20_000)
    for r in (quantilize_fraction(log_p, u, 0.1), quantilize(log_p, u, np.log(10.0))):
        assert r.gain == pytest.approx(1.7549833193249, abs=1e-7)
        assert r.spent == pytest.approx(np.log(10.0), rel=1e-12)
        assert r.fraction == pytest.approx(0.1, rel=1e-9)
    assert r.gain < np.sqrt(2.0 * np.log(10.0))


def test_quantilizer_bounds_the_cost_of_anything():
    log_p, u = worlds(50)
    cost = np.random.default_rng(0).exponential(size=log_p.shape)
    for r in (quantilize_fraction(log_p, u, 0.3), quantilize(log_p, u, 0.5)):
        dear = (np.exp(r.log_q) * cost).sum(axis=-1)
        base = (np.exp(log_p) * cost).sum(axis=-1)
        assert (dear <= base / r.fraction * (1.0 + 1e-12)).all()


# --- the laws -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1.0, 2, 3.5, 17, 1e3])
def test_law_of_the_best_of_n(n):
    log_p, u = worlds(30)
    b, p = best_of_n(log_p, u, n), np.exp(log_p)
    at_most = (p[:, None] * (u[:, None] <= u[:, :, None])).sum(axis=-1)
    less = (p[:, None] * (u[:, None] < u[:, :, None])).sum(axis=-1)
    share = p / (p[:, None] * (u[:, None] == u[:, :, None])).sum(axis=-1)
    np.testing.assert_allclose(np.exp(b.log_q), share * (at_most**n - less**n), atol=1e-13)
    np.testing.assert_allclose(b.log_n, np.log(n), rtol=1e-15)


def test_best_of_n_by_drawing():
    p, u = np.array([0.1, 0.2, 0.3, 0.4]), np.array([3.0, 1.0, 1.0, 0.0])
    rng = np.random.default_rng(5)
    draws = rng.choice(4, p=p, size=(200_000, 3))
    best = draws[np.arange(len(draws)), (u[draws] + 1e-6 * rng.random(draws.shape)).argmax(axis=1)]
    law = np.bincount(best, minlength=4) / len(draws)
    np.testing.assert_allclose(np.exp(best_of_n(np.log(p), u, 3).log_q), law, atol=5e-3)


def test_quantilizer_splits_the_tied_in_proportion():
    p, u = np.array([0.1, 0.2, 0.3, 0.4]), np.array([3.0, 1.0, 1.0, 0.0])
    r = quantilize_fraction(np.log(p), u, 0.35)
    np.testing.assert_allclose(np.exp(r.log_q), np.array([0.1, 0.1, 0.15, 0.0]) / 0.35, atol=1e-15)
    assert r.fraction == 0.35
    again = quantilize(np.log(p), u, float(r.spent))
    np.testing.assert_allclose(np.exp(again.log_q), np.exp(r.log_q), rtol=1e-9)
    assert again.fraction == pytest.approx(0.35, rel=1e-9)


def test_quantilizer_at_the_edge_of_an_atom():
    p, u = np.array([0.5, 0.25, 0.25]), np.array([0.0, 1.0, 2.0])
    r = quantilize(np.log(p), u, np.log([2.0, 4.0]))
    np.testing.assert_allclose(np.exp(r.log_q), [[0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], atol=1e-7)
    np.testing.assert_allclose(r.fraction, [0.5, 0.25], rtol=1e-7)
    np.testing.assert_allclose(quantilize_fraction(np.log(p), u, [0.5, 0.25]).spent, np.log([2, 4]))


@pytest.mark.parametrize("act", BY_POWER)
@pytest.mark.parametrize("power", [1e-300, 1e-30, 1e-12, 1e-3, 0.3, 2.0, 30.0, 1e3, np.inf])
def test_spends_the_power(act, power):
    log_p, u = worlds(60)
    r = act(log_p, u, power)
    capped = np.minimum(power, -log_best(log_p, u))
    assert (r.spent <= power).all()
    np.testing.assert_allclose(r.spent, capped, rtol=1e-11)
    if power > 1e-4:
        np.testing.assert_allclose(price(r.log_q, log_p, "kl"), capped, rtol=1e-11, atol=1e-14)
    p, q = np.exp(log_p), np.exp(r.log_q)
    np.testing.assert_allclose(q.sum(axis=-1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(r.gain, ((q - p) * u).sum(axis=-1), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("act", BY_POWER)
def test_saturates_as_the_tilt(act):
    p, u = np.array([0.1, 0.2, 0.3, 0.4]), np.array([5.0, 5.0, 1.0, 0.0])
    for power in (-np.log(0.3), 2.0, np.inf):
        r = act(np.log(p), u, power)
        np.testing.assert_allclose(np.exp(r.log_q), [1 / 3, 2 / 3, 0.0, 0.0], rtol=1e-14)
        assert r.spent == pytest.approx(-np.log(0.3), rel=1e-14)
        assert r[1] == (np.inf if act is best_of_power else pytest.approx(0.3))
    all_draws = best_of_n(np.log(p), u, np.inf)
    np.testing.assert_allclose(np.exp(all_draws.log_q), [1 / 3, 2 / 3, 0.0, 0.0], rtol=1e-14)
    few = quantilize_fraction(np.log(p), u, 1e-9)
    assert few.fraction == pytest.approx(0.3)
    np.testing.assert_allclose(few.log_q, r.log_q, rtol=1e-14)


@pytest.mark.parametrize("act", [*BY_POWER, quantilize_fraction, best_of_n])
def test_does_nothing_without_power_or_preference(act):
    log_p = np.log([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]])
    u = np.array([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]])
    none, some = {quantilize_fraction: (1.0, 0.5), best_of_n: (1.0, 5.0)}.get(act, (0.0, 2.0))
    r = act(log_p, u, np.array([none, some]))
    np.testing.assert_allclose(r.log_q, log_p, rtol=1e-15)
    assert not r.spent.any()
    assert not r.gain.any()
    if act in BY_POWER or act is quantilize_fraction:
        np.testing.assert_array_equal(r[1], 0.0 if act is best_of_power else 1.0)


@pytest.mark.parametrize("act", BY_POWER)
def test_scales_impossible_states_and_improbable_best_ones(act):
    log_p, u = worlds(10)
    r = act(log_p, u, 0.2)
    for other in (u * 1e300, u * 1e-300, u + 1024.0, np.exp(u)):
        np.testing.assert_array_equal(act(log_p, other, 0.2).log_q, r.log_q)
    odd = act(np.insert(log_p, 2, -np.inf, axis=1), np.insert(u, 2, np.nan, axis=1), 0.2)
    assert (odd.log_q[:, 2] == -np.inf).all()
    np.testing.assert_allclose(np.delete(odd.log_q, 2, axis=1), r.log_q, rtol=1e-13)
    deep = np.array([-800.0, np.log(0.5), np.log(0.5)])
    power = np.array([1e-20, 0.1, 0.9, 50.0, 790.0, 799.0, 1e3])
    rare = act(deep, np.array([2.0, 1.0, 0.0]), power)
    np.testing.assert_allclose(rare.spent, np.minimum(power, 800.0), rtol=1e-11)
    assert (np.diff(rare.gain) > 0.0).all()


def test_best_of_very_many():
    """n beyond the floats: the best state has probability e^-800."""
    deep = np.array([-800.0, np.log(0.5), np.log(0.5)])
    b = best_of_power(deep, np.array([2.0, 1.0, 0.0]), 400.0)
    share = np.exp(b.log_q[0])
    assert share * (np.log(share) + 800.0) + (1 - share) * np.log(2 * (1 - share)) == pytest.approx(
        400
    )
    assert b.log_n == pytest.approx(800.0 + np.log(-np.log1p(-share)), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    weights=st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=6),
    seed=st.integers(0, 999),
    power=st.floats(1e-9, 3.0),
    act=st.sampled_from(BY_POWER),
)
def test_properties(weights, seed, power, act):
    rng = np.random.default_rng(seed)
    log_p = np.log(np.array(weights) / np.sum(weights))
    u = rng.integers(0, 4, len(weights)).astype(float)
    r = act(log_p, u, power)
    capped = min(power, -float(log_best(log_p, u)))
    assert r.spent == pytest.approx(max(capped, 0.0), rel=1e-10, abs=1e-15)
    assert act(log_p, u, 1.1 * power).gain >= r.gain * (1.0 - 1e-12)
    order = np.argsort(u)
    ratio = np.exp(r.log_q - log_p)[order]
    steps = np.diff(ratio)
    assert (steps >= -1e-9).all()
    assert (np.abs(steps[np.diff(u[order]) == 0.0]) <= 1e-9).all()
    permuted = act(log_p[order], u[order], power)
    np.testing.assert_allclose(np.exp(permuted.log_q), np.exp(r.log_q)[order], atol=1e-9)


@pytest.mark.parametrize("act", [*BY_POWER, quantilize_fraction, best_of_n])
def test_rows_are_independent_bit_for_bit(act):
    log_p, u = worlds(40)
    amount = 10.0 ** np.random.default_rng(0).uniform(-9, 0.5, 40)
    amount = {quantilize_fraction: np.minimum(amount, 1.0), best_of_n: 1.0 + amount}.get(
        act, amount
    )
    together = act(log_p, u, amount)
    for row in range(0, 40, 7):
        for one, many in zip(act(log_p[row], u[row], amount[row]), together, strict=True):
            np.testing.assert_array_equal(one, many[row])


@pytest.mark.parametrize("act", [*BY_POWER, quantilize_fraction, best_of_n])
def test_shapes(act):
    log_p, u = ranked(5)
    assert [np.shape(f) for f in act(log_p, u, 1.0)] == [(5,), (), (), ()]
    assert [np.shape(f) for f in act(log_p, u, np.full(3, 1.0))] == [(3, 5), (3,), (3,), (3,)]
    assert act(log_p[None], u, 1.0).log_q.shape == (1, 5)


def test_bound_near_one_draw():
    """``log n − (n − 1)/n ≈ (n − 1)²/2``."""
    assert best_of_n_bound(1.0) == 0.0
    assert best_of_n_bound(1.0 + 2.0**-30) == pytest.approx(2.0**-61, rel=1e-8)
    np.testing.assert_allclose(
        best_of_n_bound(np.array([4, 1e6])), [np.log(4) - 0.75, 12.815511557963774]
    )


@pytest.mark.parametrize(
    ("act", "amount", "message"),
    [
        (quantilize, -1.0, "power must be at least 0"),
        (best_of_power, np.nan, "power must be at least 0"),
        (quantilize_fraction, 0.0, r"fraction must be in \(0, 1\]: got 0.0"),
        (quantilize_fraction, 1.5, r"fraction must be in \(0, 1\]: got 1.5"),
        (best_of_n, 0.5, "n must be at least 1: got 0.5"),
    ],
)
def test_errors(act, amount, message):
    with pytest.raises(ValueError, match=message):
        act(*ranked(3), amount)
