"""The discrete tilt against independent solvers, its limits, and the properties it must have."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_softmax, logsumexp

from sumabm.tilt.discrete import deviation, discrete_tilt, expect, joint_tilt, kl, stride

FAST = settings(max_examples=40, deadline=None)


def normalised(logits):
    return np.asarray(log_softmax(np.asarray(logits, dtype=float), axis=-1))


def world(seed, *shape):
    rng = np.random.default_rng(seed)
    return normalised(rng.normal(size=shape) * 2.0), rng.normal(size=shape)


def exact_price(log_p, utility, beta, digits=60):
    """Return KL(β) and the gain of Q ∝ P exp(βu), to many digits."""
    with mp.workdps(digits):
        states = [(mp.mpf(float(a)), mp.mpf(float(b))) for a, b in zip(log_p, utility, strict=True)]
        states = [s for s in states if s[0] > -mp.inf]
        total, top = mp.fsum(mp.exp(a) for a, _ in states), max(b for _, b in states)
        y = [mp.mpf(float(beta)) * (b - top) for _, b in states]
        p = [mp.exp(a) / total for a, _ in states]
        z = mp.fsum(a * mp.exp(b) for a, b in zip(p, y, strict=True))
        mean = mp.fsum(a * mp.exp(b) * b for a, b in zip(p, y, strict=True)) / z
        base = mp.fsum(a * b for a, b in zip(p, y, strict=True))
        return mean - mp.log(z), (mean - base) / mp.mpf(float(beta))


def exact_kl(log_q, log_p):
    with mp.workdps(60):
        q, p = ([mp.mpf(float(x)) for x in a] for a in (log_q, log_p))
        shift = mp.log(mp.fsum(map(mp.exp, q))) - mp.log(mp.fsum(map(mp.exp, p)))
        total = mp.fsum(map(mp.exp, q))
        pairs = [(a, b) for a, b in zip(q, p, strict=True) if a > -mp.inf]
        return mp.fsum(mp.exp(a) / total * (a - b - shift) for a, b in pairs)


@pytest.mark.parametrize("power", [1e-3, 0.04, 0.06, 0.5, 1.0])
def test_agrees_with_a_bracketing_solver(power):
    log_p, utility = world(1, 40)

    def excess(beta):
        log_q = normalised(log_p + beta * utility)
        return np.exp(log_q) @ (log_q - log_p) - power

    beta = brentq(excess, 1e-9, 1e3, xtol=1e-14, rtol=1e-14)
    t = discrete_tilt(log_p, utility, power)
    assert t.beta == pytest.approx(beta, rel=1e-9)
    np.testing.assert_allclose(t.log_q, normalised(log_p + beta * utility), atol=1e-9)
    assert t.gain == pytest.approx((np.exp(t.log_q) - np.exp(log_p)) @ utility, rel=1e-12)


@pytest.mark.parametrize("power", [1e-300, 1e-100, 1e-12, 1e-7, 1e-4, 0.01, 0.3, 1.4])
@pytest.mark.parametrize(
    ("logits", "utility"),
    [
        pytest.param([0, 1, -1, 2, 0.5], [0.3, -1, 2, 0.1, 0.7], id="plain"),
        pytest.param([0, 1, -1, 2, 0.5], [1, 1 - 1e-15, 0, 0.1, 0.7], id="near tie"),
        pytest.param([-69, 0, 0, -69, 0], [0, 0.5 - 1e-10, 0.5 + 1e-10, 1, 0.5], id="cluster"),
        pytest.param([0, -1, -690, 0, 0], [0, 0.3, 1, 0.1, 0.2], id="rare best"),
        pytest.param([0, 1, -1, 2, 0], [1e-8, 1, 1, 1 + 2e-16, 1], id="one bit"),
    ],
)
def test_spends_its_power_to_1e_12(logits, utility, power):
    log_p = normalised(logits)
    t = discrete_tilt(log_p, np.array(utility), power)
    if t.saturated:
        assert t.spent <= power
        return
    spent, gain = exact_price(log_p, utility, t.beta, 60 if power > 1e-20 else 340)
    assert abs(spent / power - 1) < 1e-12
    assert abs(t.spent / power - 1) < 1e-12
    assert abs(t.gain / gain - 1) < 1e-12
    if power >= 0.01:
        assert abs(exact_kl(t.log_q, log_p) / power - 1) < 1e-12


@pytest.mark.parametrize("share", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-6, 1 - 1e-12])
@pytest.mark.parametrize("rarest", [1e-300, 1e-12, 1e-3, 1 - 1e-12])
def test_up_to_saturation(share, rarest):
    log_p = np.log([rarest, 0.7 * (1 - rarest), 0.3 * (1 - rarest)])
    power = share * -np.log(rarest)
    utility = np.array([1.0, 0.2, 0.0])
    t = discrete_tilt(log_p, utility, power)
    assert not t.saturated
    spent, _ = exact_price(log_p, utility, t.beta, 340)
    assert abs(spent / power - 1) < 1e-12


@pytest.mark.parametrize("power", [5e-244, 2e-131, 1e-56, 1.5e-20, 1e-9])
@pytest.mark.parametrize("logits", [[0, -690], [0, -690, -1], [0, -230, -300, -1]])
def test_a_rare_best_state_for_little_power(logits, power):
    log_p, utility = normalised(logits), np.array([0.0, 1.0, 0.5, 1e-9])[: len(logits)]
    t = discrete_tilt(log_p, utility, power)
    spent, gain = exact_price(log_p, utility, t.beta, 600)
    assert abs(spent / power - 1) < 1e-12
    assert abs(t.gain / gain - 1) < 1e-12


class TestLimits:
    def test_no_power_is_exactly_the_identity(self):
        log_p, utility = world(2, 3, 7)
        t = discrete_tilt(log_p, utility, 0.0)
        np.testing.assert_array_equal(t.log_q, log_p)
        assert not t.beta.any()
        assert not t.spent.any()
        assert not t.gain.any()
        assert not t.saturated.any()

    @pytest.mark.parametrize("level", [0.0, 3.7, -1e308, 1e-310])
    def test_a_constant_utility_spends_nothing(self, level):
        log_p = np.array([np.log(0.25), np.log(0.75), -np.inf])
        t = discrete_tilt(log_p, np.array([level, level, 5.0]), 2.0)
        np.testing.assert_array_equal(t.log_q, log_p)
        assert (t.beta, t.spent, t.gain, t.saturated) == (0.0, 0.0, 0.0, False)

    def test_one_state(self):
        t = discrete_tilt(np.zeros(1), np.array([4.0]), 1.0)
        assert (t.log_q[0], t.spent, t.beta) == (0.0, 0.0, 0.0)

    @pytest.mark.parametrize("power", [np.log(4.0), 2.0, 1e6, np.inf])
    def test_saturation_conditions_on_the_best_and_keeps_the_rest_of_the_power(self, power):
        log_p = np.log([0.1, 0.15, 0.75])
        t = discrete_tilt(log_p, np.array([1.0, 1.0, 0.0]), power)
        np.testing.assert_allclose(np.exp(t.log_q), [0.4, 0.6, 0.0], rtol=1e-14)
        assert t.saturated
        assert t.beta == np.inf
        assert t.spent == pytest.approx(np.log(4.0), rel=1e-15)
        assert t.gain == pytest.approx(0.75, rel=1e-15)

    def test_saturation_of_what_is_nearly_certain_is_cheap_and_exact(self):
        t = discrete_tilt(np.array([0.0, np.log(1e-200)]), np.array([1.0, 0.0]), 1.0)
        assert t.spent == pytest.approx(1e-200, rel=1e-12)

    def test_a_state_beyond_the_floats(self):
        log_p = np.array([0.0, -5000.0])
        t = discrete_tilt(log_p, np.array([0.0, 1.0]), 1e9)
        assert (t.saturated, t.spent, t.log_q[1]) == (True, 5000.0, 0.0)
        t = discrete_tilt(log_p, np.array([0.0, 1.0]), 2500.0)
        assert np.exp(t.log_q).sum() == pytest.approx(1.0)
        assert kl(t.log_q, log_p) == pytest.approx(2500.0, rel=1e-12)

    @pytest.mark.parametrize("hole", [np.nan, -np.inf, 1e308, 0.5, -7.0])
    def test_impossible_states_stay_so_whatever_their_utility(self, hole):
        log_p, utility = world(3, 6)
        with_hole = np.insert(log_p, 2, -np.inf), np.insert(utility, 2, hole)
        for power in (1e-9, 0.5, 50.0):
            t, plain = discrete_tilt(*with_hole, power), discrete_tilt(log_p, utility, power)
            assert t.log_q[2] == -np.inf
            np.testing.assert_allclose(np.delete(t.log_q, 2), plain.log_q, rtol=1e-12)
            assert t.beta == pytest.approx(plain.beta, rel=1e-12)

    def test_a_range_that_overflows(self):
        t = discrete_tilt(np.log([0.5, 0.25, 0.25]), np.array([-1e308, 1e308, 0.0]), 0.1)
        small = discrete_tilt(np.log([0.5, 0.25, 0.25]), np.array([-1.0, 1.0, 0.0]), 0.1)
        np.testing.assert_allclose(t.log_q, small.log_q, rtol=1e-13)
        assert t.gain == pytest.approx(1e308 * small.gain, rel=1e-13)

    def test_differences_beyond_the_floats_are_ties(self):
        t = discrete_tilt(np.log([0.5, 0.25, 0.25]), np.array([-1e300, 0.0, 1e-300]), 5.0)
        np.testing.assert_allclose(np.exp(t.log_q), [0.0, 0.5, 0.5], rtol=1e-14)

    @pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-20, 1e20, 1e300])
    def test_any_scale(self, scale):
        log_p, utility = np.log([0.5, 0.2, 0.3]), np.array([0.0, 1.0, 3.0])
        t, plain = (discrete_tilt(log_p, utility * s, 0.1) for s in (scale, 1.0))
        np.testing.assert_allclose(t.log_q, plain.log_q, rtol=1e-13)
        assert t.spent == 0.1

    @pytest.mark.parametrize(
        ("log_p", "utility", "power", "complaint"),
        [
            (np.log([0.5, 0.5]), [0.0, np.nan], 1.0, "row 0 of the utility is not finite"),
            (np.log([0.5, 0.5]), [0.0, -np.inf], 1.0, "row 0 of the utility is not finite"),
            (np.log([0.5, 0.4]), [0.0, 1.0], 1.0, "total probability 0.9"),
            ([np.nan, 0.0], [0.0, 1.0], 1.0, "NaN or infinity"),
            ([-np.inf, -np.inf], [0.0, 1.0], 1.0, "no possible state"),
            (np.log([0.5, 0.5]), [0.0, 1.0], -1.0, "got -1.0"),
            (np.log([0.5, 0.5]), [0.0, 1.0], np.nan, "got nan"),
            (np.log([0.5, 0.5]), [0.0, 1.0, 2.0], 1.0, "as many states"),
            (np.zeros((2, 1)), np.zeros((3, 1)), 1.0, "rows do not match"),
            (np.zeros(1), np.zeros((2, 2, 1)), 1.0, "want shapes"),
        ],
    )
    def test_complains(self, log_p, utility, power, complaint):
        with pytest.raises(ValueError, match=complaint):
            discrete_tilt(np.array(log_p), np.array(utility), power)


worlds = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 30))
powers = st.floats(-12.0, 1.5).map(lambda x: 10.0**x)


class TestProperties:
    @FAST
    @given(worlds, powers)
    def test_keeps_the_limit_and_meets_it_when_it_binds(self, shape, power):
        log_p, utility = world(*shape)
        t = discrete_tilt(log_p, utility, power)
        assert t.spent <= power * (1 + 1e-12)
        assert kl(t.log_q, log_p) <= power * (1 + 1e-12) + 1e-14
        assert t.saturated or t.spent == pytest.approx(power, rel=1e-12)

    @FAST
    @given(worlds, powers, powers)
    def test_more_power_gains_more(self, shape, one, two):
        log_p, utility = world(*shape)
        t = discrete_tilt(log_p, utility, np.sort([one, two]))
        assert t.gain[1] >= t.gain[0] * (1 - 1e-12) > 0.0

    @FAST
    @given(worlds, powers, st.floats(-280, 280), st.integers(-1000, 1000))
    def test_scale_and_shift_are_immaterial(self, shape, power, scale, shift):
        log_p, utility = world(*shape)
        utility = np.round(utility * 2.0**20) / 2.0**20
        t = discrete_tilt(log_p, utility, power)
        other = discrete_tilt(log_p, (utility + shift) * 2.0 ** round(3 * scale), power)
        np.testing.assert_allclose(other.log_q, t.log_q, rtol=1e-9, atol=1e-11)
        assert other.gain == pytest.approx(np.ldexp(t.gain, round(3 * scale)), rel=1e-9)

    @FAST
    @given(worlds, powers)
    def test_the_order_of_states_is_immaterial(self, shape, power):
        log_p, utility = world(*shape)
        order = np.random.default_rng(shape[0]).permutation(shape[1])
        t = discrete_tilt(log_p, utility, power)
        other = discrete_tilt(log_p[order], utility[order], power)
        np.testing.assert_allclose(other.log_q, t.log_q[order], rtol=1e-10, atol=1e-12)

    @FAST
    @given(worlds, powers)
    def test_jeffreys_identity(self, shape, power):
        log_p, utility = world(*shape)
        t = discrete_tilt(log_p, utility, power)
        if not t.saturated and power > 1e-6:
            both = kl(t.log_q, log_p) + kl(log_p, t.log_q)
            assert t.beta * t.gain == pytest.approx(both, rel=1e-8)

    @FAST
    @given(worlds, st.floats(0.01, 3.0))
    def test_beats_other_feasible_distributions(self, shape, power):
        log_p, utility = world(*shape)
        t, rng = discrete_tilt(log_p, utility, power), np.random.default_rng(shape[0])
        steps = rng.normal(size=(200, shape[1])) + utility * rng.uniform(0, 3, (200, 1))
        rivals = normalised(log_p + rng.exponential(size=(200, 1)) * steps)
        feasible = kl(rivals, log_p) <= power
        gains = expect(rivals, utility) - expect(log_p, utility)
        assert np.all(gains[feasible] <= t.gain * (1 + 1e-12))

    @pytest.mark.parametrize("states", [3, 130, 5000, 20_000, 40_000])
    def test_rows_are_the_same_alone_in_slices_and_shared(self, states):
        rng = np.random.default_rng(states)
        rows = 40 if states < 1000 else 5
        log_p = normalised(rng.normal(size=(rows, states)) * 3)
        utility = rng.normal(size=(rows, states)) * 10.0 ** rng.integers(-3, 3, (rows, 1))
        power = 10.0 ** rng.uniform(-8, 1.2, rows)
        utility[1] = 1.0
        log_p[2, 1:] = -np.inf
        log_p[2, 0] = 0.0
        utility[3] *= 1e200
        together = discrete_tilt(log_p, utility, power)
        for k in range(rows):
            alone = discrete_tilt(log_p[k], utility[k], power[k])
            for whole, single in zip(together, alone, strict=True):
                np.testing.assert_array_equal(whole[k], single)
        part = discrete_tilt(log_p[1:4], utility[1:4], power[1:4])
        for whole, some in zip(together, part, strict=True):
            np.testing.assert_array_equal(whole[1:4], some)
        shared = discrete_tilt(log_p[0], utility, power)
        copied = discrete_tilt(np.tile(log_p[0], (rows, 1)), utility, power)
        only = discrete_tilt(log_p, utility[4], power)
        pasted = discrete_tilt(log_p, np.tile(utility[4], (rows, 1)), power)
        both = discrete_tilt(log_p[0], utility[4], power)
        for a, b, c, d, e in zip(shared, copied, only, pasted, both, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(c, d)
            np.testing.assert_array_equal(e[4], a[4])

    def test_leaves_its_arguments_alone(self):
        log_p, utility = world(5, 4, 9)
        before = log_p.copy(), utility.copy()
        discrete_tilt(log_p, utility * 1e200, 0.3)
        np.testing.assert_array_equal(log_p, before[0])
        np.testing.assert_array_equal(utility, before[1])


class TestJoint:
    def test_copies_act_as_one_with_the_sum_of_their_multipliers(self):
        log_p, utility = world(6, 2, 12)
        log_q, shares = joint_tilt(log_p, [utility] * 3, [0.1] * 3)
        one = discrete_tilt(log_p, utility, 0.1)
        expected = normalised(log_p + 3 * one.beta[:, None] * utility)
        np.testing.assert_allclose(log_q, expected, rtol=1e-12)
        assert np.all(kl(log_q, log_p) > 0.3)
        np.testing.assert_array_equal(shares[1].beta, one.beta)
        np.testing.assert_array_equal(shares[2].gain, one.gain)

    def test_one_agent_is_a_tilt(self):
        log_p, utility = world(7, 9)
        for power in (0.0, 0.4, 30.0):
            log_q, (share,) = joint_tilt(log_p, [utility], [power])
            t = discrete_tilt(log_p, utility, power)
            np.testing.assert_allclose(log_q, t.log_q, rtol=1e-13, atol=1e-15)
            assert share == tuple(t[1:])

    def test_saturated_agents_maximise_the_sum_of_normalised_utilities(self):
        log_p = np.log([0.2, 0.3, 0.4, 0.1])
        one, two = np.array([0.0, 10.0, 8.0, 0.0]), np.array([1e-3, 0.0, 0.9e-3, 0.0])
        log_q, shares = joint_tilt(log_p, [one, two], [50.0, 50.0])
        np.testing.assert_allclose(np.exp(log_q), [0.0, 0.0, 1.0, 0.0])
        assert all(s.saturated for s in shares)

    def test_opposed_saturated_agents_leave_every_state_to_the_others(self):
        log_p, utility = world(8, 5)
        log_q, _ = joint_tilt(log_p, [utility, 3.0 - 7.0 * utility], [50.0, 50.0])
        np.testing.assert_allclose(log_q, log_p, atol=1e-14)
        third = np.arange(5.0)
        log_q, (_, _, share) = joint_tilt(log_p, [utility, -utility, third], [50.0, 50.0, 0.1])
        np.testing.assert_allclose(log_q, discrete_tilt(log_p, third, 0.1).log_q, rtol=1e-12)
        assert not share.saturated

    def test_finite_agents_act_within_the_best_states_of_the_saturated(self):
        log_p, tied = np.log([0.2, 0.3, 0.5]), np.array([1.0, 1.0, 0.0])
        other = np.array([0.0, 1.0, 5.0])
        log_q, (_, share) = joint_tilt(log_p, [tied, other], [50.0, 0.2])
        expected = normalised(np.log([0.2, 0.3]) + share.beta * other[:2])
        np.testing.assert_allclose(log_q, np.append(expected, -np.inf), rtol=1e-12)

    def test_rows_and_no_agents(self):
        log_p, utility = world(9, 6)
        log_q, _ = joint_tilt(log_p, [utility, -utility], [np.array([0.1, 0.2]), 0.1])
        assert log_q.shape == (2, 6)
        np.testing.assert_array_equal(joint_tilt(log_p, [], [])[0], log_p)
        with pytest.raises(ValueError, match="1 utilities but 2 powers"):
            joint_tilt(log_p, [utility], [1.0, 1.0])


class TestStride:
    @FAST
    @given(worlds, st.floats(-6.0, 1.0).map(lambda x: 10.0**x))
    def test_never_passes_the_target_and_pays_its_price(self, shape, power):
        log_q, _ = world(*shape)
        target, _ = world(shape[0] + 1, shape[1])
        t = stride(log_q, target, power)
        assert 0.0 < t.beta <= 1.0
        assert t.spent <= power * (1 + 1e-12)
        assert kl(t.log_q, log_q) == pytest.approx(t.spent, rel=1e-8, abs=1e-14)
        path = normalised((1 - t.beta) * log_q + t.beta * target)
        np.testing.assert_allclose(t.log_q, path, rtol=1e-9, atol=1e-9)
        rise = (np.exp(t.log_q) - np.exp(log_q)) @ (target - log_q)
        assert t.gain == pytest.approx(rise, rel=1e-8, abs=1e-13)
        assert kl(t.log_q, target) <= kl(log_q, target)

    def test_full_undo_lands_exactly(self):
        before, utility = world(10, 4, 20)
        after = discrete_tilt(before, utility, 0.5)
        toll = kl(before, after.log_q)
        t = stride(after.log_q, before, toll)
        np.testing.assert_array_equal(t.log_q, before)
        np.testing.assert_array_equal(t.beta, 1.0)
        assert np.all(t.spent <= toll)
        short = stride(after.log_q, before, 0.99 * toll)
        assert np.all(short.beta < 1.0)

    def test_there_already(self):
        log_p, _ = world(11, 5)
        t = stride(log_p, log_p, 1.0)
        np.testing.assert_array_equal(t.log_q, log_p)
        assert (t.beta, t.spent, t.gain) == (1.0, 0.0, 0.0)

    def test_deleted_states_cannot_be_brought_back(self):
        log_q, target = np.log([0.5, 0.5, 1.0]), np.log([0.2, 0.3, 0.5])
        log_q[2] = -np.inf
        t = stride(log_q, target, 5.0)
        np.testing.assert_allclose(np.exp(t.log_q), [0.4, 0.6, 0.0], rtol=1e-14)
        assert t.beta == 1.0
        part = stride(log_q, target, 0.001)
        assert part.beta < 1.0
        assert part.log_q[2] == -np.inf
        assert kl(part.log_q, log_q) == pytest.approx(0.001, rel=1e-9)

    def test_states_that_the_target_lacks_go_first_or_nothing_does(self):
        log_q, target = np.log([0.4, 0.4, 0.2]), np.array([np.log(0.9), np.log(0.1), -np.inf])
        toll = -np.log(0.8)
        too_little, more, plenty = (stride(log_q, target, x) for x in (0.2, toll + 0.1, 3.0))
        np.testing.assert_array_equal(too_little.log_q, log_q)
        assert (too_little.beta, too_little.spent, too_little.gain) == (0.0, 0.0, 0.0)
        assert more.log_q[2] == -np.inf
        assert 0.0 < more.beta < 1.0
        assert more.gain == np.inf
        assert more.spent == pytest.approx(toll + 0.1, rel=1e-12)
        assert kl(more.log_q, log_q) == pytest.approx(toll + 0.1, rel=1e-12)
        np.testing.assert_array_equal(plenty.log_q, target)

    def test_nothing_in_common(self):
        log_q, target = np.array([0.0, -np.inf]), np.array([-np.inf, 0.0])
        t = stride(log_q, target, 9.0)
        np.testing.assert_array_equal(t.log_q, log_q)
        assert (t.beta, t.spent, t.gain) == (0.0, 0.0, 0.0)

    def test_rows_are_the_same_alone(self):
        (log_q, _), (target, _) = world(12, 6, 8), world(13, 6, 8)
        target[2, 1] = log_q[3, 2] = -np.inf
        target, log_q = normalised(target), normalised(log_q)
        power = np.array([0.0, 0.1, 3.0, 0.2, 1e-9, 50.0])
        together = stride(log_q, target, power)
        for k in range(6):
            alone = stride(log_q[k], target[k], power[k])
            for whole, single in zip(together, alone, strict=True):
                np.testing.assert_array_equal(whole[k], single)


class TestMeasures:
    def test_kl(self):
        log_q, log_p = world(14, 5, 30)[0], world(15, 30)[0]
        found = kl(log_q, log_p)
        for row, value in zip(log_q, found, strict=True):
            assert value == pytest.approx(float(exact_kl(row, log_p)), rel=1e-13)
        np.testing.assert_array_equal(kl(log_q, log_q), 0.0)

    def test_kl_of_near_twins_does_not_cancel(self):
        log_p, utility = world(16, 50)
        log_q = normalised(log_p + 1e-6 * utility)
        assert kl(log_q, log_p) == pytest.approx(float(exact_kl(log_q, log_p)), rel=1e-3)
        assert kl(log_q, log_p) > 0.0

    def test_kl_with_impossible_states(self):
        some, every = np.array([-np.inf, 0.0]), np.log([0.5, 0.5])
        assert kl(some, every) == pytest.approx(np.log(2.0), rel=1e-15)
        assert kl(every, some) == np.inf
        assert kl(some, some) == 0.0
        assert kl(every, np.array([-1e5, 0.0])) == pytest.approx(5e4, rel=1e-4)

    @pytest.mark.parametrize("scale", [1e-300, 1e-20, 1.0, 1e20, 1e300])
    def test_moments_of_any_scale(self, scale):
        log_p, utility = world(17, 3, 25)
        p = np.exp(log_p)
        mean = (p * utility).sum(axis=-1, keepdims=True)
        spread = np.sqrt((p * (utility - mean) ** 2).sum(axis=-1))
        np.testing.assert_allclose(expect(log_p, utility * scale), mean[:, 0] * scale, rtol=1e-13)
        np.testing.assert_allclose(deviation(log_p, utility * scale), spread * scale, rtol=1e-13)

    def test_moments_of_extremes(self):
        half = np.log([0.5, 0.5])
        assert expect(half, np.array([-1e308, 1e308])) == 0.0
        assert deviation(half, np.array([-1e308, 1e308])) == pytest.approx(1e308, rel=1e-14)
        assert deviation(half, np.array([1e300, 1e300])) == 0.0
        hole = np.array([0.0, -np.inf])
        assert expect(hole, np.array([2.0, np.nan])) == 2.0
        assert deviation(hole, np.array([2.0, np.inf])) == 0.0
        with pytest.raises(ValueError, match="not finite"):
            expect(half, np.array([0.0, np.nan]))

    def test_totals_stay_one(self):
        log_p, utility = world(18, 3, 20_000)
        t = discrete_tilt(log_p, utility, np.array([1e-5, 0.7, 5.0]))
        np.testing.assert_allclose(logsumexp(t.log_q, axis=-1), 0.0, atol=1e-13)
