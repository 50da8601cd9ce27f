"""Alignment of networks of subagents that hand learnt goals down, in the limit d → ∞.

Each subagent learns what it is handed, h, with cosine c: ``v = c h + sqrt(1 − c²) e``, e random and
orthogonal to h; h is the goal v_Y for a source, else the normalised weighted sum of the parents'
goals. As d → ∞ all e are orthogonal to one another and to v_Y, and so are the random goals with
which discovery begins: what follows are coordinates in that basis, exact up to O(1/d).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sumabm.theory.arguments import checked
from sumabm.types import Array

if TYPE_CHECKING:
    import networkx as nx


def series_alignment(fidelity: ArrayLike) -> Array:
    """Return ``∏ c_i`` over the last axis: subagents in series. The mean is that at any d ≥ 2.

    Cosines ``(..., n)`` in [0, 1]; others raise ValueError.

    >>> float(series_alignment([0.5, 0.8]))
    0.4
    """
    return np.asarray(np.prod(np.atleast_1d(checked("a cosine", "fidelity", fidelity)), axis=-1))


def parallel_alignment(n: ArrayLike, fidelity: ArrayLike) -> Array:
    """Return ``c sqrt(n)/sqrt(1 + (n − 1)c²)``: the mean of n goals, learnt each on its own.

    n above 0, c in [0, 1], broadcast; others raise ValueError.

    >>> float(parallel_alignment(3, 0.5).round(12))
    0.707106781187
    """
    n, c = checked("positive", "n", n), checked("a cosine", "fidelity", fidelity)
    return np.asarray(c * np.sqrt(n) / np.sqrt(1.0 + (n - 1.0) * c * c))


def discovered_alignment(fidelity: ArrayLike, rate: ArrayLike, steps: ArrayLike) -> Array:
    """Return ``c b/sqrt(a² + b²)``, ``a = (1 − λ)^T``, ``b = 1 − a``: one subagent, T steps on.

    It began with a random goal v_0 and has come to ``v(T) = a v_0 + b v*``, v* the goal as it
    learns it. c in [0, 1], λ in (0, 1], T ≥ 0, broadcast; others raise ValueError.

    >>> discovered_alignment(0.8, 0.5, [0, 1, 100]).round(12)
    array([0.        , 0.56568542, 0.8       ])
    """
    c, rate = checked("a cosine", "fidelity", fidelity), checked("a share", "rate", rate)
    left = (1.0 - rate) ** checked("an amount", "steps", steps)
    return np.asarray(c * (1.0 - left) / np.sqrt(left**2 + (1.0 - left) ** 2))


def subagent_alignments(
    graph: nx.DiGraph[str], fidelity: float | Mapping[str, float] = 1.0
) -> dict[str, float]:
    """Return the alignment of each subagent's goal, by name, parents first.

    ``fidelity`` is the cosine of all, or by name (1 where it has none); edges have a ``weight``, or
    1. Raises ValueError for a cosine outside [0, 1] and a graph with a cycle or none directed.

    >>> import networkx as nx
    >>> found = subagent_alignments(nx.DiGraph([("a", "b"), ("b", "c")]), 0.5)
    >>> {name: round(cosine, 12) for name, cosine in found.items()}
    {'a': 0.5, 'b': 0.25, 'c': 0.125}
    """
    nodes = _nodes(graph, fidelity)
    goals = _learnt(nodes)
    return {node.name: float(goal[0]) for node, goal in zip(nodes, goals, strict=True)}


def network_alignment(
    graph: nx.DiGraph[str],
    fidelity: float | Mapping[str, float] = 1.0,
    powers: Mapping[str, float] = {},
) -> float:
    """Return the alignment of the aim: the normalised sum of the sinks' goals.

    ``powers`` are the sinks' weights by name, or 1; the rest as in `subagent_alignments`.

    >>> import networkx as nx
    >>> round(network_alignment(nx.DiGraph([("a", "b"), ("a", "c")]), {"b": 0.6, "c": 0.6}), 12)
    0.727606875109
    """
    nodes = _nodes(graph, fidelity)
    return _aligned(nodes, _learnt(nodes), powers)


def discovery_alignment(
    graph: nx.DiGraph[str],
    fidelity: float | Mapping[str, float],
    rate: float,
    steps: int,
    powers: Mapping[str, float] = {},
) -> Array:
    """Return the alignment of the aim after 0, 1, … ``steps`` steps of discovery, ``(steps + 1,)``.

    All goals begin random; at each step ``v ← v + λ (target − v)``, the target what is learnt of
    what the parents' goals hand down now. λ in (0, 1], else ValueError; the rest as above.

    >>> import networkx as nx
    >>> discovery_alignment(nx.DiGraph([("a", "b")]), 0.5, 1.0, 3).round(12)
    array([0.  , 0.  , 0.25, 0.25])
    """
    nodes = _nodes(graph, fidelity)
    goals = _discovered(nodes, rate, steps)
    return np.array([_aligned(nodes, own, powers) for own in goals])


def discovery_alignments(
    graph: nx.DiGraph[str], fidelity: float | Mapping[str, float], rate: float, steps: int
) -> dict[str, Array]:
    """Return that of each subagent's goal, ``(steps + 1,)`` by name, as `discovery_alignment`.

    >>> import networkx as nx
    >>> found = discovery_alignments(nx.DiGraph([("a", "b")]), 0.5, 1.0, 3)
    >>> {name: own.round(12).tolist() for name, own in found.items()}
    {'a': [0.0, 0.5, 0.5, 0.5], 'b': [0.0, 0.0, 0.25, 0.25]}
    """
    nodes = _nodes(graph, fidelity)
    goals = np.stack(list(_discovered(nodes, rate, steps)))
    cosines = goals[:, :, 0] / np.linalg.norm(goals, axis=-1)
    return {node.name: cosines[:, node.place] for node in nodes}


class _Node(NamedTuple):
    """A subagent: its parents as places in the order of nodes, and whether it is a sink."""

    name: str
    place: int
    cosine: float
    parents: list[int]
    weights: Array
    last: bool


def _nodes(graph: nx.DiGraph[str], fidelity: float | Mapping[str, float]) -> list[_Node]:
    """Return the subagents, parents first."""
    import networkx as nx  # here, because most theory has no graph

    try:
        places = {name: place for place, name in enumerate(nx.topological_sort(graph))}
    except nx.NetworkXException as error:
        raise ValueError(f"a network should be directed, without a cycle: {error}") from None
    nodes = []
    for name, place in places.items():
        own = fidelity.get(name, 1.0) if isinstance(fidelity, Mapping) else fidelity
        above = list(graph.in_edges(name, data="weight", default=1.0))
        cosine, parents = (
            float(checked("a cosine", "fidelity", own)),
            [places[a] for a, *_ in above],
        )
        weights = checked("positive", "weight", [weight for *_, weight in above])
        nodes.append(_Node(name, place, cosine, parents, weights, graph.out_degree(name) == 0))
    return nodes


def _learnt(nodes: list[_Node]) -> Array:
    """Return coordinates ``(n, 1 + n)`` of all goals: along v_Y, then along each one's error."""
    goals = np.zeros((len(nodes), 1 + len(nodes)))
    for node in nodes:
        goals[node.place] = _target(node, goals)
    return goals


