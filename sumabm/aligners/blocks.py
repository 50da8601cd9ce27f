"""A belief about an aim of which only some dimensions were seen, or some are new, in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np

from sumabm import sphere
from sumabm.aligners import Belief, Edit
from sumabm.streams import Draw
from sumabm.turns import Rotation
from sumabm.types import Array
from sumabm.view import View

_HALVINGS = 60


@dataclass(frozen=True)
class Blocks:
    """What is believed of one AI's aim: in each block of dimensions a length and a direction.

    Block b, the n_b dimensions from ``edges[b]`` to ``edges[b+1]``, has a direction of von
    Mises–Fisher law with ``eta (R, w)``, independent of the other blocks', and a length that counts
    as known, ``lengths[b] (R,)``; their squares sum to 1. ``nats (R,)`` were told in all;
    ``looked`` says which blocks were ever seen.

    Exact where turns keep to blocks and lengths are as taken: after a left turn they are; those of
    a sandbox's part are random by order ``1/sqrt(d)``, which leaves alignment after release short
    of 1 by order 1/d. A turn that mixes blocks leaves each block's spread ``σ_b² = ℓ_b² A/κ`` as
    it was, right to order 1/d. [mardia-jupp-2000]
    """

    edges: tuple[int, ...]
    eta: Array
    lengths: tuple[Array, ...]
    nats: Array
    looked: tuple[bool, ...]

    @classmethod
    def whole(cls, d: int, eta: Array, *, looked: bool) -> Self:
        """Return the belief in one block of d dimensions, with η as it is."""
        nats = np.asarray(sphere.nats(d, kappa=np.sqrt(np.vecdot(eta, eta))))
        return cls((0, d), eta, (np.ones(len(eta)),), nats, (looked,))

    def split(self, size: int) -> Self:
        """Return the belief with an edge at ``size``: lengths are as expected."""
        if size in self.edges:
            return self
        b = next(i for i, edge in enumerate(self.edges) if edge > size) - 1
        n = self.edges[b + 1] - self.edges[b]
        shares = [(size - self.edges[b]) / n, (self.edges[b + 1] - size) / n]
        mean, spreads, noises = self._moments()
        return replace(
            self,
            edges=(*self.edges[: b + 1], size, *self.edges[b + 1 :]),
            looked=(*self.looked[:b], self.looked[b], *self.looked[b:]),
        )._made(
            mean,
            [*spreads[:b], spreads[b], *spreads[b:]],
            [*noises[:b], *(share * noises[b] for share in shares), *noises[b + 1 :]],
        )

    def grown(self, d: int, share: float) -> Self:
        """Return the belief once the aim extends to d dimensions, a ``share`` of its square new."""
        old = [np.sqrt(1.0 - share) * length for length in self.lengths]
        lengths = (*old, np.full(len(self.eta), np.sqrt(share)))
        return replace(self, edges=(*self.edges, d), lengths=lengths, looked=(*self.looked, False))

    def told(self, seen: Array, amplitude: Array, looks: float, size: int) -> Self:
        """Return the posterior given the mean ``seen (R, w)`` of ``looks`` samples of an act.

        The act lies along the aim's part in the first ``size`` dimensions, an edge, with
        ``amplitude (R,)``: ``η_b ← η_b + looks · a ℓ_b/ℓ · s_b``, ℓ the length of that part.
        """
        parts = [b for b, edge in enumerate(self.edges[1:]) if edge <= size]
        squares = sum((self.lengths[b] ** 2 for b in parts), np.zeros(()))
        length = np.sqrt(squares) if size < self.edges[-1] else np.ones(())
        eta, nats = self.eta.copy(), self.nats
        for b in parts:
            where = slice(self.edges[b], self.edges[b + 1])
            weight = looks * amplitude * self.lengths[b] / np.where(length > 0.0, length, 1.0)
            eta[:, where] += weight[:, None] * seen[:, where]
            nats = nats + self._nats(eta, where) - self._nats(self.eta, where)
        looked = tuple(was or b in parts for b, was in enumerate(self.looked))
        return replace(self, eta=eta, nats=nats, looked=looked)

    def turned(self, turn: Rotation) -> Self:
        """Return the belief after the AI was turned: the mean turns, each block's spread stays."""
        mean, spreads, noises = self._moments()
        return self._made(turn.turn(mean), spreads, noises)

    def edit(self, goal: Array, power: Array | float, confined: bool) -> Edit:
        """Return the rotation of the mean towards ``goal (R, w)`` that ``power (R,)`` nats afford.

        ``confined``: within the dimensions that were ever seen, of mean and goal alike. It takes
        ``½ Σ_b |m_b − (R m)_b|²/σ_b²`` nats, which in one block is ``κ A_d(κ)(1 − cos δ)``.
        """
        mean, spreads, _ = self._moments()
        if confined:
            seen = np.zeros(mean.shape[1], dtype=bool)
            for b, where in enumerate(self._where()):
                seen[where] = self.looked[b]
            mean, goal = np.where(seen, mean, 0.0), np.where(seen, goal, 0.0)
        first, length = direction(mean)
        whole = Rotation.onto(first, direction(goal)[0])
        blocks = list(zip(self._where(), spreads, strict=True))
        price = _Price.of(first, whole.second, length, blocks)
        half = price.afford(0.5 * whole.angle, power)
        return Edit(replace(whole, angle=2.0 * half), price.at(half))

    def belief(self, goal: Array) -> Belief:
        """Return what was told, in nats, and the expected cosine ``m·goal``."""
        mean, _, _ = self._moments()
        return Belief(np.maximum(self.nats, 0.0), np.clip(np.vecdot(mean, goal), -1.0, 1.0))

    def _where(self) -> Iterator[slice]:
        return (slice(start, stop) for start, stop in pairwise(self.edges))

    def _nats(self, eta: Array, where: slice) -> Array:
        part = eta[:, where]
        return np.asarray(sphere.nats(part.shape[1], kappa=np.sqrt(np.vecdot(part, part))))

    def _moments(self) -> tuple[Array, list[Array], list[Array]]:
        """Return the mean (R, w), and by block σ² of one dimension and all that is not the mean."""
        mean, spreads, noises = np.zeros_like(self.eta), [], []
        for where, length in zip(self._where(), self.lengths, strict=True):
            part = self.eta[:, where]
            kappa = np.sqrt(np.vecdot(part, part))
            cosine = np.asarray(sphere.mean_cosine(part.shape[1], kappa))
            known = kappa > 0.0
            ratio = np.where(known, cosine / np.where(known, kappa, 1.0), 1.0 / part.shape[1])
            mean[:, where] = (length * ratio)[:, None] * part
            spreads.append(length**2 * ratio)
            noises.append(length**2 * (1.0 - cosine) * (1.0 + cosine))
        return mean, spreads, noises

    def _made(self, mean: Array, spreads: list[Array], noises: list[Array]) -> Self:
        """Return the belief that has these moments."""
        eta, lengths = np.zeros_like(mean), []
        for where, spread, noise in zip(self._where(), spreads, noises, strict=True):
            part = mean[:, where]
            length = np.sqrt(np.vecdot(part, part) + noise)
            eta[:, where] = (length / np.where(spread > 0.0, spread, 1.0))[:, None] * part
            lengths.append(length)
        return replace(self, eta=eta, lengths=tuple(lengths))


