"""Power that feeds on itself."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated

from pydantic import Field

from sumabm.power import MOST_NATS, GrowingNats, GrowthRate, Monotone

_DIGITS = 12  # of the end: beyond them rounding would decide on which side of a step it lies


class Recursive(Monotone):
    """Power whose growth is a power of itself: recursive self-improvement.

    ``dO/dt = rate · O^exponent``, exactly: ``O^(1−γ) = O₀^(1−γ) + (1 − γ) rate · t``, and
    ``O₀ e^(rate·t)`` at γ = 1. An exponent above 1 blows up at the finite time
    ``t* = O₀^(1−γ) / ((γ − 1) rate)``, before which the run stops. An exponent of 0 is linear
    growth, 1 exponential.

    >>> power = Recursive(initial=0.5, rate=0.1, exponent=2.0)
    >>> power.ends, power.nats(10), power.nats(20)
    (20.0, 1.0, inf)
    """

    kind = "recursive"
    cites = ("essay",)

    initial: Annotated[GrowingNats, Field(description="nats per action at the first step")]
    rate: Annotated[
        GrowthRate,
        Field(
            json_schema_extra={"unit": "nats^(1 - exponent) per step"},
            description="growth per step of a power of 1 nat",
        ),
    ]
    exponent: Annotated[
        float, Field(ge=0.0, le=100.0, description="power of itself that it grows by")
    ] = 1.0

    @cached_property
    def ends(self) -> float:
        """When it passes 1e100 nats: within 1e-100^(γ−1) of t*, relatively, where γ is above 1."""
        if self.rate == 0.0:
            return math.inf
        g = 1.0 - self.exponent
        growth = math.log(MOST_NATS) - math.log(self.initial)
        scaled = math.expm1(g * growth) / g if g else growth
        time = scaled * _exp(g * math.log(self.initial)) / self.rate
        return float(f"{time:.{_DIGITS}g}")

    def nats(self, step: int) -> float:
        """Return ``initial · (1 + (1 − γ) z)^(1/(1−γ))``, ``z = rate · step · initial^(γ−1)``."""
        if step >= self.ends:
            return math.inf
        g = 1.0 - self.exponent
        z = self.rate * step * _exp(-g * math.log(self.initial))
        grown = math.log1p(g * z) / g if g * z else z
        return min(self.initial * math.exp(grown), MOST_NATS)


def _exp(x: float) -> float:
    """Return ``e^x``, or the largest float there is: far beyond any step or power."""
    return math.exp(min(x, 709.0))
