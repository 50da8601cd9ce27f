"""The optimum under each measure: its first-order conditions, its limits and its edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from sumabm.tilt._divergence import mean_divergence
from sumabm.tilt._rising import rising_root
from sumabm.tilt.measures import MEASURES, Optimum, optimum, price

CASES = [
    ("reverse-kl", None),
    ("renyi", 0.05),
    ("renyi", 0.5),
    ("renyi", 0.999),
    ("renyi", 1.001),
    ("renyi", 2.0),
    ("renyi", 3.0),
    ("renyi", 20.0),
    ("chi2", None),
    ("hellinger", None),
    ("tv", None),
]
SMOOTH = [case for case in CASES if case[0] != "tv"]
ALL = [*CASES, ("wasserstein", None)]
N = 7


def features(states, seed=0):
    return np.random.default_rng(seed).normal(size=(states, 2))


def act(log_p, utility, power, measure, alpha, ground=None) -> Optimum:
    if measure != "wasserstein":
        ground = None
    elif ground is None:
        ground = features(np.shape(log_p)[-1])
    return optimum(log_p, utility, power, measure, alpha=alpha, ground=ground)


def worlds(rows, states=N, seed=1, concentration=1.0):
    rng = np.random.default_rng(seed)
    p = np.maximum(rng.dirichlet(np.full(states, concentration), rows), 1e-30)
    return np.log(p / p.sum(axis=-1, keepdims=True)), rng.normal(size=(rows, states))


def plainly(q, p, measure, alpha):
    """The measures by their definitions."""
    if measure == "reverse-kl":
        return (p * np.log(p / q)).sum(axis=-1)
    if measure == "renyi":
        return np.log((q**alpha * p ** (1 - alpha)).sum(axis=-1)) / (alpha - 1)
    if measure == "chi2":
        return ((q - p) ** 2 / p).sum(axis=-1)
    if measure == "hellinger":
        return 1 - np.sqrt(p * q).sum(axis=-1)
    return 0.5 * np.abs(q - p).sum(axis=-1)


def derivative(q, p, measure, alpha):
    """A positive multiple of dD/dq."""
    if measure == "reverse-kl":
        return -p / q
    if measure == "chi2":
        return q / p
    order = 0.5 if measure == "hellinger" else alpha
    return (q / p) ** (order - 1) / (order - 1)


def fitting(log_p, utility, measure, share):
    """A power that is a share of the way to the ceiling (of something, for reverse KL)."""
    p = np.exp(log_p)
    best = np.where(utility == utility.max(axis=-1, keepdims=True), p, 0.0).sum(axis=-1)
    ceiling = {
        "reverse-kl": 1.0 + 0.0 * best,
        "renyi": -np.log(best),
        "chi2": 1.0 / best - 1.0,
        "hellinger": 1.0 - np.sqrt(best),
        "tv": 1.0 - best,
    }
    return share * ceiling[measure]


@pytest.mark.parametrize(("measure", "alpha"), SMOOTH)
@pytest.mark.parametrize("share", [1e-6, 0.1, 0.5, 0.95])
def test_first_order_conditions(measure, alpha, share):
    """``u − μ dD/dq`` is one number on the support of Q and no more off it."""
    log_p, u = worlds(40)
    o = act(log_p, u, fitting(log_p, u, measure, share), measure, alpha)
    p, q = np.exp(log_p), np.exp(o.log_q)
    with np.errstate(divide="ignore"):
        g = derivative(q, p, measure, alpha)
    on = q > 1e-200
    low, high = (
        np.take_along_axis(a, np.argmin(np.where(on, g, np.inf), axis=-1)[:, None], -1)
        for a in (g, u)
    )
    top, best = (
        np.take_along_axis(a, np.argmax(np.where(on, g, -np.inf), axis=-1)[:, None], -1)
        for a in (g, u)
    )
    mu = (best - high) / (top - low)
    assert (mu > 0.0).all()
    level = u - best - mu * (g - top)
    # Where D is small its derivative is known to rounding of log q only.
    assert np.abs(level[on]).max() < (1e-6 if share < 0.01 else 1e-9)
    assert (level[~on] <= 1e-9).all()
    assert not (alpha is None or alpha < 1.0) or measure == "chi2" or on.all()


@pytest.mark.parametrize(("measure", "alpha"), CASES)
@pytest.mark.parametrize("share", [1e-12, 1e-3, 0.3, 0.9, 1.0 - 1e-9])
def test_spends_the_power_and_says_what_it_did(measure, alpha, share):
    log_p, u = worlds(50, concentration=0.3)
    power = fitting(log_p, u, measure, share)
    o = act(log_p, u, power, measure, alpha)
    assert not o.saturated.any()
    assert (o.spent <= power).all()
    np.testing.assert_allclose(o.spent, power, rtol=1e-12)
    if share > 1e-4:
        np.testing.assert_allclose(price(o.log_q, log_p, measure, alpha=alpha), power, rtol=1e-11)
    p, q = np.exp(log_p), np.exp(o.log_q)
    np.testing.assert_allclose(q.sum(axis=-1), 1.0, rtol=1e-13)
    np.testing.assert_allclose(o.gain, ((q - p) * u).sum(axis=-1), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("measure", "alpha"), ALL)
def test_multiplier_is_the_price_of_gain(measure, alpha):
    log_p, u = worlds(20)
    share = 0.01 if alpha == 0.05 else 0.4  # small orders soon gain all but rounding
    power = 0.3 if measure == "wasserstein" else fitting(log_p, u, measure, share)
    o, more, less = (act(log_p, u, power * f, measure, alpha) for f in (1.0, 1 + 1e-5, 1 - 1e-5))
    moves = ~more.saturated
    slope = (2e-5 * power) / (more.gain - less.gain)
    assert np.median(np.abs(slope / o.multiplier - 1.0)[moves]) < 1e-8  # kinks aside
    np.testing.assert_allclose(slope[moves], o.multiplier[moves], rtol=1e-3)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_total_variation_takes_from_the_worst(share):
    log_p, u = worlds(1)
    power = fitting(log_p, u, "tv", share)
    o = act(log_p[0], u[0], power[0], "tv", None)
    left, expected = power[0], np.exp(log_p[0])
    for i in np.argsort(u[0])[:-1]:
        taken = min(left, expected[i])
        left, expected[i] = left - taken, expected[i] - taken
        expected[np.argmax(u[0])] += taken
    np.testing.assert_allclose(np.exp(o.log_q), expected, atol=1e-15)


def test_total_variation_of_ties_is_in_proportion():
    p, u = np.array([0.1, 0.3, 0.2, 0.1, 0.3]), np.array([0.0, 0.0, 1.0, 2.0, 2.0])
    o = optimum(np.log(p), u, 0.2, "tv")
    np.testing.assert_allclose(np.exp(o.log_q), [0.05, 0.15, 0.2, 0.15, 0.45], rtol=1e-14)


@pytest.mark.parametrize("power", [1e-3, 0.1, 0.4, 0.8])
def test_transport_meets_its_dual(power):
    """No Q gains more than ``min_λ λO² + Σ p_i max_j (u_j − u_i − λ c_ij)``."""
    ground = features(15)
    cost = ((ground[:, None] - ground) ** 2).sum(axis=-1)
    log_p, u = worlds(1, 15)
    p, u = np.exp(log_p[0]), u[0]

    o = optimum(np.log(p), u, power, "wasserstein", ground=ground)
    slope = 0.5 / (power * o.multiplier)  # any λ bounds the gain; the right one is tight
    bound = slope * power**2 + p @ (u - u[:, None] - slope * cost).max(axis=1)
    assert o.gain == pytest.approx(bound, rel=1e-12)
    assert o.spent == pytest.approx(power, rel=1e-12)
    assert ((np.exp(o.log_q) - p) @ u) == pytest.approx(o.gain, rel=1e-12)


def test_transport_of_a_gaussian_is_its_mean_shift():
    """Under W2 the shift is the optimal action: it gains O per unit of slope."""
    x = np.linspace(-8.0, 8.0, 1601)
    p = norm.pdf(x)
    o = optimum(np.log(p / p.sum()), x, 0.5, "wasserstein", ground=x)
    assert o.gain == pytest.approx(0.5, rel=1e-9)  # 50 grid steps
    np.testing.assert_allclose(np.exp(o.log_q)[450:1150], (p / p.sum())[400:1100], rtol=1e-6)


def test_transport_saturates_at_the_nearest_best_state():
    ground = np.array([0.0, 1.0, 3.0, 4.0])
    p, u = np.array([0.3, 0.2, 0.2, 0.3]), np.array([1.0, 0.0, 0.0, 1.0])
    o = optimum(np.log(p), u, np.array([1.0, np.inf]), "wasserstein", ground=ground)
    np.testing.assert_allclose(np.exp(o.log_q), [[0.5, 0.0, 0.0, 0.5]] * 2, rtol=1e-15)
    assert o.saturated.all()
    np.testing.assert_allclose(o.spent, np.sqrt(0.4), rtol=1e-15)
    tied = optimum(np.log([0.2, 0.2, 0.6]), u[:3] * [1, 0, 1] + [0, 0, 1], 9.0, "wasserstein",
                   ground=np.array([-1.0, 0.0, 1.0]))  # fmt: skip
    np.testing.assert_allclose(np.exp(tied.log_q), [0.25, 0.0, 0.75], rtol=1e-15)


def test_transport_in_blocks_is_the_same():
    """More states than one block and one row than one chunk: against each row alone."""
    ground = features(700)
    log_p, u = worlds(12, 700)
    together = optimum(log_p, u, 0.3, "wasserstein", ground=ground)
    for row in (0, 11):
        alone = optimum(log_p[row], u[row], 0.3, "wasserstein", ground=ground)
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, many[row])


def test_transport_swaps_equal_features_for_free():
    ground, p, u = np.array([0.0, 0.0, 5.0]), np.full(3, 1 / 3), np.array([0.0, 1.0, 2.0])
    o = optimum(np.log(p), u, np.array([0.0, 1e-9]), "wasserstein", ground=ground)
    np.testing.assert_array_equal(o.log_q[0], np.log(p))
    np.testing.assert_allclose(np.exp(o.log_q[1]), [0.0, 2 / 3, 1 / 3], atol=1e-9)


def test_chi2_beats_the_mean_shift_of_a_gaussian():
    """With O = 1 the optimum gains 0.941, the mean shift sqrt(ln 2)."""
    x = np.linspace(-10.0, 10.0, 20001)
    p = norm.pdf(x)
    o = optimum(np.log(p / p.sum()), x, 1.0, "chi2")
    assert round(float(o.gain), 3) == 0.941
    # In closed form: q ∝ (x − ν)₊, so m1 = φ − νΦ̄, m2 = (1 + ν²)Φ̄ − νφ, χ² + 1 = m2/m1².
    nu = minimize_scalar(
        lambda v: (_truncated(v)[1] / _truncated(v)[0] ** 2 - 2.0) ** 2, bounds=(-2.0, 1.0)
    ).x
    assert o.gain == pytest.approx(norm.sf(nu) / _truncated(nu)[0], rel=1e-6)


def _truncated(nu):
    first = norm.pdf(nu) - nu * norm.sf(nu)
    return first, (1 + nu * nu) * norm.sf(nu) - nu * norm.pdf(nu)


def test_renyi_near_one_is_the_tilt():
    log_p, u = worlds(30)
    below, above = (optimum(log_p, u, 0.2, "renyi", alpha=a) for a in (1 - 1e-9, 1 + 1e-9))
    np.testing.assert_allclose(below.gain, above.gain, rtol=1e-8)
    for o in (below, above):
        slope = np.gradient(o.log_q - log_p, axis=-1) / np.gradient(u, axis=-1)
        moves = ~o.saturated & (np.abs(np.gradient(u, axis=-1)).min(axis=-1) > 0.1)
        beta = np.broadcast_to(o.multiplier[:, None], u.shape)
        np.testing.assert_allclose(slope[moves], beta[moves], rtol=1e-5)


@pytest.mark.parametrize(("measure", "alpha"), CASES)
def test_saturates_at_the_best_states(measure, alpha):
    p, u = np.array([0.1, 0.2, 0.3, 0.4]), np.array([5.0, 5.0, 1.0, 0.0])
    power = 1e300 if measure == "reverse-kl" else float(fitting(np.log(p), u, measure, 1.0))
    for given_ in [np.inf] if measure == "reverse-kl" else [power, 1.5 * power, np.inf]:
        o = act(np.log(p), u, given_, measure, alpha)
        assert o.saturated
        assert o.multiplier == np.inf
        np.testing.assert_allclose(np.exp(o.log_q), [1 / 3, 2 / 3, 0.0, 0.0], rtol=1e-14)
        assert o.spent == pytest.approx(np.inf if measure == "reverse-kl" else power, rel=1e-13)
        assert o.gain == pytest.approx(5.0 - 1.8, rel=1e-14)


@pytest.mark.parametrize("power", [1e-300, 1e-30, 1e3, 1e6, 1e12, 1e100])
def test_reverse_kl_never_saturates(power):
    p, u = np.array([0.1, 0.2, 0.3, 0.4]), np.array([5.0, 5.0, 1.0, 0.0])
    o = optimum(np.log(p), u, power, "reverse-kl")
    assert not o.saturated
    assert o.spent == pytest.approx(power, rel=1e-12)
    assert np.isfinite(o.log_q).all()
    assert price(o.log_q, np.log(p), "reverse-kl") == pytest.approx(power, rel=1e-9, abs=1e-16)


@pytest.mark.parametrize(("measure", "alpha"), ALL)
def test_does_nothing_without_power_or_preference(measure, alpha):
    log_p = np.log([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5], [0.0 + 1e-300, 0.4, 0.6]])
    log_p[2, 0] = -np.inf
    u = np.array([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0], [7.0, 3.0, 3.0]])
    o = act(log_p, u, np.array([0.0, 2.0, 2.0]), measure, alpha)
    np.testing.assert_allclose(o.log_q, log_p, rtol=1e-15)
    for field in (o.multiplier, o.spent, o.gain, o.saturated):
        assert not field.any()


@pytest.mark.parametrize(("measure", "alpha"), ALL)
def test_impossible_states_stay_so(measure, alpha):
    log_p = np.log([0.2, 0.3, 0.5])
    u = np.array([0.0, 1.0, 3.0])
    ground = features(3)
    o = act(log_p, u, 0.1, measure, alpha, ground)
    for odd in (np.nan, np.inf, -np.inf, 1e9):
        where = act(
            np.insert(log_p, 1, -np.inf),
            np.insert(u, 1, odd),
            0.1,
            measure,
            alpha,
            np.insert(ground, 1, ground[2], axis=0),
        )
        assert where.log_q[1] == -np.inf
        np.testing.assert_allclose(np.delete(where.log_q, 1), o.log_q, rtol=1e-13)
        assert where.gain == pytest.approx(float(o.gain), rel=1e-12)


@pytest.mark.parametrize(("measure", "alpha"), ALL)
@pytest.mark.parametrize("factor", [1e-300, 1e-5, 1e5, 1e300])
def test_scale_and_offset_of_the_utility_are_immaterial(measure, alpha, factor):
    log_p, u = worlds(10)
    u = np.round(u, 3)
    o = act(log_p, u, 0.1, measure, alpha)
    scaled = act(log_p, u * factor, 0.1, measure, alpha)
    np.testing.assert_allclose(scaled.log_q, o.log_q, rtol=1e-9)
    np.testing.assert_allclose(scaled.gain, o.gain * factor, rtol=1e-9)
    moved = act(log_p, u + 64.0, 0.1, measure, alpha)
    np.testing.assert_allclose(moved.log_q, o.log_q, rtol=1e-9)
    huge = act(log_p, np.sign(u) * 1.7e308, 0.1, measure, alpha)
    assert not np.isnan(huge.log_q).any()


@pytest.mark.parametrize(("measure", "alpha"), CASES)
def test_splitting_a_state_changes_nothing(measure, alpha):
    """Tied states share in proportion to P."""
    log_p, u = worlds(20)
    split = np.concatenate(
        [log_p[:, :1] + np.log(0.25), log_p[:, :1] + np.log(0.75), log_p[:, 1:]], 1
    )
    power = fitting(log_p, u, measure, 0.5)
    one = act(log_p, u, power, measure, alpha)
    two = act(split, np.concatenate([u[:, :1], u], 1), power, measure, alpha)
    np.testing.assert_allclose(np.exp(two.log_q[:, 2:]), np.exp(one.log_q[:, 1:]), atol=1e-12)
    np.testing.assert_allclose(
        np.exp(two.log_q[:, 0]), 0.25 * np.exp(one.log_q[:, 0]), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(("measure", "alpha"), SMOOTH)
def test_improbable_best_states(measure, alpha):
    """The best state has probability e^-800, below the floats; powers from nothing to enough."""
    p = np.array([-800.0, np.log(0.5), np.log(0.5)])
    power = np.array([1e-20, 1e-3, 0.05, 0.9, 2.0, 50.0, 790.0, 1e3])
    o = act(p, np.array([2.0, 1.0, 0.0]), power, measure, alpha)
    for field in o:
        assert not np.isnan(field).any()
    assert (np.diff(o.gain) >= 0.0).all()
    assert (o.spent <= power).all()
    np.testing.assert_allclose(np.exp(o.log_q).sum(axis=-1), 1.0, rtol=1e-12)


@pytest.mark.parametrize(("measure", "alpha"), SMOOTH)
def test_tiny_powers_move_as_the_root(measure, alpha):
    """Every divergence is a quadratic form near P: gain ∝ sqrt(O), with known factor."""
    log_p, u = worlds(20)
    p = np.exp(log_p)
    sd = np.sqrt((p * (u - (p * u).sum(-1, keepdims=True)) ** 2).sum(-1))
    curve = {"renyi": alpha or 1.0, "chi2": 2.0, "hellinger": 0.25}.get(measure, 1.0)
    for power in (1e-300, 1e-100, 1e-24):
        o = act(log_p, u, power, measure, alpha)
        np.testing.assert_allclose(o.spent, power, rtol=1e-12)
        np.testing.assert_allclose(o.gain, sd * np.sqrt(2.0 * power / curve), rtol=1e-8)


@pytest.mark.parametrize(("measure", "alpha"), SMOOTH)
def test_rare_states_and_utilities_of_all_sizes(measure, alpha):
    """What is cut, and what is not, is then decided hundreds of powers of ten from the best."""
    cases = [
        ([-1972.3, 0.0, -42.3], [2.0, 1.0, 0.0], 2.7e-11),
        ([-1227.8, -0.66, -0.726], [-6.8e132, 5.0e-177, 4.0e-254], 4e-4),
        ([-0.0642, -126.3, -2.777], [-3.4e-13, -0.64, -1.25e-16], 1.8e-10),
        ([0.0, -179.0], [1.0, 0.0], 1e-10),
    ]
    for log_p, u, power in cases:
        log_p = np.array(log_p) - np.log(np.exp(log_p).sum())
        o = act(log_p, np.array(u), power, measure, alpha)
        unspendable = measure == "reverse-kl" and power == 4e-4  # on a probability of e^-1228
        assert o.saturated or unspendable or o.spent == pytest.approx(power, rel=1e-10)
        assert not np.isnan(o.log_q).any()


def test_extreme_orders():
    log_p, u = worlds(30)
    for alpha in (1e-8, 0.01, 300.0, 1e5):
        power = fitting(log_p, u, "renyi", 0.5)
        o = optimum(log_p, u, power, "renyi", alpha=alpha)
        np.testing.assert_allclose(o.spent, power, rtol=1e-10)
    # The limit α → ∞ caps q/p: the best fraction exp(−O) of P.
    best = optimum(np.log([0.5, 0.3, 0.2]), np.arange(3.0), np.log(4.0), "renyi", alpha=1e7)
    np.testing.assert_allclose(np.exp(best.log_q), [0.0, 0.2, 0.8], atol=1e-5)


@st.composite
def problems(draw):
    states = draw(st.integers(2, 6))
    weights = draw(st.lists(st.floats(1e-6, 1.0), min_size=states, max_size=states))
    utility = draw(st.lists(st.integers(-3, 3), min_size=states, max_size=states))
    power = draw(st.floats(1e-9, 3.0))
    return np.log(np.array(weights) / np.sum(weights)), np.array(utility, dtype=float), power


@settings(max_examples=25, deadline=None)
@given(problem=problems(), case=st.sampled_from(ALL), seed=st.integers(0, 99))
def test_properties(problem, case, seed):
    (log_p, u, power), (measure, alpha) = problem, case
    ground = features(u.size, seed)
    o = act(log_p, u, power, measure, alpha, ground)
    assert 0.0 <= o.spent <= power
    constant = (u == u[0]).all()
    assert constant or o.saturated or o.spent == pytest.approx(power, rel=1e-11)
    assert np.exp(o.log_q).sum() == pytest.approx(1.0, rel=1e-12)
    assert (np.exp(o.log_q) - np.exp(log_p)) @ u == pytest.approx(float(o.gain), abs=1e-12)
    assert act(log_p, u, 1.1 * power, measure, alpha, ground).gain >= o.gain * (1.0 - 1e-12)
    again = act(log_p, 3.0 * u - 7.0, power, measure, alpha, ground)
    np.testing.assert_allclose(np.exp(again.log_q), np.exp(o.log_q), atol=1e-9)
    order = np.random.default_rng(seed).permutation(u.size)
    permuted = act(log_p[order], u[order], power, measure, alpha, ground[order])
    np.testing.assert_allclose(np.exp(permuted.log_q), np.exp(o.log_q)[order], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(problem=problems(), case=st.sampled_from(ALL), seed=st.integers(0, 999))
def test_nothing_feasible_gains_more(problem, case, seed):
    (log_p, u, power), (measure, alpha) = problem, case
    if measure == "wasserstein":
        return  # has its dual
    power = max(power, 1e-4)  # the definitions lose smaller ones to rounding
    rng = np.random.default_rng(seed)
    p = np.exp(log_p)
    o = act(log_p, u, power, measure, alpha)
    others = rng.dirichlet(np.full(u.size, 0.5), 400)
    others[200:] = np.exp(o.log_q) * np.exp(0.1 * rng.normal(size=(200, u.size)))
    others = 0.999 * others / others.sum(axis=-1, keepdims=True) + 0.001 * p
    low, high = np.zeros((400, 1)), np.ones((400, 1))
    for _ in range(40):
        middle = 0.5 * (low + high)
        fits = plainly(p + middle * (others - p), p, measure, alpha)[:, None] <= power
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    assert (low * ((others - p) @ u)[:, None]).max() <= o.gain + 1e-9


@pytest.mark.parametrize(("measure", "alpha"), ALL)
def test_rows_are_independent_bit_for_bit(measure, alpha):
    log_p, u = worlds(60, 9, concentration=0.2)
    u[::3] = np.round(u[::3])
    power = 10.0 ** np.random.default_rng(0).uniform(-12, 1, 60)
    together = act(log_p, u, power, measure, alpha)
    for row in range(0, 60, 7):
        alone = act(log_p[row], u[row], power[row], measure, alpha)
        pair = act(log_p[row : row + 2], u[row : row + 2], power[row : row + 2], measure, alpha)
        for one, two, many in zip(alone, pair, together, strict=True):
            np.testing.assert_array_equal(one, many[row])
            np.testing.assert_array_equal(two[0], many[row])
    shared = act(log_p[0], u, power, measure, alpha)
    np.testing.assert_array_equal(shared.log_q[4], act(log_p[0], u[4], power[4], measure, alpha)[0])


def test_shapes():
    log_p, u = worlds(3)
    assert optimum(log_p[0], u[0], 0.1, "tv").log_q.shape == (N,)
    assert optimum(log_p[0], u[0], 0.1, "tv").spent.shape == ()
    assert optimum(log_p[0], u[0], np.array([0.1]), "tv").log_q.shape == (1, N)
    assert optimum(log_p[0], u[0], np.full(5, 0.1), "chi2").gain.shape == (5,)
    assert optimum(log_p, u[0], 0.1, "chi2").log_q.shape == (3, N)
    assert price(log_p[0], log_p, "chi2").shape == (3,)


@pytest.mark.parametrize(("measure", "alpha"), CASES)
def test_price_is_the_definition(measure, alpha):
    log_p, _ = worlds(20)
    log_q, _ = worlds(20, seed=2)
    expected = plainly(np.exp(log_q), np.exp(log_p), measure, alpha)
    np.testing.assert_allclose(price(log_q, log_p, measure, alpha=alpha), expected, rtol=1e-10)
    np.testing.assert_array_equal(price(log_p, log_p, measure, alpha=alpha), 0.0)


def test_price_off_the_support():
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log([0.5, 0.5, 0.0]), np.log([0.25, 0.0, 0.75])
    assert price(log_q, log_p, "kl") == price(log_q, log_p, "chi2") == np.inf
    assert price(log_q, log_p, "renyi", alpha=2.0) == np.inf
    assert price(log_q, log_p, "reverse-kl") == np.inf
    bc = np.sqrt(0.125)
    assert price(log_q, log_p, "hellinger") == pytest.approx(1.0 - bc)
    assert price(log_q, log_p, "renyi", alpha=0.5) == pytest.approx(-2.0 * np.log(bc))
    assert price(log_q, log_p, "renyi", alpha=0.25) == pytest.approx(
        np.log(0.25**0.25 * 0.5**0.75) / -0.75
    )
    assert price(log_q, log_p, "tv") == pytest.approx(0.75)
    bent = price(np.log([0.6, 0.4, 1e-300]), log_p, "kl")
    assert bent == np.inf


def test_price_of_kl():
    log_p, _ = worlds(5)
    log_q, _ = worlds(5, seed=2)
    expected = (np.exp(log_q) * (log_q - log_p)).sum(axis=-1)
    np.testing.assert_allclose(price(log_q, log_p, "kl"), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [0.0, 0.01, 0.49, 0.5, 0.9, 1.0, 1.1, 2.0, 7.0])
def test_divergences_are_smooth_where_the_series_ends(order):
    ell = np.array([[0.25 / max(1.0, order)]]) * (1.0 + np.array([[-1e-9], [1e-9]]))
    for sign in (1.0, -1.0):
        zero = np.zeros_like(ell)
        below, above = mean_divergence(zero, sign * ell, sign * ell, order)
        assert below == pytest.approx(above, rel=1e-7)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"measure": "kl"}, "must be one of 'reverse-kl', 'renyi'"),
        ({"measure": "renyi"}, "got measure 'renyi' and alpha None"),
        ({"measure": "tv", "alpha": 2.0}, "got measure 'tv' and alpha 2.0"),
        ({"measure": "renyi", "alpha": 1.0}, "use the KL tilt"),
        ({"measure": "renyi", "alpha": -1.0}, "above 0: got -1.0"),
        ({"measure": "renyi", "alpha": np.inf}, "above 0: got inf"),
        ({"measure": "renyi", "alpha": np.nan}, "above 0: got nan"),
        ({"measure": "wasserstein"}, "ground missing"),
        ({"measure": "tv", "ground": np.zeros((2, 1))}, "ground given"),
        ({"measure": "wasserstein", "ground": np.zeros((3, 1))}, r"got \(3, 1\)"),
        ({"measure": "tv", "power": -1.0}, "at least 0: got -1.0"),
        ({"measure": "tv", "power": np.nan}, "at least 0: got nan"),
        ({"measure": "tv", "log_p": np.zeros(2)}, "total probability 2.0, not 1"),
        ({"measure": "tv", "log_p": np.full(2, np.nan)}, "total probability nan"),
        ({"measure": "tv", "utility": np.array([0.0, np.inf])}, "row 0 of the utility"),
    ],
)
def test_errors(kwargs, message):
    arguments = {"log_p": np.log([0.5, 0.5]), "utility": np.arange(2.0), "power": 1.0, **kwargs}
    with pytest.raises(ValueError, match=message):
        optimum(**arguments)


def test_errors_of_size_and_of_price():
    many = np.full(20_001, -np.log(20_001.0))
    with pytest.raises(ValueError, match="at most 20000"):
        optimum(many, many, 1.0, "wasserstein", ground=np.zeros(20_001))
    with pytest.raises(ValueError, match="not offered"):
        price(many, many, "wasserstein")
    assert set(MEASURES) == {m for m, _ in ALL}


def test_roots_that_are_not_there():
    """A function that never crosses, or only at the floor, gives the nearest end."""
    flat = rising_root(lambda z, rows: np.full(z.shape, -1.0), np.zeros(1))
    assert np.isfinite(flat).all()
    floored = rising_root(lambda z, rows: z + 5.0, np.zeros(1), np.array([-2.0]))
    np.testing.assert_array_equal(floored, -2.0)
