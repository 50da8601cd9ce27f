"""Batches of discrete worlds laid out for `measures` and `rules`: checked and free of scale."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt._table import check_mass, check_utility
from sumabm.types import Array

ROUNDING = 1e-14
"""A power short of saturation by less than this part of it counts as enough."""

TIE = 1e-290
"""Of the range: closer to the best than this is a tie."""

Index: TypeAlias = NDArray[np.intp]
_Result = TypeVar("_Result", bound=tuple[Any, ...])


class Rows(NamedTuple):
    """A batch of discrete worlds with the utility brought to [−1, 0], every array contiguous.

    ``log_p (R, N)`` normalised; ``x (R, N)`` is ``(u − max)/range`` over the support, −1 off it;
    the range is ``span · 2**exponent``, each ``(R,)``; ``log_top (R,)`` is ``log P(argmax)`` and
    ``rest (R,)`` what it leaves of 1; ``power (R,)``. ``span`` is 0 where u is constant.
    """

    log_p: Array
    x: Array
    span: Array
    exponent: NDArray[np.int32]
    log_top: Array
    rest: Array
    power: Array

    def take(self, rows: Index) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.log_p[rows],
            self.x[rows],
            self.span[rows],
            self.exponent[rows],
            self.log_top[rows],
            self.rest[rows],
            self.power[rows],
        )

    def in_units(self, scaled: Array) -> Array:
        """Return an amount ``(R,)`` of ``x`` as an amount of utility."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(self.span * scaled, self.exponent)


def lay_out(log_p: Array, utility: Array, power: Array | float) -> Rows:
    """Return `Rows` of worlds and utilities: normalised, broadcast, free of scale.

    >>> lay_out(np.log([0.5, 0.5]), np.array([1e300, 3e300]), 1.0).x
    array([[-1.,  0.]])
    """
    log_p, utility = as_rows(log_p, utility)
    limits = np.atleast_1d(np.asarray(power, dtype=np.float64))
    count = np.broadcast_shapes(log_p.shape[:1], utility.shape[:1], limits.shape)[0]
    shape = (count, np.broadcast_shapes(log_p.shape[1:], utility.shape[1:])[0])
    log_p = np.ascontiguousarray(np.broadcast_to(log_p, shape))
    possible = log_p > -np.inf
    _check(log_p, np.where(possible, utility, 0.0), limits)
    log_p = log_p - log_sum_exp(log_p)[:, None]
    # Powers of two scale exactly, and keep differences of huge utilities inside the float range.
    exponent = np.frexp(np.where(possible, np.abs(utility), 0.0).max(axis=-1))[1]
    with np.errstate(under="ignore"):
        scaled = np.ldexp(np.where(possible, utility, 0.0), -exponent[:, None])
    below = scaled - np.where(possible, scaled, -np.inf).max(axis=-1, keepdims=True)
    span = -np.where(possible, below, 0.0).min(axis=-1)
    with np.errstate(under="ignore"):
        x = np.where(possible, below / np.where(span > 0.0, span, 1.0)[:, None], -1.0)
    x = np.where(x > -TIE, 0.0, x)
    rest = np.where(x < 0.0, np.exp(log_p), 0.0).sum(axis=-1)
    whole = log_sum_exp(np.where(x == 0.0, log_p, -np.inf))
    log_top = np.where(rest < 0.5, np.log1p(-np.minimum(rest, 0.5)), whole)
    return Rows(
        log_p,
        x,
        span,
        exponent,
        log_top,
        rest,
        np.ascontiguousarray(np.broadcast_to(limits, count)),
    )


def as_rows(log_p: Array, other: Array) -> tuple[Array, Array]:
    """Return both as float64 arrays with a row axis."""
    return (
        np.atleast_2d(np.asarray(log_p, dtype=np.float64)),
        np.atleast_2d(np.asarray(other, dtype=np.float64)),
    )


def without_axis(result: _Result, *given: Array | float) -> _Result:
    """Return the fields without their replicate axis if nothing given had one.

    The arrays ``given`` end in their states' axis, but for the last, the power.
    """
    if any(np.ndim(array) > 1 for array in given[:-1]) or np.ndim(given[-1]) > 0:
        return result
    return type(result)(*(field[0] for field in result))


def log_sum_exp(terms: Array) -> Array:
    """Return ``log Σ exp`` over the last axis; −inf for rows of nothing but −inf.

    >>> log_sum_exp(np.array([[-1000.0, -1000.0]]))
    array([-999.30685282])
    """
    peak = terms.max(axis=-1)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore", under="ignore", over="ignore"):
        return peak + np.log(np.exp(terms - peak[..., None]).sum(axis=-1))


def conditioned(rows: Rows) -> Array:
    """Return log-probabilities of P given the best states, ties in proportion to P."""
    return np.where(rows.x == 0.0, rows.log_p - rows.log_top[:, None], -np.inf)


def _check(log_p: Array, utility: Array, power: Array) -> None:
    """Raise ValueError for worlds, utilities or powers that mean nothing."""
    with np.errstate(over="ignore"):
        check_mass(np.exp(log_p).sum(axis=-1))
    check_utility(np.asarray(np.isfinite(utility).all(axis=-1)))
    if not (power >= 0.0).all():
        raise ValueError(f"power must be at least 0: got {power[~(power >= 0.0)][0]}")
