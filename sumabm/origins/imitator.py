"""The supervised learner: it wants the world that it has seen humans make."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from sumabm.origins import Origin
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World

_ROUNDING = 1e-12  # of a standard deviation: what is left where samples average to the base world


class Imitator(Origin[None]):
    """Trained once on samples of the world that humans would make; then its utility is fixed.

    Before the first step the humans, as one, tilt a copy of the base world along v_Y by the sum
    O_Y of their powers, and it sees n samples of that. Its aim is where their mean lies from base:
    in a Gaussian world the direction of ``N(sqrt(2O_Y) v_Y, I/n)``, of mean alignment
    ``E A_d(R|s|)``, ``R² = 2nO_Y``, ``s ~ N(R e, I)``; ``sqrt(x/(1+x))``, ``x = 2nO_Y/d``, as
    d → ∞. Other worlds agree with that to first order in sqrt(O_Y), and where n is large. Samples
    that average to the base world leave it with a random utility.
    """

    kind = "imitator"
    stochastic: ClassVar[bool] = True
    cites = ("mardia-jupp-2000", "dytso-2018")
    learns: ClassVar[bool] = True

    samples: Annotated[
        int, Field(ge=1, le=1_000_000, description="samples of the humans' world it is trained on")
    ] = 1

    def start(self, base: World, draw: Draw) -> Array:
        """Return the utility of one that is untrained: random, isotropic in whitened coordinates.

        Its training comes in `begin`, when all humans are there.
        """
        return base.colour(draw.normal(base.width))

    def begin(self, me: str, view: View, aim: Array, draw: Draw) -> tuple[Array, None]:
        """Return the direction of the samples' mean."""
        seen, _ = demonstrated(view, draw, self.samples)
        return along(seen, aim), None


def demonstrated(view: View, draw: Draw, samples: int) -> tuple[Array, Array]:
    """Return what the humans show of v_Y in a copy of the base world, all as one.

    The mean ``(R, w)`` of so many samples, whitened and less base's, and the amplitude
    ``sqrt(2 Σ O_Y)``, ``(R,)``. A mean of rounding errors alone is 0.
    """
    powers = [power for name, power in view.power.items() if name not in view.order]
    power = np.sum(powers, axis=0)
    world = view.base.tilt(view.base.colour(view.goal), power).world
    seen = world.look(view.base, draw, samples)
    some = np.abs(seen).max(axis=-1, keepdims=True) > _ROUNDING
    return np.where(some, seen, 0.0), np.sqrt(2.0 * power)


def along(vectors: Array, aim: Array) -> Array:
    """Return unit vectors along ``vectors (R, w)``, or ``aim`` where these are 0."""
    scale = np.abs(vectors).max(axis=-1, keepdims=True)
    some = scale > 0.0
    vectors = np.where(some, vectors / np.where(some, scale, 1.0), aim)
    return vectors / np.sqrt(np.vecdot(vectors, vectors))[:, None]
