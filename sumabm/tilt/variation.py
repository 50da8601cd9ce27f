"""The best action within a total variation: mass goes from the worst states to the best."""

from __future__ import annotations

import numpy as np

from sumabm.tilt._divergence import change
from sumabm.tilt._outcome import Moved
from sumabm.tilt._rows import Rows
from sumabm.types import Array


def variation(log_p: Array, log_q: Array, ell: Array) -> Array:
    """Return ``½ Σ |q − p|``, each difference accurate where it is small."""
    return 0.5 * np.abs(change(np.exp(log_p), np.exp(log_q), ell)).sum(axis=-1)


def move_variation(rows: Rows) -> Moved:
    """Move mass from the worst states to the best; every row has room to move."""
    p = np.exp(rows.log_p)
    ascending = np.argsort(rows.x, axis=-1, kind="stable")
    heap = np.cumsum(np.take_along_axis(p, ascending, axis=-1), axis=-1)
    at = np.minimum((heap <= rows.power[:, None]).sum(axis=-1), p.shape[1] - 1)
    level = np.take_along_axis(rows.x, np.take_along_axis(ascending, at[:, None], -1), -1)
    # Rounding of the heap must not reach into the best states themselves.
    level = np.minimum(level[:, 0], np.where(rows.x < 0.0, rows.x, -1.0).max(axis=-1))
    worse, tied = rows.x < level[:, None], rows.x == level[:, None]
    below, at_level = (np.where(who, p, 0.0).sum(axis=-1) for who in (worse, tied))
    taken = np.clip(rows.power - below, 0.0, at_level)
    share = taken / np.where(at_level > 0.0, at_level, 1.0)
    with np.errstate(divide="ignore"):
        log_kept = np.log1p(-share)
    more = np.logaddexp(0.0, np.log(rows.power) - rows.log_top)
    log_q = np.where(tied, rows.log_p + log_kept[:, None], rows.log_p)
    log_q = np.where(worse, -np.inf, log_q)
    return Moved(
        np.where(rows.x == 0.0, log_q + more[:, None], log_q),
        -np.log(-level),
        below + taken,
        np.where(worse, -p * rows.x, 0.0).sum(axis=-1) - taken * level,
    )
