"""How much an agent can do: nats per action, over time."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sumabm.component import Component, Objection

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

MOST_NATS = 1e100
"""The largest power there is: from where one passes it, it has no finite value."""

Nats = Annotated[float, Field(ge=0.0, le=MOST_NATS, json_schema_extra={"unit": "nats"})]
GrowingNats = Annotated[
    float, Field(ge=1.0 / MOST_NATS, le=MOST_NATS, json_schema_extra={"unit": "nats"})
]
"""Nats of a power whose growth depends on what there is, so that there must be something."""

GrowthRate = Annotated[float, Field(ge=0.0, le=MOST_NATS)]


class Power(Component):
    """An agent's power over time."""

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a power that has ended before the run begins."""
        if self.ends <= 0.0:
            yield Objection((), f"has no value up to {MOST_NATS:g} nats at step 0", self.kind)

    @property
    def ends(self) -> float:
        """The time, in steps, from which it has no finite value: a run stops before it."""
        return math.inf

    @abstractmethod
    def nats(self, step: int) -> float:
        """Return the power in nats per action at ``step`` (from 0); infinite from `ends` on."""

    def lasts(self, steps: int) -> int:
        """Return how many of the first ``steps`` steps it has a value at.

        >>> Constant(value=1.0).lasts(10)
        10
        """
        return steps if self.ends >= steps else math.ceil(self.ends)

    def most(self, steps: int) -> float:
        """Return the largest power at any of the first ``steps`` steps, nats."""
        return max(self.nats(step) for step in range(self.lasts(steps)))


class Monotone(Power):
    """A power that only grows, or only falls: its largest is its first or its last."""

    def most(self, steps: int) -> float:
        """Return the larger of the first and the last power that there are."""
        return max(self.nats(0), self.nats(max(self.lasts(steps) - 1, 0)))


class Constant(Monotone):
    """The same power at every step."""

    kind = "constant"
    cites = ("essay",)

    value: Annotated[Nats, Field(description="nats per action")]

    def nats(self, step: int) -> float:
        """Return ``value``."""
        return self.value


class Exponential(Monotone):
    """Power that grows (or decays) by the same factor each step: ``initial · e^(rate·step)``."""

    kind = "exponential"
    cites = ("essay",)

    initial: Annotated[Nats, Field(description="nats per action at the first step")]
    rate: Annotated[
        float, Field(json_schema_extra={"unit": "per step"}, description="growth per step")
    ]

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a growth that leaves the float range before the last step."""
        last = self.rate * (scenario.steps - 1)
        if self.initial > 0.0 and last + math.log(self.initial) > math.log(MOST_NATS):
            rule = f"power would pass 1e100 nats within the scenario's {scenario.steps} steps"
            yield Objection(("rate",), rule, self.rate)

    def nats(self, step: int) -> float:
        """Return ``initial · exp(rate · step)``."""
        if self.initial == 0.0:
            return 0.0
        return math.exp(min(math.log(self.initial) + self.rate * step, 700.0))
