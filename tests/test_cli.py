"""The command line: what it prints, where, and how it ends."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sumabm import cli, load_scenario, open_run, progress, runs, simulate
from sumabm.component import Slot
from sumabm.scenario import library

STEPS = 5


@pytest.fixture
def sumabm(tmp_path, monkeypatch, capsys):
    """Run the command line in an empty folder; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sumabm", *words])
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
def quick(monkeypatch, sumabm):
    """The same, with results but without figures, which take a second or more."""
    monkeypatch.setattr("sumabm.figures.save_all", lambda data, curves, folder: [])

    def call(*words):
        return sumabm("run", "essay", "--steps", str(STEPS), "--replicates", "3", *words)

    return call


def report(result):
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


# --- run ---------------------------------------------------------------------------------------


def test_run_prints_a_table_and_paths_that_exist(sumabm, tmp_path):
    code, out, err = sumabm("run", "essay", "--steps", str(STEPS), "-r", "3", "--out", "store")
    assert code == 0
    assert "essay: last step" in out
    assert re.search(r" harm +[0-9.e-]+ +[0-9.e-]+ +[0-9.e-]+ +nats", out)
    assert "3 replicates, seed 0; stored" in out
    paths = re.findall(r"^(?:data|figures) +(.+)$", out, flags=re.MULTILINE)
    assert len(paths) == 2
    for path in paths:
        assert (tmp_path / path).exists()
    [folder] = (tmp_path / "store").iterdir()
    assert (tmp_path / paths[0]).parent == folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    figures = sorted(path.name for path in (folder / "figures").iterdir())
    assert sorted(manifest["figures"]) == figures
    assert any(name.endswith(".svg") for name in figures)
    assert all((folder / "figures" / name).stat().st_size > 1000 for name in figures)
    assert err.strip().endswith("0 s left")


def test_run_as_json(quick, tmp_path):
    told = report(quick("--json", "--seed", "4"))
    assert told["reused"] is False
    assert (told["seed"], told["replicates"]) == (4, [0, 3])
    run = open_run(tmp_path / told["path"])
    assert run.identical(simulate("essay", 3, seed=4, steps=STEPS))
    assert run.attrs["identity"] == told["identity"]
    harm = next(line for line in told["result"] if line["quantity"] == "harm")
    last = run["harm"].isel(step=-1).values
    assert harm["mean"] == pytest.approx(last.mean(), rel=1e-12)
    assert harm["standard_error"] == pytest.approx(last.std(ddof=1) / np.sqrt(3), rel=1e-12)
    assert harm["unit"] == "nats"
    assert set(told["seconds"]) == {"simulate", "write", "figures"}


def test_runs_go_to_the_folder_runs_unless_told_otherwise(quick, tmp_path):
    assert report(quick("--json"))["path"].startswith("runs")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_set(quick, tmp_path):
    words = ("agents.X.power=0.5", "agents.Y.response=none", "world.dimensions = 7")
    told = report(quick("--json", *(word for text in words for word in ("--set", text))))
    overrides = {"agents.X.power": 0.5, "agents.Y.response": "none", "world.dimensions": 7}
    expected = simulate("essay", 3, steps=STEPS, overrides=overrides)
    assert open_run(tmp_path / told["path"]).identical(expected)
    manifest = runs.read_manifest(tmp_path / told["path"])
    assert manifest["given"]["set"] == list(words)


def test_a_range_of_replicates_is_part_of_the_ensemble(quick, tmp_path):
    whole, part = report(quick("--json")), report(quick("--json", "--replicates", "1:3"))
    assert part["replicates"] == [1, 3]
    one, other = (open_run(tmp_path / told["path"]) for told in (whole, part))
    assert other.equals(one.sel(replicate=[1, 2]))


def test_a_random_seed_is_said_and_gives_the_run_again(quick, tmp_path):
    told, another = (report(quick("--json", "--seed", "random")) for _ in range(2))
    assert told["seed"] != another["seed"]
    assert not another["reused"]
    again = report(quick("--json", "--seed", str(told["seed"])))
    assert again["reused"]
    assert again["path"] == told["path"]


def test_a_run_that_is_there_is_reused_and_that_is_said(quick):
    first, again = quick(), quick()
    assert "reused: the store has this run" in again[1]
    assert "reused" not in first[1]
    assert again[1].replace("reused: the store has this run", "stored") == first[1]
    assert first[2] != again[2] == ""  # nothing simulated, no progress
    assert report(quick("--json"))["reused"] is True


def test_a_file_runs_like_its_name(quick, sumabm, tmp_path):
    (tmp_path / "mine.toml").write_bytes((library() / "essay.toml").read_bytes())
    first = report(quick("--json"))
    again = report(sumabm("run", "mine.toml", "--steps", str(STEPS), "-r", "3", "--json"))
    assert again["path"] == first["path"]
    assert again["reused"]


