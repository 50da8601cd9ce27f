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

    ``D ← D + ι`` with ``ι = min(Σ O_AI, Σ O_human)`` shared over the AIs it sees in proportion to
    their powers, or all of ``O_AI`` without the cap; mean alignment is ``A_d(κ(D))``. Where
    dimensions appear D stays, taken to be about all of them: the AI's quantile is found anew and
    goes on from there, and the mean that is believed is too high.
    """

    kind = "budget"
    cites = ("essay", "mardia-jupp-2000")
    grows: ClassVar[bool] = True
    nudges: ClassVar[bool] = True

    cap: Annotated[
        bool, Field(description="no more nats a step than the humans' power (the essay's cap)")
    ] = True

    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return a nudge of ι nats for each AI."""
        nats = view.budget if self.cap else view.power
        return {ai: Edit(Nudge(nats[ai], view.goal, view.base.dimensions), nats[ai]) for ai in ais}

    def belief(self, ai: str, view: View, spent_on: Array, state: Any) -> Belief:
        """Return the nats spent, and the mean alignment of the law they tilt."""
        values, rows = np.unique(spent_on, return_inverse=True)
        means = np.asarray(sphere.cosine_from_nats(view.base.dimensions, values))
        return Belief(spent_on, means[rows])
