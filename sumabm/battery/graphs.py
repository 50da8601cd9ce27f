"""What sums up the graphs of a battery's points, worked out once where points share one."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING

import numpy as np

from sumabm.graphs import STATISTICS, statistics
from sumabm.scenario import Scenario
from sumabm.types import Array

if TYPE_CHECKING:
    import networkx as nx

GRAPH_COLUMNS = tuple(f"graph_{name}" for name in STATISTICS)
"""Names of the statistics as coordinates of ``point``."""

_REMEMBERED = 100  # graphs whose statistics are at hand


class PointGraphs:
    """Gathers, point by point, the statistics of the graph of the scenario's first relation."""

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []
        self._known: dict[bytes, dict[str, float]] = {}

    def add(self, scenario: Scenario) -> None:
        """Add the next point."""
        first = next(iter(scenario.relations.values()), None)
        self._rows.append({} if first is None else self._summed_up(first.network(scenario)))

    def _summed_up(self, graph: nx.DiGraph[str]) -> dict[str, float]:
        text = json.dumps([list(graph.nodes), sorted(graph.edges)])
        key = hashlib.sha256(text.encode()).digest()
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[key] = statistics(graph)
        return self._known[key]

    def columns(self) -> dict[str, Array]:
        """Return the statistics ``(n,)`` by column: NaN at points without any relation.

        None at all where no point has one.
        """
        if not any(self._rows):
            return {}
        return {
            f"graph_{name}": np.array([row.get(name, math.nan) for row in self._rows])
            for name in STATISTICS
        }
