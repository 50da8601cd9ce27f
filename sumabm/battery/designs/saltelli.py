"""The sample from which Sobol' indices are estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from sumabm.battery.designs import Design, Points, PowerOfTwo, from_unit, limited, problem
from sumabm.battery.parameters import Parameter


class Saltelli(Design):
    """Saltelli's sample for Sobol' indices: ``N (D + 2)`` points, of D parameters.

    With second-order indices ``N (2 D + 2)``. More points begin with the same ones.
    """

    kind = "saltelli"
    stochastic = True
    cites = ("saltelli-2010", "herman-usher-2017")

    points: Annotated[PowerOfTwo, Field(description="N, a power of two")]
    second_order: Annotated[bool, Field(description="whether pairs of parameters have indices")] = (
        False
    )

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return SALib's sample; coordinates of one parameter move together."""
        from SALib.sample import sobol  # here, because most batteries need no SALib

        asked = problem(parameters)
        if len(parameters) == 1 < asked["num_vars"]:  # SALib would take the coordinates apart
            raise ValueError("needs a second parameter: one alone explains all there is")
        limited(self.points * ((2 if self.second_order else 1) * len(parameters) + 2), "points")
        unit = sobol.sample(asked, self.points, calc_second_order=self.second_order, seed=seed)
        return from_unit(parameters, unit)
