"""The quadratic tilt against its equations, high precision, brute force and its own laws."""

from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sumabm.tilt import linear_tilt
from sumabm.tilt.quadratic import (
    QuadraticTilt,
    lower_root,
    normalise,
    quadratic_tilt,
    shape_nats,
)
from sumabm.types import Array


def random_problem(
    seed: int, rows: int, d: int, spread: float = 1.0
) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    mean, v = rng.normal(size=(2, rows, d))
    root = np.eye(d) + 0.4 * rng.normal(size=(rows, d, d))
    half = rng.normal(size=(rows, d, d)) * spread
    return mean, root, v, half + np.swapaxes(half, -1, -2)


def general_nats(mean: Array, covariance: Array, mean0: Array, covariance0: Array) -> float:
    """KL(N(mean, covariance)‖N(mean0, covariance0)), straight from the textbook."""
    inverse = np.linalg.inv(covariance0)
    way = mean - mean0
    logs = np.linalg.slogdet(covariance0)[1] - np.linalg.slogdet(covariance)[1]
    trace = np.trace(inverse @ covariance)
    return float(0.5 * (trace - len(mean) + way @ inverse @ way + logs))


def expected(v: Array, A: Array, mean: Array, covariance: Array) -> float:
    return float(v @ mean - 0.5 * mean @ A @ mean - 0.5 * np.trace(A @ covariance))


def covariances(roots: Array) -> Array:
    return roots @ np.swapaxes(roots, -1, -2)


def exact(bend: Array, push: Array, power: float) -> dict[str, Any]:
    """The tilt of N(0, I) by push·z − ½ Σ bend z² in 60 digits, by bisection on y."""
    with mp.workdps(60):
        lam, w = [mp.mpf(x) for x in bend], [mp.mpf(x) for x in push]
        depth = max(mp.mpf(0), -min(lam))

        def at(y: Any) -> tuple[Any, list[Any]]:
            t = mp.e**y
            return t / (1 + depth * t), [(1 + (depth + a) * t) / (1 + depth * t) for a in lam]

        def nats(y: Any) -> Any:
            beta, ones = at(y)
            pairs = zip(w, ones, strict=True)
            return sum((beta * c / o) ** 2 + 1 / o - 1 + mp.log(o) for c, o in pairs) / 2

        low, high = mp.mpf(-2000), mp.mpf(8000)
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if nats(middle) < power else (low, middle)
        beta, ones = at(low)
        mean = [beta * c / o for c, o in zip(w, ones, strict=True)]
        axes = zip(lam, w, ones, strict=True)
        gain = sum(beta * (c * c * (1 + o) / 2 / o**2 + a * a / o / 2) for a, c, o in axes)
        return {"beta": beta, "mean": mean, "variance": [1 / o for o in ones], "gain": gain}


def off(value: float, true: Any) -> float:
    if not 1e-290 < abs(true) < 1e290:  # outside floats, up to their ends
        return 0.0 if abs(value) <= 1e-290 or abs(value) >= 1e290 else np.inf
    return float(abs(mp.mpf(value) / true - 1))


def check_exact(bend: Array, push: Array, power: float, tolerance: float) -> None:
    d = len(bend)
    t = quadratic_tilt(np.zeros((1, d)), None, push, np.diag(bend), power)
    true = exact(bend, push, power)
    assert off(t.beta[0], true["beta"]) < tolerance
    assert off(t.gain[0], true["gain"]) < tolerance
    assert t.spent[0] == power
    for i in range(d):
        assert off(t.mean[0, i], true["mean"][i]) < tolerance
        assert off(t.root[0, i, i] ** 2, true["variance"][i]) < tolerance


