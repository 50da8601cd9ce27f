"""A battery of 2000 chunks, killed at random ten times and resumed: as if nobody had touched it.

Drivers, workers and whole process groups get SIGKILL at random moments, on this machine's cores,
on a Dask scheduler with two workers, and from four shards at once on one store. Afterwards every
file must be byte-identical to an undisturbed run, none missing, none more, none half written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

KILLS, CHUNKS, SEED = 10, 2000, 1
FILE = f"""
battery = "killed"
scenario = "essay"
replicates = {CHUNKS // 50 * 4}
set = {{ steps = 30 }}
[uncertainties]
"agents.X.power" = {{ kind = "continuous", low = 0.1, high = 9.0 }}
[design]
kind = "latin-hypercube"
points = 50
[chunk]
replicates = 4
"""
PYTHON = [sys.executable, "-m"]


def start(words: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own."""
    errors = subprocess.DEVNULL if log is None else log.open("ab")
    return subprocess.Popen(
        [*PYTHON, *words], stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
    )


def battery(file: Path, out: Path, *more: str) -> list[str]:
    """Return the words of the command that runs the battery into ``out``."""
    return ["sumabm", "battery", str(file), "--out", str(out), *more]


def children(pid: int) -> list[int]:
    """Return the processes that descend from one, which must be alive."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += [int(child), *children(int(child))]
    return found


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process group and wait until its leader is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_one(pid: int) -> None:
    """Kill one process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def names(out: Path) -> list[Path]:
    """Return every file in the pool of chunks, unfinished ones included."""
    return sorted(path for path in (out / "chunks").rglob("*") if path.is_file())


def chunks(out: Path) -> dict[str, str]:
    """Return the digest of each of them."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names(out)}


def faults(out: Path, expected: dict[str, str]) -> list[str]:
    """Return what is different from an undisturbed run."""
    found = chunks(out)
    wrong = [f"{name} is missing" for name in expected.keys() - found.keys()]
    wrong += [f"{name} is one too many" for name in found.keys() - expected.keys()]
    wrong += [f"{name} differs" for name in found if expected.get(name, found[name]) != found[name]]
    if len(list(out.glob("killed-*"))) != 1:
        wrong.append("there is not one folder of the battery")
    if left := [path.name for path in out.glob("*/.writing-*")] + list(out.glob(".writing-*")):
        wrong.append(f"unfinished: {left}")
    return wrong


def disturb(
    words: list[str],
    out: Path,
    cluster: list[subprocess.Popen[bytes]],
    moments: random.Random,
) -> str:
    """Run the battery until a random moment, kill something; return what."""
    driver = start(words)
    what = moments.choice(["driver", "worker", "group"])
    if moments.random() < 0.7:  # at work; else perhaps still starting
        wait_for_more(out, driver)
    time.sleep(moments.uniform(0.0, 3.0))
    if driver.poll() is not None:
        return "nothing, it had ended"
    if what == "driver":
        kill_one(driver.pid)
    elif what == "worker":
        below = [child for parent in cluster or [driver] for child in children(parent.pid)]
        if below:
            kill_one(moments.choice(below))
        time.sleep(1.0)
    if what == "group":
        for process in cluster:
            kill_group(process)
    kill_group(driver)
    return what


def wait_for_more(out: Path, driver: subprocess.Popen[bytes]) -> None:
    """Wait until a chunk is stored that was not there, or the driver has ended."""
    before = len(names(out))
    while driver.poll() is None and len(names(out)) == before:
        time.sleep(0.05)


@contextlib.contextmanager
def dask(folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep a scheduler and two workers; whoever empties the list of them gets new ones."""
    processes: list[subprocess.Popen[bytes]] = []
    start_dask(folder, processes)
    try:
        yield processes
    finally:
        for process in processes:
            kill_group(process)


def start_dask(folder: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    """Start a scheduler, named in a file, and two workers where they no longer run."""
    if processes and all(process.poll() is None for process in processes):
        return
    for process in processes:
        kill_group(process)
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    local = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    log = folder / "dask.log"
    processes[:] = [start(["dask", "scheduler", "--port", "0", *local], log)]
    while not file.exists():
        time.sleep(0.1)
    worker = ["dask", "worker", "--nthreads", "1", "--local-directory", str(folder), *local]
    processes += [start(worker, log) for _ in range(2)]


def finish(words: list[str]) -> list[str]:
    """Run the battery to its end; return what is wrong with that."""
    done = subprocess.run([*PYTHON, *words], capture_output=True, text=True, timeout=400)
    return [] if done.returncode == 0 else [f"exits with {done.returncode}: {done.stderr[-500:]}"]


def on_cores(file: Path, out: Path, moments: random.Random) -> list[str]:
    """Disturb the battery on this machine's cores."""
    words = battery(file, out)
    killed = [disturb(words, out, [], moments) for _ in range(KILLS)]
    print(f"  killed: {', '.join(killed)}; {len(chunks(out))} chunks by then")
    return finish(words)


def on_dask(file: Path, out: Path, moments: random.Random) -> list[str]:
    """Disturb the battery on a real scheduler with two workers."""
    folder = out.parent
    words = battery(file, out, "--scheduler", str(folder / "scheduler.json"))
    with dask(folder) as processes:
        killed = []
        for _ in range(KILLS):
            start_dask(folder, processes)
            killed.append(disturb(words, out, processes, moments))
        print(f"  killed: {', '.join(killed)}; {len(chunks(out))} chunks by then")
        start_dask(folder, processes)
        return finish(words)


def in_shards(file: Path, out: Path, moments: random.Random) -> list[str]:
    """Disturb four shards that run at once on one store."""
    words = [battery(file, out, "--workers", "1", "--shard", f"{k}/4") for k in range(1, 5)]
    running = [start(each) for each in words]
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.5, 4.0))
        k = moments.randrange(4)
        below = children(running[k].pid) if running[k].poll() is None else []
        if below and moments.random() < 0.5:
            kill_one(moments.choice(below))
        else:
            kill_group(running[k])
            running[k] = start(words[k])
    print(f"  {KILLS} kills; {len(chunks(out))} chunks by then")
    codes = [process.wait(timeout=400) for process in running]
    wrong = [f"shard {k + 1} exits with {code}" for k, code in enumerate(codes) if code != 0]
    return wrong + finish(battery(file, out))


def main() -> int:
    moments, failed = random.Random(SEED), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "killed.toml"
        file.write_text(FILE, encoding="utf-8")
        began = time.perf_counter()
        wrong = finish(battery(file, folder / "undisturbed"))
        expected = chunks(folder / "undisturbed")
        print(f"undisturbed: {len(expected)} chunks, {time.perf_counter() - began:.1f} s")
        if wrong or len(expected) != CHUNKS:
            print("\n".join(wrong) or "not as many chunks as there should be")
            return 1
        for way in (on_cores, on_dask, in_shards):
            print(way.__doc__)
            out = folder / way.__name__ / "runs"
            out.mkdir(parents=True)
            wrong = way(file, out, moments)
            wrong += faults(out, expected)
            failed += len(wrong)
            print(f"  {'; '.join(wrong[:5]) or 'all files as in the undisturbed run'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
