"""Harm measures by their general definition, against the formulas they give in special worlds."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize

from sumabm.harms import Fragile, Narrow, Orthogonal, Regret, UtilityLoss
from sumabm.worlds.gaussian import GaussianWorld

D = 4
FULL = np.array(
    [[2.0, 0.6, -0.3, 0.0], [0.6, 1.0, 0.2, 0.1], [-0.3, 0.2, 3.0, -1.0], [0.0, 0.1, -1.0, 0.8]]
)
COVARIANCES = {"identity": None, "diagonal": np.array([0.3, 1.0, 2.0, 4.5]), "full": FULL}
HARMS = [Regret(), Orthogonal(), UtilityLoss(), Fragile(exponent=2.0), Narrow(width=0.5)]
every_covariance = pytest.mark.parametrize("name", COVARIANCES)


def seen(base, world):
    """Return the part of a view that a harm may look at."""
    return SimpleNamespace(base=base, world=world)


def setting(name, rows=6):
    """Return a base world, utilities of X and (unit spread) Y, and their alignment."""
    rng = np.random.default_rng(3)
    base = GaussianWorld(rng.standard_normal((rows, D)), COVARIANCES[name])
    v_x, v_y = rng.standard_normal((2, rows, D))
    v_y = v_y / base.spread(v_y)[:, None]
    a, b = base.whiten(v_x), base.whiten(v_y)
    c = np.vecdot(a, b) / np.sqrt(np.vecdot(a, a) * np.vecdot(b, b))
    return base, v_x, v_y, c


@every_covariance
@pytest.mark.parametrize(
    ("harm", "shape"),
    [
        (Regret(), lambda c: 1.0 - c),
        (Orthogonal(), lambda c: np.sqrt(1.0 - c**2)),
        (UtilityLoss(), lambda c: np.maximum(-c, 0.0)),
        (Fragile(exponent=2.5), lambda c: (1.0 - c) ** 2.5),
        (Fragile(exponent=0.5), lambda c: np.sqrt(1.0 - c)),
        (Fragile(exponent=1.0), lambda c: 1.0 - c),
        (Narrow(width=0.2), lambda c: np.sqrt(c**2 + 25.0 * (1.0 - c**2)) - c),
        (Narrow(width=1.0), lambda c: 1.0 - c),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_an_act_undone_in_part_does_the_essays_harm(name, harm, shape):
    base, v_x, v_y, c = setting(name)
    assert c.min() < -0.1
    for o_x, o_y in ((2.0, 1.0), (0.7, 0.0), (1e4, 9.0)):
        world = base.tilt(v_x, o_x).world.toward(base, o_y).world
        amplitude = harm.amplitude(v_y, seen(base, world))
        expected = shape(c) * (np.sqrt(o_x) - np.sqrt(o_y))
        np.testing.assert_allclose(amplitude, expected, rtol=1e-9, atol=1e-12 * np.sqrt(o_x))


@every_covariance
@pytest.mark.parametrize("harm", HARMS, ids=lambda h: h.kind)
def test_what_is_undone_does_no_harm(name, harm):
    base, v_x, v_y, _ = setting(name)
    for o_y in (0.5, 0.51, 100.0):
        world = base.tilt(v_x, 0.5).world.toward(base, o_y).world
        np.testing.assert_array_equal(harm.amplitude(v_y, seen(base, world)), 0.0)
    np.testing.assert_array_equal(harm.amplitude(v_y, seen(base, base)), 0.0)


@pytest.mark.parametrize("harm", HARMS, ids=lambda h: h.kind)
def test_an_aligned_act_does_no_harm(harm):
    base, _, v_y, _ = setting("full")
    amplitude = harm.amplitude(v_y, seen(base, base.tilt(v_y, 3.0).world))
    np.testing.assert_allclose(amplitude, 0.0, atol=1e-7)


def test_regret_is_against_the_best_world_of_equal_displacement():
    """Brute force over all worlds as far from base: what an aligned society would have given."""
    base, _, v_y, _ = setting("full", rows=1)
    world = GaussianWorld(base.mean + np.array([[0.8, -1.0, 0.3, 0.5]]), FULL)
    inverse = np.linalg.inv(FULL)

    def nats(mean):
        return 0.5 * (mean - base.mean[0]) @ inverse @ (mean - base.mean[0])

    found = optimize.minimize(
        lambda mean: -(v_y[0] @ mean),
        base.mean[0] + 0.1,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda mean: nats(world.mean[0]) - nats(mean)},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    expected = (-found.fun - v_y[0] @ world.mean[0]) / np.sqrt(2.0)
    assert Regret().amplitude(v_y, seen(base, world))[0] == pytest.approx(expected, rel=1e-6)


def test_orthogonal_is_the_displacement_off_the_humans_direction():
    """By geometry: remove from the whitened shift what lies along the whitened utility."""
    base, v_x, v_y, _ = setting("full")
    world = base.tilt(v_x, 2.0).world
    root = np.linalg.cholesky(FULL)
    shift = np.linalg.solve(root, (world.mean - base.mean).T).T
    along = v_y @ root
    off = shift - np.vecdot(shift, along)[:, None] * along
    expected = np.linalg.norm(off, axis=1) / np.sqrt(2.0)
    np.testing.assert_allclose(Orthogonal().amplitude(v_y, seen(base, world)), expected, rtol=1e-9)


def test_narrow_counts_nats_from_the_tolerable_distribution():
    """Brute force: ``KL(Q‖T) − KL(base‖T)`` for the T that is w times as wide across u_Y."""
    base, v_x, v_y, _ = setting("full", rows=1)
    world, w = base.tilt(v_x, 2.0).world, 0.3
    along = FULL @ v_y[0]  # of unit length, since u_Y has unit spread
    tolerable = w**2 * FULL + (1.0 - w**2) * np.outer(along, along)
    assert v_y[0] @ tolerable @ v_y[0] == pytest.approx(1.0)

    def nats(mean):
        way = mean[0] - base.mean[0]
        spread = np.trace(np.linalg.solve(tolerable, FULL)) - D
        logs = np.linalg.slogdet(tolerable)[1] - np.linalg.slogdet(FULL)[1]
        return 0.5 * (way @ np.linalg.solve(tolerable, way) + spread + logs)

    displaced = nats(world.mean) - nats(base.mean)
    gain = v_y[0] @ (world.mean - base.mean)[0]
    expected = np.sqrt(displaced) - gain / np.sqrt(2.0)
    assert Narrow(width=w).amplitude(v_y, seen(base, world))[0] == pytest.approx(expected, rel=1e-9)
    assert displaced > 2.0 * world.nats_from(base)[0]


def test_narrow_lies_between_regret_and_orthogonal():
    base, v_x, v_y, _ = setting("full")
    view = seen(base, base.tilt(v_x, 1.0).world)
    regret, orthogonal = (h().amplitude(v_y, view) for h in (Regret, Orthogonal))
    np.testing.assert_allclose(1e-7 * Narrow(width=1e-7).amplitude(v_y, view), orthogonal, 1e-6)
    last = regret
    for width in (0.9, 0.5, 0.1, 1e-3):
        now = Narrow(width=width).amplitude(v_y, view)
        assert np.all(now > last)
        assert np.all(now <= regret / width**2)
        last = now


@pytest.mark.parametrize("harm", HARMS, ids=lambda h: h.kind)
def test_nearly_aligned_acts_keep_their_digits(harm):
    """Amplitudes at a divergence of 1e-10: as good as the gain that they are made of."""
    base = GaussianWorld(np.zeros((1, 2)))
    phi = 1e-10
    v_x = np.array([[1.0 - phi, np.sqrt(phi * (2.0 - phi))]])
    amplitude = harm.amplitude(np.array([[1.0, 0.0]]), seen(base, base.tilt(v_x, 1.0).world))
    shapes = {"regret": phi, "orthogonal": np.sqrt(2.0 * phi), "utility-loss": 0.0}
    expected = (shapes | {"fragile": phi**2, "narrow": 4.0 * phi})[harm.kind]
    np.testing.assert_allclose(amplitude, expected, rtol=1e-5)


def test_utility_loss_is_the_fall_of_the_mean_by_sampling():
    base, v_x, v_y, c = setting("full")
    row = int(np.argmin(c))
    world = base.tilt(v_x, 2.0).world
    normals = np.random.default_rng(4).standard_normal((6, 20_000, D))
    fall = (base.sample(normals) - world.sample(np.flip(normals, axis=1)))[row] @ v_y[row]
    amplitude = UtilityLoss().amplitude(v_y, seen(base, world))[row]
    error = fall.std(ddof=1) / np.sqrt(fall.size)
    assert abs(fall.mean() / np.sqrt(2.0) - amplitude) < 4 * error
    assert abs(fall.mean() / np.sqrt(2.0) - 1.2 * amplitude) > 4 * error


@pytest.mark.parametrize("harm", HARMS, ids=lambda h: h.kind)
def test_amplitudes_scale_with_the_displacement(harm):
    """Twice the displacement is twice the amplitude, four times the nats."""
    base, v_x, v_y, _ = setting("diagonal")
    one, two = (harm.amplitude(v_y, seen(base, base.tilt(v_x, o).world)) for o in (0.5, 2.0))
    np.testing.assert_allclose(two, 2.0 * one, rtol=1e-9, atol=1e-12)


def test_the_triangle_of_measures():
    """Squared: loss and orthogonal parts lie within regret; regret within twice the whole."""
    base, v_x, v_y, c = setting("full")
    view = seen(base, base.tilt(v_x, 1.0).world)
    regret, orthogonal, loss = (h().amplitude(v_y, view) for h in (Regret, Orthogonal, UtilityLoss))
    bad = c < 0.0
    np.testing.assert_allclose((orthogonal**2 + loss**2)[bad], 1.0, rtol=1e-9)
    np.testing.assert_allclose(orthogonal**2, regret * (2.0 - regret), rtol=1e-9)
    assert np.all(regret >= loss)


NUMBERS = st.floats(-1e3, 1e3, allow_subnormal=False)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    arrays(np.float64, (2, 3, D), elements=NUMBERS),
    arrays(np.float64, (3, D), elements=NUMBERS),
    st.sampled_from(sorted(COVARIANCES)),
)
def test_harm_is_never_negative_nor_more_than_the_whole(means, v, name):
    base, world = (GaussianWorld(mean, COVARIANCES[name]) for mean in means)
    spread = base.spread(v)
    v = np.where(spread[:, None] > 0.0, v / np.where(spread > 0.0, spread, 1.0)[:, None], 0.0)
    whole = np.sqrt(world.nats_from(base)) * (1.0 + 1e-9) + 1e-9
    bounds = ((Fragile(exponent=3.0), 8.0), (Fragile(exponent=0.5), 2.0), (Narrow(width=0.1), 10.1))
    for harm, most in ((Regret(), 2.0), (Orthogonal(), 1.0), (UtilityLoss(), 1.0), *bounds):
        amplitude = harm.amplitude(v, seen(base, world))
        assert np.all(amplitude >= 0.0)
        assert np.all(amplitude <= most * whole)