def test_no_room_for_the_run(quick, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, out, err = quick("--out", "file")
    assert (code, out) == (1, "")
    assert err.startswith("sumabm: file: cannot be written")


def test_a_damaged_run(quick, tmp_path):
    told = report(quick("--json"))
    (tmp_path / told["path"] / "data.parquet").write_bytes(b"")
    code, out, err = quick()
    assert (code, out) == (1, "")
    assert told["path"] in err
    assert "checksum" in err


def test_no_memory_for_the_run(sumabm, tmp_path):
    code, out, err = sumabm("run", "essay", "--replicates", "4294967296")
    assert (code, out) == (1, "")
    assert err.startswith("sumabm: not enough memory: ")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption(quick, monkeypatch, tmp_path):
    def interrupted(*words, **names):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "recorded", interrupted)
    code, out, err = quick()
    assert (code, out) == (130, "")
    assert "interrupted: nothing was stored" in err
    assert list(tmp_path.iterdir()) == []


def test_bad_input(quick, tmp_path):
    code, out, err = quick("--set", "agents.X.power=-1")
    assert (code, out) == (2, "")
    assert err.startswith("sumabm: ")
    assert "agents.X.power.value: " in err
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_ours_is_not_hidden(monkeypatch, quick):
    def broken(*words, **names):
        raise ZeroDivisionError

    monkeypatch.setattr(runs, "recorded", broken)
    with pytest.raises(ZeroDivisionError):
        quick()


# --- progress ----------------------------------------------------------------------------------


class Terminal:
    """Standard error that is, or is not, a terminal."""

    def __init__(self, answer):
        self.answer, self.text = answer, ""

    def isatty(self):
        return self.answer

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass


def test_a_log_gets_lines(monkeypatch):
    error, now = Terminal(False), [0.0]
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.progress("essay, 7 replicates", "steps") as report:
        report(0, 10)
        for done in range(1, 11):
            now[0] += 2.0
            report(done, 10, "all well" * (done == 10))
    lines = error.text.splitlines()
    assert lines[0] == "essay, 7 replicates: 3 of 10 steps, 6.0 s, 14 s left"
    assert lines[-1] == "essay, 7 replicates: 10 of 10 steps, 20.0 s, 0 s left; all well"
    assert len(lines) == 4  # one in five seconds at most, and the last
    assert "\x1b" not in error.text


def test_a_terminal_gets_a_bar(monkeypatch):
    error = Terminal(True)
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with progress.progress("essay, 7 replicates", "steps") as report:
        report(10, 10)
    assert "essay, 7 replicates" in error.text
    assert "10/10" in error.text
    assert "━" in error.text
    assert "10 of 10 steps" not in error.text


PLAIN = """
import sys
import sumabm.figures
from sumabm.cli import main
sumabm.figures.save_all = lambda data, curves, folder: []
sys.argv = {argv!r}
main()
"""


