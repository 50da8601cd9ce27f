"""Points spread over the whole space: at random, in a Latin hypercube, along a Sobol' sequence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.stats import qmc

from sumabm.battery.designs import Count, Design, Points, PowerOfTwo, dimensions, from_unit
from sumabm.battery.parameters import Parameter
from sumabm.types import Array


class Sample(Design):
    """A number of points, spread evenly over the unit cube."""

    stochastic = True

    points: Annotated[Count, Field(description="how many")]

    @abstractmethod
    def unit(self, dimensions: int, seed: int) -> Array:
        """Return the points ``(points, dimensions)`` in the unit cube."""

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return the points of the sample."""
        return from_unit(parameters, self.unit(dimensions(parameters), seed))


class Random(Sample):
    """Independent points; more of them begin with the same ones."""

    kind = "random"

    def unit(self, dimensions: int, seed: int) -> Array:
        """Return independent uniform points."""
        return np.random.default_rng(seed).random((self.points, dimensions))


class LatinHypercube(Sample):
    """Points that share each coordinate evenly: one in each n-th of it."""

    kind = "latin-hypercube"
    cites = ("mckay-1979",)

    def unit(self, dimensions: int, seed: int) -> Array:
        """Return a random Latin hypercube."""
        return qmc.LatinHypercube(dimensions, rng=seed).random(self.points)


class Sobol(Sample):
    """A scrambled Sobol' sequence, even in all coordinates together; more begin with the same."""

    kind = "sobol"
    cites = ("sobol-1967", "owen-1998")

    points: Annotated[PowerOfTwo, Field(description="how many, a power of two")]

    def unit(self, dimensions: int, seed: int) -> Array:
        """Return the first points of a scrambled sequence."""
        return qmc.Sobol(dimensions, rng=seed).random(self.points)
