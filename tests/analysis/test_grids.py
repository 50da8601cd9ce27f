"""A full factorial as an array: every value where its parameters say."""

import itertools

import numpy as np
import pytest

from sumabm.analysis import to_grid


def factorial(battery_data, order=None):
    rows = list(itertools.product([10, 20, 30], [0.5, 0.25], ["late", "early"]))
    rows = [rows[i] for i in (order if order is not None else range(12))]
    a, b, c = zip(*rows, strict=True)
    y = np.array([[x + 1000 * z + (w == "early") + r / 10 for r in (0, 1)] for x, z, w in rows])
    parameters = {"d": np.array(a), "p.q": np.array(b), "when": np.array(c)}
    return battery_data(
        {"harm": y}, parameters, ["when"], unit={"d": y[:, 0]}, agents={"X": y, "Y": y}
    )


@pytest.mark.parametrize("shuffled", [False, True])
def test_every_value_is_where_its_parameters_say(battery_data, shuffled):
    order = np.random.default_rng(1).permutation(12) if shuffled else np.arange(12)
    grid = to_grid(factorial(battery_data, order))
    assert dict(grid.sizes) == {"d": 3, "p.q": 2, "when": 2, "replicate": 2, "agent": 2}
    assert grid["d"].values.tolist() == [10, 20, 30]
    assert grid["p.q"].values.tolist() == [0.25, 0.5]
    assert grid["when"].attrs == {"role": "lever"}
    for d, p, when, r in itertools.product([10, 20, 30], [0.25, 0.5], ["late", "early"], [0, 1]):
        got = grid.sel({"d": d, "p.q": p, "when": when, "replicate": r})
        assert got["harm"].item() == d + 1000 * p + (when == "early") + r / 10
        assert got["alignment"].values.tolist() == [got["harm"].item()] * 2
    assert grid["complete"].dims == ("d", "p.q", "when")
    assert grid["complete"].dtype == bool
    assert "unit" not in grid


def test_a_parameter_of_several_columns_is_one_dimension(battery_data):
    weights = [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)]
    rows = list(itertools.product(weights, [1.0, 2.0]))
    columns = {"w[0]": [w[0] for w, _ in rows], "w[1]": [w[1] for w, _ in rows]}
    columns["x"] = [x for _, x in rows]
    y = np.array([[w[0] + 10 * x] for w, x in rows])
    grid = to_grid(battery_data({"harm": y}, columns))
    assert dict(grid.sizes) == {"w": 3, "x": 2, "replicate": 1}
    assert grid["w[1]"].values.tolist() == [1.0, 0.5, 0.0]
    expected = grid["w[0]"] + 10 * grid["x"]
    np.testing.assert_array_equal(grid["harm"].isel(replicate=0), expected)


def test_what_is_no_full_grid_is_told(battery_data):
    data = factorial(battery_data)
    with pytest.raises(
        ValueError, match=r"1 of 12 combinations are missing: \(d=20, p.q=0.5, when=late\)$"
    ):
        to_grid(data.isel(point=[i for i in range(12) if i != 4]))
    with pytest.raises(ValueError, match=r"1 of 12 combinations are there more than once: \(d=10"):
        to_grid(data.isel(point=[*range(12), 0]))
    with pytest.raises(ValueError, match="parameters as coordinates"):
        to_grid(data.drop_vars(["d", "p.q", "when"]))


def test_a_random_design_is_refused_without_counting_its_grid(battery_data):
    columns = {f"p{i}": np.random.default_rng(i).random(50) for i in range(8)}
    with pytest.raises(ValueError, match=f"{50**8 - 50} of {50**8} combinations are missing"):
        to_grid(battery_data({"harm": np.ones((50, 1))}, columns))
