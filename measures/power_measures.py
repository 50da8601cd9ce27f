"""Optimal actions under every power measure against a conic solver and random competitors.

Run from the repository root: ``python measures/power_measures.py``. 20 random cases of each measure
must agree with cvxpy and Clarabel to 1e-6 and beat 10 000 random feasible competitors; exits 1
otherwise. Needs ``pip install cvxpy clarabel``.
"""

import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sumabm.tilt.discrete import discrete_tilt
from sumabm.tilt.measures import optimum
from sumabm.types import Array

TOLERANCE = 1e-6
CASES = 20
COMPETITORS = 10_000
STATES = 10
MEASURES: list[tuple[str, float | None]] = [
    ("kl", None),
    ("reverse-kl", None),
    ("renyi", 0.5),
    ("renyi", 0.75),
    ("renyi", 2.0),
    ("renyi", 3.0),
    ("chi2", None),
    ("hellinger", None),
    ("tv", None),
    ("wasserstein", None),
]
STRICT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-10)
"""Tighter than Clarabel's defaults (1e-8), which a power that is a square spoils by their root."""


class Case:
    """A random world, utility and power, and the squared distances between the states."""

    def __init__(self, rng: np.random.Generator, measure: str, alpha: float | None) -> None:
        self.measure, self.alpha = measure, alpha
        p = rng.dirichlet(np.full(STATES, 2.0)) + 1e-3
        self.p = p / p.sum()
        self.utility = rng.normal(size=STATES)
        self.ground = rng.normal(size=(STATES, 2))
        self.cost = ((self.ground[:, None] - self.ground) ** 2).sum(axis=-1)
        self.power = float(rng.uniform(0.05, 0.95) * self.scale())

    def scale(self) -> float:
        """Return the least power that saturates (1 where none does)."""
        best = self.p[self.utility.argmax()]
        ceilings = {
            "reverse-kl": 1.0,
            "chi2": 1.0 / best - 1.0,
            "hellinger": 1.0 - np.sqrt(best),
            "tv": 1.0 - best,
            "wasserstein": np.sqrt(self.p @ self.cost[:, self.utility.argmax()]),
        }
        return float(ceilings.get(self.measure, -np.log(best)))

    def optimum(self) -> tuple[Array, float]:
        """Return the simulator's Q and its gain."""
        log_p = np.log(self.p)
        if self.measure == "kl":
            tilt = discrete_tilt(log_p, self.utility, self.power)
            return np.exp(tilt.log_q), float(tilt.gain)
        ground = self.ground if self.measure == "wasserstein" else None
        found = optimum(
            log_p, self.utility, self.power, self.measure, alpha=self.alpha, ground=ground
        )
        return np.exp(found.log_q), float(found.gain)

    def divergence(self, q: Array) -> Array:
        """Return the measure's value, by its definition, of each row of ``q``."""
        p, alpha = self.p, self.alpha
        if self.measure == "kl":
            return (q * np.log(q / p)).sum(axis=-1)
        if self.measure == "reverse-kl":
            return (p * np.log(p / q)).sum(axis=-1)
        if self.measure == "chi2":
            return ((q - p) ** 2 / p).sum(axis=-1)
        if self.measure == "hellinger":
            return 1.0 - np.sqrt(p * q).sum(axis=-1)
        if self.measure == "tv":
            return 0.5 * np.abs(q - p).sum(axis=-1)
        if alpha is None:
            raise ValueError(f"no definition of {self.measure}")
        return np.log((q**alpha * p ** (1.0 - alpha)).sum(axis=-1)) / (alpha - 1.0)


def conic_gain(cp: Any, case: Case) -> float:
    """Return the gain of the optimum found by the conic solver."""
    if case.measure == "wasserstein":
        plan = cp.Variable((STATES, STATES), nonneg=True)
        limits = [
            cp.sum(plan, axis=1) == case.p,
            cp.sum(cp.multiply(plan, case.cost)) <= case.power**2,
        ]
        q = cp.sum(plan, axis=0)
    else:
        q = cp.Variable(STATES, nonneg=True)
        limits = [cp.sum(q) == 1.0, _limit(cp, case, q)]
    problem = cp.Problem(cp.Maximize((q - case.p) @ case.utility), limits)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of tolerances it did not quite reach: the result is compared
        problem.solve(solver="CLARABEL", **STRICT)
    return float(problem.value)


