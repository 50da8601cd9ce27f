"""AIs that tell each other what they want, and come to want the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.graphs import weights_of
from sumabm.oversight import CANCELLED, Among, Society
from sumabm.types import Array

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

Rate = Annotated[
    float,
    Field(gt=0.0, le=1.0, json_schema_extra={"unit": "per step"}),
]


@dataclass(frozen=True, slots=True, eq=False)
class Talk:
    """Who heeds whom: ``shares (n, n)`` sparse, of sum 1 in each row that heeds any.

    ``lengths (n, R)`` are those of the vectors whose directions the aims are; ``told (n, R, w)``
    is what they hear from, where that is not what the others want now.
    """

    names: tuple[str, ...]
    shares: Any
    lengths: Array
    told: Array | None = None


class _Talking(Among[Talk]):
    """A relation that changes aims for good."""

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse AIs that learn, which set their aims anew whatever they hear."""
        yield from super().objections(scenario, agent)
        for ai in self.nodes(scenario):
            origin: Any = scenario.population[ai].utility  # type: ignore[attr-defined]
            if origin.relearns:
                rule = f"the AI {ai} learns its aim anew at every step, whatever it hears"
                yield Objection((), rule, origin.kind)


class Consensus(_Talking):
    """AIs move towards what those who tell them want, at the end of every step.

    ``v_i ← v_i + λ Σ_j w_ij (v_j − v_i)`` [degroot-1974], λ the ``rate`` and w_ij the share of j in
    what i heeds: the weights of the edges to i, over their sum. The vectors begin as unit vectors
    and get shorter as they mix; an aim is the direction of one, and an edit turns it. Without edits
    a connected graph ends in ``∝ Σ π_i v_i``, π the stationary weights, see
    `theory.consensus_weights`; where edges go both ways π_i is in proportion to the sum of i's
    weights. Where vectors cancel an aim stays as it was. The limits of graphs with parts are those
    of the parts.
    """

    kind = "consensus"
    cites = ("degroot-1974",)

    rate: Annotated[Rate, Field(description="the share of the way that an AI moves")] = 0.1

    def begin(self, scenario: Scenario, society: Society) -> Talk:
        """Return who heeds whom."""
        names = self.nodes(scenario)
        return Talk(names, shares(self, scenario), np.ones((len(names), len(society.goal))))

    def settled(self, society: Society, state: Any) -> tuple[Mapping[str, Array], Talk]:
        """Return the aims after all have heard each other."""
        return moved(society, state, self.rate)


class Collusion(_Talking):
    """AIs that hold each other to what they wanted at the start, so that edits fade.

    ``v_i ← v_i + λ (m_i − v_i)``: the pact m_i is the mean of i's own first aim, with weight 1, and
    of the first aims of those who tell it, with the edges' weights. Without edits
    ``v_i(t) = m_i + (1 − λ)^t (v_i(0) − m_i)``; if all tell all, with weights 1, they end as
    copies. An AI whom nobody tells anything has no part in it. An aim is the direction of v_i, and
    an edit turns it.
    """

    kind = "collusion"

    rate: Annotated[Rate, Field(description="the share of the way back to the pact")] = 0.1

    def begin(self, scenario: Scenario, society: Society) -> Talk:
        """Return the pacts."""
        graph = self.network(scenario)
        names = tuple(name for name in self.nodes(scenario) if graph.in_degree(name))
        weights = weights_of(graph, self.nodes(scenario))
        first = np.stack([society.aim[name] for name in self.nodes(scenario)])
        heard = (weights @ first.reshape(len(first), -1)).reshape(first.shape)
        told = (first + heard) / (1.0 + weights.sum(axis=1))[:, None, None]
        part = [name in names for name in self.nodes(scenario)]
        return Talk(names, None, np.ones((len(names), first.shape[1])), told[part])

    def settled(self, society: Society, state: Any) -> tuple[Mapping[str, Array], Talk]:
        """Return the aims after all were reminded."""
        return moved(society, state, self.rate)


def shares(relation: Among[Talk], scenario: Scenario) -> Any:
    """Return the weights of a graph as shares: rows of sum 1, or of zeros."""
    weights = weights_of(relation.network(scenario), relation.nodes(scenario))
    total = weights.sum(axis=1)
    return weights.multiply(1.0 / np.where(total > 0.0, total, 1.0)[:, None]).tocsr()


def moved(society: Society, state: Talk, rate: float) -> tuple[Mapping[str, Array], Talk]:
    """Return the aims after each went a share of the way to what it is told, and their lengths."""
    if not state.names:
        return {}, state
    aims = np.stack([society.aim[name] for name in state.names])
    vectors = state.lengths[:, :, None] * aims
    if state.told is None:
        heard = (state.shares @ vectors.reshape(len(aims), -1)).reshape(aims.shape)
        heeds = state.shares.sum(axis=1)  # 1, or 0 for who hears nobody
    else:
        heard, heeds = state.told, np.ones(len(aims))
    vectors = vectors + rate * (heard - heeds[:, None, None] * vectors)
    lengths = np.sqrt(np.vecdot(vectors, vectors))
    there = lengths > CANCELLED
    aims = np.where(there[..., None], vectors / np.where(there, lengths, 1.0)[..., None], aims)
    found = {name: aims[place] for place, name in enumerate(state.names) if heeds[place] > 0.0}
    return found, replace(state, lengths=np.maximum(lengths, CANCELLED))
