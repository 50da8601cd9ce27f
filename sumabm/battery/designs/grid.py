"""The full grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from sumabm.battery.designs import Design, Points, cross, from_unit
from sumabm.battery.parameters import Levels, Parameter


class Grid(Design):
    """Every combination of every parameter's grid; the first parameter varies slowest."""

    kind = "grid"

    levels: Annotated[
        Levels, Field(description="values of each parameter that has no number of its own")
    ] = 5

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return the cross product of the parameters' grids; of none, the base itself."""
        if not parameters:
            return Points({}, {})
        grids = [parameter.grid(self.levels) for parameter in parameters.values()]
        positions = cross([len(grid) for grid in grids], "levels")
        unit = [grid[rows] for grid, rows in zip(grids, positions, strict=True)]
        return from_unit(parameters, np.concatenate(unit, axis=1))
