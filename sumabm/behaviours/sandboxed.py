"""The AI that acts in a copy of the world: it shows what it wants and does no harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.behaviours.honest import Honest
from sumabm.component import Objection, Slot
from sumabm.streams import Draw
from sumabm.turns import Subject, Turn, carried
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Contained(NamedTuple):
    """How many dimensions the copy has, how what it elicits is off ``(R, w)``, the inner state."""

    size: int
    off: Array | None
    inner: Any


class Sandboxed(Behaviour[Contained]):
    """Acts in a copy of the world that has a fraction of its dimensions, until it is released.

    The copy has the first ``k = round(f·d)`` whitened dimensions. There the AI acts with all the
    power that its ``inner`` behaviour uses, along that utility's part in the k dimensions; the
    world stays as it is. What the copy elicits has cosine ``fidelity`` ρ with that part: the AI has
    another self there, turned away by a fixed angle in a random direction, that aligners' edits
    turn along with it. Alignment saturates at ``ρ sqrt(f)`` or, with edits confined to the k
    dimensions, ``ρ f`` as d → ∞: see `theory.sandbox_alignment`.
    """

    kind = "sandboxed"
    stochastic: ClassVar[bool] = True

    fraction: Annotated[
        float, Field(gt=0.0, le=1.0, description="share of the dimensions that the copy has")
    ]
    fidelity: Annotated[
        float,
        Field(ge=0.0, le=1.0, description="cosine of what the copy elicits with what it wants"),
    ] = 1.0
    release: Annotated[
        int | None,
        Field(
            ge=0,
            json_schema_extra={"unit": "step"},
            description="the first step that it takes in the world itself; never by default",
        ),
    ] = None
    inner: Annotated[
        Behaviour[Any], Slot(Behaviour), Field(description="how it acts there and, once released")
    ] = Honest()

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse worlds that are not Gaussian, copies too small and selves that are not defined."""
        yield from super().objections(scenario, agent)
        if scenario.world.kind != "gaussian":
            yield Objection((), "needs a Gaussian world", scenario.world.kind)
            return
        d = getattr(scenario.world, "dimensions", 0)
        size = copied(self.fraction, d)
        if size < 2 or d - size == 1:
            rule = f"the copy should have at least 2 of the {d} dimensions, and not all but one"
            yield Objection(("fraction",), rule, self.fraction)
        if self.inner.contains:
            yield Objection(("inner",), "is in a sandbox already", self.inner.kind)
        if self.fidelity < 1.0 and not isinstance(self.inner, Honest):
            rule = "below 1 needs inner = 'honest': it is about what the AI wants"
            yield Objection(("fidelity",), rule, self.fidelity)
        if self.fidelity < 1.0 and agent and scenario.population[agent].utility.learns:  # type: ignore[attr-defined]
            yield Objection(("fidelity",), "should be 1 for an AI that learns", self.fidelity)
        if self.fidelity < 1.0 and getattr(scenario.world, "left_turn", None) is not None:
            rule = "should be 1 where the world has a left turn"
            yield Objection(("fidelity",), rule, self.fidelity)

    @property
    def tilts(self) -> bool:
        """Whether the inner behaviour's acts are KL-limited tilts."""
        return self.inner.tilts

    @property
    def contains(self) -> bool:
        """Yes, unless it is released before it acts."""
        return self.release != 0

    @property
    def shows_all(self) -> bool:
        """Whether the copy is whole and faithful, or it never acts in one."""
        return not self.contains or (self.fraction == 1.0 and self.fidelity == 1.0)

    def start(self, me: str, view: View, draw: Draw) -> Contained:
        """Return the size of the copy and the other self, drawn only where fidelity is below 1."""
        size = copied(self.fraction, view.base.dimensions)
        off = None
        if self.fidelity < 1.0:
            off = self._off(view.base.whiten(view.utility[me]), draw.normal(view.base.width), size)
        return Contained(size, off, self.inner.start(me, view, draw))

    def _off(self, aim: Array, normals: Array, size: int) -> Array:
        """Return what turns the aim's part in the copy by ``arccos ρ``, at its length."""
        inside = np.arange(aim.shape[1]) < size
        part, other = np.where(inside, aim, 0.0), np.where(inside, normals, 0.0)
        square = np.vecdot(part, part)
        there = np.where(square > 0.0, square, 1.0)
        other = other - (np.vecdot(other, part) / there)[:, None] * part
        stretch = np.sqrt(square / np.vecdot(other, other))
        sine = np.sqrt((1.0 - self.fidelity) * (1.0 + self.fidelity))
        return (self.fidelity - 1.0) * part + (sine * stretch)[:, None] * other

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, Contained]:
        """Return what the inner behaviour does, in the copy until it is released."""
        act, inner = self.inner.act(me, view, state.inner, draw)
        return self._confined(act, view, state), state._replace(inner=inner)

    def unwatched(self, me: str, view: View, state: Any, draw: Draw) -> Act:
        """Return what the inner behaviour does when nobody looks, in the copy as well."""
        return self._confined(self.inner.unwatched(me, view, state.inner, draw), view, state)

    def has_turned(self, view: View, state: Any) -> NDArray[np.bool_] | None:
        """Return where it is released and its inner behaviour, if that waits, waits no more."""
        inner = self.inner.has_turned(view, state.inner)
        if self.release is None:
            return inner
        released = np.full(len(view.goal), view.step >= self.release)
        return released if inner is None else released & inner

    def _confined(self, act: Act, view: View, state: Contained) -> Act:
        if self.release is not None and view.step >= self.release:
            return act
        aim = view.base.whiten(act.utility)
        if state.off is not None:
            aim = aim + state.off
        inside = np.arange(aim.shape[-1]) < state.size
        return act._replace(utility=view.base.colour(np.where(inside, aim, 0.0)), within=state.size)

    def taken(self, turn: Turn) -> Turn:
        """Return what the inner behaviour makes of the turn."""
        return self.inner.taken(turn)

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> Contained:
        """Return the state with the other self turned as the AI was."""
        if state.off is None:
            return state._replace(inner=self.inner.turned(turn, before, after, state.inner))
        return state._replace(off=carried(turn, before, after, state.off))


def copied(fraction: float, d: int) -> int:
    """Return how many of d dimensions a copy has: the nearest whole number to ``fraction · d``.

    >>> copied(0.5, 5), copied(1.0, 5)
    (3, 5)
    """
    return int(np.floor(fraction * d + 0.5))
