"""The best action within a divergence of an order: reverse KL, Rényi, χ² and Hellinger.

They are one family. With ``x`` the utility scaled to [−1, 0] and ``w = q/p``, the optimum under
the divergence of order α is

* α < 1: ``w ∝ (1 + s (0 − x))^(−1/(1−α))``: every state keeps some probability;
* α > 1: ``w ∝ (x − ν)₊^(1/(α−1))``: states below the level ν get none.

Dividing by the sum does what a second multiplier would, so one number is left to solve for. α = 0
is reverse KL, α = ½ Hellinger and α = 2 χ²: monotone functions of the Rényi divergence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt._divergence import from_renyi, mean_divergence, renyi, rise, to_renyi
from sumabm.tilt._outcome import Moved
from sumabm.tilt._rising import rising_root
from sumabm.tilt._rows import TIE, Index, Rows, log_sum_exp
from sumabm.types import Array


def move_order(rows: Rows, measure: str, order: float) -> Moved:
    """Solve for the optimum of a divergence of an order; every row has room to move."""
    target = to_renyi(rows.power, measure)
    family = _cut(rows, order, target) if order > 1.0 else _whole(rows)

    def excess(z: Array, some: Index) -> Array:
        ell = family.log_ratio(z, order, some)
        value = _value(rows.log_p[some], ell, order)
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(value) - np.log(target[some]), -2000.0)

    z = rising_root(excess, _guess(rows, order, target), family.floor)
    ell = family.log_ratio(z, order)
    value = _value(rows.log_p, ell, order)
    return Moved(
        rows.log_p + ell,
        _log_multiplier(family, z, ell, value, measure, order),
        from_renyi(value, measure),
        rise(rows, ell),
    )


class _Family(NamedTuple):
    """The candidates ``q/p ∝ (1 + distance · e^z)^(1/(α − 1))``, one ray per row.

    ``log_p`` and ``x`` as in `Rows`; ``log_distance (n, N)`` from the best state for α < 1 and
    from the worst ``kept`` state for α > 1; z is at least ``floor (n,)``.
    """

    log_p: Array
    x: Array
    log_distance: Array
    kept: NDArray[np.bool_]
    floor: Array

    def log_ratio(self, z: Array, order: float, rows: Index | slice = slice(None)) -> Array:
        """Return ``log(q/p)`` for some of the rows, ``z`` being theirs."""
        z, x = z[:, None], self.x[rows]
        with np.errstate(under="ignore"):
            share = np.logaddexp(0.0, self.log_distance[rows] + z)
            if order > 1.0:
                best = np.where(x == 0.0, share, 0.0).max(axis=-1, keepdims=True)
                share = _log_shortfall(share, best, -x * np.exp(z - best))
        share = np.where(self.kept[rows], share / (order - 1.0), -np.inf)
        return _normalised(self.log_p[rows], share)


def _whole(rows: Rows) -> _Family:
    """Return the family for α < 1."""
    with np.errstate(divide="ignore"):
        log_distance = np.log(-rows.x)
    kept = np.ones(rows.x.shape, dtype=np.bool_)
    return _Family(rows.log_p, rows.x, log_distance, kept, np.full(rows.power.shape, -np.inf))


def _cut(rows: Rows, order: float, target: Array) -> _Family:
    """Return the family for α > 1.

    The level ν lies between two neighbouring utilities; which two is found by halving. Measured
    from the upper one, not from the best state, ν keeps all its digits however close it comes:
    for large α the worst kept state's share is a high root of that distance.
    """
    levels = -np.sort(-rows.x, axis=-1)
    count = levels.shape[1]
    second = np.where(rows.x < 0.0, rows.x, -np.inf).max(axis=-1)
    kept_at = (levels >= second[:, None]).sum(axis=-1) - 1
    dropped_at = np.full(kept_at.shape, count)
    for _ in range(count.bit_length()):
        middle = (kept_at + dropped_at) // 2
        level = np.take_along_axis(levels, middle[:, None], axis=-1)
        keep = (_value(rows.log_p, _log_above(rows, level, order), order) > target) | (
            middle == kept_at
        )
        kept_at = np.where(keep, middle, kept_at)
        dropped_at = np.where(keep, dropped_at, middle)
    last = np.take_along_axis(levels, kept_at[:, None], axis=-1)
    after = np.take_along_axis(levels, np.minimum(kept_at + 1, count - 1)[:, None], axis=-1)
    gap = np.where(after < last, last - after, np.inf)[:, 0]
    kept = rows.x >= last
    with np.errstate(divide="ignore"):
        log_distance = np.log(np.where(kept, rows.x - last, 0.0))
    return _Family(rows.log_p, rows.x, log_distance, kept, -np.log(gap))


def _log_above(rows: Rows, level: Array, order: float) -> Array:
    """Return ``log(q/p)`` for ``q/p ∝ (x − level)₊^(1/(α − 1))``."""
    kept = rows.x > level
    level = np.minimum(level, -TIE)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        share = np.log(np.where(kept, rows.x - level, 0.0))
        share = _log_shortfall(share, np.log(-level), rows.x / level)
    return _normalised(rows.log_p, np.where(kept, share / (order - 1.0), -np.inf))


def _log_shortfall(log_share: Array, log_best: Array, shortfall: Array) -> Array:
    """Return ``log(share/best) = log(1 − shortfall)``, by whichever has more digits."""
    near = shortfall < 0.5
    return np.where(near, np.log1p(-np.where(near, shortfall, 0.0)), log_share - log_best)


def _normalised(log_p: Array, log_share: Array) -> Array:
    """Return ``log(q/p)`` for ``q ∝ p · exp(log_share)``, accurate when it is small."""
    log_share = log_share - log_share.max(axis=-1, keepdims=True)
    with np.errstate(under="ignore"):
        less = (np.exp(log_p) * np.expm1(log_share)).sum(axis=-1)
    total = np.where(less > -0.5, np.log1p(np.maximum(less, -0.5)), log_sum_exp(log_p + log_share))
    return log_share - total[:, None]


def _value(log_p: Array, ell: Array, order: float) -> Array:
    """Return reverse KL for order 0, else the Rényi divergence of that order."""
    log_q = log_p + ell
    if order == 0.0:
        return mean_divergence(log_p, log_q, ell, 0.0)
    return renyi(log_p, log_q, ell, order)


def _guess(rows: Rows, order: float, target: Array) -> Array:
    """Return where to start: exact for small power, and for large reverse KL."""
    p = np.exp(rows.log_p)
    mean = (p * rows.x).sum(axis=-1, keepdims=True)
    variance = np.maximum((p * (rows.x - mean) ** 2).sum(axis=-1), 1e-300)
    near = 0.5 * (np.log(target) - np.log(variance) + np.log(2.0 / (order or 1.0)))
    near += np.log(abs(order - 1.0))
    if order > 0.0:
        return near
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        logs = np.where(rows.x < 0.0, p * np.log(-rows.x), 0.0).sum(axis=-1)
        far = np.minimum((target - rows.log_top - logs) / rows.rest, 1e300)
    return np.where(target > rows.rest, far, near)


def _log_multiplier(
    family: _Family, z: Array, ell: Array, value: Array, measure: str, order: float
) -> Array:
    """Return ``log dO/dE[x]`` at the optimum, read off its first-order condition."""
    with np.errstate(under="ignore"):
        best = np.where(family.x == 0.0, family.log_distance, -np.inf).max(axis=-1)
        normaliser = np.logaddexp(0.0, best + z) - (order - 1.0) * ell.max(axis=-1)
    if measure == "reverse-kl":
        return z - normaliser
    slope = z + np.log(order / abs(order - 1.0)) - (order - 1.0) * value - normaliser
    if measure == "chi2":
        return slope + value
    return slope + np.log(0.5) - 0.5 * value if measure == "hellinger" else slope