@pytest.mark.parametrize("power", [1e-12, 1e-3, 1.0, 30.0, 1e3])
@pytest.mark.parametrize(
    ("bend", "push"),
    [
        ([1.0], [0.0]),
        ([1.0], [2.0]),
        ([-1.0], [0.0]),
        ([-1.0], [0.3]),
        ([0.0], [3.0]),
        ([1e12, 1e-12], [0.0, 0.0]),
        ([1e12, 1e-12], [1.0, 1.0]),
        ([1e-12, 1.0], [1.0, 0.0]),
        ([-1e-12, 1e12, 1.0], [1.0, 1e3, 0.0]),
        ([-1e12, 1e-12, 1.0], [0.0, 1e3, 1.0]),
        ([-1.0, -1.0 + 1e-14, 0.5], [1e-9, 1.0, 0.0]),
        ([1.0, 0.0], [0.0, 1e-100]),
        ([1.0, 1.0], [1e6, 1.0]),
    ],
)
def test_matches_high_precision(bend: list[float], push: list[float], power: float) -> None:
    check_exact(np.array(bend), np.array(push), power, 2e-12)


def test_matches_high_precision_at_random() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        d = int(rng.integers(1, 5))
        bend = 10.0 ** rng.uniform(-12, 12, d) * rng.choice([-1, 0, 1, 1], d)
        push = 10.0 ** rng.uniform(-12, 12, d) * rng.choice([-1, 1], d)
        check_exact(bend, push, 10.0 ** rng.uniform(-12, 3), 1e-12)


def test_spends_the_power_for_any_spectrum() -> None:
    rng = np.random.default_rng(6)
    rows, d = 400, 4
    bend = 10.0 ** rng.uniform(-20, 20, (rows, d)) * rng.choice([-1, 0, 1, 1, 1], (rows, d))
    push = 10.0 ** rng.uniform(-20, 20, (rows, d)) * rng.choice([-1, 0, 1], (rows, d))
    power = 10.0 ** rng.uniform(-5, 2.3, rows)
    t = quadratic_tilt(np.zeros((rows, d)), None, push, bend[:, :, None] * np.eye(d), power)
    variance = np.diagonal(t.root, axis1=-2, axis2=-1) ** 2
    np.testing.assert_array_equal(t.root, t.root * np.eye(d))
    big = 0.5 * np.sum(variance - 1 - np.log(variance) + t.mean**2, axis=-1)
    sure = power > 1e-3  # below, variances near 1 do not hold the digits
    assert sure.sum() > 200
    np.testing.assert_allclose(big[sure], power[sure], rtol=1e-11)


@pytest.mark.parametrize("power", [1e20, 1e97, 1e300])
def test_absurd_powers_end_at_the_best_state(power: float) -> None:
    bend, push = np.array([2.5e19, 2.7e8, 3e-9]), np.array([-5.2e11, 1.9e15, -0.36])
    t = quadratic_tilt(np.zeros((1, 3)), None, push, np.diag(bend), power)
    np.testing.assert_allclose(t.mean[0], push / bend, rtol=1e-12)
    np.testing.assert_array_equal(t.root, 0.0)
    np.testing.assert_allclose(t.gain, np.sum(0.5 * push**2 / bend + 0.5 * bend), rtol=1e-12)
    t = quadratic_tilt(np.zeros((1, 3)), None, push, np.diag(-bend), power)
    assert t.beta == pytest.approx(1.0 / bend[0], rel=1e-12)
    assert np.all(np.isfinite(t.root))


