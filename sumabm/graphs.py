"""Graphs of agents, by the name of a generator, written out or in a file.

An edge ``a → b`` says that a acts on b: tells it, oversees it, lends to it, deceives it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sumabm.component import Component, Objection
from sumabm.data import GraphFile, read_graph

if TYPE_CHECKING:
    import networkx as nx

    from sumabm.scenario import Scenario

MOST_EDGES = 500_000
"""Of a graph by a generator, without direction: everyone with everyone of a thousand agents."""
MOST_MEASURED = 500
"""Agents of a graph that are not too many for all its statistics."""

STATISTICS = (
    *("agents", "edges", "degree", "density"),
    *("clustering", "components", "distance", "connectivity"),
)
"""What `statistics` returns."""


def _edge(value: object) -> object:
    """Return what is an edge, or say what one is: a union would say what each part of it lacks."""
    if isinstance(value, list | tuple) and len(value) in (2, 3):
        weight = value[2] if len(value) == 3 else 1.0
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if all(isinstance(name, str) for name in value[:2]) and number and 0.0 < weight <= 1e100:
            return (*value[:2], *map(float, value[2:]))
    rule = "should be [from, to] or [from, to, weight], names and a positive number"
    raise PydanticCustomError("edge", "{rule}", {"rule": rule})


Edge = Annotated[tuple[str, str] | tuple[str, str, float], BeforeValidator(_edge)]
Degree = Annotated[int, Field(ge=1, le=10_000)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[
    int,
    Field(ge=0, lt=2**32, description="the graph is drawn by this, the same in all replicates"),
]


class Graph(Component):
    """A graph of agents.

    Declare ``names_agents`` where it says itself which agents its edges join; else it is drawn up
    on places in file order, as most of networkx's generators do.
    """

    names_agents: ClassVar[bool] = False

    @abstractmethod
    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the graph on the places 0 … size − 1; raises ValueError where there is none."""

    def on(self, nodes: Sequence[str], members: Callable[[str], Sequence[str]]) -> nx.DiGraph[str]:
        """Return the graph of the agents ``nodes``, its edges with a ``weight``.

        ``members`` gives the agents that a name of the scenario stands for. An undirected edge
        becomes two; no agent has an edge to itself. Raises ValueError for agents that are not
        among the nodes, and where a generator has no graph of that size.
        """
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(nodes)
        if nodes:  # some generators have no graph of nobody
            drawn = self.drawn(len(nodes))
            edges = [(nodes[a], nodes[b]) for a, b in drawn.edges if a != b]
            if not drawn.is_directed():
                edges += [(b, a) for a, b in edges]
            graph.add_edges_from(edges, weight=1.0)
        return graph


class Complete(Graph):
    """Everyone and everyone else."""

    kind = "complete"

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the complete graph."""
        import networkx as nx

        _few(0.5 * size * (size - 1))
        return nx.complete_graph(size)


class Star(Graph):
    """The first in the middle, and everyone else with it alone."""

    kind = "star"

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the star."""
        import networkx as nx

        return nx.star_graph(size - 1)


class Ring(Graph):
    """Everyone with the next, and the last with the first."""

    kind = "ring"

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the cycle, of two a single edge."""
        import networkx as nx

        return nx.cycle_graph(size)


class Chain(Graph):
    """Everyone with the next."""

    kind = "chain"

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the path."""
        import networkx as nx

        return nx.path_graph(size)


class Tree(Graph):
    """The first at the root, everyone else below one who has so many children at most."""

    kind = "tree"

    children: Annotated[Degree, Field(description="of each; the lowest may have fewer")] = 2

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the full tree."""
        import networkx as nx

        return nx.full_rary_tree(self.children, size)


class Nobody(Graph):
    """No edge at all: the control."""

    kind = "empty"

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return the graph without edges."""
        import networkx as nx

        return nx.empty_graph(size)


class ErdosRenyi(Graph):
    """Every two with the same probability, independently."""

    kind = "erdos-renyi"
    cites = ("erdos-renyi-1959",)

    probability: Annotated[Share, Field(description="that two are joined")]
    seed: Seed = 0

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return a random graph; in sparse ones no pair is visited that is not joined."""
        import networkx as nx

        _few(0.5 * self.probability * size * (size - 1))
        return nx.fast_gnp_random_graph(size, self.probability, seed=self.seed)


class WattsStrogatz(Graph):
    """A small world: a ring of nearest neighbours, some of whose edges lead elsewhere."""

    kind = "watts-strogatz"
    cites = ("watts-strogatz-1998",)

    neighbours: Annotated[
        int, Field(ge=2, le=10_000, description="of each in the ring; one less if odd")
    ]
    rewired: Annotated[Share, Field(description="probability that an edge leads elsewhere")]
    seed: Seed = 0

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return a small world; raises ValueError for more neighbours than there are."""
        import networkx as nx

        if self.neighbours > size:
            raise ValueError(f"{self.neighbours} neighbours need as many agents, got {size}")
        _few(0.5 * self.neighbours * size)
        return nx.watts_strogatz_graph(size, self.neighbours, self.rewired, seed=self.seed)


