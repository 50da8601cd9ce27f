"""An ensemble of 1000 replicates of `essay` costs at most 1/50 per replicate of single models.

Both in one process, interleaved; the median ratio of the repeats is what counts.
"""

from __future__ import annotations

import statistics
import sys
import time

import sumabm

REPLICATES, SINGLE, REPEATS, LIMIT = 1000, 20, 3, 50.0


def seconds(replicates: range) -> float:
    """Return how long it takes to simulate these replicates together."""
    began = time.perf_counter()
    sumabm.simulate("essay", replicates)
    return time.perf_counter() - began


def main() -> int:
    sumabm.simulate("essay", 1, steps=1)  # imports are not what is measured
    ratios = []
    for repeat in range(REPEATS):
        single = sum(
            seconds(range(k, k + 1)) for k in range(repeat * SINGLE, (repeat + 1) * SINGLE)
        )
        together = seconds(range(REPLICATES))
        ratios.append((single / SINGLE) / (together / REPLICATES))
        print(
            f"one model {1e3 * single / SINGLE:.1f} ms, in the ensemble "
            f"{1e3 * together / REPLICATES:.2f} ms per replicate: ratio {ratios[-1]:.0f}"
        )
    ratio = statistics.median(ratios)
    print(f"median ratio {ratio:.0f} (limit {LIMIT:.0f})")
    return 0 if ratio >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
