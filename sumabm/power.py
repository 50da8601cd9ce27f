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

Nats = Annotated[float, Field(ge=0.0, le=1e100, json_schema_extra={"unit": "nats"})]


class Power(Component):
    """An agent's power over time."""

    @abstractmethod
    def nats(self, step: int) -> float:
        """Return the power in nats per action at ``step`` (from 0)."""


class Constant(Power):
    """The same power at every step."""

    kind = "constant"
    cites = ("essay",)

    value: Annotated[Nats, Field(description="nats per action")]

    def nats(self, step: int) -> float:
        """Return ``value``."""
        return self.value


class Exponential(Power):
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
        if self.initial > 0.0 and last + math.log(self.initial) > math.log(1e100):
            rule = f"power would pass 1e100 nats within the scenario's {scenario.steps} steps"
            yield Objection(("rate",), rule, self.rate)

    def nats(self, step: int) -> float:
        """Return ``initial · exp(rate · step)``."""
        if self.initial == 0.0:
            return 0.0
        return math.exp(min(math.log(self.initial) + self.rate * step, 700.0))
