"""The scenario file: read, validate, override, identify.

A scenario is TOML that validates straight into working components. Whatever is wrong with it is
reported in one `ScenarioError`: the file, the key's path, the rule, the value got, what is allowed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sumabm.aligners import AlignerMethod
from sumabm.behaviours import Behaviour
from sumabm.behaviours.honest import Honest
from sumabm.component import Component, Objection, Slot, Strict, expand, unknown
from sumabm.harms import Harm, Regret
from sumabm.origins import Origin
from sumabm.origins.fixed import Fixed
from sumabm.power import Power
from sumabm.responses import Response, Undo
from sumabm.worlds import WorldSpec

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_SHOWN = 100  # problems in one message

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class ScenarioError(ValueError):
    """A scenario cannot be used; ``problems`` are lines fit to show a user."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        lines = [f"{source}: {problem}" for problem in problems[:MAX_SHOWN]]
        if len(problems) > MAX_SHOWN:
            lines.append(f"{source}: and {len(problems) - MAX_SHOWN} problems more")
        super().__init__("\n".join(lines))


class AgentSpec(Component):
    """An agent of a scenario, by its role."""

    tag: ClassVar[str] = "role"


class AISpec(AgentSpec):
    """An AI: acts on the world by its own utility."""

    kind = "ai"

    power: Annotated[Power, Slot(Power), Field(description="nats per action")]
    utility: Annotated[Origin, Slot(Origin), Field(description="where its utility comes from")] = (
        Fixed()
    )
    behaviour: Annotated[
        Behaviour[Any], Slot(Behaviour), Field(description="how it acts on its utility")
    ] = Honest()


class HumanSpec(AgentSpec):
    """A human: harm is what happens to it; it responds to what the AIs did."""

    kind = "human"

    power: Annotated[Power, Slot(Power), Field(description="nats per action")]
    utility: Annotated[Origin, Slot(Origin), Field(description="where its utility comes from")] = (
        Fixed()
    )
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
    steps: Annotated[int, Field(ge=1, le=100_000_000, description="steps to run")]
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

    def replace(self, overrides: Mapping[str, object]) -> Scenario:
        """Return this scenario with dotted paths changed; raises ScenarioError like a file."""
        return _changed(self, overrides, f"scenario {self.scenario}")

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
    path = _locate(path_or_name)
    scenario = _validated(_read(path), str(path), path.parent)
    return _changed(scenario, overrides, str(path), path.parent)


def _locate(path_or_name: str | Path) -> Path:
    text = str(path_or_name)
    if isinstance(path_or_name, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return Path(path_or_name)
    shipped = {path.stem: path for path in sorted(library().glob("*.toml"))}
    if text not in shipped:
        raise ScenarioError(
            f"scenario {text!r}", [unknown("scenario", text, list(shipped)).message()]
        )
    return shipped[text]


def _read(path: Path) -> dict[str, Any]:
    """Read TOML from an ordinary file of bounded size and depth."""
    try:
        if not path.is_file():
            raise ScenarioError(str(path), ["is not a file"])
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(str(path), [f"cannot be read: {error}"]) from None
    if len(data) > MAX_BYTES:
        raise ScenarioError(str(path), [f"is larger than {MAX_BYTES} bytes"])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(str(path), [f"is not UTF-8 text (byte {error.start})"]) from None
    return parse(text, str(path))


_STRING_OR_COMMENT = re.compile(
    r'''
    """ (?: [^"\\] | \\. | "(?!"") )*+ (?:"{3,5})?    # text over lines; may end in two quotes more
    | \'{3} (?: [^'] | '(?!\'{2}) )*+ (?:'{3,5})?
    | " (?: [^"\\\n] | \\[^\n] )*+ "?
    | ' [^'\n]*+ '?
    | [#] [^\n]*+
    ''',
    re.DOTALL | re.VERBOSE,
)
_DEEP_KEY = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{MAX_DEPTH}}}")


def parse(text: str, source: str) -> dict[str, Any]:
    """Return the table of a TOML text no deeper than 32; raises ScenarioError."""
    too_deep = ScenarioError(source, [f"is nested deeper than {MAX_DEPTH}"])
    # tomllib takes cubic time over a long dotted key; a quoted part stands for one letter here
    if _DEEP_KEY.search(_STRING_OR_COMMENT.sub("s", text)):
        raise too_deep
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise too_deep from None
    except ValueError as error:
        raise ScenarioError(source, [f"is not valid TOML: {error}"]) from None
    layer: list[object] = [table]
    for _ in range(MAX_DEPTH):
        layer = [child for parent in layer for child in _children(parent)]
    if layer:
        raise too_deep
    return table


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def override_value(text: str) -> object:
    """Return the value of a command-line override: read as TOML, else as text.

    >>> override_value("0.5"), override_value("[1, 2]"), override_value("undo")
    (0.5, [1, 2], 'undo')
    """
    try:
        table = parse(f"value = {text}", "override")
    except ScenarioError:
        return text
    return table["value"] if set(table) == {"value"} else text


def _changed(
    scenario: Scenario, overrides: Mapping[str, object], source: str, folder: Path = Path()
) -> Scenario:
    """Return the scenario with each dotted path set, whole parts before their fields."""
    if not overrides:
        return scenario
    table = scenario.model_dump()
    paths = {path: tuple(path.split(".")) for path in overrides}
    for path, keys in sorted(
        paths.items(), key=lambda item: (len(item[1]), item[1][-1] not in ("kind", "role"))
    ):
        value = overrides[path]
        _set(table, keys, value.item() if isinstance(value, np.generic) else value, source)
    return _validated(table, source, folder)


def _set(table: dict[str, Any], keys: tuple[str, ...], value: object, source: str) -> None:
    parent: Any = table
    for depth, key in enumerate(keys[:-1]):
        child = expand(parent.get(key))
        if child is None and key in parent:
            child = {}
        if not isinstance(child, dict):
            where = ".".join(keys[: depth + 1])
            problem = unknown("key", key, list(parent)).message()
            if key in parent:
                problem = "is no table, so it is set as a whole"
            raise ScenarioError(source, [f"{where}: {problem} (in the override {'.'.join(keys)})"])
        parent[key] = child
        parent = child
    last = keys[-1]
    if last in ("kind", "role") and last in parent and parent[last] != value:
        parent.clear()
    parent[last] = value


def _validated(table: dict[str, Any], source: str, folder: Path = Path()) -> Scenario:
    """Validate a table; data files that it names are looked for from ``folder``."""
    try:
        return Scenario.model_validate(table, context={"folder": folder})
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors(include_url=False)]
    raise ScenarioError(source, problems)


_NOT_A_KEY = re.compile(r"\[key\]|(literal|list)\[.*\]")  # which part of a union pydantic tried


def _problem(detail: Any) -> str:
    """Return one line: the key's path, the rule and the value got."""
    keys = [str(part) for part in detail["loc"]]
    if detail["type"] != "unknown_name":  # there the last part is the user's own word
        keys = [key for key in keys if not _NOT_A_KEY.fullmatch(key)]
    where = ".".join(map(_key, keys)) or "the whole file"
    got = "" if detail["type"] == "missing" else f" (got {_shown(detail['input'])})"
    return f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}{got}"


def _key(part: str) -> str:
    """Return a part of a path as TOML writes it: quoted unless it is bare, on one line."""
    text = part if re.fullmatch(r"[\w-]+", part) else json.dumps(part)
    return text if len(text) <= 80 else text[:77] + "..."


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):
        text = repr(type(value))
    return text if len(text) <= 80 else text[:77] + "..."
