"""The multiplier of a discrete tilt: Halley's method on log KL in log β, bracketed, by rows.

``y = slope (value − centre)`` throughout: ``slope`` is β in the table's scale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt import _table
from sumabm.tilt._table import Base, Rows, Table
from sumabm.types import Array

_EPSILON = float(np.finfo(np.float64).eps)
_CLOSE = 2e-13  # of the power: a root
_ROUGH = 1e-6  # of the power: near enough for the fine sums to take over
_SMALL = 0.05  # nats below which KL is summed as ψ, without cancellation
_FAINT = 1e-7  # of the price: a KL below it is lost in the coarse sums
_DEEP = 600.0  # nats of price above which the coarse sums need a shift
_SHORT = 1e-5  # change of any y that the first three cumulants foresee to 1e-15
_BENT = 3e-5  # relative size of the second-order part of a step, its square below rounding
_MOST = 1e296  # of a slope times the range
_TRIALS = 120


@dataclass
class Root:
    """The tilt of each row: ``log q = log p + slope (value − centre) − log_total``.

    ``centre`` is the unevaluated sum of two floats, so that it can lie between two neighbours.
    ``gain`` is in the table's scale. ``moves`` is False where Q is P, and ``saturated`` where Q is
    P conditioned on its best states.
    """

    slope: Array
    centre: tuple[Array, Array]
    log_total: Array
    spent: Array
    gain: Array
    moves: NDArray[np.bool_]
    saturated: NDArray[np.bool_]


@dataclass
class _Search:
    """A bracketed search in log slope for some rows: where each stands and what it aims at."""

    rows: Rows
    power: Array
    price: Array
    slope: Array
    low: Array
    high: Array
    most: Array
    delicate: NDArray[np.bool_]
    trial: int = 0

    def __len__(self) -> int:
        return self.rows.size

    def subset(self, which: NDArray[np.bool_]) -> _Search:
        """Return the search of some of the rows."""
        arrays = {name: a[which] for name, a in vars(self).items() if name != "trial"}
        return replace(self, **arrays)

    def step(self, spent: Array, variance: Array, third: Array) -> NDArray[np.bool_]:
        """Move each slope, given KL and two cumulants of y there; a KL of NaN counts as too much.

        ``−log(1 − KL/price)`` is nearly a power of the slope both where KL is small and where it
        nears the price: Halley's method is applied to its logarithm. Returns where it was
        followed and nearly straight.
        """
        short = spent <= self.power
        self.low = np.where(short, np.maximum(self.low, self.slope), self.low)
        self.high = np.where(short, self.high, np.minimum(self.high, self.slope))
        depth = -np.log1p(-spent / self.price)
        goal = -np.log1p(-self.power / self.price)
        rest = self.price - spent
        rate = variance / (rest * depth)  # of log depth, per log slope
        jump = np.log(goal / depth) / rate
        bend = 2.0 + third / variance + variance / rest - rate  # second derivative, per rate
        bend = 0.5 * jump * bend
        jump = jump / np.clip(1.0 + bend, 0.5, 2.0)
        jump = np.where(np.isfinite(jump), jump, np.inf)
        furthest = 2.0 ** min(self.trial + 2, 6)
        trial = self.slope * np.exp(np.clip(jump, -64.0, furthest))
        inside = (trial > self.low) & (trial < self.high)
        if self.trial > 7 and self.trial % 3 == 2:  # Halley's method has had its chance
            inside &= self.high < 1.1 * self.low
        middle = np.sqrt(self.low) * np.sqrt(np.minimum(self.high, self.most))
        trial = np.where(inside, trial, np.clip(middle, self.low, self.high))
        ends = self.exhausted()
        self.slope = np.where(ends, self.low, trial)
        self.trial += 1
        return inside & ~ends & (np.abs(bend) < _BENT)

    def exhausted(self) -> NDArray[np.bool_]:
        """Return where there is nothing left between the brackets, or no patience."""
        if self.trial > _TRIALS:
            return np.ones(self.rows.size, np.bool_)
        return self.high <= self.low * (1.0 + 4.0 * _EPSILON)

    def reached(self, spent: Array, close: Array | float) -> NDArray[np.bool_]:
        """Return where KL is the power, to within ``close`` of it, or can come no closer."""
        return (np.abs(spent / self.power - 1.0) <= close) | (
            self.exhausted() & ((spent <= self.power) | (self.trial > _TRIALS + 3))
        )


def solve(log_p: Array, utility: Array, power: Array, scratch: Array | None) -> tuple[Table, Root]:
    """Return the table and the tilt of each row that spends ``power (R,)``, or saturates."""
    size = power.size
    table = _table.prepare(log_p, utility, scratch)
    known = Base(*(np.broadcast_to(field, size) for field in _table.base(table)))
    top, width = np.broadcast_to(table.top, size), np.broadcast_to(table.width, size)
    exponent = np.broadcast_to(table.exponent, size)
    table = Table(table.log_p, table.value, top, width, exponent)
    moves = (power > 0.0) & (width > 0.0)
    saturated = moves & (power >= known.price * (1.0 - 4.0 * _EPSILON))
    root = Root(
        slope=np.where(saturated, np.inf, 0.0),
        centre=(top.copy(), np.zeros(size)),
        log_total=known.log_mass - np.where(saturated, known.price, 0.0),
        spent=np.where(moves, np.minimum(power, known.price), 0.0),
        gain=np.where(saturated, -known.mean, 0.0),
        moves=moves,
        saturated=saturated,
    )
    rows = np.flatnonzero(moves & ~saturated)
    if rows.size:
        with np.errstate(all="ignore"):
            _find(table, known, root, rows)
    return table, root


def _find(table: Table, known: Base, root: Root, rows: Rows) -> None:
    """Find the slopes of these rows: by the coarse sums, the delicate ones then by the fine."""
    power, price, width = root.spent[rows], known.price[rows], table.width[rows]
    faint = power < _FAINT * (1.0 + price)
    variance = known.variance[rows]
    unclear = faint | ~(variance > 1e-8 * known.mean[rows] ** 2)
    hi, lo = _table.two_sum(table.top[rows], known.mean[rows])
    if unclear.any():
        variance[unclear] = _table.variance_about(table, rows[unclear], (hi[unclear], lo[unclear]))
    least = np.maximum(power, np.sqrt(8.0 * power)) / width  # KL ≤ β width and ≤ (β width)²/8
    most = _MOST / width
    search = _Search(
        rows=rows,
        power=power,
        price=price,
        slope=np.clip(np.sqrt(2.0 * power) / np.sqrt(variance), least, most),
        low=0.999 * least,
        high=np.full(rows.size, np.inf),
        most=most,
        delicate=(power < _SMALL) | (power < 0.02 * price),
    )
    root.slope[rows], root.centre[0][rows], root.centre[1][rows] = search.slope, hi, lo
    _coarse(table, known, root, search.subset(~faint))
    again = search.subset(search.delicate)
    again.slope = root.slope[again.rows]
    _fine(table, known, root, again)


def _coarse_moments(table: Table, known: Base, rows: Rows, slope: Array) -> tuple[Array, ...]:
    """Return KL, three cumulants of y under Q and ``log Σ p eʸ``; the centre is the top."""
    shift = np.zeros(rows.size)
    deep = known.price[rows] > _DEEP
    if deep.any():
        shift[deep] = _table.peak(table, rows[deep], slope[deep])
    total, first, second, third = _table.coarse(table, rows, slope, shift)
    mean, second, log_total = first / total, second / total, np.log(total) + shift
    spent = mean - (log_total - known.log_mass[rows])
    third = third / total - mean * (3.0 * second - 2.0 * mean * mean)
    return spent, mean, second - mean * mean, third, log_total


def _coarse(table: Table, known: Base, root: Root, search: _Search) -> None:
    """Search with the coarse sums; of delicate rows, only for the next slope and its centre.

    A last step so short that the cumulants tell where it leads is not measured again.
    """
    while len(search):
        rows, slope, rough = search.rows, search.slope, search.delicate
        spent, mean, variance, third, log_total = _coarse_moments(table, known, rows, slope)
        noise = 8.0 * _EPSILON * (1.0 + search.price) / search.power
        followed = search.step(spent, variance, third)
        close = search.reached(spent, noise + np.where(rough, _ROUGH, _CLOSE))
        ahead = search.slope / slope - 1.0
        short = followed & (np.abs(ahead) * (1.0 + slope * table.width[rows]) <= _SHORT)
        done = close | short
        ahead = np.where(short | (rough & done), ahead, 0.0)
        offset = (mean + ahead * (variance + 0.5 * ahead * third)) / slope
        rise = ahead * (mean + ahead * (0.5 * variance + ahead * third / 6.0))
        hi, lo = _table.two_sum(table.top[rows], np.where(rough, offset, 0.0))
        root.slope[rows], root.log_total[rows] = slope * (1.0 + ahead), log_total + rise
        root.centre[0][rows], root.centre[1][rows] = hi, lo
        root.gain[rows] = offset - known.mean[rows]
        missed = ~(short | rough) & (np.abs(spent / search.power - 1.0) > _CLOSE + noise)
        root.spent[rows] = np.where(missed, spent, search.power)
        if done.any():
            search = search.subset(~done)


def _fine(table: Table, known: Base, root: Root, search: _Search) -> None:
    """Search with the fine sums, centred at the mean under Q."""
    retried = np.zeros(root.slope.size, np.bool_)
    patience = 3 * _TRIALS
    while len(search):
        patience -= 1
        rows, slope = search.rows, search.slope
        centre = (root.centre[0][rows], root.centre[1][rows])
        sums = _table.fine(table, rows, slope, centre) / np.exp(known.log_mass[rows])
        spent, mean, variance, third, total, gain, sound = _fine_moments(sums, search.power)
        lost = ~np.isfinite(spent) & ~retried[rows]
        again = (lost | (np.isfinite(spent) & ~sound)) & (patience > 0)
        retried[rows] = lost
        before = search
        search = search.subset(np.ones(rows.size, np.bool_))
        followed = search.step(spent, variance, third)
        for name in ("slope", "low", "high"):  # those to be tried again learn nothing from this
            setattr(search, name, np.where(again, getattr(before, name), getattr(search, name)))
        close = search.reached(spent, _CLOSE) & ~again
        ahead = search.slope / slope - 1.0
        short = ~close & followed & ~again
        short &= np.abs(ahead) * (1.0 + slope * table.width[rows]) <= _SHORT
        done, leap = close | short, np.where(short, ahead, 0.0)
        rise = leap * (mean + leap * (0.5 * variance + leap * third / 6.0))
        root.log_total[rows] = np.log(total) + known.log_mass[rows] + rise
        root.gain[rows] = (gain + leap * (variance + 0.5 * leap * third)) / slope
        root.slope[rows] = np.where(close, slope, search.slope)
        missed = ~short & (np.abs(spent / search.power - 1.0) > _CLOSE)
        root.spent[rows] = np.where(missed, spent, search.power)
        far = np.abs(search.slope - slope) * table.width[rows] > 0.5
        wild = ~done & (lost | far)
        move = mean / slope + variance * ((search.slope - slope) / slope) / slope
        move = np.where(done | wild | ~np.isfinite(move), 0.0, move)
        hi, lo = _table.two_sum(centre[0], centre[1] + move)
        root.centre[0][rows], root.centre[1][rows] = hi, lo
        _recentre(table, known, root, rows[wild])
        search = search.subset(~done)


class _Moments(NamedTuple):
    spent: Array
    mean: Array
    variance: Array
    third: Array
    total: Array
    gain: Array
    sound: NDArray[np.bool_]


def _fine_moments(sums: Array, power: Array) -> _Moments:
    """Return KL, three cumulants of y, Z, ``E_Q[y] − E_P[y]``, and whether KL can be trusted."""
    whole, first, rise, tilt, second, third, psi = sums  # tilt is 0 if centred at Q's mean
    excess = tilt - psi  # Z − 1
    near = (power < _SMALL) & (np.abs(excess) < 0.5)
    total = np.where(near, 1.0 + excess, whole)
    mean = tilt / total
    curve = np.where(np.abs(excess) < 1e-3, _bend(excess), excess - np.log1p(excess))
    spent = np.where(near, psi - mean * excess + curve, mean - np.log(whole))
    gain = np.where(near, rise - mean * excess, mean - first)
    slight = np.abs(excess) < 1e-3
    lost = psi + np.where(slight, tilt * tilt, np.abs(tilt))  # what has been subtracted
    centred = (np.abs(mean) <= 100.0 * spent) | ((np.abs(mean) < 1e-6) & (power >= _SMALL))
    sound = np.where(near, lost <= 100.0 * spent, centred)
    second = second / total
    third = third / total - mean * (3.0 * second - 2.0 * mean * mean)
    return _Moments(spent, mean, second - mean * mean, third, total, gain, sound)


def _bend(x: Array) -> Array:
    """Return ``x − log(1 + x)`` for ``|x| < 1e-3``."""
    return x * x * (1 / 2 - x * (1 / 3 - x * (1 / 4 - x * (1 / 5 - x * (1 / 6 - x / 7)))))


def _recentre(table: Table, known: Base, root: Root, rows: Rows) -> None:
    """Centre these rows at their mean under Q, by the coarse sums, which cannot overflow."""
    if rows.size:
        mean = _coarse_moments(table, known, rows, root.slope[rows])[1]
        pair = _table.two_sum(table.top[rows], mean / root.slope[rows])
        root.centre[0][rows], root.centre[1][rows] = pair
