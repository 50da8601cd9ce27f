"""The tilt's closed form against brute force, general Gaussian formulas and random competitors."""

import numpy as np
import pytest
from scipy import optimize, stats

from sumabm.tilt import linear_tilt, stride_towards, times

D = 5


def full(d, seed=0):
    a = np.random.default_rng(seed).standard_normal((d, 2 * d))
    return a @ a.T / d + 0.1 * np.eye(d)


COVARIANCES = {"identity": None, "diagonal": np.array([0.3, 1.0, 2.0, 4.5, 0.01]), "full": full(D)}
every_covariance = pytest.mark.parametrize("name", COVARIANCES)


def dense(name, d=D):
    matrix = COVARIANCES[name]
    if matrix is None:
        return np.eye(d)
    return np.diag(matrix) if matrix.ndim == 1 else matrix


def general_kl(m1, s1, m0, s0):
    """KL(N(m1, s1) ‖ N(m0, s0)): the textbook formula for any two Gaussians."""
    way, inverse = m0 - m1, np.linalg.inv(s0)
    dets = np.linalg.slogdet(s0)[1] - np.linalg.slogdet(s1)[1]
    return 0.5 * (np.trace(inverse @ s1) + way @ inverse @ way - len(way) + dets)


def random_utilities(rows, d=D, seed=1):
    return np.random.default_rng(seed).standard_normal((rows, d))


# --- the optimum ------------------------------------------------------------------------------


@every_covariance
@pytest.mark.parametrize("power", [1e-3, 0.7, 40.0])
def test_shift_is_what_brute_force_finds(name, power):
    v, inverse = random_utilities(1)[0], np.linalg.inv(dense(name))
    root = np.linalg.cholesky(dense(name))
    length = np.sqrt(2.0 * power)
    scale = np.linalg.norm(root.T @ v) * length
    found = optimize.minimize(
        lambda x: -(v @ root @ x) * length / scale,  # x: the shift in units of its largest length
        np.full(D, 0.1),
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: 1.0 - x @ root.T @ inverse @ root @ x},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    act = linear_tilt(v, power, COVARIANCES[name])
    best = root @ found.x * length
    np.testing.assert_allclose(act.shift, best, atol=2e-6 * np.abs(best).max())
    np.testing.assert_allclose(act.gain, -found.fun * scale, rtol=1e-7)


def test_brute_force_does_not_touch_the_covariance_either():
    """In two dimensions, over all means and covariances: the optimum keeps C."""
    v, c0, power = np.array([1.0, -0.4]), np.array([[1.0, 0.3], [0.3, 0.5]]), 0.8

    def unpack(x):
        root = np.array([[np.exp(x[2]), 0.0], [x[3], np.exp(x[4])]])
        return x[:2], root @ root.T

    def kl(x):
        mean, covariance = unpack(x)
        return general_kl(mean, covariance, np.zeros(2), c0)

    found = optimize.minimize(
        lambda x: -(v @ x[:2]),
        np.array([0.1, 0.1, 0.3, -0.2, 0.1]),
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: power - kl(x)},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    mean, covariance = unpack(found.x)
    act = linear_tilt(v, power, c0)
    np.testing.assert_allclose(act.shift, mean, atol=1e-5)
    np.testing.assert_allclose(covariance, c0, atol=1e-4)
    np.testing.assert_allclose(act.gain, -found.fun, rtol=1e-7)


@every_covariance
def test_beats_a_thousand_feasible_competitors(name):
    rng, c0, power = np.random.default_rng(2), dense(name), 0.9
    root, v = np.linalg.cholesky(c0), random_utilities(1)[0]
    act = linear_tilt(v, power, COVARIANCES[name])
    gains = np.empty(1000)
    for i in range(1000):
        width = 10.0 ** rng.uniform(-4, -0.3)  # from all but the optimum to far from it
        noise = rng.standard_normal((D, D))
        values, vectors = np.linalg.eigh(noise + noise.T)
        covariance = root @ (vectors * np.exp(0.5 * width * values)) @ vectors.T @ root.T
        direction = act.shift + width * np.linalg.norm(act.shift) * rng.standard_normal(D)
        rest = power - general_kl(np.zeros(D), covariance, np.zeros(D), c0)
        if rest < 0.0:
            covariance, rest = c0, power
        step = np.sqrt(2.0 * rest / (direction @ np.linalg.solve(c0, direction)))
        mean = step * direction
        assert general_kl(mean, covariance, np.zeros(D), c0) <= power * (1.0 + 1e-9)
        gains[i] = v @ mean
    assert gains.max() <= act.gain * (1.0 + 1e-12)
    assert gains.max() > 0.999 * act.gain  # some came close: the comparison has teeth
    assert not gains.max() <= 0.99 * act.gain


# --- what it costs ----------------------------------------------------------------------------


