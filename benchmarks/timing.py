"""Timing that survives a noisy machine: medians of interleaved calls."""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)


def medians(calls: Mapping[Name, Callable[[], object]], repeats: int) -> dict[Name, float]:
    """Return the median seconds of each call, the calls interleaved."""
    times: dict[Name, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}