def test_spends_exactly_the_power_near_a_shift_that_saturates() -> None:
    # the mean can move by 1e6 sd at most: β hangs on the last digits of the power, KL does not
    bend, push, power = np.ones(1), np.full(1, 1e6), 5e11 + 5.0
    t = quadratic_tilt(np.zeros((1, 1)), None, push, np.diag(bend), power)
    ratio = t.root[0, 0, 0] ** 2
    nats = 0.5 * (ratio - 1.0 - np.log(ratio) + t.mean[0, 0] ** 2)
    assert nats == pytest.approx(power, rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_natural_parameters_power_gain_and_jeffreys(d: int) -> None:
    mean, root, v, A = random_problem(d, 60, d)
    power = np.random.default_rng(d).uniform(0.1, 5.0, 60)
    t = quadratic_tilt(mean, root, v, A, power)
    old, new = covariances(root), covariances(t.root)
    for r in range(60):
        precision = np.linalg.inv(old[r]) + t.beta[r] * A[r]
        np.testing.assert_allclose(new[r] @ precision, np.eye(d), atol=1e-9)
        natural = np.linalg.solve(old[r], mean[r]) + t.beta[r] * v[r]
        np.testing.assert_allclose(precision @ t.mean[r], natural, rtol=1e-8, atol=1e-8)
        forth = general_nats(t.mean[r], new[r], mean[r], old[r])
        back = general_nats(mean[r], old[r], t.mean[r], new[r])
        assert forth == pytest.approx(power[r], rel=1e-9)
        gain = expected(v[r], A[r], t.mean[r], new[r]) - expected(v[r], A[r], mean[r], old[r])
        assert t.gain[r] == pytest.approx(gain, rel=1e-9)
        assert t.beta[r] * t.gain[r] == pytest.approx(forth + back, rel=1e-9)


@pytest.mark.parametrize(("seed", "d"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_no_gaussian_within_the_power_does_better(seed: int, d: int) -> None:
    mean, root, v, A = random_problem(seed, 1, d)
    t = quadratic_tilt(mean, root, v, A, 0.8)
    lower = np.tril_indices(d)
    old = covariances(root)[0]

    def unpack(x: Array) -> tuple[Array, Array]:
        factor = np.zeros((d, d))
        factor[lower] = x[d:]
        return x[:d], factor @ factor.T

    start = np.r_[mean[0], np.linalg.cholesky(old)[lower]]
    rng = np.random.default_rng(seed)
    found = [
        minimize(
            lambda x: -expected(v[0], A[0], *unpack(x)),
            start + 0.05 * rng.normal(size=start.size),
            constraints={
                "type": "ineq",
                "fun": lambda x: 0.8 - general_nats(*unpack(x), mean[0], old),
            },
            method="SLSQP",
            options={"maxiter": 300, "ftol": 1e-12},
        )
        for _ in range(3)
    ]
    best = max(-f.fun for f in found if f.success) - expected(v[0], A[0], mean[0], old)
    assert best == pytest.approx(t.gain[0], rel=1e-6)
    assert best <= t.gain[0] * (1 + 1e-7)


def test_a_linear_utility_gives_the_linear_tilt() -> None:
    mean, root, v, _ = random_problem(7, 50, 4)
    power = 10.0 ** np.linspace(-12, 3, 50)
    t = quadratic_tilt(mean, None, v, np.zeros((4, 4)), power)
    linear = linear_tilt(v, power)
    np.testing.assert_allclose(t.mean, mean + linear.shift, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(t.beta, linear.beta, rtol=1e-13)
    np.testing.assert_allclose(t.gain, linear.gain, rtol=1e-13)
    np.testing.assert_array_equal(t.spent, power)
    np.testing.assert_array_equal(t.root, np.broadcast_to(np.eye(4), (50, 4, 4)))

    covariance = root[0] @ root[0].T
    t = quadratic_tilt(np.zeros((50, 4)), root[0], v, np.zeros((4, 4)), power)
    linear = linear_tilt(v, power, covariance)
    np.testing.assert_allclose(t.mean, linear.shift, rtol=1e-12, atol=1e-13 * abs(t.mean).max())
    np.testing.assert_allclose(t.beta, linear.beta, rtol=1e-13)
    np.testing.assert_array_equal(t.root, np.broadcast_to(root[0], (50, 4, 4)))


def test_in_one_dimension_variance_shrinks_or_spreads() -> None:
    for sign in (1.0, -1.0):
        t = quadratic_tilt(np.zeros((4, 1)), None, np.zeros(1), sign * np.eye(1), np.arange(4.0))
        ratio = t.root[:, 0, 0] ** 2
        np.testing.assert_allclose(0.5 * (ratio - 1 - np.log(ratio)), np.arange(4.0), atol=1e-14)
        np.testing.assert_allclose(ratio, 1.0 / (1.0 + sign * t.beta), rtol=1e-14)
        assert np.all(sign * np.diff(ratio) < 0.0)


def test_no_power_or_a_constant_utility_does_nothing() -> None:
    mean, root, v, A = random_problem(3, 5, 3)
    for t in (
        quadratic_tilt(mean, root, v, A, 0.0),
        quadratic_tilt(mean, root, 0 * v, 0 * A, 7.0),
        quadratic_tilt(mean, root, v, A, np.zeros(5)),
    ):
        np.testing.assert_array_equal(t.mean, mean)
        np.testing.assert_array_equal(t.root, root)
        for zero in (t.beta, t.spent, t.gain):
            np.testing.assert_array_equal(zero, 0.0)


def test_a_world_without_spread_where_the_utility_varies_does_not_move() -> None:
    root = np.array([[0.0, 0.0], [0.0, 1.0]])
    t = quadratic_tilt(np.ones((1, 2)), root, np.array([1.0, 0.0]), np.diag([1.0, 0.0]), 1.0)
    assert t.spent == 0.0
    np.testing.assert_array_equal(t.mean, np.ones((1, 2)))


def test_a_power_beyond_the_float_range_of_beta_shrinks_to_a_point() -> None:
    t = quadratic_tilt(np.zeros((1, 1)), None, np.full(1, 2.0), np.eye(1), 1e3)
    assert t.beta == np.inf
    assert t.spent == 1e3
    assert t.root == 0.0
    assert t.mean == pytest.approx(2.0)  # where u is largest
    assert t.gain == pytest.approx(2.5)  # from E[u] = −½ to u = 2
    t = quadratic_tilt(np.zeros((1, 2)), None, np.ones(2), np.diag([-1.0, 1.0]), 1e300)
    assert np.all(np.isfinite(t.mean))
    assert t.beta == pytest.approx(1.0)


@pytest.mark.parametrize("power", [1e-300, 5e-324])
def test_the_tiniest_powers(power: float) -> None:
    t = quadratic_tilt(np.zeros((1, 1)), None, np.ones(1), np.eye(1), power)
    assert t.beta == pytest.approx(np.sqrt(2 * power / 1.5), rel=1e-12)
    assert t.spent == power


@pytest.mark.parametrize("power", [5.0, 50.0, 200.0])
def test_rounding_of_a_rank_deficient_curvature_is_no_utility(power: float) -> None:
    rng = np.random.default_rng(11)
    for d in (2, 3, 5):
        normal = np.linalg.qr(rng.normal(size=(d, d)))[0][:, 0]
        target = rng.normal(size=d)  # u = −½ (n·(s − target))²
        A = np.outer(normal, normal)
        t = quadratic_tilt(np.zeros((1, d)), None, A @ target, A, power)
        # nothing changes along the directions without utility
        flat = np.eye(d) - A
        np.testing.assert_allclose(flat @ t.mean[0], 0.0, atol=1e-12)
        np.testing.assert_allclose(flat @ covariances(t.root)[0] @ flat, flat, atol=1e-12)
        alone = quadratic_tilt(
            np.zeros((1, 1)), None, np.array([normal @ target]), np.eye(1), power
        )
        # sd to all digits though e^-200 beside 1: the determinant of the factor
        factor = np.prod(np.diagonal(t.root[0]))
        assert factor == pytest.approx(alone.root[0, 0, 0], rel=1e-9)


@pytest.mark.parametrize("power", [1e-8, 0.3, 40.0])
@pytest.mark.parametrize("scale", [1e-300, 1e-9, 3.0, 1e300])
def test_the_scale_of_utility_is_immaterial(scale: float, power: float) -> None:
    mean, root, v, A = random_problem(9, 20, 3, 0.3)
    one = quadratic_tilt(mean, root, v, A, power)
    other = quadratic_tilt(mean, root, v * scale, A * scale, power)
    np.testing.assert_allclose(other.mean, one.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(other.root, one.root, rtol=1e-10, atol=1e-12)
    sure = one.beta < 1e6
    np.testing.assert_allclose((other.beta * scale)[sure], one.beta[sure], rtol=1e-11)
    np.testing.assert_allclose(other.gain / scale, one.gain, rtol=1e-11)


def test_powers_of_two_change_no_bit() -> None:
    mean, root, v, A = random_problem(9, 20, 3)
    one = quadratic_tilt(mean, root, v, A, 1.0)
    other = quadratic_tilt(mean, root, v * 2.0**40, A * 2.0**40, 1.0)
    np.testing.assert_array_equal(other.mean, one.mean)
    np.testing.assert_array_equal(other.root, one.root)
    np.testing.assert_array_equal(other.beta * 2.0**40, one.beta)


def same(one: QuadraticTilt, other: QuadraticTilt) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 9),
    d=st.sampled_from([1, 2, 3, 4, 7, 8, 33]),
    stop=st.integers(1, 9),
    logs=st.floats(-12, 2.5),
)
def test_rows_do_not_depend_on_each_other(
    seed: int, rows: int, d: int, stop: int, logs: float
) -> None:
    mean, root, v, A = random_problem(seed, rows, d)
    power = 10.0 ** (logs + np.linspace(-0.5, 0.5, rows))
    whole = quadratic_tilt(mean, root, v, A, power)
    for r in range(rows):
        part = slice(r, r + 1)
        alone = quadratic_tilt(mean[part], root[r], v[r], A[r], power[r])
        same(alone, QuadraticTilt(*(field[part] for field in whole)))
    part = slice(0, stop, 2)
    some = quadratic_tilt(mean[part], root[part], v[part], A[part], power[part])
    same(some, QuadraticTilt(*(field[part] for field in whole)))
    odd = quadratic_tilt(np.asfortranarray(mean), np.asfortranarray(root), v, A, power)
    same(odd, whole)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    d=st.integers(1, 4),
    spread=st.sampled_from([0.0, 1e-6, 0.1, 1.0, 1e4]),
    logs=st.floats(-6, 1.3),
)
def test_limit_binds_and_more_power_gains_more(
    seed: int, d: int, spread: float, logs: float
) -> None:
    mean, root, v, A = random_problem(seed, 1, d, spread)
    powers = 10.0**logs * np.array([1.0, 1.5, 3.0])
    t = quadratic_tilt(mean, root, v, A, powers)
    np.testing.assert_array_equal(t.spent, powers)
    assert np.all(np.diff(t.gain) >= 0.0)  # equal where the optimum is all but reached
    assert np.all(np.diff(t.beta) >= 0.0)
    assert np.all(t.beta > 0.0)
    # whitened by the old root, KL in terms of one sign
    inverse = np.linalg.inv(root[0])
    way = (t.mean - mean) @ inverse.T
    change = np.linalg.svd(inverse @ t.root, compute_uv=False)
    nats = 0.5 * np.sum(way**2, axis=-1) + 0.5 * np.sum(shape_nats(-2 * np.log(change)), axis=-1)
    np.testing.assert_allclose(nats, powers, rtol=1e-5 if logs < -3 else 1e-7)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), d=st.integers(1, 3), logs=st.floats(-3, 1))
