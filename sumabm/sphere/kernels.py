"""The kernels behind `sumabm.sphere.moments`: they take numbers, or arrays of one shape.

The law on the unit sphere of R^d has density proportional to ``exp(kappa c)`` in the cosine ``c``
to its mean direction. Write ``A`` for the mean cosine, ``phi = 1 - A``, ``m = d - 1``. Expansions
in 1/m (`sumabm.sphere.series`), in forms that neither cancel nor overflow, hold wherever
``hypot(m, 2 kappa)`` is large: also at small d when kappa is large. Inside that circle the
recurrence of the ratio in d, run downwards (its stable direction) from where they hold, does the
rest.
"""

from functools import lru_cache

import numpy as np

from sumabm.sphere._elementwise import Floats, either
from sumabm.sphere.series import CONCENTRATION, MEAN, NATS, TERMS, evaluate

RADIUS = 100.0
"""The expansions are used where hypot(m, 2 kappa) >= RADIUS: 4e-15 relative is left there."""
CLIMB = 32
"""Steps of 2 in d from which the recurrence comes down."""
TINY = 1e-150
"""Below it the cosine is proportional to kappa, and the nats to its square, to all digits."""
REMEMBERED = 1024
"""Laws found from one number of nats that are kept, 300 bytes each."""

Pair = tuple[Floats, Floats]
"""A and 1 - A, each rounded but once."""


def _expanded_mean(d: Floats, kappa: Floats, terms: int = TERMS) -> Pair:
    """Expand A and 1 - A: in either, all terms but the small corrections are positive."""
    half = 0.5 * (d - 1.0)
    span = np.hypot(half, kappa)
    p, h = half / span, 0.5 / span
    leading = kappa / (half + span)
    correction = leading * (p * h * evaluate(MEAN[:terms], p, h))
    rest = half / (half + span) * (1.0 + half / (kappa + span))
    return leading + correction, rest - correction


def _near(d: Floats, kappa: Floats) -> Floats:
    """Return A inside the circle; the climb damps the error of its start: a few terms do."""
    mean, _ = _expanded_mean(d + 2.0 * CLIMB, kappa, terms=4)
    for step in range(CLIMB - 1, -1, -1):
        mean = kappa / (d + 2.0 * step + kappa * mean)
    return mean


def _near_pair(d: Floats, kappa: Floats) -> Pair:
    cosine = _near(d, kappa)
    return cosine, 1.0 - cosine


def _certain(d: Floats, value: Floats) -> Pair:
    """Return A and 1 - A of the law at its mean direction, that of infinite kappa or nats."""
    return np.ones_like(value), np.zeros_like(value)


def _finite_pair(d: Floats, kappa: Floats) -> Pair:
    near = np.hypot(d - 1.0, 2.0 * kappa) < RADIUS
    pair: Pair = either(near, _near_pair, _expanded_mean, d, kappa)
    return pair


def mean_pair(d: Floats, kappa: Floats) -> Pair:
    """Return A and 1 - A from numbers, or arrays of one shape."""
    pair: Pair = either(kappa == np.inf, _certain, _finite_pair, d, kappa)
    return pair


def _near_concentration(
    d: Floats, cosine: Floats, ratio: Floats, h: Floats, leading: Floats
) -> Floats:
    """Return kappa inside the circle: three steps of Halley's method, each cubic, from 3 %."""
    m = d - 1.0
    kappa = leading * (1.0 + h + h * h * (1.0 - ratio * ratio) / (1.0 + h))
    for _ in range(3):
        mean = _near(d, kappa)
        ratio = mean / kappa
        slope = (1.0 - mean) * (1.0 + mean) - m * ratio
        bend = m / kappa * (ratio - slope) - 2.0 * mean * slope
        gap = cosine - mean
        kappa = kappa + gap / (slope + 0.5 * gap * bend / slope)
    return kappa


def _expanded_concentration(
    d: Floats, cosine: Floats, ratio: Floats, h: Floats, leading: Floats
) -> Floats:
    return leading * (1.0 + h * evaluate(CONCENTRATION, ratio * ratio, h))


def concentration_of(d: Floats, cosine: Floats, divergence: Floats) -> Floats:
    """Return kappa from A and 1 - A (each rounded but once), numbers or arrays of one shape."""
    m = d - 1.0
    scaled = np.maximum(cosine, TINY)
    width = divergence * (1.0 + scaled)  # 1 - c^2
    ratio = width / (1.0 + scaled * scaled)
    h = ratio / m
    leading = m * scaled / width
    near = h * RADIUS > 1.0
    kappa = either(near, _near_concentration, _expanded_concentration, d, scaled, ratio, h, leading)
    found: Floats = kappa * (cosine / scaled)
    return found


def nats_of(d: Floats, cosine: Floats, divergence: Floats, kappa: Floats | None = None) -> Floats:
    """Return the nats D from A and 1 - A, numbers or arrays of one shape; kappa saves time.

    The expansion in 1/m at fixed c, none of whose terms cancels another; at small d taken at
    d + 2 CLIMB and the same kappa, from which the recurrence comes down.
    """
    known = () if kappa is None else (kappa,)
    spent: Floats = either(d < RADIUS, _low_nats, _high_nats, d, cosine, divergence, *known)
    return spent


