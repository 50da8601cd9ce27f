"""What shifting the mean of a unit Gaussian costs under each measure, in closed form.

Only under KL divergence and Wasserstein distance is the shift the best action; under the others
it is the rule a Gaussian agent offers.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf, erfinv

from sumabm.types import Array

MEASURES = ("kl", "reverse-kl", "renyi", "chi2", "hellinger", "tv", "wasserstein")
"""The names that `shift_price` and `shift_within` take."""


def shift_price(beta: Array | float, measure: str, alpha: float | None = None) -> Array:
    """Return ``D(N(β, 1), N(0, 1))``.

    ``"kl"`` and ``"reverse-kl"`` ``β²/2``; ``"renyi"`` ``αβ²/2``; ``"chi2"`` ``e^(β²) − 1``;
    ``"hellinger"`` (squared, 1 − BC) ``1 − e^(−β²/8)``; ``"tv"`` ``2Φ(β/2) − 1``;
    ``"wasserstein"`` (the distance) ``β``.

    ``beta`` has any shape and either sign, in standard deviations. Accurate to rounding for tiny
    shifts; inf where the price leaves the float range.

    Raises ValueError on an unknown measure, and on an ``alpha`` that is missing, not wanted, 1
    (that is ``"kl"``) or not in (0, ∞).

    >>> float(shift_price(2.0, "kl")), float(shift_price(1.0, "wasserstein"))
    (2.0, 1.0)
    """
    check_measure(measure, alpha, MEASURES)
    order = 1.0 if alpha is None else alpha
    size = np.abs(np.asarray(beta, dtype=np.float64))
    with np.errstate(over="ignore", under="ignore"):
        if measure == "chi2":
            return np.expm1(size**2)
        if measure == "hellinger":
            return -np.expm1(-(size**2) / 8.0)
        if measure == "tv":
            return erf(size / np.sqrt(8.0))
        return size if measure == "wasserstein" else 0.5 * order * size**2


def shift_within(power: Array | float, measure: str, alpha: float | None = None) -> Array:
    """Return the largest shift of a unit Gaussian's mean within a power: the inverse of the price.

    ``power`` has any shape, in units of the measure, and may be inf. From the measure's largest
    value on (1 for ``"tv"`` and ``"hellinger"``) the shift is inf.

    Raises ValueError as `shift_price` does, and on a power below 0.

    >>> float(shift_within(0.5, "kl")), float(shift_within(1.0, "tv"))
    (1.0, inf)
    """
    check_measure(measure, alpha, MEASURES)
    order = 1.0 if alpha is None else alpha
    limit = np.asarray(power, dtype=np.float64)
    if not (limit >= 0.0).all():
        raise ValueError(f"power must be at least 0: got {power}")
    if measure == "chi2":
        return np.sqrt(np.log1p(limit))
    if measure == "hellinger":
        with np.errstate(divide="ignore"):
            return np.sqrt(-8.0 * np.log1p(-np.minimum(limit, 1.0)))
    if measure == "tv":
        return np.sqrt(8.0) * erfinv(np.minimum(limit, 1.0))
    return limit if measure == "wasserstein" else 2.0 * np.sqrt(0.5 * limit / order)


def check_measure(measure: str, alpha: float | None, known: tuple[str, ...]) -> None:
    """Raise ValueError unless ``measure`` is known and ``alpha`` is what it needs."""
    if measure not in known:
        allowed = ", ".join(repr(name) for name in known)
        raise ValueError(f"measure must be one of {allowed}: got {measure!r}")
    if (alpha is not None) != (measure == "renyi"):
        raise ValueError(
            'alpha is for the measure "renyi", which needs it: '
            f"got measure {measure!r} and alpha {alpha!r}"
        )
    if alpha == 1.0:
        raise ValueError('Rényi divergence of order 1 is KL: use the KL tilt, measure "kl"')
    if alpha is not None and not 0.0 < alpha < np.inf:
        raise ValueError(f"alpha must be a finite number above 0: got {alpha!r}")
