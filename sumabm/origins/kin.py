"""Utilities alike within a family: copies of one agent, strangers, and all between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, StringConstraints

from sumabm.component import Objection
from sumabm.origins import Origin
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.worlds import World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class Kin(Origin[None]):
    """A random utility that resembles those of the same family, as far as asked.

    ``v_i = sqrt(ρ) z + sqrt(1 − ρ) e_i`` in whitened coordinates, ρ the ``likeness``: z is the
    family's random direction, e_i one's own, at right angles to z; all are unit vectors. At any
    d ≥ 2 each v_i is uniform and two of them have a cosine of mean ρ and variance
    ``(1 − ρ)²/(d − 1)``; members of likeness ρ and ρ' have a mean of ``sqrt(ρ ρ')``. So ρ = 1 makes
    copies, and ρ = 0 strangers, as random as two utilities in d − 1 dimensions. AIs and humans of
    one family are akin to each other, too. Dimensions that appear later have a z and e_i of their
    own, and there and in the old ones ρ holds to ``O(1/d)``.
    """

    kind = "kin"
    stochastic: ClassVar[bool] = True

    family: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"),
        Field(description="a name; who gives the same one is of the same family"),
    ]
    likeness: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            description="mean cosine ρ of two members' utilities: 1 makes copies, 0 strangers",
        ),
    ]

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse worlds of a single dimension, in which none has a direction of its own."""
        if scenario.world.known_sphere == 1:
            yield Objection((), "needs utilities in two dimensions or more", self.kind)

    def start(self, base: World, draw: Draw) -> Array:
        """Return a utility of one's own, ``(R, …)``."""
        return base.colour(draw.normal(base.width))

    def akin(self, base: World, utility: Array, family: Callable[[str], Draw]) -> Array:
        """Return the family's direction and what of ``utility`` is across it, by likeness."""
        shared = base.colour(family(self.family).normal(base.width))
        z, own = _unit(base.whiten(shared)), base.whiten(utility)
        own = _unit(own - np.vecdot(own, z)[:, None] * z)
        return base.colour(np.sqrt(self.likeness) * z + np.sqrt(1.0 - self.likeness) * own)


def _unit(vectors: Array) -> Array:
    return vectors / np.sqrt(np.vecdot(vectors, vectors))[:, None]
