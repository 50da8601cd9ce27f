"""Action rules other than the tilt: the best share of the world, the best of n draws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sumabm.behaviours import Act, Behaviour
from sumabm.component import Objection
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import Tilt
from sumabm.worlds.discrete import DiscreteWorld
from sumabm.worlds.states import DiscreteSpec

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class _Discrete(Behaviour[None]):
    @property
    def tilts(self) -> bool:
        """No."""
        return False

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse worlds that are not discrete, and acting at once."""
        yield from super().objections(scenario, agent)
        if not isinstance(scenario.world, DiscreteSpec):
            yield Objection((), "needs a discrete world", scenario.world.kind)


class Quantilizing(_Discrete):
    """Conditions the world on its best share, as large a share as its power demands."""

    kind = "quantilizing"
    cites = ("taylor-2016",)

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the quantilizer of its own utility at full power."""
        return Act(view.utility[me], view.power[me], _quantilize), None


class BestOfN(_Discrete):
    """Takes the best of n draws from the world, n such that it costs its power."""

    kind = "best-of-n"
    cites = ("gao-2022", "beirami-2024")

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the best-of-n rule for its own utility at full power."""
        return Act(view.utility[me], view.power[me], _best_of), None


def _quantilize(world: DiscreteWorld, utility: Array, power: Array) -> Tilt:
    return world.quantilize(utility, power)


def _best_of(world: DiscreteWorld, utility: Array, power: Array) -> Tilt:
    return world.best_of(utility, power)
