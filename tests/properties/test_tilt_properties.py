"""Properties of the one verb in a Gaussian world, for any utility, power and covariance."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sumabm.worlds.gaussian import GaussianWorld

settings.register_profile("tilt", max_examples=60, deadline=None, derandomize=True)
profile = settings.get_profile("tilt")

ROWS = 3
DIMENSIONS = st.integers(1, 6)
COEFFICIENTS = st.floats(-10.0, 10.0, allow_subnormal=False).map(
    lambda x: x if abs(x) > 1e-6 else 0.0
)
POWERS = arrays(np.float64, ROWS, elements=st.floats(1e-9, 1e6))


@st.composite
def covariances(draw, d):
    """Return None, variances, or a full covariance of condition number 1e4 at most."""
    form = draw(st.sampled_from(["identity", "diagonal", "full"]))
    if form == "identity":
        return None
    variances = draw(arrays(np.float64, d, elements=st.floats(0.01, 100.0)))
    if form == "diagonal":
        return variances
    seed = draw(st.integers(0, 2**32 - 1))
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))
    matrix = (turn * variances) @ turn.T
    return 0.5 * (matrix + matrix.T)


@st.composite
def settings_of_a_world(draw, utilities=1):
    """Return a world, its dense covariance and so many utilities, each ``(ROWS, d)``."""
    d = draw(DIMENSIONS)
    matrix = draw(covariances(d))
    world = GaussianWorld(draw(arrays(np.float64, (ROWS, d), elements=COEFFICIENTS)), matrix)
    dense = np.eye(d) if matrix is None else np.diag(matrix) if matrix.ndim == 1 else matrix
    some = [
        draw(arrays(np.float64, (ROWS, d), elements=COEFFICIENTS, fill=st.nothing()))
        for _ in range(utilities)
    ]
    return (world, dense, *some)


def kl(after, before, dense):
    """Return the KL divergence of Gaussians of one covariance, by solving with it."""
    way = after.mean - before.mean
    return 0.5 * np.einsum("rd,rd->r", way, np.linalg.solve(dense, way.T).T)


@profile
@given(settings_of_a_world(), POWERS)
def test_power_is_respected_and_used_up(given_world, power):
    world, dense, v = given_world
    tilt = world.tilt(v, power)
    constant = ~v.any(axis=1)
    np.testing.assert_array_equal(tilt.spent, np.where(constant, 0.0, power))
    assert np.all(tilt.spent <= power)
    # a shift much smaller than the mean is rounded when they are added: measure it from the origin
    origin = GaussianWorld(np.zeros_like(world.mean), world.covariance)
    spent = kl(origin.tilt(v, power).world, origin, dense)
    np.testing.assert_allclose(spent, np.where(constant, 0.0, power), rtol=1e-10)
    if world.covariance.matrix is None:
        np.testing.assert_allclose(spent, np.where(constant, 0.0, power), rtol=1e-12)


@profile
@given(settings_of_a_world(), POWERS, st.floats(-270.0, 270.0))
def test_a_positive_factor_changes_nothing(given_world, power, exponent):
    world, _, v = given_world
    one, other = world.tilt(v, power), world.tilt(v * 10.0**exponent, power)
    scale = np.abs(one.world.mean).max() + np.abs(one.world.mean - world.mean).max()
    np.testing.assert_allclose(other.world.mean, one.world.mean, rtol=1e-11, atol=1e-13 * scale)
    np.testing.assert_array_equal(other.spent, one.spent)


@profile
@given(settings_of_a_world())
def test_no_power_is_the_identity(given_world):
    world, _, v = given_world
    tilt = world.tilt(v, 0.0)
    np.testing.assert_array_equal(tilt.world.mean, world.mean)
    np.testing.assert_array_equal(tilt.spent, 0.0)


@profile
@given(settings_of_a_world(utilities=2), POWERS)
def test_no_competitor_of_equal_cost_does_better(given_world, power):
    """Any other utility's tilt spends as much and gains less: the optimum is an optimum."""
    world, _, v, w = given_world
    assume(v.any(axis=1).all())
    mine, other = world.tilt(v, power), world.tilt(w, power)
    rise = other.world.expect(v) - world.expect(v)
    slack = 1e-12 * (np.abs(other.world.mean).max() + 1.0) * np.abs(v).max() * v.shape[1]
    assert np.all(rise <= mine.gain * (1.0 + 1e-12) + slack)


@profile
@given(settings_of_a_world(utilities=3), POWERS)
def test_tilts_add_in_any_order(given_world, power):
    world, _, *utilities = given_world
    forwards = backwards = world
    for v in utilities:
        forwards = forwards.tilt(v, power).world
    for v in reversed(utilities):
        backwards = backwards.tilt(v, power).world
    together = world.tilt_together([(v, power) for v in utilities])[0].world
    shifts = [np.abs(world.tilt(v, power).world.mean).max() for v in utilities]
    close = {"rtol": 1e-12, "atol": 1e-13 * (1.0 + sum(shifts))}
    np.testing.assert_allclose(backwards.mean, forwards.mean, **close)
    np.testing.assert_allclose(together.mean, forwards.mean, **close)


@profile
@given(settings_of_a_world(utilities=2), POWERS)
def test_toward_never_passes_its_target(given_world, power):
    world, dense, v, w = given_world
    target = GaussianWorld(world.mean + v, world.covariance)
    tilt = world.toward(target, power)
    assert np.all((tilt.beta >= 0.0) & (tilt.beta <= 1.0))
    assert np.all(tilt.spent <= power)
    whole = kl(target, world, dense)
    left = np.sqrt(kl(tilt.world, target, dense))
    expected = np.maximum(np.sqrt(whole) - np.sqrt(power), 0.0)
    size = np.sqrt(whole) + np.sqrt(kl(world, GaussianWorld(0 * w, None), dense)) + 1e-9
    assert np.all(np.abs(left - expected) <= 1e-10 * size)
    assert np.all(tilt.gain >= tilt.spent * (1.0 - 1e-12))
    np.testing.assert_array_equal(tilt.world.mean[tilt.beta == 1.0], target.mean[tilt.beta == 1.0])