def test_moving_the_origin_changes_nothing(seed: int, d: int, logs: float) -> None:
    """u(s) and u(s − a), a world moved along: the constant that u gains is immaterial."""
    mean, root, v, A = random_problem(seed, 1, d)
    move = np.random.default_rng(seed).normal(size=d)
    one = quadratic_tilt(mean, root, v, A, 10.0**logs)
    other = quadratic_tilt(mean + move, root, v + A @ move, A, 10.0**logs)
    np.testing.assert_allclose(other.mean - move, one.mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other.root, one.root, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other.gain, one.gain, rtol=1e-8)


def test_shape_nats() -> None:
    values = np.r_[-600.0, -1.0, -0.5000001, -0.5, -0.3, -1e-9, 0.0, 1e-9, 0.3, 0.5, 0.51, 2.0, 1e5]
    with mp.workdps(50):
        true = [float(mp.mpf(float(x)) + mp.expm1(-mp.mpf(float(x)))) for x in values]
    np.testing.assert_allclose(shape_nats(values), true, rtol=2e-15)


def test_normalise_and_lower_root() -> None:
    (a, b), k = normalise(np.array([[1e300, 0.0], [0.0, 0.0]]), np.array([[[1e-300]], [[3.0]]]))
    assert 0.5 <= a[0, 0] < 1.0
    np.testing.assert_array_equal(b[:, 0, 0], [np.ldexp(1e-300, -k[0]), 0.75])
    roots = np.random.default_rng(1).normal(size=(20, 4, 4))
    lower = lower_root(roots)
    np.testing.assert_array_equal(lower, np.tril(lower))
    assert np.all(np.diagonal(lower, axis1=-2, axis2=-1) >= 0.0)
    np.testing.assert_allclose(lower, np.linalg.cholesky(covariances(roots)), rtol=1e-9, atol=1e-9)
