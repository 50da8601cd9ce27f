"""The essay's loop against theory: alignment at every step, harm of the whole training.

`sumabm run essay --set world.dimensions=1000 --replicates 1000 --steps 900`: mean alignment within
4 standard errors of A_d(κ(D_t)) at every step; cumulative harm amplitude, read where the budget
reaches nats(1000, 0.9), within 4 standard errors of the exact left sum and within 1 % of the
integral of the theory; zero to 1e-12 at every step when the AI is no stronger than the humans.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

import sumabm
from sumabm import sphere, theory

D, REPLICATES, STEPS, THRESHOLD = 1000, 1000, 900, 0.9


def run(*words: str) -> xr.Dataset:
    """Run the command line into a store of its own and open what it stored."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "sumabm", "run", "essay", "--out", out, *words]
        subprocess.run(command, check=True, capture_output=True)
        (stored,) = Path(out).iterdir()
        return sumabm.open_run(stored).load()


def worst_alignment(data: xr.Dataset, wrong: float = 0.0) -> float:
    """Return the largest distance from A_d(κ(D_t)), in standard errors."""
    seen = data["alignment"].sel(agent="X").values
    budgets = data["budget"].sel(agent="W").values[0]
    error = seen.std(axis=0, ddof=1) / np.sqrt(seen.shape[0])
    expected = theory.alignment(D + wrong, budgets)
    return float(np.max(np.abs(seen.mean(axis=0) - expected) / error))


def main() -> int:
    size = ("--set", f"world.dimensions={D}", "--replicates", str(REPLICATES))
    data = run(*size, "--steps", str(STEPS))
    worst = worst_alignment(data)
    control = worst_alignment(data, wrong=0.02 * D)
    print(f"alignment: worst of {STEPS} steps {worst:.2f} s.e. from A_d(κ(D_t)) (limit 4)")
    print(f"  negative control, d wrong by 2 %: {control:.1f} s.e. (should exceed 4)")

    budgets = data["budget"].sel(agent="W").values[0]
    last = int(np.flatnonzero(budgets < sphere.nats(D, THRESHOLD))[-1])  # harm precedes the edit
    harm = data["cumulative_harm_amplitude"].values[:, last]
    mean, error = harm.mean(), harm.std(ddof=1) / np.sqrt(harm.size)
    amplitude = theory.residual(2.0, 1.0)
    left = theory.left_sum(D, budgets[: last + 1], np.full(last + 1, amplitude), p=0.5)[-1]
    integral = float(theory.training_harm(D, 2.0, 1.0, THRESHOLD, p=0.5, exact=False))
    off_sum, off_integral = abs(mean - left) / error, abs(mean / integral - 1.0)
    print(f"harm amplitude to c = {THRESHOLD}: {mean:.3f} ± {error:.3f}")
    print(f"  exact left sum {left:.3f}: {off_sum:.2f} s.e. off (limit 4)")
    print(f"  integral, d → ∞ {integral:.3f}: {100 * off_integral:.2f} % off (limit 1 %)")

    matched = run(*size, "--steps", str(STEPS), "--set", "agents.X.power=1")
    most = float(np.abs(matched["harm_amplitude"].values).max())
    print(f"O_X = O_Y: largest harm amplitude of a step {most:.1e} (limit 1e-12)")
    met = worst <= 4 < control and off_sum <= 4 and off_integral <= 0.01 and most <= 1e-12
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
