"""Parameters turn uniform numbers into their own distributions, and tables back into values."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from sumabm.battery.parameters import Parameter
from sumabm.battery.parameters.choice import Choice
from sumabm.battery.parameters.ranges import Continuous, Integer
from sumabm.battery.parameters.simplex import Simplex
from sumabm.component import members

N = 20_000
PARAMETERS = [
    Continuous(low=-2.0, high=3.0),
    Continuous(low=0.01, high=100.0, scale="log", baseline=0.3),
    Integer(low=-3, high=8),
    Integer(low=10, high=1000, scale="log", baseline=77),
    Choice(values=["budget", "bayesian"]),
    Choice(values=[True, 2, [0.5, 0.5], {"kind": "bayesian", "share": 0.5}, {"kind": "bayesian"}]),
    Choice(values=[1, 2.5, 10]),
    Choice(values=[10, 20], labels=["few", "many"]),
    Simplex(size=2),
    Simplex(size=4, concentration=0.5),
    Simplex(size=3, concentration=2.0, baseline=[0.2, 0.3, 0.5]),
]


def drawn(parameter, n=N, seed=1):
    return parameter.at(np.random.default_rng(seed).random((n, parameter.coordinates)))


def test_there_are_four_kinds():
    assert list(members(Parameter)) == ["choice", "continuous", "integer", "simplex"]


@pytest.mark.parametrize(
    ("scale", "law", "other"),
    [
        ("linear", stats.uniform(0.5, 7.5), stats.loguniform(0.5, 8.0)),
        ("log", stats.loguniform(0.5, 8.0), stats.uniform(0.5, 7.5)),
    ],
)
def test_continuous_is_uniform_on_its_scale(scale, law, other):
    values = drawn(Continuous(low=0.5, high=8.0, scale=scale))
    assert stats.kstest(values, law.cdf).pvalue > 1e-3
    assert stats.kstest(values, other.cdf).pvalue < 1e-9


def test_integers_are_equally_likely():
    values = drawn(Integer(low=-3, high=8))
    counts = np.bincount(np.array(values) + 3, minlength=12)
    assert stats.chisquare(counts).pvalue > 1e-3
    log = np.bincount(drawn(Integer(low=1, high=12, scale="log")), minlength=13)[1:]
    assert stats.chisquare(log).pvalue < 1e-9


def test_integers_on_a_log_scale_have_equal_logarithms():
    k = np.arange(1, 31)
    counts = np.bincount(drawn(Integer(low=1, high=30, scale="log")), minlength=31)[1:]
    mass = np.log((k + 0.5) / (k - 0.5)) / np.log(30.5 / 0.5)
    assert stats.chisquare(counts, N * mass).pvalue > 1e-3


def test_choices_are_equally_likely_and_one_belongs_to_the_last():
    choice = Choice(values=["a", "b", "c"])
    values = drawn(choice)
    assert stats.chisquare([values.count(value) for value in "abc"]).pvalue > 1e-3
    edges = np.array([[0.0], [1 / 3], [2 / 3], [1.0]])
    assert choice.at(edges) == ["a", "b", "c", "c"]


@pytest.mark.parametrize("concentration", [0.3, 1.0, 5.0])
def test_simplex_is_dirichlet(concentration):
    n, a = 4, concentration
    vectors = np.array(drawn(Simplex(size=n, concentration=a)))
    np.testing.assert_allclose(vectors.sum(axis=1), 1.0, rtol=1e-13)
    law, other = stats.beta(a, (n - 1) * a), stats.beta(2 * a, 2 * (n - 1) * a)
    for entry in vectors.T:
        assert stats.kstest(entry, law.cdf).pvalue > 1e-3
        assert stats.kstest(entry, other.cdf).pvalue < 1e-9  # of twice the concentration
        assert abs(entry.mean() - 1 / n) < 4 * law.std() / math.sqrt(N)
    covariance = np.cov(vectors[:, 0], vectors[:, 3])[0, 1]  # the first entry and the remainder
    products = (vectors[:, 0] - 1 / n) * (vectors[:, 3] - 1 / n)
    expected = -1 / (n**2 * (n * a + 1))
    assert abs(covariance - expected) < 4 * products.std() / math.sqrt(N)


def test_sticks_of_equal_shares_are_no_dirichlet():
    shares = np.random.default_rng(1).random((N, 3))  # the control: uniform shares of the rest
    second = (1.0 - shares[:, 0]) * shares[:, 1]
    assert stats.kstest(second, stats.beta(1.0, 3.0).cdf).pvalue < 1e-9


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        (Continuous(low=0.0, high=1.0), [0.0, 0.25, 0.5, 0.75, 1.0]),
        (Continuous(low=0.3, high=0.7, levels=3), [0.3, 0.5, 0.7]),
        (Continuous(low=0.01, high=100.0, scale="log"), [0.01, 0.1, 1.0, 10.0, 100.0]),
        (Integer(low=0, high=100), [0, 25, 50, 75, 100]),
        (Integer(low=1, high=3), [1, 2, 3]),
        (Integer(low=1, high=10_000, scale="log"), [1, 10, 100, 1000, 10_000]),
        (Integer(low=1, high=4, scale="log"), [1, 2, 3, 4]),  # of 1, √2, 2, 2√2, 4
        (Choice(values=["a", 1, False]), ["a", 1, False]),
        (Simplex(size=2), [[0, 1], [0.25, 0.75], [0.5, 0.5], [0.75, 0.25], [1, 0]]),
    ],
)
def test_grids(parameter, values):
    assert parameter.at(parameter.grid(5)) == values


def test_grids_of_ten_steps_share_their_numbers():
    ten = Continuous(low=0.0, high=1.0)
    assert ten.at(ten.grid(11)) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert np.linspace(0.0, 1.0, 11)[3] != 0.3  # which is why values are rounded


@pytest.mark.parametrize("concentration", [0.5, 1.0, 3.0])
def test_simplex_grid_is_the_lattice(concentration):
    simplex = Simplex(size=4, concentration=concentration)
    vectors = simplex.at(simplex.grid(4))
    assert len(vectors) == math.comb(6, 3) == len({tuple(vector) for vector in vectors})
    thirds = 3.0 * np.array(vectors)
    np.testing.assert_allclose(thirds, np.rint(thirds), atol=1e-12)
    np.testing.assert_allclose(thirds.sum(axis=1), 3.0, atol=1e-12)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_grids_have_no_value_twice_and_lie_in_the_unit_cube(parameter):
    for levels in (2, 3, 7):
        grid = parameter.grid(levels)
        assert grid.shape[1] == parameter.coordinates
        assert grid.min() >= 0.0
        assert grid.max() <= 1.0
        values = list(map(repr, parameter.at(grid)))
        assert len(set(values)) == len(values)


def test_simplex_grids_are_bounded():
    with pytest.raises(ValueError, match="levels: a grid of 6906900 vectors is too large"):
        Simplex(size=20).grid(10)
    with pytest.raises(ValueError, match=r"concentration 500\.0 puts such vectors out of reach"):
        Simplex(size=3, concentration=500.0).grid(5)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Continuous(low=1.0, high=3.0), 2.0),
        (Continuous(low=1.0, high=16.0, scale="log"), 4.0),
        (Continuous(low=1.0, high=16.0, scale="log", baseline=7.1), 7.1),
        (Integer(low=10, high=1000, scale="log"), 100),
        (Integer(low=10, high=1000, scale="log", baseline=999), 999),
        (Choice(values=["first", "second"]), "first"),
        (Simplex(size=4), [0.25] * 4),
        (Simplex(size=3, baseline=[0.5, 0.2, 0.3]), [0.5, 0.2, 0.3]),
        (Simplex(size=3, baseline=[1, 0, 0]), [1.0, 0.0, 0.0]),
    ],
)
def test_the_middle_is_the_baseline(parameter, value):
    middle = parameter.middle()
    assert middle.shape == (parameter.coordinates,)
    assert parameter.at(middle[None]) == [pytest.approx(value) if value != "first" else value]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_values_come_back_from_their_columns(parameter):
    values = drawn(parameter, n=50)
    columns = parameter.columns("p", values)
    assert all(column.shape == (50,) for column in columns.values())
    cells = zip(*(map(str, column.tolist()) for column in columns.values()), strict=True)
    assert [parameter.read(row) for row in cells] == values
    assert [parameter.check(value) for value in values] == [None] * 50
    assert list(parameter.columns("p", [])) == list(columns)


def test_columns_are_numbers_where_values_are():
    kinds = "".join(
        {column.dtype.kind for column in parameter.columns("p", drawn(parameter, 3)).values()}.pop()
        for parameter in PARAMETERS
    )
    assert kinds == "ffiiUUfUfff"
    assert Choice(values=[1, 20]).columns("p", [20, 1])["p"].dtype == np.int64
    assert list(Simplex(size=2).columns("q", [[0.0, 1.0]])) == ["q[0]", "q[1]"]


def test_labels_are_the_shortest_that_differ():
    values = ["budget", {"kind": "bayesian"}, {"kind": "undo", "share": 1}, {"kind": "undo"}, True]
    names = Choice(values=values).names
    assert names == [
        "budget",
        "bayesian",
        '{"kind": "undo", "share": 1}',
        '{"kind": "undo"}',
        "true",
    ]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_values_are_what_a_file_could_hold(parameter):
    allowed = (bool, int, float, str, list, dict)
    assert all(type(value) in allowed for value in drawn(parameter, 20))
    again = type(parameter).model_validate(
        {k: v for k, v in parameter.model_dump().items() if k != "kind"}
    )
    assert again == parameter


@pytest.mark.parametrize(
    ("make", "fields", "key", "rule"),
    [
        (Continuous, {"low": 2.0, "high": 2.0}, "high", "greater than low, 2.0"),
        (Integer, {"low": 2, "high": 1}, "high", "greater than low, 2"),
        (Continuous, {"low": 0.0, "high": 2.0, "scale": "log"}, "low", "greater than 0 on a log"),
        (Integer, {"low": 0, "high": 2, "scale": "log"}, "low", "greater than 0 on a log"),
        (Continuous, {"low": 0.0, "high": 1.0, "baseline": 1.5}, "baseline", "from 0.0 to 1.0"),
        (Integer, {"low": 0, "high": 9, "baseline": 10}, "baseline", "whole number from 0 to 9"),
        (Integer, {"low": 0.5, "high": 9}, "low", "valid integer"),
        (Continuous, {"low": 0.0, "high": float("inf")}, "high", "finite"),
        (
            Continuous,
            {"low": 0.0, "high": 1.0, "levels": 1},
            "levels",
            "greater than or equal to 2",
        ),
        (Choice, {"values": []}, "values", "at least 1"),
        (Choice, {"values": ["a", "b", "a"]}, "values.2", "is there twice"),
        (Choice, {"values": [1, 1.0]}, "values.1", "is there twice"),
        (Choice, {"values": [1, 2], "labels": ["a"]}, "labels", "as many as there are values, 2"),
        (Choice, {"values": [1, 2], "labels": ["a", "a"]}, "labels", "is there twice"),
        (Simplex, {"size": 1}, "size", "greater than or equal to 2"),
        (Simplex, {"size": 2, "baseline": [0.5, 0.6]}, "baseline", "with the sum 1"),
        (Simplex, {"size": 2, "baseline": [-0.5, 1.5]}, "baseline", "none negative"),
        (Simplex, {"size": 2, "concentration": 0.0}, "concentration", "greater than or equal to"),
        (
            Simplex,
            {"size": 2, "concentration": 1e4, "baseline": [0.9, 0.1]},
            "baseline",
            "out of reach",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, fields, key, rule):
    with pytest.raises(ValidationError, match=rule) as caught:
        make(**fields)
    assert ".".join(map(str, caught.value.errors()[0]["loc"])).startswith(key)


def test_what_looks_alike_is_told_apart():
    assert Choice(values=[True, 1, "1", "a"]).names == ["true", "1", '"1"', "a"]


@pytest.mark.parametrize(
    ("parameter", "cells", "rule"),
    [
        (Continuous(low=0.0, high=1.0), ["1.5"], "from 0.0 to 1.0"),
        (Continuous(low=0.0, high=1.0), ["nan"], "from 0.0 to 1.0"),
        (Continuous(low=0.0, high=1.0), [""], "should be a number"),
        (Integer(low=0, high=5), ["2.5"], "whole number from 0 to 5"),
        (Integer(low=0, high=5), ["inf"], "whole number from 0 to 5"),
        (Integer(low=0, high=5), ["6"], "whole number from 0 to 5"),
        (Choice(values=["budget", "bayesian"]), ["bayesain"], "did you mean 'bayesian'"),
        (Choice(values=[1, 2]), ["3"], "allowed: 1, 2"),
        (Choice(values=[1, 2]), ["one"], "should be a number"),
        (Simplex(size=2), ["0.5", "0.4"], "with the sum 1"),
    ],
)
def test_cells_that_do_not_fit_are_refused(parameter, cells, rule):
    with pytest.raises(ValueError, match=rule):
        parameter.read(cells)


def test_cells_of_numbers_may_be_written_in_many_ways():
    assert Integer(low=0, high=5).read(["3.0"]) == 3
    assert Continuous(low=0.0, high=5000.0).read([" 1e3"]) == 1000.0
    assert Choice(values=[0.5, 1]).read(["0.50"]) == 0.5


def test_check_of_a_choice():
    choice = Choice(values=[True, {"kind": "x"}])
    assert choice.check({"kind": "x"}) is None
    assert choice.check(1) == "should be one of true, x"
