"""Discrete worlds as a scenario names them: a cloud, a grid, given states, a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.data import DataFile, read_columns
from sumabm.types import Array
from sumabm.worlds import WorldSpec
from sumabm.worlds.discrete import DiscreteWorld

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

MAX_STATES = 100_000_000
MAX_NUMBERS = 100_000_000  # states × features
MAX_PRODUCTS = 10_000_000_000  # states × features²: seconds, each time that a file is read


class DiscreteSpec(WorldSpec):
    """A discrete world: probabilities ``(N,)`` and, perhaps, features ``(N, d)`` of its states."""

    utilities: Annotated[
        Literal["linear", "free"],
        Field(description="linear in the states' features, or any table over the states"),
    ] = "linear"

    @abstractmethod
    def states(self) -> tuple[Array, Array | None]:
        """Return probabilities ``(N,)`` and features ``(N, d)``, or None; raises ValueError."""

    def __eq__(self, other: object) -> bool:
        """Compare parameters, not whether the states were made already."""
        return isinstance(other, type(self)) and self.model_dump() == other.model_dump()

    __hash__ = WorldSpec.__hash__

    @cached_property
    def given(self) -> tuple[Array, Array | None]:
        """What `states` returns, made or read once."""
        return self.states()

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse states that make no world, and linear utilities without features."""
        try:
            if self.utilities == "linear" and self.given[1] is None:
                rule = "these states have no features: use utilities = 'free'"
                yield Objection(("utilities",), rule, "linear")
            elif self._made.dimensions < 2:
                yield Objection((), "needs utilities of at least 2 dimensions", self.kind)
        except ValueError as error:
            yield Objection((), str(error), self.kind)

    @cached_property
    def _made(self) -> DiscreteWorld:
        probabilities, features = self.given
        if self.utilities == "free" or features is None:
            return DiscreteWorld(probabilities)
        if rule := self.too_large(*features.shape):
            raise ValueError(rule)
        return DiscreteWorld(probabilities, features)

    def too_large(self, states: int, features: int) -> str:
        """Return which bound a world of this size breaks; an empty text for none."""
        if states > MAX_STATES:
            return f"there should be at most {MAX_STATES:g} states, got {states:g}"
        if states * features > MAX_NUMBERS:
            return f"states × features should be at most {MAX_NUMBERS:g}, got {states * features:g}"
        if self.utilities == "linear" and states * features**2 > MAX_PRODUCTS:
            return (
                f"states × features² should be at most {MAX_PRODUCTS:g}, got {states}×{features}²"
            )
        return ""

    def __getstate__(self) -> dict[Any, Any]:
        """Leave out what is made of the parameters: it can be large."""
        state = dict(super().__getstate__())
        made = {"given", "_made"}
        state["__dict__"] = {k: v for k, v in state["__dict__"].items() if k not in made}
        return state

    @property
    def coefficients(self) -> int:
        """One per feature."""
        try:
            features = self.given[1]
        except ValueError:
            return 0
        return 0 if features is None or self.utilities == "free" else features.shape[1]

    @property
    def sphere(self) -> int:
        """The features, or one less than the supported states."""
        return self.build(1).dimensions

    def build(self, replicates: int) -> DiscreteWorld:
        """Return the base world, the same in all replicates."""
        return self._made


class Points(DiscreteSpec):
    """Equally probable points, made from a scrambled Sobol' sequence."""

    points: Annotated[int, Field(ge=4, le=MAX_STATES, description="number N of points")]
    dimensions: Annotated[int, Field(ge=2, le=10_000, description="features of a point")]
    seed: Annotated[
        int, Field(ge=0, le=2**63, description="of the points, which all replicates share")
    ] = 0

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse points that are too many, then as any discrete world."""
        if rule := self.too_large(self.points, self.dimensions):
            yield Objection(("points",), rule, self.points)
            return
        yield from super().objections(scenario, agent)

    @property
    def coefficients(self) -> int:
        """One per feature, of which there may be too many to make them."""
        return 0 if self.utilities == "free" else self.dimensions

    def states(self) -> tuple[Array, Array]:
        """Return equal probabilities and the points."""
        if rule := self.too_large(self.points, self.dimensions):
            raise ValueError(rule)
        return np.full(self.points, 1.0 / self.points), self.placed()

    @abstractmethod
    def placed(self) -> Array:
        """Return the points ``(N, d)``."""

    def cube(self, width: int) -> Array:
        """Return the sequence's first points in the unit cube, ``(N, width)``."""
        from scipy.stats import qmc

        sobol = qmc.Sobol(width, rng=self.seed)
        return sobol.random_base2(int(np.ceil(np.log2(self.points))))[: self.points]


