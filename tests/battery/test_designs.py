"""Designs lay points out as they say, the same for the same seed, whatever NumPy's own state."""

import itertools
import math
from typing import Annotated

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy.stats import qmc

from sumabm.battery.designs import Design, Points, problem
from sumabm.battery.designs.factorial import Factorial
from sumabm.battery.designs.grid import Grid
from sumabm.battery.designs.listed import Listed
from sumabm.battery.designs.morris import Morris
from sumabm.battery.designs.one_at_a_time import OneAtATime
from sumabm.battery.designs.saltelli import Saltelli
from sumabm.battery.designs.samples import LatinHypercube, Random, Sobol
from sumabm.battery.parameters.choice import Choice
from sumabm.battery.parameters.ranges import Continuous, Integer
from sumabm.battery.parameters.simplex import Simplex
from sumabm.component import Slot, members

XI = Continuous(low=1.0, high=16.0, scale="log")
D = Integer(low=10, high=1000, scale="log")
METHOD = Choice(values=["budget", {"kind": "bayesian"}])
PRIOR = Simplex(size=3)
ALL = {"xi": XI, "world.dimensions": D, "method": METHOD, "prior": PRIOR}
UNIT = {"x": Continuous(low=0.0, high=1.0), "y": Continuous(low=0.0, high=1.0)}
DESIGNS = [
    Grid(levels=3),
    Random(points=20),
    LatinHypercube(points=20),
    Sobol(points=16),
    Saltelli(points=8),
    Saltelli(points=4, second_order=True),
    Morris(trajectories=5),
    OneAtATime(),
    Factorial(
        parts=[
            {"parameters": ["method", "xi"], "design": "grid"},
            {
                "parameters": ["prior", "world.dimensions"],
                "design": {"kind": "latin-hypercube", "points": 6},
            },
        ]
    ),
]
stochastic = pytest.mark.parametrize("design", [d for d in DESIGNS if d.stochastic])


def cube(points):
    return np.concatenate(list(points.unit.values()), axis=1)


def rows(points):
    return list(zip(*points.values.values(), strict=True))


def test_there_are_nine_kinds():
    kinds = "factorial grid latin-hypercube listed morris one-at-a-time random saltelli sobol"
    assert list(members(Design)) == kinds.split()


@pytest.mark.parametrize("design", DESIGNS)
def test_points_are_whole_and_repeatable(design):
    points = design.lay_out(ALL, 7)
    assert list(points.values) == list(ALL)
    assert {len(values) for values in points.values.values()} == {len(points)}
    for name, parameter in ALL.items():
        unit = points.unit[name]
        assert unit.shape == (len(points), parameter.coordinates)
        assert unit.min() >= 0.0
        assert unit.max() <= 1.0
        assert parameter.at(unit) == points.values[name]
        assert [parameter.check(value) for value in points.values[name]] == [None] * len(points)
    np.random.seed(5)  # noqa: NPY002  the state that must not matter
    before = str(np.random.get_state())  # noqa: NPY002
    assert design.lay_out(ALL, 7).values == points.values
    assert str(np.random.get_state()) == before  # noqa: NPY002


@pytest.mark.parametrize("design", DESIGNS)
def test_designs_come_back_from_their_tables(design):
    room = TypeAdapter(Annotated[Design, Slot(Design)])
    assert room.validate_python(design.model_dump()) == design


@stochastic
def test_seeds_matter(design):
    points, other = design.lay_out(ALL, 7), design.lay_out(ALL, 8)
    assert len(points) == len(other)
    assert not np.array_equal(cube(points), cube(other))
    assert len(design.lay_out(ALL, 2**80)) == len(points)


def test_nothing_else_draws():
    assert [type(d).kind for d in DESIGNS if not d.stochastic] == [
        "grid",
        "one-at-a-time",
        "factorial",
    ]
    for design in (Grid(), OneAtATime()):
        assert design.lay_out(ALL, 1).values == design.lay_out(ALL, 2).values


def test_grid_is_the_product_and_the_first_varies_slowest():
    parameters = {"m": METHOD, "n": Integer(low=1, high=2), "x": UNIT["x"]}
    points = Grid(levels=3).lay_out(parameters, 0)
    expected = itertools.product(METHOD.values, [1, 2], [0.0, 0.5, 1.0])
    assert rows(points) == list(expected)


def test_a_parameter_may_have_levels_of_its_own():
    parameters = {"x": UNIT["x"], "y": Continuous(low=0.0, high=1.0, levels=7)}
    assert len(Grid(levels=3).lay_out(parameters, 0)) == 21
    assert len(OneAtATime(levels=3).lay_out(parameters, 0)) == 1 + 2 + 6


