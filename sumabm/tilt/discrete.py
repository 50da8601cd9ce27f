"""Tilts of a discrete world by any utility: the one verb, its undo, and joint action.

Exact to rounding from powers of 1e-300 nats to saturation; each row by itself, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt import _table
from sumabm.tilt._quick import quick_tilts
from sumabm.tilt._root import Root, solve
from sumabm.tilt._table import BLOCK, Table, blocks, buffers, pick, shaped
from sumabm.types import Array

_ROUNDING = 1e-12  # of a power: a target out of reach by less counts as reached
_CAREFUL = 64 * BLOCK  # elements of rows that are not ordinary, solved together
_EPSILON = float(np.finfo(np.float64).eps)


class DiscreteTilt(NamedTuple):
    """What a tilt of a discrete world did; fields but ``log_q`` have one entry per row.

    ``log_q (R, N)``: log-probabilities after it; ``beta (R,)``: the multiplier, per unit of the
    utility (inf if saturated or beyond the floats); ``spent (R,)``: KL(Q‖P) in nats; ``gain (R,)``:
    the rise of ``E[u]``; ``saturated (R,)``: whether only best states are left, for less power
    than was given. Without a replicate axis in what was given there is none here.
    """

    log_q: Array
    beta: Array
    spent: Array
    gain: Array
    saturated: NDArray[np.bool_]


class Share(NamedTuple):
    """One agent's part in a joint tilt: what it would do alone; fields as in `DiscreteTilt`."""

    beta: Array
    spent: Array
    gain: Array
    saturated: NDArray[np.bool_]


def discrete_tilt(
    log_p: Array, utility: Array, power: Array | float, threads: int = 1
) -> DiscreteTilt:
    """Move P to the Q that gains most expected utility within a KL divergence of O nats.

    ``max E_Q[u]`` subject to ``KL(Q‖P) ≤ O`` is solved by ``Q ∝ P exp(βu)``, β ≥ 0 the root of
    ``KL(β) = O``, found to 2e-13 of the power: of ordinary rows in three or four passes of exp, of
    the others by a bracketed search.

    ``log_p`` and ``utility`` are (N,), shared by all rows, or (R, N); ``power`` is a scalar or
    (R,), in nats, and may be inf. Edge cases:

    * a utility constant on the support, or no power: Q is P exactly, β = 0, nothing is spent;
    * ``O ≥ −log P(best states)``: Q is P conditioned on them, ties shared in proportion to P, β
      is inf and ``spent`` is that logarithm. States within 1e-290 of the range are ties;
    * impossible states (log-probability −inf) stay so, whatever their utility (even NaN);
    * the scale of u is immaterial, also where its range overflows (the gain may then be inf).

    ``threads`` is how many parts of the rows are solved at once; the results are the same bit for
    bit, and it does nothing for a single row. Takes the memory of its result and a few blocks.
    ``log_p`` is taken as normalised to rounding.

    Raises ValueError for fewer than one thread, a utility not finite at a possible state, a
    negative power or a ``log_p`` that is not normalised to 1e-6.

    >>> t = discrete_tilt(np.log([0.5, 0.25, 0.25]), np.array([0.0, 1.0, 1.0]), 10.0)
    >>> np.exp(t.log_q).round(12), float(t.spent.round(12)), bool(t.saturated)
    (array([0. , 0.5, 0.5]), 0.69314718056, True)
    """
    p, u, nats, lead = _rows(log_p, utility, power)
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    size = nats.size
    log_q, beta, gain = np.empty((size, p.shape[1])), np.empty(size), np.empty(size)
    tilt = DiscreteTilt(log_q, beta, nats.copy(), gain, np.zeros(size, np.bool_))
    try:
        _fill(tilt, p, u, nats, min(threads, size))
    except ValueError:
        _table.base(_table.prepare(p, u, None))  # complains with the number of the row among all
        raise
    if lead:
        return tilt
    return DiscreteTilt(
        log_q[0],
        beta.reshape(()),
        tilt.spent.reshape(()),
        gain.reshape(()),
        tilt.saturated.reshape(()),
    )


