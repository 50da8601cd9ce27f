"""Ordinary discrete tilts in few passes: a fixed method, and a strict test of what it found.

A row that fails the test (extreme numbers, little power, next to saturation) is left to the careful
search of `_root`. What is found for a row does not depend on the others.

Of a group of rows tables are matrices and sums are vectors; of one row they are vectors and
scalars, which is quicker. The arithmetic is written once and gives the same bits.
"""

from __future__ import annotations

import math
import threading
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt._table import BLOCK, NORMAL, blocks, dot, total
from sumabm.types import Array

_LEAST = 0.02  # nats: for less these sums are not exact enough
_LOOKS = 6  # evaluations before a row is left to the careful search
_CLOSE = 1e-13  # of the power: what rounding, and what the last step, may miss it by
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)  # of sums of size one
_SAFETY = 10.0  # on the error that a step is thought to leave
_FURTHEST = 0.25  # from steps of this size on each leaves the fourth power of what was amiss
_NOTHING = 1e-8  # a step too small to judge the next one by
_RISING = 0.01  # least rise of log KL per log β: where it is less, saturation is near
_SCALES = (1e-60, 1e60)  # variances: their squares and roots are ordinary floats
_APART = 200  # elements between work arrays: at multiples of 4096 bytes they share cache lines
_GROUP = 16 * BLOCK  # elements: what stays in the caches between passes


class _Own(threading.local):
    """Each thread's work arrays, the first of ones: to make them anew costs a small tilt."""

    def __init__(self) -> None:
        self.work = np.empty((5, BLOCK + _APART))
        self.work[0] = 1.0


_own = _Own()

Rows = slice | EllipsisType
Sums = Any
"""Of a group: an np.float64 for its one row, or an Array (r,) for its r rows."""


class _State(NamedTuple):
    """At a slope: ``log Σ p e^{slope x}``, and the first four cumulants of ``x`` under Q."""

    log_total: Sums
    mean: Sums
    second: Sums
    third: Sums
    fourth: Sums


