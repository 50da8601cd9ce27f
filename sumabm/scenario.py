"""The scenario file: read, validate, override, identify.

A scenario is TOML that validates straight into working components. Whatever is wrong with it is
reported in one `ScenarioError`: the file, the key's path, the rule, the value got, what is allowed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sumabm.component import Component, Objection, Slot, Strict, unknown
from sumabm.display import html_table
from sumabm.harms import Harm, Regret
from sumabm.oversight import Relation
from sumabm.power import Power
from sumabm.roles import MOST_AGENTS, AgentSpec, Name, members
from sumabm.toml import ScenarioError, keys_of, locate, parse, problems, put, read
from sumabm.worlds import WorldSpec

MOST_STEPS = 100_000_000
MOST_ALIKE = 3
"""Problems of one part that are told one by one: agents of an entry have the same ones."""


class Stop(Strict):
    """When a replicate is done before the last step."""

    alignment: Annotated[
        float, Field(gt=-1.0, le=1.0, description="every AI has at least this alignment")
    ]


class Scenario(Strict):
    """A validated scenario: frozen, hashable by `identity`, changed by `replace`."""

    scenario: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$"),
        Field(description="name, unique: lower-case letters, digits and hyphens"),
    ]
    description: Annotated[str, Field(description="what it is about")] = ""
    tags: Annotated[list[str], Field(description="words to find it by")] = []
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS, description="steps to run")]
    activation: Annotated[
        Literal["sequential", "random", "simultaneous"],
        Field(description="AIs act in file order, in random order, or all at once"),
    ] = "sequential"
    harm: Annotated[Harm, Slot(Harm), Field(description="the measure of harm")] = Regret()
    stop: Annotated[Stop | None, Field(description="when a replicate is done early")] = None
    world: Annotated[WorldSpec, Slot(WorldSpec), Field(description="the world")]
    agents: Annotated[
        dict[Name, Annotated[AgentSpec, Slot(AgentSpec)]],
        Field(min_length=1, max_length=MOST_AGENTS, description="AIs, humans and aligners by name"),
    ]
    relations: Annotated[
        dict[Name, Annotated[Relation[Any], Slot(Relation)]],
        Field(
            max_length=100,
            description="who oversees, tells, deceives, helps or joins whom: graphs by name",
        ),
    ] = {}

    @cached_property
    def population(self) -> dict[str, AgentSpec]:
        """Every agent by name: an entry X whose ``count`` is n stands for X1, …, Xn."""
        return {
            name: spec for entry, spec in self.agents.items() for name in members(entry, spec.count)
        }

    def members(self, name: str) -> tuple[str, ...]:
        """Return the agents that a name stands for: an entry's, an agent itself, or none."""
        if name in self.agents:
            return members(name, self.agents[name].count)
        return (name,) if name in self.population else ()

    def names(self, role: str) -> tuple[str, ...]:
        """Return the agents of a role ("ai", "human", "aligner") in file order."""
        return tuple(name for name, agent in self.population.items() if agent.kind == role)

    def overseen(self, aligner: str) -> tuple[str, ...]:
        """Return the AIs that an aligner sees, in file order."""
        return self._overseen[aligner]

    def served(self, aligner: str) -> tuple[str, ...]:
        """Return the humans whose mean utility an aligner aims at, in file order."""
        given = getattr(self.population[aligner], "serves", None)
        humans = self.names("human")
        if given is None:
            return humans
        named = {name for entry in given for name in self.members(entry)}
        return tuple(human for human in humans if human in named)

    @cached_property
    def _overseen(self) -> dict[str, tuple[str, ...]]:
        ais, found = self.names("ai"), {}
        told: Mapping[str, Collection[str]] = {}
        for relation in self.relations.values():
            told = told or relation.oversight(self)
        for name in self.names("aligner"):
            given = getattr(self.population[name], "oversees", None)
            if given is not None:
                seen: Collection[str] = {ai for entry in given for ai in self.members(entry)}
            else:
                seen = set(told[name]) if name in told else ais
            found[name] = ais if seen is ais else tuple(ai for ai in ais if ai in seen)
        return found

    def components(self) -> Iterator[tuple[tuple[str | int, ...], str | None, Component]]:
        """Yield every component, those within others too, with its path and the agent it serves."""
        yield from _with_parts(("harm",), None, self.harm)
        yield from _with_parts(("world",), None, self.world)
        for entry, agent in self.agents.items():
            for path, part in _parts(agent):
                for name in members(entry, agent.count):
                    yield from _with_parts(("agents", entry, path), name, part)
        for name, relation in self.relations.items():
            yield from _with_parts(("relations", name), None, relation)

    def last_step(self) -> tuple[int, str]:
        """Return the last step at which every power has a value, and why no other follows it.

        The reason is empty where they all last as long as the scenario.
        """
        powers = [(path, part) for path, _, part in self.components() if isinstance(part, Power)]
        path, first = min(powers, key=lambda found: found[1].ends)
        lasts = first.lasts(self.steps)
        if lasts == self.steps:
            return lasts - 1, ""
        name, what = path[1], str(path[-1]).replace("_", " ")
        return lasts - 1, f"the {what} of {name} has no finite value from step {first.ends:g} on"

    def replace(
        self,
        overrides: Mapping[str, object],
        folder: Path = Path(),
        fence: Sequence[Path] | None = None,
    ) -> Scenario:
        """Return this scenario with dotted paths changed; raises ScenarioError like a file.

        Data files that the values name are looked for from ``folder``, and refused outside the
        folders ``fence``, or if they are none of its files, where there is one.
        """
        return _changed(self, overrides, f"scenario {self.scenario}", folder, fence)

    def _repr_html_(self) -> str:
        table = self.model_dump(exclude={"scenario", "tags", "agents", "relations"})
        agents = {f"agent {name}": spec.model_dump() for name, spec in self.agents.items()}
        agents |= {f"relation {name}": spec.model_dump() for name, spec in self.relations.items()}
        return html_table(f"Scenario {self.scenario}", table | agents)

    def identity(self) -> str:
        """Return canonical JSON of all that changes results: not name, description or tags."""
        table = self.model_dump(
            exclude={"scenario", "description", "tags"}, context={"identity": True}
        )
        for entries in ("agents", "relations"):
            table[entries] = list(table[entries].items())  # their order matters
        if not table["relations"]:  # which came later, see `Component`
            del table["relations"]
        return json.dumps(table, sort_keys=True, allow_nan=False, separators=(",", ":"))

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        problems: dict[tuple[str | int, ...], dict[str, object]] = {}
        for where, objection in self._objections():
            same = problems.setdefault((*where, *objection.path), {})
            same.setdefault(objection.rule, objection.value)
        found: list[InitErrorDetails] = []
        for place, rules in problems.items():
            for rule, value in islice(rules.items(), MOST_ALIKE):
                error = PydanticCustomError("does_not_fit", "{rule}", {"rule": rule})
                found.append({"type": error, "loc": place, "input": value})
            if (more := len(rules) - MOST_ALIKE) > 0:
                error = PydanticCustomError("more", "{n} more problems like these", {"n": more})
                found.append({"type": error, "loc": place, "input": value})
        if found:
            raise ValidationError.from_exception_data("Scenario", found)
        return self

    def _objections(self) -> Iterator[tuple[tuple[str | int, ...], Objection]]:
        number = sum(agent.count or 1 for agent in self.agents.values())
        if number > MOST_AGENTS:  # before any of them is named
            yield ("agents",), Objection((), f"at most {MOST_AGENTS} agents", number)
            return
        entries = [member for e, a in self.agents.items() for member in members(e, a.count)]
        if twice := [name for name, n in Counter(entries).items() if n > 1]:
            rule = f"two agents are named {twice[0]}: by an entry, and by another one's count"
            yield ("agents",), Objection((), rule, list(self.agents))
        if not self.names("human"):
            rule = "needs at least one human: harm and alignment are measured against humans"
            yield ("agents",), Objection((), rule, list(self.agents))
        yield from self._unknown("oversees", "ai", "AI")
        yield from self._unknown("serves", "human", "human")
        for where, agent, part in self.components():
            for objection in part.objections(self, agent):
                yield where, objection

    def _unknown(
        self, field: str, role: str, what: str
    ) -> Iterator[tuple[tuple[str | int, ...], Objection]]:
        """Refuse names in a list of agents that are of none of a role, or there twice."""
        right = set(self.names(role))
        entries = {entry for entry, agent in self.agents.items() if agent.kind == role}
        for entry, agent in self.agents.items():
            before: set[str] = set()
            for position, name in enumerate(getattr(agent, field, None) or []):
                named, path = set(self.members(name)), (field, position)
                if not named or not named <= right:
                    error = unknown(what, name, sorted(right | entries))
                    yield ("agents", entry), Objection(path, error.message(), name)
                elif named & before:
                    yield ("agents", entry), Objection(path, "is named twice", name)
                before |= named