def test_a_grid_of_nothing_is_the_base():
    points = Grid().lay_out({}, 0)
    assert (points.values, len(points)) == ({}, 1)


@pytest.mark.parametrize("design", [d for d in DESIGNS if d.kind not in ("grid", "factorial")])
def test_other_designs_need_parameters(design):
    with pytest.raises(ValueError, match="needs at least one parameter"):
        design.lay_out({}, 0)


def test_latin_hypercubes_are_even_in_every_coordinate():
    n = 50
    points = cube(LatinHypercube(points=n).lay_out(ALL, 3))
    for axis in points.T:
        assert sorted(np.floor(axis * n).astype(int)) == list(range(n))
    random = cube(Random(points=n).lay_out(ALL, 3))
    assert all(len(set(np.floor(axis * n).astype(int))) < n for axis in random.T)


def test_sobol_sequences_are_more_even_than_random_points():
    for seed in range(5):
        sobol, random = (
            qmc.discrepancy(cube(design.lay_out(ALL, seed)))
            for design in (Sobol(points=256), Random(points=256))
        )
        assert sobol < random / 5


def test_random_points_are_uniform_and_independent():
    n = 20_000
    points = cube(Random(points=n).lay_out(UNIT, 1))
    assert np.all(np.abs(points.mean(axis=0) - 0.5) < 4 / math.sqrt(12 * n))
    assert abs(np.corrcoef(points.T)[0, 1]) < 4 / math.sqrt(n)


@pytest.mark.parametrize("kind", [Random, Sobol, Saltelli])
def test_more_points_begin_with_the_same(kind):
    few, many = (kind(points=n).lay_out(ALL, 3) for n in (8, 16))
    assert rows(many)[: len(few)] == rows(few)


@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("parameters", [{"xi": XI, "d": D, "method": METHOD}, ALL])
def test_saltelli_crosses_two_samples(parameters, second_order):
    n, k = 16, len(parameters)
    points = Saltelli(points=n, second_order=second_order).lay_out(parameters, 2)
    size = (2 if second_order else 1) * k + 2
    assert len(points) == n * size
    blocks = {name: unit.reshape(n, size, -1) for name, unit in points.unit.items()}
    for j, own in enumerate(parameters):
        for name, block in blocks.items():
            a, b = block[:, 0], block[:, -1]
            assert np.array_equal(block[:, 1 + j], b if name == own else a)
            assert not np.any(a == b)
            if second_order:
                assert np.array_equal(block[:, 1 + k + j], a if name == own else b)


def test_saltelli_needs_two_parameters_where_coordinates_go_together():
    with pytest.raises(ValueError, match="needs a second parameter"):
        Saltelli(points=8).lay_out({"prior": PRIOR}, 0)
    assert len(Saltelli(points=8).lay_out({"xi": XI}, 0)) == 8 * 3


@pytest.mark.parametrize("parameters", [{"xi": XI, "d": D}, ALL, {"prior": PRIOR}])
@pytest.mark.parametrize("levels", [2, 4, 10])
def test_morris_changes_one_parameter_at_a_time(parameters, levels):
    k, trajectories = len(parameters), 12
    points = Morris(trajectories=trajectories, levels=levels).lay_out(parameters, 2)
    assert len(points) == trajectories * (k + 1)
    step = levels / (2 * (levels - 1))
    moved = []
    for name in parameters:
        unit = points.unit[name].reshape(trajectories, k + 1, -1)
        assert set(unit.ravel()) <= set(np.arange(levels) / (levels - 1))
        change = np.diff(unit, axis=1)
        moves = np.any(change != 0.0, axis=2)
        np.testing.assert_allclose(np.abs(change[moves]), step, rtol=1e-12)
        moved.append(moves)
    counts = np.sum(moved, axis=0)
    assert np.array_equal(counts, np.ones_like(counts))  # one at every step
    assert np.array_equal(np.sum(moved, axis=2), np.ones((k, trajectories)))  # each once


def test_one_at_a_time_begins_with_the_baseline():
    parameters = {"x": Continuous(low=0.0, high=4.0, baseline=1.0), "m": METHOD, "n": D}
    points = OneAtATime(levels=3).lay_out(parameters, 0)
    bayesian = METHOD.values[1]
    assert rows(points) == [
        (1.0, "budget", 100),
        (0.0, "budget", 100),
        (2.0, "budget", 100),
        (4.0, "budget", 100),
        (1.0, bayesian, 100),
        (1.0, "budget", 10),
        (1.0, "budget", 1000),
    ]


def test_one_at_a_time_moves_all_entries_of_a_simplex():
    points = OneAtATime(levels=4).lay_out({"prior": PRIOR, **UNIT}, 0)
    assert len(points) == 1 + 9 + 4 + 4  # the lattice's 10 vectors but the middle one
    assert points.values["prior"][0] == pytest.approx([1 / 3] * 3)
    assert all(vector == points.values["prior"][0] for vector in points.values["prior"][10:])


