"""Causal worlds as a scenario names them: a graph written out, in a file, or drawn at random."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.data import GraphFile, read_graph
from sumabm.worlds import WorldSpec
from sumabm.worlds.causal import CausalWorld

if TYPE_CHECKING:
    import networkx as nx

    from sumabm.scenario import Scenario

MAX_NODES = 1000

Edge = Annotated[tuple[str, str, float], Field(strict=False)]  # TOML has no tuples
Noise = Annotated[float, Field(gt=0.0)]


class CausalSpec(WorldSpec):
    """A linear-Gaussian structural causal model on a directed acyclic graph."""

    @abstractmethod
    def graph(self) -> nx.DiGraph[str]:
        """Return the graph, edges with ``weight`` and nodes with ``noise``; raises ValueError."""

    def __eq__(self, other: object) -> bool:
        """Compare parameters, not whether the graph was read already."""
        return isinstance(other, type(self)) and self.model_dump() == other.model_dump()

    __hash__ = WorldSpec.__hash__

    @cached_property
    def given(self) -> CausalWorld:
        """The world of one replicate, made once; raises ValueError."""
        graph = self.graph()
        if not 2 <= len(graph) <= MAX_NODES:
            raise ValueError(f"a graph should have 2 to {MAX_NODES} nodes, got {len(graph)}")
        return CausalWorld.of(graph)

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a graph that makes no world."""
        try:
            _ = self.given
        except ValueError as error:
            yield Objection((), str(error), self.kind)

    @property
    def coefficients(self) -> int:
        """One per node."""
        try:
            return self.given.dimensions
        except ValueError:
            return 0

    @property
    def sphere(self) -> int:
        """The number of nodes."""
        return self.given.dimensions

    def build(self, replicates: int) -> CausalWorld:
        """Return ``N(0, LΩLᵀ)`` in every replicate."""
        return self.given.repeated(replicates)


class Causal(CausalSpec):
    """A structural causal model whose graph is written in the scenario."""

    kind = "causal"
    cites = ("pearl-2009",)

    edges: Annotated[
        list[Edge], Field(min_length=1, description="[cause, effect, weight], one for each edge")
    ]
    nodes: Annotated[
        list[str] | None,
        Field(description="in the order of utilities' coefficients; by default as edges name them"),
    ] = None
    noise: Annotated[
        dict[str, Noise] | Noise,
        Field(description="variance of what each node has of its own: of all, or by node (else 1)"),
    ] = 1.0

    def graph(self) -> nx.DiGraph[str]:
        """Return the graph; raises ValueError for what is named twice or not there."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes or ())
        if self.nodes is not None and len(graph) < len(self.nodes):
            raise ValueError("nodes: each should be named once")
        for cause, effect, weight in self.edges:
            if self.nodes is not None and not {cause, effect} <= graph.nodes:
                raise ValueError(f"edges: {cause} -> {effect} is not between nodes that are named")
            if graph.has_edge(cause, effect):
                raise ValueError(f"edges: {cause} -> {effect} is there twice")
            graph.add_edge(cause, effect, weight=weight)
        noise = self.noise if isinstance(self.noise, dict) else dict.fromkeys(graph, self.noise)
        if wrong := sorted(noise.keys() - graph.nodes):
            raise ValueError(f"noise: no node {wrong[0]}; there are {', '.join(graph)}")
        nx.set_node_attributes(graph, noise, "noise")
        return graph


class CausalFile(CausalSpec):
    """A structural causal model whose graph is in a file."""

    kind = "causal-file"
    cites = ("pearl-2009",)

    file: Annotated[
        GraphFile,
        Field(
            description="GraphML with edge attribute 'weight' and node attribute 'noise', or an "
            "edge list (.csv, .edges): source, target, weight"
        ),
    ]
    noise: Annotated[
        Noise, Field(description="variance of the own noise of nodes for which the file has none")
    ] = 1.0

    def graph(self) -> nx.DiGraph[str]:
        """Return the graph of the file; raises ValueError for a file that has none."""
        graph = read_graph(self.file)
        for _, attributes in graph.nodes(data=True):
            attributes.setdefault("noise", self.noise)
        return graph


class CausalRandom(CausalSpec):
    """A structural causal model on a random graph, which all replicates share."""

    kind = "causal-random"
    cites = ("pearl-2009",)

    dimensions: Annotated[int, Field(ge=2, le=MAX_NODES, description="nodes: n1, n2, … causally")]
    probability: Annotated[
        float, Field(ge=0.0, le=1.0, description="that a node acts on a given later one")
    ] = 0.3
    weight: Annotated[
        float,
        Field(gt=0.0, description="root mean square weight that a node's causes have together"),
    ] = 1.0
    noise: Annotated[Noise, Field(description="variance of every node's own noise")] = 1.0
    seed: Annotated[int, Field(ge=0, le=2**63, description="of the graph and its weights")] = 0

    def graph(self) -> nx.DiGraph[str]:
        """Return nodes in causal order; normal weights, ``weight/sqrt(number of causes)``."""
        import networkx as nx

        random = np.random.default_rng(self.seed)
        size = self.dimensions
        there = np.tril(random.random((size, size)) < self.probability, -1)
        causes = np.maximum(there.sum(axis=1, keepdims=True), 1)
        with np.errstate(over="ignore"):  # what comes of it is checked
            weights = random.standard_normal((size, size)) * self.weight / np.sqrt(causes)
        names = [f"n{i + 1}" for i in range(size)]
        graph = nx.DiGraph()
        graph.add_nodes_from(names, noise=self.noise)
        for effect, cause in np.argwhere(there).tolist():
            graph.add_edge(names[cause], names[effect], weight=float(weights[effect, cause]))
        return graph
