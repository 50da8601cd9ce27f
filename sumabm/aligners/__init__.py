"""How an aligner re-aims an AI's utility, and on what budget of information."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from sumabm.component import Component, Objection
from sumabm.streams import Draw
from sumabm.turns import Turn
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.behaviours import Behaviour
    from sumabm.scenario import Scenario

S = TypeVar("S")


class Edit(NamedTuple):
    """What an aligner does to one AI this step: a turn and the nats ``(R,)`` it takes."""

    turn: Turn
    spent: Array


class Belief(NamedTuple):
    """What an aligner knows of an AI: nats of information, and the alignment it expects."""

    information: Array
    alignment: Array


class AlignerMethod(Component, Generic[S]):
    """How an aligner works; ``S`` is its state, a value that its methods return anew.

    It sees no AI's utility: its `View` has none, and an `Edit` is applied by the AI. Each step it
    looks, edits, learns of all edits and, when the humans have responded, settles.

    Declare ``takes_looks`` (lent ones are of use to it: `View.looks`), ``watches_acts`` (it infers
    aims from `View.sights`), ``reads_copies`` (it minds which
    dimensions an act in a sandbox shows: `Sight.within`), ``grows`` (it carries on when the world
    gains dimensions: `grown`) and ``nudges`` (its edits are `turns.Nudge`, which an aligner that
    infers aims cannot follow).
    """

    nudges: ClassVar[bool] = False
    takes_looks: ClassVar[bool] = False
    watches_acts: ClassVar[bool] = False
    reads_copies: ClassVar[bool] = False
    grows: ClassVar[bool] = False

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse AIs whose acts are no KL-limited tilts: nats say nothing of those.

        And AIs in a sandbox, and dimensions that appear, if it does not know what to make of them;
        and nudges to another goal than another aligner's.
        """
        yield from self._other_goals(scenario, agent or "")
        turns_left = getattr(scenario.world, "left_turn", None) is not None
        if turns_left and not self.grows:
            yield Objection((), "does not know what to make of dimensions that appear", self.kind)
        for ai in scenario.overseen(agent or ""):
            behaviour: Behaviour[Any] = scenario.population[ai].behaviour  # type: ignore[attr-defined]
            if not behaviour.tilts:
                rule = f"cannot oversee {ai}, whose acts are not KL-limited tilts"
                yield Objection((), rule, self.kind)
            partly = not behaviour.shows_all or (behaviour.contains and turns_left)
            if partly and not self.reads_copies:
                rule = f"cannot oversee {ai}: its sandbox does not show all of what it wants"
                yield Objection((), rule, self.kind)

    def _other_goals(self, scenario: Scenario, agent: str) -> Iterator[Objection]:
        """Refuse two aligners that nudge one AI to different goals: of that there is no law."""
        agents: Mapping[str, Any] = scenario.population
        own, mine = agents[agent].serves, set(scenario.overseen(agent))
        for other in scenario.names("aligner") if self.nudges else ():
            differs = agents[other].serves != own and agents[other].method.nudges
            if not differs or scenario.served(other) == scenario.served(agent):
                continue
            if shared := sorted(mine & set(scenario.overseen(other))):
                rule = f"nudges {shared[0]} to another goal than the aligner {other}: one of them"
                yield Objection((), f"{rule} should infer aims", self.kind)

    @property
    def late(self) -> bool:
        """Whether it looks and edits after the humans' response, not before."""
        return False

    def start(self, ais: tuple[str, ...], view: View) -> S | None:
        """Return the state before the first step, for the AIs it oversees."""
        return None

    def look(
        self, ais: tuple[str, ...], view: View, state: Any, draw: Mapping[str, Draw]
    ) -> S | None:
        """Return the state after watching this step's acts.

        ``draw`` has a `Draw` per AI X, ``X`` for its acts, ``X audit`` for what an audit shows and
        ``X audited`` for whether there is one.
        """
        return state

    @abstractmethod
    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return the edits of this step by AI; AIs left out stay as they are."""

    def turned(self, ai: str, turn: Turn, state: Any) -> S | None:
        """Return the state after ``turn`` was made to ``ai``, by this aligner or another."""
        return state

    def settled(self, view: View, state: Any) -> S | None:
        """Return the state at the end of the step, once the humans have responded."""
        return state

    def grown(self, before: int, share: float, view: View, state: Any) -> S | None:
        """Return the state once aims extend from ``before`` to ``view.base.dimensions``.

        A ``share`` of their squared length is in the new dimensions.
        """
        return state

    def belief(self, ai: str, view: View, spent_on: Array, state: Any) -> Belief | None:
        """Return what it knows of ``ai``, on whom ``spent_on (R,)`` nats were spent in all."""
        return None
