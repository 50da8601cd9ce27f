"""A belief in blocks of dimensions, by hand: lengths, what is told, turns and their price."""

from itertools import permutations

import numpy as np
import pytest

from sumabm import sphere
from sumabm.aligners.blocks import Blocks
from sumabm.turns import Rotation

D = 12
SEEN = np.random.default_rng(5).normal(size=(2, D))
AMPLITUDE = np.array([1.5, 0.3])


def unknown(*edges):
    """Return the belief of two replicates before anything is told, in blocks."""
    belief = Blocks.whole(D, np.zeros((2, D)), looked=False)
    for edge in edges:
        belief = belief.split(edge)
    return belief


def learnt():
    """Return a belief in three blocks of which two were told of."""
    return unknown(3, 7).told(SEEN, AMPLITUDE, 4, 7)


@pytest.mark.parametrize("order", list(permutations((3, 5, 9))))
def test_lengths_are_as_expected_however_blocks_come_about(order):
    belief = unknown(*order, 5)
    assert belief.edges == (0, 3, 5, 9, 12)
    for length, size in zip(belief.lengths, (3, 2, 4, 3), strict=True):
        np.testing.assert_allclose(length, np.sqrt(size / D), rtol=1e-14)
    assert belief.looked == (False,) * 4


def test_what_is_told_goes_by_the_length_of_each_block_in_the_part_seen():
    belief = learnt()
    expected = 4 * AMPLITUDE[:, None] * SEEN
    expected[:, :3] *= np.sqrt(3 / 7)
    expected[:, 3:7] *= np.sqrt(4 / 7)
    expected[:, 7:] = 0.0
    np.testing.assert_allclose(belief.eta, expected, rtol=1e-13)
    assert belief.looked == (True, True, False)
    kappas = [np.linalg.norm(belief.eta[:, part], axis=1) for part in (slice(3), slice(3, 7))]
    nats = sphere.nats(3, kappa=kappas[0]) + sphere.nats(4, kappa=kappas[1])
    np.testing.assert_allclose(belief.belief(SEEN).information, nats, rtol=1e-12)
    # seen whole, a block's share is its length itself: the aim has length 1
    whole = unknown(3).told(SEEN, AMPLITUDE, 4, D).eta
    np.testing.assert_allclose(whole[:, :3], 2 * AMPLITUDE[:, None] * SEEN[:, :3], rtol=1e-13)


def test_a_turn_by_nothing_changes_nothing():
    belief, axes = learnt(), np.eye(D)
    still = belief.turned(Rotation(axes[[0, 0]], axes[[8, 8]], np.zeros(2)))
    np.testing.assert_allclose(still.eta, belief.eta, rtol=1e-12)
    np.testing.assert_allclose(still.lengths, belief.lengths, rtol=1e-12)


def test_in_one_block_an_edit_costs_what_it_does_of_one_law():
    """``κ A_d(κ)(1 − cos δ)``, up to the goal or until the power is spent."""
    eta, goal = SEEN * np.array([[3.0], [0.1]]), np.eye(D)[[2, 2]]
    belief = Blocks.whole(D, eta, looked=True)
    kappa = np.linalg.norm(eta, axis=1)
    cosine = np.vecdot(eta, goal) / kappa
    price = kappa * sphere.mean_cosine(D, kappa)
    free = belief.edit(goal, 1e9, confined=False)
    np.testing.assert_allclose(np.cos(free.turn.angle), cosine, rtol=1e-12)
    np.testing.assert_allclose(free.spent, price * (1.0 - cosine), rtol=1e-12)
    bound = belief.edit(goal, 0.5 * free.spent, confined=False)
    np.testing.assert_allclose(bound.spent, 0.5 * free.spent, rtol=1e-9)
    np.testing.assert_allclose(price * (1 - np.cos(bound.turn.angle)), bound.spent, rtol=1e-9)


def test_confined_edits_stay_where_it_was_seen():
    goal = SEEN[::-1] / np.linalg.norm(SEEN[::-1], axis=1)[:, None]
    edit = learnt().edit(goal, 1e9, confined=True)
    assert (edit.turn.first[:, 7:] == 0.0).all()
    assert (edit.turn.second[:, 7:] == 0.0).all()
    part = np.where(np.arange(D) < 7, goal, 0.0)
    part /= np.linalg.norm(part, axis=1)[:, None]
    np.testing.assert_allclose(edit.turn.turn(edit.turn.first), part, atol=1e-12)
