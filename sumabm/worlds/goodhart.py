"""The world of Goodhart's law: a truth V that humans want, an error X that a proxy adds to it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from sumabm.component import Slot
from sumabm.laws import ORDER, GaussianLaw, Law, Panels
from sumabm.types import Array
from sumabm.worlds.states import MAX_STATES, DiscreteSpec


class Goodhart(DiscreteSpec):
    """Pairs (V, X) of a truth and an error: humans want V, the AI the proxy U = V + X.

    The features of a state are V and X, so that the utility V has coefficients [1, 0] and the
    proxy [1, 1]. States are the nodes of a Gauss–Legendre quadrature, a column of V's for every X:
    means under a tilt are exact to about 1e-7 at 8 panels and 1e-10 at 16. A quantilizer's cut and
    the best of n depend on single states: there E[V] is off by up to 0.07 sd at 8 panels, 0.007 at
    16, 0.002 at 32 (t₃ cut at 30, to 10 nats). ``level`` takes that away where a quantilizer cuts
    at a multiple of it.

    With ``correlation`` ρ, V and X are dependent by a Gaussian copula: their normal scores have
    correlation ρ, and each keeps its law, but for the cuts. With a one-sided law that is not zero
    at its end, means are then exact to 1e-3 only.
    """

    kind = "goodhart"
    cites = ("kwa-2024",)

    error: Annotated[Law, Slot(Law), Field(description="the law of X, the proxy's error")]
    truth: Annotated[Law, Slot(Law), Field(description="the law of V, the truth")] = GaussianLaw()
    correlation: Annotated[
        float, Field(ge=-0.99, le=0.99, description="of the normal scores of V and X")
    ] = 0.0
    panels: Annotated[
        int, Field(ge=2, le=1000, multiple_of=2, description=f"of {ORDER} nodes, for V and for X")
    ] = 16
    level: Annotated[
        float | None,
        Field(ge=1e-6, le=1e100, description="panels also end where V + X is a multiple of this"),
    ] = None

    def _levels_crossed(self) -> int:
        """Return how many multiples of ``level`` fit between the least V and the greatest."""
        if self.level is None:
            return 0
        edges = self.truth.edges(2)
        return int((edges[-1] - edges[0]) / self.level) + 1

    def states(self) -> tuple[Array, Array]:
        """Return the weights of the quadrature, normalised, and (V, X).

        Raises ValueError for more states than a world may have, and for panels so wide that no
        node is where V and X may be.
        """
        count = self.panels * (self.panels + self._levels_crossed()) * ORDER**2
        if count > MAX_STATES:
            raise ValueError(f"panels and level should make at most {MAX_STATES} states: {count}")
        across = Panels.between(self.error.edges(self.panels))
        x = across.nodes.reshape(-1, 1, 1)
        edges = self._edges(x[:, 0, 0])
        along = Panels.between(edges)
        v = along.nodes
        weights = along.weights * self.truth.density(v)
        weights = weights * across.weights.reshape(x.shape) * self.error.density(x)
        if self.correlation:
            weights = weights * self._copula(self.truth.scores(v), self.error.scores(x))
        there = weights > 0.0
        if not there.any():
            raise ValueError("no state is likely: use more panels, or nearer cuts")
        features = np.stack([v[there], np.broadcast_to(x, v.shape)[there]], axis=-1)
        return weights[there] / weights[there].sum(), features

    def _edges(self, x: Array) -> Array:
        """Return the edges ``(columns, …)`` of V's panels in the column of each ``x``."""
        own = self.truth.edges(self.panels)
        columns = np.broadcast_to(own, (x.size, own.size))
        if self.level is None:
            return columns
        first = np.ceil((own[0] + x) / self.level)
        steps = first[:, None] + np.arange(self._levels_crossed())
        crossed = np.clip(self.level * steps - x[:, None], own[0], own[-1])
        return np.sort(np.concatenate([columns, crossed], axis=1), axis=1)

    def _copula(self, v: Array, x: Array) -> Array:
        """Return the Gaussian copula's density at normal scores, but for a factor."""
        rho = self.correlation
        exponent = rho * v * x - 0.5 * rho**2 * (v**2 + x**2)
        return np.exp(exponent / (1.0 - rho**2))
