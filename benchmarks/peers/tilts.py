"""A discrete tilt by other means: a root finder on β, a conic solver, a plain-Python loop.

Each takes log-probabilities and utilities ``(N,)`` or, for `by_brentq`, ``(R, N)``, and a power in
nats below saturation, and returns the probabilities of the tilted world.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from sumabm.types import Array


def by_brentq(log_p: Array, utility: Array, power: float) -> Array:
    """Return the tilt with β by `scipy.optimize.brentq`, row by row."""
    if log_p.ndim == 2:
        return np.stack([by_brentq(*row, power) for row in zip(log_p, utility, strict=True)])

    def short(beta: float) -> float:
        log_norm = logsumexp(log_p + beta * utility)
        log_q = log_p + beta * utility - log_norm
        return float(beta * (np.exp(log_q) @ utility) - log_norm - power)

    top = 1.0
    while short(top) < 0.0:
        top *= 2.0
    beta = brentq(short, 0.0, top, xtol=1e-300, rtol=1e-13)
    exponent = log_p + beta * utility
    return np.exp(exponent - logsumexp(exponent))


def by_cvxpy(log_p: Array, utility: Array, power: float) -> Array:
    """Return the tilt as a convex problem solved by Clarabel."""
    cp = import_module("cvxpy")  # an extra: `measures`
    q = cp.Variable(log_p.size)
    spent = cp.sum(cp.rel_entr(q, np.exp(log_p)))
    problem = cp.Problem(cp.Maximize(utility @ q), [cp.sum(q) == 1.0, spent <= power])
    problem.solve(solver=cp.CLARABEL)
    return np.asarray(q.value)


def by_loop(log_p: Sequence[float], utility: Sequence[float], power: float) -> list[float]:
    """Return the tilt with β by bisection, in plain Python."""
    low, high = 0.0, 1.0
    while _spent(log_p, utility, high) < power:
        high *= 2.0
    while high - low > 1e-13 * high:
        middle = 0.5 * (low + high)
        if _spent(log_p, utility, middle) < power:
            low = middle
        else:
            high = middle
    return _tilted(log_p, utility, high)[0]


def _tilted(
    log_p: Sequence[float], utility: Sequence[float], beta: float
) -> tuple[list[float], float]:
    exponents = [p + beta * u for p, u in zip(log_p, utility, strict=True)]
    most = max(exponents)
    weights = [math.exp(x - most) for x in exponents]
    total = math.fsum(weights)
    return [weight / total for weight in weights], most + math.log(total)


def _spent(log_p: Sequence[float], utility: Sequence[float], beta: float) -> float:
    q, log_norm = _tilted(log_p, utility, beta)
    return beta * sum(a * u for a, u in zip(q, utility, strict=True)) - log_norm
