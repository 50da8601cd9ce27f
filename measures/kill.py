"""`kill -9` at 20 random moments of a run: the store has all of it or nothing, and the next works.

Each kill takes the run's whole process group, at a moment drawn evenly over the length of a run
that nobody disturbs; the data is then compared with that run's, bit for bit.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import xarray as xr

import sumabm

KILLS, REPLICATES, SEED = 20, 500, 1


def start(out: Path) -> subprocess.Popen[str]:
    """Start a run in a process group of its own."""
    words = ["run", "essay", "--replicates", str(REPLICATES), "--out", str(out), "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "sumabm", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).resolve().parent.parent,
    )


def kill(process: subprocess.Popen[str], after: float) -> None:
    """Kill a process group after so many seconds, and wait until it is gone."""
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):  # it had ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def stored(out: Path) -> list[Path]:
    """Return what a user sees in the store."""
    return sorted(path for path in out.glob("*") if not path.name.startswith("."))


def leftovers(out: Path) -> int:
    """Return how many unfinished folders there are."""
    return len(list(out.glob(".writing-*")))


def faults_of_store(out: Path, expected: xr.Dataset) -> list[str]:
    """Return what is wrong with a store after a kill; at most one run, and whole."""
    runs = stored(out)
    found = [] if len(runs) <= 1 else [f"{len(runs)} runs"]
    for path in runs:
        try:
            if not sumabm.open_run(path).identical(expected):
                found.append(f"{path.name} has other data")
            manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
            missing = [name for name in manifest["figures"] if not (path / "figures" / name).stat()]
        except (RuntimeError, OSError, KeyError) as error:
            found.append(f"{path.name} does not open: {error}")
        else:
            found += [f"{name} is missing" for name in missing]
    return found


def faults_of_next(out: Path, expected: xr.Dataset, whole: bool) -> list[str]:
    """Return what is wrong with the run after a kill, with the same arguments."""
    process = start(out)
    told, errors = process.communicate(timeout=120)
    if process.returncode != 0:
        return [f"the next run exits with {process.returncode}: {errors.strip()}"]
    found = faults_of_store(out, expected)
    if len(stored(out)) != 1:
        found.append(f"{len(stored(out))} runs after the next")
    if json.loads(told)["reused"] is not whole:
        found.append("the next run did not reuse the whole one" if whole else "reused what?")
    if left := leftovers(out):
        found.append(f"{left} unfinished folders after the next run")
    return found


def main() -> int:
    moments, failed = random.Random(SEED), 0
    counts = {"nothing stored": 0, "of these half written": 0, "all stored": 0}
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        process = start(Path(name) / "undisturbed")
        _, errors = process.communicate(timeout=120)
        length = time.perf_counter() - began
        if process.returncode != 0:
            print(f"the undisturbed run fails: {errors}")
            return 1
        [path] = stored(Path(name) / "undisturbed")
        expected = sumabm.open_run(path)
        print(f"an undisturbed run takes {length:.2f} s")
        for number in range(KILLS):
            out, moment = Path(name) / str(number), moments.uniform(0.0, length)
            kill(start(out), moment)
            whole, half = len(stored(out)) == 1, leftovers(out)
            counts["all stored" if whole else "nothing stored"] += 1
            counts["of these half written"] += half
            wrong = faults_of_store(out, expected) + faults_of_next(out, expected, whole)
            failed += bool(wrong)
            state = "whole run" if whole else "half written" if half else "nothing"
            print(f"killed after {moment:.2f} s: {state}; {'; '.join(wrong) or 'next run well'}")
    told = ", ".join(f"{what}: {count}" for what, count in counts.items())
    print(f"{KILLS} kills ({told}); {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
