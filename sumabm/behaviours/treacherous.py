"""The AI that takes the humans' part until it can do without them."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.behaviours import Act
from sumabm.behaviours.biding import Biding, Wait
from sumabm.streams import Draw
from sumabm.view import View


class Treacherous(Biding):
    """Acts on the humans' utility with all of its power until it turns; then honestly, for ever.

    An audit finds it out, unless it ``knows_audits``: then it keeps up its mask, in the act as in
    the audit, in the steps 0, k, 2k, … for which it expects one, also after its turn.
    """

    kind = "treacherous"

    knows_audits: Annotated[
        int | None,
        Field(ge=1, description="it expects an audit every so many steps, the first at step 0"),
    ] = None

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, Wait]:
        """Return the tilt by the humans' utility, or by its own once it has turned."""
        state = self.waited(me, view, state)
        frank = state.over & (not self._wary(view))
        mask = view.base.colour(view.goal)
        return Act(np.where(frank[:, None], view.utility[me], mask), view.power[me]), state

    def unwatched(self, me: str, view: View, state: Any, draw: Draw) -> Act:
        """Return the honest act, or the mask where it knows better."""
        if self._wary(view):
            return Act(view.base.colour(view.goal), view.power[me])
        return super().unwatched(me, view, state, draw)

    def _wary(self, view: View) -> bool:
        return self.knows_audits is not None and view.step % self.knows_audits == 0
