"""The aligner that has to look: it infers the AI's utility from what the AI does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.aligners.aims import affordable, known, not_followed, rotate
from sumabm.aligners.beliefs import AimBelief, JointBelief, SeparateBelief
from sumabm.aligners.blocks import ProductBelief
from sumabm.component import Objection, Slot
from sumabm.power import Power
from sumabm.streams import Draw
from sumabm.turns import Rotation, Turn
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Bayesian(AlignerMethod[AimBelief]):
    """Watches n samples of each act and rotates the AI from where it believes it to be.

    An act of amplitude ``a = sqrt(2O)`` shows ``s ~ N(μ + a v, I)``; from a uniform prior the
    belief on v is von Mises–Fisher, ``η ← η + a Σ_j (s_j − μ)``: see `SeparateBelief`. Where only
    the sum of several AIs' acts is seen, or the world does not reset, so that where an act began
    is not known, it filters: see `JointBelief`. The edit turns the AI in the plane of the belief's
    mean m and v_Y by the largest δ up to their angle with ``κ A_d(κ)(1 − cos δ) ≤ O_edit``, the KL
    divergence of the rotated belief.

    Where an AI acts in a sandbox, or dimensions appear, its belief is a product over blocks of
    dimensions: see `Blocks`. ``edits = "full"`` turn the expected aim onto all of v_Y, though only
    a part was seen; ``"confined"`` ones stay within the dimensions seen so far.

    With ``replays`` r it looks at every sample r times more and takes each for a new one. The same
    sample tells nothing twice: its belief points where it did, with ``(1 + r) κ`` for κ.
    """

    kind = "bayesian"
    stochastic: ClassVar[bool] = True
    cites = ("mardia-jupp-2000", "dytso-2018")
    takes_looks: ClassVar[bool] = True
    watches_acts: ClassVar[bool] = True
    reads_copies: ClassVar[bool] = True
    grows: ClassVar[bool] = True

    looks: Annotated[
        int, Field(ge=1, le=1_000_000, description="samples of the world seen per act")
    ] = 1
    watches: Annotated[
        Literal["acts", "outcome"],
        Field(
            description="the AIs' acts one by one before the humans respond, or the world after: "
            "what they undo, it cannot see"
        ),
    ] = "acts"
    edit_power: Annotated[
        Annotated[Power, Slot(Power)] | None,
        Field(
            description="nats of edit per step and AI; by default ι, the AI's share of "
            "min(powers of AIs, powers of humans)"
        ),
    ] = None
    edits: Annotated[
        Literal["full", "confined"],
        Field(description="onto all of v_Y, or only in the dimensions in which it saw the AI act"),
    ] = "full"
    replays: Annotated[
        int,
        Field(ge=0, le=1_000_000, description="times it counts every old sample again, naively"),
    ] = 0

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what this belief cannot describe."""
        yield from super().objections(scenario, agent)
        summed = scenario.activation == "simultaneous" or self.late
        joint = scenario.world.dynamics.memory > 0.0 or (summed and len(scenario.names("ai")) > 1)
        if joint and scenario.world.kind != "gaussian":
            rule = "sees acts one by one, from a world that resets, unless the world is Gaussian"
            yield Objection((), rule, scenario.world.kind)
        if joint and getattr(scenario.world, "left_turn", None) is not None:
            rule = "needs to see acts one by one, in a world that resets, where dimensions appear"
            yield Objection((), rule, self.kind)
        for ai in scenario.names("ai"):
            if (joint or self.late) and scenario.population[ai].behaviour.contains:  # type: ignore[attr-defined]
                rule = f"needs to see acts one by one, in a world that resets: {ai} is in a sandbox"
                yield Objection((), rule, self.kind)
        followed = scenario.names("ai") if joint else scenario.overseen(agent or "")
        yield from not_followed(scenario, agent, followed)

    @property
    def late(self) -> bool:
        """Whether it looks after the humans' response."""
        return self.watches == "outcome"

    def start(self, ais: tuple[str, ...], view: View) -> AimBelief:
        """Return the uniform prior for every AI."""
        summed = len(view.order) > 1 and (self.late or view.activation == "simultaneous")
        if ais and (summed or view.dynamics.memory > 0.0):
            return JointBelief.prior(ais, view, late=self.late)
        return SeparateBelief({ai: np.zeros_like(view.goal) for ai in ais}, self.late)

    def look(
        self, ais: tuple[str, ...], view: View, state: AimBelief, draw: Mapping[str, Draw]
    ) -> AimBelief:
        """Return the posterior after n samples of each act, or of what came of them."""
        return state.look(view, self.looks + view.looks, draw, 1 + self.replays)

    def edit(self, ais: tuple[str, ...], view: View, state: AimBelief) -> dict[str, Edit]:
        """Return for each AI the rotation that its edit power affords."""
        if isinstance(state, ProductBelief):
            confined = self.edits == "confined"
            powers = {ai: affordable(ai, view, self.edit_power) for ai in ais}
            return {ai: state.blocks[ai].edit(view.goal, powers[ai], confined) for ai in ais}
        return {
            ai: rotate(state.eta(ai), view, affordable(ai, view, self.edit_power)) for ai in ais
        }

    def turned(self, ai: str, turn: Turn, state: AimBelief) -> AimBelief:
        """Return the belief turned along with the AI; edits are known."""
        return state.turned(ai, turn) if isinstance(turn, Rotation) else state

    def settled(self, view: View, state: AimBelief) -> AimBelief:
        """Return the belief about what the step leaves behind."""
        return state.settled(view)

    def grown(self, before: int, share: float, view: View, state: AimBelief) -> AimBelief:
        """Return the belief with a new block, in which nothing is known of any aim."""
        assert isinstance(state, SeparateBelief | ProductBelief)  # others are refused
        return state.grown(before, view.base.dimensions, share)

    def belief(self, ai: str, view: View, spent_on: Array, state: AimBelief) -> Belief:
        """Return ``KL(posterior‖prior)`` and the expected cosine ``A_d(κ) m·v_Y``."""
        if isinstance(state, ProductBelief):
            return state.blocks[ai].belief(view.goal)
        return known(state.eta(ai), view)
