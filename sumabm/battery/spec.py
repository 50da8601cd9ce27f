"""The battery file: which parameters are swept over which scenario, how, and what is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from sumabm.battery.designs import Design
from sumabm.battery.designs.grid import Grid
from sumabm.battery.expressions import Expression
from sumabm.battery.parameters import Parameter
from sumabm.battery.tables import Chunking, Flip, Keep
from sumabm.component import Objection, Slot, Strict, foreign_sources, members, unknown
from sumabm.display import html_table
from sumabm.identity import code_digest
from sumabm.recorder import VARIABLES
from sumabm.scenario import Scenario, library, load_scenario
from sumabm.toml import ScenarioError, keys_of, locate, problems, put, read


def _in_full(value: object) -> object:
    """Return a parameter's shorthand in full: a bare list is a choice among its values."""
    if isinstance(value, list):
        return {"kind": "choice", "values": value}
    if isinstance(value, dict) and "kind" not in value:
        rule = "'kind' is missing; allowed: {kinds}; a dotted path is one key, in quotes"
        raise PydanticCustomError("no_kind", rule, {"kinds": ", ".join(members(Parameter))})
    return value


def _is_number(parameter: Parameter) -> bool:
    """Return whether a parameter's values are one column of numbers."""
    columns = parameter.columns("", parameter.at(parameter.grid(2)))
    return list(columns) == [""] and columns[""].dtype.kind in "if"


_CROSSED = ("factorial", "grid", "listed")
"""Designs that can have every combination of the parameters."""

Parameters = dict[str, Annotated[Parameter, Slot(Parameter), BeforeValidator(_in_full)]]


