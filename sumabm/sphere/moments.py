"""Mean cosine, concentration and nats of the von Mises-Fisher law, each from any other.

The law on the unit sphere of R^d has density proportional to ``exp(kappa c)`` in the cosine ``c``
to its mean direction. Write ``A`` for the mean cosine, ``phi = 1 - A``, ``m = d - 1``. Expansions
in 1/m (`sumabm.sphere.series`), in forms that neither cancel nor overflow, hold wherever
``hypot(m, 2 kappa)`` is large: also at small d when kappa is large. Inside that circle the
recurrence of the ratio in d, run downwards (its stable direction) from where they hold, does the
rest.
"""

import numpy as np
from numpy.typing import ArrayLike

from sumabm.sphere._elementwise import FloatArray, Floats, checked, elementwise, one_of
from sumabm.sphere.series import CONCENTRATION, MEAN, NATS, TERMS, evaluate

RADIUS = 100.0
"""The expansions are used where hypot(m, 2 kappa) >= RADIUS: 4e-15 relative is left there."""
CLIMB = 32
"""Steps of 2 in d from which the recurrence comes down."""
TINY = 1e-150
"""Below it the cosine is proportional to kappa, and the nats to its square, to all digits."""


def _expanded_mean(
    d: FloatArray, kappa: FloatArray, terms: int = TERMS
) -> tuple[FloatArray, FloatArray]:
    """Expand A and 1 - A: in either, all terms but the small corrections are positive."""
    half = 0.5 * (d - 1.0)
    span = np.hypot(half, kappa)
    p, h = half / span, 0.5 / span
    leading = kappa / (half + span)
    correction = leading * (p * h * evaluate(MEAN[:terms], p, h))
    rest = half / (half + span) * (1.0 + half / (kappa + span))
    return leading + correction, rest - correction


def _near(d: FloatArray, kappa: FloatArray) -> FloatArray:
    """Return A inside the circle; the climb damps the error of its start: a few terms do."""
    top, _ = _expanded_mean(d + 2.0 * CLIMB, kappa, terms=4)
    mean = top
    for step in range(CLIMB - 1, -1, -1):
        mean = kappa / (d + 2.0 * step + kappa * mean)
    return mean


