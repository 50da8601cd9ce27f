"""A value as a person types it: TOML on one line, and plain words without their quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from sumabm.toml import override_value

MOST_TYPED = 10_000
"""Characters in an entry."""


def shown(value: object) -> str | None:
    """Return what `sumabm.toml.override_value` reads as this value; empty for None.

    None for what is longer than `MOST_TYPED`, or cannot be read back.

    >>> shown(2.0), shown("random"), shown("2"), shown({"a": [1, 0.5]})
    ('2', 'random', '"2"', '{ a = [1, 0.5] }')
    """
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= MOST_TYPED and _is_plain(value):
        return value
    text = ""
    for part in _parts(value):
        text += part
        if len(text) > MOST_TYPED:
            return None
    return text


def _is_plain(text: str) -> bool:
    return text == text.strip() != "" and override_value(text) == text


def _parts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield "{ "
        for place, (key, entry) in enumerate(value.items()):
            yield f"{', ' * (place > 0)}{_key(str(key))} = "
            yield from _parts(entry)
        yield " }"
    elif isinstance(value, list | tuple):
        yield "["
        for place, entry in enumerate(value):
            yield ", " * (place > 0)
            yield from _parts(entry)
        yield "]"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield repr(value).removesuffix(".0")
    else:
        yield _quoted(str(value))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
