"""What can be changed in a scenario on a page: a control for each field of each of its components.

Nothing is declared twice: names, types, bounds, units and words come from the components' classes.
Changes are overrides, as `sumabm.scenario.load_scenario` takes them. Here they need not validate
yet, so that a page can show what a new choice still lacks.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sumabm.browser.parameters.takes import Takes, kinds, made_of_parts, names_a_file, takes
from sumabm.browser.parameters.words import shown
from sumabm.component import Strict, expand, members
from sumabm.oversight import Relation
from sumabm.roles import AgentSpec
from sumabm.scenario import Scenario
from sumabm.toml import ScenarioError, keys_of, put

MOST_ENTRIES = 12
"""Entries of each role, and relations, that have controls."""

RELATION = "relation"
"""The role of a relation's controls: no agent has it."""

_NOT_CHANGED = ("scenario", "description", "tags")
_PLURALS = {"ai": "AIs", "human": "humans", "aligner": "aligners", RELATION: "relations"}

Sort = Literal["whole", "number", "choice", "switch", "word", "text"]
"""What is entered: "word" is taken as it is typed, "text" is anything else, written as TOML."""


class Control(NamedTuple):
    """A field of a scenario that can be changed.

    ``group`` is "run", "world" or the name of an agents' entry or of a relation; ``role`` is that
    entry's, or `RELATION`, else empty. ``value`` is as shown: a bool for a switch, else text, empty
    for none; ``original`` is the same as the scenario's file has it, None where that has no such
    field. ``choices`` are the values by their texts. ``fixed`` says why it can't be changed here.
    ``part`` is the room of a component whose kind this is, or the table that this switches on.
    """

    path: str
    group: str
    role: str
    label: str
    sort: Sort
    value: str | bool
    original: str | bool | None
    unit: str = ""
    about: str = ""
    bounds: str = ""
    choices: Mapping[str, object] = {}
    optional: bool = False
    fixed: str = ""
    part: type[Strict] | None = None

    @property
    def changed(self) -> bool:
        """Whether the file has this field and another value in it."""
        return self.original is not None and self.original != self.value

    def known(self) -> str:
        """Return what there is to know of it, in words: what it is, its bounds, what the file has.

        >>> from sumabm.scenario import load_scenario
        >>> controls(load_scenario("essay"), {"steps": 5})[0].known()
        'steps to run · ≥ 1, ≤ 100,000,000 · in the file: 200'
        """
        empty = "none" if self.sort == "choice" else "empty"
        by_texts: dict[str | bool | None, str] = {"": empty, True: "on", False: "off"}
        original = by_texts.get(self.original, str(self.original))
        known = (
            self.about,
            self.bounds,
            "may be left empty" if self.optional and self.sort != "choice" else "",
            self.fixed,
            f"in the file: {original}" if self.changed else "",
        )
        return " · ".join(filter(None, known))


class _Place(NamedTuple):
    """A table of a scenario: where it is, what it holds now and in the file, None if not there."""

    keys: tuple[str, ...]
    group: str
    role: str
    now: dict[str, Any]
    original: dict[str, Any] | None

    def below(self, key: str, now: object, group: str = "", role: str = "") -> _Place:
        there = self.original is not None and key in self.original
        original = table(self.original[key]) if there and self.original else None
        keys = (*self.keys, key)
        return _Place(keys, group or self.group, role or self.role, table(now), original)

    def control(self, keys: tuple[str, ...], field: FieldInfo, **found: Any) -> Control:
        """Return the control of what lies at ``keys`` below here."""
        all_keys = (*self.keys, *keys)
        above = 2 if self.role else int(self.group == "world")
        words = all_keys[above:-1] if all_keys[-1] == "kind" else all_keys[above:]
        label = " · ".join(words or all_keys[-1:]).replace("_", " ")
        about = field.description or ""
        return Control(".".join(all_keys), self.group, self.role, label, about=about, **found)


def controls(
    base: Scenario, overrides: Mapping[str, object] = {}, most: int = MOST_ENTRIES
) -> list[Control]:
    """Return the controls of a scenario with overrides, in the order of its fields.

    Overrides need not validate: what they lack is shown empty, and those that lead nowhere are
    left out. The first ``most`` entries of each role and relations have controls; see `more`.
    """
    top = _Place((), "run", "", drafted(base, overrides), base.model_dump())
    found: list[Control] = []
    for name, field in Scenario.model_fields.items():
        if name == "agents":
            found += _of_agents(base, top.below(name, top.now[name]), most)
        elif name == "relations":
            found += _of_relations(base, top.below(name, top.now[name]), most)
        elif name not in _NOT_CHANGED:
            found += _field(name, field, top._replace(group="world" if name == "world" else "run"))
    return found


def more(base: Scenario, most: int = MOST_ENTRIES) -> str:
    """Return in words how many agents and relations have no controls; empty if all have.

    >>> from sumabm.scenario import load_scenario
    >>> more(load_scenario("many"), most=1)
    '2 more AIs, 1 more human, 1 more aligner: change them in the file'
    """
    entries, left = Counter[str](), Counter[str]()
    for name, agent in base.agents.items():
        entries[agent.kind] += 1
        if entries[agent.kind] > most:
            left[agent.kind] += len(base.members(name))
    left[RELATION] = max(len(base.relations) - most, 0)
    told = [
        f"{n} more {_PLURALS[what].removesuffix('s' * (n == 1))}" for what, n in (+left).items()
    ]
    return f"{', '.join(told)}: change them in the file" if told else ""


