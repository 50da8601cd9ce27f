"""What an optimum is reported as, put together from the rows that a solver moved and the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt._rows import Index, Rows, conditioned
from sumabm.types import Array


class Optimum(NamedTuple):
    """What the best action within a limit did: each field has one entry per row.

    ``log_q (R, N)`` is the world after; ``multiplier (R,)`` the power that one more unit of
    utility would cost, ``dO/dgain`` (under KL it would be the tilt's β): 0 where nothing was
    done, inf where there is nothing left to buy; ``spent (R,)`` the measure's value; ``gain (R,)``
    the rise of ``E[u]``; ``saturated (R,)`` whether Q is on the best states only. Without a
    replicate axis in what was given there is none here.
    """

    log_q: Array
    multiplier: Array
    spent: Array
    gain: Array
    saturated: NDArray[np.bool_]


class Moved(NamedTuple):
    """A solver's answer for the rows that were neither idle nor saturated, utility in ``x``."""

    log_q: Array
    log_multiplier: Array
    spent: Array
    gain: Array


def assemble(
    rows: Rows,
    saturated: NDArray[np.bool_],
    ceiling: Array,
    live: Index,
    moved: Moved,
    log_best: Array | None = None,
) -> Optimum:
    """Put together the rows that moved, those that are saturated and those that are idle."""
    full = saturated[:, None]
    log_q = np.where(full, conditioned(rows) if log_best is None else log_best, rows.log_p)
    spent = np.where(saturated, np.minimum(ceiling, rows.power), 0.0)
    with np.errstate(under="ignore"):
        most = -(np.exp(rows.log_p) * rows.x).sum(axis=-1)
    gain, scale = np.where(saturated, most, 0.0), np.where(saturated, np.inf, 0.0)
    log_q[live] = moved.log_q
    spent[live] = np.minimum(moved.spent, rows.power[live])
    gain[live] = moved.gain
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        units = np.log(rows.span[live]) + rows.exponent[live] * np.log(2.0)
        scale[live] = np.exp(moved.log_multiplier - units)
    return Optimum(log_q, scale, spent, rows.in_units(gain), saturated)
