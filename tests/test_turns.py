"""Turns of an AI's utility: geometry by matrices, and laws by independent quadrature."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special

from sumabm import sphere
from sumabm.turns import Nudge, Rotation, Subject, locate


def units(rows, d, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((rows, d))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def off(vectors, goal):
    """Return unit vectors orthogonal to the goal."""
    for _ in range(2):
        vectors = vectors - np.vecdot(vectors, goal)[:, None] * goal
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def nudged(subject, nats, goal):
    return Nudge(np.broadcast_to(np.float64(nats), len(goal)), goal, goal.shape[-1]).apply(subject)


def fresh(aim):
    return Subject(aim, np.zeros(len(aim)))


def cosine(subject, goal):
    return np.vecdot(subject.aim, goal)


# The law of the cosine by Bessel functions and quadrature, no part of it from sumabm.


def bessel_nats(d, kappa):
    """Return (A, D) for the law of concentration κ."""
    nu = 0.5 * d - 1.0
    mean = special.ive(nu + 1.0, kappa) / special.ive(nu, kappa)
    log_i = np.log(special.ive(nu, kappa)) + kappa
    log_0f1 = log_i + special.gammaln(nu + 1.0) - nu * np.log(0.5 * kappa)
    return mean, kappa * mean - log_0f1


def law_of(d, nats):
    """Return (κ, A) of the law that costs so many nats."""
    kappa = optimize.brentq(lambda k: bessel_nats(d, k)[1] - nats, 0.1, 1e4, xtol=1e-12)
    return kappa, bessel_nats(d, kappa)[0]


def cdf(d, kappa, c):
    """Return P(cosine ≤ c), by quadrature in the angle."""

    def density(t):
        return np.sin(t) ** (d - 2) * np.exp(kappa * (np.cos(t) - 1.0))

    below, above = (
        integrate.quad(density, *ends, epsabs=0.0, epsrel=1e-11, limit=200)[0]
        for ends in ((np.arccos(c), np.pi), (0.0, np.arccos(c)))
    )
    return below / (below + above)


# --- nudges: the law --------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "nats"), [(2, 0.7), (3, 2.0), (20, 5.0), (20, 0.05), (100, 40.0)])
def test_random_aims_nudged_follow_the_tilted_law(d, nats):
    rows = 20_000
    goal = units(rows, d, seed=1)
    c = cosine(nudged(fresh(units(rows, d, seed=2)), nats, goal), goal)
    kappa, mean = law_of(d, nats)
    error = c.std(ddof=1) / np.sqrt(rows)
    assert abs(c.mean() - mean) < 4 * error
    assert abs(c.mean() - law_of(d, 1.3 * nats)[1]) > 4 * error
    variance = 1.0 - mean**2 - (d - 1.0) * mean / kappa
    squares = (c - mean) ** 2
    error = squares.std(ddof=1) / np.sqrt(rows)
    assert abs(squares.mean() - variance) < 4 * error
    assert abs(squares.mean() - 1.2 * variance) > 4 * error


@pytest.mark.parametrize("d", [2, 5, 40])
def test_an_aim_keeps_its_quantile(d):
    goal, start = units(6, d, seed=3), units(6, d, seed=4)
    after = nudged(fresh(start), 1.5, goal)
    kappa, _ = law_of(d, 1.5)
    for c0, c1 in zip(np.vecdot(start, goal), cosine(after, goal), strict=True):
        assert cdf(d, kappa, c1) == pytest.approx(cdf(d, 0.0, c0), abs=1e-8)


def test_an_aim_keeps_its_tangent_and_its_length():
    goal, start = units(50, 7, seed=3), units(50, 7, seed=4)
    after = nudged(fresh(start), 3.0, goal)
    np.testing.assert_allclose(np.linalg.norm(after.aim, axis=1), 1.0, rtol=1e-13)
    np.testing.assert_allclose(off(after.aim, goal), off(start, goal), rtol=1e-9, atol=1e-12)


def test_alignment_never_falls():
    goal, subject = units(500, 10, seed=5), fresh(units(500, 10, seed=6))
    path = [cosine(subject, goal)]
    for nats in (1e-9, 1e-3, 0.1, 1.0, 1.0, 10.0, 200.0):
        subject = nudged(subject, nats, goal)
        path.append(cosine(subject, goal))
    assert np.diff(path, axis=0).min() >= -1e-15
    assert path[-1].min() > 0.99
    np.testing.assert_allclose(subject.nats, 212.101000001)


def test_two_nudges_are_one():
    goal, start = units(300, 8, seed=7), fresh(units(300, 8, seed=8))
    both = nudged(nudged(start, 0.7, goal), 1.8, goal)
    once = nudged(start, 2.5, goal)
    np.testing.assert_allclose(both.aim, once.aim, atol=1e-12)
    np.testing.assert_array_equal(both.nats, once.nats)
    # also when the place is not remembered but found anew
    again = nudged(Subject(nudged(start, 0.7, goal).aim, np.full(300, 0.7)), 1.8, goal)
    np.testing.assert_allclose(again.aim, once.aim, atol=1e-7)


def test_no_nats_change_nothing():
    goal, start = units(300, 8, seed=7), fresh(units(300, 8, seed=8))
    np.testing.assert_allclose(nudged(start, 0.0, goal).aim, start.aim, atol=1e-8)


def test_nats_may_differ_from_row_to_row():
    d, nats = 12, np.array([0.0, 2.0, 0.5, 2.0, 80.0, 1e-6])
    goal, start = units(6, d, seed=9), units(6, d, seed=10)
    together = nudged(fresh(start), nats, goal)
    for row in range(6):
        alone = nudged(fresh(start[row : row + 1]), nats[row : row + 1], goal[row : row + 1])
        assert np.array_equal(together.aim[row], alone.aim[0])
    assert np.array_equal(together.nats, nats)
    order = np.array([4, 0, 5, 3, 2, 1])
    shuffled = nudged(fresh(start[order]), nats[order], goal[order])
    assert np.array_equal(shuffled.aim, together.aim[order])


def test_a_subject_is_left_as_it_was():
    goal, start = units(5, 4), fresh(units(5, 4, seed=1))
    aim = start.aim.copy()
    nudged(nudged(start, 1.0, goal), 1.0, goal)
    assert np.array_equal(start.aim, aim)
    assert np.array_equal(start.nats, np.zeros(5))


# --- nudges: the ends of the sphere -----------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 4, 10, 300])
@pytest.mark.parametrize("nats", [0.0, 1.0])
def test_an_aim_on_the_goal_stays(d, nats):
    goal = units(500, d, seed=11)
    after = nudged(fresh(goal.copy()), nats, goal)
    np.testing.assert_allclose(after.aim, goal, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(after.aim, axis=1), 1.0, rtol=1e-15)


@pytest.mark.parametrize("d", [2, 3, 10])
@pytest.mark.parametrize("end", [1.0, -1.0])
@pytest.mark.parametrize("angle", [1e-2, 1e-4, 1e-6, 1e-8, 1e-12, 1e-15])
def test_aims_stay_unit_vectors_however_near_an_end(d, end, angle):
    goal = units(500, d, seed=11)
    start = end * np.cos(angle) * goal + np.sin(angle) * off(units(500, d, seed=12), goal)
    for nats in (0.0, 0.5):
        after = nudged(fresh(start), nats, goal)
        np.testing.assert_allclose(np.linalg.norm(after.aim, axis=1), 1.0, rtol=1e-14)
        assert np.all(np.vecdot(after.aim, start / end) >= -1e-15) or end < 0.0


@pytest.mark.parametrize("angle", [1e-3, 1e-5, 1e-7])
def test_a_circle_keeps_small_angles(angle):
    """On the circle a quantile carries angles to 1e-16 of a turn, near the goal too."""
    goal = units(500, 2, seed=11)
    start = np.cos(angle) * goal + np.sin(angle) * off(units(500, 2, seed=12), goal)
    after = nudged(fresh(start), 0.0, goal)
    np.testing.assert_allclose(after.aim, start, atol=1e-12 + 1e-5 * angle)


# --- nudges: goals and places -----------------------------------------------------------------


def test_the_quantile_is_found_anew_after_a_rotation():
    d, goal = 6, units(40, 6, seed=13)
    subject = nudged(fresh(units(40, d, seed=14)), 1.0, goal)
    turned = Rotation(goal, off(units(40, d, seed=15), goal), np.full(40, 0.4)).apply(subject)
    assert turned.law is None
    np.testing.assert_array_equal(turned.nats, 1.0)
    place = locate(turned, goal, d)
    kappa, _ = law_of(d, 1.0)
    expected = [cdf(d, kappa, c) for c in np.vecdot(turned.aim, goal)]
    np.testing.assert_allclose(1 / (1 + np.exp(-place.logit)), expected, atol=1e-8)
    np.testing.assert_allclose(place.tangent, off(turned.aim, goal), atol=1e-12)
    assert np.abs(place.logit - subject.law.logit).max() > 0.01
    np.testing.assert_allclose(nudged(turned, 0.0, goal).aim, turned.aim, atol=1e-7)
    assert np.all(cosine(nudged(turned, 1.0, goal), goal) >= cosine(turned, goal))


def test_the_quantile_is_kept_while_nobody_else_turns_the_aim():
    goal = units(40, 6, seed=13)
    subject = nudged(fresh(units(40, 6, seed=14)), 1.0, goal)
    again = nudged(subject, 1.0, goal)
    assert again.law.logit is subject.law.logit
    assert again.law.tangent is subject.law.tangent


def test_another_goal_means_another_place():
    goal, other = units(40, 6, seed=13), units(40, 6, seed=16)
    subject = nudged(fresh(units(40, 6, seed=14)), 1.0, goal)
    stays = nudged(subject, 0.0, other)
    np.testing.assert_allclose(stays.aim, subject.aim, atol=1e-7)
    moved = nudged(subject, 1.0, other)
    assert np.all(cosine(moved, other) >= cosine(subject, other))


# --- rotations --------------------------------------------------------------------------------


def planes(rows, d, seed=20):
    first = units(rows, d, seed)
    return first, off(units(rows, d, seed + 1), first)


def matrix(first, second, angle):
    """Return the rotation's matrix as the exponential of its generator, by its series in 2 × 2."""
    basis = np.stack([first, second], axis=1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.eye(len(first)) + basis @ (turn - np.eye(2)) @ basis.T


@pytest.mark.parametrize("d", [2, 3, 30])
def test_rotation_is_the_rotation_matrix(d):
    first, second = planes(9, d)
    angle, vectors = np.linspace(-4.0, 7.0, 9), 3.0 * units(9, d, seed=22)
    turned = Rotation(first, second, angle).turn(vectors)
    for row in range(9):
        r = matrix(first[row], second[row], angle[row])
        np.testing.assert_allclose(r @ r.T, np.eye(d), atol=1e-12)
        assert np.linalg.det(r) == pytest.approx(1.0)
        np.testing.assert_allclose(turned[row], r @ vectors[row], atol=1e-12)


def test_a_quarter_turn_moves_first_to_second():
    first, second = planes(9, 5)
    quarter = Rotation(first, second, np.full(9, 0.5 * np.pi))
    np.testing.assert_allclose(quarter.turn(first), second, atol=1e-14)
    np.testing.assert_allclose(quarter.turn(second), -first, atol=1e-14)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(2, 12), st.floats(-10.0, 10.0), st.integers(0, 1000))
