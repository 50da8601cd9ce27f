"""What a mean alignment costs, in nats of optimisation: the essay's difficulty of alignment."""

from __future__ import annotations

import numpy as np

from sumabm import sphere
from sumabm.theory.arguments import checked, log_width
from sumabm.types import Array


def alignment_cost(d: Array | float, threshold: Array | float) -> Array:
    """Return the nats that bring a random utility to mean alignment ``threshold``.

    ``D_d(c) = κ c − log 0F1(; d/2; κ²/4)`` with ``A_d(κ) = c``: the least relative entropy from
    the uniform law on the sphere. ``d ≥ 2`` and ``threshold`` in [0, 1] broadcast; 0 at c = 0,
    about ``d c²/2`` when small, infinite at c = 1. The inverse of `law.alignment`. Values out of
    range raise ValueError. [mardia-jupp-2000]

    >>> round(float(alignment_cost(1000, 0.5)), 6)
    143.808796
    """
    return np.asarray(sphere.nats(d, checked("a cosine", "threshold", threshold)))


def alignment_cost_limit(d: Array | float, threshold: Array | float) -> Array:
    """Return ``−(d/2) ln(1 − c²) + ½ ln(1 − c⁴)`` nats, `alignment_cost` but for O(1/d).

    Linear in d for every threshold c: the essay's third plot. Arguments broadcast; d ≥ 2,
    threshold in [0, 1], infinite at 1; other values raise ValueError.

    >>> round(float(alignment_cost_limit(1000, 0.5)), 6)
    143.808767
    """
    d, c = checked("dimensions", "d", d), checked("a cosine", "threshold", threshold)
    return 0.5 * (np.log1p(c * c) - (d - 1.0) * log_width(c))


def cost_per_dimension(threshold: Array | float) -> Array:
    """Return ``−½ ln(1 − c²)``: nats that each further dimension adds, as d → ∞.

    Any shape of ``threshold`` in [0, 1] (else ValueError); infinite at 1.

    >>> round(float(cost_per_dimension(0.9)), 6)
    0.830366
    """
    return -0.5 * log_width(checked("a cosine", "threshold", threshold))