def _limit(cp: Any, case: Case, q: Any) -> Any:
    """Return the limit on the power spent as a cone constraint on ``q``."""
    p, power, alpha = case.p, case.power, case.alpha
    if case.measure == "kl":
        return cp.sum(cp.rel_entr(q, p)) <= power
    if case.measure == "reverse-kl":
        return cp.sum(cp.rel_entr(p, q)) <= power
    if case.measure == "chi2":
        return cp.sum_squares(cp.multiply(p**-0.5, q - p)) <= power
    if case.measure == "hellinger":
        return cp.sum(cp.multiply(np.sqrt(p), cp.sqrt(q))) >= 1.0 - power
    if case.measure == "tv":
        return 0.5 * cp.norm1(q - p) <= power
    if alpha is None:
        raise ValueError(f"no cone for {case.measure}")
    total = cp.sum(cp.multiply(p ** (1.0 - alpha), cp.power(q, alpha)))
    bound = np.exp((alpha - 1.0) * power)
    return total <= bound if alpha > 1.0 else total >= bound


def best_competitor(rng: np.random.Generator, case: Case, q: Array) -> float:
    """Return the largest gain among random feasible actions, half of them close to the optimum."""
    if case.measure == "wasserstein":
        return _best_plan(rng, case)
    half = COMPETITORS // 2
    far = rng.dirichlet(np.full(STATES, 0.5), half)
    near = q * np.exp(rng.normal(size=(half, STATES)) * 10.0 ** rng.uniform(-4, 0, (half, 1)))
    others = np.concatenate([far, near / near.sum(axis=-1, keepdims=True)])
    others = (1.0 - 1e-9) * others + 1e-9 * case.p
    return _pulled_in(case, others)


def _pulled_in(case: Case, others: Array) -> float:
    """Move each Q towards P until it is within the power (every measure rises on the way out)."""
    low, high = np.zeros((len(others), 1)), np.ones((len(others), 1))
    for _ in range(60):
        middle = 0.5 * (low + high)
        fits = case.divergence(case.p + middle * (others - case.p))[:, None] <= case.power
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return float((low[:, 0] * ((others - case.p) @ case.utility)).max())


def _best_plan(rng: np.random.Generator, case: Case) -> float:
    """Return the largest gain of random plans, each mixed with staying until it is affordable."""
    slope = 10.0 ** rng.uniform(-2, 2, (COMPETITORS, 1, 1))
    noise = 10.0 ** rng.uniform(-3, 1, (COMPETITORS, 1, 1))
    score = case.utility - slope * case.cost
    score = score + noise * rng.gumbel(size=(COMPETITORS, STATES, STATES))
    target = score.argmax(axis=-1)
    cost = (case.p * np.take_along_axis(case.cost[None], target[..., None], -1)[..., 0]).sum(-1)
    gain = (case.p * (case.utility[target] - case.utility)).sum(axis=-1)
    return float((gain * np.minimum(1.0, case.power**2 / np.maximum(cost, 1e-300))).max())


def measure_one(cp: Any, measure: str, alpha: float | None) -> tuple[float, float]:
    """Return the worst difference to the conic solver and the narrowest lead over competitors."""
    rng = np.random.default_rng([sum(measure.encode()), int(100 * (alpha or 0.0))])
    differences, leads = [], []
    for _ in range(CASES):
        case = Case(rng, measure, alpha)
        q, gain = case.optimum()
        differences.append(abs(gain - conic_gain(cp, case)))
        leads.append(gain - best_competitor(rng, case, q))
    return max(differences), min(leads)


def main() -> int:
    try:
        cp = import_module("cvxpy")
        import_module("clarabel")
    except ImportError as error:
        print(f"{error}: the reference solver is missing, pip install cvxpy clarabel")
        return 1
    print(f"{'measure':16}{'worst difference':>18}{'narrowest lead':>18}")
    failed = False
    for measure, alpha in MEASURES:
        difference, lead = measure_one(cp, measure, alpha)
        # A competitor may tie with the optimum to rounding, no more.
        bad = not difference <= TOLERANCE or not lead >= -1e-12
        failed |= bad
        name = measure if alpha is None else f"{measure} {alpha:g}"
        print(f"{name:16}{difference:18.2e}{lead:18.2e}{'  FAILED' if bad else ''}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