def joint_tilt(
    log_p: Array, utilities: Sequence[Array], powers: Sequence[Array | float]
) -> tuple[Array, list[Share]]:
    """Let several agents act at once on the same P: ``Q ∝ P exp(Σ β_i u_i)``.

    Each ``β_i`` solves ``KL(β_i) = O_i`` against P alone, so the joint KL may exceed ``Σ O_i``: n
    copies act as one agent with ``nβ``. Agents that are saturated act together: Q is first
    restricted to the states, among the possible, that maximise the sum of their ``u_i / range``
    (sums that agree to rounding are ties); then the finite β's apply.

    Shapes, units and errors as in `discrete_tilt`. Returns ``log_q`` and each agent's `Share`:
    what it would spend and gain acting alone.

    >>> opposed = [np.array([0.0, 1.0]), np.array([1.0, 0.0])]
    >>> log_q, shares = joint_tilt(np.log([0.5, 0.5]), opposed, [0.1, 0.1])
    >>> np.exp(log_q).round(12), [float(s.spent) for s in shares]
    (array([0.5, 0.5]), [0.1, 0.1])
    """
    if len(utilities) != len(powers):
        raise ValueError(f"got {len(utilities)} utilities but {len(powers)} powers")
    leads = [*(np.shape(u)[:-1] for u in utilities), *map(np.shape, powers)]
    shape = np.broadcast_shapes(np.shape(log_p)[:-1], *leads)
    p = np.atleast_2d(np.asarray(log_p, dtype=np.float64))
    tilted = np.zeros((math.prod(shape), p.shape[1]))
    best, agents, shares = np.zeros_like(tilted), np.zeros(tilted.shape[0]), []
    for utility, power in zip(utilities, powers, strict=True):
        tilt = discrete_tilt(log_p, utility, power)
        _add(p, np.atleast_2d(np.asarray(utility, dtype=np.float64)), tilt, tilted, best)
        agents += tilt.saturated
        shares.append(Share(*tilt[1:]))
    return _combine(p, tilted, best, agents).reshape(*shape, p.shape[1]), shares


def stride(log_q: Array, log_target: Array, power: Array | float) -> DiscreteTilt:
    """Undo: move Q towards a target as far as power allows, and no further.

    The verb with utility ``ln(target/Q)``, stopped at the target: ``Q^(1−β) target^β`` normalised,
    with the largest β ≤ 1 whose KL to Q is at most O nats. With β = 1 the result is the target:
    exactly, where Q has all its states; else the target conditioned on the states of Q, for what
    Q lacks cannot be brought back. A target out of reach by rounding (1e-12 of O) is reached.

    States of Q that the target lacks have utility −inf. Any step removes them all, which costs
    ``−log(mass kept)``: if O is less no step is worth anything (every Q within reach has
    ``E[u] = −inf``) and nothing is done, β = 0; else they go first, β spends the rest, and the gain
    is inf. If no state is common nothing can be done either.

    ``log_q`` and ``log_target`` are (N,) or (R, N), normalised; ``power`` a scalar or (R,), nats.

    >>> t = stride(np.log([0.9, 0.1]), np.log([0.5, 0.5]), 1.0)
    >>> np.exp(t.log_q), float(t.beta), float(t.spent.round(3))
    (array([0.5, 0.5]), 1.0, 0.511)
    """
    q, target, nats, lead = _rows(log_q, log_target, power)
    q, target = (np.broadcast_to(a, (nats.size, a.shape[1])) for a in (q, target))
    with np.errstate(all="ignore"):
        common = (q > -np.inf) & (target > -np.inf)
        removed = np.asarray(((q > -np.inf) & ~common).any(axis=-1))
        kept, within = _restricted(q, common), _restricted(target, common)
        possible = np.asarray(common.any(axis=-1))
        toll = np.where(removed, kl(kept, q), 0.0)  # of removing what the target lacks
        whole = np.where(possible, kl(within, q), np.inf)
        able = np.where(possible, toll <= nats, False)
        lands = np.where(able, whole <= nats * (1.0 + _ROUNDING), False)
        there = (able & ~lands)[:, None]
        utility = np.where(common, target - q, 0.0)
    left = np.where(able & ~lands, np.maximum(nats - toll, 0.0), 0.0)
    moved = discrete_tilt(np.where(there, kept, q), np.where(there, utility, 0.0), left)
    result = np.where(lands[:, None], within, moved.log_q)
    spent = np.where(lands, np.minimum(whole, nats), moved.spent + np.where(able, toll, 0.0))
    with np.errstate(all="ignore"):
        landing = whole + kl(np.where(possible[:, None], q, 0.0), within)
        gain = np.where(lands, landing, moved.gain)
    gain = np.where(able & removed, np.inf, gain)
    beta = np.where(lands, 1.0, np.minimum(moved.beta, 1.0))
    never = np.zeros(lead, np.bool_)
    beta, spent, gain = beta.reshape(lead), spent.reshape(lead), gain.reshape(lead)
    return DiscreteTilt(result.reshape(*lead, q.shape[1]), beta, spent, gain, never)


