"""What a field takes, in words, from its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_WORDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


class Shapes:
    """The words for schemas; ``link`` gives those for a room, by its class's name."""

    def __init__(self, definitions: dict[str, Any], link: Callable[[str], str | None]) -> None:
        self.definitions = definitions
        self.link = link

    def words(self, schema: dict[str, Any]) -> str:
        """Return what a field takes, with its bounds, as Markdown on one line."""
        if "$ref" in schema:
            return self._referred(schema["$ref"].removeprefix("#/$defs/"))
        if "const" in schema or "enum" in schema:
            return " or ".join(
                f"`{json.dumps(v)}`" for v in schema.get("enum", [schema.get("const")])
            )
        for key in ("anyOf", "allOf"):
            if key in schema:
                return ", or ".join(dict.fromkeys(map(self.words, schema[key])))
        if schema.get("type") == "array":
            return self._list(schema)
        if schema.get("type") == "object":
            return self._table(schema)
        if "type" not in schema:
            return "anything"
        return _WORDS[schema["type"]] + self._bounds(schema)

    def _referred(self, name: str) -> str:
        if (linked := self.link(name)) is not None:
            return linked
        return self.words(self.definitions[name])

    def _list(self, schema: dict[str, Any]) -> str:
        if "prefixItems" in schema:
            return f"[{', '.join(map(self.words, schema['prefixItems']))}]"
        least = f", at least {schema['minItems']}" if "minItems" in schema else ""
        return f"list of {self.words(schema.get('items', {}))}{least}"

    def _table(self, schema: dict[str, Any]) -> str:
        if "properties" in schema:
            required = schema.get("required", [])
            entries = [
                f"`{name}`{'' if name in required else '?'} ({self.words(each)})"
                for name, each in schema["properties"].items()
            ]
            return f"table with {', '.join(entries)}"
        values = schema.get("additionalProperties")
        return f"table of {self.words(values)} by name" if isinstance(values, dict) else "table"

    def _bounds(self, schema: dict[str, Any]) -> str:
        if "minimum" in schema and "maximum" in schema:
            return f", {schema['minimum']:.9g} to {schema['maximum']:.9g}"
        found = [f"{sign} {schema[key]:.9g}" for key, sign in _BOUNDS.items() if key in schema]
        return "".join([" ", ", ".join(found)] if found else [])
