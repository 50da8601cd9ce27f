"""The leak-limited AI's displacement against a conic solver on 1000 random cases.

Run from the repository root: ``python measures/leak_limited.py``. ``max v_X·y`` with ``|y| ≤ a``
and ``(n/2)|y − a v_Y|² ≤ leak``: the closed form must satisfy both limits and agree with cvxpy and
Clarabel to 1e-8 of a in its value, in 2 to 12 dimensions, both where it holds back power and where
it does not; a displacement off by a thousandth must not. Exits 1 otherwise. Needs
``pip install cvxpy clarabel``.
"""

import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sumabm.behaviours.leak_limited import displacement
from sumabm.types import Array

CASES, TOLERANCE = 1000, 1e-8
STRICT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-13)


class Case:
    """A random AI and human, amplitude, leak and number of looks."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.d = int(rng.integers(2, 13))
        aims = rng.normal(size=(2, self.d))
        self.own, self.goal = aims / np.linalg.norm(aims, axis=1)[:, None]
        self.amplitude = float(np.exp(rng.uniform(-2.0, 2.0)))
        self.looks = int(rng.integers(1, 20))
        reach = self.amplitude * rng.uniform(0.01, 2.5)
        self.leak = 0.5 * self.looks * reach**2

    def closed(self) -> Array:
        """Return the simulator's displacement."""
        amplitude = np.array([self.amplitude])
        return displacement(self.own[None], self.goal[None], amplitude, self.leak, self.looks)[0]

    def excess(self, y: Array) -> float:
        """Return by how much of a the limits are broken."""
        reach = np.sqrt(2.0 * self.leak / self.looks)
        off = np.linalg.norm(y - self.amplitude * self.goal) - reach
        return float(max(np.linalg.norm(y) - self.amplitude, off) / self.amplitude)

    def solved(self, cp: Any) -> float:
        """Return the conic solver's value, in units of a."""
        y = cp.Variable(self.d)
        reach = np.sqrt(2.0 * self.leak / self.looks) / self.amplitude
        limits = [cp.norm(y) <= 1.0, cp.norm(y - self.goal) <= reach]
        problem = cp.Problem(cp.Maximize(y @ self.own), limits)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tolerances it did not quite reach: we compare
            problem.solve(solver="CLARABEL", **STRICT)
        return float(problem.value)


def main() -> int:
    try:
        cp = import_module("cvxpy")
    except ImportError:
        print("needs: pip install cvxpy clarabel")
        return 1
    rng = np.random.default_rng(7)
    worst, broken, wrong, held = 0.0, -np.inf, np.inf, 0
    for _ in range(CASES):
        case = Case(rng)
        y, best = case.closed(), case.solved(cp)
        worst = max(worst, abs(float(case.own @ y) / case.amplitude - best))
        broken = max(broken, case.excess(y))
        held += bool(np.linalg.norm(y) < case.amplitude * (1.0 - 1e-9))
        aside = rng.normal(size=case.d)
        off = y + 1e-3 * case.amplitude * aside / np.linalg.norm(aside)
        less = best - float(case.own @ off) / case.amplitude
        wrong = min(wrong, max(abs(less), case.excess(off)))
    print(f"{CASES} cases, {held} that hold back power: off by {worst:.1e}, limit {TOLERANCE:g}")
    print(f"limits broken by at most {broken:.1e} of a")
    print(f"negative control, y off by 1e-3 a: worse or not allowed by at least {wrong:.1e}")
    return 0 if worst <= TOLERANCE and broken <= 1e-12 and wrong > TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
