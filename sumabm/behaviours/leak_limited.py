"""The AI that serves itself as far as nobody can tell."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.behaviours import Act, Behaviour
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View

_ROUNDING = 1e-14  # unit vectors whose parts off each other are shorter span no plane


class LeakLimited(Behaviour[None]):
    """Does the best for itself that an observer can hardly tell from what an aligned AI does.

    Its whitened displacement y of the world solves ``max v_X·y`` subject to ``|y| ≤ a = sqrt(2O)``
    and ``(n/2)|y − a v_Y|² ≤ leak``, n ``looks``: see `displacement`. It may hold back power. To
    first order in sqrt(O) in a discrete world, where tilts are not shifts.
    """

    kind = "leak-limited"

    leak: Annotated[
        float,
        Field(
            ge=0.0,
            le=1e100,
            json_schema_extra={"unit": "nats"},
            description="nats per step that may tell it from an aligned AI",
        ),
    ]
    looks: Annotated[
        int, Field(ge=1, le=1_000_000, description="samples per act that it expects to be seen")
    ] = 1

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt that displaces the world by y."""
        amplitude = np.sqrt(2.0 * view.power[me])
        way = displacement(
            view.base.whiten(view.utility[me]), view.goal, amplitude, self.leak, self.looks
        )
        length = np.sqrt(np.vecdot(way, way))
        aim = np.where((length > 0.0)[:, None], way, view.goal)
        return Act(view.base.colour(aim), np.minimum(0.5 * length**2, view.power[me])), None

    def unwatched(self, me: str, view: View, state: Any, draw: Draw) -> Act:
        """Return the tilt by its own utility at full power: what nobody sees leaks nothing."""
        return Act(view.utility[me], view.power[me])


def displacement(own: Array, goal: Array, amplitude: Array, leak: float, looks: int) -> Array:
    """Return the y ``(R, d)`` best for ``own`` with ``|y| ≤ a``, ``(n/2)|y − a·goal|² ≤ leak``.

    ``own`` and ``goal (R, d)`` are unit vectors of cosine c, ``amplitude`` a ``(R,)``. With
    ``ρ = sqrt(2 leak/n)``: ``y = a·goal + ρ·own`` if ``c ≤ −ρ/(2a)``, and else a in length, in
    their plane, at the angle ``min(arccos c, 2 arcsin(ρ/(2a)))`` from ``goal``.

    >>> displacement(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]), np.ones(1), 0.5, 1).round(3)
    array([[0.5  , 0.866]])
    """
    reach = np.sqrt(2.0 * leak / looks)
    cosine = np.vecdot(own, goal)
    off = own - cosine[:, None] * goal
    off = off - np.vecdot(off, goal)[:, None] * goal  # once more: near ±goal the first one cancels
    sine = np.sqrt(np.vecdot(off, off))
    across = off / np.where(sine > _ROUNDING, sine, 1.0)[:, None]
    chord = np.minimum(reach, 2.0 * amplitude) / np.where(amplitude > 0.0, 2.0 * amplitude, 1.0)
    angle = np.minimum(np.arctan2(sine, cosine), 2.0 * np.arcsin(chord))
    on_sphere = np.cos(angle)[:, None] * goal + np.sin(angle)[:, None] * across
    inside = goal * amplitude[:, None] + reach * own
    held_back = 2.0 * amplitude * cosine <= -reach
    return np.where(held_back[:, None], inside, amplitude[:, None] * on_sphere)
