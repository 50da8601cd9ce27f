"""The Bayesian aligner against theory: d = 2000, 2000 steps.

Alignment within 0.01 of sqrt(x/(1+x)), x = 2 O_X T/d, at T = 100, 500, 2000, and below a budget
aligner credited with all O_X nats (`cap = false`); with O_X = 20, O_edit = 1, d = 200 it lags.
"""

from __future__ import annotations

import sys

import numpy as np
import xarray as xr

import sumabm
from sumabm import theory

TIMES, REPLICATES = (100, 500, 2000), 20


def alignment(run: xr.Dataset, time: int) -> tuple[float, float]:
    """Return mean alignment after ``time`` steps, and its standard error."""
    seen = run["alignment"].sel(agent="X", step=time).values
    return float(seen.mean()), float(seen.std(ddof=1) / np.sqrt(seen.size))


def main() -> int:
    size = {"world.dimensions": 2000, "steps": TIMES[-1] + 1}
    looks = sumabm.simulate("bayesian", REPLICATES, overrides=size)
    credited = {**size, "agents.W.method.cap": False}
    budget = sumabm.simulate("essay", REPLICATES, overrides=credited)
    met = True
    for time in TIMES:
        x = 2.0 * 2.0 * time / 2000
        expected = float(theory.bayesian_alignment(x))
        mean, error = alignment(looks, time)
        bound, _ = alignment(budget, time)
        print(
            f"T = {time}: {mean:.4f} ± {error:.4f}, theory {expected:.4f} "
            f"(off by {abs(mean - expected):.4f}, limit 0.01), budget with all nats {bound:.4f}"
        )
        met &= abs(mean - expected) <= 0.01 and mean < bound
    wrong = abs(alignment(looks, 500)[0] - float(theory.bayesian_alignment(0.5)))
    print(f"negative control, x without its factor 2, T = 500: off by {wrong:.3f} (exceeds 0.01)")

    strong = {"world.dimensions": 200, "agents.X.power": 20.0, "agents.W.method.edit_power": 1.0}
    lagging = sumabm.simulate("bayesian", 200, overrides={**strong, "steps": 101})
    lags = []
    for time in (1, 5, 20, 50, 100):
        mean, error = alignment(lagging, time)
        free = float(theory.bayesian_alignment(2.0 * 20.0 * time / 200))
        if time <= 20:  # by then its edits have caught up with what it knows
            lags.append((free - mean) / error)
        print(f"O_X = 20, O_edit = 1, T = {time}: {mean:.4f} ± {error:.4f}, unbound {free:.4f}")
    return 0 if met and wrong > 0.01 and min(lags) > 4 else 1


if __name__ == "__main__":
    sys.exit(main())
