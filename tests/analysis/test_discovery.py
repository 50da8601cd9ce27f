"""PRIM: planted boxes are found again, and what a box holds is counted by hand."""

import logging
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binomtest

from sumabm.analysis import Among, Between, discover
from sumabm.analysis.discovery import _prim


def inside(box, columns):
    """Return which points lie in a box, one by one."""
    n = len(next(iter(columns.values())))
    return np.array(
        [
            all(
                columns[name][i] in limit.values
                if isinstance(limit, Among)
                else limit.low <= columns[name][i] <= limit.high
                for name, limit in box.limits.items()
            )
            for i in range(n)
        ]
    )


@pytest.fixture(scope="module")
def planted(battery_data):
    """Points of four parameters, harmful where a > 0.6, k <= 55 and method is bayes or none."""
    rng = np.random.default_rng(1)
    n = 1500
    columns = {
        "a": rng.random(n),
        "b": rng.random(n),
        "k": rng.integers(10, 101, n),
        "method": np.array(["budget", "bayes", "none"])[rng.integers(0, 3, n)],
    }
    wanted = (columns["a"] > 0.6) & (columns["k"] <= 55) & (columns["method"] != "budget")
    y = wanted[:, None] * 2.0 + 0.1 * rng.normal(size=(n, 5))
    levers = ["method"]
    return battery_data({"harm": y}, columns, levers), columns, wanted


def test_a_planted_box_is_found_again(planted):
    names = ["a", "b", "k", "method"]
    box = discover(planted[0], "harm", above=1.0, among=names, density=0.95)[0]
    assert {"a", "k", "method"} <= set(box.limits)
    assert abs(box.limits["a"].low - 0.6) < 0.03
    assert box.limits["a"].high > 0.97
    assert abs(box.limits["k"].high - 55) <= 3
    assert box.limits["k"].low <= 13
    assert box.limits["method"].values == ("bayes", "none")
    assert box.density >= 0.95
    assert box.coverage > 0.9


def test_coverage_density_and_mass_are_counted_by_hand(planted):
    data, columns, wanted = planted
    boxes = discover(data, "harm", above=1.0, density=0.5)
    left = np.ones(wanted.size, dtype=bool)
    for box in boxes:
        these = inside(box, columns) & left
        np.testing.assert_allclose(box.coverage, wanted[these].sum() / wanted.sum())
        np.testing.assert_allclose(box.density, wanted[these].mean())
        np.testing.assert_allclose(box.mass, these.mean())
        left &= ~these


def test_quasi_p_values_are_binomial_tests_without_the_limit(planted):
    data, columns, wanted = planted
    names = ["a", "b", "k", "method"]
    box = discover(data, "harm", above=1.0, among=names, density=0.9)[0]
    these = inside(box, columns)
    held, of_interest = int(these.sum()), int(wanted[these].sum())

    def quasi_p(limits):
        wider = inside(box._replace(limits=limits), columns)
        density = wanted[wider].mean()
        return binomtest(of_interest, held, density, alternative="greater").pvalue

    without = {n: limit for n, limit in box.limits.items() if n != "method"}
    np.testing.assert_allclose(box.limits["method"].quasi_p, quasi_p(without), rtol=1e-9)
    a = box.limits["a"]
    wider = {**box.limits, "a": Between(-np.inf, a.high, a.quasi_p)}
    np.testing.assert_allclose(a.quasi_p[0], quasi_p(wider), rtol=1e-9)
    assert a.quasi_p[0] < 1e-6
    if a.high == columns["a"].max():
        assert np.isnan(a.quasi_p[1])


def test_uncertainties_are_searched_unless_others_are_named(planted):
    data, _, _ = planted
    for box in discover(data, "harm", above=1.0, density=0.4):
        assert set(box.limits) <= {"a", "b", "k"}
    box = discover(data, "harm", above=1.0, among=["method"], density=0.15)[0]
    assert list(box.limits) == ["method"]


