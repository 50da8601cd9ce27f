"""What a battery varies: how points of the unit cube become values for a scenario, and back.

A parameter takes one or more *unit coordinates*, uniform on [0, 1] in a random design, and turns
them into its values by the inverse of its distribution function. Designs know only the unit cube,
scenarios only the values.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sumabm.component import Component, Objection
from sumabm.types import Array

MOST_POINTS = 1_000_000
"""Points that a design, and so a grid of one parameter, may have."""

Levels = Annotated[int, Field(ge=2, le=MOST_POINTS)]
OwnLevels = Annotated[
    Levels | None, Field(description="values in a grid, in place of the design's own number")
]


class Parameter(Component):
    """One thing that a battery varies."""

    @property
    def coordinates(self) -> int:
        """Return how many unit coordinates it takes."""
        return 1

    @abstractmethod
    def at(self, unit: Array) -> list[Any]:
        """Return n values, as `Scenario.replace` takes them, of ``(n, coordinates)`` in [0, 1]."""

    @abstractmethod
    def grid(self, levels: int) -> Array:
        """Return unit coordinates ``(m, coordinates)`` of evenly spread values, ends included.

        The parameter's own ``levels`` win; no value is there twice. Raises ValueError for a grid
        that cannot be.
        """

    @abstractmethod
    def middle(self) -> Array:
        """Return the unit coordinates ``(coordinates,)`` of the value that others vary around."""

    @abstractmethod
    def columns(self, name: str, values: list[Any]) -> dict[str, NDArray[Any]]:
        """Return values as columns of a table ``(n,)``, labelled after the parameter's name."""

    @abstractmethod
    def check(self, value: Any) -> str | None:
        """Return the rule that a value from outside breaks, or None."""

    @abstractmethod
    def read(self, cells: Sequence[str]) -> Any:
        """Return the value of a row's cells, one for each of `columns`; raises ValueError."""

    def rules(self) -> Iterator[Objection]:
        """Yield what is wrong between its fields."""
        yield from ()

    @model_validator(mode="after")
    def _fits_together(self) -> Parameter:
        found: list[InitErrorDetails] = []
        for path, rule, value in self.rules():
            error = PydanticCustomError("does_not_fit", "{rule}", {"rule": rule})
            found.append({"type": error, "loc": path, "input": value})
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self


def tidy(numbers: Array) -> list[float]:
    """Return numbers rounded to 15 significant digits.

    So grids that mean the same number have the same number, to the bit, and share its runs.
    """
    return [float(f"{number:.15g}") for number in numbers.tolist()]


def is_number(value: object) -> bool:
    """Return whether a value is a number that a table's column of numbers can hold."""
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= 2**53
    return isinstance(value, float) and math.isfinite(value)


def number(cell: str) -> float:
    """Return the number that a table's cell holds; raises ValueError where it holds none."""
    try:
        return float(cell)
    except ValueError:
        raise ValueError("should be a number") from None