def _parts(component: Component) -> Iterator[tuple[str, Component]]:
    for field in type(component).model_fields:
        part = getattr(component, field)
        if isinstance(part, Component):
            yield field, part


def _with_parts(
    path: tuple[str | int, ...], agent: str | None, component: Component
) -> Iterator[tuple[tuple[str | int, ...], str | None, Component]]:
    yield path, agent, component
    for field, part in _parts(component):
        yield from _with_parts((*path, field), agent, part)


def library() -> Path:
    """Return the folder of the scenarios that ship with sumabm."""
    package = Path(__file__).resolve().parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


def load_scenario(
    path_or_name: str | Path | Scenario, overrides: Mapping[str, object] = {}
) -> Scenario:
    """Return the scenario of a TOML file, or of a shipped scenario's name, with overrides.

    ``overrides`` maps dotted paths to values: ``{"agents.X.power.rate": 0.05}``. A shorthand on
    the way is expanded first; setting ``kind`` drops the old kind's fields. A text with a path
    separator or ending in .toml is a file, any other the name of a shipped scenario.

    Raises ScenarioError naming all that is wrong, with nothing read beyond 1 MB.

    >>> load_scenario("essay", {"agents.X.power": 3}).agents["X"].power.value
    3.0
    """
    if isinstance(path_or_name, Scenario):
        return path_or_name.replace(overrides)
    path = locate(path_or_name, "scenario", library())
    scenario = _validated(read(path), str(path), path.parent)
    return _changed(scenario, overrides, str(path), path.parent)


