"""What a named, validated, registered part is, and how a scenario field takes one.

A component is a frozen, strict pydantic model: its fields are its parameters, its methods its
behaviour. A *room* is the base class of one sort of component (`Power`, `Harm`, …); every subclass
with a ``kind`` is a member, found in the room's own modules, in any installed package that lists
a module under the entry-point group ``sumabm.components``, or defined by the user in a session.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
import warnings
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializationInfo,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

ENTRY_POINTS = "sumabm.components"


class Objection(NamedTuple):
    """Why a component does not fit its scenario: a path below it, the rule, the value got."""

    path: tuple[str | int, ...]
    rule: str
    value: object


class Strict(BaseModel):
    """A frozen pydantic model that refuses what it does not know and says what it would take."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _name_what_is_allowed(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(data)
        except ValidationError as error:
            problems = [cls._explain(problem) for problem in error.errors(include_url=False)]
        raise ValidationError.from_exception_data(cls.__name__, problems)

    @classmethod
    def _explain(cls, problem: Any) -> InitErrorDetails:
        kind: str | PydanticCustomError = problem["type"]
        if kind == "extra_forbidden" and len(problem["loc"]) == 1:
            allowed = [field.alias or name for name, field in cls.model_fields.items()]
            kind = unknown("key", str(problem["loc"][0]), allowed)
        elif kind not in _BUILT_IN:
            kind = PydanticCustomError("rule", "{rule}", {"rule": problem["msg"]})
        details: InitErrorDetails = {"type": kind, "loc": problem["loc"], "input": problem["input"]}
        if "ctx" in problem:
            details["ctx"] = problem["ctx"]
        return details


_BUILT_IN = frozenset(get_args(core_schema.ErrorType))
_MANY = 30  # names in one message


def unknown(what: str, got: str, allowed: list[str]) -> PydanticCustomError:
    """Return the error that an unknown name deserves: what is allowed, and the nearest of it."""
    near = get_close_matches(got, allowed, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    more = f" and {len(allowed) - _MANY} more" if len(allowed) > _MANY else ""
    names = (", ".join(sorted(allowed)[:_MANY]) or "nothing") + more
    return PydanticCustomError(
        "unknown_name",
        "unknown {what}; allowed: {names}{hint}",
        {"what": what, "names": names, "hint": hint},
    )


class Component(Strict):
    """Specification and strategy in one: fields are parameters, methods are behaviour.

    Declare in the class body: ``kind`` (its name in a scenario file; leave it out of a room's base
    class), ``stochastic`` (draws random numbers), ``cites`` (bibliography keys), ``later`` (fields
    that came after others, which no identity tells of while they have their default, so that
    seeds made from one stay). The first line of the docstring is the description that ``sumabm
    list`` shows.
    """

    kind: ClassVar[str]
    stochastic: ClassVar[bool] = False
    cites: ClassVar[tuple[str, ...]] = ()
    later: ClassVar[tuple[str, ...]] = ()
    tag: ClassVar[str] = "kind"

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Yield the reasons why this component cannot serve ``agent`` in this scenario."""
        yield from ()

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: Any, info: SerializationInfo) -> dict[str, Any]:
        table = {self.tag: self.kind, **handler(self)}
        for name in self.later if (info.context or {}).get("identity") else ():
            if getattr(self, name) == type(self).model_fields[name].default:
                del table[name]
        return table


C = TypeVar("C", bound=Component)


@functools.cache
def _discover(module: str) -> None:
    """Import a room's module and what lies in it, then every plug-in's modules, once."""
    room = importlib.import_module(module)
    for info in pkgutil.iter_modules(getattr(room, "__path__", ())):
        importlib.import_module(f"{module}.{info.name}")
    for plug_in in entry_points(group=ENTRY_POINTS):
        try:
            plug_in.load()
        except Exception as error:
            warnings.warn(f"plug-in {plug_in.value} is left out: {error!r}", stacklevel=2)


def members(room: type[C]) -> dict[str, type[C]]:
    """Return the room's components by kind, in alphabetical order.

    Raises TypeError when two different classes claim one kind. A class defined again under the
    same module and name (a notebook cell run twice) replaces the earlier one.
    """
    _discover(room.__module__)
    found: dict[str, type[C]] = {}
    for cls in _below(room):
        if "kind" not in cls.__dict__:
            continue
        other = found.setdefault(cls.kind, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two components of kind {cls.kind!r}: {other!r} and {cls!r}")
        found[cls.kind] = cls
    return dict(sorted(found.items()))


def _below(cls: type[C]) -> Iterator[type[C]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _below(sub)


class Slot:
    """Marks a field that takes a component: ``Annotated[Power, Slot(Power)]``.

    It accepts an instance, a table with a ``kind``, a bare name (that kind with its defaults) or a
    bare number (the kind "constant", where the room has one), and looks the kind up when it
    validates, so that plug-ins defined late work and error paths stay short.
    """

    def __init__(self, room: type[Component]) -> None:
        self.room = room

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._fill,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda component, info: component.model_dump(context=info.context), info_arg=True
            ),
        )

    def _fill(self, value: object, info: ValidationInfo) -> Component:
        if isinstance(value, self.room):
            return value
        table = expand(value)
        tag = self.room.tag
        if not isinstance(table, dict):
            raise PydanticCustomError(
                "not_a_component", "should be a table, a name or a number, for a component"
            )
        if tag not in table:
            raise PydanticCustomError(
                "no_kind",
                "'{tag}' is missing; allowed: {names}",
                {"tag": tag, "names": ", ".join(members(self.room))},
            )
        kind = table[tag]
        kinds = members(self.room)
        if not isinstance(kind, str) or kind not in kinds:
            raise unknown(tag, str(kind), list(kinds))
        fields = {key: entry for key, entry in table.items() if key != tag}
        return kinds[kind].model_validate(fields, context=info.context)


def expand(value: object) -> object:
    """Return a component's shorthand in full: a name its kind, a number a constant.

    >>> expand("undo"), expand(2.0)
    ({'kind': 'undo'}, {'kind': 'constant', 'value': 2.0})
    """
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"kind": "constant", "value": value}
    return value


def foreign_sources(parts: Iterable[type[Component]]) -> dict[str, str]:
    """Return the sources behind those components that are not ours, by where they are defined.

    Of a component in a package, every Python file of the package; else its module, or the class
    itself where only that can be had.
    """
    ours = __name__.partition(".")[0]
    classes = {cls for part in parts for cls in part.__mro__ if issubclass(cls, Component)}
    foreign = {cls for cls in classes if cls.__module__.partition(".")[0] != ours}
    return {f"{cls.__module__}.{cls.__qualname__}": _source(cls) for cls in foreign}


def _source(cls: type[Component]) -> str:
    module = sys.modules.get(cls.__module__)
    home = sys.modules.get(cls.__module__.partition(".")[0])
    folders = [Path(folder) for folder in getattr(home, "__path__", ())]
    if files := sorted(file for folder in folders for file in folder.rglob("*.py")):
        return "\0".join(file.read_text(encoding="utf-8") for file in files)
    for defined in (module, cls):
        try:
            return inspect.getsource(defined)  # type: ignore[arg-type]
        except (OSError, TypeError):
            continue
    return ""  # typed into an interpreter: no source to tell it by
