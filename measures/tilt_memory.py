"""Memory of a tilt of 1e7 states: within four arrays of its size, its two inputs counted.

Traced by tracemalloc, which NumPy reports its arrays to. The time of a tilt of 1e6 states in units
of a softmax is reported beside it.
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc

import numpy as np
from scipy.special import log_softmax, softmax

from sumabm.tilt.discrete import discrete_tilt
from sumabm.types import Array

STATES, LIMIT, REPEATS = 10_000_000, 4.0, 7


def table(states: int) -> tuple[Array, Array]:
    """Return log-probabilities and utilities of a world."""
    rng = np.random.default_rng(20261121)
    log_p = np.asarray(log_softmax(rng.standard_normal(states)))
    return log_p, rng.standard_normal(states)


def arrays(log_p: Array, utility: Array, power: float) -> float:
    """Return the peak memory of a tilt in arrays of its size, inputs counted."""
    tracemalloc.start()
    discrete_tilt(log_p, utility, power)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 2.0 + peak / log_p.nbytes


def ratio(log_p: Array, utility: Array, power: float) -> float:
    """Return the median time of a tilt over that of a softmax, interleaved."""
    ours, theirs = [], []
    for _ in range(REPEATS):
        start = time.perf_counter()
        discrete_tilt(log_p, utility, power)
        middle = time.perf_counter()
        softmax(log_p)
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    return statistics.median(ours) / statistics.median(theirs)


def main() -> int:
    log_p, utility = table(STATES)
    found = {f"{power:g} nats": arrays(log_p, utility, power) for power in (1e-6, 0.01, 1.0, 99.0)}
    log_p[::7] = -np.inf
    log_p -= np.log(np.exp(log_p).sum())
    found["1 nat, impossible states, utilities to 1e300"] = arrays(log_p, utility * 1e300, 1.0)
    for name, peak in found.items():
        print(f"{STATES:.0e} states, {name}: {peak:.2f} arrays (limit {LIMIT:g})")
    log_p, utility = table(1_000_000)
    times = ", ".join(f"{p:g} nats {ratio(log_p, utility, p):.1f}" for p in (0.01, 1.0, 5.0))
    print(f"time of a tilt of 1e6 states in softmaxes of the same array: {times}")
    return 0 if max(found.values()) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