def read_scenario(text: str, source: str, fence: Path) -> Scenario:
    """Return the scenario of a TOML text that a stranger may have sent.

    Data files that it names are looked for from the folder ``fence``, and refused outside. Raises
    ScenarioError, naming ``source``, like a file.
    """
    return _validated(parse(text, source), source, fence, [fence])


def _changed(
    scenario: Scenario,
    overrides: Mapping[str, object],
    source: str,
    folder: Path = Path(),
    fence: Sequence[Path] | None = None,
) -> Scenario:
    """Return the scenario with each dotted path set, whole parts before their fields."""
    if not overrides:
        return scenario
    table = scenario.model_dump()
    paths = {path: keys_of(path) for path in overrides}
    for path, keys in sorted(
        paths.items(), key=lambda item: (len(item[1]), item[1][-1] not in ("kind", "role"))
    ):
        value = overrides[path]
        put(table, keys, value.item() if isinstance(value, np.generic) else value, source)
    return _validated(table, source, folder, fence)


def _validated(
    table: dict[str, Any],
    source: str,
    folder: Path = Path(),
    fence: Sequence[Path] | None = None,
) -> Scenario:
    """Validate a table; data files that it names are looked for from ``folder``."""
    try:
        return Scenario.model_validate(table, context={"folder": folder, "fence": fence})
    except ValidationError as error:
        raise ScenarioError(source, problems(error)) from None
