"""Probability vectors: points of the simplex."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import betainc, betaincinv

from sumabm.battery.parameters import MOST_POINTS, OwnLevels, Parameter, is_number, number, tidy
from sumabm.component import Objection
from sumabm.types import Array

_NEAR = 1e-9  # how far from 1 the sum of a probability vector may be


class Simplex(Parameter):
    """A probability vector, from a symmetric Dirichlet distribution by breaking a stick.

    Of what entries 1 … i − 1 leave, entry i of n takes a share with the distribution
    Beta(a, a (n − i)), where ``a`` is the concentration: at 1 all vectors are equally likely, below
    it those near a vertex, above it those near the centre.

    >>> Simplex(size=3).at(Simplex(size=3).grid(2))
    [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """

    kind = "simplex"
    cites = ("sethuraman-1994",)

    size: Annotated[int, Field(ge=2, le=1000, description="entries of the vector")]
    concentration: Annotated[
        float, Field(ge=1e-3, le=1e6, description="of the Dirichlet distribution; 1 is uniform")
    ] = 1.0
    levels: OwnLevels = None
    baseline: Annotated[
        list[float] | None, Field(description="the vector while others vary; by default all equal")
    ] = None

    def rules(self) -> Iterator[Objection]:
        """Refuse a baseline that is no probability vector, or too unlikely."""
        if self.baseline is None:
            return
        if rule := self.check(self.baseline):
            yield Objection(("baseline",), rule, self.baseline)
            return
        try:
            self.middle()
        except ValueError as error:
            yield Objection(("baseline",), str(error), self.baseline)

    @property
    def coordinates(self) -> int:
        """Return one less than the size: the last entry is what the others leave."""
        return self.size - 1

    def at(self, unit: Array) -> list[list[float]]:
        """Return lists of ``size`` probabilities, rounded to 15 significant digits."""
        a, left = self.concentration, np.ones(len(unit))
        entries = []
        for i in range(self.coordinates):
            share = betaincinv(a, a * (self.coordinates - i), unit[:, i])
            entries.append(tidy(left * share))
            left = left * (1.0 - share)
        return [list(entry) for entry in zip(*entries, tidy(left), strict=True)]

    def _position(self, vectors: Array) -> Array:
        """Return the unit coordinates of probability vectors ``(n, size)``.

        Raises ValueError where the nearest numbers to them are other vectors: out in the tails of
        a distribution that is narrow.
        """
        a, unit = self.concentration, np.empty((len(vectors), self.coordinates))
        left = np.cumsum(vectors[:, ::-1], axis=1)[:, ::-1]
        for i in range(self.coordinates):
            share = np.divide(
                vectors[:, i], left[:, i], out=np.zeros(len(vectors)), where=left[:, i] > 0.0
            )
            unit[:, i] = betainc(a, a * (self.coordinates - i), np.minimum(share, 1.0))
        if not np.allclose(self.at(unit), vectors, rtol=0.0, atol=_NEAR):
            raise ValueError(f"concentration {a} puts such vectors out of reach; use a lower one")
        return unit

    def grid(self, levels: int) -> Array:
        """Return the unit coordinates of all vectors whose entries are whole ``1/(levels − 1)``.

        They are the ``(levels + size − 2 choose size − 1)`` points of Scheffé's simplex lattice.
        """
        whole = (self.levels or levels) - 1
        many = math.comb(whole + self.coordinates, self.coordinates)
        if many > MOST_POINTS:
            raise ValueError(f"levels: a grid of {many} vectors is too large; allowed: 1,000,000")
        places = whole + self.coordinates
        bars = np.array(list(combinations(range(places), self.coordinates)))
        walls = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, places)))
        return self._position((np.diff(walls, axis=1) - 1) / whole)

    def middle(self) -> Array:
        """Return the unit coordinates of the baseline, else of the vector of equal entries."""
        equal = [1.0 / self.size] * self.size
        return self._position(np.array([self.baseline or equal], dtype=np.float64))[0]

    def columns(self, name: str, values: list[Any]) -> dict[str, NDArray[Any]]:
        """Return a column of floats for each entry: ``name[0]``, ``name[1]`` and so on."""
        entries = np.array(values, dtype=np.float64).reshape(-1, self.size)
        return {f"{name}[{i}]": entries[:, i] for i in range(self.size)}

    def check(self, value: Any) -> str | None:
        """Return the rule unless the value is a list of probabilities that sum to 1."""
        is_vector = isinstance(value, list) and len(value) == self.size
        is_vector = is_vector and all(is_number(entry) and entry >= 0.0 for entry in value)
        if is_vector and abs(math.fsum(value) - 1.0) <= _NEAR:
            return None
        return f"should be {self.size} numbers, none negative, with the sum 1"

    def read(self, cells: Sequence[str]) -> Any:
        """Return the vector in as many cells."""
        value = [number(cell) for cell in cells]
        if rule := self.check(value):
            raise ValueError(rule)
        return value