@every_covariance
def test_spent_is_the_general_gaussian_divergence(name):
    c0, mean = dense(name), np.arange(D) * 1.0
    powers = np.array([1e-6, 0.3, 2.0, 500.0])
    act = linear_tilt(random_utilities(4), powers, COVARIANCES[name])
    for shift, spent, power in zip(act.shift, act.spent, powers, strict=True):
        kl = general_kl(mean + shift, c0, mean, c0)
        assert kl == pytest.approx(spent, rel=1e-9, abs=1e-12)
        assert spent == power


def test_spent_is_the_divergence_of_sampled_log_densities():
    c0, power = dense("full"), 0.8
    act = linear_tilt(random_utilities(1)[0], power, c0)
    after = stats.multivariate_normal(act.shift, c0)
    states = after.rvs(20_000, random_state=3)
    ratio = after.logpdf(states) - stats.multivariate_normal(np.zeros(D), c0).logpdf(states)
    error = ratio.std(ddof=1) / np.sqrt(ratio.size)
    assert abs(ratio.mean() - act.spent) < 4 * error
    assert abs(ratio.mean() - 1.1 * act.spent) > 4 * error


@every_covariance
def test_the_new_world_is_the_exponential_tilt(name):
    """ln Q − ln P − β u is the same everywhere: Q ∝ P exp(β u)."""
    v, c0 = random_utilities(1)[0], dense(name)
    act = linear_tilt(v, 1.3, COVARIANCES[name])
    states = np.random.default_rng(4).multivariate_normal(np.zeros(D), c0, size=50)
    after = stats.multivariate_normal(act.shift, c0).logpdf(states)
    before = stats.multivariate_normal(np.zeros(D), c0).logpdf(states)
    left = after - before - act.beta * states @ v
    np.testing.assert_allclose(left, left[0], atol=1e-9)
    assert np.ptp(after - before - 1.01 * act.beta * states @ v) > 1e-3


@every_covariance
def test_gain_is_the_rise_of_the_expected_utility(name):
    v = random_utilities(6)
    act = linear_tilt(v, 0.4, COVARIANCES[name])
    np.testing.assert_allclose(np.vecdot(act.shift, v), act.gain, rtol=1e-12)


# --- invariance and limits --------------------------------------------------------------------


@every_covariance
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-20, 1e20, 1e160, 1e300])
def test_the_scale_of_a_utility_is_immaterial(name, scale):
    v = random_utilities(20) / 10.0
    one = linear_tilt(v, 1.7, COVARIANCES[name])
    other = linear_tilt(scale * v, 1.7, COVARIANCES[name])
    np.testing.assert_allclose(other.shift, one.shift, rtol=1e-12)
    np.testing.assert_array_equal(other.spent, 1.7)
    np.testing.assert_allclose(other.gain / scale, one.gain, rtol=1e-12)
    assert not np.isnan(other.beta).any()
    if 1e-200 < scale < 1e200:
        np.testing.assert_allclose(other.beta * scale, one.beta, rtol=1e-12)


def test_rows_of_all_scales_stand_side_by_side():
    exponents = np.arange(-300, 301, 50)
    v = np.tile(random_utilities(1), (exponents.size, 1))
    act = linear_tilt(v * 10.0 ** exponents[:, None], 1.0, COVARIANCES["full"])
    np.testing.assert_allclose(act.shift, np.tile(act.shift[6], (exponents.size, 1)), rtol=1e-12)


@every_covariance
def test_no_power_is_the_identity(name):
    act = linear_tilt(random_utilities(3), 0.0, COVARIANCES[name])
    for what in (act.shift, act.beta, act.spent, act.gain):
        np.testing.assert_array_equal(what, 0.0)


@every_covariance
def test_a_constant_utility_spends_nothing(name):
    v = random_utilities(3)
    v[1] = 0.0
    act = linear_tilt(v, 2.0, COVARIANCES[name])
    np.testing.assert_array_equal(act.shift[1], 0.0)
    np.testing.assert_array_equal(act.spent, [2.0, 0.0, 2.0])
    assert act.beta[1] == act.gain[1] == 0.0
    np.testing.assert_array_equal(act.shift[0], linear_tilt(v[0], 2.0, COVARIANCES[name]).shift)


@every_covariance
def test_tilts_add_in_any_order(name):
    """A linear tilt does not depend on where the mean is, so a sequence is a sum."""
    v = random_utilities(4)
    powers = np.array([0.2, 1.0, 3.0, 0.01])
    shift = linear_tilt(v, powers, COVARIANCES[name]).shift
    for order in ([3, 1, 0, 2], [2, 0, 3, 1]):
        np.testing.assert_allclose(shift[order].sum(axis=0), shift.sum(axis=0), rtol=1e-12)


