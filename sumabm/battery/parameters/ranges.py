"""Numbers between two bounds, on a linear or a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from sumabm.battery.parameters import OwnLevels, Parameter, is_number, number, tidy
from sumabm.component import Objection
from sumabm.types import Array

Bound = Annotated[float, Field(ge=-1e100, le=1e100)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]


class Range(Parameter):
    """A number between two bounds, spread evenly over the numbers or over their logarithms."""

    low: Annotated[Bound, Field(description="the least value")]
    high: Annotated[Bound, Field(description="the greatest value")]
    scale: Annotated[
        Literal["linear", "log"], Field(description="what the values are spread evenly over")
    ] = "linear"
    levels: OwnLevels = None
    baseline: Annotated[
        Bound | None, Field(description="the value while others vary; by default the middle")
    ] = None

    def rules(self) -> Iterator[Objection]:
        """Refuse bounds in the wrong order, the logarithm of 0 and a baseline outside."""
        if not self.low < self.high:
            yield Objection(("high",), f"should be greater than low, {self.low}", self.high)
        if self.scale == "log" and self.low <= 0.0:
            yield Objection(("low",), "should be greater than 0 on a log scale", self.low)
        if self.baseline is not None and (rule := self.check(self.baseline)):
            yield Objection(("baseline",), rule, self.baseline)

    @property
    def _ends(self) -> tuple[float, float]:
        """Return where the unit coordinates 0 and 1 lie."""
        return self.low, self.high

    def _spread(self, unit: Array, ends: tuple[float, float]) -> Array:
        """Return the points at these shares of the way from one end to the other."""
        low, high = ends
        if self.scale == "log":
            return low ** (1.0 - unit) * high**unit
        return low * (1.0 - unit) + high * unit

    def _position(self, points: ArrayLike) -> Array:
        """Return the unit coordinates of points, the inverse of `_spread` between the ends."""
        low, high = self._ends
        x = np.asarray(points, dtype=np.float64)
        if self.scale == "log":
            return np.log(x / low) / math.log(high / low)
        return (x - low) / (high - low)

    def middle(self) -> Array:
        """Return the unit coordinate of the baseline, else ½: the mean or geometric mean."""
        return np.array([0.5]) if self.baseline is None else self._position([self.baseline])

    def check(self, value: Any) -> str | None:
        """Return the rule unless the value is a number within the bounds."""
        if is_number(value) and self.low <= value <= self.high:
            return None
        return f"should be a number from {self.low} to {self.high}"

    def read(self, cells: Sequence[str]) -> Any:
        """Return the number in a cell."""
        value = number(cells[0])
        if rule := self.check(value):
            raise ValueError(rule)
        return value


class Continuous(Range):
    """Any number between two bounds: ``low + (high − low) u``, or ``low (high / low)^u``.

    >>> power = Continuous(low=0.1, high=10.0, scale="log")
    >>> power.at(power.grid(3))
    [0.1, 1.0, 10.0]
    """

    kind = "continuous"

    def at(self, unit: Array) -> list[float]:
        """Return floats within the bounds."""
        points = tidy(self._spread(unit[:, 0], self._ends))
        return [min(max(point, self.low), self.high) for point in points]

    def grid(self, levels: int) -> Array:
        """Return unit coordinates of equal steps on the scale, bounds included."""
        return np.linspace(0.0, 1.0, self.levels or levels)[:, None]

    def columns(self, name: str, values: list[Any]) -> dict[str, NDArray[Any]]:
        """Return one column of floats."""
        return {name: np.array(values, dtype=np.float64)}


class Integer(Range):
    """A whole number between two bounds, both included; on the linear scale all equally likely.

    On the log scale ``k`` has a probability in proportion to ``log((k + ½) / (k − ½))``.

    >>> dimensions = Integer(low=10, high=1000, scale="log")
    >>> dimensions.at(dimensions.grid(3))
    [10, 100, 1000]
    """

    kind = "integer"

    low: Annotated[Whole, Field(description="the least value")]
    high: Annotated[Whole, Field(description="the greatest value")]
    baseline: Annotated[
        Whole | None, Field(description="the value while others vary; by default the middle")
    ] = None

    @property
    def _ends(self) -> tuple[float, float]:
        return self.low - 0.5, self.high + 0.5

    def at(self, unit: Array) -> list[int]:
        """Return ints within the bounds."""
        points = np.floor(self._spread(unit[:, 0], self._ends) + 0.5)
        return [min(max(int(point), self.low), self.high) for point in points]

    def grid(self, levels: int) -> Array:
        """Return unit coordinates of the whole numbers nearest to equal steps on the scale."""
        shares = np.linspace(0.0, 1.0, self.levels or levels)
        points = np.rint(self._spread(shares, (self.low, self.high)))
        return self._position(np.unique(points))[:, None]

    def middle(self) -> Array:
        """Return the unit coordinate of the baseline, else of the whole number nearest the mean."""
        centre = np.rint(self._spread(np.array([0.5]), (self.low, self.high)))
        return self._position(centre if self.baseline is None else [self.baseline])

    def columns(self, name: str, values: list[Any]) -> dict[str, NDArray[Any]]:
        """Return one column of ints."""
        return {name: np.array(values, dtype=np.int64)}

    def check(self, value: Any) -> str | None:
        """Return the rule unless the value is an int within the bounds."""
        if isinstance(value, int) and super().check(value) is None:
            return None
        return f"should be a whole number from {self.low} to {self.high}"

    def read(self, cells: Sequence[str]) -> Any:
        """Return the whole number in a cell, which tables may write as 3.0."""
        value = number(cells[0])
        whole = int(value) if value.is_integer() else value
        if rule := self.check(whole):
            raise ValueError(rule)
        return whole
