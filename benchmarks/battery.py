"""What the engines cost: time per item, speed-up of two workers, memory of the driver.

Run from the repository root: ``python benchmarks/battery.py``. The Dask cluster is a real
scheduler and two real workers on this machine.
"""

import operator
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sumabm.battery.engine import Cluster, Engine, Local, execute

WORKERS = 2
MANY = 100_000
SECOND = 10.0
"""Work that takes one worker about this many seconds, in items of a second."""


@contextmanager
def dask_cluster() -> Iterator[str]:
    """Run a scheduler and WORKERS workers; gives the path of the scheduler's file."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "scheduler.json"))
        common = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", file]
        worker = ["worker", "--nthreads", "1", "--local-directory", folder]
        commands = [["scheduler", "--port", "0"], *[worker] * WORKERS]
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "dask", *command, *common], stderr=subprocess.DEVNULL
            )
            for command in commands
        ]
        try:
            yield file
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()


def seconds(engine: Engine, function: Callable[..., object], items: Iterable[object]) -> float:
    start = time.perf_counter()
    deque(execute(engine, function, items), maxlen=0)
    return time.perf_counter() - start


def report_overhead(name: str, engine: Engine, items: int) -> None:
    seconds(engine, operator.pos, range(100))
    print(f"{name}: {1e3 * seconds(engine, operator.pos, range(items)) / items:.2f} ms per item")


def report_speed_up() -> None:
    start = time.perf_counter()
    sum(range(10_000_000))
    second = range(round(10_000_000 / (time.perf_counter() - start)))
    times = []
    for workers in (1, WORKERS):
        with Local(workers) as engine:
            seconds(engine, operator.pos, range(100))
            times.append(seconds(engine, sum, [second] * round(SECOND)))
    print(f"loky: {WORKERS} workers are {times[0] / times[1]:.2f} x one on items of a second")


def report_memory(name: str, engine: Engine, most: int) -> None:
    for items in (most // 10, most):
        seconds(engine, operator.pos, range(items))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name}: {peak:.0f} MiB at most in the driver after {items} items")


def main() -> None:
    with Local(WORKERS) as local:
        report_overhead("loky", local, 10_000)
        report_memory("loky", local, MANY)
    report_speed_up()
    with dask_cluster() as file, Cluster(file) as cluster:
        report_overhead("Dask", cluster, 5_000)
        report_memory("Dask", cluster, MANY // 5)


if __name__ == "__main__":
    main()