def _high_nats(d: Floats, cosine: Floats, divergence: Floats, *_: Floats) -> Floats:
    return _expanded_nats(d, d, cosine, divergence)


def _low_nats(d: Floats, cosine: Floats, divergence: Floats, kappa: Floats | None = None) -> Floats:
    if kappa is None:
        kappa = concentration_of(d, cosine, divergence)
    high = d + 2.0 * CLIMB
    top, top_phi = _expanded_mean(high, kappa)
    spent = _expanded_nats(d, high, top, top_phi)
    rise = kappa * np.where(cosine < 0.5, cosine - top, top_phi - divergence)
    rise = rise - _log_fall(d, kappa, top, top_phi)
    return np.where(kappa == np.inf, np.inf, spent + rise)


def _expanded_nats(d: Floats, high: Floats, cosine: Floats, divergence: Floats) -> Floats:
    """Expand D in 1/m at d = high; the rest of it at d, without what `_log_fall` adds."""
    square = cosine * cosine
    width = divergence * (1.0 + cosine)
    ratio = width / (1.0 + square)
    away = 2.0 * square / (1.0 + square)  # 1 - ratio
    m = high - 1.0
    spent = away * away / m * evaluate(NATS, ratio, 1.0 / m)
    return spent + 0.5 * ((d - 1.0) * np.log1p(square / width) + np.log1p(square))


def _log_fall(d: Floats, kappa: Floats, top: Floats, top_phi: Floats) -> Floats:
    """Return ``log(F_d / F_e) + CLIMB log(1 - A_e^2)``, e = d + 2 CLIMB, given top = A_e.

    F_d is 0F1(; d/2; kappa^2/4) and ``F_d / F_{d+2} = 1 + kappa A_{d+2} / d``. Each of these takes
    one of the CLIMB factors 1 - A_e^2, which brings it near 1 however large kappa is.
    """
    square, width = top * top, top_phi * (1.0 + top)
    mean = top
    logs = np.zeros_like(d)
    for step in range(CLIMB - 1, -1, -1):
        order = d + 2.0 * step
        x = kappa * mean
        logs = logs + np.log1p(width * (x / order) - square)
        mean = kappa / (order + x)
    return logs


def pair_from_nats(d: Floats, nats: Floats) -> Pair:
    """Return A and 1 - A from D by Newton's method in ``t = -log(1 - A^2)``.

    ``dD/dt = kappa (1 - A^2) / (2 A)`` lies between m/2 and d/2: D is all but linear in t.
    """
    if isinstance(nats, np.float64):
        return law_of(float(d), float(nats))[:2]
    pair: Pair = either(nats == np.inf, _certain, _solved_pair, d, nats)
    return pair


@lru_cache(maxsize=REMEMBERED)
def law_of(d: float, nats: float) -> tuple[Floats, Floats, Floats]:
    """Return A, 1 - A and kappa from one D: a model's step asks for each in turn."""
    given = np.float64(d), np.float64(nats)
    pair: Pair = either(given[1] == np.inf, _certain, _solved_pair, *given)
    return *pair, concentration_of(given[0], *pair)


def _solved_pair(d: Floats, nats: Floats) -> Pair:
    scaled = np.maximum(nats, TINY)
    t = either(d < RADIUS, _low_newton, _high_newton, d, scaled)
    cosine, divergence = _pair_at(t)
    return cosine * np.sqrt(nats / scaled), divergence


def _low_newton(d: Floats, nats: Floats) -> Floats:
    return _newton(d, nats, steps=3)  # the guess is off by 2 %


def _high_newton(d: Floats, nats: Floats) -> Floats:
    return _newton(d, nats, steps=1)  # the guess is off by 1e-7


def _first_guess(d: Floats, nats: Floats) -> Floats:
    """Solve the first terms of the expansion for t; from below, because D is concave in t."""
    m = d - 1.0
    t = 2.0 * nats / d
    for _ in range(3):
        width, square = np.exp(-t), -np.expm1(-t)
        ratio = width / (1.0 + square)
        away = 2.0 * square / (1.0 + square)
        model = 0.5 * (m * t + np.log1p(square)) + away * away * (1.0 + 2.0 * ratio) / (12.0 * m)
        t = t + (nats - model) * 2.0 / (m + ratio)
    return t


def _newton(d: Floats, nats: Floats, steps: int) -> Floats:
    t = _first_guess(d, nats)
    for _ in range(steps):
        cosine, divergence = _pair_at(t)
        kappa = concentration_of(d, cosine, divergence)
        slope = kappa * divergence * (1.0 + cosine) / (2.0 * cosine)
        step = (nats - nats_of(d, cosine, divergence, kappa)) / slope
        # infinite where 1 - A underflows
        t = either(np.isfinite(step), lambda t, step: t + step, lambda t, _: t, t, step)
    return t


def _pair_at(t: Floats) -> Pair:
    cosine = np.sqrt(-np.expm1(-t))
    return cosine, np.exp(-t) / (1.0 + cosine)


def pair_of(name: str, d: Floats, value: Floats) -> Pair:
    """Return A and 1 - A from whichever quantity `name` says that `value` is."""
    if name == "cosine":
        return value, 1.0 - value
    if name == "divergence":
        return 1.0 - value, value
    return pair_from_nats(d, value) if name == "nats" else mean_pair(d, value)
