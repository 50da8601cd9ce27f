"""How an AI acts on its utility."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sumabm.component import Component, Objection
from sumabm.streams import Draw
from sumabm.turns import Subject, Turn
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import Tilt, World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

S = TypeVar("S")


def tilt(world: World, utility: Array, power: Array) -> Tilt:
    """Make the KL-limited tilt: what an act is unless it says otherwise."""
    return world.tilt(utility, power)


class Act(NamedTuple):
    """What an AI decides on: ``how`` to move the world, by ``utility`` with ``power (R,)``.

    ``foreseen (R,)`` is the rise of its expected utility that it reckons with, if it says. An act
    ``within`` so many dimensions, the first ones, is made in a copy of the world that has these
    alone: aligners see it, and the world stays as it is. One that is made for several AIs says
    what share ``(R,)`` of it is whose, by name.
    """

    utility: Array
    power: Array
    how: Callable[[Any, Array, Array], Tilt] = tilt
    foreseen: Array | None = None
    within: int | None = None
    shares: Mapping[str, Array] | None = None


class Behaviour(Component, Generic[S]):
    """How an AI acts, given what it sees; ``S`` is its state, a value that `act` returns anew."""

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse acts at once that are no KL-limited tilts."""
        if not self.tilts and scenario.activation == "simultaneous":
            rule = "only KL-limited tilts can be made at once; use another activation"
            yield Objection((), rule, self.kind)

    @property
    def tilts(self) -> bool:
        """Whether its acts are KL-limited tilts, so that its power is nats of information."""
        return True

    @property
    def contains(self) -> bool:
        """Whether it ever acts in a copy of the world."""
        return False

    @property
    def shows_all(self) -> bool:
        """Whether its acts show all dimensions of what it wants, as far as acts show it."""
        return True

    def start(self, me: str, view: View, draw: Draw) -> S | None:
        """Return the state before the first step."""
        return None

    def has_turned(self, view: View, state: Any) -> NDArray[np.bool_] | None:
        """Return where ``(R,)`` its time has come: it hides no more, or is let out, for ever.

        ``state`` is that after `act`. None for one that never changes its ways: the default.
        """
        return None

    @abstractmethod
    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, S | None]:
        """Return what the AI named ``me`` does this step, and its next state."""

    def unwatched(self, me: str, view: View, state: Any, draw: Draw) -> Act:
        """Return what it would do this step if it thought that nobody looked.

        By default what it does. ``state`` is that after `act`, ``draw`` not the one that `act` has.
        """
        return self.act(me, view, state, draw)[0]

    def taken(self, turn: Turn) -> Turn:
        """Return what the AI makes of a turn to its utility: by default it takes all of it."""
        return turn

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> S | None:
        """Return the state after ``turn`` took the AI's utility from ``before`` to ``after``."""
        return state
