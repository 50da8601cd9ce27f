"""Sobol' and Morris against functions whose measures are known, with and without noise."""

import warnings

import numpy as np
import pytest
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample
from scipy.stats import norm

from sumabm.analysis import morris, sobol


def unit_problem(names, groups=None):
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    return problem | ({"groups": groups} if groups else {})


@pytest.fixture
def saltelli(battery_data):
    def make(function, names, n, second=False, noise=0.0, replicates=1, groups=None, seed=5):
        """Return a Saltelli battery of a function of ``(n, k)``, with independent noise."""
        problem = unit_problem(names, groups)
        unit = sobol_sample.sample(problem, n, calc_second_order=second, seed=seed)
        y = function(unit)[:, None]
        y = y + noise * np.random.default_rng(seed).normal(size=(len(y), replicates))
        columns = dict(zip(names, unit.T, strict=True))
        design = {"kind": "saltelli", "points": n, "second_order": second}
        return battery_data({"harm": y}, columns, design=design, unit=columns, paired=False)

    return make


@pytest.fixture
def morris_battery(battery_data):
    def make(function, names, trajectories, groups=None, noise=0.0, replicates=1):
        problem = unit_problem(names, groups)
        unit = morris_sample.sample(problem, trajectories, num_levels=4, seed=3)
        y = function(unit)[:, None]
        y = y + noise * np.random.default_rng(4).normal(size=(len(y), replicates))
        columns = dict(zip(names, unit.T, strict=True))
        design = {"kind": "morris", "trajectories": trajectories, "levels": 4}
        return battery_data({"harm": y}, columns, design=design, unit=columns)

    return make


def ishigami(unit):
    x = np.pi * (2.0 * unit - 1.0)
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


FIRST = [0.31390519, 0.44241114, 0.0]  # a = 7, b = 0.1 [ishigami-homma-1990]
TOTAL = [0.55758886, 0.44241114, 0.24368366]


def test_indices_of_the_ishigami_function(saltelli):
    made = sobol(saltelli(ishigami, ["a", "b", "c"], 4096, second=True), "harm")
    np.testing.assert_allclose(made["first_order"], FIRST, atol=0.02)
    np.testing.assert_allclose(made["total_order"], TOTAL, atol=0.02)
    second = made["second_order"].values
    assert np.isnan(second.diagonal()).all()
    np.testing.assert_array_equal(second, second.T)
    np.testing.assert_allclose(second[np.triu_indices(3, 1)], [0.0, TOTAL[2], 0.0], atol=0.03)
    assert (np.abs(made["first_order"] - FIRST) < 2 * made["first_order_margin"] + 1e-3).all()
    assert (made["total_order_margin"] > 0.0).all()
    assert np.isnan(made["noise"])
    assert made["role"].values.tolist() == ["uncertainty"] * 3
    assert made.attrs["points"] == 4096 * 8


@pytest.mark.no_cover
def test_intervals_of_sobol_indices_cover_at_their_level(saltelli):
    inside = {0.95: 0, 0.5: 0}
    for seed in range(200):
        # Random points in place of Sobol' ones: there the bootstrap's promise holds.
        rng = np.random.default_rng(seed)
        a, b = rng.random((2, 512, 2))
        rows = [a, np.column_stack([b[:, 0], a[:, 1]]), np.column_stack([a[:, 0], b[:, 1]]), b]
        unit = np.stack(rows, axis=1).reshape(-1, 2)
        y = 2.0 * unit[:, 0] + unit[:, 1]
        data = saltelli(lambda u: u[:, 0], ["a", "b"], 512).assign(
            harm=(("point", "replicate"), y[:, None])
        )
        for level in inside:
            made = sobol(data, "harm", level).isel(parameter=1)
            inside[level] += abs(made["total_order"] - 0.2).item() < made["total_order_margin"]
    for level, count in inside.items():
        assert abs(count / 200 - level) < 4 * np.sqrt(level * (1 - level) / 200) + 0.01


