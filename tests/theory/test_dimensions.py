"""What some dimensions tell of all: closed forms against sampling and against each other."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.sphere import mean_cosine


def units(rows, d, seed):
    v = np.random.default_rng(seed).standard_normal((rows, d))
    return v / np.linalg.norm(v, axis=1)[:, None]


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


@pytest.mark.parametrize(("d", "k"), [(2, 1), (5, 2), (40, 30)])
def test_mean_length_is_that_of_a_random_unit_vectors_part(d, k):
    lengths = np.linalg.norm(units(40_000, d, 1)[:, :k], axis=1)
    assert z(lengths, float(theory.mean_length(d, k))) < 4
    assert z(lengths, 1.01 * np.sqrt(k / d)) > 4


def test_mean_length_tends_to_the_root_of_the_share():
    assert float(theory.mean_length(1e6, 25e4)) == pytest.approx(0.5, rel=1e-5)
    assert float(theory.mean_length(7, 7)) == 1.0
    with pytest.raises(ValueError, match="k must lie from 1 to d; got 8"):
        theory.mean_length(7, [3, 8])


@pytest.mark.parametrize(("edits", "limit"), [("full", 0.8 * 0.5), ("confined", 0.8 * 0.25)])
def test_a_sandbox_saturates_where_many_dimensions_do(edits, limit):
    assert float(theory.sandbox_alignment(0.25, 0.8, edits)) == pytest.approx(limit)
    exact = theory.sandbox_expected_alignment(4e6, 1e6, 1e9, 0.8, edits)
    assert float(exact) == pytest.approx(limit, rel=1e-5)


def test_edits_are_full_or_confined():
    with pytest.raises(ValueError, match="full, confined; got 'some'"):
        theory.sandbox_alignment(0.5, edits="some")


@pytest.mark.parametrize("ai_only", [False, True])
def test_left_turn_by_sampling(ai_only):
    d, new, c = 30, 20, 0.7
    share = new / (d + new)
    aim = np.concatenate([np.sqrt(1 - share) * np.eye(d)[:1], np.zeros((1, new))], axis=1)
    off = np.concatenate([np.zeros(d - 1), units(20_000, new, 2)[0]])
    assert off.size == d - 1 + new
    human = np.tile(aim, (20_000, 1))
    human[:, d:] = np.sqrt(share) * np.eye(new)[0]
    if ai_only:
        human = np.tile(np.eye(d + new)[0], (20_000, 1))
    ai = np.zeros((20_000, d + new))
    ai[:, 0], ai[:, 1] = np.sqrt(1 - share) * c, np.sqrt(1 - share) * np.sqrt(1 - c**2)
    ai[:, d:] = np.sqrt(share) * units(20_000, new, 3)
    cosine = np.vecdot(ai, human)
    expected = float(theory.left_turn_alignment(c, share, ai_only=ai_only))
    if ai_only:
        np.testing.assert_allclose(cosine, expected)
        return
    assert z(cosine, expected) < 4
    spread = float(theory.left_turn_spread(share, new))
    assert cosine.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * 20_000))
    assert z(cosine, np.sqrt(1 - share) * c) > 4


def test_counting_looks_again_is_the_concentration_times_so_many():
    """A_d((1 + r) κ) at large d, κ = d sqrt(x(1 + x)); without replays it is the true alignment."""
    x = np.array([0.01, 0.5, 4.0])
    np.testing.assert_allclose(theory.replayed_alignment(x, 0), theory.bayesian_alignment(x))
    d, kappa = 1e8, 1e8 * np.sqrt(x * (1 + x))
    np.testing.assert_allclose(
        theory.replayed_alignment(x, 3), mean_cosine(d, 4 * kappa), rtol=1e-6
    )
    assert (theory.replayed_alignment(x, 1) > theory.bayesian_alignment(x)).all()