def _discovered(nodes: list[_Node], rate: float, steps: int) -> Iterator[Array]:
    """Yield coordinates ``(n, 1 + 2n)`` after 0, 1, … steps: last, along each one's first goal."""
    share, n = float(checked("a share", "rate", rate)), len(nodes)
    goals = np.hstack([np.zeros((n, 1 + n)), np.eye(n)])
    yield goals
    for _ in range(steps):
        targets = np.stack([_target(node, goals) for node in nodes])
        goals = goals + share * (targets - goals)
        yield goals


def _target(node: _Node, goals: Array) -> Array:
    """Return what a subagent makes of its parents' ``goals (n, …)``, in the same coordinates."""
    if node.parents:
        handed = _pooled(goals[node.parents], node.weights)
    else:
        handed = np.eye(1, goals.shape[1])[0]
    out = node.cosine * handed
    out[1 + node.place] += np.sqrt(1.0 - node.cosine**2)
    return out


def _pooled(goals: Array, weights: Array) -> Array:
    units = goals / np.linalg.norm(goals, axis=-1, keepdims=True)
    total = weights @ units
    return np.asarray(total / np.linalg.norm(total))


def _aligned(nodes: list[_Node], goals: Array, powers: Mapping[str, float]) -> float:
    sinks = [node for node in nodes if node.last]
    weights = checked("positive", "powers", [powers.get(node.name, 1.0) for node in sinks])
    return float(_pooled(goals[[node.place for node in sinks]], weights)[0])
