"""What a Bayesian aligner can believe about the aims of AIs: one at a time, or all together.

Aims are unit vectors in whitened coordinates, uniform on the sphere before anything is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from sumabm.aligners.blocks import Blocks, ProductBelief, seen_of
from sumabm.streams import Draw
from sumabm.turns import Rotation
from sumabm.types import Array
from sumabm.view import View


class AimBelief(Protocol):
    """A belief about AIs' aims."""

    def look(self, view: View, looks: int, draw: Mapping[str, Draw], counted: int) -> AimBelief:
        """Return the belief after ``looks`` samples of each thing that is to be seen.

        Each sample is taken for so many independent ones as it is ``counted``.
        """
        ...

    def eta(self, ai: str) -> Array:
        """Return κ times the mean direction of the von Mises–Fisher belief on an aim ``(R, d)``."""
        ...

    def turned(self, ai: str, turn: Rotation) -> Self:
        """Return the belief after the AI was turned, which is known."""
        ...

    def settled(self, view: View) -> Self:
        """Return the belief at the start of the next step, the humans' response being known."""
        ...


@dataclass(frozen=True)
class SeparateBelief:
    """Every AI's act seen by itself, from a world that is known: exact von Mises–Fisher beliefs.

    ``η ← η + a Σ_j (s_j − μ)``, a the act's amplitude ``sqrt(2O)`` (what the humans left of it,
    if seen after them), μ the mean of the world that the AI found [mardia-jupp-2000].
    """

    etas: Mapping[str, Array]
    late: bool

    def look(
        self, view: View, looks: int, draw: Mapping[str, Draw], counted: int
    ) -> SeparateBelief | ProductBelief:
        """Return the posterior: one in blocks, if an act is in a copy that has but some dimensions.

        The first such copy is seen at the first step, or never.
        """
        d = view.base.dimensions
        if any((view.sights[ai].within or d) < d for ai in self.etas if ai in view.sights):
            return self._in_blocks(d, looked=False).look(view, looks, draw, counted)
        etas = dict(self.etas)
        for ai, eta in etas.items():
            seen, amplitude = seen_of(ai, view, looks, draw, late=self.late)
            etas[ai] = eta + (looks * counted * amplitude)[:, None] * seen
        return replace(self, etas=etas)

    def _in_blocks(self, d: int, *, looked: bool) -> ProductBelief:
        blocks = {ai: Blocks.whole(d, eta, looked=looked) for ai, eta in self.etas.items()}
        return ProductBelief(blocks, self.late)

    def grown(self, before: int, d: int, share: float) -> ProductBelief:
        """Return the belief once aims extend from ``before`` to d dimensions, in two blocks.

        A ``share`` of their squared length is in the new ones, in directions of which nothing is
        known.
        """
        return self._in_blocks(before, looked=True).grown(before, d, share)

    def eta(self, ai: str) -> Array:
        """Return η."""
        return self.etas[ai]

    def turned(self, ai: str, turn: Rotation) -> Self:
        """Return the belief with its mean turned."""
        if ai not in self.etas:
            return self
        return replace(self, etas={**self.etas, ai: turn.turn(self.etas[ai])})

    def settled(self, view: View) -> Self:
        """Return the belief as it is: the next acts are seen from a known world too."""
        return self


@dataclass(frozen=True)
class JointBelief:
    """All AIs' aims and the world's displacement together, when only their sum is seen.

    State: aims ``v_1 … v_k`` and the displacement m of the world from base at the start of the
    step, ``means (k + 1, R, d)``; a Gaussian belief with ``covariance (R, k + 1, k + 1) ⊗ I``,
    aims ``N(0, I/d)`` at first and m = 0. What is seen is ``m + Σ a_i v_i + noise``: a Kalman
    filter, exact as long as no aim is turned. What the step leaves behind is carried along the aims
    as they ``acted (k, R, d)``, before turns; the covariance of a turned aim with the past
    displacement is kept as it was, right to order 1/d. Directions are read off as the von
    Mises–Fisher law that a Gaussian is on the sphere, ``η = mean/variance``, which for one AI
    without turns is the exact posterior.
    """

    names: tuple[str, ...]
    watched: tuple[str, ...]
    means: Array
    covariance: Array
    acted: Array
    late: bool

    @classmethod
    def prior(cls, watched: tuple[str, ...], view: View, *, late: bool) -> Self:
        """Return the belief before anything was seen."""
        names = tuple(view.order)
        rows, size = len(view.goal), len(names) + 1
        covariance = np.zeros((rows, size, size))
        for i in range(size - 1):
            covariance[:, i, i] = 1.0 / view.base.dimensions
        means = np.zeros((size, *view.goal.shape))
        return cls(names, watched, means, covariance, means[:-1], late)

    def look(self, view: View, looks: int, draw: Mapping[str, Draw], counted: int) -> Self:
        """Return the posterior: of each watched act in turn, or of all at once."""
        if self.late or view.activation == "simultaneous":
            seen = view.world.look(view.base, draw[self.watched[0]], looks)
            kept = view.kept if self.late else 1.0
            weights = [kept * np.sqrt(2.0 * view.power[ai]) for ai in self.names]
            told = self._told(weights, seen - view.added if self.late else seen, looks * counted)
            return replace(told, acted=told.means[:-1])
        belief = self
        for ai in self.watched:
            seen = view.sights[ai].left.look(view.base, draw[ai], looks)
            weights = [
                np.where(view.order[other] <= view.order[ai], np.sqrt(2.0 * view.power[other]), 0.0)
                for other in self.names
            ]
            belief = belief._told(weights, seen, looks * counted)
        return replace(belief, acted=belief.means[:-1])

    def _told(self, weights: list[Array], seen: Array, looks: int) -> Self:
        """Return the belief given ``seen (R, d) = m + Σ weights_i v_i + N(0, I/looks)``."""
        load = np.stack([*weights, np.ones_like(weights[0])], axis=-1)
        spread = np.einsum("rij,rj->ri", self.covariance, load)
        variance = np.vecdot(load, spread) + 1.0 / looks
        gain = spread / variance[:, None]
        surprise = seen - np.einsum("ri,ird->rd", load, self.means)
        means = self.means + gain.T[:, :, None] * surprise
        covariance = self.covariance - gain[:, :, None] * spread[:, None, :]
        return replace(self, means=means, covariance=covariance)

    def eta(self, ai: str) -> Array:
        """Return the mean over the variance."""
        i = self.names.index(ai)
        return self.means[i] / self.covariance[:, i, i, None]

    def turned(self, ai: str, turn: Rotation) -> Self:
        """Return the belief with that aim's mean turned."""
        means = self.means.copy()
        means[self.names.index(ai)] = turn.turn(means[self.names.index(ai)])
        return replace(self, means=means)

    def settled(self, view: View) -> Self:
        """Return the belief with the displacement that the step leaves behind."""
        keep = view.dynamics.memory
        left = np.stack([view.kept * np.sqrt(2.0 * view.power[ai]) for ai in self.names], axis=-1)
        carry = keep * np.concatenate([left, np.ones((len(left), 1))], axis=1)
        moved = np.broadcast_to(np.eye(len(self.means)), self.covariance.shape).copy()
        moved[:, -1, :] = carry
        means = self.means.copy()
        world = np.concatenate([self.acted, self.means[-1:]])
        means[-1] = np.einsum("ri,ird->rd", carry, world) + keep * view.added
        covariance = np.einsum("rij,rjk,rlk->ril", moved, self.covariance, moved)
        return replace(self, means=means, covariance=covariance)
