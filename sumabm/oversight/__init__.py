"""What binds agents to each other: who oversees, tells, deceives, helps or joins whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import Field

from sumabm.behaviours import Act
from sumabm.component import Component, Objection, Slot
from sumabm.graphs import Graph
from sumabm.types import Array
from sumabm.view import Sight
from sumabm.worlds import World

if TYPE_CHECKING:
    import networkx as nx

    from sumabm.scenario import Scenario

S = TypeVar("S")

CANCELLED = 1e-12
"""A sum of unit vectors no longer than this has no direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Society:
    """The agents as a relation may know them; arrays are ``(R,)`` or ``(R, w)``."""

    step: int
    """The number of this step, from 0."""
    base: World
    """The world at the very start."""
    goal: Array
    """v_Y in whitened coordinates, unit length."""
    power: Mapping[str, Array]
    """Powers of AIs and humans, nats."""
    aim: Mapping[str, Array]
    """Utilities of AIs and humans in whitened coordinates, unit length."""


class Help(NamedTuple):
    """What AIs lend to an aligner: nats ``(R,)``, ``Σ nats · aim (R, w)``, and looks more."""

    nats: Array
    pull: Array
    looks: int


class Mandate(NamedTuple):
    """What of the humans' power an aligner may spend, and how it splits over its AIs.

    ``over`` has a share of its nats per AI; None is in proportion to the AIs' powers.
    """

    part: float
    over: Mapping[str, float] | None


class Relation(Component, Generic[S]):
    """A relation between agents along the edges of a graph; ``S`` is its state, returned anew.

    An edge ``a → b`` says that a acts on b. Declare the ``roles`` of those who act and of those
    who are acted on; edges between others are none of its business. Declare it ``single`` if a
    scenario may have but one. Each hook does nothing unless it is overridden.
    """

    roles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (("ai",), ("ai",))
    single: ClassVar[bool] = False

    graph: Annotated[Graph, Slot(Graph), Field(description="who acts on whom")]

    def nodes(self, scenario: Scenario) -> tuple[str, ...]:
        """Return the agents that its graph is drawn on, in file order."""
        roles = {*self.roles[0], *self.roles[1]}
        return tuple(name for name, agent in scenario.population.items() if agent.kind in roles)

    def network(self, scenario: Scenario) -> nx.DiGraph[str]:
        """Return the graph, its edges from those who act to those acted on; raises ValueError."""
        graph = self.graph.on(self.nodes(scenario), scenario.members)
        first, second = self.roles
        agents = scenario.population
        wrong = [
            (a, b)
            for a, b in graph.edges
            if agents[a].kind not in first or agents[b].kind not in second
        ]
        graph.remove_edges_from(wrong)
        astray = [(a, b) for a, b in wrong if not graph.has_edge(b, a)]  # no way back of another
        if astray and self.graph.names_agents:
            who = f"from {' or '.join(first)} to {' or '.join(second)}"
            raise ValueError(f"edges should lead {who}, got {' to '.join(astray[0])}")
        return graph

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what is no graph of these agents, and worlds where dimensions appear."""
        try:
            if not any(self.graph.objections(scenario, agent)):  # which it says itself
                self.network(scenario)
        except ValueError as error:
            yield Objection(("graph",), str(error), self.graph.kind)
        alike = [one for one in scenario.relations.values() if one.kind == self.kind]
        if self.single and alike and alike[0] is not self:
            yield Objection((), "a scenario may have one relation of this kind", self.kind)
        if getattr(scenario.world, "left_turn", None) is not None:
            yield Objection((), "does not know what to make of dimensions that appear", self.kind)

    def oversight(self, scenario: Scenario) -> Mapping[str, tuple[str, ...]]:
        """Return the AIs that each aligner sees; empty if that is none of its business."""
        return {}

    def begin(self, scenario: Scenario, society: Society) -> S | None:
        """Return the state before the first step."""
        return None

    def mandate(self, aligner: str, state: Any) -> Mandate | None:
        """Return what an aligner may spend, if it says."""
        return None

    def powers(self, society: Society, state: Any) -> Mapping[str, Array]:
        """Return the powers of the next step, of those agents whose power it sets."""
        return {}

    def lent(self, society: Society, state: Any) -> Mapping[str, Array]:
        """Return the nats of their power that AIs do not act with, by AI."""
        return {}

    def help(self, aligner: str, society: Society, state: Any) -> Help | None:
        """Return what an aligner gets from AIs, if anything."""
        return None

    def agreed(
        self, acts: dict[str, Act], society: Society, state: Any
    ) -> tuple[dict[str, Act], dict[str, Array]]:
        """Return what AIs do once they have spoken, and what is to be recorded, by column."""
        return acts, {}

    def shown(
        self, aligner: str, sights: Mapping[str, Sight], society: Society, state: Any
    ) -> Mapping[str, Sight]:
        """Return what an aligner gets to see of the acts of its AIs."""
        return sights

    def settled(self, society: Society, state: Any) -> tuple[Mapping[str, Array], S | None]:
        """Return at the end of a step the aims ``(R, w)`` of AIs that it changes, and its state."""
        return {}, state


class Among(Relation[S]):
    """A relation of AIs that need not be all of them."""

    among: Annotated[
        list[str] | None, Field(description="AIs, by agent or entry; by default all of them")
    ] = None

    def nodes(self, scenario: Scenario) -> tuple[str, ...]:
        """Return the AIs that are named, in file order."""
        ais = scenario.names("ai")
        if self.among is None:
            return ais
        named = {name for entry in self.among for name in scenario.members(entry)}
        return tuple(ai for ai in ais if ai in named)

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse names of no AI, and relations of nobody."""
        yield from super().objections(scenario, agent)
        if not (self.nodes(scenario) or self.among):
            yield Objection((), "needs an AI at least", self.kind)
        ais = set(scenario.names("ai"))
        for place, name in enumerate(self.among or ()):
            if not set(scenario.members(name)) & ais:
                yield Objection(("among", place), "should be an AI, or an entry of some", name)
