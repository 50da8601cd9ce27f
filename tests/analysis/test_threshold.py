"""Thresholds: where known means cross, with intervals that cover as they say."""

import numpy as np
import pytest

from sumabm.analysis import find_threshold

NOISE = np.random.default_rng(1).normal(size=200)


@pytest.mark.parametrize("crossing", [0.5001, 3.7, 9.99])
@pytest.mark.parametrize("tolerance", [0.1, 1e-6])
def test_a_known_crossing_is_found_to_the_tolerance(crossing, tolerance):
    found = find_threshold(lambda v: np.full(3, v**3), 0.5, 10.0, crossing**3, tolerance)
    assert abs(found.estimate - crossing) <= tolerance / 2
    assert found.low <= crossing <= found.high
    assert found.high - found.low <= tolerance
    assert found.monotone


def test_a_log_scale_has_a_relative_tolerance():
    found = find_threshold(lambda v: np.full(3, v), 1e-4, 1e4, 0.0321, 0.01, scale="log")
    assert abs(np.log(found.estimate / 0.0321)) <= 0.005
    linear = find_threshold(lambda v: np.full(3, v), 1e-4, 1e4, 0.0321, 10.0)
    assert abs(np.log(linear.estimate / 0.0321)) > 0.005


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("crossing", [11, 12, 57, 999, 1000])
def test_an_integers_threshold_is_the_first_one_that_exceeds(scale, crossing):
    asked = []

    def evaluate(value):
        asked.append(value)
        return np.full(3, float(value >= crossing))

    found = find_threshold(evaluate, 10, 1000, 0.5, 1e-3, scale=scale, integer=True)
    assert found.estimate == found.low == found.high == crossing
    assert all(type(value) is int for value in asked)


def test_an_integers_interval_is_of_integers():
    found = find_threshold(lambda v: v / 10 + NOISE, 0, 100, 3.0, 1.0, integer=True)
    error = NOISE.std(ddof=1) / np.sqrt(NOISE.size)
    assert found.estimate == np.floor((3.0 - NOISE.mean()) * 10) + 1
    assert found.low == np.floor((3.0 - NOISE.mean() - 1.97196 * error) * 10) + 1
    assert found.high == np.floor((3.0 - NOISE.mean() + 1.97196 * error) * 10) + 1


def test_the_interval_is_where_a_t_test_cannot_tell():
    found = find_threshold(lambda v: v + NOISE, -5.0, 5.0, 0.0, 1e-7)
    centre, half = -NOISE.mean(), 1.971957 * NOISE.std(ddof=1) / np.sqrt(NOISE.size)
    np.testing.assert_allclose(
        [found.low, found.estimate, found.high], [centre - half, centre, centre + half], atol=1e-6
    )


def test_every_value_is_evaluated_once_and_told():
    asked = []

    def evaluate(value):
        asked.append(value)
        return np.append(value + NOISE, np.nan)

    found = find_threshold(evaluate, -5.0, 5.0, 0.0, 1e-4)
    assert len(asked) == len(set(asked)) == found.evaluations.sizes["value"]
    assert found.evaluations["value"].values.tolist() == sorted(asked)
    np.testing.assert_allclose(
        found.evaluations["mean"], found.evaluations["value"] + NOISE.mean(), atol=1e-12
    )
    assert (found.evaluations["count"] == NOISE.size).all()
    np.testing.assert_allclose(
        found.evaluations["standard_error"], NOISE.std(ddof=1) / np.sqrt(200), rtol=1e-9
    )


@pytest.mark.no_cover
def test_the_interval_covers_at_its_level_and_a_wrong_error_would_not():
    covered, narrow = 0, 0
    for seed in range(400):
        noise = np.random.default_rng([7, seed]).normal(size=20)
        found = find_threshold(lambda v, e=noise: v + e, -9.0, 9.0, 0.5, 1e-3)
        covered += found.low <= 0.5 <= found.high
        middle, half = found.estimate, (found.high - found.low) / 2
        narrow += abs(middle - 0.5) <= half / 2
    assert abs(covered / 400 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 400)
    assert covered / 400 >= 0.9
    assert narrow / 400 < 0.85  # half the standard error covers 0.68


