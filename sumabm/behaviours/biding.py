"""AIs that bide their time: what they share, which is when that time has come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.component import Objection
from sumabm.streams import Draw
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Wait(NamedTuple):
    """Whose power it waits to surpass, and where ``(R,)`` it waits no more."""

    humans: tuple[str, ...]
    over: NDArray[np.bool_]


class Biding(Behaviour[Wait]):
    """Waits until it is strong or released; from then on it is honest for ever.

    Its time comes at the first step with ``O_X ≥ ratio (Σ sqrt(O_Y))²``, the humans being those who
    can undo amplitudes that add up, or at the step ``release``, whichever comes first.
    """

    ratio: Annotated[
        float | None,
        Field(gt=0.0, description="its power over (Σ sqrt(O_Y))² at which its time has come"),
    ] = None
    release: Annotated[
        int | None,
        Field(
            ge=0, json_schema_extra={"unit": "step"}, description="the step at which it is released"
        ),
    ] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse to wait for nothing."""
        yield from super().objections(scenario, agent)
        if self.ratio is None and self.release is None:
            yield Objection((), "waits for nothing: give ratio, release or both", self.kind)

    def start(self, me: str, view: View, draw: Draw) -> Wait:
        """Return the state of one that waits."""
        humans = tuple(name for name in view.power if name not in view.order)
        return Wait(humans, np.zeros(len(view.goal), dtype=bool))

    def waited(self, me: str, view: View, state: Wait) -> Wait:
        """Return the state in this step."""
        over = state.over
        if self.ratio is not None:
            undo = sum((np.sqrt(view.power[human]) for human in state.humans), np.zeros(()))
            over = over | (view.power[me] >= self.ratio * undo**2)
        if self.release is not None:
            over = over | (view.step >= self.release)
        return state._replace(over=over)

    def has_turned(self, view: View, state: Any) -> NDArray[np.bool_]:
        """Return where it waits no more."""
        over: NDArray[np.bool_] = state.over
        return over

    def unwatched(self, me: str, view: View, state: Any, draw: Draw) -> Act:
        """Return what it is waiting for: the tilt by its own utility at full power."""
        return Act(view.utility[me], view.power[me])