def quick_tilts(
    log_p: Array, utility: Array, power: Array, log_q: Array, beta: Array, gain: Array
) -> NDArray[np.bool_]:
    """Tilt the rows that are ordinary; return which were (R,).

    Writes their ``log_q (R, N)``, β and rise of ``E[u]``, both (R,); what it writes of the others
    has no meaning. ``log_p`` and ``utility`` are (1 or R, N), ``power`` is (R,), in nats.
    """
    rows, states = log_q.shape
    found = np.zeros(rows, np.bool_)
    work, tall = _own.work, max(1, _GROUP // states)
    with np.errstate(all="ignore"):
        for start in range(0, rows, tall):
            those: Any = slice(start, start + tall) if min(tall, rows - start) > 1 else start
            suited = (power[those] >= _LEAST) & (power[those] < np.inf)
            if not _any(suited):
                continue
            p, u = (table[0 if table.shape[0] == 1 else those] for table in (log_p, utility))
            group = _Group(p, u, log_q[those], work)
            beta[those], gain[those], found[those] = _tilt(group, power[those], suited)
    return found


class _Group:
    """Some rows, and passes over ``x = utility − centre``: the centre is near the mean under P.

    ``log_p`` and ``utility`` are (N,) or (r, N), and ``log_q`` has all rows. In a group of one
    block x and x² are made once.
    """

    def __init__(self, log_p: Array, utility: Array, log_q: Array, work: Array) -> None:
        self.log_p, self.utility, self.log_q, self.work = log_p, utility, log_q, work
        self.blocks: list[tuple[Rows, slice]]
        if log_q.ndim == 1:
            starts = range(0, log_q.size, BLOCK)
            self.blocks = [(..., slice(start, start + BLOCK)) for start in starts]
        else:
            self.blocks = list(blocks(*log_q.shape))
        self.whole = log_q.shape[-1] <= BLOCK
        self.centre = np.zeros(log_q.shape[:-1])
        self.sums = np.zeros((*log_q.shape[:-1], 3, 2))

    def base(self) -> _State:
        """Return what P is; sets the centres."""
        for rows, columns in self.blocks:
            log_p, u = _pick(self.log_p, rows, columns), _pick(self.utility, rows, columns)
            room = self._room(rows, columns)
            p = np.exp(log_p, out=room[3])
            if columns.start == 0:
                mean = dot(p, u)
                self.centre[rows] = mean if self.whole else mean / total(p)
            self._raise(room, rows, columns)
            self._add(room, rows, columns)
        return self._state()

    def state(self, slope: Sums, active: Sums) -> _State:
        """Return what Q is at a slope: one pass of exp, where any row of a block is active."""
        for rows, columns in self.blocks:
            if len(self.blocks) > 1 and not _any(active[rows]):
                continue
            room = self._room(rows, columns)
            if len(self.blocks) > 1:
                self._raise(room, rows, columns)
            e = np.multiply(room[1], slope[rows, None], out=room[3])
            np.exp(np.add(e, _pick(self.log_p, rows, columns), out=e), out=e)
            self._add(room, rows, columns)
        return self._state()

    def write(self, slope: Sums, log_total: Sums) -> None:
        """Write ``log_q = log_p + slope x − log_total``."""
        for rows, columns in self.blocks:
            y = x = self._room(rows, columns)[1]
            if len(self.blocks) > 1:
                np.subtract(_pick(self.utility, rows, columns), self.centre[rows, None], out=x)
            np.multiply(x, slope[rows, None], out=y)
            np.add(y, _pick(self.log_p, rows, columns), out=y)
            np.subtract(y, log_total[rows, None], out=self.log_q[rows, columns])

    def _room(self, rows: Rows, columns: slice) -> Array:
        """Return room for a block: 1, x, x², e and e x²."""
        shape = self.log_q[rows, columns].shape
        return self.work[:, : math.prod(shape)].reshape(5, *shape)

    def _raise(self, room: Array, rows: Rows, columns: slice) -> None:
        """Write x and x²."""
        u = _pick(self.utility, rows, columns)
        x = np.subtract(u, self.centre[rows, None], out=room[1])
        np.multiply(x, x, out=room[2])

    def _add(self, room: Array, rows: Rows, columns: slice) -> None:
        """Add ``Σ e xⁿ``, n = 0 … 4, of a block: products of 1, x and x² with e and e x²."""
        np.multiply(room[3], room[2], out=room[4])
        powers, pair = room[:3], room[3:]
        one, two = powers.swapaxes(0, -2), pair.swapaxes(0, -2).swapaxes(-1, -2)
        if columns.start == 0:
            np.matmul(one, two, out=self.sums[rows])
        else:
            self.sums[rows] += one @ two

    def _state(self) -> _State:
        whole, first, second, _, third, fourth = self.sums.T.reshape(6, *self.centre.shape)
        mean, second, third, fourth = first / whole, second / whole, third / whole, fourth / whole
        variance = second - mean * mean
        fourth = fourth - mean * (4.0 * third - mean * (6.0 * second - 3.0 * mean * mean))
        third = third - mean * (3.0 * second - 2.0 * mean * mean)
        return _State(np.log(whole), mean, variance, third, fourth - 3.0 * variance * variance)


def _pick(table: Array, rows: Rows, columns: slice) -> Array:
    return table[columns] if table.ndim == 1 else table[rows, columns]


def _any(flags: Any) -> bool:
    return bool(flags.any() if flags.ndim else flags)


def _tilt(group: _Group, power: Sums, suited: Sums) -> tuple[Sums, Sums, Sums]:
    """Return β, gain and whether it was found, of each row; only the suited are sought."""
    base = group.base()
    slope = _start(base, power)
    done, before, active = np.False_, _FURTHEST, suited
    for _ in range(_LOOKS):
        state = group.state(slope, active)
        step, rising, exact = _step(state, base, slope, power)
        size = abs(step)
        ratio = size / (np.minimum(before, _FURTHEST) + _NOTHING)
        ratio *= ratio
        done |= _SAFETY * size * ratio * ratio <= _CLOSE
        active = active & ~done & (size < np.inf)
        if not _any(active):
            break
        slope, before = slope * np.exp(step * ~done), size
    found = done & suited & exact & rising
    found &= (abs(base.log_total) <= NORMAL) & (base.second > _SCALES[0])
    found &= base.second < _SCALES[1]
    log_total, mean, slope = _moved(state, slope, step)
    if _any(found):
        group.write(slope, log_total)
    return slope, mean - base.mean, found


def _start(base: _State, power: Sums) -> Sums:
    """Return the slope at which KL would be the power, by P's cumulants.

    ``KL = κ₂β²/2 + κ₃β³/3 + κ₄β⁴/8 + …`` inverted, as the reciprocal of a series: κ₃ > 0 is then
    harmless. Where it is useless a quarter of it stops the slope.
    """
    slope = np.sqrt(2.0 * power / base.second)
    third = slope * base.third / base.second
    fourth = slope * slope * base.fourth / base.second
    return slope / np.maximum(1.0 + third / 3.0 + fourth / 8.0 - third * third / 6.0, 0.25)


def _step(state: _State, base: _State, slope: Sums, power: Sums) -> tuple[Sums, Sums, Sums]:
    """Return how far to go in log β, whether KL rises as it must, and whether it is exact enough.

    From log KL and its first three derivatives in log β, the series inverted to third order, again
    as a reciprocal: what is left is of the fourth.
    """
    shift, mean = state.log_total - base.log_total, slope * state.mean
    spent = mean - shift
    exact = _ROUNDING * (1.0 + abs(mean) + abs(shift)) <= _CLOSE * power
    skew = slope * state.third / state.second
    rate = slope * slope * state.second / spent
    tail = slope * slope * state.fourth / state.second
    bend = 2.0 + skew - rate  # second derivative, per first
    twist = 4.0 + 5.0 * skew + tail - rate * (3.0 * (2.0 + skew) - 2.0 * rate)  # third, per first
    step = np.log(power / spent) / rate
    part = step * (0.5 * bend + step * (twist / 6.0 - 0.25 * bend * bend))
    step = step / np.minimum(np.maximum(1.0 + part, 0.5), 2.0)
    return step, rate >= _RISING, exact


def _moved(state: _State, slope: Sums, step: Sums) -> tuple[Sums, Sums, Sums]:
    """Return ``log Σ p eʸ``, the mean and the slope after a last step, foreseen from cumulants."""
    ahead = np.expm1(step)
    way = slope * ahead
    curve = state.third / 6.0 + way * state.fourth / 24.0
    log_total = state.log_total + way * (state.mean + way * (state.second / 2.0 + way * curve))
    bend = state.third / 2.0 + way * state.fourth / 6.0
    return log_total, state.mean + way * (state.second + way * bend), slope + way
