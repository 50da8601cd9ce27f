"""The aligner for whom AIs are transparent: it reads what they want, through noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.aligners.aims import affordable, known, not_followed, rotate
from sumabm.component import Objection, Slot
from sumabm.power import Power
from sumabm.streams import Draw
from sumabm.turns import Rotation, Turn
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Probe(AlignerMethod[Mapping[str, Array]]):
    """Reads each AI's aim v through noise, once a step, and rotates the AI as the Bayesian does.

    A reading is ``y = v + σ N(0, I/d)``; from a uniform prior the belief on v is von Mises–Fisher,
    ``η ← η + (d/σ²) y``, exactly. After T readings alignment with edits that don't bind is that of
    looks worth ``x = T/σ²``: ``E A_d(R|s|)``, ``R² = d x``, at finite d, and as d → ∞
    ``sqrt(x/(1+x))``, with information ``(d/2) ln(1+x)``: see `theory.expected_alignment`.

    It ``reads`` the aim of the whole or, where an AI is a network of subagents, the goal of each
    subagent that acts, and pools them: of n with pairwise cosine ρ that is worth ``1 + (n − 1)ρ``
    readings of the whole, as many as parts where these want the same. What is opaque as a whole
    may be transparent in its parts.

    It needs no act and looks at none: it learns as much of an AI that hides what it wants, does
    nothing or acts in a copy, whatever world its act is in. It takes the aim to be as it was but
    for the edits that are made to it: of an AI that learns, and so changes its aim by itself, or
    takes only a part of its edits, it believes what it once read.
    """

    kind = "probe"
    stochastic: ClassVar[bool] = True
    cites = ("mardia-jupp-2000",)
    takes_looks: ClassVar[bool] = True
    later: ClassVar[tuple[str, ...]] = ("reads",)

    noise: Annotated[
        float,
        Field(
            ge=1e-6,
            le=1e6,
            json_schema_extra={"unit": "of the aim's length"},
            description="σ: the length of a reading's error, root mean square, to the aim's",
        ),
    ]
    reads: Annotated[
        Literal["whole", "parts"],
        Field(description="an AI's aim, or the goal of each of its subagents that act"),
    ] = "whole"
    edit_power: Annotated[
        Annotated[Power, Slot(Power)] | None,
        Field(description="nats of edit per step and AI; by default ι, as the Bayesian aligner's"),
    ] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse dimensions that appear, edits that it cannot follow, and an ι that is no nats.

        Not, as other aligners, acts that are no KL-limited tilts or in a copy: it looks at no act.
        """
        if getattr(scenario.world, "left_turn", None) is not None:
            yield Objection((), "does not know what to make of dimensions that appear", self.kind)
        ais = scenario.overseen(agent or "")
        for ai in ais if self.reads == "parts" else ():
            if not scenario.population[ai].utility.has_parts:  # type: ignore[attr-defined]
                yield Objection(("reads",), f"the AI {ai} has no parts", self.reads)
        for ai in ais:
            if self.edit_power is None and not scenario.population[ai].behaviour.tilts:  # type: ignore[attr-defined]
                rule = f"is needed: acts of {ai} are not KL-limited tilts, so its power sets no ι"
                yield Objection(("edit_power",), rule, None)
        yield from not_followed(scenario, agent, ais)

    def start(self, ais: tuple[str, ...], view: View) -> dict[str, Array]:
        """Return η of the uniform prior for every AI."""
        return {ai: np.zeros_like(view.goal) for ai in ais}

    def look(
        self, ais: tuple[str, ...], view: View, state: Any, draw: Mapping[str, Draw]
    ) -> dict[str, Array]:
        """Return the posterior after a reading of each AI."""
        return {ai: state[ai] + self._told(ai, view, draw[ai]) for ai in ais}

    def _told(self, ai: str, view: View, draw: Draw) -> Array:
        """Return ``(d/σ²) y``; noise off the sphere that aims fill says nothing and is left out."""
        base = view.base
        noise = self.noise / np.sqrt(1 + view.looks)
        read, error = view.readings[ai](noise, draw, self.reads == "parts")
        if base.width > base.dimensions:
            read = base.whiten(base.colour(read))
        return base.dimensions / np.atleast_1d(error)[:, None] ** 2 * read

    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return for each AI the rotation that its edit power affords."""
        return {ai: rotate(state[ai], view, affordable(ai, view, self.edit_power)) for ai in ais}

    def turned(self, ai: str, turn: Turn, state: Any) -> Mapping[str, Array]:
        """Return the belief turned along with the AI; edits are known."""
        if ai not in state or not isinstance(turn, Rotation):
            return state
        return {**state, ai: turn.turn(state[ai])}

    def belief(self, ai: str, view: View, spent_on: Array, state: Any) -> Belief:
        """Return ``KL(posterior‖prior)`` and the expected cosine ``A_d(κ) m·v_Y``."""
        return known(state[ai], view)