def test_rotation_preserves_what_it_must(d, angle, seed):
    first, second = planes(4, d, seed)
    turn = Rotation(first, second, np.full(4, angle))
    vectors, others = units(4, d, seed + 2), units(4, d, seed + 3)
    turned = turn.turn(vectors)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(
        np.vecdot(turned, turn.turn(others)), np.vecdot(vectors, others), atol=1e-12
    )
    change = turned - vectors
    for axis in (first, second):
        change = change - np.vecdot(change, axis)[:, None] * axis
    np.testing.assert_allclose(change, 0.0, atol=1e-12)  # nothing outside the plane moved
    back = Rotation(first, second, np.full(4, -angle)).turn(turned)
    np.testing.assert_allclose(back, vectors, atol=1e-12)


def test_small_turns_are_not_lost():
    """A turn by 1e-9 moves by 1e-9, with the second-order change of length nowhere to be seen."""
    first, second = planes(9, 5)
    moved = Rotation(first, second, np.full(9, 1e-9)).turn(first) - first
    np.testing.assert_allclose(np.vecdot(moved, second), 1e-9, rtol=1e-6)
    still = Rotation(first, second, np.zeros(9)).turn(first)
    assert np.array_equal(still, first)


def test_each_row_turns_by_its_own_angle():
    first, second = planes(9, 5)
    angle, aim = np.linspace(0.0, 1.0, 9), units(9, 5, seed=23)
    together = Rotation(first, second, angle).apply(fresh(aim))
    for row in range(9):
        one = slice(row, row + 1)
        alone = Rotation(first[one], second[one], angle[one]).apply(fresh(aim[one]))
        assert np.array_equal(alone.aim[0], together.aim[row])


