"""What there is: scenarios, batteries, and components with their parameters, from their classes."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic.fields import FieldInfo

from sumabm.aligners import AlignerMethod
from sumabm.battery.designs import Design
from sumabm.battery.parameters import Parameter
from sumabm.battery.spec import load_battery
from sumabm.behaviours import Behaviour
from sumabm.component import Component, Slot, members
from sumabm.dynamics import Dynamics
from sumabm.graphs import Graph
from sumabm.harms import Harm
from sumabm.laws import Law
from sumabm.measures import Measure
from sumabm.origins import Origin
from sumabm.oversight import Relation
from sumabm.power import Power
from sumabm.responses import Response
from sumabm.scenario import library, load_scenario
from sumabm.worlds import WorldSpec

ROOMS: dict[str, type[Component]] = {
    "world": WorldSpec,
    "dynamics": Dynamics,
    "law": Law,
    "power": Power,
    "utility": Origin,
    "behaviour": Behaviour,
    "response": Response,
    "method": AlignerMethod,
    "relation": Relation,
    "graph": Graph,
    "harm": Harm,
    "measure": Measure,
    "parameter": Parameter,
    "design": Design,
}
"""The rooms by the field, of a scenario or a battery, that takes their components."""

_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥"}


def catalogue() -> dict[str, Any]:
    """Return scenarios, batteries and components as plain data."""
    scenarios = [load_scenario(path) for path in sorted(library().glob("*.toml"))]
    batteries = [load_battery(path) for path in sorted(library().glob("batteries/*.toml"))]
    return {
        "scenarios": [_about(s.scenario, s.description, s.tags) for s in scenarios],
        "batteries": [_about(b.battery, b.description, b.tags) for b in batteries],
        "components": {
            room: [_describe(cls) for cls in members(base).values()] for room, base in ROOMS.items()
        },
    }


def _about(name: str, description: str, tags: list[str]) -> dict[str, Any]:
    return {"name": name, "description": " ".join(description.split()), "tags": tags}


def _describe(cls: type[Component]) -> dict[str, Any]:
    about = inspect.getdoc(cls) or ""
    return {
        "kind": cls.kind,
        "about": " ".join(about.partition("\n\n")[0].split()),
        "parameters": [_parameter(name, field) for name, field in cls.model_fields.items()],
        "cites": list(cls.cites),
    }


def _parameter(name: str, field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return {
        "name": name,
        "about": field.description or "",
        "unit": extra.get("unit", ""),
        "bounds": _bounds(field),
        "required": field.is_required(),
        "default": default.kind if isinstance(default, Component) else default,
    }


def _bounds(field: FieldInfo) -> list[str]:
    found = []
    for mark in field.metadata:
        if isinstance(mark, Slot):
            found.append("one of " + ", ".join(members(mark.room)))
        for attribute, sign in _BOUNDS.items():
            if (limit := getattr(mark, attribute, None)) is not None:
                found.append(f"{sign} {limit:g}")
    return found


def print_catalogue(found: dict[str, Any]) -> None:
    """Print a catalogue for a person to read."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    for heading in ("scenarios", "batteries"):
        console.print(f"[bold]{heading.capitalize()}[/]")
        for entry in found[heading]:
            console.print(f"  [bold]{entry['name']}[/]  {escape(entry['description'])}")
    for room, kinds in found["components"].items():
        console.print(f"\n[bold]{room}[/]")
        for kind in kinds:
            console.print(f"  [bold]{kind['kind']}[/]  {escape(kind['about'])}")
            for parameter in kind["parameters"]:
                console.print(f"      {escape(_sentence(parameter))}")


def _sentence(parameter: dict[str, Any]) -> str:
    facts = [parameter["unit"], *parameter["bounds"]]
    facts.append("required" if parameter["required"] else f"default {parameter['default']}")
    return f"{parameter['name']}: {parameter['about']} ({'; '.join(filter(None, facts))})"
