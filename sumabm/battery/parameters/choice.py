"""One of several values: texts, components, numbers, whatever a scenario holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue

from sumabm.battery.parameters import Parameter, is_number, number
from sumabm.component import Objection, unknown
from sumabm.types import Array


class Choice(Parameter):
    """One of several values, of any sort that a scenario file holds; the first is the baseline.

    Numbers stand as numbers in tables and figures, others by their labels: a text or a component's
    kind where that tells them apart, else JSON.

    >>> methods = Choice(values=["budget", {"kind": "budget", "share": 0.5}, {"kind": "bayesian"}])
    >>> methods.names
    ['"budget"', '{"kind": "budget", "share": 0.5}', 'bayesian']
    """

    kind = "choice"

    values: Annotated[list[JsonValue], Field(min_length=1, description="what is chosen from")]
    labels: Annotated[
        list[str] | None, Field(description="what tables and figures call the values")
    ] = None

    def rules(self) -> Iterator[Objection]:
        """Refuse a value or a label given twice, and labels of another number than the values."""
        twice = _twice([_key(value) for value in self.values])
        if twice is not None:
            yield Objection(("values", twice), "is there twice", self.values[twice])
        elif self.labels is not None and len(self.labels) != len(self.values):
            rule = f"should be as many as there are values, {len(self.values)}"
            yield Objection(("labels",), rule, self.labels)
        elif (twice := _twice(self.names)) is not None:
            rule = "is there twice: every value needs a label of its own"
            yield Objection(("labels",), rule, self.names[twice])

    @property
    def names(self) -> list[str]:
        """Return the label of each value."""
        if self.labels is not None:
            return self.labels
        short = [_short(value) for value in self.values]
        times = Counter(short)
        return [
            name if times[name] == 1 else _json(value)
            for name, value in zip(short, self.values, strict=True)
        ]

    @property
    def _numeric(self) -> bool:
        return self.labels is None and all(is_number(value) for value in self.values)

    def at(self, unit: Array) -> list[Any]:
        """Return values, each from an equal share of [0, 1]; 1 belongs to the last."""
        n = len(self.values)
        positions = np.minimum(np.floor(unit[:, 0] * n), n - 1)
        return [self.values[int(position)] for position in positions]

    def grid(self, levels: int) -> Array:
        """Return the unit coordinate of every value, however many levels are asked for."""
        n = len(self.values)
        return ((np.arange(n) + 0.5) / n)[:, None]

    def middle(self) -> Array:
        """Return the unit coordinate of the first value."""
        return self.grid(1)[0]

    def columns(self, name: str, values: list[Any]) -> dict[str, NDArray[Any]]:
        """Return one column: numbers where all values are, else labels."""
        if self._numeric:
            whole = all(isinstance(value, int) for value in self.values)
            return {name: np.array(values, dtype=np.int64 if whole else np.float64)}
        names = {_key(value): name for value, name in zip(self.values, self.names, strict=True)}
        return {name: np.array([names[_key(value)] for value in values], dtype=np.str_)}

    def check(self, value: Any) -> str | None:
        """Return the rule unless it is one of the values."""
        if _key(value) in map(_key, self.values):
            return None
        return f"should be one of {', '.join(self.names)}"

    def read(self, cells: Sequence[str]) -> Any:
        """Return the value that a cell's number or label stands for."""
        keys: list[Any] = self.values if self._numeric else self.names
        cell = number(cells[0]) if self._numeric else cells[0]
        if cell not in keys:
            raise ValueError(unknown("value", cells[0], self.names).message())
        return self.values[keys.index(cell)]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _key(value: object) -> object:
    """Return what equal values of a scenario file share, and no others: 1 and 1.0, not true."""
    return value if is_number(value) else _json(value)


def _short(value: object) -> str:
    """Return a text as it is, of a component its kind, of anything else JSON."""
    kind = value.get("kind") if isinstance(value, dict) else value
    return kind if isinstance(kind, str) else _json(value)


def _twice(items: Sequence[object]) -> int | None:
    """Return the position of the first item that was there before."""
    seen: set[object] = set()
    for position, item in enumerate(items):
        if item in seen:
            return position
        seen.add(item)
    return None
