"""Worlds of 1e7 states, utilities in d = 1e6, R = 1e5 replicates and T = 1e6 steps run to the end.

Each is a `sumabm run` in a process of its own, figures and all, and within a bound of peak resident
memory: 450 MiB that any run may take (imports, figures, 64 MiB of rows and what is made of them),
and so many arrays of the largest size in it, which is that of a utility in all replicates: of all
states, of all dimensions or, for the many replicates, of a step's row. Twice the steps would not
take more. A million steps are of `unopposed`, whose steps are the cheapest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ANY, MIB = 450.0, 2.0**20


class Case(NamedTuple):
    """A run: its words, the numbers in its largest array, and how many such arrays it may take."""

    about: str
    words: str
    size: float
    arrays: int


CASES = (
    Case("1e7 states", "essay-discrete -r 1 --steps 2 --set world.points=10000000", 1e7, 40),
    Case("d = 1e6, essay", "essay -r 2 --steps 5 --set world.dimensions=1000000", 2e6, 16),
    Case("d = 1e6, bayesian", "bayesian -r 2 --steps 5 --set world.dimensions=1000000", 2e6, 16),
    Case("R = 1e5, essay", "essay -r 100000 --steps 50 --set world.dimensions=10", 2e6, 24),
    Case("R = 1e5, bayesian", "bayesian -r 100000 --steps 10 --set world.dimensions=10", 2e6, 24),
    Case("T = 1e6", "unopposed -r 10 --steps 1000000 --set world.dimensions=10", 1e2, 1),
)


def take(case: Case) -> tuple[bool, float, float]:
    """Return whether a run came to its end, its peak resident MiB and its seconds."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as out:
        words = [sys.executable, "-m", "sumabm", "run", *case.words.split(), "--out", out]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        whole = len(list(Path(out).glob("*/manifest.json"))) == 1
    return whole and status == 0, usage.ru_maxrss / 1024, time.perf_counter() - began


def main() -> int:
    met = []
    for case in CASES:
        limit = ANY + case.arrays * 8 * case.size / MIB
        ended, peak, seconds = take(case)
        told = "to its end" if ended else "FAILED"
        print(f"{case.about}: {told} in {seconds:.0f} s, {peak:.0f} MiB (limit {limit:.0f})")
        met.append(ended and peak <= limit)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
