"""What can be done to an AI's utility: turns that need no knowledge of it.

Here utilities are *aims*: unit vectors in whitened coordinates, where alignment is the cosine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sumabm import sphere
from sumabm.types import Array

_ROUNDING = 1e-14  # unit vectors no further apart may differ by rounding alone


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """Where an AI's utility stands in the tilted law of random utilities.

    ``nats (R,)`` spent on it; ``logit (R,)`` of its own quantile, fixed; ``tangent (R, w)`` its
    direction orthogonal to ``goal (R, w)``.
    """

    nats: Array
    logit: Array
    tangent: Array
    goal: Array


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An AI's utility as edits turn it: unit whitened ``aim (R, d)``, and its `Law` if known."""

    aim: Array
    nats: Array
    law: Law | None = None


class Turn(Protocol):
    """A change to an AI's utility that an aligner can make without knowing that utility."""

    def apply(self, subject: Subject) -> Subject:
        """Return the AI's utility after the turn."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Nudge:
    """Spend ``nats (R,)`` tilting the law of the AI's utility towards ``goal (R, w)``.

    The essay's verb: on the sphere of ``dimensions`` that aims fill, the law becomes the von
    Mises–Fisher law that has so much KL divergence from the uniform one; the AI keeps its quantile
    and its tangent, so that its alignment is an exact draw from the tilted law at every step and
    never falls.
    """

    nats: Array
    goal: Array
    dimensions: int

    def apply(self, subject: Subject) -> Subject:
        """Return the AI's utility at the same quantile of the law with more nats spent on it."""
        law = subject.law
        if law is None or law.goal is not self.goal:
            law = locate(subject, self.goal, self.dimensions)
        nats = law.nats + self.nats
        now = subject.aim - self.goal
        divergence = np.minimum(
            _divergence(self.dimensions, nats, law.logit),
            0.5 * np.vecdot(now, now),  # a quantile beyond 1e-305 waits for the law to reach it
        )
        cosine, sine = 1.0 - divergence, np.sqrt(divergence * (2.0 - divergence))
        aim = cosine[:, None] * self.goal + sine[:, None] * law.tangent
        return Subject(aim, nats, replace(law, nats=nats))


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """Turn by ``angle (R,)`` from ``first`` to ``second (R, d)``, orthonormal in each row.

    What lies outside the plane stays.
    """

    first: Array
    second: Array
    angle: Array

    def apply(self, subject: Subject) -> Subject:
        """Return the turned utility; its place in any law must be found anew."""
        return Subject(self.turn(subject.aim), subject.nats)

    def turn(self, vectors: Array) -> Array:
        """Return ``vectors (R, d)`` turned."""
        along, across = np.vecdot(vectors, self.first), np.vecdot(vectors, self.second)
        cosine1, sine = -2.0 * np.sin(0.5 * self.angle) ** 2, np.sin(self.angle)
        to_first = cosine1 * along - sine * across
        to_second = cosine1 * across + sine * along
        return vectors + to_first[:, None] * self.first + to_second[:, None] * self.second


def locate(subject: Subject, goal: Array, d: int) -> Law:
    """Return the AI's place in the law tilted towards ``goal (R, w)`` by the nats spent so far.

    ``d`` is the dimensions of the sphere that aims fill, at most the width w of an aim.

    Its quantile is that of its present cosine; its tangent what is left of it off the goal. An
    aim on the goal, but for rounding, has no tangent: its quantile is 1 and it stays there.
    """
    way = subject.aim - goal
    divergence = np.minimum(0.5 * np.vecdot(way, way), 2.0)  # 1 − c, to all digits near the goal
    off = way + divergence[:, None] * goal
    off = off - np.vecdot(off, goal)[:, None] * goal  # once more: near ±goal the first one cancels
    length = np.sqrt(np.vecdot(off, off))
    aside = length > _ROUNDING
    tangent = off / np.where(aside, length, 1.0)[:, None]
    logit = np.empty_like(divergence)
    for rows, kappa in _concentrations(d, subject.nats):
        logit[rows] = sphere.cosine_logit(d, kappa, divergence=divergence[rows])
    ends = np.where(divergence < 1.0, np.inf, -np.inf)
    return Law(subject.nats, np.where(aside, logit, ends), tangent, goal)


def _divergence(d: int, nats: Array, logit: Array) -> Array:
    """Return ``1 − c`` at each row's quantile of the law on which its nats were spent."""
    divergence = np.empty_like(logit)
    for rows, kappa in _concentrations(d, nats):
        divergence[rows] = sphere.divergence_quantile(d, kappa, logit=logit[rows])
    return divergence


def _concentrations(d: int, nats: Array) -> Iterator[tuple[Array | slice, float]]:
    """Yield the rows that share one number of nats, with its concentration: usually all rows."""
    if np.all(nats == nats[:1]):
        yield slice(None), float(sphere.concentration(d, nats=nats[0]))
        return
    for spent in np.unique(nats):
        yield nats == spent, float(sphere.concentration(d, nats=spent))
