"""The page of a battery: its map, what is behind a cell, and what it says of damage."""

import json
import shutil
import sys
from pathlib import Path

import ipyvuetify
import numpy as np
import pytest
import solara

from sumabm import load_scenario, run_battery, simulate
from sumabm.battery.spec import Battery
from sumabm.battery.store import Store
from sumabm.browser.chart import ChartWidget
from sumabm.browser.picture import packed
from sumabm.browser.stored.battery_page import BatteryPage, open_material
from sumabm.browser.stored.battery_view import drawn, mapped, usual_axes
from sumabm.browser.stored.cells import cell_of, course, courses
from sumabm.browser.stored.heat import Axes
from sumabm.browser.stored.shelf import Shelf
from sumabm.files import RunError
from sumabm.report.effects import Results
from sumabm.report.material import gather

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rendered import shown, told

GRID = {
    "uncertainties": {
        "ratio": {"kind": "continuous", "low": 1.0, "high": 16.0, "scale": "log", "levels": 3},
        "agents.X.power": [2.0, 4.0],
    },
    "levers": {"agents.W.method": ["budget", "bayesian"]},
    "derived": {"agents.Y.power": "ratio / 16"},
}
BATTERIES = {
    "grid": {**GRID, "keep": {"steps": 2, "outcomes": ["harm", "alignment"]}},
    "ends": GRID,
    "line": {"uncertainties": {"agents.X.power": [1.0, 2.0, 4.0]}},
    "labels": {"levers": {"agents.W.method": ["budget", "bayesian"]}},
    "random": {
        "uncertainties": {
            "agents.X.power": {"kind": "continuous", "low": 0.5, "high": 4.0},
            "agents.Y.power": {"kind": "continuous", "low": 0.5, "high": 4.0},
        },
        "design": {"kind": "random", "points": 7},
    },
    "nothing": {},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, here):
    """Return a folder with a battery of each sort."""
    found = tmp_path_factory.mktemp("stored") / "runs"
    scenario = load_scenario("essay", {"steps": 5, "world.dimensions": 3})
    for name, fields in BATTERIES.items():
        table = {"battery": name, "scenario": scenario, "replicates": 3, **fields}
        run_battery(Battery.model_validate(table), here, found)
    (found / "dam<b>aged").mkdir()
    return found


@pytest.fixture
def shelf(folder):
    return Shelf(folder)


def named(folder, start):
    (found,) = folder.glob(f"{start}-*")
    return found.name


def store_of(folder, name):
    return Store.open(folder / named(folder, name))


@pytest.fixture(scope="module")
def material(folder):
    return {name: gather(store_of(folder, name)) for name in BATTERIES}


def test_what_is_drawn_at_first(material):
    found = {name: usual_axes(each.results, each.order) for name, each in material.items()}
    assert found["grid"].outcome == "harm"
    assert {found["grid"].along, found["grid"].up} < {"ratio", "agents.X.power", "agents.W.method"}
    assert found["line"] == ("cumulative_harm", "agents.X.power", "")
    assert found["labels"] == ("cumulative_harm", "agents.W.method", "")
    assert (found["random"].up, found["nothing"]) == ("", None)


def test_a_map_has_the_means_of_its_cells(material):
    results = material["grid"].results
    assert mapped(results) == ["ratio", "agents.X.power", "agents.W.method"]
    axes = Axes("harm", "ratio", "agents.X.power")
    view = drawn(results, axes, {"agents.X.power": "nats"})
    option = view.picture.option
    assert option["xAxis"]["data"] == ["1", "4", "16"]
    assert option["yAxis"]["data"] == ["2", "4"]
    assert (option["xAxis"]["name"], option["yAxis"]["name"]) == ("ratio", "agents.X.power (nats)")
    packed(option)
    assert view.picture.title == "Mean harm (nats)"
    assert view.notes[0] == "Cells are averages over agents.W.method."
    cells = option["series"][0]["data"]
    assert len(cells) == 6
    for place, cell in enumerate(cells):
        points = view.picked({"series": "cells", "place": place})
        assert len(points) == 2
        along, up, height = cell["value"]
        for point in points:
            assert results.points["ratio"][point] == [1.0, 4.0, 16.0][along]
            assert results.points["agents.X.power"][point] == [2.0, 4.0][up]
        mean = np.mean([results.mean["harm"][point] for point in points])
        is_log = "log" in option["visualMap"][0]["text"][1]
        assert (10.0**height if is_log else height) == pytest.approx(mean, rel=1e-4)
    marked = drawn(results, axes, chosen=view.picked({"series": "cells", "place": 2}))
    borders = [cell["itemStyle"] for cell in marked.picture.option["series"][0]["data"]]
    assert [bool(border) for border in borders] == [False] * 5 + [True]  # it is drawn last