class Battery(Strict):
    """A validated battery: a scenario, parameters and a design. Frozen."""

    battery: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$"),
        Field(description="name: lower-case letters, digits and hyphens"),
    ]
    description: Annotated[str, Field(description="what it asks")] = ""
    tags: Annotated[list[str], Field(description="words to find it by")] = []
    scenario: Annotated[Scenario, Field(description="what every point changes")]
    seed: Annotated[int, Field(ge=0, description="the seed of every random number")] = 0
    replicates: Annotated[int, Field(ge=1, le=2**32, description="replicates at every point")]
    paired: Annotated[
        bool, Field(description="whether all points share their seeds: common random numbers")
    ] = True
    uncertainties: Annotated[Parameters, Field(description="what the world decides")] = {}
    levers: Annotated[Parameters, Field(description="what overseers decide")] = {}
    derived: Annotated[
        dict[str, str], Field(description="paths set by arithmetic on parameters")
    ] = {}
    design: Annotated[Design, Slot(Design), Field(description="which points are run")] = Grid()
    keep: Annotated[Keep, Field(description="what is kept of every run")] = Keep()
    flip: Annotated[
        Flip | None, Field(description="where the report looks for a flip of the outcome")
    ] = None
    chunk: Annotated[Chunking, Field(description="how the work is cut")] = Chunking()
    folder: Annotated[
        str, Field(description="where data files that parameters name are; the file's own folder")
    ] = ""

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Return uncertainties, then levers, by name."""
        return {**self.uncertainties, **self.levers}

    @property
    def variables(self) -> frozenset[str]:
        """Return the parameters that `derived` uses: they set no path themselves."""
        return frozenset().union(*(Expression.parse(text).names for text in self.derived.values()))

    def overrides(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a point's parameter values change in the scenario, by dotted path.

        Raises ValueError where a derived value cannot be computed.
        """
        set_here = {n: v for n, v in values.items() if n not in self.variables}
        return set_here | {
            path: Expression.parse(text).value(values) for path, text in self.derived.items()
        }

    def changed(self, changes: Mapping[str, Any]) -> Scenario:
        """Return the scenario with a point's changes; raises ScenarioError where that is none."""
        return self.scenario.replace(changes, Path(self.folder))

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "description": self.description,
            "scenario": self.scenario.scenario,
        }
        facts |= {"design": self.design.model_dump(), "replicates": self.replicates}
        facts |= {f"uncertainty {n}": p.model_dump() for n, p in self.uncertainties.items()}
        facts |= {f"lever {n}": p.model_dump() for n, p in self.levers.items()}
        facts |= {f"derived {path}": text for path, text in self.derived.items()}
        return html_table(f"Battery {self.battery}", facts | {"seed": self.seed})

    def identity(self) -> str:
        """Return the SHA-256 of all that changes this battery's results, hex."""
        table = self.model_dump(
            exclude={"battery", "description", "tags", "scenario", "chunk", "folder"},
            context={"identity": True},
        )
        for role in ("uncertainties", "levers"):
            table[role] = list(table[role].items())  # their order matters to a design
        parts = table | {
            "scenario": self.scenario.identity(),
            "chunk": self.chunk.replicates or {"seconds": self.chunk.seconds},
            "code": code_digest(),
            "plug-ins": foreign_sources(type(part) for _, _, part in self.scenario.components()),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _fits_together(self) -> Battery:
        found: list[InitErrorDetails] = []
        for path, rule, value in self._objections():
            error = PydanticCustomError("does_not_fit", "{rule}", {"rule": rule})
            found.append({"type": error, "loc": path, "input": value})
        if found:
            raise ValidationError.from_exception_data("Battery", found)
        return self

    def _objections(self) -> Iterator[Objection]:
        for name in self.levers.keys() & self.uncertainties.keys():
            yield Objection(("levers", name), "is an uncertainty already", name)
        for path, text in self.derived.items():
            yield from self._objections_to(path, text)
        for position, name in enumerate(self.keep.outcomes):
            yield from self._objections_to_outcome(("keep", "outcomes", position), name)
        if self.flip is not None:
            yield from self._objections_to_flip(self.flip)

    def _objections_to_outcome(
        self, place: tuple[str | int, ...], name: str
    ) -> Iterator[Objection]:
        variable, dot, agent = name.partition(".")
        if variable not in VARIABLES:
            yield Objection(place, unknown("outcome", variable, list(VARIABLES)).message(), name)
        elif dot and agent not in self.scenario.population:
            rule = unknown("agent", agent, list(self.scenario.population)).message()
            yield Objection(place, rule, name)
        elif dot and self.scenario.population[agent].kind not in VARIABLES[variable].roles:
            of = " or ".join(VARIABLES[variable].roles) or "no agent alone"
            yield Objection(place, f"{variable} is recorded of {of}", name)

    def _objections_to_flip(self, flip: Flip) -> Iterator[Objection]:
        kept, variable = self.keep.outcomes, flip.outcome.partition(".")[0]
        if not kept or flip.outcome in kept or variable in kept:
            yield from self._objections_to_outcome(("flip", "outcome"), flip.outcome)
        else:
            rule = f"should be kept, as {', '.join(kept)} are: see keep.outcomes"
            yield Objection(("flip", "outcome"), rule, flip.outcome)
        for field, name in (("over", flip.over), ("by", flip.by)):
            if name is not None and name not in self.parameters:
                rule = unknown("parameter", name, list(self.parameters)).message()
                yield Objection(("flip", field), rule, name)
        if flip.by == flip.over:
            yield Objection(("flip", "by"), "should be another parameter than over", flip.by)
        if flip.over in self.parameters and not _is_number(self.parameters[flip.over]):
            yield Objection(("flip", "over"), "should take numbers, one at a time", flip.over)
        if len(self.parameters) > 1 and self.design.kind not in _CROSSED:
            rule = "needs every combination of the parameters, which its design does not have"
            yield Objection(("flip",), rule, self.design.kind)

    def _objections_to(self, path: str, text: str) -> Iterator[Objection]:
        if path in self.parameters:
            yield Objection(("derived", path), "is a parameter already", text)
        try:
            names = Expression.parse(text).names
        except ValueError as error:
            yield Objection(("derived", path), str(error), text)
            return
        for name in sorted(names - self.parameters.keys()):
            rule = unknown("parameter", name, list(self.parameters)).message()
            yield Objection(("derived", path), rule, text)


def load_battery(
    path_or_name: str | Path | Battery, overrides: Mapping[str, object] = {}
) -> Battery:
    """Return the battery of a TOML file, or of a shipped battery's name, with overrides.

    ``overrides`` maps dotted paths of the battery to values, ``{"design.points": 64}``, in which a
    name with dots is quoted, ``{'levers."agents.Y.power".low': 0.5}``; those that
    begin with ``scenario.`` change its scenario: ``{"scenario.steps": 50}``. The scenario is a
    shipped one's name or a file, relative to the battery's.

    Raises ScenarioError naming all that is wrong.
    """
    if isinstance(path_or_name, Battery):
        table, source, folder = path_or_name.model_dump(), "battery", Path()
        table["scenario"] = path_or_name.scenario
    else:
        path = locate(path_or_name, "battery", library() / "batteries")
        table, source, folder = read(path), str(path), path.parent
    table = {"design": "grid", "keep": {}, "chunk": {}} | table  # to have fields overridden
    base = {}
    for name, value in overrides.items():
        if name.startswith("scenario."):
            base[name.removeprefix("scenario.")] = value
        else:
            put(table, keys_of(name), value, source)
    table["scenario"] = _scenario(table, base, source, folder)
    table.setdefault("folder", str(folder.resolve()))
    try:
        return Battery.model_validate(table, context={"folder": folder})
    except ValidationError as error:
        raise ScenarioError(source, problems(error)) from None


def _scenario(
    table: dict[str, Any], overrides: Mapping[str, object], source: str, folder: Path
) -> Scenario:
    """Return a battery's scenario: the one named, what ``set`` changes, then the overrides."""
    named, changes = table.get("scenario"), table.pop("set", {})
    if not isinstance(changes, dict):
        rule = "should be a table of dotted paths, in quotes, and their values"
        raise ScenarioError(source, [f"set: {rule}"])
    if isinstance(named, Scenario):
        base: str | Path | Scenario = named
    elif isinstance(named, str):
        is_path = named.endswith(".toml") or "/" in named or "\\" in named
        base = folder / named if is_path else named
    else:
        raise ScenarioError(source, ["scenario: should name a scenario or its file"])
    there = load_scenario(base)  # what is wrong with it is told of it, what changes do, of them
    try:
        return there.replace({**changes, **overrides}, folder)
    except ScenarioError as error:
        raise ScenarioError(source, [f"scenario.{rule}" for rule in error.problems]) from None
