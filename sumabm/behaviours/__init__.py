"""How an AI acts on its utility."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from sumabm.component import Component
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import Tilt, World

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