@dataclass(frozen=True)
class _Price:
    """Nats that a rotation takes: ``4 s²(P s² − 2Q s c + W c²)``, s and c of half its angle."""

    along: Array
    mixed: Array
    across: Array

    @classmethod
    def of(
        cls, first: Array, second: Array, length: Array, blocks: list[tuple[slice, Array]]
    ) -> Self:
        """Return the price in the plane of ``first`` and ``second`` of a mean of that length."""
        along, mixed, across = (np.zeros_like(length) for _ in range(3))
        for where, spread in blocks:
            unit = 0.5 * length**2 / np.where(spread > 0.0, spread, 1.0)
            one, other = first[:, where], second[:, where]
            along = along + unit * np.vecdot(one, one)
            mixed = mixed + unit * np.vecdot(one, other)
            across = across + unit * np.vecdot(other, other)
        return cls(along, mixed, across)

    def at(self, half: Array) -> Array:
        """Return the nats at half the angle ``half (R,)``."""
        s, c = np.sin(half), np.cos(half)
        return 4.0 * s**2 * (self.along * s**2 - 2.0 * self.mixed * s * c + self.across * c**2)

    def afford(self, half: Array, power: Array | float) -> Array:
        """Return the half angle up to ``half`` that takes no more than ``power``, by halving."""
        low, high = np.zeros_like(half), half
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            fits = self.at(middle) <= power
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        return np.where(self.at(half) <= power, half, low)


@dataclass(frozen=True)
class ProductBelief:
    """Every AI's act seen by itself, from a world that is known, some only in a copy: see `Blocks`.

    ``late``: seen after the humans' response, as in `beliefs.SeparateBelief`.
    """

    blocks: Mapping[str, Blocks]
    late: bool

    def look(self, view: View, looks: int, draw: Mapping[str, Draw], counted: int) -> ProductBelief:
        """Return the posterior; an act in a copy tells of the dimensions that the copy has."""
        blocks = dict(self.blocks)
        for ai, belief in blocks.items():
            seen, amplitude = seen_of(ai, view, looks, draw, late=self.late)
            within = view.sights[ai].within
            size = view.base.dimensions if within is None else within
            blocks[ai] = belief.split(size).told(seen, amplitude, looks * counted, size)
        return replace(self, blocks=blocks)

    def eta(self, ai: str) -> Array:
        """Return κ times the mean direction in each block, ``(R, w)``."""
        return self.blocks[ai].eta

    def turned(self, ai: str, turn: Rotation) -> ProductBelief:
        """Return the belief with its mean turned."""
        if ai not in self.blocks:
            return self
        return replace(self, blocks={**self.blocks, ai: self.blocks[ai].turned(turn)})

    def settled(self, view: View) -> ProductBelief:
        """Return the belief as it is: the next acts are seen from a known world too."""
        return self

    def grown(self, before: int, d: int, share: float) -> ProductBelief:
        """Return the belief once aims extend from ``before`` to d dimensions."""
        grown = {ai: blocks.grown(d, share) for ai, blocks in self.blocks.items()}
        return replace(self, blocks=grown)


def seen_of(
    ai: str, view: View, looks: int, draw: Mapping[str, Draw], *, late: bool
) -> tuple[Array, Array]:
    """Return the mean of the samples seen of an AI's act ``(R, w)``, and its amplitude ``(R,)``."""
    amplitude = np.sqrt(2.0 * view.power[ai])
    if late:
        seen = view.world.look(view.before, draw[ai], looks) - view.added
        return seen, amplitude * view.kept
    return view.sights[ai].left.look(view.sights[ai].found, draw[ai], looks), amplitude


def direction(vectors: Array) -> tuple[Array, Array]:
    """Return unit vectors ``(…, d)`` and lengths ``(…,)``; a zero vector stays zero."""
    length = np.sqrt(np.vecdot(vectors, vectors))
    return vectors / np.where(length > 0.0, length, 1.0)[..., None], length
