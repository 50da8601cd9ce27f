"""What a field of a component takes, read off its class: type, bounds, something to start with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sumabm.component import Component, Slot, Strict, members
from sumabm.data import DataFile, GraphFile

_FILES = (*get_args(DataFile)[1:], *get_args(GraphFile)[1:])
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥"}
_MOST = 1e15  # no bound that anybody meets
_FEW = 0.5  # what a number starts at: nats, shares, or orders alike
_SLOW = 0.01  # what a rate per step starts at


class Takes(NamedTuple):
    """A type with neither Annotated nor None, the marks that were on it, and if None is taken."""

    type: Any
    marks: tuple[Any, ...]
    optional: bool

    @property
    def room(self) -> type[Component] | None:
        """The room that the field is a slot of."""
        return next((mark.room for mark in self.marks if isinstance(mark, Slot)), None)

    @property
    def table(self) -> type[Strict] | None:
        """The model that the field takes, where that is not a slot's component."""
        model = self.room is None and isinstance(self.type, type) and issubclass(self.type, Strict)
        return self.type if model else None

    @property
    def literals(self) -> tuple[Any, ...]:
        """The values of a Literal, and of a bool that may be None; else empty."""
        if self.type is bool and self.optional:
            return (True, False)
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    def bounds(self) -> str:
        """Return the bounds in words, such as "> 0, ≤ 1", but for those that nobody meets."""
        met = ((name, limit) for name, limit in self._limits() if abs(limit) < _MOST)
        return ", ".join(f"{_SIGNS[name]} {limit:,.12g}" for name, limit in met)

    def within(self, value: object) -> bool:
        """Return whether a number is within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        keeps = {"ge": value.__ge__, "gt": value.__gt__, "le": value.__le__, "lt": value.__lt__}
        return all(keeps[name](limit) for name, limit in self._limits() if name in keeps)

    def limit(self, *names: str) -> float | None:
        """Return the limit of one of these names: "ge", "gt", "le", "lt" or "min_length"."""
        return next((limit for name, limit in self._limits() if name in names), None)

    def _limits(self) -> list[tuple[str, Any]]:
        found = [(name, getattr(mark, name, None)) for mark in self.marks for name in _SIGNS]
        return [(name, limit) for name, limit in found if isinstance(limit, int | float)]


def takes(annotation: Any, marks: Iterable[Any] = ()) -> Takes:
    """Return what a type with these marks, or a field's annotation, stands for."""
    if isinstance(annotation, FieldInfo):
        return takes(annotation.annotation, annotation.metadata)
    annotation, marks = getattr(annotation, "__value__", annotation), tuple(marks)
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        for mark in annotation.__metadata__:
            marks += tuple(mark.metadata) if isinstance(mark, FieldInfo) else (mark,)
        return takes(parts[0], marks)
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in parts if part is not NoneType]
        if len(rest) == 1:
            return takes(rest[0], marks)._replace(optional=True)
        return Takes(Union[tuple(rest)], marks, len(rest) < len(parts))  # noqa: UP007
    if get_origin(annotation) is Literal and None in parts:
        rest = [part for part in parts if part is not None]
        return Takes(Literal[tuple(rest)], marks, True)
    return Takes(annotation, marks, False)


def names_a_file(field: Takes) -> bool:
    """Return whether the field is the name of a file, which would be read."""
    path = isinstance(field.type, type) and issubclass(field.type, PurePath)
    return path or any(mark is known for mark in field.marks for known in _FILES)


def made_of_parts(annotation: Any, above: tuple[Any, ...] = ()) -> bool:
    """Return whether components, tables or names of files lie within a type: in a list of them.

    ``above`` are the types that this one is within: a recursive one is not entered twice.
    """
    field = takes(annotation)
    model = isinstance(field.type, type) and issubclass(field.type, BaseModel)
    if model or field.room is not None or names_a_file(field):
        return True
    if get_origin(field.type) is Literal or any(annotation is one for one in above):
        return False
    return any(made_of_parts(part, (*above, annotation)) for part in get_args(field.type))