@pytest.mark.parametrize(
    "mark", [{}, {"series": "x", "place": 0}, {"series": "cells", "place": 99},
             {"series": "cells", "place": -1}, {"series": "cells", "place": "1"}, {"series": None}]
)  # fmt: skip
def test_no_mark_has_no_points(material, mark):
    axes = Axes("harm", "ratio", "agents.X.power")
    assert drawn(material["grid"].results, axes).picked(mark) == ()


def results_of(means, **points):
    points = {name: np.array(values) for name, values in points.items()}
    means = np.array(means)
    return Results(points, {"harm": means}, {"harm": np.zeros_like(means)}, {"harm": "nats"})


def test_cells_without_a_value_are_grey():
    found = results_of([1.0, np.nan, 2.0], a=[1, 1, 2], b=[1, 2, 1])
    view = drawn(found, Axes("harm", "a", "b"))
    cells, missing = view.picture.option["series"]
    assert [len(series["data"]) for series in (cells, missing)] == [2, 2]
    assert [cell["name"] for cell in missing["data"]] == [
        "a = 1, b = 2: nothing",
        "a = 2, b = 2: nothing",
    ]
    assert view.picked({"series": "missing", "place": 0}) == (1,)
    assert view.picked({"series": "missing", "place": 1}) == ()
    assert "no full grid" in view.notes[0]
    packed(view.picture.option)
    empty = results_of([np.nan] * 4, a=[1, 1, 2, 2], b=[1, 2, 1, 2])
    view = drawn(empty, Axes("harm", "a", "b"))
    packed(view.picture.option)
    assert "nothing is done yet" in view.picture.spoken


@pytest.mark.parametrize(
    ("means", "ends", "note"),
    [
        ([1.0, 2.0, 3.0, 5.0], ["5", "1"], False),
        ([1.0, 10.0, 100.0, 1000.0], ["1000", "1  log scale"], False),
        ([0.0, 1.0, 10.0, 1000.0], ["1000", "≤ 1  log scale"], True),
        ([1e-9, 1.0, 10.0, 1000.0], ["1000", "≤ 0.001  log scale"], True),
        ([-1.0, 0.0, 1.0, 1000.0], ["1000", "−1"], False),
        ([0.0, 0.0, 0.0, 0.0], ["0", "0"], False),
    ],
)
def test_colours_are_of_logarithms_over_two_decades(means, ends, note):
    found = results_of(means, a=[1, 1, 2, 2], b=[1, 2, 1, 2])
    view = drawn(found, Axes("harm", "a", "b"))
    scale = view.picture.option["visualMap"][0]
    assert scale["text"] == ends
    assert scale["min"] < scale["max"]
    assert any("has that colour" in each for each in view.notes) == note


@pytest.mark.parametrize("name", ["line", "labels", "random"])
def test_one_parameter(material, name):
    results = material[name].results
    axes = usual_axes(results, material[name].order)
    for along in results.varied:
        view = drawn(results, axes._replace(along=along), chosen=(1,))
        packed(view.picture.option)
        marks = view.picture.option["series"][0]["data"]
        assert len(marks) == len(results.mean[axes.outcome])
        for place, mark in enumerate(marks):
            (point,) = view.picked({"series": "points", "place": place})
            assert mark["value"][1] == results.mean[axes.outcome][point]
            assert bool(mark["itemStyle"]) == (point == 1)
        assert bool(view.notes) == (name == "random")
    assert view.picture.option["xAxis"]["type"] == ("category" if name == "labels" else "value")


