"""Closed forms of THEORY §7 against the simulator: each within 4 standard errors, a wrong one not.

Sandbox (confined edits, exact at finite d; saturation at sqrt(f) and f in many dimensions), replay,
resisting, left turn, fragility, and the Gaussian proxy. Deception, causal worlds, heavy tails and
the leak-limited direction have measures of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import sumabm
from sumabm import sphere, theory
from sumabm.types import Array

FREE = 1e6  # nats of edit power that never bind
_METHOD, _BEHAVIOUR = "agents.W.method", "agents.X.behaviour"


class Case(NamedTuple):
    """A sample of replicates, what its mean should be, and a wrong formula's value."""

    name: str
    sample: Array
    expected: float
    wrong: float


def alignment(scenario: str, replicates: int, steps: int, overrides: dict[str, Any]) -> Array:
    """Return the AI's alignment ``(replicate, step)``."""
    run = sumabm.simulate(scenario, replicates, seed=11, steps=steps, overrides=overrides)
    return np.asarray(run["alignment"].sel(agent="X").values)


def sandboxes() -> Iterator[Case]:
    """Yield sandboxes of few and of many dimensions."""
    for edits in ("confined", "full"):
        method = {"kind": "bayesian", "edits": edits, "edit_power": FREE}
        copy = {"kind": "sandboxed", "fraction": 0.4}
        if edits == "confined":
            small = {"world.dimensions": 20, _METHOD: method, _BEHAVIOUR: copy}
            seen = alignment("bayesian", 3000, 11, small)
            x = 2.0 * 2.0 * 10 / 8
            exact = float(theory.sandbox_expected_alignment(20, 8, x))
            wrong = float(theory.expected_alignment(20, x))
            yield Case("sandbox, confined, d = 20, 10 looks", seen[:, 10], exact, wrong)
        many = {"kind": "bayesian", "looks": 5000, "edits": edits, "edit_power": FREE}
        copy = {"kind": "sandboxed", "fraction": 0.5}
        large = {"world.dimensions": 400, _METHOD: many, _BEHAVIOUR: copy}
        other = "confined" if edits == "full" else "full"
        limit, wrong = (float(theory.sandbox_alignment(0.5, edits=each)) for each in (edits, other))
        seen = alignment("bayesian", 150, 21, large)[:, 20]
        yield Case(f"sandbox, {edits}, saturation", seen, limit, wrong)


def looks() -> Iterator[Case]:
    """Yield replay: n looks are worth n times the nats."""
    method = {"kind": "bayesian", "looks": 10, "edit_power": FREE}
    seen = alignment("bayesian", 2000, 6, {"world.dimensions": 50, _METHOD: method})[:, 5]
    x = 2.0 * 10 * 2.0 * 5 / 50
    wrong = float(theory.expected_alignment(50, x / 10))
    yield Case("replay, ten looks", seen, float(theory.expected_alignment(50, x)), wrong)


def resisting() -> Iterator[Case]:
    """Yield an AI that undoes half of each edit of the budget aligner."""
    seen = alignment("essay", 2000, 61, {_BEHAVIOUR: {"kind": "resisting", "share": 0.5}})[:, 60]
    exact, whole = (float(sphere.cosine_from_nats(100, 60.0 * part)) for part in (0.5, 1.0))
    yield Case("resisting half of every edit", seen, exact, whole)


def left_turn() -> Iterator[Case]:
    """Yield a left turn after 50 nats: c falls to (1 − s) c."""
    turn = {"step": 50, "dimensions": 50}
    seen = alignment("essay", 2000, 51, {"world.left_turn": turn})[:, 50]
    before = float(sphere.cosine_from_nats(100, 50.0))
    share = 50 / 150
    yield Case("left turn, s = 1/3", seen, (1.0 - share) * before, before)
    spread = (seen - seen.mean()) ** 2
    inside = alignment("essay", 2000, 51, {})[:, 50].var(ddof=1) * (1.0 - share) ** 2
    chance = share**2 / 50
    yield Case("left turn, its variance", spread, inside + chance, inside)


def fragile() -> Iterator[Case]:
    """Yield harm in φ^m, m = 2, against the exact left sum."""
    overrides = {"harm": {"kind": "fragile", "exponent": 2.0}}
    run = sumabm.simulate("essay", 2000, seed=11, steps=84, overrides=overrides)
    total = np.asarray(run["cumulative_harm"].values[:, -1])
    amplitudes = np.full(84, float(theory.residual(2.0, 1.0)))
    sums = [theory.left_sum(100, np.arange(84.0), amplitudes, fragility=m)[-1] for m in (2.0, 1.0)]
    yield Case("fragility, m = 2", total, float(sums[0]), float(sums[1]))


def proxies() -> Iterator[Case]:
    """Yield E[V] = ρ σ_V sqrt(2O) of a Gaussian proxy, which has no noise."""
    run = sumabm.simulate("goodhart-gaussian", 1)
    gained = run["utility_acted"].sel(agent="Y").values[0]
    power = run["power"].sel(agent="X").values[0]
    exact = np.sqrt(0.5) * np.sqrt(2.0 * power)
    yield Case("Gaussian proxy over its closed form", gained / exact, 1.0, np.sqrt(2.0))


def off(sample: Array, expected: float) -> float:
    """Return how many standard errors the mean is off; without noise, 0 to rounding of 1e-6."""
    gap = abs(float(sample.mean()) - expected)
    error = float(sample.std(ddof=1)) / np.sqrt(sample.size)
    return 0.0 if gap <= 1e-6 * abs(expected) else gap / max(error, 1e-12)


def main() -> int:
    met = True
    for part in (sandboxes, looks, resisting, left_turn, fragile, proxies):
        for case in part():
            right, wrong = off(case.sample, case.expected), off(case.sample, case.wrong)
            met &= right <= 4.0 < wrong
            print(
                f"{case.name}: {case.sample.mean():.5f} against {case.expected:.5f}, "
                f"{right:.1f} standard errors (limit 4); a wrong formula: {wrong:.0f} (above 4)"
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
