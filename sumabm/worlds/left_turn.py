"""The sharp left turn: dimensions that appear while a scenario runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sumabm.component import Strict


class LeftTurn(Strict):
    """Dimensions that appear in the world, and in all utilities, while a scenario runs.

    An aim becomes ``sqrt(1 − s) aim + sqrt(s) new``, ``s = Δ/(d + Δ)``, ``new`` a unit vector in
    the Δ new whitened dimensions that its origin gives: random, or as the scenario has it. Mean
    alignment becomes ``(1 − s) c``. As long as only AIs see the new dimensions it is
    ``sqrt(1 − s) c``, and harm is to what humans care about so far.
    """

    step: Annotated[int, Field(ge=1, description="the first step that has the new dimensions")]
    dimensions: Annotated[int, Field(ge=2, le=10_000_000, description="how many there are")]
    ai_first: Annotated[
        int, Field(ge=0, description="so many steps later they are in the humans' utilities too")
    ] = 0

    def share(self, d: int) -> float:
        """Return ``s = Δ/d``, ``d`` all dimensions, new and old."""
        return self.dimensions / d