def kl(log_q: Array, log_p: Array) -> Array:
    """Return ``KL(Q‖P) = E_Q[log(q/p)]`` in nats, row by row.

    Computed as ``Σ p ψ(log(q/p))`` with ``ψ(y) = y eʸ − eʸ + 1 ≥ 0``, equal for normalised Q and P,
    so that it neither cancels nor goes below zero. Exactly 0 where Q is P; inf where Q has a state
    that P lacks. Shapes (N,) or (R, N), broadcast; a 0-d array without a replicate axis.

    >>> float(kl(np.log([0.5, 0.5]), np.log([0.25, 0.75])).round(6))
    0.143841
    """
    q, p, _, lead = _rows(log_q, log_p, 0.0)
    rows = max(q.shape[0], p.shape[0])
    total, work, everything = np.zeros(rows), buffers(6), np.arange(rows)
    with np.errstate(all="ignore"):
        for row, column in blocks(rows, q.shape[1]):
            log_a, log_b = pick(q, everything[row], column), pick(p, everything[row], column)
            y, prob, *rest = (shaped(b, len(total[row]), log_a.shape[1]) for b in work)
            np.subtract(log_a, log_b, out=y)
            prob[...] = np.exp(log_b)
            y[np.broadcast_to(log_b == -np.inf, y.shape)] = 0.0
            np.maximum(y, -1e150, out=y)
            terms = (rest[0], rest[1], rest[2], rest[3])
            _table.price_terms(y, prob, np.broadcast_to(log_b, y.shape), terms)
            total[row] += terms[2].sum(axis=-1)
            outside = (log_b == -np.inf) & (log_a > -np.inf)
            total[row] += np.where(outside.any(axis=-1), np.inf, 0.0)
    return total.reshape(lead)


def expect(log_p: Array, utility: Array) -> Array:
    """Return ``E_P[u]``, row by row; impossible states count for nothing, whatever their utility.

    Shapes (N,) or (R, N), broadcast. No overflow unless the utility itself is infinite.

    >>> float(expect(np.log([0.5, 0.5]), np.array([1.0, 2.0])))
    1.5
    """
    p, u, _, lead = _rows(log_p, utility, 0.0)
    return _moment(p, u).reshape(lead)


def deviation(log_p: Array, utility: Array) -> Array:
    """Return the standard deviation of u under P, row by row, for utilities of any scale.

    Exactly zero where u is constant on the support. Rare states may have utilities of any size:
    what is summed is ``p (u − E u)²``, in units of its largest root.

    >>> float(deviation(np.log([0.5, 0.5]), np.array([1.0, 3.0])).round(12))
    1.0
    """
    p, u, _, lead = _rows(log_p, utility, 0.0)
    mean = _moment(p, u)[:, None]
    there = p > -np.inf
    with np.errstate(all="ignore"):
        away = np.where(there, np.exp(0.5 * p) * (0.5 * u - 0.5 * mean), 0.0)
        largest = np.abs(away).max(axis=-1)
        unit = np.where(largest > 0.0, largest, 1.0)
        spread = 2.0 * unit * np.sqrt(np.square(away / unit[:, None]).sum(axis=-1))
        highest = np.where(there, u, -np.inf).max(axis=-1)
        lowest = np.where(there, u, np.inf).min(axis=-1)
        spread = np.where(highest > lowest, spread / np.sqrt(np.exp(p).sum(axis=-1)), 0.0)
    return spread.reshape(lead)


