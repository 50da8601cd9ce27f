"""Time of a discrete tilt beside scipy.special.softmax of the same array in the same run.

Run from the repository root: ``python benchmarks/tilt.py``.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, softmax

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.timing import medians
from sumabm.tilt.discrete import discrete_tilt
from sumabm.types import Array

SHAPES = ((1, 1_000_000), (1000, 1000), (1, 10_000), (100_000, 10))
POWERS = (1e-6, 0.01, 1.0, 5.0)
REPEATS = 9


def tables(shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return log-probabilities and utilities: normal logits, normal utilities."""
    rng = np.random.default_rng(20261121)
    log_p = np.asarray(log_softmax(rng.standard_normal(shape), axis=-1))
    return log_p, rng.standard_normal(shape)


def ratios(shape: tuple[int, int], repeats: int = REPEATS) -> tuple[float, dict[float, float]]:
    """Return the seconds of a softmax, and of a tilt per power in units of it."""
    log_p, utility = tables(shape)

    def tilt(power: float) -> Callable[[], object]:
        return lambda: discrete_tilt(log_p, utility, power)

    calls: dict[float, Callable[[], object]] = {power: tilt(power) for power in POWERS}
    calls[0.0] = lambda: softmax(log_p, axis=-1)
    seconds = medians(calls, repeats)
    unit = seconds.pop(0.0)
    return unit, {power: s / unit for power, s in seconds.items()}


def main() -> int:
    print("tilt / softmax at powers (nats)  " + "".join(f"{power:>8g}" for power in POWERS))
    for shape in SHAPES:
        unit, found = ratios(shape)
        cells = "".join(f"{ratio:8.1f}" for ratio in found.values())
        print(f"{shape[0]:>7} x {shape[1]:>7} ({1e3 * unit:7.2f} ms) {cells}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
