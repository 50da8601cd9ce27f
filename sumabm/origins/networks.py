"""Networks of subagents that hand goals down: the graph in causal order, and what is handed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sumabm.types import Array
from sumabm.worlds.equations import equations

if TYPE_CHECKING:
    import networkx as nx

MAX_SUBAGENTS = 1000
CANCELLED = 1e-12  # a sum of unit vectors no longer than this has no direction


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A directed acyclic graph of subagents, parents first.

    ``parents`` and ``weights`` are those of each subagent, empty for a source; ``sinks`` hand
    nothing on; ``generation`` is the most steps from a source. Subagents are places in ``names``.
    """

    names: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    sinks: tuple[int, ...]
    generation: tuple[int, ...]

    @classmethod
    def of(cls, graph: nx.DiGraph[str]) -> Network:
        """Return the network of a graph whose edges may have a ``weight`` (1 where they don't).

        Raises ValueError for a graph that has no subagent or too many, is not directed or has a
        cycle, and for a weight that is not positive and finite.
        """
        if not 1 <= len(graph) <= MAX_SUBAGENTS:
            raise ValueError(f"should have 1 to {MAX_SUBAGENTS} subagents, got {len(graph)}")
        graph = graph.copy()
        for above, below, attributes in graph.edges(data=True):
            attributes.setdefault("weight", 1.0)
            if attributes["weight"] == 0.0:  # which would be as if there were no edge
                raise ValueError(f"weight {above} -> {below} should be positive, got 0")
        names, matrix, _ = equations(graph)
        if np.any(matrix < 0.0):
            below, above = np.argwhere(matrix < 0.0)[0]
            which, got = f"{names[above]} -> {names[below]}", matrix[below, above]
            raise ValueError(f"weight {which} should be positive, got {got:g}")
        parents = tuple(tuple(np.flatnonzero(row).tolist()) for row in matrix)
        weights = tuple(shares(row[row > 0.0]) for row in matrix)
        sinks = tuple(np.flatnonzero(~matrix.any(axis=0)).tolist())
        generation: list[int] = []
        for above in parents:
            generation.append(1 + max((generation[place] for place in above), default=-1))
        return cls(names, parents, weights, sinks, tuple(generation))

    def handed(self, place: int, told: Array, goals: Sequence[Array]) -> Array:
        """Return what the subagent at ``place`` is handed, unit length ``(R, w)``.

        The weighted sum of its parents' ``goals``, each taken at unit length; a source is handed
        what the network is ``told``.
        """
        above = [goals[parent] for parent in self.parents[place]]
        return pooled(above, self.weights[place]) if above else told


def shares(weights: Array) -> tuple[float, ...]:
    """Return positive weights as multiples of the largest, so that no sum leaves the floats."""
    return tuple((weights / weights.max()).tolist()) if weights.size else ()


def drawn_up(subagents: int, width: int) -> nx.DiGraph[str]:
    """Return s1, s2, … in layers of ``width``, each handed the goals of the whole layer before.

    The last layer may be narrower. Layers of width 1 are a series, one layer is in parallel.
    """
    import networkx as nx  # here, because most scenarios name no graph

    names = [f"s{i + 1}" for i in range(subagents)]
    layers = [names[first : first + width] for first in range(0, subagents, width)]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    for above, below in pairwise(layers):
        graph.add_edges_from((one, other) for one in above for other in below)
    return graph


def written(edges: Sequence[tuple[str, str] | tuple[str, str, float]]) -> nx.DiGraph[str]:
    """Return the graph of edges that hand goals down; raises ValueError for one given twice."""
    import networkx as nx

    graph = nx.DiGraph()
    for above, below, *weight in edges:
        if graph.has_edge(above, below):
            raise ValueError(f"{above} -> {below} is there twice")
        graph.add_edge(above, below, weight=weight[0] if weight else 1.0)
    return graph


def unit(vectors: Array) -> Array:
    """Return ``vectors (R, w)`` at unit length."""
    return vectors / np.sqrt(np.vecdot(vectors, vectors))[:, None]


def pooled(goals: Sequence[Array], weights: Sequence[float]) -> Array:
    """Return the normalised weighted sum of goals, each taken at unit length, ``(R, w)``.

    Utilities standardised under the base world and pooled log-linearly have this direction. Where
    they cancel it is the first of them.
    """
    units = [unit(goal) for goal in goals]
    total = weights[0] * units[0]
    for weight, goal in zip(weights[1:], units[1:], strict=True):
        total = total + weight * goal
    length = np.sqrt(np.vecdot(total, total))[:, None]
    gone = length <= CANCELLED
    return np.where(gone, units[0], total / np.where(gone, 1.0, length))


def learnt(handed: Array, error: Array, cosine: float) -> Array:
    """Return ``c h + sqrt(1 − c²) e``, ``(R, w)``: e is the part of ``error`` orthogonal to h.

    ``handed`` h has unit length and so has e, so that the cosine with h is exactly c.
    """
    for _ in range(2):  # once more: where the error lies near h the first one cancels
        error = unit(error - np.vecdot(error, handed)[:, None] * handed)
    return cosine * handed + np.sqrt(1.0 - cosine * cosine) * error
