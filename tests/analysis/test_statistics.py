"""Statistics over replicates against NumPy, the bootstrap written out, and known distributions."""

import itertools

import numpy as np
import pytest
from scipy.stats import mstats, norm

from sumabm import simulate
from sumabm.analysis import statistics


def test_moments_and_quantiles_are_those_of_the_replicates_there(battery_data):
    rng = np.random.default_rng(1)
    y = rng.exponential(size=(3, 50, 4))
    y[0, 30:, 2] = np.nan
    y[1, 1:, 3] = np.nan
    y[2, :, 0] = np.nan
    made = statistics(battery_data({"harm": y}, {"a": [1.0, 2.0, 3.0]}))
    assert made["quantile"].dims == ("outcome", "point", "step", "probability")
    assert made["units"].values.tolist() == ["nats"]
    np.testing.assert_array_equal(made["a"], [1.0, 2.0, 3.0])
    for point, step in itertools.product(range(3), range(4)):
        there = y[point, ~np.isnan(y[point, :, step]), step]
        got = made.isel(outcome=0, point=point, step=step)
        assert got["count"] == there.size
        if not there.size:
            assert np.isnan([got["mean"], got["standard_error"]]).all()
            assert got["quantile"].isnull().all()
            continue
        np.testing.assert_allclose(got["mean"], there.mean(), rtol=1e-13)
        np.testing.assert_allclose(got["quantile"], np.quantile(there, [0.05, 0.5, 0.95]))
        if there.size > 1:
            expected = there.std(ddof=1) / np.sqrt(there.size)
            np.testing.assert_allclose(got["standard_error"], expected, rtol=1e-12)
        else:
            assert np.isnan(got["standard_error"])


@pytest.mark.parametrize("p", [0.3, 0.5, 0.7])
def test_errors_of_quantiles_are_the_bootstraps_written_out(battery_data, p):
    y = np.array([0.3, 1.1, 2.9, 3.0, 7.5])
    made = statistics(battery_data({"harm": y[None] + 1e6}), [p])
    rank = int(np.floor(p * 5 + 0.5))
    every = np.sort(list(itertools.product(y, repeat=5)), axis=1)[:, rank - 1]  # 5⁵ resamples
    np.testing.assert_allclose(made["quantile_error"].item(), every.std(), rtol=1e-8)


def test_errors_of_quantiles_are_close_to_scipys_for_many_replicates(battery_data):
    y = np.random.default_rng(2).normal(size=(1, 2000))
    made = statistics(battery_data({"harm": y}), [0.1, 0.5, 0.9])
    expected = mstats.mjci(y[0], [0.1, 0.5, 0.9])
    np.testing.assert_allclose(made["quantile_error"].values.ravel(), expected, rtol=0.02)


def test_errors_of_quantiles_are_the_spread_of_quantiles(battery_data):
    y = np.random.default_rng(3).normal(size=(2000, 200))
    made = statistics(battery_data({"harm": y}), [0.1, 0.5])
    spread = made["quantile"].std("point", ddof=1).values.ravel()
    told = made["quantile_error"].mean("point").values.ravel()
    for p, one, other in zip((0.1, 0.5), spread, told, strict=True):
        asymptotic = np.sqrt(p * (1 - p) / 200) / norm.pdf(norm.ppf(p))
        assert abs(one / asymptotic - 1.0) < 4 / np.sqrt(2 * 2000) + 0.02
        assert abs(other / one - 1.0) < 0.08  # the estimate is a few per cent wide
        assert abs(other / one - 1.3) > 0.08  # the comparison would see an error of 30 %


@pytest.mark.parametrize(
    ("n", "missing"),
    [(10, [True, False, True]), (11, [True, False, False]), (29, [True, False, False]), (30, [])],
)
def test_a_quantile_at_the_edge_of_the_sample_has_no_error(battery_data, n, missing):
    made = statistics(battery_data({"harm": np.arange(float(n))[None]}))
    expected = missing or [False, False, False]
    assert np.isnan(made["quantile_error"].values.ravel()).tolist() == expected


def test_equal_replicates_have_no_error(battery_data):
    made = statistics(battery_data({"harm": np.full((1, 40), 0.1)}))
    assert made["standard_error"].item() < 1e-17
    assert (made["quantile_error"] == 0.0).all()


def test_statistics_of_a_run_are_by_step():
    run = simulate("essay", 8, steps=5)
    made = statistics(run, outcomes=["harm", "alignment"])
    assert made["mean"].dims == ("outcome", "step")
    assert made["outcome"].values.tolist() == ["harm", "alignment.X"]
    expected = run["alignment"].sel(agent="X").mean("replicate")
    np.testing.assert_allclose(made["mean"].sel(outcome="alignment.X"), expected, rtol=1e-13)


def test_what_cannot_be_is_refused(battery_data, run_data):
    with pytest.raises(
        ValueError, match=r"quantiles: should lie between 0 and 1, got \[0.5, 1.0\]"
    ):
        statistics(battery_data({"harm": np.ones((1, 3))}), [0.5, 1.0])
    with pytest.raises(ValueError, match="the data have none"):
        statistics(run_data({"harm": np.ones((1, 3))}).drop_vars("harm"))
