"""What an agent may see: a component acts on a `View` and on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sumabm.dynamics import Dynamics
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.worlds import World


@dataclass(frozen=True, slots=True)
class Sight:
    """One AI's act as an observer can see it: the world it found and the world it left.

    ``within``: both are a copy that has so many dimensions, the first ones; else it is None.
    """

    found: World
    left: World
    within: int | None = None

    def look(self, draw: Draw, looks: int) -> Array:
        """Return the whitened mean ``(R, w)`` of so many samples of what was left, less found."""
        return self.left.look(self.found, draw, looks)


class Reading(NamedTuple):
    """An aim as a probe reads it, ``v + σ N(0, I/d) (R, w)``; ``noise`` σ may be ``(R,)``."""

    aim: Array
    noise: Array | float


class Sights(Mapping[str, Sight]):
    """The acts of AIs by name, made out when somebody first looks at any of them."""

    def __init__(self, names: Iterable[str], make: Callable[[], Mapping[str, Sight]]) -> None:
        self._names, self._make = dict.fromkeys(names), make
        self._whole: Sights | None = None  # a cycle would keep worlds until they are collected
        self._made: Mapping[str, Sight] | None = None

    def __getitem__(self, name: str) -> Sight:
        self._names[name]  # of some AIs only: see `of`
        whole = self if self._whole is None else self._whole
        if whole._made is None:
            whole._made = whole._make()
        return whole._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def of(self, names: Iterable[str]) -> Sights:
        """Return the acts of some AIs alone."""
        some = Sights([name for name in names if name in self._names], self._make)
        some._whole = self if self._whole is None else self._whole
        return some


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The state of a step as one agent may know it; arrays are ``(R,)`` or ``(R, d)``.

    ``utility`` holds only the utilities that this agent may know, unit standard deviation under
    the base world. An AI knows its own and a human its own; an aligner knows none: it has
    ``goal``, the power-weighted mean of the humans' utilities, and ``sights`` of what AIs did.
    """

    step: int
    """The number of this step, from 0."""
    base: World
    """The world at the very start, with the dimensions that have appeared since."""
    before: World
    """The world when this step began."""
    world: World
    """The world now."""
    power: Mapping[str, Array]
    """Each agent's power this step, nats, ``(R,)``."""
    utility: Mapping[str, Array]
    """The utilities this agent may know, by agent."""
    goal: Array
    """v_Y in whitened coordinates, unit length, ``(R, d)``."""
    budget: Mapping[str, Array] = field(default_factory=dict)
    """For an aligner: nats ι per AI it oversees, its share of min(powers of AIs, of humans)."""
    looks: int = 0
    """For an aligner: samples of each act, or readings, that it is lent beside its own."""
    sights: Mapping[str, Sight] = field(default_factory=dict)
    """For an aligner: the acts of the AIs it oversees, by AI."""
    audits: Mapping[str, Callable[[], Sight]] = field(default_factory=dict)
    """For an aligner: by AI it oversees, a look at what it would do if nobody looked, in a copy."""
    readings: Mapping[str, Callable[[float, Draw, bool], Reading]] = field(default_factory=dict)
    """For an aligner: by AI it oversees, a reading of its aim, or of each part of it, by σ."""
    certainty: Mapping[str, Array] = field(default_factory=dict)
    """For an AI: the cosine that it expects its own aim to have with v_Y, ``(R,)``, if it says."""
    order: Mapping[str, Array]
    """The place of every AI in this step's order of acting, from 0, ``(R,)``."""
    kept: Array
    """The share of the AIs' displacement of the world that the humans' response left, ``(R,)``."""
    added: Array
    """What humans added to the world's displacement, whitened, ``(R, d)`` (or 0, a scalar)."""
    activation: str
    """The scenario's order of activation."""
    dynamics: Dynamics
    """What becomes of the world between steps."""
