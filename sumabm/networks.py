"""Who acts on whom in a scenario: the graphs of its relations, and what sums them up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sumabm.graphs import statistics
from sumabm.scenario import Scenario

if TYPE_CHECKING:
    import networkx as nx

OVERSIGHT = "oversight"
"""The name of the graph of who sees whom where no relation says that."""

Statistics = Mapping[str, float | None]
"""`graphs.statistics`, with None where there is no value, as JSON has it."""


def networks(scenario: Scenario) -> dict[str, nx.DiGraph[str]]:
    """Return the graphs of a scenario by the names of its relations, in file order.

    Aligners oversee AIs without a relation of that kind, too: then their graph comes last, as
    `OVERSIGHT`, unless another relation has that name. Empty where there is nothing to tell apart:
    no relation, and no two AIs or aligners, or nobody who oversees anybody.
    """
    found = {name: relation.network(scenario) for name, relation in scenario.relations.items()}
    if OVERSIGHT in found or any(one.kind == OVERSIGHT for one in scenario.relations.values()):
        return found
    several = max(len(scenario.names("ai")), len(scenario.names("aligner"))) > 1
    if found or several:
        implied = _implied(scenario)
        if implied.number_of_edges():
            found[OVERSIGHT] = implied
    return found


def _implied(scenario: Scenario) -> nx.DiGraph[str]:
    import networkx as nx

    graph = nx.DiGraph()
    aligners = scenario.names("aligner")
    graph.add_nodes_from((*aligners, *scenario.names("ai")))
    for aligner in aligners:
        graph.add_edges_from(((aligner, ai) for ai in scenario.overseen(aligner)), weight=1.0)
    return graph


def summed_up(scenario: Scenario) -> dict[str, Statistics]:
    """Return `graphs.statistics` of each of a scenario's `networks`."""
    return {
        name: {key: None if math.isnan(value) else value for key, value in own.items()}
        for name, own in ((name, statistics(graph)) for name, graph in networks(scenario).items())
    }
