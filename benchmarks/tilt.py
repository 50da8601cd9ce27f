"""A discrete tilt beside a softmax of the same array, and beside other ways to find it.

Run from the repository root: ``python benchmarks/tilt.py``.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, softmax

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.peers import tilts
from benchmarks.timing import Call, Case, medians
from sumabm.tilt.discrete import discrete_tilt
from sumabm.types import Array

SHAPES = ((1, 1_000_000), (1000, 1000), (1, 10_000), (100_000, 10))
POWERS = (1e-6, 0.1, 2.0, 5.0)
MOST = {(1, 1_000_000): 4.0, (1000, 1000): 4.0, (1, 10_000): 6.0}
"""Softmaxes of the same array that a tilt of `ASKED` nats may take, by shape."""

ASKED = (0.1, 2.0)
REPEATS = 9


def tables(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return log-probabilities and utilities: normal logits, normal utilities."""
    rng = np.random.default_rng(20261121)
    log_p = np.asarray(log_softmax(rng.standard_normal(shape), axis=-1))
    return log_p, rng.standard_normal(shape)


def cases() -> Iterator[Case]:
    """Yield a tilt beside a softmax and a copy of its array, and beside its peers."""
    group = "tilt"
    for shape, most in MOST.items():
        log_p, utility = tables(shape)
        out = np.empty_like(log_p)
        limits: dict[str, Call] = {
            "scipy.special.softmax": partial(softmax, log_p, axis=-1),
            "copy": partial(np.copyto, out, log_p),
        }
        for power in ASKED:
            name = f"tilt, {shape[0]:,} × {shape[1]:,}, {power:g} nats"
            ours = partial(discrete_tilt, log_p, utility, power)
            for beside, call in limits.items():
                asked = most if beside != "copy" else None
                yield Case(group, name, beside, ours, call, most=asked)
    log_p, utility = tables((1000,))
    lists = log_p.tolist(), utility.tolist()
    for power in ASKED:
        name = f"tilt, 1000 states, {power:g} nats"
        ours = partial(discrete_tilt, log_p, utility, power)
        peers: dict[str, tuple[Call, float | None]] = {
            "scipy.optimize.brentq": (partial(tilts.by_brentq, log_p, utility, power), 1 / 10),
            "cvxpy + Clarabel": (partial(tilts.by_cvxpy, log_p, utility, power), 1 / 300),
            "plain Python": (partial(tilts.by_loop, *lists, power), None),
        }
        for beside, (theirs, asked) in peers.items():
            yield Case(group, name, beside, ours, theirs, most=asked, repeats=REPEATS)


def worst_error() -> float:
    """Return the largest relative error of the nats that tilts spend, found from their worlds.

    Summed in extended precision, so that what is measured is the tilt's error.
    """
    worst = 0.0
    for shape in MOST:
        log_p, utility = tables(shape)
        for power in ASKED:
            log_q = discrete_tilt(log_p, utility, power).log_q.astype(np.longdouble)
            q, way = np.exp(log_q), log_q - log_p
            nats = (q * way).sum(axis=-1) / q.sum(axis=-1)
            worst = max(worst, float(np.abs(nats / power - 1.0).max()))
    return worst


def main() -> None:
    print("tilt / softmax at powers (nats)  " + "".join(f"{power:>8g}" for power in POWERS))
    for shape in SHAPES:
        log_p, utility = tables(shape)
        calls = {power: partial(discrete_tilt, log_p, utility, power) for power in POWERS}
        found = medians({**calls, "softmax": partial(softmax, log_p, axis=-1)}, REPEATS)
        unit = found["softmax"]
        cells = "".join(f"{found[power] / unit:8.1f}" for power in POWERS)
        print(f"{shape[0]:>7} x {shape[1]:>7} ({1e3 * unit:7.2f} ms) {cells}")


if __name__ == "__main__":
    main()