def test_analysis_is_the_same_every_time_and_leaves_global_randomness_alone(saltelli):
    data = saltelli(ishigami, ["a", "b", "c"], 64)
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = sobol(data, "harm"), sobol(data, "harm")
    assert one.identical(other)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_noise_is_its_share_of_the_variance_over_points(saltelli):
    def function(unit):
        return np.sqrt(12.0) * unit[:, 0]  # variance 1

    names, n, replicates, sigma = ["a", "b"], 1024, 5, 2.0
    data = saltelli(function, names, n, noise=sigma, replicates=replicates)
    made = sobol(data, "harm")
    added = sigma**2 / replicates
    expected = added / (1.0 + added)
    points = 4 * n
    relative = np.sqrt(2.0 / (points * (replicates - 1)) + 2.0 / points)
    assert abs(made["noise"] - expected) < 4 * expected * relative
    assert abs(made["noise"] - sigma**2 / (1.0 + sigma**2)) > 20 * expected * relative  # not s²
    # As the docstring says, of indices under independent noise.
    error = made["first_order_margin"].values / 1.96
    assert (np.abs(made["first_order"] - np.array([1.0, 0.0]) * (1 - expected)) < 4 * error).all()
    totals = np.array([1.0, 0.0]) * (1 - expected) + expected
    error = made["total_order_margin"].values / 1.96
    assert (np.abs(made["total_order"] - totals) < 4 * error).all()


def test_without_noise_none_is_reported(saltelli):
    made = sobol(saltelli(ishigami, ["a", "b", "c"], 64, replicates=3), "harm")
    assert 0.0 <= made["noise"] < 1e-30


def test_common_noise_cancels_from_indices_and_noise_is_only_a_bound(battery_data, saltelli):
    data = saltelli(ishigami, ["a", "b", "c"], 4096)
    shared = 3.0 * np.random.default_rng(1).normal(size=6)
    paired = data.isel(replicate=[0] * 6).assign_coords(replicate=range(6))
    paired["harm"] = paired["harm"] + shared
    made = sobol(paired, "harm")
    np.testing.assert_allclose(made["first_order"], FIRST, atol=0.02)
    assert made["noise"] > 0.05


def test_a_parameter_of_several_coordinates_is_one_group(saltelli):
    names = ["w[0]", "w[1]", "x"]
    weights = np.array([1.0, 2.0, 3.0])
    made = sobol(saltelli(lambda u: u @ weights, names, 1024, groups=["w", "w", "x"]), "harm")
    assert made["parameter"].values.tolist() == ["w", "x"]
    np.testing.assert_allclose(made["first_order"], [5 / 14, 9 / 14], atol=0.02)
    assert "second_order" not in made


