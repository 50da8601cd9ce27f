"""What lies under the runs folder: damaged folders are entries, and nothing leads outside."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sumabm import load_scenario, run_battery, runs
from sumabm.browser.stored import shelf as module
from sumabm.browser.stored.shelf import Shelf
from sumabm.files import RunError

BATTERY = {
    "battery": "tiny",
    "scenario": load_scenario("essay", {"world.dimensions": 3, "steps": 4}),
    "replicates": 2,
    "uncertainties": {"agents.X.power": [2.0, 4.0]},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, here):
    """Return a folder with a run and a battery, and their names."""
    from sumabm.battery.spec import Battery

    folder = tmp_path_factory.mktemp("made")
    spec = load_scenario("essay", {"steps": 4})
    run = runs.run(spec, range(3), 7, folder, {"scenario": "essay"}).path.name
    battery = run_battery(Battery.model_validate(BATTERY), here, folder).path.name
    return folder, run, battery


@pytest.fixture
def copy(made, tmp_path):
    """Return a copy that a test may damage: the folder beside which a secret lies, and names."""
    folder, run, battery = made
    shutil.copytree(folder, tmp_path / "runs")
    (tmp_path / "secret.txt").write_text("secret")
    shutil.copytree(folder / run, tmp_path / "outside")
    return tmp_path / "runs", run, battery


def entries(folder):
    listing = Shelf(folder).entries()
    assert (listing.more, listing.problem) == (0, "")
    return {entry.name: entry for entry in listing.entries}


def edit(file, **changes):
    table = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({key: value for key, value in table.items() if value is not ...}))


def test_runs_and_batteries_with_their_numbers(made):
    folder, run, battery = made
    found = entries(folder)
    assert set(found) == {run, battery}
    entry = found[run]
    assert (entry.kind, entry.scenario, entry.problem) == ("run", "essay", "")
    assert (entry.replicates, entry.points, entry.steps, entry.seed) == (3, 1, 4, "7")
    assert entry.description.startswith("The founding essay")
    assert entry.when.endswith("+00:00")
    entry = found[battery]
    assert (entry.kind, entry.scenario, entry.problem) == ("battery", "essay", "")
    assert (entry.replicates, entry.points, entry.steps, entry.seed) == (2, 2, 4, "0")
    assert Shelf(folder).open_run(run).sizes["replicate"] == 3
    assert Shelf(folder).open_battery(battery).battery.replicates == 2


def test_the_newest_are_first_and_few(made, copy, monkeypatch):
    folder, run, battery = copy
    edit(folder / run / "manifest.json", created="2031-01-01T00:00:00+00:00")
    assert [entry.name for entry in Shelf(folder).entries().entries] == [run, battery]
    edit(folder / run / "manifest.json", created="1999-01-01T00:00:00+00:00")
    assert [entry.name for entry in Shelf(folder).entries().entries] == [battery, run]
    monkeypatch.setattr(module, "MOST_ENTRIES", 1)
    os.utime(folder / battery, (1e9, 1e9))
    listing = Shelf(folder).entries()
    assert [entry.name for entry in listing.entries] == [run]
    assert listing.more == 1


def test_no_folder_is_an_empty_listing(tmp_path):
    assert Shelf(tmp_path / "none").entries() == ((), 0, "")
    (tmp_path / "file").write_text("")
    assert "cannot be read" in Shelf(tmp_path / "file").entries().problem


DAMAGES = {
    "no manifest": lambda run: (run / "manifest.json").unlink(),
    "empty manifest": lambda run: (run / "manifest.json").write_text(""),
    "bad JSON": lambda run: (run / "manifest.json").write_text('{"format": 1,'),
    "deep JSON": lambda run: (run / "manifest.json").write_text("[" * 100_000),
    "no table": lambda run: (run / "manifest.json").write_text("[1, 2]"),
    "no text": lambda run: (run / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "a folder": lambda run: ((run / "manifest.json").unlink(), (run / "manifest.json").mkdir()),
    "another format": lambda run: edit(run / "manifest.json", format=99),
    "no scenario": lambda run: edit(run / "manifest.json", scenario=...),
    "scenario of numbers": lambda run: edit(run / "manifest.json", scenario=[1]),
    "name of a number": lambda run: edit(
        run / "manifest.json", scenario={"scenario": 1, "steps": 4}
    ),
    "replicates": lambda run: edit(run / "manifest.json", replicates="many"),
    "infinite steps": lambda run: edit(
        run / "manifest.json", scenario={"scenario": "x", "steps": float("inf")}
    ),
    "no data": lambda run: (run / "data.parquet").unlink(),
    "data elsewhere": lambda run: edit(run / "manifest.json", files={"../../secret.txt": ""}),
    "a pipe": lambda run: ((run / "manifest.json").unlink(), os.mkfifo(run / "manifest.json")),
    "a link out": lambda run: (
        (run / "data.parquet").unlink(),
        (run / "data.parquet").symlink_to(run.parent.parent / "secret.txt"),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_an_entry_that_says_so(copy, damage):
    folder, run, battery = copy
    DAMAGES[damage](folder / run)
    found = entries(folder)
    assert found[run].problem
    assert str(folder) not in found[run].problem
    assert len(found[run].problem) <= 400
    assert not found[battery].problem
    with pytest.raises(RunError):
        Shelf(folder).open_run(run)


def test_a_huge_manifest_is_not_read(copy, monkeypatch):
    folder, run, _ = copy
    monkeypatch.setattr(module, "_LARGEST", 100)
    assert "larger than 100 bytes" in entries(folder)[run].problem


def test_truncated_data_say_so_when_they_are_opened(copy):
    folder, run, _ = copy
    file = folder / run / "data.parquet"
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(RunError, match="does not match the checksum") as caught:
        Shelf(folder).open_run(run)
    assert str(folder) not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 2}'])
def test_a_damaged_battery_is_an_entry_that_says_so(copy, text):
    folder, run, battery = copy
    (folder / battery / "battery.json").write_text(text)
    found = entries(folder)
    assert found[battery].problem
    assert not found[run].problem
    with pytest.raises(RunError) as caught:
        Shelf(folder).open_battery(battery)
    assert str(folder) not in str(caught.value)


def test_a_battery_whose_scenario_reads_a_file_outside(copy):
    folder, _, battery = copy
    file = folder / battery / "battery.json"
    table = json.loads(file.read_text())
    power = {"kind": "table", "file": str(folder.parent / "secret.txt"), "column": "x"}
    table["battery"]["scenario"]["agents"]["X"]["power"] = power
    file.write_text(json.dumps(table))
    with pytest.raises(RunError, match="own folder"):
        Shelf(folder).open_battery(battery)


def test_files_and_hidden_folders_are_no_entries(copy):
    folder, run, battery = copy
    (folder / "report.html").write_text("")
    (folder / ".writing-x").mkdir()
    assert set(entries(folder)) == {run, battery}
    for name in ("report.html", ".writing-x", "chunks"):
        with pytest.raises(RunError):
            Shelf(folder).folder_of(name)


@pytest.mark.parametrize("name", ["it's", '"><script>alert(1)</script>'[:20], "a\nb", "ünï", "a b"])
def test_weird_names_are_names(copy, name):
    folder, run, _ = copy
    name = name.replace("/", "")
    (folder / run).rename(folder / name)
    assert not entries(folder)[name].problem
    assert Shelf(folder).open_run(name).sizes["replicate"] == 3


def test_a_name_that_is_no_text(copy):
    folder, run, _ = copy
    try:
        (folder / run).rename(folder / os.fsdecode(b"\xff\xfe"))
    except OSError:
        pytest.skip("this file system takes no such name")
    (entry,) = (entry for entry in entries(folder).values() if entry.problem)
    entry.name.encode()
    assert "no text" in entry.problem


def test_links_within_the_folder_are_followed_and_none_out_of_it(copy):
    folder, run, battery = copy
    (folder / "again").symlink_to(folder / run)
    (folder / "out").symlink_to(folder.parent / "outside")
    (folder / "lost").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "up").symlink_to(folder.parent)
    (folder / "itself").symlink_to(folder)
    found = entries(folder)
    assert not found["again"].problem
    for name in ("out", "lost", "loop", "up", "itself"):
        assert found[name].problem
        with pytest.raises(RunError):
            Shelf(folder).open_run(name)
    inside = next((folder / "chunks").glob("*/*.parquet"))
    inside.unlink()
    inside.symlink_to(folder.parent / "secret.txt")
    with pytest.raises(RunError, match="leads out of the runs folder"):
        Shelf(folder).open_battery(battery)


def test_the_folder_itself_may_be_a_link(copy):
    folder, run, battery = copy
    (folder.parent / "link").symlink_to(folder)
    assert set(entries(folder.parent / "link")) == {run, battery}
    assert Shelf(folder.parent / "link").open_run(run).sizes["replicate"] == 3


PARTS = st.sampled_from(
    ["..", ".", "/", "\\", "\0", "outside", "secret.txt", "runs", "~", "%2e%2e", "%2f", "C:", "//"]
)


@given(st.one_of(st.lists(PARTS, min_size=1, max_size=8).map("".join), st.text(max_size=300)))
def test_no_name_leads_out(made, name):
    folder, run, battery = made
    if name in (run, battery):
        return
    with pytest.raises(RunError) as caught:
        Shelf(folder).folder_of(name)
    str(caught.value).encode()


@pytest.mark.parametrize("name", ["", None, 3, "..", "../outside", "x" * 5000, "\ud800", "."])
def test_what_is_no_name_is_refused(copy, name):
    folder, run, _ = copy
    for bad in (name, str(folder / run), f"./{run}", f"{run}/", f"{run}/figures", f"{run}\0"):
        with pytest.raises(RunError):
            Shelf(folder).folder_of(bad)
    assert Shelf(folder).folder_of(run) == Path(os.path.realpath(folder)) / run
