"""What the engine's tests run in workers: importable there, unlike a test module."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sumabm.battery.engine import THREADS, Local, deadline, execute


class FullError(Exception):
    """Stands for what must stop a whole session."""


def double(item: int) -> int:
    return 2 * item


def fail() -> None:
    raise ValueError("what a\npity")


def full() -> None:
    raise FullError("no space left")


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    raise SystemExit(3)


def fill() -> None:
    np.ones(2**27)  # a GiB


def grow() -> None:
    kept = []
    while True:
        kept.append(bytearray(10_000))


def sleep() -> None:
    time.sleep(600)


def spin() -> None:
    """Compute in C for minutes without letting another thread run."""
    pow(3, 10**9)


def strange() -> None:
    raise UnpicklableError(1, 2)


class UnpicklableError(Exception):
    """Pickles, and cannot be unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def poisoned(poison: int, how: str, item: int) -> int:
    """Double every item but ``poison``."""
    if item == poison:
        globals()[how]()
    return double(item)


def limited(limit: float, folder: Path, poison: int, how: str, item: int) -> int:
    """Double within ``limit`` seconds every item but ``poison``."""
    with deadline(limit, folder / f"{item}.trace"):
        return poisoned(poison, how, item)


def settings(item: int) -> list[str | None]:
    """Return the BLAS settings, and whether Ctrl-C is left to the driver."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return [*(os.environ.get(f"{library}_NUM_THREADS") for library in THREADS), str(ignored)]


def leak(item: int) -> int:
    """Make loky replace the worker after each item."""
    executor = sys.modules["loky.process_executor"]
    executor._MAX_MEMORY_LEAK_SIZE = -(2**40)
    executor._MEMORY_LEAK_CHECK_DELAY = -1.0
    return double(item)


def slow(item: int) -> int:
    os.write(1, b"started\n")
    time.sleep(600)
    return item


def doze(seconds: float, item: int) -> int:
    time.sleep(seconds)
    return item


def numbers() -> Iterator[int]:
    """Say when the workers are about to start, and give items for them."""
    os.write(1, b"starting\n")
    yield from range(100)


def drive() -> None:
    """Run what never ends, for a test that interrupts it."""
    try:
        with Local(2) as engine:
            for _ in execute(engine, slow, numbers()):
                pass
    except KeyboardInterrupt:
        os.write(1, b"interrupted\n")


if __name__ == "__main__":
    drive()
