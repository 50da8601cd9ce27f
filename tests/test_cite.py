"""What to cite: every key has its entry, the software's own facts agree, the command tells both."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

import sumabm
from sumabm import bibliography, cli, load_battery, load_scenario, runs
from sumabm.battery.sources import sources
from sumabm.battery.store import Store
from sumabm.catalogue import ROOMS
from sumabm.component import members
from sumabm.provenance import citations

ROOT = Path(__file__).parent.parent


@pytest.fixture
def cite(tmp_path, monkeypatch, capsys):
    """Run ``sumabm cite`` in an empty folder; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sumabm", "cite", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


def keys_in(text):
    return re.findall(r"^@\w+\{([^,]+),$", text, re.MULTILINE)


def test_every_key_of_a_component_that_ships_has_an_entry():
    used = {key for room in ROOMS.values() for cls in members(room).values() for key in cls.cites}
    assert used <= bibliography.entries().keys()
    assert "nobody-2026" not in bibliography.entries()


def test_every_entry_is_balanced_and_has_a_title():
    for key, text in bibliography.entries().items():
        assert text.count("{") == text.count("}"), key
        assert bibliography.fields(key)["title"], key


def test_the_facts_of_the_software_are_the_same_everywhere():
    cff = dict(re.findall(r'^([\w-]+): "?([^"\n]+)"?$', (ROOT / "CITATION.cff").read_text(), re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = bibliography.fields("sumabm")
    assert cff["title"] == own["title"]
    assert f'"{own["author"].strip("{}")}"' in (ROOT / "CITATION.cff").read_text()
    assert project["authors"] == [{"name": own["author"].strip("{}")}]
    assert cff["version"] == project["version"] == sumabm.__version__
    assert cff["license"] == project["license"] == own["license"]
    assert cff["date-released"][:4] == own["year"]


def test_a_scenario_cites_what_its_components_do(cite):
    code, out, _ = cite("bayesian")
    assert code == 0
    expected = citations(load_scenario("bayesian"))
    assert "mardia-jupp-2000" in expected
    assert keys_in(out) == ["sumabm", *expected]
    assert f"version = {{{sumabm.__version__}}}" in out
    assert out.count("{") == out.count("}")


def test_a_stored_run_cites_what_it_was_made_with(cite, tmp_path):
    made = runs.run(load_scenario("essay", {"steps": 2}), range(2), 0, tmp_path, {})
    file = made.path / "manifest.json"
    table = json.loads(file.read_text())
    table["cites"] = ["taylor-2016", "of-a-plug-in"]
    table["versions"]["sumabm"] = "0.0.9}"
    file.write_text(json.dumps(table))
    code, out, _ = cite(str(made.path))
    assert code == 0
    assert keys_in(out) == ["sumabm", "taylor-2016"]
    assert "version = {0.0.9}," in out
    assert "% of-a-plug-in: " in out
    code, out, _ = cite(str(made.path), "--json")
    told = json.loads(out)
    assert (code, told["version"], told["unknown"]) == (0, "0.0.9}", ["of-a-plug-in"])
    assert [source["key"] for source in told["sources"]] == ["taylor-2016"]


def test_a_battery_cites_its_design_and_what_its_points_choose(cite, tmp_path):
    overrides = {"scenario.steps": 2, "replicates": 1, "chunk.replicates": 1}
    battery = load_battery("aligners", overrides)
    assert "dytso-2018" in sources(battery) - set(citations(battery.scenario))
    assert {"saltelli-2010", "herman-usher-2017"} <= sources(load_battery("sensitivity"))
    store = Store.create(battery, tmp_path, {})
    _, by_folder, _ = cite(str(store.path))
    _, by_name, _ = cite("aligners")
    assert by_folder == by_name
    assert keys_in(by_name) == ["sumabm", *sorted(sources(battery))]


@pytest.mark.parametrize("what", ["nothing", "runs/nothing", "x" * 5000, "nothing.toml", "."])
def test_what_is_no_run_is_told_in_one_line(cite, what):
    code, out, err = cite(what)
    assert (code, out) == (2, "")
    assert err.startswith("sumabm: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("cites", [None, "essay", [1], {"essay": 1}])
def test_a_manifest_that_does_not_say_what_it_cites(cite, tmp_path, cites):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": runs.FORMAT, "cites": cites}))
    code, _, err = cite(str(tmp_path))
    assert code == 2
    assert "cites" in err


def test_a_name_longer_than_a_files_is_no_battery():
    assert not cli.single.is_battery("x" * 5000)
    assert cli.single.is_battery("aligners")