def test_factorial_is_the_cross_product():
    pair = Factorial(
        parts=[
            {"parameters": ["y"], "design": {"kind": "random", "points": 3}},
            {"parameters": ["m", "x"], "design": {"kind": "grid", "levels": 2}},
        ]
    )
    points = pair.lay_out({**UNIT, "m": METHOD}, 4)
    assert len(points) == 3 * 4
    assert points.values["x"] == [0.0, 1.0] * 6
    assert points.values["m"] == [METHOD.values[i] for i in (0, 0, 1, 1)] * 3
    y = points.values["y"]
    assert y == [y[0]] * 4 + [y[4]] * 4 + [y[8]] * 4
    assert len({y[0], y[4], y[8]}) == 3


def test_parts_of_a_factorial_draw_numbers_of_their_own():
    random = {"kind": "random", "points": 10}
    points = Factorial(
        parts=[{"parameters": ["x"], "design": random}, {"parameters": ["y"], "design": random}]
    ).lay_out(UNIT, 4)
    assert not set(points.values["x"]) & set(points.values["y"])


@pytest.mark.parametrize(
    ("shares", "rule"),
    [
        ([["x"]], "parts: no part has 'y'"),
        ([["x", "y"], ["y"]], "parts.1.parameters: 'y' is in part 0 too"),
        ([["x", "x", "y"]], "parts.0.parameters: 'x' is in part 0 too"),
        ([["x"], ["yy"]], "parts.1.parameters: 'yy': unknown parameter; .* did you mean 'y'?"),
    ],
)
def test_parts_share_out_the_parameters(shares, rule):
    parts = [{"parameters": names, "design": "grid"} for names in shares]
    with pytest.raises(ValueError, match=rule):
        Factorial(parts=parts).lay_out(UNIT, 0)


def test_parts_say_where_their_problems_are():
    parts = [{"parameters": ["x"], "design": "grid"}]
    parts.append({"parameters": ["prior"], "design": {"kind": "saltelli", "points": 8}})
    with pytest.raises(ValueError, match=r"^parts\.1\.design: needs a second parameter"):
        Factorial(parts=parts).lay_out({"x": UNIT["x"], "prior": PRIOR}, 0)


def test_designs_are_bounded_before_they_are_built():
    many = {f"p{i}": UNIT["x"] for i in range(40)}
    parts = [{"parameters": [name], "design": Grid(levels=1_000_000)} for name in UNIT]
    for design, parameters, rule in [
        (Grid(levels=10), many, f"levels: makes {10**40} points; allowed: at most 1000000"),
        (Saltelli(points=2**15), many, "points: makes 1376256 points"),
        (Morris(trajectories=10**5), many, "trajectories: makes 4100000 points"),
        (OneAtATime(levels=10**6), UNIT, "levels: makes 2000001 points"),
        (Factorial(parts=parts), UNIT, f"parts: makes {10**12} points"),
    ]:
        with pytest.raises(ValueError, match=rule):
            design.lay_out(parameters, 0)


@pytest.mark.parametrize(
    ("make", "fields", "key", "rule"),
    [
        (Sobol, {"points": 100}, "points", "power of two, for a balanced sequence: 64 or 128"),
        (Saltelli, {"points": 3}, "points", "power of two, for a balanced sequence: 2 or 4"),
        (Sobol, {"points": 2**20}, "points", "less than or equal to 1000000"),
        (Random, {"points": 0}, "points", "greater than or equal to 1"),
        (Random, {"points": 1.5}, "points", "valid integer"),
        (Morris, {"trajectories": 4, "levels": 5}, "levels", "should be even"),
        (Grid, {"levels": 1}, "levels", "greater than or equal to 2"),
        (Factorial, {"parts": []}, "parts", "at least 1"),
        (Factorial, {"parts": [{"parameters": [], "design": "grid"}]}, "parts", "at least 1"),
        (
            Factorial,
            {"parts": [{"parameters": ["x"], "design": "girds"}]},
            "parts",
            "did you mean 'grid'",
        ),
        (Listed, {"file": "missing.csv"}, "file", "there is no such file"),
        (Listed, {"file": "points.npy"}, "file", "no such file"),
    ],
)
def test_fields_that_do_not_fit_are_refused(make, fields, key, rule):
    with pytest.raises(ValidationError, match=rule) as caught:
        make(**fields)
    assert caught.value.errors()[0]["loc"][0] == key