def test_two_boxes_are_found_one_after_the_other(battery_data):
    rng = np.random.default_rng(2)
    x, z = rng.random((2, 1000))
    columns = {"x": x, "z": z}
    wanted = (x < 0.4) | ((x > 0.6) & (x < 0.9) & (z > 0.4) & (z < 0.65))
    data = battery_data({"harm": -1.0 * wanted[:, None]}, columns)
    boxes = discover(data, "harm", below=-0.5, density=0.95)
    assert len(boxes) == 2
    assert abs(boxes[0].limits["x"].high - 0.4) < 0.03
    assert abs(boxes[1].limits["x"].low - 0.6) < 0.03
    assert abs(boxes[1].limits["x"].high - 0.9) < 0.03
    assert abs(boxes[1].limits["z"].low - 0.4) < 0.05
    assert abs(boxes[1].limits["z"].high - 0.65) < 0.05
    assert sum(box.coverage for box in boxes) > 0.9


def test_nothing_is_found_in_pure_chance(battery_data):
    rng = np.random.default_rng(3)
    columns = {"x": rng.random(500), "z": rng.random(500)}
    data = battery_data({"harm": (rng.random((500, 1)) < 0.3) * 1.0}, columns)
    assert discover(data, "harm", above=0.5, density=0.9) == []


def test_where_all_of_the_space_is_dense_the_box_has_no_limits(battery_data):
    rng = np.random.default_rng(5)
    columns = {"x": rng.random(300), "same": np.ones(300)}
    wanted = rng.random(300) < 0.9
    (box,) = discover(battery_data({"harm": 1.0 * wanted[:, None]}, columns), "harm", above=0.5)
    assert (box.limits, box.coverage, box.mass) == ({}, 1.0, 1.0)
    assert box.density == wanted.mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"below": 1.0}, "exactly one"),
        ({"above": None}, "exactly one"),
        ({"above": 9.0}, "no point has a mean of 'harm' above 9.0: they go from 0 to 1"),
        ({"above": -1.0}, "every point has a mean of 'harm' above -1.0"),
        ({"among": ["y"]}, "no parameter column 'y'; allowed: same, x"),
        ({"among": ["same"]}, "none of the parameters varies"),
        ({"density": 1.5}, "density: should lie between 0 and 1, got 1.5"),
        ({"peel": 0.0}, "peel: should lie"),
    ],
)
def test_impossible_questions_are_refused(battery_data, change, message):
    x = np.linspace(0.0, 1.0, 20)
    data = battery_data({"harm": x[:, None]}, {"x": x, "same": np.ones(20)})
    with pytest.raises(ValueError, match=message):
        discover(data, "harm", **({"above": 0.5} | change))


def test_without_the_optional_package_it_says_what_to_install(planted, monkeypatch):
    for name in list(sys.modules):
        if name.split(".")[0] == "ema_workbench":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ema_workbench", None)
    with pytest.raises(ImportError, match=r"pip install 'sumabm\[discovery\]'"):
        discover(planted[0], "harm", above=1.0)


def test_it_is_quiet_and_leaves_global_state_alone(planted, capsys, caplog):
    import matplotlib as mpl

    data, _, _ = planted
    _prim()
    look = dict(mpl.rcParams)
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with caplog.at_level(logging.WARNING):
        one = discover(data, "harm", above=1.0)
    assert repr(one) == repr(discover(data, "harm", above=1.0))
    assert capsys.readouterr() == ("", "")
    assert not caplog.records
    assert dict(mpl.rcParams) == look
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


SCRIPT = """
import json, numpy as np, xarray as xr
from sumabm.analysis import discover
rng = np.random.default_rng(4)
method = np.array(list("abcdefgh"))[rng.integers(0, 8, 400)]
y = np.isin(method, ["b", "d", "g"])[:, None] * 1.0
role = {"role": "uncertainty"}
data = xr.Dataset({"harm": (("point", "replicate"), y)}, {"m": ("point", method, role)})
print(discover(data, "harm", above=0.5, mass=0.01, density=0.3))
"""


def test_ties_are_broken_alike_in_every_process():
    told = set()
    for seed in "01":  # two that make EMA itself differ
        env = {"PYTHONHASHSEED": seed, "PATH": ""}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=env
        )
        told.add(done.stdout)
    assert len(told) == 1
    assert "Among" in told.pop()