def test_numbers_spread_by_ratio_have_a_logarithmic_axis():
    found = results_of([1.0, 2.0, np.nan, 3.0], a=[1.0, 10.0, 100.0, 1000.0])
    view = drawn(found, Axes("harm", "a"))
    assert view.picture.option["xAxis"]["type"] == "log"
    assert view.picked({"series": "points", "place": 2}) == (3,)


def test_a_cell_comes_out_the_same_again(folder):
    store = store_of(folder, "grid")
    for point in (0, 7):
        cell = cell_of(store, point)
        run = simulate(cell.scenario.replace(cell.overrides), cell.replicates, cell.seed)
        found = courses(store, [point], ["harm", "alignment"])
        assert found.steps.tolist() == [0, 2, 4]
        assert set(found.columns) == {"harm", "alignment.X"}
        assert np.array_equal(found.columns["harm"], run["harm"].values[:, [0, 2, 4]])
        alignment = run["alignment"].sel(agent="X").values
        assert np.array_equal(found.columns["alignment.X"], alignment[:, [0, 2, 4]])
    both = courses(store, [0, 7], ["harm"])
    assert both.columns["harm"].shape == (6, 3)
    for column in both.columns:
        packed(course(both, column).option)


def test_what_was_not_kept_or_is_damaged(folder, tmp_path):
    assert courses(store_of(folder, "ends"), [0], ["harm"]) is None
    shutil.copytree(folder, tmp_path / "copy")
    store = store_of(tmp_path / "copy", "grid")
    chunks = store.table("chunks")
    file = store.file(chunks["identity"][0])
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RunError, match="cannot be read"):
        courses(store, [0], ["harm"])
    file.unlink()
    assert courses(store, [int(chunks["point"][0])], ["harm"]) is None
    opened = open_material(Shelf(tmp_path / "copy"), store.path.name)
    assert "1 of them are not complete" in opened.told


@pytest.mark.parametrize("name", [name for name in BATTERIES if name != "nothing"])
def test_a_page_of_a_battery(shelf, folder, name):
    cells = []
    element = BatteryPage(shelf, named(folder, name), cells.append)
    _, page = solara.render(element, handle_error=False)
    (chart,) = shown(page, ChartWidget)
    series = json.loads(chart.option)["series"][0]
    chart.vue_picked({"series": series["name"], "place": 1, "value": None})
    shown(page, ChartWidget, 3 if name == "grid" else 1)
    words = "Run this point live"
    (button,) = [each for each in page.find(ipyvuetify.Btn).widgets if words in each.children]
    button.click()
    (cell,) = cells
    assert cell.replicates == 3
    assert cell.scenario.replace(cell.overrides)
    chart.vue_picked({"series": "nothing", "place": 1})
    shown(page, ChartWidget, 1)
    for place in range(len(page.find(ipyvuetify.Select).widgets)):
        select = page.find(ipyvuetify.Select).widgets[place]
        select.v_model = select.items[-1]
        assert page.find(ipyvuetify.Select).widgets[place].v_model == select.items[-1]
    shown(page, ChartWidget, 1)
    page.close()


def test_a_battery_in_which_nothing_varies(shelf, folder):
    element = BatteryPage(shelf, named(folder, "nothing"), print)
    box, page = solara.render(element, handle_error=False)
    told(box, "Nothing varies here")
    page.close()


@pytest.mark.parametrize("name", ["none", "../x", "dam<b>aged"])
def test_what_is_no_battery_is_told(shelf, folder, name):
    box, page = solara.render(BatteryPage(shelf, name, print), handle_error=False)
    assert str(folder) not in told(box, "cannot be opened")
    page.close()
