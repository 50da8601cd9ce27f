"""Discrete tilts on 10 000 hostile random cases: no NaN, no warning, no broken limit.

Each case is a world of 1 to 1e5 states (log-uniform) and utilities made to hurt: probabilities
from 1e-300, impossible states with utility NaN, ties and near-ties, scales from 1e-300 to 1e300,
powers from 1e-300 nats to beyond saturation; each tilted at several powers at once. The KL
recomputed from the result keeps the limit to 1e-9, what is reported spent to 1e-12, and the gain
grows with the power.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter

import numpy as np

from sumabm.tilt.discrete import DiscreteTilt, discrete_tilt, kl
from sumabm.types import Array

CASES, SEED, SECONDS = 10_000, 20261121, 60.0


def probabilities(rng: np.random.Generator, rows: int, states: int) -> Array:
    """Return log-probabilities (rows, states): mild, wild, one rare, few possible."""
    kind = rng.integers(4)
    logits = rng.standard_normal((rows, states)) * (1.0, 100.0, 1.0, 5.0)[kind]
    if kind == 2:
        logits[:, rng.integers(states)] -= rng.uniform(0.0, 690.0)
    if kind == 3:
        logits[rng.random((rows, states)) < rng.random()] = -np.inf
    logits[:, rng.integers(states)] = 0.0  # some state is possible
    logits -= logits.max(axis=-1, keepdims=True)
    logits = np.where(logits < -690.0, -np.inf if rng.random() < 0.5 else -690.0, logits)
    with np.errstate(divide="ignore"):
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))


def utilities(rng: np.random.Generator, rows: int, states: int) -> Array:
    """Return utilities (rows, states): smooth, tied, nearly tied, heavy, two-valued, constant."""
    kind = rng.integers(6)
    u = rng.standard_normal((rows, states))
    if kind == 1:
        u = np.round(u)
    if kind == 2:
        u = np.round(u) + 1e-15 * rng.integers(0, 9, (rows, states))
    if kind == 3:
        u = np.sign(u) * np.abs(u) ** rng.uniform(1.0, 100.0)
    if kind == 4:
        u = (u > rng.uniform(-3.0, 3.0)).astype(np.float64)
    if kind == 5:
        u[:] = u[:, :1]
        u[:, -1] += rng.integers(2)
    with np.errstate(over="ignore", under="ignore"):
        u = u * 10.0 ** rng.choice([-300.0, -150.0, 0.0, 0.0, 0.0, 150.0, 300.0])
    return np.clip(u, -1e308, 1e308)


def powers(rng: np.random.Generator, rows: int) -> Array:
    """Return powers (rows,), ascending: none, tiny, moderate, strong, beyond saturation."""
    kinds = rng.integers(5, size=rows)
    low = np.array([-400.0, -300.0, -3.0, 0.0, 3.0])[kinds]
    high = np.array([-400.0, -3.0, 0.0, 3.0, 6.0])[kinds]
    with np.errstate(under="ignore"):
        return np.sort(10.0 ** rng.uniform(low, high))


def faults(log_p: Array, power: Array, tilt: DiscreteTilt) -> list[str]:
    """Return what is wrong with a tilt of one world at ascending powers, if anything."""
    found = []
    if any(np.isnan(field).any() for field in tilt):
        found.append("NaN")
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.all(tilt.spent <= power * (1.0 + 1e-12)):
            found.append("reported over the limit")
        again = kl(tilt.log_q, log_p)
        if not np.all(again <= power + 1e-9 * (1.0 + power)):
            found.append("recomputed over the limit")
        binds = (power > 0.0) & ~tilt.saturated & (tilt.spent > 0.0)
        if np.any(np.abs(tilt.spent / power - 1.0)[binds] > 1e-12):
            found.append("limit binds but is not met")
        if np.any(np.abs(again - tilt.spent) > 1e-9 * (1.0 + tilt.spent)):
            found.append("spent differs from the recomputed")
        larger, smaller = tilt.gain[1:], tilt.gain[:-1]
        if not np.all((larger >= smaller * (1.0 - 1e-9)) | (larger == smaller)):
            found.append("gains less with more power")
        total = np.exp(tilt.log_q).sum(axis=-1)
        if not np.all(np.abs(total - 1.0) < 1e-9):
            found.append("not normalised")
    return found


def case(rng: np.random.Generator) -> tuple[list[str], int, int]:
    """Run one case: what went wrong, and how many of its rows bind or saturate."""
    states = int(10.0 ** (5.0 * rng.random() ** 2.5))
    log_p = probabilities(rng, 1, states)[0]
    utility = utilities(rng, 1, states)[0]
    utility[np.isneginf(log_p) & (rng.random(states) < 0.5)] = np.nan
    power = powers(rng, int(rng.integers(1, 6)) if states < 10_000 else 2)
    tilt = discrete_tilt(log_p, utility, power)
    found = faults(log_p, power, tilt)
    row = int(rng.integers(power.size))  # mixed with others, a row is what it is alone
    alone = discrete_tilt(log_p, utility, float(power[row]))
    if not all(np.array_equal(a[row], b) for a, b in zip(tilt, alone, strict=True)):
        found.append("differs from the row alone")
    binds = int(((tilt.spent > 0.0) & ~tilt.saturated).sum())
    return found, binds, int(tilt.saturated.sum())


def main() -> int:
    warnings.simplefilter("error")
    rng, began = np.random.default_rng(SEED), time.perf_counter()
    problems: Counter[str] = Counter()
    bind = saturated = 0
    for number in range(CASES):
        try:
            found, more, full = case(rng)
        except (ArithmeticError, ValueError, Warning) as error:
            found, more, full = [f"{type(error).__name__}: {error}"], 0, 0
        bind, saturated = bind + more, saturated + full
        for problem in found:
            problems[problem] += 1
            if problems[problem] <= 3:
                print(f"case {number}: {problem}")
    seconds = time.perf_counter() - began
    print(f"{CASES} cases in {seconds:.0f} s: {bind} tilts bound, {saturated} saturated")
    print(f"faults: {dict(problems) or 'none'}")
    return 0 if not problems and seconds < SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
