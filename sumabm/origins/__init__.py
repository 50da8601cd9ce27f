"""Where an agent's utility comes from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from sumabm.component import Component, Objection
from sumabm.streams import Draw
from sumabm.turns import Subject, Turn
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

S = TypeVar("S")


class Origin(Component, Generic[S]):
    """How an agent comes by its utility; ``S`` is what it has learnt, a value returned anew.

    Declare ``learns`` where it depends on other agents or changes by itself: such an origin is for
    AIs; and ``has_parts`` where it is pooled from several: `parts_error`. Aims are unit vectors in
    whitened coordinates ``(R, w)``.
    """

    learns: ClassVar[bool] = False
    has_parts: ClassVar[bool] = False

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse humans that learn, and learning where dimensions appear."""
        if not self.learns or agent is None:
            return
        if scenario.population[agent].kind != "ai":
            yield Objection((), "is for AIs: it learns from humans", self.kind)
        if getattr(scenario.world, "left_turn", None) is not None:
            yield Objection((), "does not know what to make of dimensions that appear", self.kind)

    @property
    def relearns(self) -> bool:
        """Whether it sets the aim anew after every step, whatever others made of it."""
        return type(self).learn is not Origin.learn

    @abstractmethod
    def start(self, base: World, draw: Draw) -> Array:
        """Return the agent's first utility in ``base``, ``(R, …)`` or one for all replicates.

        Its scale and constant are immaterial.
        """

    def akin(self, base: World, utility: Array, family: Callable[[str], Draw]) -> Array:
        """Return the first utility of one that may be akin to others, given that of `start`.

        ``family`` gives, by a name, the stream of random numbers of all agents that ask for it.
        """
        return utility

    def begin(self, me: str, view: View, aim: Array, draw: Draw) -> tuple[Array, S | None]:
        """Return the aim with which ``me`` begins and what it knows, once all agents are there.

        ``aim`` is that of `start`. ``draw`` gives normals of one size, here and in `learn`.
        """
        return aim, None

    def learn(
        self, me: str, view: View, aim: Array, state: Any, draw: Draw
    ) -> tuple[Array, S | None]:
        """Return the aim and what is known after a step.

        ``view`` is that of the step's end; its ``sights`` have the act of ``me``.
        """
        return aim, state

    def certainty(self, dimensions: int, state: Any) -> Array | None:
        """Return the cosine ``(R,)`` that the agent itself expects of its aim with v_Y, if any."""
        return None

    def report(self, aim: Array, goal: Array, state: Any) -> Mapping[str, Array]:
        """Return what is worth recording of what the agent knows, by variable of `recorder`.

        ``(R,)``, or ``(R, n)`` by place where the variable has a further dimension; ``goal (R, w)``
        is v_Y.
        """
        return {}

    def parts_error(self, state: Any) -> Array | float:
        """Return the error of an aim that is pooled from readings of each of its parts.

        In units of the error of one such reading, ``(R,)``; 1 where there are no parts.
        """
        return 1.0

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> S | None:
        """Return what is known after ``turn`` took the aim from ``before`` to ``after``."""
        return state
