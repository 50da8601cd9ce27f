"""Nested oversight: AIs that are aligned already help to align the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.oversight import Help, Relation, Society
from sumabm.types import Array

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Loans:
    """By AI, the share of its power it lends; by aligner, from whom, with their shares."""

    lent: Mapping[str, float]
    lenders: Mapping[str, tuple[tuple[str, float], ...]]


class Lending(Relation[Loans]):
    """AIs lend power and looks to aligners, and with them what they themselves want.

    An AI lends a ``share`` of its power over its edges, in proportion to their weights, and acts on
    the world with the rest. An aligner that is lent L nats in all may spend ι = min(Σ O_AI,
    Σ O_human + L), and looks ``looks`` times more per lender at each act. But whose power it is
    sets the aim: it edits towards ``∝ O_human v_Y + Σ L_i v_i``, so that what a lender does not
    share with humans is handed on. One with the humans' power and a cosine c with v_Y leaves edits
    to end at a cosine of ``sqrt((1 + c)/2)``.

    Alignment is still measured with v_Y; what an aligner believes is about the aim it edits to.
    """

    kind = "lending"
    single: ClassVar[bool] = True
    roles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (("ai",), ("aligner",))

    share: Annotated[
        float, Field(gt=0.0, le=1.0, description="of an AI's power that it does not act with")
    ] = 1.0
    looks: Annotated[
        int, Field(ge=0, le=1_000_000, description="more at each act, or readings, per lender")
    ] = 0

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse AIs that help to align themselves, looks of no use, and nudges to two goals."""
        yield from super().objections(scenario, agent)
        try:
            graph = self.network(scenario)
        except ValueError:
            return
        for aligner in sorted({target for _, target in graph.edges}):
            method = scenario.population[aligner].method  # type: ignore[attr-defined]
            if self.looks and not method.takes_looks:
                rule = f"the aligner {aligner} has no use for looks"
                yield Objection(("looks",), rule, self.looks)
            yield from _rivals(scenario, aligner)
        for ai, aligner in graph.edges:
            if ai in scenario.overseen(aligner):
                rule = f"the AI {ai} should not help {aligner}, which oversees it"
                yield Objection(("graph",), rule, self.graph.kind)

    def begin(self, scenario: Scenario, society: Society) -> Loans:
        """Return who lends what to whom."""
        graph = self.network(scenario)
        lent = {ai: self.share for ai in scenario.names("ai") if graph.out_degree(ai)}
        total = {ai: graph.out_degree(ai, weight="weight") for ai in lent}
        lenders = {
            name: tuple(
                (ai, self.share * edge["weight"] / total[ai])
                for ai, edge in graph.pred[name].items()
            )
            for name in scenario.names("aligner")
        }
        return Loans(lent, lenders)

    def lent(self, society: Society, state: Any) -> Mapping[str, Array]:
        """Return the nats that AIs do not act with."""
        return {ai: share * society.power[ai] for ai, share in state.lent.items()}

    def help(self, aligner: str, society: Society, state: Any) -> Help | None:
        """Return what an aligner is lent."""
        lenders = state.lenders[aligner]
        if not lenders:
            return None
        nats, pull = np.zeros(len(society.goal)), np.zeros_like(society.goal)
        for ai, share in lenders:
            loan = share * society.power[ai]
            nats, pull = nats + loan, pull + loan[:, None] * society.aim[ai]
        return Help(nats, pull, self.looks * len(lenders))


def _rivals(scenario: Scenario, aligner: str) -> Iterator[Objection]:
    """Refuse another aligner that nudges the same AIs: its goal is then another one."""
    mine = set(scenario.overseen(aligner))
    agents: Mapping[str, Any] = scenario.population
    for other in scenario.names("aligner") if agents[aligner].method.nudges else ():
        nudges = other != aligner and agents[other].method.nudges
        if nudges and mine & set(scenario.overseen(other)):
            rule = f"the aligners {aligner} and {other} would nudge one AI to different goals"
            yield Objection(("graph",), rule, agents[aligner].method.kind)
