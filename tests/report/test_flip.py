"""Where it flips: the section of a report, its sentences and its figure."""

import base64
import re

import numpy as np
import pytest

from sumabm.analysis import flips
from sumabm.battery.results import open_battery
from sumabm.figures.flip import draw_flips
from sumabm.report import write_report
from sumabm.report.exhibits import flip
from sumabm.report.material import gather

POWERS = {"kind": "continuous", "low": 0.5, "high": 8.0, "scale": "log", "levels": 5}
ASKED = {"outcome": "cumulative_harm", "limit": 1.0, "over": "agents.X.power"}
TABLE = {
    "uncertainties": {"agents.X.power": POWERS},
    "levers": {"agents.W.method": ["none", "budget"]},
    "flip": {**ASKED, "by": "agents.W.method", "label": "the AI's power (nats)"},
}


@pytest.fixture(scope="module")
def store(stored):
    return stored(**TABLE)


def test_sentences_say_what_the_analysis_found(store):
    section = flip(gather(store))
    found = flips(open_battery(store), **ASKED, by="agents.W.method")
    assert section["reason"] == ""
    for i, sentence in enumerate(section["sentences"]):
        name, at = found["curve"].values[i], float(found["flip"][i])
        start = f"With agents.W.method = {name}, the median cumulative_harm is above 1 nats from "
        assert sentence.startswith(start)
        assert float(re.search(r"from ([\d.]+) \[", sentence)[1]) == pytest.approx(at, rel=0.01)
        assert sentence in section["figure"]["alt"]


def test_the_page_has_it_and_pages_of_other_batteries_do_not(store, grid, tmp_path):
    text = write_report(store, tmp_path / "a.html").read_text(encoding="utf-8")
    assert text.index('<section id="flip">') < text.index('<section id="effects">')
    assert "Along the crux, the AI&#39;s power (nats)" in text
    assert 'id="flip"' not in write_report(grid, tmp_path / "b.html").read_text(encoding="utf-8")


def test_what_does_not_flip_or_cannot_be_said_is_told(stored):
    never = stored(**TABLE | {"flip": {**ASKED, "limit": 1e6}})
    (sentence,) = flip(gather(never))["sentences"]
    assert sentence.startswith(
        "The median cumulative_harm does not flip within the range: it is nev"
    )
    partly = stored(lambda chunk: chunk.point != 3, **TABLE)
    section = flip(gather(partly))
    assert section["figure"] is None
    assert "points are incomplete" in section["reason"]


def test_the_figure_marks_limit_and_flips(store):
    found = flips(open_battery(store), **ASKED, by="agents.W.method")
    figure = draw_flips(found, "power (nats)", "harm (nats)", "method")
    upper, lower = figure.axes
    assert (upper.get_ylabel(), lower.get_xlabel()) == ("harm (nats)", "power (nats)")
    assert lower.get_ylabel() == "share above the limit"
    assert upper.get_xscale() == "log"
    marks = [line for line in upper.lines if line.get_marker() == "o"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in marks], found["flip"])
    assert all(line.get_ydata()[0] == 1.0 for line in marks)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    told = found["told"].values.tolist()
    assert labels == [f"none: {told[0]}", f"budget: {told[1]}"]
    solid = next(line for line in upper.lines if len(line.get_xdata()) > 5)
    at = np.interp(float(found["flip"][0]), solid.get_xdata(), solid.get_ydata())
    assert at == pytest.approx(1.0, rel=0.05)  # the curve goes through its mark


def test_the_image_is_the_same_every_time(store):
    first, second = (flip(gather(store))["figure"]["uri"] for _ in range(2))
    assert first == second
    assert b"<svg" in base64.b64decode(first.partition(",")[2])
