"""A page for every component of every room, and an index a room, from the classes."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sitework.shapes import Shapes
from sumabm import bibliography
from sumabm.battery.spec import load_battery
from sumabm.catalogue import ROOMS, catalogue
from sumabm.component import Component, members
from sumabm.roles import AgentSpec
from sumabm.scenario import library, load_scenario
from sumabm.schema import battery_schema, scenario_schema

ROOT = Path(__file__).parent.parent.parent
_PLURALS = {
    "world": "Worlds",
    "dynamics": "Dynamics of worlds",
    "law": "Laws of one quantity",
    "power": "Powers",
    "utility": "Origins of utilities",
    "behaviour": "Behaviours of AIs",
    "response": "Responses of humans",
    "method": "Aligners",
    "relation": "Relations",
    "graph": "Graphs",
    "harm": "Measures of harm",
    "measure": "Measures of acts",
    "parameter": "Parameters of batteries",
    "design": "Designs of batteries",
}
"""What a room's page is called, by the field that takes its components."""


def pages() -> dict[str, str]:
    """Return every page's Markdown by its path."""
    found = {"components/index.md": _index()}
    for room, entries in catalogue()["components"].items():
        found[f"components/{room}/index.md"] = _room(room, entries)
        for entry in entries:
            found[f"components/{room}/{entry['kind']}.md"] = _component(room, entry)
    return found


def _index() -> str:
    rows = "\n".join(
        f"| [{_PLURALS[room]}]({room}/index.md) | `{room}` | {_first(base)} |"
        for room, base in ROOMS.items()
    )
    inner = "\n".join(f"{room}/index" for room in ROOMS)
    return f"""# Components

A component is a class with a `kind`. Where a field of a scenario or battery file takes one, a
table with its `kind` and fields may stand, or its bare name (its defaults), or a bare number where
the room has a `constant`. These pages are made of the classes; `sumabm list` prints the same.

| room | field | what its components are |
|---|---|---|
{rows}

```{{toctree}}
:hidden:

{inner}
```
"""


def _room(room: str, entries: list[dict[str, Any]]) -> str:
    rows = "\n".join(f"| [`{e['kind']}`]({e['kind']}.md) | {e['about']} |" for e in entries)
    return f"""# {_PLURALS[room]}

{_docstring(ROOMS[room])}

| kind | what it is |
|---|---|
{rows}
"""


def _component(room: str, entry: dict[str, Any]) -> str:
    cls = members(ROOMS[room])[entry["kind"]]
    # on its own: a hundred entries in every page's sidebar would double the time of a build
    parts = ["---\norphan: true\n---", f"# {entry['kind']}", f"[{_PLURALS[room]}](index.md)"]
    parts += [_docstring(cls), _example(room, cls)]
    if entry["parameters"]:
        parts.append(_fields(room, entry))
    if cls.cites:
        parts.append(_cited(cls))
    parts.append(_users(cls))
    parts.append(_source(cls))
    return "\n\n".join(filter(None, parts)) + "\n"


def _docstring(cls: type[Component]) -> str:
    """Return a docstring as Markdown, in which it is written already but for its code."""
    return (inspect.getdoc(cls) or "").replace("``", "`")


def _first(cls: type[Component]) -> str:
    return " ".join(_docstring(cls).partition("\n\n")[0].split())


def _fields(room: str, entry: dict[str, Any]) -> str:
    definitions = _definitions()
    schema = definitions[f"{ROOMS[room].__name__}.{entry['kind']}"]["properties"]
    shapes = Shapes(definitions, _link)
    rows = []
    for field in entry["parameters"]:
        default = "required" if field["required"] else _default(field["default"])
        unit = f" ({field['unit']})" if field["unit"] else ""
        takes = shapes.words(schema[field["name"]]) + unit
        cells = [f"`{field['name']}`", takes, default, field["about"]]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    heads = "| field | takes | default | what it is |\n|---|---|---|---|"
    return "\n".join(["## Fields\n", heads, *rows])


def _default(value: object) -> str:
    return "none" if value is None else f"`{_toml(value)}`"


@functools.cache
def _definitions() -> dict[str, Any]:
    return {**scenario_schema()["$defs"], **battery_schema()["$defs"]}


def _link(name: str) -> str | None:
    """Return the words for a room or an agent, linked; None for any other table."""
    for room, base in ROOMS.items():
        if base.__name__ == name:
            return f"[{room}](../{room}/index.md)"
    return "agent" if name == AgentSpec.__name__ else None


def _cited(cls: type[Component]) -> str:
    lines = [f"- [{bibliography.cited(k)}](../../bibliography.md#{k})" for k in cls.cites]
    return (
        "## Cites\n\n" + "\n".join(lines) + f"\n\n```bibtex\n{bibliography.bibtex(cls.cites)}\n```"
    )


def _users(cls: type[Component]) -> str:
    names = [name for name, found in _uses().items() if cls in found]
    if not names:
        return ""
    links = ", ".join(f"[{n.rpartition('/')[2]}](../../{n.replace('/', '.md#')})" for n in names)
    return f"## Used by\n\n{links}"


@functools.cache
def _uses() -> dict[str, set[type[Component]]]:
    """Return the classes that each shipped scenario and battery uses, by page and name."""
    found: dict[str, set[type[Component]]] = {}
    for name, parts in _scenarios().items():
        found[f"scenarios/{name}"] = {type(part) for _, part in parts}
    for path in sorted(library().glob("batteries/*.toml")):
        battery = load_battery(path)
        parts = [
            battery.design,
            *battery.parameters.values(),
            getattr(battery.design, "design", None),
        ]
        found[f"batteries/{path.stem}"] = {type(part) for part in parts}
    return found


@functools.cache
def _scenarios() -> dict[str, list[tuple[str, Component]]]:
    """Return each shipped scenario's components, with the part of the file where they are."""
    found = {}
    for path in sorted(library().glob("*.toml")):
        parts = load_scenario(path).components()
        found[path.stem] = [(str(where[0]), part) for where, _, part in parts]
    return found


def _example(room: str, cls: type[Component]) -> str:
    """Return how the first scenario that uses a component writes it."""
    for parts in _scenarios().values():
        for where, part in parts:
            if type(part) is cls:
                given = {cls.tag: cls.kind} | dict(_given(part))
                value = given if len(given) > 1 else cls.kind
                text = _toml(value)
                if len(text) < 300:
                    key = "relations.NAME" if where == "relations" else room
                    return f"```toml\n{key} = {text}\n```"
    return ""


def _given(part: Component) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are not what they are by default."""
    dumped = part.model_dump(exclude_none=True)
    for name, field in type(part).model_fields.items():
        if name in dumped and getattr(part, name) != field.get_default(call_default_factory=True):
            value = dumped[name]
            yield name, Path(value).name if name == "file" else value


def _toml(value: object) -> str:
    """Return a value as TOML writes it, on one line."""
    if isinstance(value, dict):
        entries = [f"{key} = {_toml(each)}" for key, each in value.items() if each is not None]
        return "{ " + ", ".join(entries) + " }" if entries else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _source(cls: type[Component]) -> str:
    lines, first = inspect.getsourcelines(cls)
    path = Path(inspect.getfile(cls)).resolve().relative_to(ROOT).as_posix()
    code = "".join(lines).rstrip()
    return (
        f"<details>\n<summary>Source: <code>{path}</code>, line {first}</summary>\n\n"
        f"```python\n{code}\n```\n\n</details>"
    )
