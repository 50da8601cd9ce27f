"""A battery with eleven poisons in it: each is reported, and costs nothing but its own chunk.

A plug-in behaviour raises, hangs, ends or kills its process, or fills the memory, some of it for
good. On two workers of this machine, then on a real Dask scheduler with two: every poisoned chunk
must be recorded as failed with what happened and where, and every other be byte-identical to a run
without poison. All processes are held to 1 GiB of data each, so that what fills the memory spares
this machine; the nannies of Dask's workers end them before that.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measures.battery_kill import PYTHON, battery, chunks, dask
from measures.plugin import installed

GOOD, LIMIT, LONGEST = 60, 5.0, 300.0
MEMORY, DASK_MEMORY = 2**30, 700 * 2**20
SOURCE = '''\
"""An AI that does what no chunk should."""

import ctypes
import os
import signal
import sys
import time
from typing import Annotated

import numpy as np
from pydantic import Field

from sumabm.behaviours.honest import Honest

HOARD = []


class OddError(Exception):
    """Cannot be made again from its arguments, as unpickling would."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
        self.lock = open(os.devnull)


def raises():
    raise ValueError("a poisoned number")


def raises_odd():
    raise OddError("odd", "even")


def sleeps():
    time.sleep(1e6)


def holds_the_lock():
    ctypes.PyDLL(None).sleep(1_000_000)


def exits():
    sys.exit(3)


def leaves():
    os._exit(3)


def crashes():
    ctypes.string_at(0)


def kills():
    os.kill(os.getpid(), signal.SIGKILL)


def fills_with_arrays():
    hoard = []
    while True:
        hoard.append(np.ones(2**17))


def fills_with_objects():
    hoard = []
    while True:
        hoard.append(bytes(400))


def fills_for_good():
    while True:
        HOARD.append(np.ones(2**17))


POISONS = [
    raises, raises_odd, sleeps, holds_the_lock, exits, leaves, crashes, kills,
    fills_with_arrays, fills_with_objects, fills_for_good,
]


class Poisoned(Honest):
    """Does something bad at step 5, or nothing."""

    kind = "poisoned"

    does: Annotated[str, Field(description="what it does")] = "nothing"

    def act(self, me, view, state, draw):
        if view.step == 5 and self.does != "nothing":
            {poison.__name__: poison for poison in POISONS}[self.does]()
        return super().act(me, view, state, draw)
