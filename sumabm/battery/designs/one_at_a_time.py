"""One parameter varied while the others stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from sumabm.battery.designs import Design, Points, dimensions, from_unit, limited
from sumabm.battery.parameters import Levels, Parameter


class OneAtATime(Design):
    """The baseline, then each parameter over its grid while the others keep their baselines."""

    kind = "one-at-a-time"

    levels: Annotated[
        Levels, Field(description="values of each parameter that has no number of its own")
    ] = 5

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return the baseline and the points around it; none is the baseline again."""
        dimensions(parameters)
        middles = {name: each.middle() for name, each in parameters.items()}
        grids = {name: each.grid(self.levels) for name, each in parameters.items()}
        limited(1 + sum(map(len, grids.values())), "levels")
        baseline = np.concatenate(list(middles.values()))
        rows, first = [baseline[None]], 0
        for name, parameter in parameters.items():
            usual = parameter.at(middles[name][None])
            others = [value not in usual for value in parameter.at(grids[name])]
            block = np.repeat(baseline[None], sum(others), axis=0)
            block[:, first : first + parameter.coordinates] = grids[name][others]
            rows.append(block)
            first += parameter.coordinates
        return from_unit(parameters, np.concatenate(rows))
