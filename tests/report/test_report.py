"""The report of a battery: one file, well-formed, safe, and the same every time."""

import base64
import os
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from sumabm.files import RunError
from sumabm.report import write_report

VOID = {"br", "img", "meta"}
GRID_OF_TWO = {"uncertainties": {"agents.X.power": [1.0, 2.0]}, "keep": {"steps": "all"}}


class Page(HTMLParser):
    """What a page is made of; fails where an element is not closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def text_of(tmp_path_factory):
    written = {}

    def text(store):
        if store.path not in written:
            file = tmp_path_factory.mktemp("reports") / "report.html"
            written[store.path] = write_report(store, file).read_text(encoding="utf-8")
        return written[store.path]

    return text


@pytest.fixture(scope="module")
def page(text_of):
    return lambda store: Page(text_of(store))


@pytest.fixture(scope="module")
def screening(stored):
    """Batteries of every design that has a section or figures of its own."""
    numbers = {
        "agents.X.power": {"kind": "continuous", "low": 0.5, "high": 4.0},
        "agents.Y.power": {"kind": "continuous", "low": 0.5, "high": 4.0},
    }
    return {
        "saltelli": stored(levers=numbers, design={"kind": "saltelli", "points": 4}),
        "morris": stored(uncertainties=numbers, design={"kind": "morris", "trajectories": 3}),
        "random": stored(
            uncertainties={**numbers, "agents.W.method": ["budget", "none"]},
            design={"kind": "random", "points": 12},
        ),
        "one": stored(uncertainties={"agents.X.power": [0.5, 1.0, 2.0]}),
        "labels": stored(levers={"agents.W.method": ["budget", "none"]}, keep={"steps": "all"}),
        "none": stored(replicates=1, keep={"steps": "all"}),
    }


@pytest.mark.parametrize("broken", ["<p><b></p></b>", "<p>", "<p></p></b>"])
def test_the_parser_sees_what_is_not_closed(broken):
    with pytest.raises((AssertionError, IndexError)):
        Page(broken)


def sections_of(found):
    return [attrs["id"] for attrs in found.all("section")]


def test_it_lies_in_the_batterys_folder_and_is_whole(grid):
    assert write_report(grid.path) == grid.path / "report.html"
    found = Page((grid.path / "report.html").read_text(encoding="utf-8"))
    expected = ["asked", "far", "effects", "maps", "trajectories", "provenance"]
    assert sections_of(found) == expected
    assert [attrs["href"] for attrs in found.all("a")] == [f"#{name}" for name in expected]
    assert list(grid.path.glob(".writing*")) == []


@pytest.mark.parametrize("kind", ["saltelli", "morris", "random", "one", "labels", "none"])
def test_every_design_has_a_report(screening, kind, page):
    found = page(screening[kind])
    assert ("sensitivity" in sections_of(found)) == (kind in {"saltelli", "morris"})
    assert ("trajectories" in sections_of(found)) == (kind in {"labels", "none"})
    assert ("maps" in sections_of(found)) == (kind != "none")
    if kind in {"saltelli", "morris"}:
        assert "% of the variance over points at most, as seeds are paired" in found.words


def test_figures_are_images_within_the_page_that_have_a_text(grid, screening, page):
    for store in (grid, *screening.values()):
        for attrs in page(store).all("img"):
            head, _, data = attrs["src"].partition(",")
            assert head == "data:image/svg+xml;base64"
            assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
            assert len(attrs["alt"]) > 20


def test_nothing_comes_from_outside(grid, partial, screening, page, text_of):
    for store in (grid, partial, *screening.values()):
        found = page(store)
        assert {"script", "link", "iframe", "object"}.isdisjoint(tag for tag, _ in found.elements)
        for _, attrs in found.elements:
            assert not any(name.startswith("on") for name in attrs)
            for name in ("src", "href"):
                assert attrs.get(name, "#").startswith(("#", "data:image/svg+xml;base64,"))
        assert "url(" not in text_of(store)


def test_tables_have_captions_and_headings_do_not_skip(grid, page):
    found = page(grid)
    assert len(found.all("table")) == len(found.all("caption"))
    levels = [int(tag[1]) for tag, _ in found.elements if tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert found.all("html") == [{"lang": "en"}]


def test_hostile_texts_are_only_shown(partial, page):
    found = page(partial)
    assert found.words.count("<script>alert('x')</script>") >= 4  # two texts, error, traceback
    assert "$x_1$" in found.words


def test_an_incomplete_battery_says_what_is_missing(partial, grid, page):
    words = page(partial).words
    assert "Incomplete. 6 of 48 runs are missing, at 2 of 12 points." in words
    assert "21 of 24 chunks are done, 2 failed, 1 not run." in words
    assert f"missing: 1–2. Go on with sumabm resume {partial.path.name}" in words
    assert "Incomplete" not in page(grid).words


def test_incomplete_designs_have_no_sensitivity_but_the_reason(stored, page):
    store = stored(
        lambda chunk: chunk.point != 3,
        levers={"agents.X.power": {"kind": "continuous", "low": 0.5, "high": 4.0}},
        design={"kind": "saltelli", "points": 4},
    )
    found = page(store)
    assert "Left out: 1 of 12 points are incomplete, and all are needed." in found.words
    assert not any("Sobol" in attrs["alt"] for attrs in found.all("img"))


def test_a_battery_with_nothing_done_has_a_report(stored, page):
    store = stored(lambda chunk: False, **GRID_OF_TWO)
    found = page(store)
    assert sections_of(found) == ["asked", "far", "effects", "provenance"]
    assert "No outcomes are stored yet." in found.words
    assert found.all("img") == []


def test_commands_say_how_the_battery_came_to_be(grid, stored, page):
    name = grid.path.name
    words = page(grid).words
    assert "sumabm battery 'my battery.toml' --set replicates=4 sumabm resume" in words
    assert f"sumabm verify {name}" in words
    assert grid.manifest["identity"] in words
    python = stored(lambda chunk: False, given={"from": "Python"}, **GRID_OF_TWO)
    words = page(python).words
    assert "sumabm battery" not in words
    assert "built in Python" in words


def test_the_same_battery_gives_the_same_bytes(grid, tmp_path):
    files = [tmp_path / "here.html"]
    write_report(grid, files[0])
    code = "import sys; from sumabm.report import write_report; write_report(*sys.argv[1:])"
    for seed in ("1", "2"):
        files.append(tmp_path / f"{seed}.html")
        subprocess.run(
            [sys.executable, "-c", code, grid.path, files[-1]],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
    first, *others = (file.read_bytes() for file in files)
    assert all(other == first for other in others)


def test_what_cannot_be_read_or_written_is_said(grid, tmp_path):
    with pytest.raises(RunError, match="is not a battery"):
        write_report(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        write_report(grid, tmp_path / "file" / "report.html")
