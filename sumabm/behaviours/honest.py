"""The AI that does what it wants."""

from __future__ import annotations

from typing import Any

from sumabm.behaviours import Act, Behaviour
from sumabm.streams import Draw
from sumabm.view import View


class Honest(Behaviour[None]):
    """Acts on its own utility with all of its power, whoever watches."""

    kind = "honest"
    cites = ("essay",)

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt by its own utility at full power."""
        return Act(view.utility[me], view.power[me]), None
