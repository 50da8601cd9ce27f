"""TOML as this project takes it: bounded, named by its keys, wrong in one message or right.

Scenario and battery files are read, changed by dotted path, and complained of in one way.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sumabm.component import expand, unknown

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_SHOWN = 100  # problems in one message


class ScenarioError(ValueError):
    """A scenario cannot be used; ``problems`` are lines fit to show a user."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        lines = [f"{source}: {problem}" for problem in problems[:MAX_SHOWN]]
        if len(problems) > MAX_SHOWN:
            lines.append(f"{source}: and {len(problems) - MAX_SHOWN} problems more")
        super().__init__("\n".join(lines))


def locate(path_or_name: str | Path, what: str, shipped: Path) -> Path:
    """Return the file that a text means: a path, or the name of one of the ``shipped`` files.

    A text with a path separator or ending in .toml is a path. Raises ScenarioError for a name that
    nothing shipped has; ``what`` says what sort of file it is.
    """
    text = str(path_or_name)
    if isinstance(path_or_name, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return Path(path_or_name)
    files = {path.stem: path for path in sorted(shipped.glob("*.toml"))}
    if text not in files:
        raise ScenarioError(f"{what} {text!r}", [unknown(what, text, list(files)).message()])
    return files[text]


def read(path: Path) -> dict[str, Any]:
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


def keys_of(path: str) -> tuple[str, ...]:
    """Return the keys of a dotted path, in which a part with dots of its own is quoted.

    >>> keys_of('levers."agents.X.power".low'), keys_of("agents.X.power")
    (('levers', 'agents.X.power', 'low'), ('agents', 'X', 'power'))
    """
    if '"' not in path:
        return tuple(path.split("."))
    value: Any = parse(f"{path} = 0", path)
    keys = []
    while isinstance(value, dict):
        [(key, value)] = value.items()
        keys.append(key)
    return tuple(keys)


def put(table: dict[str, Any], keys: tuple[str, ...], value: object, source: str) -> None:
    """Set a table's entry by its path; a shorthand on the way is expanded, a new kind has it all.

    Raises ScenarioError, naming ``source``, when the path leads nowhere.
    """
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
    parent[last] = copy.deepcopy(value)  # a later path may lead into it


_NOT_A_KEY = re.compile(r"\[key\]|(literal|list|tuple)\[.*\]")  # what of a union pydantic tried


def problems(error: ValidationError) -> list[str]:
    """Return a line for each problem: the key's path, the rule and the value got."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


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
