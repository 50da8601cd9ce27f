"""The run store: a whole run or none, the same data back, and clear words for what is no run."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sumabm import identity, load_scenario, open_run, runs, simulate
from sumabm.files import RunError, _mark

STEPS, REPLICATES, SEED = 6, range(2, 5), 7


def spec(**overrides):
    return load_scenario("essay", {"steps": STEPS, **overrides})


def store(out, scenario=None, replicates=REPLICATES, seed=SEED, **more):
    return runs.run(scenario or spec(), replicates, seed, out, {"scenario": "essay"}, **more)


@pytest.fixture
def kept(tmp_path):
    """A stored run."""
    return store(tmp_path / "store")


def edit(path, **changes):
    """Change entries of a manifest; an Ellipsis takes one away."""
    file = path / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in manifest.items() if value is not ...}
    file.write_text(json.dumps(kept), encoding="utf-8")


def resign(path):
    """Give the manifest the checksum of the data as it is now."""
    edit(
        path,
        files={"data.parquet": hashlib.sha256((path / "data.parquet").read_bytes()).hexdigest()},
    )


def refused(path, *words):
    with pytest.raises(RunError) as caught:
        open_run(path)
    for word in (str(path), *words):
        assert word in str(caught.value)
    assert len(str(caught.value)) < 2000


# --- there and back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("essay", {}),
        ("essay", {"stop.alignment": 0.3, "agents.X.power": 20.0, "agents.Y.power": 10.0}),
        ("many", {}),
        ("bayesian", {"world.dimensions": 4}),
        ("unopposed", {"agents.X.power": 0.0}),
        ("subagents", {"world.dimensions": 4, "agents.V": {"role": "ai", "power": 1.0}}),
        ("subagents", {"stop.alignment": -0.99}),
        ("explorer", {"stop.alignment": 0.3, "world.dimensions": 4}),
    ],
)
def test_a_run_comes_back_bit_for_bit(tmp_path, name, overrides):
    scenario = load_scenario(name, {"steps": STEPS, **overrides})
    stored = store(tmp_path, scenario)
    simulated = simulate(scenario, REPLICATES, SEED)
    opened = open_run(stored.path)
    assert opened.identical(simulated)
    for variable in simulated:  # `identical` takes −0.0 for 0.0
        assert opened[variable].values.tobytes() == simulated[variable].values.tobytes()
        assert opened[variable].dtype == simulated[variable].dtype
    if "stop.alignment" in overrides:
        assert bool(np.isnan(simulated["harm"]).any())


def test_what_lies_in_the_folder(kept):
    assert kept.path.name == f"essay-{kept.manifest['identity'][:8]}-s{SEED}"
    assert {path.name for path in kept.path.iterdir()} == {"data.parquet", "manifest.json"}
    assert [path.name for path in kept.path.parent.iterdir()] == [kept.path.name]
    manifest = json.loads((kept.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == json.loads(json.dumps(kept.manifest))
    assert manifest["scenario"] == spec().model_dump()
    assert (manifest["seed"], manifest["replicates"]) == (SEED, [2, 5])
    assert manifest["status"] == "complete"
    assert manifest["given"] == {"scenario": "essay"}
    assert manifest["versions"]["numpy"] == np.__version__
    assert manifest["code"] == identity.code_digest()


def test_the_data_is_an_ordinary_table(kept):
    table = pq.read_table(kept.path / "data.parquet")
    assert table.num_rows == STEPS * len(REPLICATES)
    assert table["replicate"].to_pylist() == [k for k in REPLICATES for _ in range(STEPS)]
    assert table["step"].to_pylist() == list(range(STEPS)) * len(REPLICATES)
    run = simulate(spec(), REPLICATES, SEED)
    np.testing.assert_array_equal(table["harm"].to_numpy(), run["harm"].values.ravel())
    alignment = run["alignment"].sel(agent="X").values.ravel()
    np.testing.assert_array_equal(table["alignment.X"].to_numpy(), alignment)


def test_a_run_is_not_simulated_twice(kept, monkeypatch):
    monkeypatch.setattr(runs, "recorded", lambda *_, **__: pytest.fail("simulated again"))
    again = store(kept.path.parent)
    assert again.reused
    assert not kept.reused
    assert again.path == kept.path
    assert again.manifest == json.loads(json.dumps(kept.manifest))


def test_other_runs_lie_beside_it(kept):
    out = kept.path.parent
    others = [
        store(out, seed=8),
        store(out, replicates=range(3)),
        store(out, spec(**{"agents.X.power": 1.0})),
        store(out, spec(scenario="other")),
    ]
    assert not any(run.reused for run in others)
    assert len(list(out.iterdir())) == 5
    assert others[3].manifest["identity"] == kept.manifest["identity"]


def test_changed_code_makes_another_run(kept, monkeypatch):
    monkeypatch.setattr(identity, "code_digest", lambda: "changed")
    again = store(kept.path.parent)
    assert not again.reused
    assert again.path != kept.path
    assert open_run(again.path)["harm"].identical(open_run(kept.path)["harm"])


def test_a_store_may_have_any_name(tmp_path):
    for name in ("a=b", "with blanks", "ünï", "[x]*?", "%41"):
        stored = store(tmp_path / name)
        assert open_run(str(stored.path)).identical(simulate(spec(), REPLICATES, SEED))
        assert store(tmp_path / name).reused


def test_extras_belong_to_the_run(tmp_path):
    def extras(data, ends, folder):
        assert data.identical(simulate(spec(), REPLICATES, SEED))
        assert folder.name.startswith(".writing-")
        (folder / "figures").mkdir()
        (folder / "figures" / "one.svg").write_text("<svg/>")
        return {"figures": ["one.svg"]}

    stored = store(tmp_path, extras=extras)
    assert stored.manifest["figures"] == ["one.svg"]
    assert (stored.path / "figures" / "one.svg").read_text() == "<svg/>"


# --- whole or nothing --------------------------------------------------------------------------


class HaltError(Exception):
    pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, HaltError])
def test_an_interrupted_simulation_leaves_nothing(tmp_path, error):
    def report(done, total):
        if done == 3:
            raise error

    with pytest.raises(error):
        store(tmp_path / "store", progress=report)
    assert list(tmp_path.iterdir()) == []
    assert not store(tmp_path / "store").reused


@pytest.mark.parametrize("error", [KeyboardInterrupt, HaltError])
def test_an_interruption_while_writing_leaves_nothing(tmp_path, error):
    def extras(data, ends, folder):
        (folder / "half").write_text("half")
        raise error

    with pytest.raises(error):
        store(tmp_path, extras=extras)
    assert list(tmp_path.iterdir()) == []
    assert not store(tmp_path).reused


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(table, path):
        path.write_text("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "write_json", full)
    with pytest.raises(RunError, match=r"cannot be written: .*No space left") as caught:
        store(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def leftover(out, pid, host=None):
    """A folder that a process left behind, or is writing."""
    mark = _mark().replace(socket.gethostname(), host or socket.gethostname())
    folder = out / f"{mark}{pid}-0-essay-0-s0"
    (folder / "figures").mkdir(parents=True)
    (folder / "data.parquet").write_bytes(b"half")
    return folder


def test_leftovers_of_the_dead_are_swept_and_of_the_living_kept(tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    dead = leftover(tmp_path, done.pid)
    kept = [
        leftover(tmp_path, os.getpid()),
        leftover(tmp_path, os.getppid()),
        leftover(tmp_path, done.pid, host="another-machine"),
        leftover(tmp_path, done.pid, host=f"{socket.gethostname()}-77"),
        leftover(tmp_path, "x"),
        leftover(tmp_path, "9" * 30),
    ]
    other = tmp_path / ".writing-notes"
    other.write_text("mine")
    stored = store(tmp_path)
    assert not dead.exists()
    assert all((folder / "data.parquet").exists() for folder in kept)
    assert other.exists()
    assert set(tmp_path.iterdir()) == {*kept, other, stored.path}


def test_the_name_of_a_leftover_is_what_the_store_writes(tmp_path):
    seen = []
    store(tmp_path, extras=lambda data, ends, folder: seen.append(folder.name) or {})
    [name] = seen
    assert name.startswith(f"{_mark()}{os.getpid()}-")


RACER = """
import sys, time
from pathlib import Path
from sumabm import load_scenario, runs

