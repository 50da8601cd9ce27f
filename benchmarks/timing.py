"""Timing that survives a noisy machine: interleaved calls, ratios within each repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)
Call = Callable[[], object]

LEAST = 2e-3
"""Seconds that a timing should take at least: quicker calls are made several times."""


@dataclass(frozen=True)
class Case:
    """What sumabm does, beside another way to do it or a cost that nothing can avoid.

    ``ours`` does so much ``work`` as ``theirs`` does in a call. ``most`` is the ratio of the times
    that a measure asks for, if any: a tenth asks for ten times the speed.
    """

    group: str
    name: str
    beside: str
    ours: Call
    theirs: Call
    work: float = 1.0
    most: float | None = None
    repeats: int = 15


class Ratio(NamedTuple):
    """Our time per work over theirs: median of the repeats, and quartiles."""

    median: float
    lower: float
    upper: float


def medians(calls: Mapping[Name, Call], repeats: int) -> dict[Name, float]:
    """Return the median seconds of each call, the calls interleaved."""
    times: dict[Name, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(seconds(call, 1))
    return {name: float(np.median(values)) for name, values in times.items()}


def ratio(case: Case) -> Ratio:
    """Return the ratio of a case: both sides one after the other in each repeat."""
    settle_memory()
    ours, theirs = _times(case.ours), _times(case.theirs)
    found = [
        seconds(case.ours, ours) / seconds(case.theirs, theirs) / case.work
        for _ in range(case.repeats)
    ]
    lower, median, upper = np.percentile(found, (25.0, 50.0, 75.0)).tolist()
    return Ratio(median, lower, upper)


def seconds(call: Call, times: int) -> float:
    """Return the seconds of a call, the mean of so many."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def judged(cases: Iterable[Case]) -> int:
    """Print each case's ratio beside what is asked for; return 1 if one is short, else 0."""
    short = False
    for case in cases:
        found = ratio(case)
        asked = "" if case.most is None else f", at most {case.most:.4g}"
        spread = f"quartiles {found.lower:.4g} to {found.upper:.4g}"
        print(f"{case.name} / {case.beside}: {found.median:.4g} ({spread}){asked}", flush=True)
        short |= case.most is not None and found.median > case.most
    return int(short)


def settle_memory() -> None:
    """Have the C library keep arrays of up to 32 MB for reuse, as it does once one was freed.

    Otherwise whether temporaries cost page faults, which can double the time of a softmax, depends
    on what was measured before.
    """
    np.empty(2**25 - 2**16, dtype=np.uint8)


def _times(call: Call) -> int:
    """Return how often to make a call in one timing; the first call of all is not counted."""
    call()
    return max(1, round(LEAST / seconds(call, 1)))
