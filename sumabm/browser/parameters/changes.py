"""What is done to a scenario on a page: entries become overrides, and problems find their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from sumabm.browser.parameters.controls import Control, drafted, table
from sumabm.browser.parameters.takes import start
from sumabm.browser.parameters.words import MOST_TYPED, shown
from sumabm.component import Component, members
from sumabm.scenario import Scenario
from sumabm.toml import ScenarioError, keys_of, override_value

_MOST_WHOLE = 2**63  # what a seed may be
_NOWHERE = object()


def entered(control: Control, entry: object) -> object:
    """Return an entry, text or a switch's bool, as a value for the control's field.

    The value is of a type that the field takes, but not always within its bounds: that is the
    scenario's to say. An empty entry is None where that is allowed. Raises ValueError, with a
    message for the user, for what is no such value.
    """
    if control.fixed:
        raise ValueError(control.fixed)
    if control.sort == "switch":
        if not isinstance(entry, bool):
            raise ValueError("should be on or off")
        return entry
    if not isinstance(entry, str) or any("\ud800" <= letter <= "\udfff" for letter in entry):
        raise ValueError("should be text")
    if len(entry) > MOST_TYPED:
        raise ValueError(f"is longer than {MOST_TYPED} characters")
    text = entry if control.sort == "word" else entry.strip()
    if not text and control.optional:
        return None
    return _READ[control.sort](control, text)


def _whole(_: Control, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ValueError("should be a whole number") from None
    if abs(value) > _MOST_WHOLE:
        raise ValueError("is too large")
    return value


def _number(_: Control, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("should be a number") from None
    if not isfinite(value):
        raise ValueError("should be a finite number")
    return value


def _choice(control: Control, text: str) -> object:
    if text not in control.choices:
        raise ValueError(f"should be one of {', '.join(control.choices)}")
    return control.choices[text]


def _text(_: Control, text: str) -> object:
    if not text:
        raise ValueError("should not be empty")
    return override_value(text)


_READ: dict[str, Callable[[Control, str], object]] = {
    "whole": _whole,
    "number": _number,
    "choice": _choice,
    "word": lambda _, text: text,
    "text": _text,
}


def put_override(
    base: Scenario, overrides: Mapping[str, object], control: Control, value: object
) -> dict[str, object]:
    """Return the overrides with the control's field set to a value, as `entered` gives them.

    A kind is set with all that it requires, as `takes.start` has it, in place of
    every override of the old kind's fields. What changes nothing is no override.
    """
    path, part = control.path, control.part
    if part is not None and issubclass(part, Component):
        path = path.removesuffix(f".{part.tag}")
    left = {key: old for key, old in overrides.items() if not f"{key}.".startswith(f"{path}.")}
    there = _at(drafted(base, left), path)
    if part is None or value in (None, False):
        value = None if value is False and part is not None else value
        same = there is not _NOWHERE and _same(there, value)
        return left if same else {**left, path: value}
    if not issubclass(part, Component):
        return left if table(there) else {**left, path: start(part)}
    if table(there).get(part.tag) == value:
        return left
    kind = str(value)
    fields = start(members(part)[kind], table(_at(drafted(base, overrides), path)))
    return {**left, path: {part.tag: kind, **fields} if fields else kind}


def _at(place: object, path: str) -> object:
    """Return what lies at a path of a table, `_NOWHERE` if nothing does."""
    for key in keys_of(path):
        place = table(place).get(key, _NOWHERE)
    return place


def _same(one: object, other: object) -> bool:
    text = shown(one)  # so that tuples are lists, and numbers are what is read back
    return text is not None and text == shown(other)


def told(error: ScenarioError, found: Iterable[Control]) -> tuple[dict[str, list[str]], list[str]]:
    """Return an error's problems by the path of the control that they belong to, and the others.

    A problem belongs to the control at its own path, or else to the nearest one above: an entry of
    a list to the list, a component to its kind.
    """
    paths = {control.path for control in found}
    placed: dict[str, list[str]] = {}
    others = []
    for problem in error.problems:
        where, _, rule = problem.partition(": ")
        keys = where.split(".")
        for depth in range(len(keys), 0, -1):
            above, below = ".".join(keys[:depth]), ".".join(keys[depth:])
            path = above if above in paths else f"{above}.kind"
            if path in paths:
                line = f"{below}: {rule}" if below else rule
                lines = placed.setdefault(path, [])
                lines += [line] * (line not in lines)  # each type of a union may have the same
                break
        else:
            others.append(problem)
    return placed, others


@dataclass(frozen=True)
class Draft:
    """Changes to a scenario that are being made: they may not validate yet.

    ``ran`` are the overrides of the run on show, ``overrides`` those that are to be. ``refused``
    has entries that are no values, and why, by their controls' paths; ``error`` is why the
    overrides do not validate.
    """

    base: Scenario
    ran: Mapping[str, object]
    overrides: dict[str, object]
    refused: Mapping[str, tuple[object, str]] = field(default_factory=dict)
    error: ScenarioError | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nothing in the file is changed, nor about to be."""
        return not (self.ran or self.overrides or self.refused)

    def enter(self, control: Control, entry: object) -> Draft:
        """Return the draft with what was entered into one of its controls."""
        path = control.path
        refused = {key: old for key, old in self.refused.items() if key != path}
        try:
            value = entered(control, entry)
        except ValueError as error:
            return replace(self, refused={**refused, path: (entry, str(error))})
        overrides = put_override(self.base, self.overrides, control, value)
        try:
            self.base.replace(overrides)
        except ScenarioError as error:
            return replace(self, overrides=overrides, refused=refused, error=error)
        except Exception as error:  # a plug-in's, or memory that is not there
            told = ScenarioError("the scenario", [f"{type(error).__name__}: {error}"])
            return replace(self, overrides=overrides, refused=refused, error=told)
        return replace(self, overrides=overrides, refused=refused, error=None)

    def problems(self, found: Iterable[Control]) -> tuple[dict[str, list[str]], list[str]]:
        """Return what is wrong by the path of the control that it belongs to, and the rest."""
        found = list(found)
        placed, others = told(self.error, found) if self.error is not None else ({}, [])
        there = {control.path for control in found}
        placed.update({path: [why] for path, (_, why) in self.refused.items() if path in there})
        return placed, others
