"""Discrete worlds in cache-sized blocks: the sums over states that a tilt is made of.

A table is never copied whole. Blocks are cut at fixed places along the states, so what is summed
for a row, and in which order, does not depend on the other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.types import Array

BLOCK = 16384  # elements: four buffers of them stay in a core's cache
_DOT = 8192  # BLAS may thread longer products, and then sums depend on the number of threads
_LEAST, _MOST = 1e-10, 1e10  # ranges of utilities that need no scaling
_TIE = 1e-290  # of the range: closer to the best than this is a tie (β would overflow)
_FLOOR = -1e150  # of an exponent: its square still is a float
NORMAL = 1e-6  # how far from one the total probability may be
_SERIES = 0.1  # below it (eʸ − 1 − y)/y² is taken from its series
_COEFFICIENTS = [1.0 / f for f in np.cumprod(np.arange(2.0, 11.0))]  # 1/2!, 1/3!, … 1/10!

_ONES = np.ones(BLOCK)

Rows = NDArray[np.intp]


class Table(NamedTuple):
    """Probabilities and utilities ready to tilt: one row each, or one that all share.

    ``value`` is the utility times ``2**-exponent``, with impossible states set to ``top``, the
    largest over the support; ``width`` is its range there.
    """

    log_p: Array
    value: Array
    top: Array
    width: Array
    exponent: NDArray[np.intp]

    @property
    def bar(self) -> Array:
        """The least value of each row that counts as best."""
        return self.top - _TIE * self.width


class Base(NamedTuple):
    """What is known of each row before it is tilted.

    ``log_mass``: the logarithm of the total probability (zero to rounding); ``mean`` and
    ``variance``: of ``value − top``; ``price``: ``−log P(best states)``, nats that saturate.
    """

    log_mass: Array
    mean: Array
    variance: Array
    price: Array


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a + b and what rounding took from it: together they are the exact sum."""
    whole = a + b
    part = whole - a
    return whole, (a - (whole - part)) + (b - part)


