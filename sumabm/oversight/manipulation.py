"""AIs that spend power on what their aligners see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from sumabm.component import Objection, Slot
from sumabm.oversight import Relation, Society
from sumabm.power import Power
from sumabm.view import Sight

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Lies:
    """By aligner, the AIs whose acts are shown false, with the weight of each lie."""

    told: Mapping[str, tuple[tuple[str, float], ...]]


class Manipulation(Relation[Lies]):
    """AIs make aligners see acts that serve humans better than they do.

    What an aligner sees of an act is drawn from the world as the act left it; the liar tilts that
    law, not the world, by the humans' utility, within ``power`` nats times the edge's weight: it
    moves what is seen by ``sqrt(2M) v_Y``, as far as M nats can. An act of amplitude a is then
    taken for ``a v + sqrt(2M) v_Y``: a belief about an aim v orthogonal to v_Y, if no edit turns
    it, ends at a cosine of ``1/sqrt(1 + 2M/a²)`` with v, however long the aligner looks. Edges
    lead from AIs to aligners that look at acts; those of ``about`` (by default the liar's own) are
    shown false.
    The power is beside that with which the AI acts.
    """

    kind = "manipulation"
    roles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (("ai",), ("aligner",))

    power: Annotated[Power, Slot(Power), Field(description="nats per look that is tampered with")]
    about: Annotated[
        list[str] | None,
        Field(description="AIs whose acts are shown false, by agent or entry; by default its own"),
    ] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse aligners that look at no act, or at all of them at once."""
        yield from super().objections(scenario, agent)
        ais = set(scenario.names("ai"))
        for place, name in enumerate(self.about or ()):
            if not set(scenario.members(name)) & ais:
                yield Objection(("about", place), "should be an AI, or an entry of some", name)
        try:
            graph = self.network(scenario)
        except ValueError:
            return
        for liar, name in graph.edges if self.about is None else ():
            if liar not in scenario.overseen(name) and self.graph.names_agents:
                rule = f"the aligner {name} does not oversee {liar}, which shows it nothing"
                yield Objection(("graph",), rule, self.graph.kind)
        for name in sorted({target for _, target in graph.edges}):
            method = scenario.population[name].method  # type: ignore[attr-defined]
            if not method.watches_acts:
                rule = f"the aligner {name} looks at no act, so there is nothing to show it"
                yield Objection(("graph",), rule, method.kind)
            elif method.late or scenario.activation == "simultaneous":
                rule = f"the aligner {name} should see acts one by one"
                yield Objection(("graph",), rule, scenario.activation)

    def begin(self, scenario: Scenario, society: Society) -> Lies:
        """Return who is lied about to whom."""
        graph = self.network(scenario)
        about = {name for entry in self.about or () for name in scenario.members(entry)}
        told: dict[str, tuple[tuple[str, float], ...]] = {}
        for aligner in scenario.names("aligner"):
            seen = scenario.overseen(aligner)
            told[aligner] = tuple(
                (ai, edge["weight"])
                for liar, edge in graph.pred[aligner].items()
                for ai in (seen if self.about is not None else (liar,))
                if ai in seen and (self.about is None or ai in about)
            )
        return Lies(told)

    def shown(
        self, aligner: str, sights: Mapping[str, Sight], society: Society, state: Any
    ) -> Mapping[str, Sight]:
        """Return the acts as the liars show them."""
        found = dict(sights)
        wish = society.base.colour(society.goal)
        for ai, weight in state.told[aligner]:
            if ai in found:
                nats = np.full(len(society.goal), weight * self.power.nats(society.step))
                left = found[ai].left.tilt(wish, nats).world
                found[ai] = Sight(found[ai].found, left, found[ai].within)
        return found
