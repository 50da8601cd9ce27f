"""What humans do after: the residual comes out of the mechanics, replicate by replicate."""

from types import SimpleNamespace

import numpy as np
import pytest

from sumabm.responses import NoResponse, OwnUtility, Undo, UndoHarm
from sumabm.worlds.gaussian import GaussianWorld

D = 4
FULL = np.array(
    [[2.0, 0.6, -0.3, 0.0], [0.6, 1.0, 0.2, 0.1], [-0.3, 0.2, 3.0, -1.0], [0.0, 0.1, -1.0, 0.8]]
)
COVARIANCES = {"identity": None, "diagonal": np.array([0.3, 1.0, 2.0, 4.5]), "full": FULL}
every_covariance = pytest.mark.parametrize("name", COVARIANCES)
ROWS = 8


def setting(name, o_x=2.0):
    """Return the world before, the world an AI left, and a human's utility."""
    rng = np.random.default_rng(5)
    before = GaussianWorld(rng.standard_normal((ROWS, D)), COVARIANCES[name])
    v_x, v_y = rng.standard_normal((2, ROWS, D))
    return before, before.tilt(v_x, o_x).world, v_y


def seen(before, world, power, utility=None, base=None):
    """Return the part of a view that a response may look at."""
    return SimpleNamespace(
        base=before if base is None else base,
        before=before,
        world=world,
        power={"Y": np.broadcast_to(np.float64(power), (ROWS,))},
        utility={"Y": utility},
    )


def length(world, reference):
    """Return the Mahalanobis length of the shift over sqrt(2), by solving with the covariance."""
    matrix = world.covariance.matrix
    dense = np.eye(D) if matrix is None else np.diag(matrix) if matrix.ndim == 1 else matrix
    way = world.mean - reference.mean
    return np.sqrt(0.5 * np.vecdot(way, np.linalg.solve(dense, way.T).T))


@every_covariance
@pytest.mark.parametrize("o_y", [0.0, 0.3, 1.9, 2.0, 2.5, 1e6])
def test_undo_leaves_the_residual_amplitude(name, o_y):
    before, world, _ = setting(name)
    tilt = Undo().respond("Y", seen(before, world, o_y))
    left = max(np.sqrt(2.0) - np.sqrt(o_y), 0.0)
    np.testing.assert_allclose(length(tilt.world, before), left, atol=1e-9)
    np.testing.assert_allclose(tilt.spent, min(o_y, 2.0), rtol=1e-9)
    if o_y >= 2.0:
        np.testing.assert_array_equal(tilt.world.nats_from(before), 0.0)


@every_covariance
@pytest.mark.parametrize(
    "powers", [[0.1, 0.2], [0.01, 0.3, 0.04], [0.5, 0.25], [1.0, 1.0, 1.0], [0.02] * 7]
)
def test_humans_in_turn_subtract_their_amplitudes(name, powers):
    before, world, _ = setting(name)
    spent = np.zeros(ROWS)
    for power in powers:
        tilt = Undo().respond("Y", seen(before, world, power))
        world, spent = tilt.world, spent + tilt.spent
    left = max(np.sqrt(2.0) - np.sqrt(powers).sum(), 0.0)
    np.testing.assert_allclose(length(world, before), left, atol=1e-9)
    assert np.all(spent <= sum(powers) * (1.0 + 1e-12))


def test_undo_goes_back_to_where_the_step_began_not_to_base():
    before, world, _ = setting("full")
    base = GaussianWorld(np.zeros((ROWS, D)), FULL)
    tilt = Undo().respond("Y", seen(before, world, 100.0, base=base))
    np.testing.assert_array_equal(tilt.world.mean, before.mean)


@every_covariance
def test_undo_harm_leaves_helpful_acts_alone(name):
    before, world, v_y = setting(name)
    fell = np.vecdot(world.mean - before.mean, v_y) < 0.0
    assert 0 < fell.sum() < ROWS
    tilt = UndoHarm().respond("Y", seen(before, world, 0.5, v_y))
    undone = Undo().respond("Y", seen(before, world, 0.5))
    assert np.array_equal(tilt.world.mean[fell], undone.world.mean[fell])
    assert np.array_equal(tilt.spent, np.where(fell, undone.spent, 0.0))
    np.testing.assert_allclose(tilt.world.mean[~fell], world.mean[~fell], rtol=1e-12)
    np.testing.assert_allclose(length(tilt.world, before)[~fell], np.sqrt(2.0), rtol=1e-9)


def test_undo_harm_never_leaves_its_human_worse_off_than_doing_nothing():
    before, world, v_y = setting("full")
    for power in (0.1, 1.0, 10.0):
        after = UndoHarm().respond("Y", seen(before, world, power, v_y)).world
        assert np.all(after.expect(v_y) >= world.expect(v_y) - 1e-12)
        assert np.all(after.expect(v_y) >= np.minimum(before.expect(v_y), world.expect(v_y)) - 1e-9)
    np.testing.assert_array_less(before.expect(v_y) - 1e-9, after.expect(v_y))


@every_covariance
def test_own_utility_adds_its_own_tilt(name):
    """Its gain is that of its power from any world, and the AIs' displacement stays as it was."""
    before, world, v_y = setting(name)
    tilt = OwnUtility().respond("Y", seen(before, world, 0.7, v_y))
    spread = world.spread(v_y)
    np.testing.assert_allclose(tilt.world.expect(v_y) - world.expect(v_y), np.sqrt(1.4) * spread)
    from_before = before.tilt(v_y, 0.7).world
    np.testing.assert_allclose(
        tilt.world.mean - from_before.mean, world.mean - before.mean, rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(length(tilt.world, world), np.sqrt(0.7), rtol=1e-9)
    np.testing.assert_array_equal(tilt.spent, 0.7)


def test_own_utility_is_the_best_of_the_responses_for_its_own_utility():
    before, world, v_y = setting("diagonal")
    view = seen(before, world, 0.7, v_y)
    own = OwnUtility().respond("Y", view).world.expect(v_y)
    for other in (Undo(), UndoHarm()):
        assert np.all(other.respond("Y", view).world.expect(v_y) <= own)


def test_no_response_is_none_at_all():
    assert NoResponse().respond("Y", seen(*setting("full")[:2], 1.0)) is None


@pytest.mark.parametrize("response", [Undo(), UndoHarm(), OwnUtility()], ids=lambda r: r.kind)
def test_each_replicate_has_its_own_power(response):
    before, world, v_y = setting("full")
    view = seen(before, world, 0.0, v_y)
    view.power["Y"] = np.linspace(0.0, 3.0, ROWS)
    whole = response.respond("Y", view)
    assert np.all(whole.spent <= view.power["Y"])
    for row in range(ROWS):
        one = [GaussianWorld(w.mean[row : row + 1], FULL) for w in (before, world)]
        alone = seen(*one, 0.0, v_y[row : row + 1])
        alone.power["Y"] = view.power["Y"][row : row + 1]
        assert np.array_equal(response.respond("Y", alone).world.mean[0], whole.world.mean[row])