def mean_pair(d: FloatArray, kappa: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return A and 1 - A from arrays of one shape."""
    cosine, divergence = _expanded_mean(d, kappa)
    near = np.flatnonzero(np.hypot(d - 1.0, 2.0 * kappa) < RADIUS)
    if near.size:
        cosine[near] = _near(d[near], kappa[near])
        divergence[near] = 1.0 - cosine[near]
    certain = kappa == np.inf
    cosine[certain], divergence[certain] = 1.0, 0.0
    return cosine, divergence


def _near_concentration(d: FloatArray, cosine: FloatArray, guess: FloatArray) -> FloatArray:
    """Return kappa inside the circle: three steps of Halley's method, each cubic, from 3 %."""
    m = d - 1.0
    kappa = guess
    for _ in range(3):
        mean = _near(d, kappa)
        ratio = mean / kappa
        slope = (1.0 - mean) * (1.0 + mean) - m * ratio
        bend = m / kappa * (ratio - slope) - 2.0 * mean * slope
        gap = cosine - mean
        kappa = kappa + gap / (slope + 0.5 * gap * bend / slope)
    return kappa


def concentration_of(d: FloatArray, cosine: FloatArray, divergence: FloatArray) -> FloatArray:
    """Return kappa from A and 1 - A (each rounded but once), arrays of one shape."""
    m = d - 1.0
    scaled = np.maximum(cosine, TINY)
    width = divergence * (1.0 + scaled)  # 1 - c^2
    ratio = width / (1.0 + scaled * scaled)
    h = ratio / m
    leading = m * scaled / width
    kappa = leading * (1.0 + h * evaluate(CONCENTRATION, ratio * ratio, h))
    near = np.flatnonzero(h * RADIUS > 1.0)
    if near.size:
        r, hn = ratio[near], h[near]
        guess = leading[near] * (1.0 + hn + hn * hn * (1.0 - r * r) / (1.0 + hn))
        kappa[near] = _near_concentration(d[near], scaled[near], guess)
    return kappa * (cosine / scaled)


def nats_of(
    d: FloatArray, cosine: FloatArray, divergence: FloatArray, kappa: FloatArray | None = None
) -> FloatArray:
    """Return the nats D from A and 1 - A, arrays of one shape; kappa, if known, saves time.

    The expansion in 1/m at fixed c, none of whose terms cancels another; at small d taken at
    d + 2 CLIMB and the same kappa, from which the recurrence comes down.
    """
    start_d, start_c, start_phi = d, cosine, divergence
    low = np.flatnonzero(d < RADIUS)
    if low.size:
        dl, c, phi = d[low], cosine[low], divergence[low]
        k = concentration_of(dl, c, phi) if kappa is None else kappa[low]
        high = dl + 2.0 * CLIMB
        top, top_phi = _expanded_mean(high, k)
        start_d, start_c, start_phi = d.copy(), cosine.copy(), divergence.copy()
        start_d[low], start_c[low], start_phi[low] = high, top, top_phi
    square = start_c * start_c
    width = start_phi * (1.0 + start_c)
    ratio = width / (1.0 + square)
    away = 2.0 * square / (1.0 + square)  # 1 - ratio
    m = start_d - 1.0
    spent = away * away / m * evaluate(NATS, ratio, 1.0 / m)
    spent += 0.5 * ((d - 1.0) * np.log1p(square / width) + np.log1p(square))
    if low.size:
        rise = k * np.where(c < 0.5, c - top, top_phi - phi)
        rise -= _log_fall(dl, k, top, top_phi)
        spent[low] = np.where(k == np.inf, np.inf, spent[low] + rise)
    return spent


def _log_fall(d: FloatArray, kappa: FloatArray, top: FloatArray, top_phi: FloatArray) -> FloatArray:
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
        logs += np.log1p(width * (x / order) - square)
        mean = kappa / (order + x)
    return logs


def pair_from_nats(d: FloatArray, nats: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return A and 1 - A from D by Newton's method in ``t = -log(1 - A^2)``.

    ``dD/dt = kappa (1 - A^2) / (2 A)`` lies between m/2 and d/2: D is all but linear in t.
    """
    scaled = np.maximum(nats, TINY)
    t = _first_guess(d, scaled)
    for part, steps in ((d >= RADIUS, 1), (d < RADIUS, 3)):  # the guess is off by 1e-7, by 2 %
        rows = np.flatnonzero(part)
        if rows.size:
            t[rows] = _newton(d[rows], scaled[rows], t[rows], steps)
    cosine, divergence = _pair_at(t)
    cosine *= np.sqrt(nats / scaled)
    certain = nats == np.inf
    cosine[certain], divergence[certain] = 1.0, 0.0
    return cosine, divergence


def _first_guess(d: FloatArray, nats: FloatArray) -> FloatArray:
    """Solve the first terms of the expansion for t; from below, because D is concave in t."""
    m = d - 1.0
    t = 2.0 * nats / d
    for _ in range(3):
        width, square = np.exp(-t), -np.expm1(-t)
        ratio = width / (1.0 + square)
        away = 2.0 * square / (1.0 + square)
        model = 0.5 * (m * t + np.log1p(square)) + away * away * (1.0 + 2.0 * ratio) / (12.0 * m)
        t += (nats - model) * 2.0 / (m + ratio)
    return t


def _newton(d: FloatArray, nats: FloatArray, t: FloatArray, steps: int) -> FloatArray:
    for _ in range(steps):
        cosine, divergence = _pair_at(t)
        kappa = concentration_of(d, cosine, divergence)
        slope = kappa * divergence * (1.0 + cosine) / (2.0 * cosine)
        step = (nats - nats_of(d, cosine, divergence, kappa)) / slope
        t = t + np.where(np.isfinite(step), step, 0.0)  # infinite where 1 - A underflows
    return t


def _pair_at(t: FloatArray) -> tuple[FloatArray, FloatArray]:
    cosine = np.sqrt(-np.expm1(-t))
    return cosine, np.exp(-t) / (1.0 + cosine)


def _pair(name: str, d: FloatArray, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return A and 1 - A from whichever quantity `name` says that `value` is."""
    if name == "cosine":
        return value, 1.0 - value
    if name == "divergence":
        return 1.0 - value, value
    return pair_from_nats(d, value) if name == "nats" else mean_pair(d, value)


def mean_cosine(d: ArrayLike, kappa: ArrayLike) -> Floats:
    """Return the mean cosine ``A_d(kappa) = I_{d/2}(kappa) / I_{d/2-1}(kappa)`` of the law.

    ``d`` is the dimension, 2 or more, not necessarily whole; ``kappa`` the concentration, 0 to
    inf. They broadcast. A lies in [0, 1] and is accurate to 1e-14 relative: 0 at kappa = 0 (the
    uniform law), 1 at inf. Use `divergence` where it is near 1.

    A value out of range raises ValueError. References: [mardia-jupp-2000], [dlmf-10.41].

    >>> round(mean_cosine(3, 1), 12)  # coth(1) - 1
    np.float64(0.313035285499)
    """
    arguments = checked("d", d), checked("kappa", kappa)
    return elementwise(lambda d, kappa: mean_pair(d, kappa)[0], arguments)


def divergence(d: ArrayLike, kappa: ArrayLike) -> Floats:
    """Return ``1 - A_d(kappa)``, to 1e-14 relative also where it is tiny; see `mean_cosine`.

    About ``(d - 1) / (2 kappa)`` at large kappa; 1 at kappa = 0, 0 at inf.

    >>> divergence(3, 1e20)
    np.float64(1e-20)
    """
    arguments = checked("d", d), checked("kappa", kappa)
    return elementwise(lambda d, kappa: mean_pair(d, kappa)[1], arguments)


def concentration(
    d: ArrayLike,
    cosine: ArrayLike | None = None,
    *,
    divergence: ArrayLike | None = None,
    nats: ArrayLike | None = None,
) -> Floats:
    """Return the kappa of the law that has the given mean cosine, divergence or nats.

    It solves ``A_d(kappa) = cosine``, ``1 - A_d(kappa) = divergence`` or ``D_d(kappa) = nats``,
    see `mean_cosine` and the function `nats`. Exactly one is given, in [0, 1], [0, 1] or [0, inf];
    it broadcasts against the dimension ``d``, 2 or more, not necessarily whole.

    Kappa is accurate to 1e-14 relative, but for the rounding of the argument (give the smaller of
    cosine and divergence): 0 at cosine 0, inf at cosine 1.

    A value out of range, or not exactly one of the three, raises ValueError.
    References: [mardia-jupp-2000], [dlmf-10.41].

    >>> round(concentration(3, divergence=1e-12) / 1e12, 12)
    np.float64(1.0)
    """
    name, value = one_of(cosine=cosine, divergence=divergence, nats=nats)

    def kernel(d: FloatArray, value: FloatArray) -> FloatArray:
        return concentration_of(d, *_pair(name, d, value))

    return elementwise(kernel, (checked("d", d), checked(name, value)))


def nats(
    d: ArrayLike,
    cosine: ArrayLike | None = None,
    *,
    divergence: ArrayLike | None = None,
    kappa: ArrayLike | None = None,
) -> Floats:
    """Return the relative entropy of the law from the uniform law on the sphere, in nats.

    ``D_d = kappa A - log 0F1(; d/2; kappa^2/4)``, with ``dD/dA = kappa``; at large d
    ``-(d/2) log(1 - A^2) + (1/2) log(1 - A^4) + O(1/d)``.

    Exactly one of the mean ``cosine`` A, the ``divergence`` 1 - A (both in [0, 1]) and ``kappa``
    (in [0, inf]) is given; it broadcasts against the dimension ``d``, 2 or more, not necessarily
    whole. D is accurate to 1e-14 relative: 0 for the uniform law, inf at cosine 1.

    A value out of range, or not exactly one of the three, raises ValueError.
    References: [mardia-jupp-2000], [dlmf-10.41].

    >>> round(nats(1000, 0.5), 6)  # 500 log(4/3) + log(15/16) / 2 = 143.808767
    np.float64(143.808796)
    """
    name, value = one_of(cosine=cosine, divergence=divergence, kappa=kappa)

    def kernel(d: FloatArray, value: FloatArray) -> FloatArray:
        return nats_of(d, *_pair(name, d, value), value if name == "kappa" else None)

    return elementwise(kernel, (checked("d", d), checked(name, value)))


def cosine_from_nats(d: ArrayLike, nats: ArrayLike) -> Floats:
    """Return the mean cosine of the law with the given nats: the inverse of ``nats(d, cosine)``.

    ``d`` is the dimension, 2 or more, not necessarily whole; ``nats`` 0 to inf. They broadcast.
    The cosine is about ``sqrt(2 nats / d)`` when small, 0 at nats = 0, 1 at inf; use
    `divergence_from_nats` where it is near 1. A value out of range raises ValueError.

    >>> round(cosine_from_nats(1000, 143.808796), 6)
    np.float64(0.5)
    """
    arguments = checked("d", d), checked("nats", nats)
    return elementwise(lambda d, nats: pair_from_nats(d, nats)[0], arguments)


def divergence_from_nats(d: ArrayLike, nats: ArrayLike) -> Floats:
    """Return 1 - `cosine_from_nats`, accurate also where it is tiny; 0 once it underflows.

    >>> divergence_from_nats(2, [0, 1000])
    array([1., 0.])
    """
    arguments = checked("d", d), checked("nats", nats)
    return elementwise(lambda d, nats: pair_from_nats(d, nats)[1], arguments)