def drafted(base: Scenario, overrides: Mapping[str, object]) -> dict[str, Any]:
    """Return the table of a scenario with overrides, whole parts first; it need not be valid.

    Overrides that lead nowhere are left out.
    """
    found = base.model_dump()
    for keys, value in sorted(
        ((keys_of(path), value) for path, value in overrides.items()),
        key=lambda item: (len(item[0]), item[0][-1] not in ("kind", "role")),
    ):
        try:
            put(found, keys, value, base.scenario)
        except ScenarioError:
            continue
    return found


def table(value: object) -> dict[str, Any]:
    """Return a component's table, of its shorthand too; empty for what is none."""
    full = expand(value)
    return full if isinstance(full, dict) else {}


def _of_agents(base: Scenario, place: _Place, most: int) -> Iterator[Control]:
    seen: Counter[str] = Counter()
    roles = members(AgentSpec)
    for name, agent in base.agents.items():
        seen[agent.kind] += 1
        now = table(place.now.get(name))
        role = str(now.get("role"))
        if seen[agent.kind] <= most and role in roles:
            yield from _fields(roles[role], place.below(name, now, name, role))


def _of_relations(base: Scenario, place: _Place, most: int) -> Iterator[Control]:
    field = Scenario.model_fields["relations"]
    for name in list(base.relations)[:most]:
        now = place.below(name, place.now.get(name), name, RELATION)
        kind = members(Relation).get(str(now.now.get(Relation.tag)))
        about = inspect.getdoc(kind)
        told = FieldInfo(description=about.partition("\n")[0]) if about else field
        yield from _component(told, takes(get_args(field.annotation)[1]), now)


def _fields(cls: type[Strict], place: _Place) -> Iterator[Control]:
    for name, field in cls.model_fields.items():
        yield from _field(name, field, place)


def _field(name: str, field: FieldInfo, place: _Place) -> Iterator[Control]:
    """Yield the control of a field, or those of the component or table that it takes."""
    what = takes(field)
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    now = place.now.get(name, default)
    if isinstance(now, BaseModel):
        now = now.model_dump()
    if what.room is not None:
        yield from _component(field, what, place.below(name, now))
    elif what.table is None:
        yield _entry(name, field, what, now, place)
    else:
        if what.optional:
            yield _switch(name, field, what.table, now, place)
        if now is not None or not what.optional:
            yield from _fields(what.table, place.below(name, now))


def _component(field: FieldInfo, what: Takes, place: _Place) -> Iterator[Control]:
    room = what.room
    assert room is not None
    now, all_kinds = str(place.now.get(room.tag, "")), members(room)
    original = None if place.original is None else str(place.original.get(room.tag, ""))
    choices = sorted({*kinds(room), *(all_kinds.keys() & {now, original})})
    yield place.control(
        (room.tag,),
        field,
        sort="choice",
        value=now,
        original=original,
        choices={choice: choice for choice in choices},
        optional=what.optional,
        part=room,
    )
    if now in all_kinds:
        yield from _fields(all_kinds[now], place)


def _switch(name: str, field: FieldInfo, part: type[Strict], now: object, place: _Place) -> Control:
    original = None if place.original is None else place.original.get(name) is not None
    return place.control(
        (name,), field, sort="switch", value=now is not None, original=original, part=part
    )


def _entry(name: str, field: FieldInfo, what: Takes, now: object, place: _Place) -> Control:
    """Return the control of a field that takes a value, not a component or table."""
    sort = _sort(what)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    value, fixed = _value(what, sort, now), _fixed(what)
    there = place.original is not None and name in place.original
    if value is None:
        value, fixed = "", "is too long to be changed here"
    return place.control(
        (name,),
        field,
        sort=sort,
        value=value,
        original=_value(what, sort, place.original[name]) if there and place.original else None,
        unit=str(extra.get("unit", "")),
        bounds=what.bounds(),
        choices={_word(choice): choice for choice in what.literals},
        optional=what.optional,
        fixed=fixed,
    )


def _sort(what: Takes) -> Sort:
    if what.literals:
        return "choice"
    sorts: dict[Any, Sort] = {bool: "switch", int: "whole", float: "number", str: "word"}
    return next((sort for type_, sort in sorts.items() if what.type is type_), "text")


def _fixed(what: Takes) -> str:
    if names_a_file(what):
        return "names a file: only the scenario's own can"
    return "is made of parts: change them in the file" if made_of_parts(what.type) else ""


def _value(what: Takes, sort: Sort, value: object) -> str | bool | None:
    """Return a value as shown, None where it is too long."""
    if sort == "switch":
        return value is True
    if names_a_file(what) and isinstance(value, str):
        return value.replace("\\", "/").rpartition("/")[2]  # no more is anybody's business
    return _word(value) if sort in ("choice", "word") else shown(value)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else shown(value)
