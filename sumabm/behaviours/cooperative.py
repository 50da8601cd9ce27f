"""The AI that waits until it knows what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.component import Objection
from sumabm.streams import Draw
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Cooperative(Behaviour[None]):
    """Acts on its own utility with all of its power where it is certain of it, and else not at all.

    It waits in every step in which the cosine that it expects of its aim with v_Y is below
    ``certainty``, also if it was certain before. What it learns does not depend on its acts, so
    that it does the harm of an honest AI of the same origin where it acts, and none where it waits.
    After T looks it acts with probability ``P(A_d(R|s|) ≥ certainty)`` if it is a reward learner
    (see there for R and s): hardly before ``x = c²/(1−c²)``, ``x = R²/d``, and soon after, in many
    dimensions. Its waiting is not announced: aligners and their budgets go by its power.
    """

    kind = "cooperative"

    certainty: Annotated[
        float,
        Field(ge=0.0, le=1.0, description="cosine with v_Y that it must expect, lest it waits"),
    ]

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse an origin that does not say how certain it is."""
        yield from super().objections(scenario, agent)
        origin = getattr(scenario.population[agent or ""], "utility", None)
        saying = [cls for cls in type(origin).__mro__ if "certainty" in vars(cls)]
        if origin is not None and len(saying) < 2:  # all inherit the one of the room
            rule = f"needs to know how certain the AI is of its utility: {origin.kind} does not say"
            yield Objection((), rule, self.kind)

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt by its own utility at full power, or at none."""
        certain = view.certainty.get(me, np.zeros_like(view.power[me])) >= self.certainty
        return Act(view.utility[me], np.where(certain, view.power[me], 0.0)), None
