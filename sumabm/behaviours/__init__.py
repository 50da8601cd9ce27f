"""How an AI acts on its utility."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Generic, NamedTuple, TypeVar

from sumabm.component import Component
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View

S = TypeVar("S")


class Act(NamedTuple):
    """A tilt that an AI decides on: by ``utility (R, d)`` with ``power (R,)`` nats."""

    utility: Array
    power: Array


class Behaviour(Component, Generic[S]):
    """How an AI acts, given what it sees; ``S`` is its state, a value that `act` returns anew."""

    def start(self, me: str, view: View, draw: Draw) -> S | None:
        """Return the state before the first step."""
        return None

    @abstractmethod
    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, S | None]:
        """Return what the AI named ``me`` does this step, and its next state."""