out, me = Path(sys.argv[1]), sys.argv[2]

def wait_for_the_other(data, ends, folder):
    (out.parent / f"ready-{me}").touch()
    while len(list(out.parent.glob("ready-*"))) < 2:
        time.sleep(0.01)
    return {}

spec = load_scenario("essay", {"steps": 6})
print(runs.run(spec, range(2, 5), 7, out, {}, wait_for_the_other).reused)
"""


def test_two_processes_store_the_same_run(tmp_path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path / "store"), str(me)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in range(2)
    ]
    told = [process.communicate(timeout=60)[0].strip() for process in racers]
    assert [process.returncode for process in racers] == [0, 0]
    assert sorted(told) == ["False", "True"]
    [path] = (tmp_path / "store").iterdir()
    assert open_run(path).equals(simulate(spec(), REPLICATES, SEED))


# --- folders that cannot be written ------------------------------------------------------------


def unwritable(out):
    with pytest.raises(RunError) as caught:
        store(out)
    assert str(out) in str(caught.value)
    assert "cannot be written" in str(caught.value)


@pytest.fixture
def no_work(monkeypatch):
    monkeypatch.setattr(runs, "recorded", lambda *_, **__: pytest.fail("worked for nothing"))


@pytest.mark.usefixtures("no_work")
def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("mine")
    unwritable(tmp_path / "file")
    unwritable(tmp_path / "file" / "below" / "it")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.usefixtures("no_work")
def test_a_store_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    unwritable(tmp_path)
    unwritable(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_turns_unwritable(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    unwritable(tmp_path / "new")


# --- what is no run ----------------------------------------------------------------------------


def test_another_run_in_the_folder(kept):
    edit(kept.path, identity="0" * 64)
    with pytest.raises(RunError, match="holds another run") as caught:
        store(kept.path.parent)
    assert str(kept.path) in str(caught.value)


def test_an_empty_folder_or_file_in_its_place(kept):
    path = kept.path
    for file in path.iterdir():
        file.unlink()
    with pytest.raises(RunError, match=r"is not a run: manifest\.json"):
        store(path.parent)
    path.rmdir()
    path.write_text("mine")
    with pytest.raises(RunError, match=path.name):
        store(path.parent)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["nothing", "", "file"])
def test_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    refused(tmp_path / name, "is not a run")


def test_a_nul_byte_in_the_path():
    with pytest.raises(RunError):
        open_run("null\0byte")


def test_wrong_data_is_not_opened_nor_reused(kept):
    file = kept.path / "data.parquet"
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"\0", b"x" + whole[1:]):
        file.write_bytes(damaged)
        refused(kept.path, "data.parquet", "checksum")
        with pytest.raises(RunError, match="checksum"):
            store(kept.path.parent)
    file.unlink()
    refused(kept.path, "data.parquet", "missing")
    with pytest.raises(RunError, match="missing"):
        store(kept.path.parent)
    os.mkfifo(file)
    refused(kept.path, "data.parquet")


def test_damaged_data_with_the_right_checksum(kept):
    file = kept.path / "data.parquet"
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"PAR1" * 10, whole[:-40] + bytes(36) + b"PAR1"):
        file.write_bytes(damaged)
        resign(kept.path)
        refused(kept.path)


def test_another_table_with_the_right_checksum(kept):
    file = kept.path / "data.parquet"
    table = pq.read_table(file)
    for other in (table.slice(0, 5), table.slice(0, 0), pa.concat_tables([table, table])):
        pq.write_table(other, file)
        resign(kept.path)
        refused(kept.path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"manifest"',
        b"NaN",
        b"{}",
        b'{"format": "1"}',
        b'{"format": 2}',
        b'{"format": null}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"9" * 10_000,
        bytes(range(256)),
    ],
    ids=lambda content: repr(content[:16]),
)
def test_a_hostile_manifest(kept, content):
    (kept.path / "manifest.json").write_bytes(content)
    refused(kept.path, "manifest.json")
    with pytest.raises(RunError):
        store(kept.path.parent)


def test_a_manifest_that_is_no_file(kept):
    file = kept.path / "manifest.json"
    file.unlink()
    refused(kept.path, "manifest.json")
    os.mkfifo(file)
    refused(kept.path, "manifest.json")
    file.unlink()
    file.mkdir()
    refused(kept.path, "manifest.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ...},
        {"files": []},
        {"files": "data.parquet"},
        {"files": {"../data.parquet": "x"}},
        {"files": {"data.parquet": None}},
        {"replicates": ...},
        {"replicates": 3},
        {"replicates": []},
        {"replicates": [2, 5, 0]},
        {"replicates": ["2", "5"]},
        {"replicates": [2, 6]},
        {"replicates": [0, 10**30]},
        {"replicates": [5, 2]},
        {"replicates": {"2": 5}},
        {"seed": ...},
        {"identity": ...},
        {"scenario": ...},
        {"scenario": "essay"},
        {"scenario": []},
        {"scenario": {}},
        {"scenario": {"steps": "6", "agents": {}}},
        {"scenario": {"steps": -6, "agents": {}}},
        {"scenario": {"steps": 10**12, "agents": {}}},
        {"scenario": {"steps": 6.0, "agents": {}}},
        {"scenario": {"steps": 6}},
        {"scenario": {"steps": 6, "agents": 3}},
        {"scenario": {"steps": 6, "agents": ["X", "Y"]}},
        {"scenario": {"steps": 6, "agents": {"X": "ai"}}},
        {"scenario": {"steps": 6, "agents": {"X": {}}}},
        {"scenario": {"steps": 6, "agents": {"X": None}}},
    ],
    ids=str,
)
def test_a_manifest_of_the_wrong_shape(kept, changes):
    edit(kept.path, **changes)
    refused(kept.path)


def test_names_in_a_manifest_lead_nowhere(kept):
    """Names that look like paths or modules are only names."""
    outside = kept.path.parent.parent / "outside.parquet"
    outside.write_bytes(b"x")
    scenario = {
        "steps": STEPS,
        "scenario": "../../../../tmp/x",
        "agents": {"../../X": {"role": "os.system"}, "X": {"role": "ai"}},
    }
    sums = json.loads((kept.path / "manifest.json").read_text(encoding="utf-8"))["files"]
    files = {**sums, str(outside): "0", "../outside.parquet": "0"}
    edit(kept.path, scenario=scenario, files=files, figures=["../../x"])
    before = set(kept.path.parent.parent.rglob("*"))
    run = open_run(kept.path)
    assert list(run["agent"].values) == ["../../X", "X"]
    assert set(kept.path.parent.parent.rglob("*")) == before
