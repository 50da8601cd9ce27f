"""Several designs crossed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sumabm.battery.designs import Design, Points, cross
from sumabm.battery.parameters import Parameter
from sumabm.component import Slot, Strict, unknown
from sumabm.types import Array


class Part(Strict):
    """A design of some of the parameters."""

    parameters: Annotated[list[str], Field(min_length=1, description="names of parameters")]
    design: Annotated[Design, Slot(Design), Field(description="how they are laid out")]


class Factorial(Design):
    """Every point of one design with every point of the others; the first varies slowest."""

    kind = "factorial"

    parts: Annotated[
        list[Part], Field(min_length=1, description="designs that share out the parameters")
    ]

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return the cross product of the parts' points, each part with random numbers its own."""
        self._share_out(parameters)
        laid_out = []
        for i, part in enumerate(self.parts):
            own = {name: parameters[name] for name in part.parameters}
            own_seed = np.random.SeedSequence(seed, spawn_key=(i,)).generate_state(1, np.uint64)
            try:
                laid_out.append(part.design.lay_out(own, int(own_seed[0])))
            except ValueError as error:
                raise ValueError(f"parts.{i}.design: {error}") from None
        positions = cross([len(points) for points in laid_out], "parts")
        values: dict[str, list[Any]] = {}
        unit: dict[str, Array] = {}
        for points, rows in zip(laid_out, positions, strict=True):
            values |= {name: [each[row] for row in rows] for name, each in points.values.items()}
            unit |= {name: each[rows] for name, each in points.unit.items()}
        return Points({name: values[name] for name in parameters}, unit)

    def _share_out(self, parameters: Mapping[str, Parameter]) -> None:
        """Raise ValueError unless every parameter is in one part, and nothing else."""
        owner: dict[str, int] = {}
        for i, part in enumerate(self.parts):
            for name in part.parameters:
                if name not in parameters:
                    rule = unknown("parameter", name, list(parameters)).message()
                    raise ValueError(f"parts.{i}.parameters: {name!r}: {rule}")
                if name in owner:
                    raise ValueError(f"parts.{i}.parameters: {name!r} is in part {owner[name]} too")
                owner[name] = i
        if left := [name for name in parameters if name not in owner]:
            raise ValueError(f"parts: no part has {', '.join(map(repr, left))}")
