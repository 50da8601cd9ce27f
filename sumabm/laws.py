"""Laws of one quantity, cut to a finite range: what a world's quadrature is made of."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from sumabm.component import Component
from sumabm.types import Array

ORDER = 8
"""Gauss–Legendre nodes to a panel."""

_FAR = 37.0  # a normal score beyond which there is no probability that floats could hold
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(ORDER)


class Panels(NamedTuple):
    """Nodes and weights ``(…, panels, ORDER)`` that integrate smooth functions over panels."""

    nodes: Array
    weights: Array

    @classmethod
    def between(cls, edges: Array) -> Panels:
        """Return Gauss–Legendre panels between neighbouring ``edges (…, panels + 1)``.

        >>> panels = Panels.between(np.array([0.0, 1.0, 3.0]))
        >>> round(float((panels.weights * panels.nodes**2).sum()), 12)
        9.0
        """
        half = 0.5 * np.diff(edges)[..., None]
        return cls(edges[..., :-1, None] + half * (1.0 + _NODES), half * _WEIGHTS)


class Law(Component):
    """The law of one quantity: a standard law times ``scale``, without what lies beyond ``cut``."""

    symmetric: ClassVar[bool] = True
    low: ClassVar[float] = 0.0
    """The least value of a standard law that is not symmetric."""

    scale: Annotated[
        float, Field(ge=1e-100, le=1e100, description="factor on the standard law")
    ] = 1.0
    cut: float

    @abstractmethod
    def standard(self) -> Any:
        """Return the standard law, before the cut: a frozen distribution of SciPy."""

    def edges(self, panels: int) -> Array:
        """Return the edges ``(panels + 1,)`` of panels that are narrow in the body, wide in a tail.

        They are equal steps in arsinh of the standard law, from its middle or its lower end; with
        an even number of panels the middle is an edge.
        """
        reach = np.arcsinh(self.cut - self.low)
        steps = np.linspace(-reach if self.symmetric else 0.0, reach, panels + 1)
        return self.scale * (self.low + np.sinh(steps))

    def density(self, x: Array) -> Array:
        """Return the density at ``x``, but for a factor."""
        return np.asarray(self.standard().pdf(x / self.scale))

    def scores(self, x: Array) -> Array:
        """Return the normal scores ``Φ⁻¹(P(X ≤ x))`` under the law before the cut."""
        from scipy.special import ndtri

        law, y = self.standard(), x / self.scale
        below, above = law.cdf(y), law.sf(y)
        return np.clip(np.where(below < above, ndtri(below), -ndtri(above)), -_FAR, _FAR)


class GaussianLaw(Law):
    """N(0, 1): light tails."""

    kind = "gaussian"

    cut: Annotated[
        float, Field(gt=0.0, le=37.0, description="half-width", json_schema_extra={"unit": "scale"})
    ] = 10.0

    def standard(self) -> Any:
        """Return the standard normal law."""
        from scipy import stats

        return stats.norm()


class StudentT(Law):
    """Student's t: tails that fall as ``|x|^−(df + 1)``."""

    kind = "student-t"

    df: Annotated[float, Field(ge=0.1, le=1e6, description="degrees of freedom")] = 3.0
    cut: Annotated[
        float, Field(gt=0.0, le=1e9, description="half-width", json_schema_extra={"unit": "scale"})
    ] = 30.0

    def standard(self) -> Any:
        """Return the t law."""
        from scipy import stats

        return stats.t(self.df)


class Laplace(Law):
    """Laplace: both tails fall as ``exp(−|x|)``."""

    kind = "laplace"

    cut: Annotated[
        float,
        Field(gt=0.0, le=700.0, description="half-width", json_schema_extra={"unit": "scale"}),
    ] = 40.0

    def standard(self) -> Any:
        """Return the Laplace law."""
        from scipy import stats

        return stats.laplace()


class Exponential(Law):
    """Exponential: ``exp(−x)`` from 0 on."""

    kind = "exponential"
    symmetric: ClassVar[bool] = False

    cut: Annotated[
        float, Field(gt=0.0, le=700.0, description="greatest", json_schema_extra={"unit": "scale"})
    ] = 40.0

    def standard(self) -> Any:
        """Return the exponential law."""
        from scipy import stats

        return stats.expon()


class Pareto(Law):
    """Pareto: ``x^−(index + 1)`` from 1 on."""

    kind = "pareto"
    symmetric: ClassVar[bool] = False
    low: ClassVar[float] = 1.0

    index: Annotated[float, Field(ge=0.1, le=1e3, description="the tail falls as x^−index")] = 3.0
    cut: Annotated[
        float, Field(gt=1.0, le=1e9, description="greatest", json_schema_extra={"unit": "scale"})
    ] = 30.0

    def standard(self) -> Any:
        """Return the Pareto law."""
        from scipy import stats

        return stats.pareto(self.index)
