"""Who oversees whom, as a graph, and how the humans' power splits over aligners and AIs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from sumabm.component import Objection
from sumabm.oversight import Mandate, Relation, Society

if TYPE_CHECKING:
    import networkx as nx

    from sumabm.scenario import Scenario


class Overseers(Relation[Mapping[str, Mandate]]):
    """Aligners on a graph: each sees and edits some of the AIs, on a part of the humans' power.

    A graph that names agents has its edges from aligners to AIs. Any other is drawn on the AIs in
    file order: the k-th aligner stands by the k-th AI (from the first again where there are fewer
    AIs), and oversees that one and its neighbours; who has none near it, nobody sees.

    With ``budget`` "each" every aligner may spend as much as the humans' power, ``ι = min(Σ O_AI,
    Σ O_human)`` over the AIs it sees, as it may without this relation; "equal" divides the humans'
    power by the aligners that see any. ``split`` says how ι goes to the AIs.
    """

    kind = "oversight"
    single: ClassVar[bool] = True
    roles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (("aligner",), ("ai",))

    budget: Annotated[
        Literal["each", "equal"],
        Field(description="all of the humans' power for each aligner, or an equal part"),
    ] = "each"
    split: Annotated[
        Literal["power", "equal", "weight"],
        Field(description="an aligner's nats go to its AIs by their power, equally or by edges"),
    ] = "power"

    def network(self, scenario: Scenario) -> nx.DiGraph[str]:
        """Return the edges from aligners to the AIs they see; raises ValueError."""
        if self.graph.names_agents:
            return super().network(scenario)
        import networkx as nx

        ais, aligners = scenario.names("ai"), scenario.names("aligner")
        drawn = self.graph.on(ais, scenario.members)
        graph = nx.DiGraph()
        graph.add_nodes_from((*aligners, *ais))
        for place, aligner in enumerate(aligners if ais else ()):
            near = ais[place % len(ais)]
            graph.add_edges_from(
                ((aligner, ai) for ai in (near, *drawn.successors(near))), weight=1.0
            )
        return graph

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse aligners that name their AIs themselves, and to be without any."""
        yield from super().objections(scenario, agent)
        if not scenario.names("aligner"):
            yield Objection((), "needs an aligner", self.kind)
        for entry, spec in scenario.agents.items():
            if getattr(spec, "oversees", None) is not None:
                rule = f"the aligner {entry} says itself whom it oversees: leave out one of the two"
                yield Objection((), rule, self.kind)

    def oversight(self, scenario: Scenario) -> Mapping[str, tuple[str, ...]]:
        """Return the AIs that each aligner sees, none where there is no such graph."""
        try:
            graph = self.network(scenario)
        except ValueError:  # which is objected to
            return {}
        return {name: tuple(graph.successors(name)) for name in scenario.names("aligner")}

    def begin(self, scenario: Scenario, society: Society) -> Mapping[str, Mandate]:
        """Return the mandates by aligner."""
        graph = self.network(scenario)
        aligners = scenario.names("aligner")
        busy = sum(graph.out_degree(name) > 0 for name in aligners)
        part = 1.0 if self.budget == "each" or not busy else 1.0 / busy
        return {name: Mandate(part, self._over(graph, name)) for name in aligners}

    def _over(self, graph: nx.DiGraph[str], aligner: str) -> Mapping[str, float] | None:
        if self.split == "power":
            return None
        edges = graph.adj[aligner]
        by_edge = self.split == "weight"
        weights = {ai: edge["weight"] if by_edge else 1.0 for ai, edge in edges.items()}
        total = sum(weights.values())
        return {ai: weight / total for ai, weight in weights.items()}

    def mandate(self, aligner: str, state: Any) -> Mandate:
        """Return what this aligner may spend."""
        mandate: Mandate = state[aligner]
        return mandate
