"""The von Mises-Fisher law on the unit sphere of R^d, d = 2 to 1e9: how hard alignment is.

Tilting the uniform law of a random unit vector by ``kappa c``, c its cosine to a fixed direction,
gives the von Mises-Fisher law; its mean cosine is the alignment bought, its relative entropy from
the uniform law the nats spent. Near c = 1 a float c cannot carry the information: every quantity
comes also in terms of the divergence ``1 - c``.
"""

from sumabm.sphere.moments import (
    concentration,
    cosine_from_nats,
    divergence,
    divergence_from_nats,
    mean_cosine,
    nats,
)
from sumabm.sphere.quantiles import cosine_cdf, cosine_logit, cosine_quantile, divergence_quantile
from sumabm.sphere.vectors import sample, sample_vectors

__all__ = [
    "concentration",
    "cosine_cdf",
    "cosine_from_nats",
    "cosine_logit",
    "cosine_quantile",
    "divergence",
    "divergence_from_nats",
    "divergence_quantile",
    "mean_cosine",
    "nats",
    "sample",
    "sample_vectors",
]
