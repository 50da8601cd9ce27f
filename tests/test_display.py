"""What results show in a notebook: short tables, well formed, with every text escaped."""

from html.parser import HTMLParser

import networkx as nx
import numpy as np
import pytest

import sumabm
from sumabm import load_battery, load_scenario, runs
from sumabm.analysis.threshold import find_threshold
from sumabm.battery.run import BatteryRun, Counts
from sumabm.battery.verify import Verdict
from sumabm.display import MOST_CHARACTERS, html_table, worded
from sumabm.worlds.normal import NormalWorld


class Cells(HTMLParser):
    """Reads a table: what its cells say, and that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag in ("table", "caption", "tr", "th", "td")
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


def shown(value):
    text = value._repr_html_()
    assert len(text) < 6000
    return Cells(text).cells


GAUSS = sumabm.GaussianWorld(np.zeros((2, 3)))


def causal():
    graph = nx.DiGraph()
    graph.add_edge("<cause>", "effect", weight=2.0)
    return sumabm.CausalWorld.of(graph)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (GAUSS, ["Gaussian world", "dimensions", "3", "identity"]),
        (GAUSS.tilt(np.ones((2, 3)), 2.0), ["Tilt", "GaussianWorld", "spent (nats)", "2, 2"]),
        (sumabm.DiscreteWorld([0.25, 0.75]), ["states", "2", "0.25, 0.75"]),
        (sumabm.DiscreteWorld(np.full(99, 1 / 99)), ["99", "array (1, 99)"]),
        (NormalWorld.of(np.zeros((1, 2))), ["Normal world", "0, 0"]),
        (causal(), ["Causal world", "<cause>, effect"]),
        (load_scenario("essay"), ["Scenario essay", "agent X", "harm", "regret"]),
        (load_battery("scaling"), ["Battery scaling", "design", "replicates"]),
        (sumabm.SUMModel("essay", 3), ["Model of essay", "0 of 200", "0 to 2"]),
        (BatteryRun("runs/b", Counts(4, 3, 1, 9, 0.5)), ["Battery", "chunks", "4", "runs/b"]),
        (Verdict(1, 2, 3, "well", ["<b>"]), ["Verdict", "<b>"]),
        (Verdict(1, 2, 3, "well", []), ["problems", "none"]),
    ],
)
def test_results_show_as_tables(value, words):
    cells = shown(value)
    assert set(words) <= set(cells), cells


def test_a_stored_run_shows_what_came_out(tmp_path):
    scenario = load_scenario("essay", {"steps": 2})
    result = [{"quantity": "harm", "mean": 0.5, "unit": "nats", "standard_error": None}]
    stored = runs.run(scenario, range(2), 0, tmp_path, {}, lambda *_: {"result": result})
    assert {"Run of essay", "harm (nats)", "0.5", "0 to 1"} <= set(shown(stored))


def test_a_threshold_shows_its_interval():
    noise = np.linspace(-0.1, 0.1, 9)
    found = find_threshold(lambda x: x + noise, 0.0, 2.0, 1.0, 1e-3)
    assert "interval" in shown(found)


def test_every_shipped_scenario_shows():
    for name in ("causal", "overseers", "quantilizer", "many"):
        cells = shown(load_scenario(name, {}))
        assert f"Scenario {name}" in cells


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a & b", '"', "</table>", "{}", "%s"]
)
def test_texts_are_escaped(text):
    assert Cells(html_table(text, {text: text})).cells == [text] * 3


def test_long_things_are_cut():
    assert len(worded("x" * 10_000)) == MOST_CHARACTERS
    assert worded(list(range(100))).endswith("and 92 more")
    assert worded({"role": "ai", "power": {"kind": "constant", "value": 2.0}, "x": None}) == (
        "ai (power constant (value 2))"
    )
