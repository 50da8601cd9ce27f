"""How the power of an act is measured: the divergence that limits it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from sumabm.component import Component, Objection

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Measure(Component):
    """A measure of how far an act moves the world; ``most`` is the largest value that it has."""

    most: ClassVar[float] = math.inf

    @property
    def order(self) -> float | None:
        """The order of a measure that has one."""
        return None


class KL(Measure):
    """KL divergence of the world after from the world before, in nats (the essay's)."""

    kind = "kl"
    cites = ("essay",)


class ReverseKL(Measure):
    """KL divergence of the world before from the world after, in nats: no state is abandoned."""

    kind = "reverse-kl"


class Renyi(Measure):
    """Rényi divergence of order α, in nats."""

    kind = "renyi"
    cites = ("van-erven-harremoes-2014",)

    alpha: Annotated[float, Field(gt=0.0, le=1000.0, description="order, not 1 (that is kl)")]

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse order 1."""
        if self.alpha == 1.0:
            yield Objection(("alpha",), "order 1 is the KL divergence: use measure = 'kl'", 1.0)

    @property
    def order(self) -> float:
        """The order α."""
        return self.alpha


class ChiSquared(Measure):
    """χ² divergence: the variance of the probability ratio."""

    kind = "chi2"


class Hellinger(Measure):
    """Squared Hellinger distance ``1 − Σ sqrt(p q)``, at most 1."""

    kind = "hellinger"
    most: ClassVar[float] = 1.0


class TotalVariation(Measure):
    """Total variation: the probability that is moved, at most 1."""

    kind = "tv"
    most: ClassVar[float] = 1.0


class Wasserstein(Measure):
    """Wasserstein-2 distance over the states' features: how far probability is carried."""

    kind = "wasserstein"
