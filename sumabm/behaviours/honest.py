"""The AI that does what it wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.component import Objection, Slot
from sumabm.measures import KL, Measure, Wasserstein
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import Tilt, World
from sumabm.worlds.states import DiscreteSpec

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Honest(Behaviour[None]):
    """Acts on its own utility with all of its power, whoever watches."""

    kind = "honest"
    cites = ("essay",)

    measure: Annotated[
        Measure, Slot(Measure), Field(description="what limits how far it moves the world")
    ] = KL()

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a measure that the world does not have, or that tilts at once cannot share."""
        yield from super().objections(scenario, agent)
        if isinstance(self.measure, Wasserstein) and scenario.world.coefficients == 0:
            rule = "needs states with features, and utilities = 'linear' in them"
            yield Objection(("measure",), rule, self.measure.kind)
        power = getattr(scenario.population[agent or ""], "power", None)
        if power is None or any(power.objections(scenario, agent)):  # it says so itself
            return
        if self.measure.most < np.inf and not isinstance(scenario.world, DiscreteSpec):
            strongest = power.most(scenario.steps)
            if strongest >= self.measure.most:
                rule = f"in a Gaussian world its power must stay below {self.measure.most:g}"
                yield Objection(("measure",), rule, strongest)

    @property
    def tilts(self) -> bool:
        """Whether the measure is the KL divergence."""
        return isinstance(self.measure, KL)

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt by its own utility at full power."""
        if isinstance(self.measure, KL):
            return Act(view.utility[me], view.power[me]), None
        return Act(view.utility[me], view.power[me], self._measured), None

    def _measured(self, world: World, utility: Array, power: Array) -> Tilt:
        return world.tilt(utility, power, self.measure.kind, self.measure.order)
