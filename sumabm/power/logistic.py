"""Power that grows until something holds it."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from sumabm.power import GrowingNats, GrowthRate, Monotone


class Logistic(Monotone):
    """Power that grows exponentially at first and levels off at a capacity, or falls to it.

    ``dO/dt = rate · O (1 − O/capacity)``, exactly: with ``s = initial/capacity``,
    ``O(t) = initial / (s + (1 − s) e^(−rate·t))``. It is half the capacity at
    ``t = ln(1/s − 1)/rate``.

    >>> power = Logistic(initial=1.0, capacity=9.0, rate=math.log(2.0))
    >>> [round(power.nats(step), 12) for step in (0, 3, 1000)]
    [1.0, 4.5, 9.0]
    """

    kind = "logistic"
    cites = ("essay",)

    initial: Annotated[GrowingNats, Field(description="nats per action at the first step")]
    capacity: Annotated[GrowingNats, Field(description="nats per action that it tends to")]
    rate: Annotated[
        GrowthRate,
        Field(json_schema_extra={"unit": "per step"}, description="growth per step while small"),
    ]

    def nats(self, step: int) -> float:
        """Return ``initial / (s + (1 − s) e^(−rate·step))``."""
        share, fallen = self.initial / self.capacity, math.exp(-self.rate * step)
        return self.initial / (fallen + share * (1.0 - fallen))
