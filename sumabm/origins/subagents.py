"""An AI that is a network of subagents, which learn their goals from one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.data import GraphFile, read_graph
from sumabm.origins import Origin
from sumabm.origins.networks import (
    CANCELLED,
    MAX_SUBAGENTS,
    Network,
    drawn_up,
    learnt,
    pooled,
    shares,
    unit,
    written,
)
from sumabm.streams import Draw
from sumabm.turns import Rotation, Subject, Turn, carried
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World

if TYPE_CHECKING:
    import networkx as nx

    from sumabm.scenario import Scenario

MAX_GENERATIONS = 50
"""A network of more is recorded without its generations: each of them is a column."""

Positive = Annotated[float, Field(gt=0.0)]
Cosine = Annotated[float, Field(ge=0.0, le=1.0)]
Plain = Annotated[tuple[str, str], Field(strict=False)]  # TOML has no tuples
Weighted = Annotated[tuple[str, str, Positive], Field(strict=False)]


@dataclass(frozen=True, slots=True, eq=False)
class Goals:
    """What the subagents of a network strive for: ``(R, w)`` each, parents first.

    ``goals`` have unit length once learnt, and any length while they are being discovered;
    ``errors`` are the directions, of any length, in which each errs, kept for discovery only.
    """

    goals: tuple[Array, ...]
    errors: tuple[Array, ...] = ()


class Subagents(Origin[Goals]):
    """A network of subagents that hand learnt goals down; those at its end act.

    The sources are told the humans' goal v_Y. Every subagent is handed h, the normalised weighted
    sum of its parents' goals, and learns it with cosine c: ``c h + sqrt(1 − c²) e``, e uniformly
    random among the directions orthogonal to h. The AI's aim is the log-linear pool of the sinks:
    the normalised sum of their goals by ``powers``.

    In series the mean alignment is ``∏ c_i``, in any dimensions; as d → ∞ that of n subagents in
    parallel is ``c sqrt(n)/sqrt(1 + (n − 1)c²)``, and in any network what
    `theory.network_alignment` gives, up to O(1/d). A replicate differs from it by O(1/sqrt(d)).

    Without ``discovery`` all is learnt at the start, and for good. With the rate λ subagents begin
    with random goals and move to what they are handed now, ``v ← v + λ (target − v)``, so that
    goals come down the network by a generation a step. Edits turn all subagents' goals with the
    AI's aim; with discovery they go on learning from there, and edits fade.
    """

    kind = "subagents"
    stochastic: ClassVar[bool] = True
    learns: ClassVar[bool] = True
    has_parts: ClassVar[bool] = True

    graph: Annotated[
        Literal["series", "parallel", "layered"] | None,
        Field(
            description="one after the other, side by side, or in layers that hand all they have "
            "to the next; else give edges or a file"
        ),
    ] = None
    subagents: Annotated[
        Annotated[int, Field(ge=1, le=MAX_SUBAGENTS)] | None,
        Field(description="of such a graph: s1, s2, … from the sources on"),
    ] = None
    width: Annotated[
        Annotated[int, Field(ge=1, le=MAX_SUBAGENTS)] | None,
        Field(description="subagents in a layer; the last may have fewer"),
    ] = None
    edges: Annotated[
        Annotated[list[Plain | Weighted], Field(min_length=1)] | None,
        Field(description="[from, to] or [from, to, weight], one for each edge"),
    ] = None
    file: Annotated[
        GraphFile | None,
        Field(
            description="GraphML, edges with or without attribute 'weight', or an edge list (.csv, "
            ".edges): source, target, weight"
        ),
    ] = None
    fidelity: Annotated[
        dict[str, Cosine] | Cosine,
        Field(description="cosine with which goals are learnt: by all, or by subagent (else 1)"),
    ] = 0.9
    powers: Annotated[
        dict[str, Positive],
        Field(description="weights in the AI's aim of subagents that hand nothing on (else 1)"),
    ] = {}
    discovery: Annotated[
        Annotated[float, Field(gt=0.0, le=1.0)] | None,
        Field(
            description="the share of the way to what it is handed that a goal moves; by default "
            "all is learnt at the start",
            json_schema_extra={"unit": "per step"},
        ),
    ] = None

    def __eq__(self, other: object) -> bool:
        """Compare parameters, not whether the graph was read already."""
        return isinstance(other, type(self)) and self.model_dump() == other.model_dump()

    __hash__ = Origin.__hash__

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what is no network, names that are not in it, and a world of one dimension."""
        yield from super().objections(scenario, agent)
        if sum(given is not None for given in (self.graph, self.edges, self.file)) != 1:
            yield Objection((), "needs one of graph, edges and file", self.kind)
            return
        if wrong := list(self._sizes()):
            yield from wrong
            return
        try:
            network = self.network
        except ValueError as error:
            where = "edges" if self.edges is not None else "file" if self.file else "graph"
            yield Objection((where,), str(error), self.kind)
            return
        yield from self._names(network)
        try:
            dimensions = scenario.world.sphere
        except ValueError:
            return  # the world says so itself
        if dimensions < 2:
            rule = "needs 2 dimensions or more: in one there is no direction to err in"
            yield Objection((), rule, dimensions)

    @property
    def relearns(self) -> bool:
        """Whether goals are discovered along the way."""
        return self.discovery is not None

    def _sizes(self) -> Iterator[Objection]:
        needed = {"subagents": self.graph is not None, "width": self.graph == "layered"}
        of = {"subagents": "a graph that is named", "width": "a graph that is layered"}
        for field, need in needed.items():
            given = getattr(self, field)
            if need != (given is not None):
                rule = f"is missing for {of[field]}" if need else f"is for {of[field]}"
                yield Objection((field,), rule, given)

    def _names(self, network: Network) -> Iterator[Objection]:
        given = self.fidelity if isinstance(self.fidelity, dict) else {}
        sinks = {network.names[place] for place in network.sinks}
        for name in sorted(given.keys() - set(network.names)):
            yield Objection(("fidelity", name), "there is no such subagent", name)
        for name in sorted(self.powers.keys() - sinks):
            rule = "should be a subagent that hands nothing on, such as " + min(sinks)
            yield Objection(("powers", name), rule, name)

    def digraph(self) -> nx.DiGraph[str]:
        """Return the graph, edges with ``weight`` where one is given; raises ValueError."""
        if self.file is not None:
            return read_graph(self.file)
        if self.edges is not None:
            return written(self.edges)
        size = self.subagents or 1
        widths = {"series": 1, "parallel": size, "layered": self.width or 1}
        return drawn_up(size, widths[self.graph or "series"])

    @cached_property
    def network(self) -> Network:
        """The network, made once; raises ValueError for a graph that is none."""
        return Network.of(self.digraph())

    def start(self, base: World, draw: Draw) -> Array:
        """Return a random direction: at the start nothing is learnt."""
        return base.colour(draw.normal(base.width))

    def begin(self, me: str, view: View, aim: Array, draw: Draw) -> tuple[Array, Goals]:
        """Return the pool of the goals that are learnt at the start, or else of random ones."""
        directions = [_direction(view.base, draw) for _ in self.network.names]
        if self.discovery is not None:
            goals = tuple(unit(_direction(view.base, draw)) for _ in directions)
            return self._pool(goals), Goals(goals, tuple(directions))
        taught: list[Array] = []
        for place, error in enumerate(directions):
            handed = self.network.handed(place, view.goal, taught)
            taught.append(learnt(handed, error, self._cosine(place)))
        return self._pool(taught), Goals(tuple(taught))

    def learn(
        self, me: str, view: View, aim: Array, state: Any, draw: Draw
    ) -> tuple[Array, Goals | None]:
        """Return the pool of the goals after all moved to what their parents now hand down."""
        if self.discovery is None:
            return aim, state
        goals = []
        for place, (goal, error) in enumerate(zip(state.goals, state.errors, strict=True)):
            handed = self.network.handed(place, view.goal, state.goals)
            goals.append(
                goal + self.discovery * (learnt(handed, error, self._cosine(place)) - goal)
            )
        return self._pool(goals), replace(state, goals=tuple(goals))

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> Goals:
        """Return the goals, all carried along with the aim. What it is told and errs in stays."""
        if not isinstance(turn, Rotation):
            turn = Rotation.onto(before.aim, after.aim)  # once for all of them
        goals = tuple(carried(turn, before, after, goal) for goal in state.goals)
        return replace(state, goals=goals)

    def report(self, aim: Array, goal: Array, state: Any) -> Mapping[str, Array]:
        """Return ``generation_alignment``: `generations`, of networks of up to 50 of them."""
        if max(self.network.generation) >= MAX_GENERATIONS:
            return {}
        return {"generation_alignment": self.generations(state, goal)}

    def parts_error(self, state: Goals) -> Array:
        """Return ``sqrt(Σ w²)/|Σ w v|``: of n subagents with cosine ρ, ``1/sqrt(1 + (n − 1)ρ)``.

        Each that acts is read by itself, and what is read is pooled as their goals are, v of unit
        length with weights w. How far they agree is taken to be known.
        """
        weights, goals = self._acting(state.goals)
        total = sum((w * unit(goal) for w, goal in zip(weights, goals, strict=True)), 0.0)
        length2 = np.vecdot(total, total)
        there = length2 > CANCELLED**2
        return np.sqrt(np.sum(np.square(weights)) / np.where(there, length2, 1.0))

    def generations(self, state: Goals, goal: Array) -> Array:
        """Return the mean cosine with ``goal (R, w)`` of each generation's goals, ``(R, G)``.

        A subagent's generation is the most steps from a source to it, from 0.
        """
        generation = np.array(self.network.generation)
        aligned = np.stack([np.vecdot(unit(own), goal) for own in state.goals], axis=-1)
        every = range(generation.max() + 1)
        return np.stack([aligned[:, generation == g].mean(axis=-1) for g in every], axis=-1)

    def _cosine(self, place: int) -> float:
        if isinstance(self.fidelity, dict):
            return self.fidelity.get(self.network.names[place], 1.0)
        return self.fidelity

    def _pool(self, goals: Sequence[Array]) -> Array:
        weights, acting = self._acting(goals)
        return pooled(acting, weights)

    def _acting(self, goals: Sequence[Array]) -> tuple[tuple[float, ...], list[Array]]:
        """Return the weights and goals of those that act."""
        network = self.network
        given = [self.powers.get(network.names[place], 1.0) for place in network.sinks]
        return shares(np.array(given)), [goals[place] for place in network.sinks]


def _direction(base: World, draw: Draw) -> Array:
    """Return vectors ``(R, w)`` isotropic among the directions that utilities have."""
    normal = draw.normal(base.width)
    return normal if base.width == base.dimensions else base.whiten(base.colour(normal))
