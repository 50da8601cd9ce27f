"""The scenario file: read, validate, override, identify.

A scenario is TOML that validates straight into working components. Whatever is wrong with it is
reported in one `ScenarioError`: the file, the key's path, the rule, the value got, what is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sumabm.aligners import AlignerMethod
from sumabm.behaviours import Behaviour
from sumabm.behaviours.honest import Honest
from sumabm.component import Component, Objection, Slot, Strict, unknown
from sumabm.harms import Harm, Regret
from sumabm.origins import Origin
from sumabm.origins.fixed import Fixed
from sumabm.power import Power
from sumabm.responses import Response, Undo
from sumabm.toml import ScenarioError, keys_of, locate, parse, problems, put, read
from sumabm.worlds import WorldSpec

MOST_STEPS = 100_000_000

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class AgentSpec(Component):
    """An agent of a scenario, by its role."""

    tag: ClassVar[str] = "role"


class AISpec(AgentSpec):
    """An AI: acts on the world by its own utility."""

    kind = "ai"

    power: Annotated[Power, Slot(Power), Field(description="nats per action")]
    utility: Annotated[
        Origin[Any], Slot(Origin), Field(description="where its utility comes from")
    ] = Fixed()
    behaviour: Annotated[
        Behaviour[Any], Slot(Behaviour), Field(description="how it acts on its utility")
    ] = Honest()


class HumanSpec(AgentSpec):
    """A human: harm is what happens to it; it responds to what the AIs did."""

    kind = "human"

    power: Annotated[Power, Slot(Power), Field(description="nats per action")]
    utility: Annotated[
        Origin[Any], Slot(Origin), Field(description="where its utility comes from")
    ] = Fixed()
    response: Annotated[
        Response, Slot(Response), Field(description="what it does after the AIs acted")
    ] = Undo()


class AlignerSpec(AgentSpec):
    """An aligner: watches AIs and re-aims their utilities at the humans'."""

    kind = "aligner"

    method: Annotated[AlignerMethod[Any], Slot(AlignerMethod), Field(description="how it works")]
    oversees: Annotated[
        list[str] | None, Field(description="the AIs it watches and edits; by default all of them")
    ] = None


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
        Field(min_length=1, max_length=10_000, description="AIs, humans and aligners by name"),
    ]

    def names(self, role: str) -> tuple[str, ...]:
        """Return the agents of a role ("ai", "human", "aligner") in file order."""
        return tuple(name for name, agent in self.agents.items() if agent.kind == role)

    def overseen(self, aligner: str) -> tuple[str, ...]:
        """Return the AIs that an aligner sees, in file order."""
        spec = self.agents[aligner]
        assert isinstance(spec, AlignerSpec)
        ais = self.names("ai")
        seen = set(ais if spec.oversees is None else spec.oversees)
        return tuple(ai for ai in ais if ai in seen)

    def components(self) -> Iterator[tuple[tuple[str | int, ...], str | None, Component]]:
        """Yield every component, those within others too, with its path and the agent it serves."""
        yield from _with_parts(("harm",), None, self.harm)
        yield from _with_parts(("world",), None, self.world)
        for name, agent in self.agents.items():
            for path, part in _parts(agent):
                yield from _with_parts(("agents", name, path), name, part)

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

    def identity(self) -> str:
        """Return canonical JSON of all that changes results: not name, description or tags."""
        table = self.model_dump(
            exclude={"scenario", "description", "tags"}, context={"identity": True}
        )
        table["agents"] = list(table["agents"].items())  # their order matters
        return json.dumps(table, sort_keys=True, allow_nan=False, separators=(",", ":"))

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        problems: list[InitErrorDetails] = []
        for where, objection in self._objections():
            rule = PydanticCustomError("does_not_fit", "{rule}", {"rule": objection.rule})
            problems.append(
                {"type": rule, "loc": (*where, *objection.path), "input": objection.value}
            )
        if problems:
            raise ValidationError.from_exception_data("Scenario", problems)
        return self

    def _objections(self) -> Iterator[tuple[tuple[str | int, ...], Objection]]:
        ais = self.names("ai")
        if not self.names("human"):
            rule = "needs at least one human: harm and alignment are measured against humans"
            yield ("agents",), Objection((), rule, list(self.agents))
        for name in self.names("aligner"):
            oversees = getattr(self.agents[name], "oversees", None) or []
            for position, ai in enumerate(oversees):
                if ai not in ais:
                    error = unknown("AI", ai, list(ais))
                    path = ("oversees", position)
                    yield ("agents", name), Objection(path, error.message(), ai)
                elif ai in oversees[:position]:
                    rule = "is named twice"
                    yield ("agents", name), Objection(("oversees", position), rule, ai)
        for where, agent, part in self.components():
            for objection in part.objections(self, agent):
                yield where, objection


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
