"""The pages of what is stored: a list of runs and batteries, and two runs side by side."""

import json
import sys
from pathlib import Path

import pytest
import solara

from sumabm import load_scenario, open_run, run_battery, runs, simulate
from sumabm.battery.spec import Battery
from sumabm.browser.chart import ChartWidget
from sumabm.browser.picture import Picture
from sumabm.browser.stored.compare_page import ComparePage, Pair, open_pair
from sumabm.browser.stored.differences import differences, paired
from sumabm.browser.stored.list_page import ShelfWidget, StoredPage
from sumabm.browser.stored.scrubber import Scrubber, ScrubberWidget
from sumabm.browser.stored.shared_axes import on_shared_axes
from sumabm.browser.stored.shelf import Shelf
from sumabm.browser.stored.table import TableWidget

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rendered import settled, shown, told

LEVERS = {"agents.X.power": [2.0, 4.0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, here):
    """Return a folder with runs, batteries and a damaged run."""
    found = tmp_path_factory.mktemp("stored") / "runs"
    for name, power in (("essay", 2.0), ("essay", 3.0), ("many", None)):
        overrides = {"steps": 5} | ({"agents.X.power": power} if power else {})
        runs.run(load_scenario(name, overrides), range(4), 0, found, {})
    scenario = load_scenario("essay", {"steps": 5, "world.dimensions": 3})
    table = {"battery": "tiny", "scenario": scenario, "replicates": 3, "levers": LEVERS}
    run_battery(Battery.model_validate(table), here, found)
    (found / "dam<b>aged").mkdir()
    return found


@pytest.fixture
def shelf(folder):
    return Shelf(folder)


def names(folder, start):
    return sorted(path.name for path in folder.glob(f"{start}-*"))


# --- the list ------------------------------------------------------------------------------------


def test_the_list_opens_what_is_whole(shelf, folder):
    calls = []
    element = StoredPage(
        shelf,
        lambda name: calls.append(("run", name)),
        lambda name: calls.append(("battery", name)),
        lambda a, b: calls.append((a, b)),
    )
    _, page = solara.render(element, handle_error=False)
    (widget,) = shown(page, ShelfWidget)
    settled(widget)
    found = {entry["name"]: entry for entry in widget.entries}
    assert len(found) == 5
    assert found["dam<b>aged"]["problem"]
    json.dumps(widget.entries)
    one, other = names(folder, "essay")
    (battery,) = names(folder, "tiny")
    assert found[one]["facts"] == "essay · 4 replicates · 5 steps · seed 0"
    assert found[battery]["facts"] == "essay · 2 points · 3 replicates · 5 steps · seed 0"
    for name in (one, battery, "dam<b>aged", "../secret", None, 3, [one]):
        widget.vue_opened(name)
    for pair in ([one, other], [one, battery], [one], None, [one, {}], [one, other, one]):
        widget.vue_compared(pair)
    assert calls == [("run", one), ("battery", battery), (one, other)]
    (folder / "later").mkdir()
    widget.vue_refreshed(None)
    settled(widget)
    assert len(widget.entries) == 6
    (folder / "later").rmdir()
    page.close()


def test_an_empty_folder(tmp_path):
    nothing = [lambda *names: None] * 3
    _, page = solara.render(StoredPage(Shelf(tmp_path / "none"), *nothing), handle_error=False)
    (widget,) = shown(page, ShelfWidget)
    settled(widget)
    assert (widget.entries, widget.more, widget.problem) == ([], 0, "")
    page.close()


def test_a_scrubber_takes_steps_only():
    calls = []
    _, page = solara.render(Scrubber(10, 3, calls.append), handle_error=False)
    (widget,) = page.find(ScrubberWidget).widgets
    assert (widget.steps, widget.at, widget.plays) == (10, 3, False)
    for data in (4, -1, 99, "7", None, 2.5, [1]):
        widget.vue_sought(data)
    assert calls == [4, 0, 10]
    page.close()


# --- two runs ------------------------------------------------------------------------------------


def picture(x, y, data, kind="line"):
    axes = {"xAxis": {"type": "value", **x}, "yAxis": {"type": "value", **y}}
    return Picture("a", {**axes, "series": [{"type": kind, "data": data}]}, "")


def axis(pictures, name="yAxis"):
    found = {tuple(each.option[name].get(k) for k in ("min", "max")) for each in pictures}
    assert len(found) == 1
    return found.pop()


def test_axes_hold_what_all_pictures_have():
    a = picture({"min": 0, "max": 9}, {"min": 0.0}, [[0, 0.31], [1, None]])
    b = picture({"min": 0, "max": 99}, {"min": 0.0}, [[0, 1, 7.3]], "sumabm-band")
    both = on_shared_axes([a, b])
    assert axis(both) == (0.0, 8.0)
    assert axis(both, "xAxis") == (0, 99)
    assert axis(on_shared_axes([a, a], [b])) == (0.0, 8.0)
    assert a.option["yAxis"] == {"type": "value", "min": 0.0}  # the panel's own stays


@pytest.mark.parametrize(
    ("y", "other", "data", "ends"),
    [
        ({"min": -0.2, "max": 1.0}, {"min": -1.0, "max": 1.0}, [[0, 0.5]], (-1.0, 1.0)),
        ({"min": 0.0, "max": 1.0}, {"min": 0.0}, [[0, 0.003]], (0.0, 0.003)),
        ({}, {}, [[0, -3.2], [1, 4.1]], (-4.0, 6.0)),
        ({}, {}, [], (0.0, 1.0)),
        ({}, {}, [[0, 5.0]], (4.0, 6.0)),
        ({"min": 0.0}, {"min": 0.0}, [[0, 0.0]], (0.0, 0.25)),
        ({}, {}, [1.0, 3.0, {"value": 2.0}], (1.0, 3.0)),
    ],
)
def test_ends_lie_on_ticks_unless_they_are_given(y, other, data, ends):
    x = {"min": 0, "max": 1}
    low, high = axis(on_shared_axes([picture(x, y, data), picture(x, other, data)]))
    assert (low, high) == pytest.approx(ends)


def test_axes_of_other_sorts_stay():
    x = {"min": 0, "max": 1}
    a = picture(x, {"type": "log"}, [[0, 1.0]])
    b = picture(x, {}, [[0, 5.0]])
    first, second = on_shared_axes([a, b])
    assert (first.option["yAxis"], second.option["yAxis"]) == ({"type": "log"}, {"type": "value"})


def test_what_differs_between_two_runs(folder):
    first, second = (open_run(folder / name) for name in names(folder, "essay"))
    (line,) = differences(first, second)
    assert line.path == "agents.X.power.value"
    assert {line.a, line.b} == {"2", "3"}
    assert differences(first, first) == []
    many = open_run(folder / names(folder, "many")[0])
    found = {each.path: each for each in differences(first, many)}
    assert found["scenario"][1:] == ("essay", "many")
    assert found["agents.X1.role"].a == "—"
    other = simulate("essay", range(2, 4), seed=3, steps=5)
    found = {each.path: each[1:] for each in differences(first, other)}
    assert (found["seed"], found["replicates"]) == (("0", "3"), ("0 to 3", "2 to 3"))


def test_pairs_of_replicates(folder):
    first, second = (open_run(folder / name) for name in names(folder, "essay"))
    lines, problem = paired(first, second)
    assert problem == ""
    by = {line.outcome: line for line in lines}
    assert {"harm", "cumulative_harm", "alignment.X", "information.X"} <= set(by)
    assert (by["harm"].pairs, by["harm"].unit) == (4, "nats")
    assert "±" in by["harm"].difference
    other = simulate("essay", 4, seed=3, steps=5)
    lines, problem = paired(first, other)
    assert lines == []
    assert problem == "runs pair where their seeds are equal; these are 0 and 3"


def test_two_runs_side_by_side(shelf, folder):
    one, other = names(folder, "essay")
    _, page = solara.render(ComparePage(shelf, one, other), handle_error=False)
    charts = shown(page, ChartWidget, 12)
    options = {chart.name: json.loads(chart.option) for chart in charts}
    for panel in ("harm", "cumulative", "alignment", "information", "power", "world"):
        pair = [options[f"{name}-{panel}"] for name in (one, other)]
        for axis in ("xAxis", "yAxis"):
            ends = [(option[axis]["min"], option[axis]["max"]) for option in pair]
            assert ends[0] == ends[1], panel
    tables = page.find(TableWidget).widgets
    assert [table.rows[0][0] for table in tables] == ["agents.X.power.value", "harm"]
    (scrubber,) = page.find(ScrubberWidget).widgets
    assert (scrubber.steps, scrubber.at, scrubber.plays) == (5, 5, True)
    before = {chart.name: chart.option for chart in charts}
    for step in (2, 0, 4):
        scrubber.vue_sought(step)
        assert page.find(ScrubberWidget).widget.at == step
        after = {chart.name: json.loads(chart.option) for chart in page.find(ChartWidget).widgets}
        harm = f"{one}-harm"
        assert after[harm] != json.loads(before[harm])
        assert after[harm]["yAxis"] == options[harm]["yAxis"]
    page.close()


def test_a_run_beside_itself_and_beside_another_scenario(shelf, folder):
    one = names(folder, "essay")[0]
    (many,) = names(folder, "many")
    for other in (one, many):
        _, page = solara.render(ComparePage(shelf, one, other), handle_error=False)
        shown(page, ScrubberWidget)
        page.close()


@pytest.mark.parametrize("name", ["dam<b>aged", "none", "../runs", "", "\0"])
def test_what_cannot_be_compared_is_told(shelf, folder, name):
    one = names(folder, "essay")[0]
    assert isinstance(open_pair(shelf, one, one), Pair)
    problem = open_pair(shelf, one, name)
    assert isinstance(problem, str)
    assert str(folder) not in problem
    box, page = solara.render(ComparePage(shelf, one, name), handle_error=False)
    told(box, "cannot be compared")
    page.close()