def in_a_terminal(words, folder):
    """Run a command with a terminal for standard error; return exit code, output, errors."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIN.format(argv=["sumabm", *words])],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        ready, _, _ = select.select([ours], [], [], 0.2)
        try:
            piece = os.read(ours, 4096) if ready else b"?"
        except OSError:  # the other end is closed
            break
        if piece == b"":
            break
        shown += piece if ready else b""
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out.decode(), shown.decode()


def test_a_real_terminal_gets_a_bar_and_a_pipe_gets_json(tmp_path):
    words = ["run", "essay", "--steps", "5", "--replicates", "3", "--json"]
    code, out, shown = in_a_terminal(words, tmp_path)
    assert code == 0
    assert "━" in shown
    assert "5/5" in shown
    assert (tmp_path / json.loads(out)["path"] / "data.parquet").exists()


# --- list and validate -------------------------------------------------------------------------


def test_list_as_json(sumabm):
    found = report(sumabm("list", "--json"))
    assert {"essay", "bayesian"} <= {scenario["name"] for scenario in found["scenarios"]}
    rooms = found["components"]
    assert {"world", "power", "utility", "behaviour", "response", "method", "harm"} <= set(rooms)
    [rate] = [
        parameter
        for kind in rooms["power"]
        for parameter in kind["parameters"]
        if (kind["kind"], parameter["name"]) == ("exponential", "rate")
    ]
    assert rate["unit"] == "per step"
    [budget] = [kind for kind in rooms["method"] if kind["kind"] == "budget"]
    cap, _ = budget["parameters"]
    assert (cap["default"], cap["required"]) == (True, False)


def test_list_for_a_person(sumabm):
    code, out, err = sumabm("list")
    assert (code, err) == (0, "")
    for room, kinds in report(sumabm("list", "--json"))["components"].items():
        assert f"\n{room}\n" in out
        for kind in kinds:
            assert f"  {kind['kind']}  {kind['about']}" in out
            for parameter in kind["parameters"]:
                assert f"      {parameter['name']}: {parameter['about']}" in out


def test_what_is_listed_validates(sumabm):
    """Every shipped scenario validates by the name that is listed."""
    found = report(sumabm("list", "--json"))
    names = [scenario["name"] for scenario in found["scenarios"]]
    code, out, err = sumabm("validate", *names)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == len(names)


def test_validate(sumabm, tmp_path):
    code, out, err = sumabm("validate", "essay")
    assert (code, err) == (0, "")
    assert out == "essay: valid: essay, 3 agents, 200 steps\n"
    assert list(tmp_path.iterdir()) == []


def test_validate_as_json(sumabm):
    words = ("validate", "essay", "--json", "--set", "agents.X.power=3", "--set", "steps=9")
    told = report(sumabm(*words))
    spec = load_scenario("essay", {"agents.X.power": 3, "steps": 9})
    assert told == json.loads(json.dumps(spec.model_dump()))


def test_validate_says_all_that_is_wrong(sumabm, tmp_path):
    text = (library() / "essay.toml").read_text(encoding="utf-8")
    (tmp_path / "one.toml").write_text(text.replace("steps = 200", "steps = 0"), encoding="utf-8")
    (tmp_path / "two.toml").write_text(text.replace('"regret"', '"regert"'), encoding="utf-8")
    code, out, err = sumabm("validate", "one.toml", "essay", "two.toml", "nothing")
    assert code == 2
    assert out.startswith("essay: valid")
    assert "one.toml: steps: " in err
    assert "two.toml: harm: " in err
    assert "'nothing'" in err


# --- as a process ------------------------------------------------------------------------------


def process(*words, folder, **more):
    return subprocess.run(
        [sys.executable, "-W", "error", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        **more,
    )


IMPORTED = """
import sys
sys.argv = {argv!r}
from sumabm.cli import main
try:
    main()
except SystemExit as stop:
    print(stop.code, file=sys.stderr)
heavy = {{"numpy", "scipy", "mesa", "matplotlib", "pandas", "pyarrow", "xarray", "rich"}}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["list", "--help"], []])
def test_help_imports_nothing_heavy(words, tmp_path):
    done = process("-c", IMPORTED.format(argv=["sumabm", *words]), folder=tmp_path)
    code, heavy = done.stderr.splitlines()[-2:]
    assert code == ("0" if words else "2")
    assert heavy == "[]"
    assert "Usage: sumabm" in done.stdout + done.stderr


def test_validate_needs_no_simulator(tmp_path):
    code = IMPORTED.format(argv=["sumabm", "validate", "essay"])
    done = process("-c", code, folder=tmp_path)
    assert done.stdout.startswith("essay: valid")
    assert not {"mesa", "matplotlib", "pyarrow", "xarray", "rich"} & set(
        re.findall(r"\w+", done.stderr.splitlines()[-1])
    )


def test_the_module_is_the_command_line(tmp_path):
    done = process("-m", "sumabm", "validate", "essay", "--set", "steps=3", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "essay: valid: essay, 3 agents, 3 steps\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [(["validate", "essay"], 0), (["validate", "esay"], 2), (["run"], 2), (["walk"], 2)],
)
def test_exit_codes(words, code, tmp_path):
    done = process("-m", "sumabm", *words, folder=tmp_path)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


EAGER = """
import sys
from sumabm import progress
from sumabm.cli import main
progress._EVERY = 0.1
sys.argv = {argv!r}
main()
"""


def test_interrupted_from_outside(tmp_path):
    """Ctrl-C while it simulates: exit 130, one line, an empty store, and then it works."""
    words = ["run", "essay", "--steps", "100000", "--replicates", "50"]
    running = subprocess.Popen(
        [sys.executable, "-c", EAGER.format(argv=["sumabm", *words])],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    first = running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert "step" in first
    assert running.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1] == "sumabm: interrupted: nothing was stored"
    assert list(tmp_path.iterdir()) == []


def test_output_that_nobody_reads(tmp_path):
    """A pipe that closes early is no disaster."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "sumabm", "list"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    os.close(write)
    assert "Traceback" not in done.stderr


def test_the_slots_say_what_they_take(sumabm):
    """Bounds of a field that takes a component name the kinds."""
    from sumabm.worlds import WorldSpec

    field = WorldSpec.model_fields["dynamics"]
    assert any(isinstance(mark, Slot) for mark in field.metadata)
    for kind in report(sumabm("list", "--json"))["components"]["world"]:
        [dynamics] = [p for p in kind["parameters"] if p["name"] == "dynamics"]
        assert "one of persist, relax, reset" in dynamics["bounds"]
        assert dynamics["default"] == "reset"
