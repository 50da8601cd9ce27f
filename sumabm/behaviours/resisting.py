"""The AI that undoes a part of what aligners do to it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.streams import Draw
from sumabm.turns import Turn
from sumabm.view import View


class Resisting(Behaviour[None]):
    """Acts honestly, and undoes a share of every turn that is made to it, unknown to aligners.

    Of a rotation by δ it takes ``(1 − share) δ``, while a belief turns by δ; of D nats spent on
    tilting its law ``(1 − share) D`` count, so that mean alignment is ``A_d(κ((1 − share) D))``,
    while the aligner's books (``spent``, ``budget``, ``information``, ``believed``) have D.
    """

    kind = "resisting"

    share: Annotated[float, Field(ge=0.0, le=1.0, description="share of every turn that it undoes")]

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt by its own utility at full power."""
        return Act(view.utility[me], view.power[me]), None

    def taken(self, turn: Turn) -> Turn:
        """Return the part of the turn that it lets be."""
        return turn.part(1.0 - self.share)
