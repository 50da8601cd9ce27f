"""The commands on batteries: what they print, where, how they end, and that nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from sumabm import cli, open_battery
from sumabm.battery import work as working
from sumabm.battery.engine import EngineError, Local
from sumabm.battery.store import Store
from sumabm.battery.verify import verify

TEXT = """\
battery = "tiny"
scenario = "essay"
set = { "world.dimensions" = 3, steps = 3 }
replicates = 5
[uncertainties]
"agents.X.power" = [2.0, 4.0]
[levers]
"agents.W.method" = ["budget", "bayesian"]
[chunk]
replicates = 2
"""


@pytest.fixture
def sumabm(tmp_path, monkeypatch, capsys):
    """Run the command line beside a battery file; return exit code, output and errors."""
    (tmp_path / "tiny.toml").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sumabm", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


@pytest.fixture
def quick(sumabm, monkeypatch):
    """The same, with workers in this process; they raise at the replicates in `poison`."""
    record, poison = working.record, []

    def poisoned(model, every, outcomes):
        if model.replicates.start in poison:
            raise ArithmeticError("poison")
        return record(model, every, outcomes)

    def execute(engine, function, items, stop_on):
        from sumabm.battery.engine import Done, Failed

        for item in items:
            try:
                yield Done(item, function(item))
            except ArithmeticError as error:
                yield Failed(item, f"ArithmeticError: {error}", "where it was", 0)

    monkeypatch.setattr(working, "record", poisoned)
    monkeypatch.setattr("sumabm.battery.run.execute", execute)
    sumabm.poison = poison
    return sumabm


def report(result):
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def folder(tmp_path, out="runs"):
    [path] = (tmp_path / out).glob("tiny-*")
    return path


# --- there and back ----------------------------------------------------------------------------


def test_a_battery_with_worker_processes(sumabm, tmp_path):
    code, out, err = sumabm("battery", "tiny.toml", "--workers", 1)
    assert code == 0, err
    assert out.startswith("12 of 12 chunks stored, 20 runs in ")
    path = folder(tmp_path)
    assert f"battery  runs/{path.name}" in out
    assert "tiny: 4 of 4 points, " in err.replace("checking: ", "")
    assert "tiny: 12 of 12 chunks, " in err
    assert open_battery(path).complete.all()


def test_it_is_not_run_again(quick, tmp_path):
    first = report(quick("battery", "tiny.toml", "--json"))
    assert first["path"] == f"runs/{folder(tmp_path).name}"
    assert (first["chunks"], first["done"], first["failed"], first["left"]) == (12, 12, 0, 0)
    assert first["runs"] == 20
    again = report(quick("battery", "tiny.toml", "--json"))
    assert (again["path"], again["runs"]) == (first["path"], 0)
    longer = report(quick("battery", "tiny.toml", "--json", "--set", "replicates=6"))
    assert longer["path"] != first["path"]
    assert longer["runs"] == 8


def test_overrides_are_part_of_the_record(quick, tmp_path):
    words = ("--set", "scenario.steps=2", "--set", "keep.steps=all", "--out", "there")
    report(quick("battery", "tiny.toml", "--json", *words))
    store = Store.open(folder(tmp_path, "there"))
    assert store.battery.scenario.steps == 2
    assert store.battery.keep.every == 1
    given = {"battery": "tiny.toml", "set": ["scenario.steps=2", "keep.steps=all"]}
    assert store.manifest["given"] == given
    assert open_battery(store, trajectories=True).sizes["step"] == 2


def test_plan_runs_nothing(quick, tmp_path):
    told = report(quick("battery", "tiny.toml", "--plan", "--json"))
    path = folder(tmp_path)
    assert told == {
        "path": f"runs/{path.name}",
        "points": 4,
        "replicates": 5,
        "chunks": 12,
        "done": 0,
        "failed": 0,
        "left": 12,
        "failures": {},
    }
    code, out, _ = quick("battery", "tiny.toml", "--plan")
    assert code == 0
    assert out.splitlines() == [
        "tiny: 4 points × 5 replicates",
        "0 of 12 chunks done, 0 failed, 12 left",
        f"go on with: sumabm resume runs/{path.name}",
    ]
    assert not (tmp_path / "runs" / "chunks").exists()


def test_shards_and_status(quick, tmp_path):
    one = report(quick("battery", "tiny.toml", "--shard", "1/3", "--json"))
    assert (one["chunks"], one["done"]) == (4, 4)
    path = folder(tmp_path)
    assert report(quick("status", path, "--json"))["done"] == 4
    two = report(quick("resume", path, "--shard", "2/3", "--json"))
    assert (two["chunks"], two["done"]) == (4, 4)
    rest = report(quick("resume", path, "--json"))
    assert (rest["chunks"], rest["done"], rest["runs"]) == (12, 12, 20 - one["runs"] - two["runs"])
    code, out, _ = quick("status", path)
    assert code == 0
    assert out.splitlines()[1:] == ["12 of 12 chunks done, 0 failed, 0 left"]


def test_failures(quick, tmp_path):
    quick.poison.append(2)
    code, out, err = quick("battery", "tiny.toml")
    assert code == 1
    assert out.startswith("8 of 12 chunks stored, 12 runs in ")
    path = folder(tmp_path)
    lines = err.splitlines()[-5:]
    assert lines[0] == f"sumabm: 4 chunks failed; see runs/{path.name}/failures"
    assert all(line.endswith(" ArithmeticError: poison") for line in lines[1:])
    assert "4 failed" in err
    told = report(quick("status", path, "--json"))
    assert (told["done"], told["failed"], told["left"]) == (8, 4, 0)
    record = next(iter(told["failures"].values()))
    assert (record["replicates"], record["traceback"]) == ([2, 4], "where it was")
    code, out, _ = quick("status", path)
    assert code == 0
    assert out.count("ArithmeticError: poison") == 4
    quick.poison.append(0)
    code, _, err = quick("battery", "tiny.toml", "--set", "seed=1")
    assert (code, "  and 3 more" in err) == (1, True)
    quick.poison.clear()
    assert report(quick("resume", path, "--json"))["failed"] == 0
    assert report(quick("status", path, "--json"))["failures"] == {}


def test_export(quick, tmp_path):
    quick("battery", "tiny.toml")
    path = folder(tmp_path)
    for name in ("a.parquet", "a.csv", "a.nc"):
        code, out, err = quick("export", path, name)
        assert (code, out) == (0, f"data     {name}\n"), err
    assert len(pd.read_parquet("a.parquet")) == len(pd.read_csv("a.csv")) == 20
    code, _, err = quick("export", path, "a.csv")
    assert (code, err) == (2, "sumabm: a.csv: exists; --force replaces it\n")
    assert quick("export", path, "a.csv", "--force")[0] == 0
    code, _, err = quick("export", path, "a.xlsx")
    assert (code, err) == (2, "sumabm: a.xlsx: should end in one of .parquet, .csv, .nc\n")
    code, _, err = quick("export", path, "tiny.toml/a.csv")
    assert code == 1
    assert "cannot be written" in err


def test_verify(quick, tmp_path):
    quick("battery", "tiny.toml")
    path = folder(tmp_path)
    code, out, _ = quick("verify", path, "--sample", 2)
    assert (code, out.splitlines()) == (
        0,
        [
            "12 chunks have the data that was stored; 0 are not done",
            "2 computed again; the same, bit for bit",
        ],
    )
    store = Store.open(path)
    file = store.file(next(store.chunks()).identity)
    file.write_bytes(file.read_bytes()[:-10])
    code, out, err = quick("verify", path, "--json")
    told = json.loads(out)
    assert (code, told["checked"], told["recomputed"]) == (1, 11, 5)
    assert err.splitlines()[-1] == f"sumabm: {told['problems'][0]}"
    file.unlink()
    assert report(quick("resume", path, "--json"))["done"] == 12
    assert report(quick("verify", path, "--json", "--sample", 0))["problems"] == []


# --- what is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("tiny.toml", "--shard", "0/3"),
            2,
            "--shard 0/3: should be K/N with 1 ≤ K ≤ N < 10⁶, as in",
        ),
        (("tiny.toml", "--shard", "4/3"), 2, "--shard 4/3: should be K/N"),
        (("tiny.toml", "--shard", "3"), 2, "--shard 3: should be K/N"),
        (("tiny.toml", "--shard", "a/b"), 2, "--shard a/b: should be K/N"),
        (("tiny.toml", "--shard", "-1/2"), 2, "--shard -1/2: should be K/N"),
        (("tiny.toml", "--shard", "1/2/3"), 2, "--shard 1/2/3: should be K/N"),
        (("tiny.toml", "--set", "replicates"), 2, "--set replicates: should be PATH=VALUE"),
        (("tiny.toml", "--set", "seed=1", "--set", "seed=2"), 2, "seed is set twice"),
        (("tiny.toml", "--set", "replicates=0"), 2, "tiny.toml: replicates: input should be"),
        (("tiny.toml", "--set", "scenario.steps=0"), 2, "tiny.toml: scenario.steps: input should"),
        (("tiny.toml", "--set", "levers.steps=[0]"), 2, "battery tiny: point 0 ("),
        (("nowhere.toml",), 2, "nowhere.toml: is not a file"),
        (("nothing",), 2, "unknown battery; allowed: aligners, atlas, causal, crux-conservatism"),
        (("tiny.toml", "--out", "tiny.toml"), 1, "cannot be written: tiny.toml is not a folder"),
        (("tiny.toml", "--workers", "9", "--scheduler", "x"), 2, "a Dask cluster has its own"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(quick, tmp_path, words, code, said):
    found, out, err = quick("battery", *words)
    assert (found, out) == (code, "")
    [told] = [line for line in err.splitlines() if said in line]
    assert told.startswith(("sumabm: ", "battery tiny: point"))
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


@pytest.mark.parametrize("command", ["resume", "status", "export", "verify"])
def test_a_folder_that_holds_no_battery(quick, tmp_path, command):
    more = ["a.csv"] if command == "export" else []
    code, _, err = quick(command, tmp_path, *more)
    assert code == 1
    assert f"sumabm: {tmp_path}: is not a battery: battery.json: " in err
    (tmp_path / "battery.json").write_text('{"format": 99}')
    code, _, err = quick(command, tmp_path, *more)
    assert code == 1
    assert "battery.json is not of format 1" in err


def test_an_engine_that_cannot_start(quick, monkeypatch):
    def none(*_):
        raise EngineError("no Dask scheduler answers at tcp://nowhere:1")

    monkeypatch.setattr("sumabm.battery.engine.Cluster", none)
    code, _, err = quick("battery", "tiny.toml", "--scheduler", "tcp://nowhere:1")
    assert code == 1
    assert err.endswith("\nsumabm: no Dask scheduler answers at tcp://nowhere:1\n")


def test_a_store_that_cannot_be_written(quick, tmp_path, monkeypatch):
    quick("battery", "tiny.toml", "--plan")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sumabm.battery.work.write_parquet", full)
        code, _, err = quick("battery", "tiny.toml")
    assert code == 1
    path = folder(tmp_path)
    told = [line for line in err.splitlines() if "chunks, " not in line and "points" not in line]
    assert told[0] == f"go on with: sumabm resume runs/{path.name}"
    assert told[1].endswith("cannot be written: [Errno 28] No space left on device")
    assert report(quick("resume", path, "--json"))["done"] == 12


# --- interruptions -----------------------------------------------------------------------------


def command(tmp_path, *words, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "sumabm", *map(str, words)],
        cwd=tmp_path,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_says_how_to_go_on(quick, tmp_path, how):
    words = ("--set", "replicates=400", "--set", "scenario.steps=300", "--workers", "1")
    running = command(tmp_path, "battery", "tiny.toml", *words)
    try:
        until = time.monotonic() + 40.0
        pool = tmp_path / "runs" / "chunks"
        while not list(pool.glob("??/*.parquet")):
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        running.send_signal(how)
        out, err = running.communicate(timeout=20)
    finally:
        running.kill()
    path = folder(tmp_path)
    assert (running.returncode, out) == (130, "")
    done = len(list(pool.glob("??/*.parquet")))
    last = f"{done} of 800 chunks are stored; go on with: sumabm resume runs/{path.name}"
    assert err.splitlines()[-1] == f"sumabm: interrupted: {last}"
    assert 0 < done < 800
    assert list((path / "failures").glob("*.json")) == []
    before = {file: file.read_bytes() for file in pool.glob("??/*")}
    assert report(quick("resume", path, "--shard", "1/400", "--json"))["done"] == 2
    assert all(file.read_bytes() == data for file, data in before.items())
    assert [left.name for left in pool.iterdir() if left.is_file()] == []
    assert verify(Store.open(path), 0).problems == []


def test_an_interruption_while_it_plans_leaves_nothing(quick, tmp_path, monkeypatch):
    def interrupted(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not interrupted")

    monkeypatch.setattr("sumabm.battery.store.plan", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    code, _, err = quick("battery", "tiny.toml")
    assert (code, err) == (130, "sumabm: interrupted: nothing was stored\n")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_who_starts_at_once_shares_one_plan(quick, tmp_path):
    both = [command(tmp_path, "battery", "tiny.toml", "--plan", "--json") for _ in range(2)]
    told = []
    for running in both:
        out, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
        told.append(json.loads(out))
    path = folder(tmp_path)
    assert told[0] == told[1]
    assert [left.name for left in (tmp_path / "runs").iterdir()] == [path.name]
    for k in (1, 2):
        part = report(quick("battery", "tiny.toml", "--shard", f"{k}/2", "--json"))
        assert (part["path"], part["done"]) == (f"runs/{path.name}", 6)
    assert report(quick("status", path, "--json"))["done"] == 12


# --- plug-ins ----------------------------------------------------------------------------------

PLUG_IN = '''\
"""Somebody's power."""