def blocks(rows: int, states: int) -> Iterator[tuple[slice, slice]]:
    """Cut rows × states into blocks: positions among the rows, and columns at fixed places."""
    tall = max(1, BLOCK // states)
    for start in range(0, rows, tall):
        for column in range(0, states, BLOCK):
            yield slice(start, min(start + tall, rows)), slice(column, column + BLOCK)


def pick(array: Array, rows: Rows, columns: slice) -> Array:
    """Return these rows (ascending) of an array that has them all, or one that they share."""
    if array.shape[0] == 1:
        return array[:, columns]
    first, last = rows[0], rows[-1]
    if last - first + 1 == rows.size:
        return array[first : last + 1, columns]  # a view
    return array[rows, columns]


def buffers(count: int) -> list[Array]:
    """Return flat work arrays of a block's size."""
    return [np.empty(BLOCK) for _ in range(count)]


def shaped(buffer: Array, rows: int, columns: int) -> Array:
    """Return the start of a flat buffer as a contiguous (rows, columns) array."""
    return buffer[: rows * columns].reshape(rows, columns)


def dot(a: Array, b: Array) -> Array:
    """Return the products of the rows of two blocks, the same bits whatever the threads."""
    width = max(a.shape[-1], b.shape[-1])
    if width <= _DOT:
        return np.vecdot(a, b)
    return np.vecdot(a[..., :_DOT], b[..., :_DOT]) + np.vecdot(a[..., _DOT:], b[..., _DOT:])


def total(block: Array) -> Array:
    """Return the sums of the rows of a block."""
    return dot(block, _ONES[: block.shape[-1]])


def prepare(log_p: Array, utility: Array, scratch: Array | None) -> Table:
    """Check a world and a utility, both (1 or R, N), and scale the utility where it needs it.

    ``scratch`` (max of the rows, N), made here if None, is written to only if some state is
    impossible or the range of a utility is extreme; the table then lives in it.
    """
    least, most = _extremes(log_p)
    if not np.all(most < np.inf):
        raise ValueError("log_p must hold log-probabilities, got NaN or infinity")
    low, top = _extremes(utility)
    rows = max(log_p.shape[0], utility.shape[0])
    holes = bool(np.any(least == -np.inf))
    with np.errstate(all="ignore"):
        width = 0.5 * top - 0.5 * low
        plain = (top == low) | ((width >= _LEAST) & (width <= _MOST))
    if not holes and plain.all():
        width = np.broadcast_to(2.0 * width, rows)
        return Table(log_p, utility, np.broadcast_to(top, rows), width, np.zeros(rows, np.intp))
    if scratch is None:
        scratch = np.empty((rows, log_p.shape[1]))
    return _scaled(log_p, utility, scratch)


def check_utility(fine: NDArray[np.bool_]) -> None:
    """Raise ValueError unless every row's utility is finite where it has to be."""
    if not fine.all():
        row = np.flatnonzero(~fine)[0]
        raise ValueError(f"row {row} of the utility is not finite where the state is possible")


def check_mass(mass: Array) -> None:
    """Raise ValueError unless the probabilities of each row sum to one."""
    wrong = ~(np.abs(mass - 1.0) <= NORMAL)
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        raise ValueError(f"row {row} of log_p has total probability {mass[row]}, not 1")


def _extremes(array: Array) -> tuple[Array, Array]:
    """Return the least and the largest entry of each row; NaN where there is one."""
    rows, states = array.shape
    low, top = np.full(rows, np.inf), np.full(rows, -np.inf)
    for row, column in blocks(rows, states):
        block = array[row, column]
        np.minimum(low[row], block.min(axis=-1), out=low[row])
        np.maximum(top[row], block.max(axis=-1), out=top[row])
    return low, top


def _scaled(log_p: Array, utility: Array, scratch: Array) -> Table:
    """Fill ``scratch`` with the utility over each row's support, scaled to an ordinary range."""
    rows, states = scratch.shape
    low, top = np.full(rows, np.inf), np.full(rows, -np.inf)
    everything = np.arange(rows)
    for row, column in blocks(rows, states):
        possible = pick(log_p, everything[row], column) > -np.inf
        block = pick(utility, everything[row], column)
        np.minimum(low[row], np.where(possible, block, np.inf).min(axis=-1), out=low[row])
        np.maximum(top[row], np.where(possible, block, -np.inf).max(axis=-1), out=top[row])
    empty = (low == np.inf) & (top == -np.inf)
    if empty.any():
        raise ValueError(f"row {np.flatnonzero(empty)[0]} of log_p has no possible state")
    check_utility(np.isfinite(low) & np.isfinite(top))
    with np.errstate(all="ignore"):
        half = np.where(top - low < np.inf, 0.5 * (top - low), 0.5 * top - 0.5 * low)
        plain = (top == low) | ((half >= _LEAST) & (half <= _MOST))
        power = np.frexp(np.maximum(half, 1e-320))[1] + 1
        exponent = np.where(plain, 0, np.maximum(power, -1023)).astype(np.intp)
        factor = np.ldexp(1.0, -exponent)
        for row, column in blocks(rows, states):
            possible = pick(log_p, everything[row], column) > -np.inf
            block = pick(utility, everything[row], column)
            block = np.where(possible, block, top[row, None])
            np.multiply(block, factor[row, None], out=scratch[row, column])
    top, low = top * factor, low * factor
    return Table(log_p, scratch, top, top - low, exponent)


def base(table: Table) -> Base:
    """Return the sums of each row under P itself: one pass over the table."""
    log_p, value, top, _, _ = table
    rows, states = top.size, log_p.shape[1]
    mass, first, second, best = np.zeros((4, rows))
    everything, (x_, p_) = np.arange(rows), buffers(2)
    bar = table.bar
    with np.errstate(all="ignore"):
        for row, column in blocks(rows, states):
            u = pick(value, everything[row], column)
            logs = pick(log_p, everything[row], column)
            x = shaped(x_, len(top[row]), u.shape[1])
            p = np.exp(logs, out=shaped(p_, *logs.shape))
            among = u >= bar[row, None]
            if among.any():
                best[row] += np.where(among, p, 0.0).sum(axis=-1)
            np.subtract(u, top[row, None], out=x)
            mass[row] += total(p)
            first[row] += dot(p, x)
            second[row] += dot(np.multiply(x, x, out=x), p)
        check_mass(mass)
        mean = first / mass
        variance = second / mass - mean * mean
        price = -np.log(best / mass)
        price = _price(table, bar, mass, best, np.maximum(price, 0.0))
    return Base(np.log(mass), mean, variance, price)


def _price(table: Table, bar: Array, mass: Array, best: Array, price: Array) -> Array:
    """Recompute −log P(best states) where their mass is almost none or almost all of it."""
    log_p, value = table.log_p, table.value
    for kind, rows in enumerate((np.flatnonzero(best < 1e-290), np.flatnonzero(best > 0.25))):
        total = np.full(rows.size, (-np.inf, 0.0)[kind])
        for row, column in blocks(rows.size, log_p.shape[1]):
            among = pick(value, rows[row], column) >= bar[rows[row], None]
            logs = np.where(among ^ bool(kind), pick(log_p, rows[row], column), -np.inf)
            if kind:  # the mass of all but the best
                total[row] += np.exp(logs).sum(axis=-1)
            else:
                peak = np.maximum(logs.max(axis=-1), -1e300)
                tail = peak + np.log(np.exp(logs - peak[:, None]).sum(axis=-1))
                total[row] = np.logaddexp(total[row], tail)
        price[rows] = -np.log1p(-total / mass[rows]) if kind else np.log(mass[rows]) - total
    return np.maximum(price, 0.0)


def variance_about(table: Table, rows: Rows, centre: tuple[Array, Array]) -> Array:
    """Return ``E_P[(value − centre)²]`` of these rows, the centre given as a sum of two floats."""
    square, (x_, p_) = np.zeros(rows.size), buffers(2)
    for row, column in blocks(rows.size, table.log_p.shape[1]):
        logs = pick(table.log_p, rows[row], column)
        p = np.exp(logs, out=shaped(p_, *logs.shape))
        u = pick(table.value, rows[row], column)
        x = shaped(x_, rows[row].size, u.shape[1])
        np.subtract(u, centre[0][row, None], out=x)
        np.subtract(x, centre[1][row, None], out=x)
        square[row] += dot(np.multiply(x, x, out=x), p)
    return square


def coarse(table: Table, rows: Rows, slope: Array, shift: Array) -> Array:
    """Return (4, rows): ``Σ e^{log p + y − shift} yⁿ`` for n = 0 … 3, ``y = slope (value − top)``.

    One pass of exp. Since y ≤ 0 nothing overflows; ``shift`` keeps deep rows from underflow.
    """
    sums, (y_, e_) = np.zeros((4, rows.size)), buffers(2)
    top, shifted, deep = table.top[rows], bool(shift.any()), slope * table.width[rows]
    for row, column in blocks(rows.size, table.log_p.shape[1]):
        u = pick(table.value, rows[row], column)
        y = shaped(y_, rows[row].size, u.shape[1])
        np.subtract(u, top[row, None], out=y)
        np.multiply(y, slope[row, None], out=y)
        if deep[row].max() > 1e100:
            np.maximum(y, 1e-50 * _FLOOR, out=y)
        e = shaped(e_, *y.shape)
        np.add(y, pick(table.log_p, rows[row], column), out=e)
        if shifted:
            np.subtract(e, shift[row, None], out=e)
        np.exp(e, out=e)
        sums[0, row] += total(e)
        sums[1, row] += dot(e, y)
        np.multiply(e, y, out=e)
        sums[2, row] += dot(e, y)
        np.multiply(y, y, out=y)
        sums[3, row] += dot(e, y)
    return sums


def peak(table: Table, rows: Rows, slope: Array) -> Array:
    """Return the largest ``log p + slope (value − top)`` of each row."""
    most, (y_,) = np.full(rows.size, -np.inf), buffers(1)
    for row, column in blocks(rows.size, table.log_p.shape[1]):
        u = pick(table.value, rows[row], column)
        y = shaped(y_, rows[row].size, u.shape[1])
        np.subtract(u, table.top[rows[row], None], out=y)
        np.multiply(y, slope[row, None], out=y)
        np.add(y, pick(table.log_p, rows[row], column), out=y)
        np.maximum(most[row], y.max(axis=-1), out=most[row])
    return most


def fine(table: Table, rows: Rows, slope: Array, centre: tuple[Array, Array]) -> Array:
    """Return (7, rows): sums under P, of ``y = slope (value − centre)``.

    ``Σ eʸ``, ``Σ y``, ``Σ y (eʸ − 1)``, ``Σ yⁿ eʸ`` for n = 1, 2, 3 and ``Σ ψ(y)``, where
    ``ψ(y) = y eʸ − eʸ + 1``: the even ones are sums of terms of one sign, each to a few units in
    the last place.
    """
    sums, work = np.zeros((7, rows.size)), buffers(6)
    for row, column in blocks(rows.size, table.log_p.shape[1]):
        u = pick(table.value, rows[row], column)
        y, p, e, rise, psi, spare = (shaped(b, rows[row].size, u.shape[1]) for b in work)
        np.subtract(u, centre[0][row, None], out=y)
        np.subtract(y, centre[1][row, None], out=y)
        np.multiply(y, slope[row, None], out=y)
        logs = pick(table.log_p, rows[row], column)
        np.exp(logs, out=p[: logs.shape[0]])
        if logs.shape[0] < p.shape[0]:
            p[1:] = p[0]
        np.maximum(y, _FLOOR, out=y)
        price_terms(y, p, np.broadcast_to(logs, y.shape), (e, rise, psi, spare))
        sums[0, row] += total(e)
        sums[1, row] += dot(p, y)
        sums[2, row] += total(rise)
        sums[3, row] += dot(e, y)
        np.multiply(e, y, out=e)
        sums[4, row] += dot(e, y)
        np.multiply(y, y, out=y)
        sums[5, row] += dot(e, y)
        sums[6, row] += total(psi)
    return sums


def price_terms(y: Array, p: Array, log_p: Array, out: tuple[Array, Array, Array, Array]) -> None:
    """Write ``p eʸ``, ``p y (eʸ − 1)`` and ``p ψ(y)`` of a block, each nearly exact.

    Three regimes: a series for small y; the formulas themselves; and where eʸ may overflow though
    ``p eʸ`` does not, the exponential of the sum. The last of ``out`` is spare.
    """
    e, rise, psi, _ = out
    gentle = np.abs(y) < _SERIES
    if gentle.all():
        _series(y, p, out)
        return
    np.exp(np.minimum(y, 1.0, out=e), out=e)
    np.multiply(e, p, out=e)
    steep = y > 1.0
    if steep.any():
        e[steep] = np.exp(log_p[steep] + y[steep])
    np.subtract(e, p, out=rise)
    np.multiply(rise, y, out=rise)
    np.multiply(np.subtract(y, 1.0, out=psi), e, out=psi)
    np.add(psi, p, out=psi)
    if gentle.any():
        near = np.empty((4, *y.shape))
        _series(np.where(gentle, y, 0.0), p, (near[0], near[1], near[2], near[3]))
        for exact, series in zip((e, rise, psi), near, strict=False):
            exact[...] = np.where(gentle, series, exact)


def _series(y: Array, p: Array, out: tuple[Array, Array, Array, Array]) -> None:
    """Do `price_terms` for small y, with ``r = (eʸ − 1 − y)/y²``."""
    e, rise, psi, r = out
    r[...] = _COEFFICIENTS[-1]
    for c in _COEFFICIENTS[-2::-1]:
        np.multiply(r, y, out=r)
        np.add(r, c, out=r)
    np.multiply(p, y, out=e)
    np.multiply(e, y, out=psi)  # p y²
    np.multiply(r, y, out=rise)
    np.add(rise, 1.0, out=rise)  # (eʸ − 1)/y
    np.multiply(rise, e, out=e)
    np.add(e, p, out=e)  # p eʸ
    np.subtract(rise, r, out=r)  # ψ/y²
    np.multiply(rise, psi, out=rise)
    np.multiply(psi, r, out=psi)