def test_extreme_variances():
    variances = np.array([1e-290, 1.0, 1e290])
    act = linear_tilt(np.array([1.0, 0.0, 0.0]), 0.5, variances)
    np.testing.assert_allclose(act.shift, [1e-145, 0.0, 0.0], rtol=1e-12)
    act = linear_tilt(np.array([1.0, 0.0, 1e10]), 0.5, variances)
    np.testing.assert_allclose(act.shift[2], 1e145, rtol=1e-12)


# --- the replicate axis -----------------------------------------------------------------------


@pytest.mark.parametrize("d", [3, 100])
@pytest.mark.parametrize("form", ["identity", "diagonal", "full"])
@pytest.mark.parametrize("extremes", [False, True])
def test_rows_are_the_same_alone_in_slices_and_in_any_order(d, form, extremes):
    covariance = {"identity": None, "diagonal": np.linspace(0.1, 3, d), "full": full(d)}[form]
    rng = np.random.default_rng(5)
    v, powers = rng.standard_normal((60, d)), rng.exponential(size=60)
    if extremes:
        v[7] *= 1e-300
        v[8] *= 1e300
        v[9] = 0.0
    whole = linear_tilt(v, powers, covariance)
    order = rng.permutation(60)
    cuts = [np.array([k]) for k in range(60)]
    cuts += [np.arange(0, 7), np.arange(7, 60), np.arange(0, 60, 3), order, order[::-1]]
    for rows in cuts:
        part = linear_tilt(v[rows], powers[rows], covariance)
        for one, all_rows in zip(part, whole, strict=True):
            assert np.array_equal(one, all_rows[rows])
    every_third = linear_tilt(v[::3], powers[::3], covariance)  # a view with strides
    assert np.array_equal(every_third.shift, whole.shift[::3])
    alone = linear_tilt(v[3], powers[3], covariance)  # without a replicate axis
    assert np.array_equal(alone.shift, whole.shift[3])


def test_each_row_has_its_own_power():
    v = np.tile(random_utilities(1), (3, 1))
    act = linear_tilt(v, np.array([0.0, 1.0, 4.0]))
    np.testing.assert_array_equal(act.spent, [0.0, 1.0, 4.0])
    np.testing.assert_allclose(act.gain, np.array([0.0, 1.0, 2.0]) * act.gain[1])


# --- products ---------------------------------------------------------------------------------


@every_covariance
def test_times_is_the_matrix_product(name):
    v = random_utilities(6).reshape(2, 3, D)
    np.testing.assert_allclose(times(COVARIANCES[name], v), v @ dense(name), rtol=1e-12, atol=1e-12)


# --- on the way to a target -------------------------------------------------------------------


def test_stride_below_at_and_above_the_limit():
    beta, spent = stride_towards(np.array([8.0, 2.0, 2.0 + 1e-10, 1.0, 0.0]), 1.0)
    np.testing.assert_allclose(beta, [0.5, 1.0, 1.0, 1.0, 1.0], rtol=1e-10)
    assert beta[2] < 1.0 == beta[1]
    np.testing.assert_array_equal(spent, [1.0, 1.0, 1.0, 0.5, 0.0])


def test_a_power_that_just_suffices_leaves_nothing_whatever_the_rounding():
    power = np.random.default_rng(6).exponential(size=1000)
    beta, spent = stride_towards(np.sqrt(2.0 * power) ** 2 * (1.0 + 4e-16), power)
    np.testing.assert_array_equal(beta, 1.0)
    assert np.all(spent <= power)


def test_stride_costs_the_divergence_of_what_it_moves():
    """Moving a unit Gaussian by β of a way of length Δ costs the KL of two Gaussians βΔ apart."""
    for distance, power in ((3.0, 0.5), (3.0, 4.4), (3.0, 4.6), (1e-3, 1e-9)):
        beta, spent = stride_towards(np.array([distance**2]), power)
        moved = beta[0] * distance
        assert spent[0] == pytest.approx(
            general_kl(np.array([moved]), np.eye(1), np.zeros(1), np.eye(1)), rel=1e-9, abs=1e-15
        )
        assert spent[0] <= power
        furthest = optimize.brentq(lambda x, o=power: 0.5 * x * x - o, 0.0, 10.0, xtol=1e-15)
        assert moved == pytest.approx(min(furthest, distance), rel=1e-9)


def test_stride_without_power_stays():
    beta, spent = stride_towards(np.array([2.0, 0.0]), 0.0)
    np.testing.assert_array_equal(beta, [0.0, 1.0])
    np.testing.assert_array_equal(spent, 0.0)


def test_stride_takes_a_power_per_row():
    beta, spent = stride_towards(np.full(3, 8.0), np.array([0.0, 1.0, 4.0]))
    np.testing.assert_allclose(beta, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(spent, [0.0, 1.0, 4.0])
