"""Random streams: the same replicate draws the same numbers, whatever the company it keeps."""

import numpy as np
import pytest
from numpy.random import Generator, Philox, SeedSequence
from scipy import stats

from sumabm import streams
from sumabm.streams import Draw, Streams, philox_keys


def take(replicates, calls=40, n=3, seed=7, agent="X", purpose="utility", method="normal"):
    """Return the first calls of a stream, ``(calls, R, n)``."""
    draw = Streams(seed, replicates).draw(agent, purpose)
    return np.stack([getattr(draw, method)(n).copy() for _ in range(calls)])


@pytest.mark.parametrize("method", ["normal", "uniform"])
def test_a_replicate_is_the_same_alone_in_a_range_and_in_an_ensemble(method):
    whole = take(range(50), method=method)
    for replicates in (range(17, 18), range(10, 30), range(50), [49, 17, 3], range(0, 50, 7)):
        assert np.array_equal(take(replicates, method=method), whole[:, list(replicates)])
    large = take(range(2**32 - 3, 2**32), method=method)
    assert np.array_equal(take([2**32 - 2], method=method), large[:, 1:2])


@pytest.mark.parametrize("buffer", [1, 10, 1000, 10**9])
def test_reading_ahead_changes_no_value(monkeypatch, buffer):
    whole = take(range(5), calls=60)
    monkeypatch.setattr(streams, "_BUFFER", buffer)
    assert np.array_equal(take(range(5), calls=60), whole)
    assert np.array_equal(take(range(2, 3), calls=60), whole[:, 2:3])


def test_numbers_kept_by_the_caller_stay():
    draw = Streams(1, range(2)).draw("X", "looks")
    kept = [draw.normal(4) for _ in range(50)]
    np.testing.assert_array_equal(np.stack(kept), take(range(2), 50, 4, 1, "X", "looks"))


def test_other_purposes_and_agents_change_nothing():
    alone = take(range(4))
    shared = Streams(7, range(4))
    mine, noise, other = (
        shared.draw("X", "utility"), shared.draw("X", "looks"), shared.draw("Y", "utility")
    )  # fmt: skip
    found = []
    for call in range(40):
        for _ in range(call % 5):
            noise.normal(11)
        other.uniform(2)
        found.append(mine.normal(3))
    np.testing.assert_array_equal(np.stack(found), alone)


def test_asking_again_begins_the_stream_again():
    shared = Streams(7, range(3))
    first = shared.draw("X", "utility").normal(3)
    assert np.array_equal(shared.draw("X", "utility").normal(3), first)


@pytest.mark.parametrize(
    "change",
    [{"agent": "Y"}, {"purpose": "looks"}, {"seed": 8}, {"seed": 7 + 2**32}, {"agent": "x"}],
    ids=str,
)
def test_any_part_of_the_key_makes_another_stream(change):
    mine, other = take(range(200)).ravel(), take(range(200), **change).ravel()
    assert not np.isin(other, mine).any()
    assert abs(np.corrcoef(mine, other)[0, 1]) < 4 / np.sqrt(mine.size)


def test_replicates_are_independent_of_one_another():
    numbers = take(range(300)).reshape(-1, 300, 3)
    assert np.unique(numbers).size == numbers.size
    flat = numbers.transpose(1, 0, 2).reshape(300, -1)
    n = flat.shape[1]
    squares = np.corrcoef(flat)[np.triu_indices(300, 1)] ** 2 * (n - 1)  # mean 1, variance 2
    error = np.sqrt(2.0 / squares.size)
    assert abs(squares.mean() - 1.0) < 4 * error
    assert abs(squares.mean() - 1.1) > 4 * error


def test_names_are_not_run_together():
    seeds = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("c", "ab"), ("bc", "a")]
    numbers = {take([0], 1, 1, agent=a, purpose=p).item() for a, p in seeds}
    assert len(numbers) == len(seeds)


def test_names_of_any_script_are_names():
    assert take([0], 1, 1, agent="α").item() != take([0], 1, 1, agent="β").item()


def test_normals_and_uniforms_have_their_laws():
    normals, uniforms = (take(range(100), 50, 4, method=m) for m in ("normal", "uniform"))
    assert stats.kstest(normals.ravel(), "norm").pvalue > 1e-4
    assert stats.kstest(uniforms.ravel(), "uniform").pvalue > 1e-4
    assert stats.kstest(1.1 * normals.ravel(), "norm").pvalue < 1e-4
    across = normals[0, :, 0]  # over replicates too: each has a generator of its own
    assert stats.kstest(take(range(5000), 1, 1).ravel(), "norm").pvalue > 1e-4
    assert np.unique(across).size == 100
    assert uniforms.min() >= 0.0
    assert uniforms.max() < 1.0


@pytest.mark.parametrize(("method", "n"), [("uniform", 3), ("normal", 4), ("uniform", 4)])
@pytest.mark.parametrize("before", [1, 2, 5])
def test_a_draw_gives_one_sort_of_one_size(method, n, before):
    draw = Streams(7, range(2)).draw("X", "utility")
    for _ in range(before):
        draw.normal(3)
    with pytest.raises(ValueError, match="use one per purpose"):
        getattr(draw, method)(n)


def test_streams_know_which_of_them_were_used():
    shared = Streams(7, range(2))
    draw = shared.draw("X", "utility")
    shared.draw("Y", "utility")
    assert shared.used == set()
    draw.normal(2)
    draw.normal(2)
    assert shared.used == {("X", "utility")}


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**63 - 1, 2**64, 2**128, 2**200 + 17])
@pytest.mark.parametrize("key", [(), (1,), (2**32 - 1, 0, 5, 7, 8, 9, 10, 11)])
def test_keys_of_many_replicates_are_those_of_seed_sequences(seed, key):
    replicates = range(2**32 - 20, 2**32) if seed % 2 else range(20)
    bits = [Philox(SeedSequence(seed, spawn_key=(replicate, *key))) for replicate in replicates]
    expected = np.array([one.state["state"]["key"] for one in bits])
    assert np.array_equal(philox_keys(seed, replicates, key), expected)


def test_a_stream_goes_on_where_its_first_draw_ended():
    draw = Draw(7, range(3, 23), (1, 2))
    drawn = np.stack([draw.normal(5) for _ in range(20)])
    for row, replicate in enumerate(range(3, 23)):
        alone = Generator(Philox(SeedSequence(7, spawn_key=(replicate, 1, 2))))
        assert np.array_equal(drawn[:, row], alone.standard_normal((20, 5)))
