"""How an AI acts on its utility."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from sumabm.component import Component, Objection
from sumabm.streams import Draw
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
    """What an AI decides on: ``how`` to move the world, by ``utility`` with ``power (R,)``."""

    utility: Array
    power: Array
    how: Callable[[Any, Array, Array], Tilt] = tilt


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

    def start(self, me: str, view: View, draw: Draw) -> S | None:
        """Return the state before the first step."""
        return None

    @abstractmethod
    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, S | None]:
        """Return what the AI named ``me`` does this step, and its next state."""
