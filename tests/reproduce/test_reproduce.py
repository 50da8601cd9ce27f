"""Reproducing the essay: what is run, kept and made again, and the page that comes of it."""

import csv
import json
import sys
from html.parser import HTMLParser

import pytest

from sumabm import cli, load_battery
from sumabm.files import RunError
from sumabm.reproduce import exhibit_names, made, reproduce, studies
from sumabm.reproduce.exhibits import action
from sumabm.reproduce.findings import Claim, Measured, Point, agreed
from sumabm.reproduce.page import Setting, write_reproduction

ONLY = ["action", "cosines"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let quick be quick enough for a test."""
    quick = {**studies.QUICK, "essay-cosines": {"replicates": 200}}
    monkeypatch.setattr(studies, "QUICK", quick)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def run(own_engine):
    """Reproduce two exhibits, in this process."""

    def call(out, **settings):
        given = {"only": ONLY, "quick": True, "engine": lambda: own_engine}
        return reproduce(out, **given | settings)

    return call


class Page(HTMLParser):
    """What a page is made of; fails where an element is not closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in {"br", "img", "meta"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page):
    return Page(page.read_text(encoding="utf-8"))


def test_it_is_made_once_and_again_only_where_it_changed(folder, monkeypatch, run, own_engine):
    first = run(folder)
    assert [part.name for part in first.made] == ["cosines", "action"]
    ran = own_engine.ran
    assert ran > 0
    with monkeypatch.context() as patched:
        patched.setattr(action, "make", None)  # to be called would fail
        second = run(folder)
    assert own_engine.ran == ran
    assert second.made == first.made
    (folder / "reproduction-quick" / "figures" / "action.svg").write_text("damaged")
    assert run(folder).made == first.made
    assert "damaged" not in (folder / "reproduction-quick/figures/action.svg").read_text()


def test_other_sources_make_another_exhibit(folder, monkeypatch, run):
    before = run(folder).made
    monkeypatch.setattr(made, "rooms_digest", lambda rooms: "changed")
    after = run(folder, only=["action"]).made
    assert [part.name for part in after] == ["action"]  # cosines is out of date, and not asked for
    assert after[0].identity != before[1].identity
    assert after[0].findings == before[1].findings


def test_a_seed_of_ones_own_is_another_reproduction(folder, run):
    there = run(folder, seed=7)
    assert there.page.parent.name == "reproduction-quick-s7"
    assert {study["seed"] for part in there.made for study in part.studies} == {7}
    own = {part.name: part for part in run(folder).made}
    for part in there.made:
        assert part.identity != own[part.name].identity


def test_the_page_needs_nothing_but_itself(folder, run):
    page = read(run(folder).page)
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe"}
        for name in ("src", "href"):
            value = attributes.get(name) or ""
            assert not value.startswith(("http", "//", "/")), value
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(images) == 2
    for image in images:
        assert image["src"].startswith("data:image/svg+xml;base64,")
        assert image["alt"]


def test_the_page_says_where_every_number_is_from(folder, run):
    there = run(folder)
    text = "".join(read(there.page).words)
    for part in there.made:
        assert f"sumabm reproduce --quick --only {part.name}" in text
        for study in part.studies:
            assert f"{study['folder']}, seed 0" in text
            assert (folder / study["folder"] / "battery.json").exists()
    assert "Incomplete." in text
    assert f"sumabm reproduce --quick --only {(set(exhibit_names()) - set(ONLY)).pop()}" in text


def test_tables_hold_every_point_and_claim(folder, run):
    there = run(folder)
    root = there.page.parent
    for part in there.made:
        with (root / "tables" / f"{part.name}.csv").open(encoding="utf-8") as file:
            assert part.identity in file.readline()
            rows = list(csv.DictReader(file))
        assert len(rows) == len(part.findings.points)
        point = part.findings.points[0]
        assert float(rows[0]["simulation"]) == point.mean
        assert (root / "figures" / f"{part.name}.pdf").read_bytes().startswith(b"%PDF")
    with (root / "tables" / "claims.csv").open(encoding="utf-8") as file:
        claims = list(csv.DictReader(file))
    assert [row["order"] for row in claims] == sorted((r["order"] for r in claims), key=int)
    assert {row["exhibit"] for row in claims} == set(ONLY)


def test_what_is_off_is_said(folder, tmp_path, run):
    part = run(folder).made[1]
    hostile = "<script>alert('x')</script>"
    wrong = part.findings.points[0]._replace(mean=99.0, error=0.1)
    claim = Claim(5, hostile, (Measured("q", 1.0, 2.0, 0.1),), "fails", hostile, hostile)
    findings = part.findings._replace(points=[wrong], claims=[claim], table={"h": [hostile]})
    for file in part.files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes((run(folder).page.parent / file).read_bytes())
    changed = made.Made(**{**part.__dict__, "findings": findings})
    page = read(write_reproduction(tmp_path, [changed], [], Setting()))
    text = " ".join("".join(page.words).split())
    assert "1 of 1 points are further than 4 standard errors from theory" in text
    assert "By chance one point in 16,000 is" in text
    assert hostile in text
    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert [a for tag, a in page.elements if a.get("class") == "off"]


def test_a_chunk_that_fails_stops_it_and_says_where(tmp_path, monkeypatch, run):
    def fails(*_):
        raise ArithmeticError("poison")

    with monkeypatch.context() as patched:
        patched.setattr("sumabm.battery.work.record", fails)
        with pytest.raises(RunError, match="9 chunks failed: see failures/"):
            run(tmp_path, only=["action"])
    assert not (tmp_path / "reproduction-quick" / "index.html").exists()
    assert run(tmp_path, only=["action"]).made


def test_every_exhibit_says_what_it_rests_on():
    names = exhibit_names()
    assert len(names) == 11
    for name in names:
        exhibit = sys.modules[f"sumabm.reproduce.exhibits.{name}"]
        assert exhibit.TITLE
        assert len(exhibit.LETTER) == 1
        for battery in exhibit.STUDIES:
            quick = studies.study(battery, quick=True, seed=None)
            assert quick.replicates <= load_battery(battery).replicates
    letters = [sys.modules[f"sumabm.reproduce.exhibits.{name}"].LETTER for name in names]
    assert letters == sorted(set(letters))


def test_points_and_claims_know_how_far_they_are():
    point = Point("s", 1.0, 2.0, 2.4, 0.1)
    assert point.z == pytest.approx(4.0)
    assert agreed([point]) == "holds"
    assert agreed([point._replace(mean=2.41)]) == "fails"
    assert point._replace(mean=2.0 + 1e-12, error=0.0).z == 0.0
    assert point._replace(error=0.0).z == float("inf")


@pytest.fixture
def sumabm(tmp_path, monkeypatch, capsys, own_engine):
    """Run the command line in a folder of its own; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sumabm.cli.reproduction.engine_of", lambda *where: own_engine)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sumabm", "reproduce", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_the_command(sumabm, tmp_path):
    code, out, err = sumabm("--quick", "--only", "action")
    assert code == 0
    assert "18 of 18 points within 4 standard errors of theory" in out
    assert "runs/reproduction-quick/index.html" in out
    assert "1 of 2: essay-action: 9 of 9 chunks" in err
    code, out, err = sumabm("--quick", "--only", "action", "--json")
    assert code == 0
    assert json.loads(out)["claims"][0]["verdict"] == "holds"
    assert "essay-action" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "nothing"], "--only nothing: allowed: cosines"),
        (["--workers", "1", "--scheduler", "tcp://x:1"], "a Dask cluster has its own workers"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_misuse(sumabm, tmp_path, words, said):
    code, out, err = sumabm(*words)
    assert code == 2
    assert said in err.replace("\n", " ")
    assert out == ""
    assert not (tmp_path / "runs").exists()


def test_an_interruption_keeps_what_was_done(sumabm, tmp_path, monkeypatch, own_engine):
    submit = own_engine.submit

    def interrupted(call, item):
        if own_engine.ran == 4:
            raise KeyboardInterrupt
        return submit(call, item)

    monkeypatch.setattr(own_engine, "submit", interrupted)
    code, _, err = sumabm("--quick", "--only", "action")
    assert code == 130
    assert "the same command goes on" in err
    kept = len(list((tmp_path / "runs" / "chunks").glob("*/*.parquet")))
    assert kept > 0
    monkeypatch.setattr(own_engine, "submit", submit)
    own_engine.ran = 0
    assert sumabm("--quick", "--only", "action")[0] == 0
    assert own_engine.ran == 13 - kept