def _rows(
    log_p: Array, other: Array, power: Array | float
) -> tuple[Array, Array, Array, tuple[int, ...]]:
    """Return two tables as (1 or R, N), the powers as (R,), and the shape of the result's rows."""
    a, b, nats = (np.asarray(x, dtype=np.float64) for x in (log_p, other, power))
    a, b = (x if x.strides[-1:] == (8,) else np.ascontiguousarray(x) for x in (a, b))  # same bits
    if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2 and nats.ndim <= 1 and a.size and b.size):
        raise ValueError(f"want shapes (N,) or (R, N) and power () or (R,), {_shapes(a, b, nats)}")
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"both tables must have as many states, {_shapes(a, b, nats)}")
    if not (nats >= 0.0).all():
        raise ValueError(f"power must be nats ≥ 0, got {nats[~(nats >= 0.0)].flat[0]}")
    sizes = {*a.shape[:-1], *b.shape[:-1], *nats.shape}
    if len(sizes - {1}) > 1:
        raise ValueError(f"the rows do not match, {_shapes(a, b, nats)}")
    size = max(sizes - {1} or {1})
    a, b = (x if x.ndim == 2 else x[None] for x in (a, b))
    return a, b, np.full(size, nats), (size,) if sizes else ()


def _shapes(*arrays: Array) -> str:
    return "got " + ", ".join(str(a.shape) for a in arrays)


