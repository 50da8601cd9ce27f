"""The best action within a Wasserstein-2 distance: a transport problem on discrete worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt._outcome import Moved, Optimum, assemble
from sumabm.tilt._rows import ROUNDING, Index, Rows
from sumabm.types import Array

_MOST_STATES = 20_000
_KEPT_STATES = 2_500  # up to here the ground costs fit in memory at once

_Score: TypeAlias = Callable[[Array, Array, NDArray[np.bool_]], Array]
_Blocks: TypeAlias = Callable[[], Iterable[tuple[int, Array]]]


def transport(rows: Rows, ground: Array) -> Optimum:
    """Solve the linear programme over plans, rows in chunks whose size their number can't change.

    On the frontier of gain against cost (squared distance) the optimum at a budget lies between
    two vertices, plans that send each state to one place. They are closed in on by looking for
    the plan best at the slope of the chord between them; when none is above the chord, it *is*
    the frontier.
    """
    count = rows.x.shape[1]
    ground = _features(ground, count)
    scale = np.frexp(np.abs(ground).max(initial=0.0))[1]
    with np.errstate(over="ignore", under="ignore"):
        ground, power = np.ldexp(ground, -scale), np.ldexp(rows.power, -scale)
    height = max(1, min(count, 2**18 // count))
    cached = list(_costs(ground, height)) if count <= _KEPT_STATES else None

    def blocks() -> Iterable[tuple[int, Array]]:
        return _costs(ground, height) if cached is None else cached

    chunk = max(1, 2**21 // (height * count))
    parts = [
        _transport_some(rows.take(some), power[some], blocks, int(scale))
        for some in np.split(np.arange(power.size), range(chunk, power.size, chunk))
    ]
    return Optimum(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def _features(ground: Array, count: int) -> Array:
    """Return the features as ``(N, k)``, checked."""
    features = np.asarray(ground, dtype=np.float64)
    features = features[:, None] if features.ndim == 1 else features
    if features.ndim != 2 or features.shape[0] != count:
        raise ValueError(
            f"ground must have shape (N,) or (N, k) with N = {count} states: got {ground.shape}"
        )
    if count > _MOST_STATES:
        raise ValueError(
            f'"wasserstein" compares all pairs of states: at most {_MOST_STATES} of them, '
            f"got {count}"
        )
    return features


def _costs(ground: Array, height: int) -> Iterator[tuple[int, Array]]:
    """Yield squared distances from one block of states after another to all states."""
    for start in range(0, len(ground), height):
        cost = np.zeros((min(height, len(ground) - start), len(ground)))
        for feature in ground.T:
            cost += (feature[start : start + height, None] - feature) ** 2
        yield start, cost


class _Vertex(NamedTuple):
    """A deterministic plan: its cost and gain (in x), and the distribution it leads to."""

    cost: Array
    value: Array
    q: Array

    def take(self, rows: Index) -> _Vertex:
        return _Vertex(self.cost[rows], self.value[rows], self.q[rows])

    def put(self, rows: Index, other: _Vertex) -> None:
        for mine, theirs in zip(self, other, strict=True):
            mine[rows] = theirs


def _transport_some(rows: Rows, power: Array, blocks: _Blocks, scale: int) -> Optimum:
    """Return the optimum for a chunk of rows; ``power`` is in units of ``2**scale``."""
    least, most = _vertex(rows, blocks, _free), _vertex(rows, blocks, _nearest_best)
    idle = (rows.span == 0.0) | (rows.power <= 0.0)
    saturated = ~idle & (power >= np.sqrt(most.cost) * (1.0 - ROUNDING))
    live = np.flatnonzero(~idle & ~saturated)
    low, high, limit = least.take(live), most.take(live), power[live]
    _close_in(rows.take(live), limit**2, blocks, low, high)
    run = high.cost - low.cost
    share = np.clip((limit**2 - low.cost) / run, 0.0, 1.0)
    with np.errstate(divide="ignore", under="ignore", over="ignore"):
        slope = 0.5 * run / np.maximum(high.value - low.value, 0.0) / limit
        moved = Moved(
            np.log((1.0 - share)[:, None] * low.q + share[:, None] * high.q),
            np.log(slope) + scale * np.log(2.0),
            np.ldexp(np.sqrt(low.cost + share * run), scale),
            (1.0 - share) * low.value + share * high.value,
        )
        log_best, ceiling = np.log(most.q), np.ldexp(np.sqrt(most.cost), scale)
    return assemble(rows, saturated, ceiling, live, moved, log_best)


def _close_in(rows: Rows, budget: Array, blocks: _Blocks, low: _Vertex, high: _Vertex) -> None:
    """Move two vertices of the frontier, in place, until the budget is on the edge they span."""
    active = np.arange(budget.size)
    for _ in range(500):
        if active.size == 0:
            return
        a, b = low.take(active), high.take(active)
        slope = np.clip((b.value - a.value) / (b.cost - a.cost), 0.0, 1e300)
        new = _vertex(rows.take(active), blocks, _at_slope(slope))
        above = (new.value - a.value) - slope * (new.cost - a.cost)
        size = new.value + a.value + slope * (new.cost + a.cost)
        found = (above > 1e-15 * size) & (new.cost > a.cost) & (new.cost < b.cost)
        within = new.cost <= budget[active]
        low.put(active[found & within], new.take(np.flatnonzero(found & within)))
        high.put(active[found & ~within], new.take(np.flatnonzero(found & ~within)))
        active = active[found]


def _free(gain: Array, cost: Array, best: NDArray[np.bool_]) -> Array:
    """Score moves by what they gain, of those that cost nothing."""
    return np.where(cost == 0.0, gain, -np.inf)


def _nearest_best(gain: Array, cost: Array, best: NDArray[np.bool_]) -> Array:
    """Score moves by what they save, of those to the best states."""
    return np.where(best, -cost, -np.inf)


def _at_slope(slope: Array) -> _Score:
    """Return the score ``gain − slope · cost``, one slope per row."""
    return lambda gain, cost, best: gain - slope[:, None, None] * cost


def _vertex(rows: Rows, blocks: _Blocks, score: _Score) -> _Vertex:
    """Return the plan that sends each state where its score is best, ties in proportion to P."""
    count, states = rows.x.shape
    p = np.exp(rows.log_p)
    weight = np.maximum(p, 1e-300).ravel()
    target = np.where(rows.log_p > -np.inf, rows.x, -np.inf)[:, None, :]
    cost, value, q = np.zeros(count), np.zeros(count), np.zeros(count * states)
    for start, ground in blocks():
        stop = start + len(ground)
        gain = target - rows.x[:, start:stop, None]
        scores = score(gain, ground, target == 0.0)
        chosen = (scores == scores.max(axis=-1, keepdims=True)) & (p[:, start:stop, None] > 0.0)
        row, source, to = np.nonzero(chosen)
        cell, pair = row * states + to, row * len(ground) + source
        total = np.bincount(pair, weight[cell], minlength=count * len(ground))
        mass = p[row, start + source] * (weight[cell] / total[pair])
        cost += np.bincount(row, mass * ground[source, to], minlength=count)
        value += np.bincount(row, mass * gain[row, source, to], minlength=count)
        q += np.bincount(cell, mass, minlength=count * states)
    return _Vertex(cost, value, q.reshape(count, states))