def test_the_problem_of_salib_has_groups_where_coordinates_go_together():
    assert problem({"xi": XI, "method": METHOD}) == {
        "num_vars": 2,
        "names": ["xi", "method"],
        "bounds": [[0, 1], [0, 1]],
    }
    assert problem(ALL) == {
        "num_vars": 5,
        "names": ["xi", "world.dimensions", "method", "prior[0]", "prior[1]"],
        "bounds": [[0, 1]] * 5,
        "groups": ["xi", "world.dimensions", "method", "prior", "prior"],
    }


def listed(tmp_path, text):
    file = tmp_path / "points.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return Listed(file=str(file))


def test_points_come_back_from_a_csv_file(tmp_path):
    points = LatinHypercube(points=30).lay_out(ALL, 1)
    columns = {}
    for name, parameter in ALL.items():
        columns |= parameter.columns(name, points.values[name])
    cells = zip(*(map(str, column) for column in columns.values()), strict=True)
    lines = [",".join(columns), *map(",".join, cells)]
    again = listed(tmp_path, "\n".join(lines) + "\n").lay_out(ALL, 0)
    assert again == Points(points.values, {})
    turned = [",".join(reversed(line.split(","))) for line in lines]
    again = listed(tmp_path, "\ufeff" + "\r\n".join(turned) + "\r\n\r\n").lay_out(ALL, 0)
    assert again.values == points.values


def test_listed_points_may_be_part_of_a_factorial(tmp_path):
    file = listed(tmp_path, "x\n0.5\n0.25\n").file
    points = Factorial(
        parts=[
            {"parameters": ["y"], "design": {"kind": "grid", "levels": 2}},
            {"parameters": ["x"], "design": {"kind": "listed", "file": file}},
        ]
    ).lay_out(UNIT, 0)
    assert points.values == {"x": [0.5, 0.25] * 2, "y": [0.0, 0.0, 1.0, 1.0]}
    assert list(points.unit) == ["y"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("x\n0.5\n", ["has no column 'y'"]),
        (
            "x,yy\n0.5,0.5\n",
            ["has no column 'y'", "column 'yy': unknown column; allowed: x, y; did you mean 'y'?"],
        ),
        ("x,y,x\n1,1,1\n", ["column 'x' is there twice"]),
        ("x,y\n", ["should have from 1 to 1000000 rows of points"]),
        ("", ["should have from 1 to 1000000 rows of points"]),
        ("x,y\n1\n1,1,1\n", [f"row {r}: has {c} cells under 2 names" for r, c in ((2, 1), (3, 3))]),
        (
            "x,y\n2,1\n\n1,\nnan,one\n",
            [
                "row 2, column x: should be a number from 0.0 to 1.0 (got '2')",
                "row 4, column y: should be a number (got '')",
                "row 5, column x: should be a number from 0.0 to 1.0 (got 'nan')",
                "row 5, column y: should be a number (got 'one')",
            ],
        ),
        (b"x,y\n1,\xff\n", ["cannot be read as a table: 'utf-8' codec"]),
        ('x,y\n1,"1\n', ["cannot be read as a table: unexpected end of data"]),
        ("x,y\n1," + "1" * 200_000, ["cannot be read as a table: field larger"]),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, text, rules):
    design = listed(tmp_path, text)
    with pytest.raises(ValueError, match=r"points\.csv") as caught:
        design.lay_out(UNIT, 0)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(rules)
    for line, rule in zip(lines, rules, strict=True):
        assert line.startswith(f"{design.file}: {rule}")


def test_many_problems_are_counted(tmp_path):
    with pytest.raises(ValueError, match="and 30 problems more") as caught:
        listed(tmp_path, "x,y\n" + "2,0\n" * 50).lay_out(UNIT, 0)
    assert len(str(caught.value).splitlines()) == 21


def test_problems_of_a_vector_name_all_its_columns(tmp_path):
    table = "prior[0],prior[1],prior[2]\n0.5,0.5,0.5\n"
    with pytest.raises(
        ValueError, match=r"row 2, column prior\[0\], prior\[1\], prior\[2\]: .*sum 1"
    ):
        listed(tmp_path, table).lay_out({"prior": PRIOR}, 0)


def test_lists_are_csv_only_and_known_by_what_is_in_them(tmp_path):
    (tmp_path / "points.npy").write_bytes(b"")
    with pytest.raises(ValidationError, match="should be a CSV file"):
        Listed(file=str(tmp_path / "points.npy"))
    identities = set()
    for text in ("x\n1\n", "x\n0\n"):
        for design in (
            listed(tmp_path, text),
            Factorial(parts=[{"parameters": ["x"], "design": listed(tmp_path, text)}]),
        ):
            identities.add(design.model_dump_json(context={"identity": True}))
    assert len(identities) == 4
    assert not any(str(tmp_path) in identity for identity in identities)
