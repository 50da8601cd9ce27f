"""Comparisons: pairs by hand, and what pairing gains where it is known."""

import numpy as np
import pytest

from sumabm import simulate
from sumabm.analysis import compare


def bivariate(n, correlation, rng):
    x = rng.normal(size=n)
    return x, correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=n)


def test_runs_pair_by_replicate_number(run_data):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(10, 3)), rng.normal(size=(12, 5))
    a, b = run_data({"harm": x}, first=2), run_data({"harm": y}, first=4)
    made = compare(a, b).squeeze()
    first, second = x[2:, -1], y[:8, -1]  # replicates 4 to 11
    assert made["pairs"] == 8
    difference = second - first
    np.testing.assert_allclose(made["difference"], difference.mean(), rtol=1e-12)
    np.testing.assert_allclose(made["standard_error"], difference.std(ddof=1) / np.sqrt(8))
    np.testing.assert_allclose(made["correlation"], np.corrcoef(first, second)[0, 1])
    expected = (first.var(ddof=1) + second.var(ddof=1)) / difference.var(ddof=1)
    np.testing.assert_allclose(made["variance_ratio"], expected)
    assert made.attrs == {"replicates_left_out_a": 2, "replicates_left_out_b": 4}


def test_pairs_with_a_missing_value_are_left_out(run_data):
    x, y = np.arange(6.0)[:, None] ** 2, np.arange(6.0)[:, None] ** 3
    x[1], y[4] = np.nan, np.nan
    made = compare(run_data({"harm": x}), run_data({"harm": y})).squeeze()
    there = [0, 2, 3, 5]
    assert made["pairs"] == 4
    np.testing.assert_allclose(made["difference"], (y - x)[there].mean())


@pytest.mark.parametrize("correlation", [0.0, 0.9, -0.5])
def test_the_variance_ratio_is_what_pairing_gains(run_data, correlation):
    n = 4000
    x, y = bivariate(n, correlation, np.random.default_rng(2))
    made = compare(run_data({"harm": x[:, None]}), run_data({"harm": y[:, None]})).squeeze()
    ratio = 1 / (1 - correlation)
    assert abs(made["correlation"] - correlation) < 4 * (1 - correlation**2) / np.sqrt(n)
    assert abs(made["variance_ratio"] / ratio - 1) < 4 * 2 / np.sqrt(n)
    assert abs(made["variance_ratio"] / (1.5 * ratio) - 1) > 4 * 2 / np.sqrt(n)
    # Its meaning: so many times the variance of a difference of unpaired means.
    unpaired = (x.var(ddof=1) + y.var(ddof=1)) / n
    np.testing.assert_allclose(unpaired / made["standard_error"] ** 2, made["variance_ratio"])


def test_extremes_of_the_variance_ratio(run_data):
    x = np.random.default_rng(3).normal(size=(20, 1))
    shifted = compare(run_data({"harm": x}), run_data({"harm": x + 1.0})).squeeze()
    np.testing.assert_allclose(shifted["difference"], 1.0)
    assert shifted["variance_ratio"] == np.inf
    np.testing.assert_allclose(shifted["correlation"], 1.0)
    constant = np.full((20, 1), 0.1)
    nothing = compare(run_data({"harm": constant}), run_data({"harm": 3 * constant})).squeeze()
    np.testing.assert_allclose(nothing["difference"], 0.2)
    assert nothing["standard_error"] == 0.0
    assert np.isnan(nothing["correlation"])
    assert np.isnan(nothing["variance_ratio"])
    one = compare(run_data({"harm": x[:1]}), run_data({"harm": x[:1] + 1.0})).squeeze()
    assert one["pairs"] == 1
    assert np.isnan(one["standard_error"])
    assert np.isnan(one["variance_ratio"])