import os

from sumabm.power import Power


class Fragile(Power):
    """Power that breaks where the environment says so."""

    kind = "fragile"

    def nats(self, step: int) -> float:
        if step == 2 and "BREAK" in os.environ:
            raise ZeroDivisionError("it broke")
        return 1.5
'''


@pytest.fixture
def fragile(tmp_path):
    """Install a package with a component that raises; return its module and PYTHONPATH."""
    site = tmp_path / "site"
    facts = site / "somebodys_power-1.0.dist-info"
    (site / "fragile").mkdir(parents=True)
    facts.mkdir()
    module = site / "fragile" / "__init__.py"
    module.write_text(PLUG_IN, encoding="utf-8")
    (facts / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: somebodys-power\nVersion: 1.0\n", encoding="utf-8"
    )
    (facts / "entry_points.txt").write_text(
        "[sumabm.components]\nfragile = fragile\n", encoding="utf-8"
    )
    text = TEXT.replace("steps = 3 }", 'steps = 3, "agents.Y.power" = "fragile" }')
    text = text.replace("replicates = 5", "replicates = 1")
    (tmp_path / "tiny.toml").write_text(text, encoding="utf-8")
    return module, os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))


def test_a_component_that_raises_that_changes_and_that_is_gone(quick, fragile, tmp_path):
    module, path = fragile
    environment = {"PYTHONPATH": path}
    words = ("battery", "tiny.toml", "--workers", "1")
    running = command(tmp_path, *words, BREAK="1", **environment)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 1, err
    assert err.count("ZeroDivisionError: it broke") == 4
    records = list((folder(tmp_path) / "failures").glob("*.json"))
    assert len(records) == 4
    record = json.loads(records[0].read_text(encoding="utf-8"))
    assert 'raise ZeroDivisionError("it broke")' in record["traceback"]
    assert record["crashes"] == 0
    module.write_text(PLUG_IN.replace("1.5", "2.5"), encoding="utf-8")
    running = command(tmp_path, "resume", folder(tmp_path), "--workers", "1", **environment)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (1, "")
    assert "Traceback" not in err
    assert err.splitlines()[-1].endswith(
        "was planned with other sources of the simulator, a plug-in or a data file than those "
        "here; move it and start again with 'sumabm battery'"
    )
    assert list((tmp_path / "runs" / "chunks").glob("??/*")) == []
    code, _, err = quick("status", folder(tmp_path))  # this process does not have it
    assert code == 1
    assert "battery.json: cannot be read" in err


def test_local_engine_is_the_default():
    from sumabm.cli.batteries import engine_of

    assert isinstance(engine_of(1, None), Local)
