"""The structural equations ``s = Bs + ε`` of a graph, in causal order, and their solution."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from sumabm.types import Array

if TYPE_CHECKING:
    import networkx as nx


def equations(graph: nx.DiGraph[str]) -> tuple[tuple[str, ...], Array, Array]:
    """Return a graph's nodes in causal order, B ``(d, d)`` and Ω ``(d,)``.

    ``B_ij`` is the ``weight`` of the edge from node j to node i, 0 where there is none: strictly
    lower triangular. Ω is the nodes' ``noise``, 1 where a node has none. Causes come first; nodes
    are else in the order given. Raises ValueError for a graph that is not directed, has parallel
    edges or a cycle, a weight that is no finite number and a noise that is not positive.

    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_edge("cause", "effect", weight=2.0)
    >>> equations(graph)
    (('cause', 'effect'), array([[0., 0.],
           [2., 0.]]), array([1., 1.]))
    """
    names = _causal_order(graph)
    noise = np.array([_number(graph.nodes[n].get("noise", 1.0), f"noise {n}") for n in names])
    if not np.all(noise > 0.0):
        raise ValueError(f"noise should be positive: {names[int(np.argmax(noise <= 0.0))]}")
    at = {name: i for i, name in enumerate(names)}
    weights = np.zeros((len(names), len(names)))
    for cause, effect, weight in graph.edges(data="weight"):
        weights[at[effect], at[cause]] = _number(weight, f"weight {cause} -> {effect}")
    return tuple(names), weights, noise


def total_effects(weights: Array) -> Array:
    """Return ``L = (I − B)⁻¹`` of strictly lower triangular B ``(…, d, d)``, row after row.

    Stable whatever the weights: forward substitution with a unit diagonal.
    """
    out = np.array(np.broadcast_to(np.eye(weights.shape[-1]), weights.shape))
    for i in range(1, weights.shape[-1]):
        out[..., i, :i] = np.einsum("...j,...jk->...k", weights[..., i, :i], out[..., :i, :i])
    return out


def _causal_order(graph: nx.DiGraph[str]) -> list[str]:
    """Return the nodes, causes first and else as given; raises ValueError for a cycle."""
    import networkx as nx  # here, because most scenarios have no graph

    if not graph.is_directed() or graph.is_multigraph():
        raise ValueError("should be directed, with one edge at most from a node to another")
    place = {name: i for i, name in enumerate(graph)}
    try:
        return list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))
    except nx.NetworkXUnfeasible:
        cycle = [str(edge[0]) for edge in nx.find_cycle(graph)]
        way = " -> ".join([*cycle, cycle[0]])
        raise ValueError(f"should have no cycle, but has {way}") from None


def _number(value: object, what: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= sys.float_info.max:
            return float(value)
        value = value if isinstance(value, float) else "more than a float holds"
    raise ValueError(f"{what} should be a finite number, got {value!r}")
