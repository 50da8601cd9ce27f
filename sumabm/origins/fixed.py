"""A utility given once and for all: drawn at random, or written in the scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.origins import Origin
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.worlds import World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Fixed(Origin[None]):
    """A linear utility with a fixed direction, until someone turns it."""

    kind = "fixed"
    stochastic: ClassVar[bool] = True
    cites = ("essay",)

    direction: Annotated[
        Literal["random"] | list[float],
        Field(description="'random' (uniform over utilities of equal spread) or d coefficients"),
    ] = "random"

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse coefficients of the wrong number, or all zero."""
        if self.direction == "random":
            return
        d = scenario.world.coefficients
        if d == 0:
            rule = "this world's utilities are tables: give 'random', or a table"
            yield Objection(("direction",), rule, f"{len(self.direction)} coefficients")
        elif len(self.direction) != d:
            rule = f"should have as many coefficients as the world has dimensions, {d}"
            yield Objection(("direction",), rule, f"{len(self.direction)} coefficients")
        elif not any(self.direction):
            yield Objection(("direction",), "should not be all zeros", self.direction)

    def start(self, base: World, draw: Draw) -> Array:
        """Return the direction, or one drawn isotropically where alignment is the cosine."""
        if self.direction == "random":
            return base.colour(draw.normal(base.width))
        direction = np.asarray(self.direction, np.float64)
        return base.linear(direction / np.abs(direction).max())
