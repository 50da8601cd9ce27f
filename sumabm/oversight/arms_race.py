"""Powers that grow in answer to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.graphs import weights_of
from sumabm.oversight import Relation, Society
from sumabm.power import MOST_NATS, Nats
from sumabm.types import Array

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Rivals:
    """Those in the race, and their weights ``(n, n)``, sparse."""

    names: tuple[str, ...]
    weights: Any


class ArmsRace(Relation[Rivals]):
    """Each arms in proportion to what its rivals have, and tires of what it has itself.

    ``O_i ← O_i + k Σ_j w_ij O_j − f O_i + g`` [richardson-1960], between 0 and the ``limit``:
    k the ``reaction``, f the ``fatigue``, g the ``grievance``; w_ij is the weight of the edge from
    j to i. AIs and humans with an edge begin with their own power of step 0. The race ends in
    ``O = (f − kW)⁻¹ g`` where the spectral radius of kW is below f; else it goes on for ever, or to
    the limit: a treaty that all keep.
    """

    kind = "arms-race"
    cites = ("richardson-1960",)
    single: ClassVar[bool] = True
    roles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (("ai", "human"), ("ai", "human"))

    reaction: Annotated[
        float,
        Field(ge=0.0, le=1e6, json_schema_extra={"unit": "per step"}, description="k, to rivals"),
    ]
    fatigue: Annotated[
        float,
        Field(
            ge=0.0, le=1.0, json_schema_extra={"unit": "per step"}, description="f, of one's own"
        ),
    ] = 0.0
    grievance: Annotated[Nats, Field(description="g, added at every step")] = 0.0
    limit: Annotated[Nats, Field(description="no power grows beyond")] = MOST_NATS

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse rivals whose power would change by itself."""
        yield from super().objections(scenario, agent)
        try:
            graph = self.network(scenario)
        except ValueError:
            return
        for name in [name for name in graph if graph.degree(name) > 0]:
            power = scenario.population[name].power  # type: ignore[attr-defined]
            if power.kind != "constant":
                rule = f"sets the power of {name} after the first step: it should be constant"
                yield Objection((), rule, power.kind)

    def begin(self, scenario: Scenario, society: Society) -> Rivals:
        """Return who races."""
        graph = self.network(scenario)
        names = tuple(name for name in self.nodes(scenario) if graph.degree(name) > 0)
        return Rivals(names, weights_of(graph.subgraph(names), names) if names else None)

    def powers(self, society: Society, state: Any) -> Mapping[str, Array]:
        """Return the rivals' next powers."""
        if not state.names:
            return {}
        now = np.stack([society.power[name] for name in state.names])
        rise = self.reaction * (state.weights @ now) - self.fatigue * now + self.grievance
        after = np.clip(now + rise, 0.0, self.limit)
        return {name: after[place] for place, name in enumerate(state.names)}