def kinds(room: type[Component]) -> list[str]:
    """Return the kinds of a room that can be chosen on a page: those that need no file."""
    return [kind for kind, cls in members(room).items() if not _needs_a_file(cls)]


def _needs_a_file(cls: type[Strict]) -> bool:
    fields = [takes(field) for field in cls.model_fields.values() if field.is_required()]
    return any(names_a_file(field) for field in fields)


def start(cls: type[Strict], old: Mapping[str, Any] = {}) -> dict[str, Any]:
    """Return what a component or table starts with: what it requires, and its components.

    A required number or component is what ``old``, the table in its place, has by that name, or
    else a plain one within its bounds. What has no plain value is left out, for the user to fill
    in. Components that are there by default are named, so that a path can lead into them.
    """
    found: dict[str, Any] = {}
    for name, field in cls.model_fields.items():
        what = takes(field)
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            value = default.model_dump() if isinstance(default, Component) else None
        else:
            value = old[name] if _goes_on(what, old.get(name)) else _plain(what, _rate(field))
        if value is not None:
            found[name] = value
    return found


def _goes_on(what: Takes, old: object) -> bool:
    """Return whether a field takes what another had by its name: no files, nor parts of parts."""
    if what.room is None or not isinstance(old, Mapping):
        return what.within(old)
    cls = members(what.room).get(str(old.get(what.room.tag)))
    return cls is not None and not any(map(made_of_parts, cls.model_fields.values()))


def _rate(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and "per step" in str(extra.get("unit"))


def _plain(field: Takes, rate: bool = False) -> Any:
    """Return a plain value that a required field takes, None if there is none such."""
    if field.room is not None:
        return _simplest(field.room)
    if field.table is not None:
        return start(field.table)
    if field.literals:
        return field.literals[0]
    if field.type in (int, float):
        return _number(field, rate)
    return {str: None, bool: False}.get(field.type) if field.type in (str, bool) else _some(field)


def _simplest(room: type[Component]) -> dict[str, Any] | None:
    """Return a component of the kind that requires least, None if all are made of others."""
    found = {kind: members(room)[kind] for kind in kinds(room)}
    plain = {kind: cost for kind, cls in found.items() if (cost := _cost(cls)) is not None}
    least = min(plain, key=lambda kind: plain[kind], default=None)
    return None if least is None else {room.tag: least, **start(found[least])}


def _cost(cls: type[Strict]) -> tuple[bool, int] | None:
    """Return how much a component requires, the least first; None where it requires others."""
    fields = list(cls.model_fields.values())
    required = [field for field in fields if field.is_required()]
    if any(map(made_of_parts, required)):
        return None
    return any(names_a_file(takes(field)) for field in fields), len(required)


def _number(field: Takes, rate: bool) -> float | None:
    low, high = field.limit("ge", "gt"), field.limit("le", "lt")
    if field.type is int:
        tried: list[Any] = [1] if low is None else [max(low, 0), low + 1]
        tried.append(high)
    else:
        middle = None if low is None or high is None else (low + high) / 2
        tried = [_SLOW if rate else _FEW, low, high, middle, 0.0]
    fit = (value for value in tried if value is not None and isfinite(value))
    return next((field.type(value) for value in fit if field.within(value)), None)


def _some(field: Takes) -> Any:
    """Return a plain value of the first alternative that has one, or a list as short as can be."""
    if get_origin(field.type) in (Union, UnionType):
        found = (_plain(takes(part)) for part in get_args(field.type))
        return next((value for value in found if value is not None), None)
    if get_origin(field.type) is list and not made_of_parts(field.type):
        entry = _plain(takes(get_args(field.type)[0]))
        return None if entry is None else [entry] * int(field.limit("min_length") or 1)
    return None