def test_a_constant_outcome_has_no_indices_and_warns_of_nothing(saltelli):
    data = saltelli(lambda u: np.full(len(u), 0.1), ["a", "b"], 8, second=True, replicates=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = sobol(data, "harm")
    for name in ("first_order", "total_order_margin", "second_order", "noise"):
        assert made[name].isnull().all()
    assert made.attrs["note"].startswith("harm is the same at every point")
    assert "note" not in sobol(saltelli(ishigami, ["a", "b", "c"], 8), "harm").attrs


def test_end_values_are_analysed_and_agents_named(saltelli, battery_data):
    data = saltelli(lambda u: u[:, 0], ["a", "b"], 64)
    steps = data["harm"].values[..., None] * np.array([0.0, 1.0])
    long = data.drop_vars("harm").assign(harm=(("point", "replicate", "step"), steps))
    assert sobol(long, "harm").equals(sobol(data, "harm"))


def test_other_designs_and_parts_of_designs_are_refused(saltelli, battery_data, run_data):
    data = saltelli(ishigami, ["a", "b", "c"], 8)
    with pytest.raises(ValueError, match=r"design: should be of kind 'morris'.* got 'saltelli'"):
        morris(data, "harm")
    with pytest.raises(ValueError, match="got 'grid'"):
        sobol(battery_data({"harm": np.ones((3, 1))}), "harm")
    with pytest.raises(ValueError, match="attribute 'battery' is missing"):
        sobol(run_data({"harm": np.ones((3, 1))}), "harm")
    with pytest.raises(ValueError, match=r"has 40 points \(8 times 5\), the data have 39"):
        sobol(data.isel(point=range(39)), "harm")
    data["complete"][3] = False
    with pytest.raises(ValueError, match="1 of 40 points are incomplete: run 'sumabm resume'"):
        sobol(data, "harm")
    with pytest.raises(ValueError, match="no variable 'welfare'"):
        sobol(data.assign_coords(complete=("point", np.ones(40, dtype=bool))), "welfare")


def test_morris_of_a_linear_function_is_exact(morris_battery):
    slopes = np.array([1.0, -2.0, 0.0])
    made = morris(morris_battery(lambda u: u @ slopes, ["a", "b", "c"], 6), "harm")
    np.testing.assert_allclose(made["mu"], slopes, atol=1e-12)
    np.testing.assert_allclose(made["mu_star"], np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(made["sigma"], 0.0, atol=1e-12)
    np.testing.assert_allclose(made["mu_star_margin"], 0.0, atol=1e-12)


def test_morris_against_elementary_effects_written_out(morris_battery):
    def function(unit):
        return unit[:, 0] * unit[:, 1] + unit[:, 2] ** 2

    data = morris_battery(function, ["a", "b", "c"], 20)
    x, y = data["unit"].values.reshape(20, 4, 3), data["harm"].values.reshape(20, 4)
    effects = np.empty((20, 3))
    for trajectory, step in np.ndindex(20, 3):
        moved = x[trajectory, step + 1] - x[trajectory, step]
        j = int(np.flatnonzero(np.abs(moved) > 1e-9)[0])
        effects[trajectory, j] = (y[trajectory, step + 1] - y[trajectory, step]) / moved[j]
    made = morris(data, "harm")
    np.testing.assert_allclose(made["mu"], effects.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(made["mu_star"], np.abs(effects).mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(made["sigma"], effects.std(axis=0, ddof=1), rtol=1e-10)
    margin = norm.ppf(0.975) * np.abs(effects).std(axis=0) / np.sqrt(20)
    np.testing.assert_allclose(made["mu_star_margin"], margin, rtol=4 / np.sqrt(2 * 500))


def test_noise_adds_to_morris_sigma_as_the_docstring_says(morris_battery):
    data = morris_battery(lambda u: u[:, 0], ["a", "b"], 2000, noise=1.0, replicates=4)
    expected = 2.0 * 1.0 / 4 / (2 / 3) ** 2
    made = morris(data, "harm")
    np.testing.assert_allclose(made["sigma"] ** 2, expected, rtol=4 * np.sqrt(2 / 2000))
    assert 0.0 < made["noise"] < 1.0


def test_morris_moves_a_group_at_once(morris_battery):
    names = ["w[0]", "w[1]", "x"]
    data = morris_battery(lambda u: 3.0 * u[:, 2], names, 10, groups=["w", "w", "x"])
    made = morris(data, "harm")
    assert made["parameter"].values.tolist() == ["w", "x"]
    np.testing.assert_allclose(made["mu_star"], [0.0, 3.0], atol=1e-12)
    assert np.isnan(made["mu"]).values.tolist() == [True, False]
    assert np.isnan(made["sigma"]).values.tolist() == [True, False]


def test_morris_of_a_constant_is_zero(morris_battery):
    made = morris(morris_battery(lambda u: np.full(len(u), 0.1), ["a", "b"], 4), "harm")
    assert (made["mu_star"] == 0.0).all()
    assert (made["sigma"] == 0.0).all()
    assert np.isnan(made["noise"])


def test_one_trajectory_is_refused(morris_battery):
    data = morris_battery(lambda u: u[:, 0], ["a", "b"], 2).isel(point=range(3))
    with pytest.raises(ValueError, match="has 6 points"):
        morris(data, "harm")
    text = data.attrs["battery"].replace('"trajectories": 2', '"trajectories": 1')
    with pytest.raises(ValueError, match="at least 2 are needed"):
        morris(data.assign_attrs(battery=text), "harm")