@pytest.mark.no_cover
def test_the_interval_covers_where_slopes_and_spreads_vary_too():
    covered = 0
    for seed in range(400):
        rng = np.random.default_rng([8, seed])
        rate, noise = rng.exponential(size=50), rng.normal(size=50)
        found = find_threshold(lambda v, r=rate, e=noise: r * v + 0.3 * v * e, 0.0, 10.0, 2.0, 1e-3)
        covered += found.low <= 2.0 <= found.high
    assert covered / 400 >= 0.9


def test_a_strict_threshold_is_found_among_exact_zeros():
    def evaluate(power):
        harm = max(power - 1.0, 0.0) ** 2
        return harm * np.exp(NOISE)

    found = find_threshold(evaluate, 0.1, 8.0, 0.0, 1e-6)
    assert abs(found.estimate - 1.0) <= 1e-6
    assert found.low <= 1.0 <= found.high

    def dusty(power):
        return evaluate(power) + 1e-30

    with pytest.raises(ValueError, match=r"low: the mean exceeds 0.0 at 0.1 already"):
        find_threshold(dusty, 0.1, 8.0, 0.0, 1e-6)
    found = find_threshold(dusty, 0.1, 8.0, 1e-12, 1e-5)
    assert abs(found.estimate - 1.0) <= 1e-5


def test_ends_beyond_the_range_are_put_at_its_ends():
    found = find_threshold(lambda v: v + 100.0 * (NOISE - NOISE.mean()), -1.0, 1.0, 0.0, 1e-3)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert abs(found.estimate) <= 1e-3


def test_several_crossings_are_seen_and_the_first_one_taken():
    found = find_threshold(lambda v: np.full(2, np.sin(v)), 0.1 - np.pi, 2.4 * np.pi, 0.0, 1e-6)
    assert not found.monotone
    assert abs(found.estimate) <= 1e-6


def test_where_there_is_no_crossing_it_says_so():
    with pytest.raises(ValueError, match=r"low: the mean exceeds 0.0 at 1.0 already: it is 1$"):
        find_threshold(lambda v: np.full(2, v), 1.0, 2.0, 0.0, 0.1)
    with pytest.raises(ValueError, match=r"high: the mean does not exceed 3.0 at 2.0: it is 2$"):
        find_threshold(lambda v: np.full(2, v), 1.0, 2.0, 3.0, 0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": 3.0}, "low, high: should be finite and ascending"),
        ({"high": np.inf}, "low, high: should be finite"),
        ({"low": 0.0, "scale": "log"}, "low: should be positive on a log scale, got 0.0"),
        ({"low": 0.5, "integer": True}, "low, high: should be whole numbers"),
        ({"tolerance": 0.0}, "tolerance: should be positive, got 0.0"),
        ({"level": 1.0}, "level: should lie between 0 and 1"),
        ({"tolerance": 1e-30}, "may need 30[0-9] evaluations; max_evaluations is 200"),
        ({"evaluate": lambda v: np.array([v])}, "at least 2 replicates.* shape .1,."),
        ({"evaluate": lambda v: np.array([v, np.nan])}, "with 1 of them not missing"),
    ],
)
def test_impossible_arguments_are_refused(change, message):
    arguments = {"evaluate": lambda v: np.full(2, v), "low": 1.0, "high": 2.0}
    arguments |= {"above": 1.5, "tolerance": 0.1}
    with pytest.raises(ValueError, match=message):
        find_threshold(**(arguments | change))


def test_the_bound_on_evaluations_is_kept():
    asked = []

    def evaluate(value):
        asked.append(value)
        return value + NOISE

    find_threshold(evaluate, -5.0, 5.0, 0.0, 1e-3, max_evaluations=42)
    assert len(asked) <= 42
    with pytest.raises(ValueError, match="may need 42"):
        find_threshold(evaluate, -5.0, 5.0, 0.0, 1e-3, max_evaluations=41)
