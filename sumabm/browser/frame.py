"""What panels draw: a run up to a step, live or stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.scenario import Scenario
from sumabm.types import Array

MOST_POINTS = 400
"""Points of a curve that are sent to a page, at most about so many."""


class Event(NamedTuple):
    """Something worth a line in the log: the step at which it happened, and what, in words."""

    step: int
    text: str


class Blob(NamedTuple):
    """A distribution seen in a plane: its mean ``(2,)`` and covariance ``(2, 2)``."""

    mean: Array
    covariance: Array


class Arrow(NamedTuple):
    """What one agent did to the world's mean, in a plane: from ``foot`` to ``tip``, ``(2,)``."""

    agent: str
    foot: Array
    tip: Array


class Plane(NamedTuple):
    """The world in the plane of the humans' utility v_Y (along) and an AI's (across).

    Whitened: 1 is a standard deviation of the base world. ``aims`` are the unit utilities of all
    AIs as far as they lie in the plane; v_Y is (1, 0).
    """

    ai: str
    base: Blob
    acted: Blob
    left: Blob
    arrows: tuple[Arrow, ...]
    aims: Mapping[str, Array]


class States(NamedTuple):
    """The probabilities ``(N,)`` of a discrete world's states, and their names if they have any."""

    base: Array
    acted: Array
    left: Array
    names: tuple[str, ...] = ()


class Band(NamedTuple):
    """Mean over replicates and the limits of their central 95 %, each ``(n,)``; NaN if missing."""

    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Frame:
    """A run up to a step, with one replicate on show.

    ``columns`` are named ``variable[.agent]`` and shaped ``(count, R)``: row t is of step t, and
    missing (NaN) where a replicate is done. ``theory`` has curves ``(T,)`` by column, over all
    ``horizon`` steps or as many as were worked out. ``shown`` is a place on the replicate axis,
    ``first`` the number of its first replicate. ``world`` is the shown replicate's world as the
    last of these steps left it, None before any.
    """

    spec: Scenario
    horizon: int
    count: int
    columns: Mapping[str, Array]
    theory: Mapping[str, Array] = field(default_factory=dict)
    shown: int = 0
    first: int = 0
    world: Plane | States | None = None
    events: tuple[Event, ...] = ()

    @property
    def replicates(self) -> int:
        """The number R of replicates."""
        return next((values.shape[1] for values in self.columns.values()), 0)

    def steps(self) -> NDArray[np.intp]:
        """Return the steps at which curves are drawn: every 2^k-th and the last."""
        return thinned(self.count)

    def one(self, column: str) -> Array:
        """Return a column of the replicate on show at `steps`."""
        return self.columns[column][:, self.shown][self.steps()]

    def agents(self, variable: str) -> list[str]:
        """Return the agents that have a column of this variable, in file order."""
        return [name for name in self.spec.population if f"{variable}.{name}" in self.columns]


def thinned(count: int, most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Return every 2^k-th of ``count`` places and the last, no more than ``most`` + 1 in all.

    >>> thinned(10, most=5)
    array([0, 2, 4, 6, 8, 9])
    """
    stride = 1
    while count > stride * most:
        stride *= 2
    chosen = np.arange(0, count, stride)
    return chosen if count == 0 or chosen[-1] == count - 1 else np.append(chosen, count - 1)


def band_of(values: Array) -> Band:
    """Return the mean and the central 95 % of each row of ``(n, R)``, of what is there."""
    ordered = np.sort(values, axis=1)  # missing ones last
    return Band(mean_of(ordered), _quantile(ordered, 0.025), _quantile(ordered, 0.975))


def mean_of(values: Array) -> Array:
    """Return the mean of each row of ``(n, R)``, of what is there; missing without any."""
    there = ~np.isnan(values)
    count = np.count_nonzero(there, axis=1)
    total = np.sum(values, axis=1, where=there)
    return np.divide(total, count, where=count > 0, out=np.full(len(values), np.nan))


def _quantile(ordered: Array, share: float) -> Array:
    """Return a quantile of each ascending row, as ``np.nanquantile`` has it, in far less time."""
    last = np.maximum(np.count_nonzero(~np.isnan(ordered), axis=1) - 1, 0)
    place = share * last
    below = np.floor(place).astype(np.intp)
    rows = np.arange(len(ordered))
    low, high = ordered[rows, below], ordered[rows, np.minimum(below + 1, last)]
    return low + (place - below) * (high - low)
