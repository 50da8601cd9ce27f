"""Which points of its parameters' space a battery runs."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sumabm.battery.parameters import MOST_POINTS, Parameter
from sumabm.component import Component
from sumabm.types import Array

Count = Annotated[int, Field(ge=1, le=MOST_POINTS)]


def _is_power_of_two(points: int) -> int:
    if points & (points - 1):
        more = 1 << points.bit_length()
        rule = f"should be a power of two, for a balanced sequence: {more // 2} or {more}"
        raise PydanticCustomError("power_of_two", "{rule}", {"rule": rule})
    return points


PowerOfTwo = Annotated[Count, AfterValidator(_is_power_of_two)]


@dataclass(frozen=True)
class Points:
    """The n points of a design, parameter by parameter."""

    values: dict[str, list[Any]]
    """By parameter name, n values."""
    unit: dict[str, Array]
    """By parameter name, ``(n, coordinates)`` in [0, 1]; not of points that were listed."""

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), [None]))  # of no parameters: the base itself


class Design(Component):
    """How points are laid out."""

    @abstractmethod
    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return the points, which parameters and seed determine.

        Raises ValueError, naming the key, for a design that does not fit the parameters.
        """


def limited(points: int, key: str) -> int:
    """Return a number of points; raises ValueError, naming a key, where it is too large."""
    if points > MOST_POINTS:
        raise ValueError(f"{key}: makes {points} points; allowed: at most {MOST_POINTS}")
    return points


def cross(sizes: Sequence[int], key: str) -> list[NDArray[np.int64]]:
    """Return the cross product of ranges, a position ``(n,)`` in each; the first varies slowest.

    Raises ValueError, naming a key, where there are too many.
    """
    inner = n = limited(math.prod(sizes), key)
    positions = []
    for size in sizes:
        inner //= size
        positions.append(np.arange(n) // inner % size)
    return positions


def dimensions(parameters: Mapping[str, Parameter]) -> int:
    """Return how many unit coordinates the parameters take; raises ValueError where none do."""
    if not parameters:
        raise ValueError("needs at least one parameter")
    return sum(parameter.coordinates for parameter in parameters.values())


def from_unit(parameters: Mapping[str, Parameter], unit: Array) -> Points:
    """Return the points at unit coordinates ``(n, dimensions)``, parameter after parameter."""
    ends = np.cumsum([parameter.coordinates for parameter in parameters.values()])
    parts = dict(zip(parameters, np.split(unit, ends[:-1], axis=1), strict=True))
    return Points({name: parameters[name].at(part) for name, part in parts.items()}, parts)


def problem(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return SALib's description of the unit cube.

    Its names are the coordinates'. Where a parameter takes more than one, every parameter is a
    group, and SALib's indices are the parameters'. Raises ValueError where there is no parameter.

    >>> from sumabm.battery.parameters.simplex import Simplex
    >>> problem({"p": Simplex(size=3)})
    {'num_vars': 2, 'names': ['p[0]', 'p[1]'], 'bounds': [[0, 1], [0, 1]], 'groups': ['p', 'p']}
    """
    each = [
        (name, f"{name}[{i}]" if parameter.coordinates > 1 else name)
        for name, parameter in parameters.items()
        for i in range(parameter.coordinates)
    ]
    found: dict[str, Any] = {
        "num_vars": dimensions(parameters),
        "names": [coordinate for _, coordinate in each],
        "bounds": [[0, 1] for _ in each],
    }
    if len(parameters) < len(each):
        found["groups"] = [name for name, _ in each]
    return found
