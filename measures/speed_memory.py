"""Memory of a tilt of 1e7 states, and of a run of a million steps of ten replicates.

A tilt is within four arrays of its size, its two inputs counted: traced by tracemalloc, which
NumPy reports its arrays to. A run's resident memory is flat after its first 1e4 steps, in each of
three ways to run it, each in a process of its own: a model that is stepped, `simulate`, and what a
battery does. ``python measures/speed_memory.py 100000`` makes fewer steps.
"""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from sumabm import SUMModel, simulate
from sumabm.recorder import record
from sumabm.tilt.discrete import discrete_tilt
from sumabm.types import Array

STATES, ARRAYS = 10_000_000, 4.0
STEPS, REPLICATES, SETTLED, GROWTH = 1_000_000, 10, 10_000, 4.0
"""Growth: MiB that resident memory may change by after the first `SETTLED` steps."""

SIZE = {"world.dimensions": 10}


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


def tilts() -> bool:
    """Print what tilts take; return whether that is little enough."""
    log_p, utility = table(STATES)
    found = {f"{power:g} nats": arrays(log_p, utility, power) for power in (1e-6, 0.01, 1.0, 99.0)}
    log_p[::7] = -np.inf
    log_p -= np.log(np.exp(log_p).sum())
    found["1 nat, impossible states, utilities to 1e300"] = arrays(log_p, utility * 1e300, 1.0)
    for name, peak in found.items():
        print(f"{STATES:.0e} states, {name}: {peak:.2f} arrays (limit {ARRAYS:g})")
    return max(found.values()) <= ARRAYS


def stepped(steps: int, note: Callable[[int], None]) -> None:
    """Step a model."""
    model = SUMModel("essay", REPLICATES, steps=steps, **SIZE)
    while model.running:
        model.step()
        note(model.steps)


def simulated(steps: int, note: Callable[[int], None]) -> None:
    """Simulate, all variables of every step kept."""
    simulate("essay", REPLICATES, 0, steps, SIZE, progress=lambda done, _: note(done))


def recorded(steps: int, note: Callable[[int], None]) -> None:
    """Record end values, as a battery does."""

    class Noting(SUMModel):
        def step(self) -> None:
            super().step()
            note(self.steps)

    record(Noting("essay", REPLICATES, steps=steps, **SIZE))


WAYS = {"stepped": stepped, "simulate": simulated, "battery": recorded}


def along(steps: int) -> dict[str, list[float]]:
    """Return by way the resident MiB of a process of its own along a run, from `SETTLED` on."""
    words = [sys.executable, __file__, str(steps)]
    running = {
        way: subprocess.Popen([*words, way], stdout=subprocess.PIPE, text=True) for way in WAYS
    }
    told = {way: process.communicate()[0] for way, process in running.items()}
    if failed := [way for way, process in running.items() if process.returncode]:
        raise RuntimeError(f"no memory measured: {', '.join(failed)}")
    return {way: [float(value) for value in text.split()] for way, text in told.items()}


def be(way: str, steps: int) -> None:
    """Be that process."""

    def note(done: int) -> None:
        if done >= SETTLED and done % SETTLED == 0:
            print(resident())

    WAYS[way](steps, note)


def resident() -> float:
    """Return this process's resident memory in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main(steps: int = STEPS) -> int:
    met = [tilts()]
    for way, found in along(steps).items():
        growth = max(found) - found[0]
        told = f"{found[0]:.0f} MiB after {SETTLED} steps, at most {growth:+.1f} MiB later"
        rate = growth * 2**20 / max(steps - SETTLED, 1)
        print(f"{steps} steps, {way}: {told} (limit {GROWTH:g}), {rate:.0f} bytes per step")
        met.append(growth <= GROWTH)
    return 0 if all(met) else 1


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) == 2:
        be(words[1], int(words[0]))
    else:
        sys.exit(main(*map(int, words)))