def normal_scores(cube: Array) -> Array:
    """Return points of the unit cube pushed to ``N(0, I)``."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(cube, 2.0**-54, 1.0 - 2.0**-53)))


class Cloud(Points):
    """A discretised Gaussian: N equally probable points drawn from ``N(0, I)``."""

    kind = "cloud"

    def placed(self) -> Array:
        """Return scrambled Sobol' points, pushed to normal."""
        return normal_scores(self.cube(self.dimensions))


class Grid(DiscreteSpec):
    """A grid of equal steps in each dimension, with the probabilities of ``N(0, I)``."""

    kind = "grid"

    steps: Annotated[int, Field(ge=2, le=100_000, description="points along each dimension")]
    dimensions: Annotated[int, Field(ge=1, le=20, description="dimensions of the grid")] = 1
    reach: Annotated[
        float, Field(gt=0.0, le=37.0, description="half-width", json_schema_extra={"unit": "sd"})
    ] = 5.0

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a grid that is too large, then as any discrete world."""
        if rule := self.too_large(self.steps**self.dimensions, self.dimensions):
            yield Objection(("steps",), rule, self.steps)
            return
        yield from super().objections(scenario, agent)

    @property
    def coefficients(self) -> int:
        """One per dimension, of which there may be too many to make the grid."""
        return 0 if self.utilities == "free" else self.dimensions

    def states(self) -> tuple[Array, Array]:
        """Return Gaussian weights, normalised, and the grid's points."""
        if rule := self.too_large(self.steps**self.dimensions, self.dimensions):
            raise ValueError(rule)
        line = np.linspace(-self.reach, self.reach, self.steps)
        points = np.stack(np.meshgrid(*[line] * self.dimensions, indexing="ij"), axis=-1)
        features = points.reshape(-1, self.dimensions)
        weights = np.exp(-0.5 * np.square(features).sum(axis=-1))
        return weights / weights.sum(), features


class States(DiscreteSpec):
    """States written out in the scenario, with their probabilities and features."""

    kind = "states"

    probabilities: Annotated[
        list[float], Field(min_length=2, description="of each state; of sum 1")
    ]
    features: Annotated[
        list[list[float]] | None, Field(description="of each state, by which utilities are linear")
    ] = None
    names: Annotated[list[str] | None, Field(description="of the states, for figures")] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse lists of different lengths, then as any discrete world."""
        size = len(self.probabilities)
        for field in ("features", "names"):
            given = getattr(self, field)
            if given is not None and len(given) != size:
                rule = f"should have one entry per state, {size}"
                yield Objection((field,), rule, f"{len(given)} entries")
                return
        if len({len(row) for row in self.features or []}) > 1:
            yield Objection(("features",), "should have rows of one length", self.features)
            return
        yield from super().objections(scenario, agent)

    def states(self) -> tuple[Array, Array | None]:
        """Return them as arrays."""
        features = None if self.features is None else np.asarray(self.features, np.float64)
        return np.asarray(self.probabilities, np.float64), features


class Table(DiscreteSpec):
    """States in the rows of a CSV or Parquet file."""

    kind = "table"

    file: Annotated[
        DataFile, Field(description="a CSV or Parquet file, from the scenario's folder")
    ]
    probability: Annotated[
        str | None, Field(description="column of probabilities or weights; all equal without")
    ] = None
    features: Annotated[list[str], Field(description="columns of features")] = []

    def states(self) -> tuple[Array, Array | None]:
        """Return normalised weights and the columns of features."""
        columns = [*([self.probability] if self.probability else []), *self.features]
        if not columns:
            raise ValueError("name a column of probabilities, or of features")
        values = read_columns(self.file, columns)
        weights = values[:, 0] if self.probability else np.ones(len(values))
        if not np.all(weights >= 0.0) or not 0.0 < weights.sum() < np.inf:
            raise ValueError(f"{self.file}: weights must be finite and not negative")
        features = values[:, 1:] if self.probability else values
        return weights / weights.sum(), features if self.features else None