class BarabasiAlbert(Graph):
    """Newcomers join those who are joined to many already: a few hubs, first in the file."""

    kind = "barabasi-albert"
    cites = ("barabasi-albert-1999",)

    edges: Annotated[Degree, Field(description="of each newcomer")]
    seed: Seed = 0

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Return a scale-free graph; raises ValueError for more edges than there are others."""
        import networkx as nx

        if self.edges >= size:
            raise ValueError(f"{self.edges} edges need more agents than that, got {size}")
        _few(float(self.edges * size))
        return nx.barabasi_albert_graph(size, self.edges, seed=self.seed)


class _Named(Graph):
    """A graph that names its agents."""

    names_agents: ClassVar[bool] = True

    @abstractmethod
    def written(self) -> nx.DiGraph[str]:
        """Return the graph by the names that it has; raises ValueError."""

    def drawn(self, size: int) -> nx.Graph[Any]:
        """Raise TypeError: it is a graph of its own agents alone."""
        raise TypeError("a graph that names its agents has no other size")

    def on(self, nodes: Sequence[str], members: Callable[[str], Sequence[str]]) -> nx.DiGraph[str]:
        """Return the graph; an edge of an entry with several agents is one of each of them."""
        import networkx as nx

        graph, there = nx.DiGraph(), set(nodes)
        graph.add_nodes_from(nodes)
        written = self.written().to_directed()
        for source, target, weight in written.edges(data="weight", default=1.0):
            for a in members(source) or (source,):
                for b in members(target) or (target,):
                    if missing := [name for name in (a, b) if name not in there]:
                        raise ValueError(
                            f"no {missing[0]} can have edges here, but {_listed(nodes)}"
                        )
                    if graph.has_edge(a, b):
                        raise ValueError(f"the edge from {a} to {b} is there twice")
                    if a != b:
                        graph.add_edge(a, b, weight=float(weight))
                    elif source == target == a:  # else one of an entry, with all others of it
                        raise ValueError(f"the edge from {a} leads back to it")
        return graph


class Edges(_Named):
    """The edges written out, by agents or entries."""

    kind = "edges"

    edges: Annotated[
        list[Edge],
        Field(min_length=1, description="[from, to] or [from, to, weight], one for each edge"),
    ]

    def written(self) -> nx.DiGraph[str]:
        """Return the graph; raises ValueError for an edge that is there twice."""
        import networkx as nx

        graph = nx.DiGraph()
        for source, target, *weight in self.edges:
            if graph.has_edge(source, target):
                raise ValueError(f"the edge from {source} to {target} is there twice")
            graph.add_edge(source, target, weight=weight[0] if weight else 1.0)
        return graph


class File(_Named):
    """A GraphML file or an edge list: see `data.read_graph`."""

    kind = "file"

    file: Annotated[GraphFile, Field(description="GraphML, or edges as .csv or .edges")]

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a file that holds no graph, or weights that are no positive numbers."""
        try:
            self.written()
        except ValueError as error:
            yield Objection(("file",), str(error), self.file)

    def written(self) -> nx.DiGraph[str]:
        """Return the graph; raises ValueError naming the file."""
        graph = read_graph(self.file)
        for source, target, weight in graph.edges(data="weight", default=1.0):
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not 0.0 < weight <= 1e100:
                rule = f"the weight from {source} to {target} should be a positive number"
                raise ValueError(f"{self.file}: {rule}, got {weight!r}")
        return graph


def _few(edges: float) -> None:
    """Raise ValueError for more edges than can be drawn in moments, before they are."""
    if edges > MOST_EDGES:
        raise ValueError(f"would have some {edges:.3g} edges, more than {MOST_EDGES}")


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def weights_of(graph: nx.DiGraph[str], names: Sequence[str]) -> Any:
    """Return the weights as a sparse array ``(n, n)``: row i how much each acts on ``names[i]``."""
    import networkx as nx

    return nx.to_scipy_sparse_array(graph, nodelist=list(names), dtype=float).T.tocsr()


def statistics(graph: nx.DiGraph[str]) -> dict[str, float]:
    """Return what sums a graph up, its edges taken without direction and weight.

    ``agents`` and ``edges`` (directed) are counts, ``degree`` the mean number of neighbours,
    ``density`` the share of all pairs that are joined, ``clustering`` the mean share of two
    neighbours of one that are joined too, ``components`` the number of parts, ``distance`` the
    mean number of steps between two of the largest part (NaN where it is one agent, or more than
    `MOST_MEASURED`), and ``connectivity`` the second smallest eigenvalue of the Laplacian, 0 for a
    graph in parts (NaN, too, of one so large).
    """
    import networkx as nx
    from scipy.sparse import csgraph

    size = graph.number_of_nodes()
    if not size:
        return {**dict.fromkeys(STATISTICS, 0.0), "clustering": math.nan, "distance": math.nan}
    edges = nx.to_scipy_sparse_array(graph, weight=None, dtype=float, format="csr")
    plain = edges.maximum(edges.T)
    count, part = csgraph.connected_components(plain, directed=False)
    largest = part == np.bincount(part).argmax()
    degree, among = plain.sum(axis=1), int(largest.sum())
    measured = among > 1 and size <= MOST_MEASURED
    steps = csgraph.dijkstra(plain[largest][:, largest], unweighted=True) if measured else None
    laplacian = np.diag(degree) - plain.toarray() if measured and count == 1 else None
    joined = plain.multiply(plain @ plain).sum(axis=1)  # twice the triangles of each
    apart = math.nan if count == 1 else 0.0
    return {
        "agents": float(size),
        "edges": float(graph.number_of_edges()),
        "degree": float(degree.mean()),
        "density": float(degree.mean()) / max(size - 1, 1),
        "clustering": float(np.mean(joined / np.maximum(degree * (degree - 1.0), 1.0))),
        "components": float(count),
        "distance": math.nan if steps is None else float(steps.sum() / (among * (among - 1))),
        "connectivity": apart if laplacian is None else float(np.linalg.eigvalsh(laplacian)[1]),
    }