def _fill(tilt: DiscreteTilt, log_p: Array, utility: Array, power: Array, threads: int) -> None:
    """Fill in a tilt, of which ``spent`` is the power already, by so many threads."""
    if threads <= 1:
        _fill_rows(tilt, log_p, utility, power)
        return
    edges = [power.size * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        works = []
        for rows in (slice(*pair) for pair in pairwise(edges)):
            log_q, beta, spent, gain, saturated = tilt
            part = DiscreteTilt(log_q[rows], beta[rows], spent[rows], gain[rows], saturated[rows])
            p, u = (table if table.shape[0] == 1 else table[rows] for table in (log_p, utility))
            works.append(pool.submit(_fill_rows, part, p, u, power[rows]))
        for work in works:
            work.result()


def _fill_rows(tilt: DiscreteTilt, log_p: Array, utility: Array, power: Array) -> None:
    """Fill in a tilt: the ordinary rows, then the others."""
    found = quick_tilts(log_p, utility, power, tilt.log_q, tilt.beta, tilt.gain)
    if found.all():
        return
    left, everything = np.flatnonzero(~found), slice(None)
    tall = max(1, _CAREFUL // log_p.shape[1])
    for start in range(0, left.size, tall):
        rows = left[start : start + tall]
        out = pick(tilt.log_q, rows, everything)
        p, u = pick(log_p, rows, everything), pick(utility, rows, everything)
        scratch = out if max(p.shape[0], u.shape[0]) == rows.size else None
        table, root = solve(p, u, power[rows], scratch)
        _write(table, root, out)
        if not np.may_share_memory(out, tilt.log_q):
            tilt.log_q[rows] = out
        with np.errstate(all="ignore"):  # back to the utility's own scale
            tilt.beta[rows] = np.ldexp(root.slope, -table.exponent)
            tilt.gain[rows] = np.ldexp(root.gain, table.exponent)
        tilt.spent[rows], tilt.saturated[rows] = root.spent, root.saturated


def _write(table: Table, root: Root, out: Array) -> None:
    """Write log Q; ``out`` may be where the table's values are."""
    (y_,), states = buffers(1), out.shape[1]
    tilted = np.flatnonzero(root.moves & ~root.saturated)
    with np.errstate(all="ignore"):
        for row, column in blocks(tilted.size, states):
            rows = tilted[row]
            u, logs = pick(table.value, rows, column), pick(table.log_p, rows, column)
            y = shaped(y_, rows.size, u.shape[1])
            np.subtract(u, root.centre[0][rows, None], out=y)
            if root.centre[1][rows].any():
                np.subtract(y, root.centre[1][rows, None], out=y)
            np.multiply(y, root.slope[rows, None], out=y)
            np.add(y, logs, out=y)
            out[rows, column] = np.subtract(y, root.log_total[rows, None], out=y)
        best, still = np.flatnonzero(root.saturated), np.flatnonzero(~root.moves)
        for row, column in blocks(best.size, states):
            rows = best[row]
            logs = pick(table.log_p, rows, column) - root.log_total[rows, None]
            among = pick(table.value, rows, column) >= table.bar[rows, None]
            out[rows, column] = np.where(among, np.minimum(logs, 0.0), -np.inf)
        for row, column in blocks(still.size, states):
            out[still[row], column] = pick(table.log_p, still[row], column)


def _add(log_p: Array, utility: Array, tilt: DiscreteTilt, tilted: Array, best: Array) -> None:
    """Add an agent's βu to ``tilted``, or if it is saturated its ``u / range`` to ``best``.

    βu is taken from its own tilt, up to a constant: it is finite there whatever the scale of u.
    """
    log_q = np.atleast_2d(tilt.log_q)
    full, rows = np.atleast_1d(tilt.saturated), np.arange(tilted.shape[0])
    with np.errstate(all="ignore"):
        for row, column in blocks(*tilted.shape):
            logs = pick(log_p, rows[row], column)
            moved = (logs > -np.inf) & ~(full[rows[row]] if full.size > 1 else full)[:, None]
            change = np.maximum(pick(log_q, rows[row], column) - logs, -1e300)
            tilted[row, column] += np.where(moved, change, 0.0)  # finite, however many agents
    if full.any():
        most = np.flatnonzero(full)
        p, u = (pick(table, most, slice(None)) for table in (log_p, utility))
        table = _table.prepare(p, u, None)
        best[most if full.size > 1 else slice(None)] += (table.value - table.top[:, None]) / (
            table.width[:, None]
        )


def _combine(log_p: Array, tilted: Array, best: Array, agents: Array) -> Array:
    """Return log Q of a joint tilt; ``agents (R,)`` counts the saturated."""
    possible = log_p > -np.inf
    most = np.where(possible, best, -np.inf).max(axis=-1)
    left = possible & (best >= (most - 2.0 * _EPSILON * agents)[:, None])
    log_q = np.where(left, log_p, -np.inf) + np.where(left, tilted, 0.0)
    peak = log_q.max(axis=-1, keepdims=True)
    total = np.log(np.exp(log_q - peak).sum(axis=-1, keepdims=True))
    idle = (agents == 0) & ~tilted.any(axis=-1)
    return np.where(idle[:, None], log_p, log_q - peak - total)


def _restricted(log_p: Array, states: NDArray[np.bool_]) -> Array:
    """Return P conditioned on some states: P itself, bit for bit, where it has no others."""
    some = np.where(states, log_p, -np.inf)
    with np.errstate(all="ignore"):
        peak = some.max(axis=-1, keepdims=True)
        mass = peak + np.log(np.exp(some - peak).sum(axis=-1, keepdims=True))
        lacks = ((log_p > -np.inf) & ~states).any(axis=-1, keepdims=True)
        return np.where(lacks, some - mass, log_p)


def _moment(log_p: Array, utility: Array) -> Array:
    """Return the mean of each row, scaled so that sums neither overflow nor underflow."""
    rows, states = max(log_p.shape[0], utility.shape[0]), log_p.shape[1]
    total, mass, largest, everything = (
        np.zeros(rows),
        np.zeros(rows),
        np.zeros(rows),
        np.arange(rows),
    )
    with np.errstate(all="ignore"):
        for row, column in blocks(rows, states):
            logs, u = pick(log_p, everything[row], column), pick(utility, everything[row], column)
            size = np.where(logs > -np.inf, np.abs(u), 0.0).max(axis=-1)
            np.maximum(largest[row], size, out=largest[row])
        _table.check_utility(np.isfinite(largest))
        exponent = np.where((largest > 1e290) | (largest < 1e-200), np.frexp(largest)[1], 0)
        factor = np.ldexp(1.0, -np.maximum(exponent, -1023))
        for row, column in blocks(rows, states):
            logs, u = pick(log_p, everything[row], column), pick(utility, everything[row], column)
            p = np.exp(logs)
            u = np.where(logs > -np.inf, u, 0.0) * factor[row, None]
            total[row] += _table.dot(p, u)
            mass[row] += p.sum(axis=-1)
        _table.check_mass(mass)
        return total / mass / factor
