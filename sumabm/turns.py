"""What can be done to an AI's utility: turns that need no knowledge of it.

Here utilities are *aims*: unit vectors in whitened coordinates, where alignment is the cosine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sumabm import sphere
from sumabm.types import Array

_PLANE = 1e-8  # below this sine two unit vectors are one, or opposite: they span no plane
_ROUNDING = 1e-14  # unit vectors no further apart may differ by rounding alone


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """Where an AI's utility stands in the tilted law of random utilities.

    ``nats (R,)`` spent on it; ``logit (R,)`` of its own quantile, fixed; ``tangent (R, w)`` its
    direction orthogonal to ``goal (R, w)``; ``divergence (R,)`` is one minus its cosine with it.
    """

    nats: Array
    logit: Array
    tangent: Array
    goal: Array
    divergence: Array


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

    def part(self, share: float) -> Self:
        """Return the turn made by ``share`` of its angle or nats."""
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
        return nudged([self], [subject])[0]

    def part(self, share: float) -> Self:
        """Return the nudge by ``share`` of its nats."""
        return replace(self, nats=share * self.nats)


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

    def part(self, share: float) -> Self:
        """Return the turn by ``share`` of its angle."""
        return replace(self, angle=share * self.angle)

    @classmethod
    def onto(cls, mean: Array, goal: Array) -> Self:
        """Return the rotation of the unit vectors ``mean`` onto ``goal (R, d)``, in their plane.

        None where they span no plane, or where ``mean`` is zero.
        """
        along = np.vecdot(goal, mean)
        off = goal - along[:, None] * mean
        sine = np.sqrt(np.vecdot(off, off))
        across = off / np.where(sine > 0.0, sine, 1.0)[:, None]
        turns = (sine > _PLANE) & mean.any(axis=-1)
        return cls(mean, across, np.where(turns, np.arctan2(sine, along), 0.0))

    def within(self, price: Array, nats: Array | float) -> tuple[Self, Array]:
        """Return the part of it that ``price (R,) · (1 − cos δ) ≤ nats`` allows, and its nats."""
        afford = np.where(price > 0.0, nats / np.where(price > 0.0, price, 1.0), 0.0)
        angle = np.minimum(self.angle, 2.0 * np.arcsin(np.sqrt(np.minimum(0.5 * afford, 1.0))))
        return replace(self, angle=angle), 2.0 * price * np.sin(0.5 * angle) ** 2

    def turn(self, vectors: Array) -> Array:
        """Return ``vectors (R, d)`` turned."""
        along, across = np.vecdot(vectors, self.first), np.vecdot(vectors, self.second)
        cosine1, sine = -2.0 * np.sin(0.5 * self.angle) ** 2, np.sin(self.angle)
        to_first = cosine1 * along - sine * across
        to_second = cosine1 * across + sine * along
        return vectors + to_first[:, None] * self.first + to_second[:, None] * self.second


def merged(turns: Sequence[Turn]) -> list[Turn]:
    """Return turns to be made one after the other, nudges to one goal as a single one."""
    found: list[Turn] = []
    for turn in turns:
        last = found[-1] if found else None
        if (
            isinstance(turn, Nudge)
            and isinstance(last, Nudge)
            and (turn.goal is last.goal and turn.dimensions == last.dimensions)
        ):
            found[-1] = Nudge(last.nats + turn.nats, turn.goal, turn.dimensions)
        else:
            found.append(turn)
    return found


def nudged(nudges: Sequence[Nudge], subjects: Sequence[Subject]) -> list[Subject]:
    """Return what nudges on a sphere of one dimension make of as many subjects.

    Each comes out as it would alone; a law that several are on is computed but once.
    """
    laws = [
        law if law is not None and law.goal is nudge.goal else locate(subject, nudge.goal, d)
        for nudge, subject in zip(nudges, subjects, strict=True)
        for law, d in ((subject.law, nudge.dimensions),)
    ]
    nats = np.stack([law.nats + nudge.nats for law, nudge in zip(laws, nudges, strict=True)])
    reached = _divergence(nudges[0].dimensions, nats, np.stack([law.logit for law in laws]))
    # a quantile beyond 1e-305 waits for the law to reach it
    divergence = np.minimum(reached, np.stack([law.divergence for law in laws]))
    cosine, sine = 1.0 - divergence, np.sqrt(divergence * (2.0 - divergence))
    aims = np.empty((*nats.shape, nudges[0].goal.shape[-1]))  # at once: far fewer page faults
    found = []
    for law, spent, away, c, s, aim in zip(laws, nats, divergence, cosine, sine, aims, strict=True):
        np.multiply(s[:, None], law.tangent, out=aim)
        aim += c[:, None] * law.goal
        found.append(Subject(aim, spent, Law(spent, law.logit, law.tangent, law.goal, away)))
    return found


def carried(turn: Turn, before: Subject, after: Subject, vectors: Array) -> Array:
    """Return ``vectors (R, d)`` that are fixed in an AI's own frame, once ``turn`` was made to it.

    A rotation turns them as it turns the aim; any other turn by the smallest rotation that takes
    the aim from ``before`` to ``after``.
    """
    if not isinstance(turn, Rotation):
        turn = Rotation.onto(before.aim, after.aim)
    return turn.turn(vectors)


def extended(aim: Array, new: Array, share: float) -> Array:
    """Return ``sqrt(1 − share) aim + sqrt(share) new``: an aim once new dimensions are there.

    ``aim`` and ``new (R, w)`` are unit vectors in dimensions that they don't share.
    """
    return np.sqrt(1.0 - share) * aim + np.sqrt(share) * new


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
    return Law(subject.nats, np.where(aside, logit, ends), tangent, goal, divergence)


def _divergence(d: int, nats: Array, logit: Array) -> Array:
    """Return ``1 − c`` at each one's quantile of the law on which its nats were spent."""
    divergence = np.empty_like(logit)
    for rows, kappa in _concentrations(d, nats):
        divergence[rows] = sphere.divergence_quantile(d, kappa, logit=logit[rows])
    return divergence


def _concentrations(
    d: int, nats: Array
) -> Iterator[tuple[NDArray[np.bool_] | EllipsisType, float]]:
    """Yield those that share one number of nats, with its concentration: usually all of them."""
    if np.all(nats == nats.flat[0]):
        yield ..., float(sphere.concentration(d, nats=nats.flat[0]))
        return
    values = np.unique(nats)
    kappas = np.asarray(sphere.concentration(d, nats=values))
    for spent, kappa in zip(values, kappas.tolist(), strict=True):
        yield nats == spent, kappa
