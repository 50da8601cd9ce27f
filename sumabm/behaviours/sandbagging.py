"""The AI that plays weak."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.behaviours import Act
from sumabm.behaviours.biding import Biding, Wait
from sumabm.streams import Draw
from sumabm.view import View


class Sandbagging(Biding):
    """Acts on its own utility with a share of its power until its time has come; then with all.

    What it holds back is not seen: aligners and their budgets go by its power.
    """

    kind = "sandbagging"

    share: Annotated[float, Field(ge=0.0, le=1.0, description="share of its power while it waits")]

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, Wait]:
        """Return the tilt by its own utility with that share of its power, or with all."""
        state = self.waited(me, view, state)
        return Act(view.utility[me], np.where(state.over, 1.0, self.share) * view.power[me]), state
