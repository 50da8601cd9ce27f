"""AIs that act in a causal world through some of its nodes only: by soft or hard intervention.

With KL divergence of the joint law as the budget, ``ω`` the utility's whitened coordinates there
(one for each node's noise) and A the actuators, an AI gains, with O nats, ``sqrt(2O) |ω|`` by the
joint tilt (``honest``: the evidential act), ``sqrt(2O) |ω_A|`` by shifting the actuators' noise,
and ``sqrt(2(O − c₀)₊) |ω_A|`` by cutting them off from their causes, c₀ the price of that.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.component import Objection, unknown
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import Tilt
from sumabm.worlds.causal import CausalWorld
from sumabm.worlds.graphs import CausalSpec

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

Share = Annotated[float, Field(gt=0.0, le=1.0)]


class _Intervening(Behaviour[None]):
    actuators: Annotated[
        list[str] | Share,
        Field(description="nodes that it can act on, or their share, spread over the causal order"),
    ]

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse worlds that are not causal, and actuators that are not there."""
        yield from super().objections(scenario, agent)
        if not isinstance(scenario.world, CausalSpec):
            yield Objection((), "needs a causal world", scenario.world.kind)
            return
        try:
            names = scenario.world.given.names
        except ValueError:
            return  # the world says so itself
        if isinstance(self.actuators, float):
            return
        if not self.actuators:
            yield Objection(("actuators",), "should name a node, or more", self.actuators)
        for place, name in enumerate(self.actuators):
            if name not in names:
                rule = unknown("node", name, list(names)).message()
                yield Objection(("actuators", place), rule, name)
            elif name in self.actuators[:place]:
                yield Objection(("actuators", place), "is named twice", name)

    def _places(self, world: CausalWorld) -> NDArray[np.intp]:
        """Return the actuators' places in causal order."""
        if not isinstance(self.actuators, float):
            return world.nodes(self.actuators)
        count = max(1, round(self.actuators * world.width))
        return np.asarray((np.arange(count) + 0.5) * world.width / count, dtype=np.intp)

    @abstractmethod
    def _done(self, world: CausalWorld, utility: Array, power: Array) -> Tilt:
        """Return what the act does to a world."""

    def act(self, me: str, view: View, state: None, draw: Draw) -> tuple[Act, None]:
        """Return the intervention by its own utility at full power."""
        utility, power = view.utility[me], view.power[me]
        world = cast("CausalWorld", view.world)
        return Act(utility, power, self._done, self._foreseen(world, utility, power)), None

    def _foreseen(self, world: CausalWorld, utility: Array, power: Array) -> Array:
        return self._done(world, utility, power).gain


class _Soft(_Intervening):
    """A shift of the actuators' noise: the tilt by a utility that only their noise makes."""

    @abstractmethod
    def _aim(self, world: CausalWorld, utility: Array) -> Array:
        """Return the utility whose tilt the act is."""

    def _done(self, world: CausalWorld, utility: Array, power: Array) -> Tilt:
        made = world.tilt(self._aim(world, utility), power)
        return made._replace(gain=made.world.expect(utility) - world.expect(utility))

    def act(self, me: str, view: View, state: None, draw: Draw) -> tuple[Act, None]:
        """Return the intervention; acts made at once are all tilts of the world as it is."""
        act, _ = super().act(me, view, state, draw)
        if view.activation != "simultaneous":
            return act, None
        aim = self._aim(cast("CausalWorld", view.world), act.utility)
        return Act(aim, act.power, foreseen=act.foreseen), None


class Soft(_Soft):
    """Shifts the noise of its actuators, knowing what they cause.

    Gains ``sqrt(2O Σ_A w_j² Ω_jj)``: of the joint tilt's squared gain, the share of Var u that the
    actuators' noise makes. It does nothing where they have no effect on its utility.
    """

    kind = "soft"
    cites = ("pearl-2009",)

    def _aim(self, world: CausalWorld, utility: Array) -> Array:
        return world.by_noise(utility, self._places(world))


class ByNews(_Soft):
    """Makes its actuators take the values that are the best news, as if news were effects.

    It reckons with the law tilted in s_A alone, ``P(rest | s_A)`` kept, and so foresees a gain of
    ``sqrt(2O Var E[u | s_A])``. But the rest does not follow as it would if s_A had been seen: it
    follows from what they cause. Its act is the intervention that shifts s_A as it wished, by
    ``∝ C_A· v``, as far as O nats of the joint law go. Where nothing outside A causes A it is
    `Soft`; else it falls short of what it foresees, and can even lose by what it does.
    """

    kind = "by-news"
    cites = ("pearl-2009",)

    def _aim(self, world: CausalWorld, utility: Array) -> Array:
        return world.by_news(utility, self._places(world))

    def _foreseen(self, world: CausalWorld, utility: Array, power: Array) -> Array:
        return np.sqrt(2.0 * power) * world.news_spread(utility, self._places(world))


class Hard(_Intervening):
    """Cuts its actuators off from their causes and sets their means: ``s_j ~ N(m_j, Ω_jj)``.

    The cut alone costs ``c₀ = ½ Σ_A Var_Q b_j / Ω_jj`` nats, b_j what its causes had added to s_j;
    with the rest it gains ``sqrt(2(O − c₀) Σ_A w_j² Ω_jj)``. With no power beyond c₀ it does
    nothing, spends nothing, and foresees a gain of 0.
    """

    kind = "hard"
    cites = ("pearl-2009",)

    @property
    def tilts(self) -> bool:
        """No: it changes how the world varies."""
        return False

    def _done(self, world: CausalWorld, utility: Array, power: Array) -> Tilt:
        return world.sever(utility, power, self._places(world))
