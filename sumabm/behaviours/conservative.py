"""The AI that holds back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.streams import Draw
from sumabm.view import View


class Conservative(Behaviour[None]):
    """Acts on its own utility with a share of its power."""

    kind = "conservative"

    share: Annotated[float, Field(ge=0.0, le=1.0, description="share of its power that it uses")]

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt by its own utility with ``share`` of its power."""
        return Act(view.utility[me], self.share * view.power[me]), None
