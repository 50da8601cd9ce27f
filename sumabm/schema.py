"""JSON schemas of scenario and battery files, from the classes: for editors, and other tools.

They say what shape a file has: keys, types, bounds, kinds and which fields these take. What only
the whole file can tell (agents that are not there, a covariance that is none) ``sumabm validate``
says. Plug-ins are in them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from sumabm.battery.spec import Battery
from sumabm.component import Component, Slot, members
from sumabm.scenario import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_Table = dict[str, Any]
_NAMED = ("properties", "patternProperties", "$defs")  # schemas by names that are the file's own
_LISTS = ("anyOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")


def scenario_schema() -> _Table:
    """Return the JSON schema of scenario files."""
    rooms: dict[str, type[Component]] = {}
    table = Scenario.model_json_schema(schema_generator=_generator(rooms))
    return _whole(table, "A scenario: who is there, in which world, for how long.", rooms)


def battery_schema() -> _Table:
    """Return the JSON schema of battery files."""
    rooms: dict[str, type[Component]] = {}
    table = Battery.model_json_schema(schema_generator=_generator(rooms))
    table["properties"] |= {
        "scenario": {
            "type": "string",
            "description": "what every point changes: a shipped scenario's name, or a file",
        },
        "set": {
            "type": "object",
            "description": "what differs from its file: values by dotted path, in quotes",
        },
    }
    for name in ("Scenario", "Stop"):  # which the file names only
        table["$defs"].pop(name)
    taken = {name: room for name, room in rooms.items() if name in ("Parameter", "Design")}
    whole = _whole(table, "A battery: which parameters are swept over which scenario, how.", taken)
    choice = whole["$defs"]["Parameter.choice"]["properties"]["values"]
    whole["$defs"]["Parameter"]["anyOf"].append(choice | {"description": "a choice among these"})
    return whole


SCHEMAS: dict[str, Callable[[], _Table]] = {"scenario": scenario_schema, "battery": battery_schema}
"""What has a schema, and what makes it."""


def _whole(table: _Table, about: str, rooms: dict[str, type[Component]]) -> _Table:
    """Return a file's schema with a definition of every room and kind that it can take."""
    definitions = table.pop("$defs", {})
    while todo := [name for name in rooms if name not in definitions]:
        for name in todo:
            definitions |= _room(name, rooms[name], _generator(rooms))
    return _tidy({"$schema": DIALECT} | table | {"description": about, "$defs": definitions})


def _generator(rooms: dict[str, type[Component]]) -> type[GenerateJsonSchema]:
    """Return what makes schemas of models; it notes the rooms that their fields take from."""

    class Shapes(GenerateJsonSchema):
        def function_plain_schema(self, schema: Any) -> _Table:
            slot = getattr(schema["function"]["function"], "__self__", None)
            if not isinstance(slot, Slot):
                return super().function_plain_schema(schema)
            rooms[slot.room.__name__] = slot.room
            return {"slot": slot.room.__name__}

        def nullable_schema(self, schema: Any) -> _Table:
            return self.generate_inner(schema["schema"])  # TOML has no null

        def dict_schema(self, schema: Any) -> _Table:
            table = super().dict_schema(schema)
            if "patternProperties" in table:
                table["additionalProperties"] = False
            return table

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    return Shapes


def _room(
    name: str, room: type[Component], generator: type[GenerateJsonSchema]
) -> dict[str, _Table]:
    """Return the definitions of a room and of its kinds."""
    found: dict[str, _Table] = {}
    ways: list[_Table] = []
    kinds = members(room)
    for kind, cls in kinds.items():
        table = cls.model_json_schema(schema_generator=generator)
        found |= table.pop("$defs", {})
        found[f"{name}.{kind}"] = _kind(cls, table)
        ways.append({"$ref": f"#/$defs/{name}.{kind}"})
    if room.tag == "kind":
        bare = [kind for kind in kinds if found[f"{name}.{kind}"]["required"] == [room.tag]]
        ways.extend([{"enum": bare, "description": "a kind, with its defaults"}] * bool(bare))
        if "constant" in kinds:
            ways.append(found[f"{name}.constant"]["properties"]["value"])
    return {name: {"description": _about(room), "anyOf": ways}} | found


def _kind(cls: type[Component], table: _Table) -> _Table:
    tag = {"const": cls.kind, "description": _about(cls)}
    return table | {
        "title": cls.kind,
        "description": _about(cls),
        "properties": {cls.tag: tag, **table.get("properties", {})},
        "required": [cls.tag, *table.get("required", [])],
    }


def _about(cls: type[Component]) -> str:
    return " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())


def _tidy(schema: Any) -> Any:
    """Return a schema with rooms referred to, units in descriptions, no default that is none."""
    if not isinstance(schema, dict):
        return schema
    table = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    for key in _NAMED:
        if key in table:
            table[key] = {name: _tidy(each) for name, each in table[key].items()}
    for key in _LISTS:
        if key in table:
            table[key] = [_tidy(each) for each in table[key]]
    for key in _SINGLE:
        if key in table:
            table[key] = _tidy(table[key])
    if (unit := table.get("unit", "")) not in (about := table.get("description", "")):
        table["description"] = f"{about} [{unit}]".lstrip()
    if "slot" in table:
        # in a list, because older dialects see nothing beside a reference
        table["allOf"] = [{"$ref": f"#/$defs/{table.pop('slot')}"}]
    return table