'''
DIED = ("worker died",)
EXPECTED = {
    "fills_for_good": ("MemoryError", *DIED),  # first: what follows must not suffer from it
    "raises": ("ValueError: a poisoned number",),
    "raises_odd": ("OddError: odd and even",),
    "exits": ("SystemExit: 3",),
    "sleeps": (f"did not end within {LIMIT:g} s",),
    "holds_the_lock": (f"did not end within {LIMIT:g} s",),
    "leaves": DIED,
    "crashes": DIED,
    "kills": DIED,
    "fills_with_arrays": ("MemoryError", *DIED),  # by the limit of data, or by Dask's nanny
    "fills_with_objects": ("MemoryError", *DIED),
}
"""What the error of each says: one of these."""
ON_LOKY = {"leaves": "EXIT(3)", "crashes": "SIGSEGV", "kills": "SIGKILL", "fills": "MemoryError"}
"""What the engine on this machine says more."""


def write_battery(folder: Path, name: str, poisons: list[str]) -> Path:
    """Write a battery of `GOOD` points with the poisons strewn among them."""
    rows = [("nothing", 0.5 + 0.05 * i) for i in range(GOOD)]
    for i, poison in enumerate(poisons):
        rows.insert(3 + i * 7, (poison, 9.0))
    path = "agents.X.behaviour.does"
    lines = [f"{path},agents.X.power", *(f"{does},{power}" for does, power in rows)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = folder / f"{name}.toml"
    text = f"""
battery = "{name}"
scenario = "essay"
replicates = 256
set = {{ steps = 30, "agents.X.behaviour" = {{ kind = "poisoned" }} }}
[uncertainties]
"{path}" = {json.dumps(["nothing", *EXPECTED])}
"agents.X.power" = {{ kind = "continuous", low = 0.1, high = 9.0 }}
[design]
kind = "listed"
file = "{name}.csv"
[chunk]
replicates = 256
limit = {LIMIT}
"""
    file.write_text(text, encoding="utf-8")
    return file


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([*PYTHON, *words], capture_output=True, text=True, timeout=2 * LONGEST)


def faults(out: Path, done: subprocess.CompletedProcess[str], pure: dict[str, str]) -> list[str]:
    """Return what is wrong after a poisoned run."""
    wrong = [] if done.returncode == 1 else [f"exits with {done.returncode}, not 1"]
    if "Traceback" in done.stderr or f"{len(EXPECTED)} chunks failed" not in done.stderr:
        wrong.append(f"says: {done.stderr[-1500:]}")
    found = chunks(out)
    wrong += [f"{name} is missing" for name in pure.keys() - found.keys()]
    wrong += [f"{name} is one too many" for name in found.keys() - pure.keys()]
    wrong += [f"{name} differs" for name in found if pure.get(name, found[name]) != found[name]]
    if left := [path.name for path in out.rglob(".writing-*")]:
        wrong.append(f"left behind: {left}")
    return wrong


def faults_of_records(out: Path, on_loky: bool) -> list[str]:
    """Return what is wrong with the records of failures; print what they say."""
    wrong, told = [], {}
    for file in out.glob("poisoned-*/failures/*.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        poison = record["changes"]["agents.X.behaviour.does"]
        if poison not in EXPECTED:  # this chunk is one of those that are missing
            wrong.append(f"a good chunk failed: {record['error']}")
            continue
        told[poison] = record["error"]
        print(f"  {poison:<20}{record['error'][:100]}")
        if not any(part in record["error"] for part in EXPECTED[poison]):
            wrong.append(f"{poison}: {record['error']}")
        died = any(part in record["error"] for part in DIED)
        if not died and f"in {poison}\n" not in record["traceback"]:
            wrong.append(f"{poison}: its traceback does not say where: {record['traceback']}")
        for start, more in ON_LOKY.items() if on_loky else ():
            if poison.startswith(start) and more not in record["error"]:
                wrong.append(f"{poison}: {record['error']}, not {more}")
    missing = EXPECTED.keys() - told.keys()
    return wrong + [f"no record of {poison}" for poison in sorted(missing)]


def disturbed(file: Path, out: Path, pure: dict[str, str], where: tuple[str, str]) -> int:
    """Run the poisoned battery, print what came of it, and return how much is wrong."""
    began = time.perf_counter()
    done = run(battery(file, out, *where))
    took = time.perf_counter() - began
    wrong = faults(out, done, pure) + faults_of_records(out, on_loky=where[0] == "--workers")
    if took > LONGEST:
        wrong.append(f"takes more than {LONGEST:g} s")
    told = "; ".join(fault[:300] for fault in wrong[:5])
    told += f"; and {len(wrong) - 5} more" * (len(wrong) > 5)
    print(f"  {took:.0f} s; {told or 'all others as without poison'}")
    return len(wrong)


def limit_memory() -> None:
    """Hold all processes from here on to `MEMORY`, and tell Dask that there is less."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    least = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (least, least))
    # Linux ignores this limit. Dask divides it among the cores as if it were the machine's memory.
    total = DASK_MEMORY * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_RSS, (total, total))


def main() -> int:
    limit_memory()
    with installed(SOURCE) as folder:
        file = write_battery(folder, "poisoned", list(EXPECTED))
        began = time.perf_counter()
        done = run(battery(write_battery(folder, "pure", []), folder / "pure"))
        pure = chunks(folder / "pure")
        print(f"without poison: {len(pure)} chunks, {time.perf_counter() - began:.1f} s")
        if done.returncode != 0 or len(pure) != GOOD:
            print(done.stderr)
            return 1
        print("on two workers of this machine")
        failed = disturbed(file, folder / "loky", pure, ("--workers", "2"))
        print("on Dask")
        with dask(folder):
            scheduler = str(folder / "scheduler.json")
            failed += disturbed(file, folder / "dask", pure, ("--scheduler", scheduler))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