def test_simulated_runs_share_their_randomness():
    a = simulate("essay", 200, steps=20)
    b = simulate("essay", 200, steps=20, overrides={"agents.X.power": 2.0})
    made = compare(a, b, ["alignment.X", "cumulative_harm"])
    assert made["outcome"].values.tolist() == ["alignment.X", "cumulative_harm"]
    assert made["units"].values.tolist() == ["", "nats"]
    x = a["alignment"].sel(agent="X").isel(step=-1).values
    y = b["alignment"].sel(agent="X").isel(step=-1).values
    np.testing.assert_allclose(made["correlation"][0], np.corrcoef(x, y)[0, 1], rtol=1e-9)
    assert compare(a, a)["difference"].isin([0.0]).all()


def test_batteries_pair_by_the_parameters_they_share(battery_data):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(4, 6)), rng.normal(size=(5, 7))
    a = battery_data({"harm": x}, {"d": [1, 2, 3, 4], "q": list("uvuv")})
    b = battery_data({"harm": y}, {"extra": range(5), "q": list("vuvuv"), "d": [4, 3, 2, 9, 1]})
    made = compare(a, b)
    assert made["point"].values.tolist() == [1, 2, 3]
    assert made["d"].values.tolist() == [2, 3, 4]
    expected = [(y[j, :6] - x[i]).mean() for i, j in [(1, 2), (2, 1), (3, 0)]]
    np.testing.assert_allclose(made["difference"].sel(outcome="harm"), expected, rtol=1e-12)
    assert made.attrs["points_left_out_a"] == 1
    assert made.attrs["points_left_out_b"] == 2
    assert made.attrs["replicates_left_out_b"] == 1


def test_points_of_other_seeds_are_left_out(battery_data):
    x = np.random.default_rng(5).normal(size=(3, 4))
    a = battery_data({"harm": x}, {"d": [1, 2, 3]}, seeds=["5", "6", "7"])
    b = battery_data({"harm": x + 1}, {"d": [1, 2, 3]}, seeds=["5", "66", "7"])
    made = compare(a, b)
    assert made["d"].values.tolist() == [1, 3]
    assert made.attrs["points_left_out_a"] == 1
    other = battery_data({"harm": x}, {"d": [1, 2, 3]}, seeds=["1", "2", "3"])
    with pytest.raises(ValueError, match="seeds are equal; of 3 with the same parameters none"):
        compare(a, other)


def test_a_battery_has_its_steps_end_compared(battery_data):
    x = np.random.default_rng(6).normal(size=(2, 4, 3))
    y = x.copy()
    y[:, :, 2] += 1.0
    y[1, 0, 1:] = np.nan
    made = compare(
        battery_data({"harm": x}, {"d": [1, 2]}), battery_data({"harm": y}, {"d": [1, 2]})
    )
    expected = [1.0, np.mean([x[1, 0, 1 - 1] - x[1, 0, 2], 1.0, 1.0, 1.0])]
    np.testing.assert_allclose(made["difference"].sel(outcome="harm"), expected)


def test_what_does_not_pair_is_refused(run_data, battery_data):
    y = np.ones((3, 2))
    run, battery = run_data({"harm": y}), battery_data({"harm": y}, {"d": [1, 2, 3]})
    for a, b, message in [
        (run, battery, "one of these is a run, the other a battery"),
        (run, run_data({"harm": y}, seed="8"), "these are 7 and 8"),
        (run, run_data({"harm": y}, first=3), "no replicate numbers in common"),
        (run, run_data({"welfare": y}), "no outcome in common"),
        (battery, battery_data({"harm": y}, {"d": [4, 5, 6]}), "shared ones: d"),
        (battery, battery_data({"harm": y}, {"e": [4, 5, 6]}), r"\(none\) do not tell .* of a"),
        (battery, battery_data({"harm": y}, {"d": [1, 1, 2]}), r"\(d\) do not tell .* of b apart"),
    ]:
        with pytest.raises(ValueError, match=message):
            compare(a, b)
    with pytest.raises(ValueError, match="no variable 'lost'"):
        compare(run, run, ["lost"])
    with pytest.raises(ValueError, match="no variable 'harm'"):
        compare(run, run_data({"welfare": y}), ["harm"])
