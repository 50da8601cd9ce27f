"""What an aligner learns by looking, in the limit of many dimensions."""

from __future__ import annotations

import numpy as np

from sumabm.types import Array


def bayesian_alignment(x: Array | float) -> Array:
    """Return ``c = sqrt(x/(1+x))``, ``x = Σ_t 2 n_t O_t / d``: alignment when edits don't bind.

    The limit d → ∞ of a von Mises–Fisher belief after n looks at each act of power O.

    >>> float(bayesian_alignment(1.0))
    0.7071067811865476
    """
    x = np.asarray(x, dtype=np.float64)
    return np.sqrt(x / (1.0 + x))


def bayesian_information(d: float, x: Array | float) -> Array:
    """Return ``(d/2) ln(1 + x)`` nats, the limit d → ∞ of what the looks have told."""
    return np.asarray(0.5 * d * np.log1p(x))
