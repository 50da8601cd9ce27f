"""Bounded worlds: a uniform distribution over a ball, a box or a simplex."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sumabm.types import Array
from sumabm.worlds.states import Points, normal_scores


class Bounded(Points):
    """A cloud of equally probable points, uniform in a ball, a box or a simplex.

    The ball is ``|s| ≤ 1``, the box ``−1 ≤ s_i ≤ 1``, the simplex ``s_i ≥ 0, Σ s_i ≤ 1``. An act
    ends on the best of the points from ``ln N`` nats on; well below, means of linear utilities are
    as exact as the cloud is even.
    """

    kind = "bounded"

    shape: Annotated[Literal["ball", "box", "simplex"], Field(description="what bounds the states")]

    def placed(self) -> Array:
        """Return scrambled Sobol' points, pushed into the shape."""
        if self.shape == "ball":
            return _into_ball(self.cube(self.dimensions + 1))
        cube = self.cube(self.dimensions)
        return 2.0 * cube - 1.0 if self.shape == "box" else _into_simplex(cube)


def _into_ball(cube: Array) -> Array:
    """Return a direction from all coordinates but the last, at a radius from that."""
    normal = normal_scores(cube[:, :-1])
    radius = cube[:, -1] ** (1.0 / normal.shape[1])
    return normal * (radius / np.sqrt(np.vecdot(normal, normal)))[:, None]


def _into_simplex(cube: Array) -> Array:
    """Return the gaps between sorted coordinates, which are uniform on the simplex."""
    return np.diff(np.sort(cube, axis=1), axis=1, prepend=0.0)
