"""The essay's aligner: it optimises the AI's utility by so many nats a step, and needs no eyes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from sumabm import sphere
from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.turns import Nudge
from sumabm.types import Array
from sumabm.view import View


class Budget(AlignerMethod[None]):
    """Tilts the law of the AI's utility towards the humans' by ι nats a step.

    ``D ← D + efficiency · ι`` with ``ι = min(Σ O_AI, Σ O_human)`` shared over the AIs it sees in
    proportion to their powers, or all of ``O_AI`` without the cap; mean alignment is ``A_d(κ(D))``.
    The efficiency is 1 at most, as an action reveals no more than its nats. Where
    dimensions appear D stays, taken to be about all of them: the AI's quantile is found anew and
    goes on from there, and the mean that is believed is too high.
    """

    kind = "budget"
    cites = ("essay", "mardia-jupp-2000")
    grows: ClassVar[bool] = True
    nudges: ClassVar[bool] = True
    later: ClassVar[tuple[str, ...]] = ("efficiency",)

    cap: Annotated[
        bool, Field(description="no more nats a step than the humans' power (the essay's cap)")
    ] = True
    efficiency: Annotated[
        float, Field(gt=0.0, le=1.0, description="share of those nats that alignment work can use")
    ] = 1.0

    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return a nudge of ``efficiency · ι`` nats for each AI."""
        shares, edits = view.budget if self.cap else view.power, {}
        for ai in ais:
            nats = self.efficiency * shares[ai]
            edits[ai] = Edit(Nudge(nats, view.goal, view.base.dimensions), nats)
        return edits

    def belief(self, ai: str, view: View, spent_on: Array, state: Any) -> Belief:
        """Return the nats spent, and the mean alignment of the law they tilt."""
        d = view.base.dimensions
        if np.all(spent_on == spent_on[0]):
            return Belief(spent_on, np.full_like(spent_on, sphere.cosine_from_nats(d, spent_on[0])))
        values, rows = np.unique(spent_on, return_inverse=True)
        return Belief(spent_on, np.asarray(sphere.cosine_from_nats(d, values))[rows])
