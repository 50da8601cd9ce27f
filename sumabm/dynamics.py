"""What becomes of the world between one step and the next."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from sumabm.component import Component

if TYPE_CHECKING:
    from sumabm.worlds import World


class Dynamics(Component):
    """How the world that agents leave becomes the world that they find."""

    @property
    @abstractmethod
    def memory(self) -> float:
        """The share of the world's displacement from base that the next step finds."""

    @abstractmethod
    def settle(self, base: World, world: World) -> World:
        """Return the world at the start of the next step, given how this step left it."""


class Reset(Dynamics):
    """The world is as at the start again: every step is a fresh trial (the essay's setting)."""

    kind = "reset"
    cites = ("essay",)
    memory: ClassVar[float] = 0.0

    def settle(self, base: World, world: World) -> World:
        """Return ``base``."""
        return base


class Persist(Dynamics):
    """What agents did stays done: displacements add up."""

    kind = "persist"
    memory: ClassVar[float] = 1.0

    def settle(self, base: World, world: World) -> World:
        """Return ``world``."""
        return world


class Relax(Dynamics):
    """The world returns to its start by a share of the way each step."""

    kind = "relax"

    rate: Annotated[
        float, Field(ge=0.0, le=1.0, description="share of the way back to the base world per step")
    ]

    @property
    def memory(self) -> float:
        """What the rate leaves: ``1 − rate``."""
        return 1.0 - self.rate

    def settle(self, base: World, world: World) -> World:
        """Return the log-linear mixture ``∝ world^(1−rate) · base^rate``."""
        return world.relax(base, self.rate)
