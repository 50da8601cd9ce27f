"""The von Mises–Fisher law by `scipy.stats`: samples, a fit, the nats it costs."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln
from scipy.stats import vonmises_fisher

from sumabm.types import Array


def sample(mean: Array, kappa: float, size: int, rng: np.random.Generator) -> Array:
    """Return ``size`` unit vectors ``(size, d)``."""
    law = vonmises_fisher(mean, kappa)  # type: ignore[arg-type]  # its stubs know whole ones
    return np.asarray(law.rvs(size, random_state=rng))


def fit(vectors: Array) -> tuple[Array, float]:
    """Return the mean direction and the concentration of vectors ``(n, d)``."""
    mean, kappa = vonmises_fisher.fit(vectors)
    return np.asarray(mean), float(kappa)


def nats(dimensions: int, kappa: float) -> float:
    """Return the KL divergence from the uniform law: the entropy of that, less this one's."""
    half = 0.5 * dimensions
    log_area = np.log(2.0) + half * np.log(np.pi) - gammaln(half)
    mean = np.eye(dimensions)[0]
    law = vonmises_fisher(mean, kappa)  # type: ignore[arg-type]
    return float(log_area - law.entropy())
