"""The scenario `essay` in plain Mesa: an aligner that spends nats on the law of the AI's utility.

The law of the cosine is tabulated once for each number of nats, which all replicates have in
common: a user would notice. SciPy's Bessel functions do for the essay's 100 dimensions.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import brentq
from scipy.special import gammaln, ive

from benchmarks.peers.society import Aligner, Society
from sumabm.types import Array

GRID = 2001


class BudgetAligner(Aligner):
    """Tilts the law of the AI's utility by ``min(O_X, O_Y)`` nats a step; it keeps its quantile."""

    def __init__(self, model: Society) -> None:
        super().__init__(model)
        goal, utility = model.human.utility, model.ai.utility
        cosine = goal @ utility
        tangent = utility - cosine * goal
        self.tangent = tangent / np.linalg.norm(tangent)
        grid, cumulative, _ = law(model.dimensions, 0.0)
        self.quantile = np.interp(cosine, grid, cumulative)

    def step(self) -> None:
        """Take the AI to its quantile of the law with more nats spent on it."""
        model = self.model
        self.spent = min(model.ai.power, model.human.power)
        self.information += self.spent
        grid, cumulative, self.believed = law(model.dimensions, self.information)
        cosine = np.interp(self.quantile, cumulative, grid)
        sine = np.sqrt(1.0 - cosine**2)
        model.ai.utility = cosine * model.human.utility + sine * self.tangent


class Essay(Society):
    """One replicate of `essay`."""

    aligner_class = BudgetAligner


@lru_cache(maxsize=4096)
def law(dimensions: int, nats: float) -> tuple[Array, Array, float]:
    """Return cosines, their cumulative probabilities and mean once so many nats are spent."""
    kappa = 0.0 if nats == 0.0 else brentq(lambda k: spent(dimensions, k) - nats, 1e-6, 1e6)
    mean = mean_cosine(dimensions, kappa)
    sd = np.sqrt(1.0 - mean**2 - (dimensions - 1) * (mean / kappa if kappa else 1.0 / dimensions))
    grid = np.linspace(max(mean - 12.0 * sd, -1.0), min(mean + 12.0 * sd, 1.0), GRID + 2)[1:-1]
    log_density = kappa * grid + 0.5 * (dimensions - 3) * np.log1p(-(grid**2))
    density = np.exp(log_density - log_density.max())
    cumulative: Array = cumulative_trapezoid(density, grid, initial=0)
    return grid, cumulative / cumulative[-1], mean


def mean_cosine(dimensions: int, kappa: float) -> float:
    """Return ``A_d(κ) = I_{d/2}(κ)/I_{d/2−1}(κ)``."""
    below = ive(0.5 * dimensions - 1.0, kappa)
    return float(ive(0.5 * dimensions, kappa) / below) if below > 0.0 else kappa / dimensions


def spent(dimensions: int, kappa: float) -> float:
    """Return ``κ A_d(κ) − log 0F1(; d/2; κ²/4)``, the nats that κ costs."""
    order = 0.5 * dimensions - 1.0
    below = ive(order, kappa)
    if not below > 0.0:  # underflow: κ is far below 1
        return 0.5 * kappa**2 / dimensions
    log_norm = gammaln(order + 1.0) + np.log(below) + kappa - order * np.log(0.5 * kappa)
    return float(kappa * mean_cosine(dimensions, kappa) - log_norm)
