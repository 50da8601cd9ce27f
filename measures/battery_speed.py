"""What a battery costs beside simulating, and a million replicates of the essay.

Overhead per chunk of the whole path (checking the scenario, naming it, a synced Parquet file, the
driver) on loky and on Dask; two workers against one; the driver's memory over 100 000 chunks; and
1e6 replicates of `essay` (d = 100, 100 steps, end values), as a user runs them.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sumabm.battery.engine import Cluster, Done, Engine, Local, execute
from sumabm.battery.run import resume
from sumabm.battery.spec import load_battery
from sumabm.battery.store import Store
from sumabm.battery.work import work

LOKY, DASK, SPEED_UP, MEMORY, MINUTES = 5.0, 10.0, 1.8, 300.0, 5.0
SEEDS = {"loky-1": 11, "loky-2": 12, "dask-1": 21, "dask-2": 22}
CHUNKS, NO_OPS, MILLION = 1000, 100_000, 1_000_000
FILE = """
battery = "{name}"
scenario = "essay"
seed = {seed}
replicates = {replicates}
set = {{ steps = {steps} }}
chunk = {{ {chunk} }}
keep = {{ outcomes = ["harm", "cumulative_harm", "alignment"] }}
"""


def planned(folder: Path, name: str, **values: object) -> Store:
    """Return a planned battery of one point."""
    file = folder / f"{name}.toml"
    file.write_text(FILE.format(name=name, **values), encoding="utf-8")
    return Store.create(load_battery(file), folder / "runs", {})


def warm(engine: Engine, folder: Path, name: str) -> None:
    """Have all workers import what they need: they get work for longer than that takes."""
    resume(planned(folder, name, seed=1, replicates=8, steps=800, chunk="replicates = 1"), engine)


def overhead(engine: Engine, folder: Path, name: str) -> float:
    """Return milliseconds per chunk, of one worker, that are not simulating."""
    warm(engine, folder, f"{name}-warm")
    store = planned(
        folder, name, seed=SEEDS[name], replicates=CHUNKS, steps=20, chunk="replicates = 1"
    )
    store.ready()
    simulating, began = 0.0, time.perf_counter()
    call = partial(work, str(store.path), store.battery.chunk.limit)
    for outcome in execute(engine, call, store.chunks()):
        assert isinstance(outcome, Done), outcome.traceback
        simulating += outcome.result.seconds
    wall = time.perf_counter() - began
    return 1e3 * (wall * engine.workers - simulating) / CHUNKS


def overhead_on(name: str, workers: int, folder: Path) -> float:
    """Return the overhead on an engine; two Dask workers share two cores with scheduler, driver."""
    if name == "loky":
        with Local(workers) as engine:
            return overhead(engine, folder, f"loky-{workers}")
    with dask(folder, workers) as file, Cluster(file) as cluster:
        while cluster.workers < workers:
            time.sleep(0.5)
            cluster.check()
        return overhead(cluster, folder, f"dask-{workers}")


def speed_up(folder: Path) -> float:
    """Return how much faster two workers are than one on chunks of a second."""
    seconds = []
    for workers in (1, 2):  # 64 replicates × 100 dimensions stay in a core's own cache
        name = f"speed-{workers}"
        with Local(workers) as engine:
            warm(engine, folder, f"{name}-warm")
            store = planned(
                folder, name, seed=workers, replicates=1536, steps=1250, chunk="replicates = 64"
            )
            began = time.perf_counter()
            resume(store, engine)
            seconds.append(time.perf_counter() - began)
    print(f"24 chunks: {seconds[0]:.1f} s with one worker, {seconds[1]:.1f} s with two")
    return seconds[0] / seconds[1]


def nothing(chunk: object) -> None:
    """Do nothing with a chunk."""


def memory(folder: Path) -> list[float]:
    """Return a driver's resident MiB along 100 000 chunks on which nothing is done.

    A process of its own: this one has been driver of other things.
    """
    words = [sys.executable, __file__, str(folder)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return [float(value) for value in done.stdout.split()]


def resident_along(folder: Path) -> list[float]:
    """Be that driver."""
    store = planned(folder, "no-op", seed=0, replicates=NO_OPS, steps=1, chunk="replicates = 1")
    found = []
    with Local(2) as engine:
        for number, _ in enumerate(execute(engine, nothing, store.chunks())):
            if number % 5000 == 0:
                found.append(resident())
    return found


def resident() -> float:
    """Return this process's resident memory in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def million(folder: Path) -> float:
    """Return the minutes that a million replicates take, from the command line."""
    file = folder / "million.toml"
    chunk = "seconds = 2.0"
    text = FILE.format(name="million", seed=0, replicates=MILLION, steps=100, chunk=chunk)
    file.write_text(text, encoding="utf-8")
    words = ["sumabm", "battery", str(file), "--out", str(folder / "runs"), "--workers", "2"]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    print(done.stdout.strip() or done.stderr[-1000:])
    return (time.perf_counter() - began) / 60.0 if done.returncode == 0 else float("inf")


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[str]:
    """Run a scheduler and workers; gives the scheduler's file."""
    file = str(folder / f"scheduler-{workers}.json")
    local = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", file]
    worker = ["worker", "--nthreads", "1", "--local-directory", str(folder)]
    running = [
        subprocess.Popen([sys.executable, "-m", "dask", *words, *local], stderr=subprocess.DEVNULL)
        for words in (["scheduler", "--port", "0"], *[worker] * workers)
    ]
    try:
        while not Path(file).exists():
            time.sleep(0.1)
        yield file
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()


def main() -> int:
    met = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for engine, limit in (("loky", LOKY), ("Dask", DASK)):
            found, both = (overhead_on(engine, workers, folder) for workers in (1, 2))
            told = f"{found:.2f} ms of a worker's time (limit {limit})"
            print(f"overhead per chunk on {engine}: {told}; of either of two {both:.2f} ms")
            met.append(found <= limit)
        found = speed_up(folder)
        print(f"two workers: {found:.2f} × one (limit {SPEED_UP})")
        met.append(found >= SPEED_UP)
        along = memory(folder)
        third = len(along) // 3
        first, last = max(along[:third]), max(along[-third:])
        told = ", ".join(f"{value:.0f}" for value in itertools.islice(along, 0, None, third))
        print(f"driver over {NO_OPS} chunks: {told} MiB; limit {MEMORY:.0f}, at most 10 % growth")
        met.append(max(along) < MEMORY and last <= 1.1 * first)
        found = million(folder)
        print(f"{MILLION} replicates of essay: {found:.2f} minutes (limit {MINUTES:.0f})")
        met.append(found <= MINUTES)
    return 0 if all(met) else 1


if __name__ == "__main__":
    if sys.argv[1:]:
        print(*resident_along(Path(sys.argv[1])))
    else:
        sys.exit(main())
