"""Worlds: probability distributions over states that agents tilt.

A world is a value: an action returns a new one. A `WorldSpec` is the component that a scenario
file names; it builds the base world of all replicates.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, NamedTuple, Protocol, Self

import numpy as np
from pydantic import Field

from sumabm.component import Component, Slot
from sumabm.display import html_table
from sumabm.dynamics import Dynamics, Reset
from sumabm.streams import Draw
from sumabm.types import Array


class Tilt(NamedTuple):
    """What one act did: the new world, the multiplier β, the nats spent, the gain in E[u]."""

    world: World
    beta: Array
    spent: Array
    gain: Array

    def _repr_html_(self) -> str:
        facts = {"world": type(self.world).__name__, "β": self.beta}
        return html_table("Tilt", facts | {"spent (nats)": self.spent, "gain": self.gain})


class World(Protocol):
    """What every world offers; arrays start with the replicate axis ``(R, …)``.

    A utility is an array that the world understands: in a Gaussian world the coefficients of a
    linear utility, ``(R, d)``. Powers are nats, scalar or ``(R,)``. Utilities have *whitened*
    coordinates ``(R, w)``, in which standard deviation is length and correlation the cosine; they
    fill a sphere in ``dimensions``, which may be fewer than w.
    """

    @property
    def dimensions(self) -> int:
        """The dimensions of the sphere that utilities fill."""
        ...

    @property
    def width(self) -> int:
        """The number w of whitened coordinates."""
        ...

    def linear(self, coefficients: Array) -> Array:
        """Return the utility with these coefficients on the states' features, ``(d,)``."""
        ...

    def tilt(
        self,
        utility: Array,
        power: Array | float,
        measure: str = "kl",
        alpha: float | None = None,
    ) -> Tilt:
        """Return the world best for ``utility`` within ``power`` of this one, by a measure."""
        ...

    def tilt_together(self, acts: list[tuple[Array, Array]]) -> list[Tilt]:
        """Return the tilts of agents that act at once, each solved against this world.

        Every Tilt holds the one world that results; ``spent`` is each agent's own KL divergence.
        """
        ...

    def toward(self, other: Self, power: Array | float) -> Tilt:
        """Return the world closest to ``other`` within ``power`` nats of this one; β is 1 there."""
        ...

    def expect(self, utility: Array) -> Array:
        """Return ``E[u]``, ``(R,)``."""
        ...

    def spread(self, utility: Array) -> Array:
        """Return the standard deviation of u, ``(R,)``."""
        ...

    def nats_from(self, base: Self) -> Array:
        """Return ``KL(self‖base)`` in nats, ``(R,)``."""
        ...

    def best_gain(self, utility: Array, nats: Array) -> Array:
        """Return the largest rise of ``E[u]`` that ``nats`` can buy from this world, ``(R,)``."""
        ...

    def report(self, base: Self) -> dict[str, Array]:
        """Return what else there is to record of this world, ``(R,)`` by variable."""
        ...

    def relax(self, base: Self, share: float) -> Self:
        """Return ``∝ self^(1−share) · base^share``: the world on its way back to ``base``."""
        ...

    def shift(self, reference: Self) -> Array:
        """Return the whitened displacement ``(R, w)`` of the mean from ``reference``'s.

        To first order in sqrt(O), and exactly in a Gaussian world, a tilt of power O along a unit
        aim ω shifts the world by ``sqrt(2O) ω``.
        """
        ...

    def look(self, reference: Self, draw: Draw, looks: int) -> Array:
        """Return the whitened mean of ``looks`` sampled states less ``reference``'s, ``(R, w)``.

        Its mean is `shift`, and its noise about ``N(0, I/looks)``.
        """
        ...

    def pick(self, worlds: list[Self], index: Array) -> Self:
        """Return the world whose replicate r is that of ``worlds[index[r]]``."""
        ...

    def whiten(self, utility: Array) -> Array:
        """Return coordinates in which standard deviation is length and correlation the cosine."""
        ...

    def colour(self, coordinates: Array) -> Array:
        """Return the utility of whitened coordinates: the inverse of `whiten`."""
        ...


class WorldSpec(Component):
    """A world as a scenario names it."""

    dynamics: Annotated[
        Dynamics, Slot(Dynamics), Field(description="what becomes of the world between steps")
    ] = Reset()

    @property
    @abstractmethod
    def coefficients(self) -> int:
        """How many coefficients a linear utility has in this world."""

    @property
    @abstractmethod
    def sphere(self) -> int:
        """The dimensions of the sphere that utilities fill."""

    @property
    def known_sphere(self) -> int | None:
        """`sphere`, or None where the world cannot be built, to which it objects itself."""
        try:
            return self.sphere
        except ValueError:
            return None

    @abstractmethod
    def build(self, replicates: int) -> World:
        """Return the base world of ``replicates`` replicates."""


def per_row(power: Array | float) -> Array:
    """Return ``power`` as an array, checked: nats are finite and not negative.

    Raises ValueError naming the value.
    """
    nats = np.asarray(power, dtype=np.float64)
    if not np.all((nats >= 0.0) & (nats < np.inf)):
        bad = nats[~((nats >= 0.0) & (nats < np.inf))].flat[0]
        raise ValueError(f"power must be finite and at least 0 nats, got {bad}")
    return nats
