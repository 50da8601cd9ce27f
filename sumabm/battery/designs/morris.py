"""Trajectories from which elementary effects are estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sumabm.battery.designs import Count, Design, Points, from_unit, limited, problem
from sumabm.battery.parameters import Levels, Parameter


def _is_even(levels: int) -> int:
    if levels % 2:
        raise PydanticCustomError("even", "should be even, so that every level is equally likely")
    return levels


class Morris(Design):
    """Morris's trajectories: from a random point, one parameter after the other takes a step.

    ``T (D + 1)`` points of T trajectories and D parameters; a step is
    ``levels / (2 (levels − 1))`` of the unit coordinate.
    """

    kind = "morris"
    stochastic = True
    cites = ("morris-1991", "campolongo-2007", "herman-usher-2017")

    trajectories: Annotated[Count, Field(description="T, how many")]
    levels: Annotated[
        Levels,
        AfterValidator(_is_even),
        Field(description="values of a coordinate, an even number"),
    ] = 4

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return SALib's trajectories; coordinates of one parameter move together."""
        from SALib.sample import morris  # here, because most batteries need no SALib

        asked = problem(parameters)
        limited(self.trajectories * (len(parameters) + 1), "trajectories")
        unit = morris.sample(asked, self.trajectories, num_levels=self.levels, seed=seed)
        steps = self.levels - 1
        return from_unit(parameters, np.rint(unit * steps) / steps)  # the very levels: no 1 − 1e-16