@pytest.mark.parametrize(("d", "cosine0"), [(100, 0.9), (10, 0.9999), (1000, 0.5), (3, 0.999999)])
def test_a_quantile_deep_in_the_upper_tail_is_an_exact_draw_too(d, cosine0):
    """P(cosine > c) stays what it was: the tail probability, by mpmath, of the tilted law."""
    goal = np.eye(d)[:1]
    aim = cosine0 * goal + np.sqrt(1 - cosine0**2) * np.eye(d)[1:2]
    subject = fresh(aim)
    log_tail = upper_tail(d, 0.0, cosine0)
    for nats in (0.5, 2.0, 10.0):
        subject = nudged(subject, nats, goal)
        kappa = float(sphere.concentration(d, nats=float(subject.nats[0])))
        assert upper_tail(d, kappa, float(subject.aim[0, 0])) == pytest.approx(log_tail, rel=1e-5)


def upper_tail(d, kappa, c):
    """Return log P(cosine > c) by high-precision quadrature."""
    with mpmath.workdps(30):
        m = mpmath.mpf(d - 3) / 2

        def density(x):
            return (1 - x * x) ** m * mpmath.exp(kappa * (x - 1))

        mode = kappa / ((d - 1) / 2 + np.hypot(kappa, (d - 1) / 2))
        step = mpmath.mpf(1) / np.sqrt(d + kappa)
        above = mpmath.quad(
            density, [c + (1 - c) * (1 - mpmath.mpf(2) ** -k) for k in range(40)] + [1]
        )
        cuts = sorted({-1, 1, *(min(max(mode + k * step, -1), 1) for k in range(-30, 31))})
        return float(mpmath.log(above / mpmath.quad(density, cuts)))


def test_an_aim_beyond_all_floats_waits_for_the_law():
    d = 100_000
    goal, aside = np.zeros((2, 1, d))
    goal[0, 0] = aside[0, 1] = 1.0
    subject = fresh(0.9 * goal + np.sqrt(0.19) * aside)
    after = nudged(subject, 5.0, goal)
    assert after.aim[0, 0] == pytest.approx(0.9, abs=1e-12)
