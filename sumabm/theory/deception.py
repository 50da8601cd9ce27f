"""Aligners deceived: what is left of correction after a mask, and with an AI that resists edits.

``x = Σ_t 2 n_t O_t / d`` sums what was seen, as in `looking`; limits d → ∞ at fixed x, with edits
that don't bind.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from sumabm.theory.arguments import checked
from sumabm.theory.law import alignment
from sumabm.types import Array

_START = 1e-5  # sqrt(x) up to which the law near 0 does
_NEWTON = 6  # steps, each squaring a relative error that starts below a tenth


def masked_concentration(masked: Array | float) -> Array:
    """Return ``k₀ = κ/d`` of the belief that masked steps worth ``x₀`` leave, edits included.

    The AI acts along v_Y and every edit turns the belief onto v_Y: ``dk = (1 + 1/(2k)) dx``, so
    that ``k₀ − ½ ln(1 + 2k₀) = x₀``; solved by Newton's method from above, where it is convex. Any
    shape, ``x₀ ≥ 0``; about ``sqrt(x₀)`` when small and x₀ when large, up to 1e307. Values out of
    range raise ValueError.

    >>> k = masked_concentration(2.0)
    >>> bool(abs(k - 0.5 * np.log1p(2.0 * k) - 2.0) < 1e-14)
    True
    """
    x = checked("an amount", "masked", masked)
    x = np.minimum(x, np.finfo(float).max / 16.0)
    w = (4.0 * x + np.sqrt(x) * np.sqrt(16.0 * x + 36.0)) / 3.0  # ln(1 + w) ≤ w(6 + w)/(6 + 4w)
    for _ in range(_NEWTON):
        slope = np.where(w > 0.0, w / (1.0 + w), 1.0)
        w = np.maximum(w - (w - np.log1p(w) - 2.0 * x) / slope, 0.0)
    return np.asarray(0.5 * w)


def mistaken_alignment(masked: Array | float) -> Array:
    """Return ``2k₀/(1 + sqrt(1 + 4k₀²))``, the alignment that the fooled aligner expects.

    ``A_d(d k₀)`` as d → ∞, k₀ the `masked_concentration` that masked steps worth ``masked`` leave:
    tends to 1, while true alignment is 0 on average at every d. Any shape. Values out of range
    raise ValueError.

    >>> round(float(mistaken_alignment(10.0)), 6)
    0.9578
    """
    return _mean_cosine(masked_concentration(masked))


def _mean_cosine(k: Array) -> Array:
    return np.asarray(2.0 * k / (1.0 + np.sqrt(1.0 + 4.0 * k * k)))


def unmasked_alignment(seen: Array | float, masked: Array | float) -> Array:
    """Return ``c = x/sqrt(k₀² + x + x²)``: alignment after a mask worth ``x₀`` and then ``x``.

    A treacherous AI acts along v_Y for looks worth ``masked``, then honestly for looks worth
    ``seen``; the Bayesian aligner takes it for honest throughout and first has to unlearn
    ``k₀``, `masked_concentration`. They broadcast; `looking.bayesian_alignment` where nothing was
    masked. Values out of range raise ValueError.

    >>> [round(float(unmasked_alignment(1.0, masked)), 6) for masked in (0.0, 5.0)]
    [0.707107, 0.154749]
    """
    x = checked("an amount", "seen", seen)
    k = masked_concentration(masked)
    there = np.where(x > 0.0, x, 1.0)
    return np.where(x > 0.0, 1.0 / np.hypot(k / there, np.sqrt(1.0 + 1.0 / there)), 0.0)


def resisted_alignment(d: Array | float, nats: Array | float, share: Array | float) -> Array:
    """Return ``A_d(κ((1 − share) D))``: alignment bought with D nats from an AI that resists.

    The budget aligner's, exact at finite d; ``share`` in [0, 1] of every edit is undone. They
    broadcast. Values out of range raise ValueError.

    >>> float(resisted_alignment(3, 2.0, 1.0))
    0.0
    """
    share = checked("a cosine", "share", share)
    return alignment(d, (1.0 - share) * checked("an amount", "nats", nats))


def resisted_looking(x: Array, share: float) -> tuple[Array, Array]:
    """Return true and believed alignment of an AI that resists the Bayesian aligner, d → ∞.

    The AI takes a share ``q = 1 − share`` of every turn of its belief. With k the belief's κ/d,
    ``dk/dx = c + 1/(2k)`` and ``dc/dx = q (1 − c²)/k − q² c/(2k²)``: noise gives a rotation the
    angle ``sqrt(dx)/k``, what was learnt its sense. From ``c = 2q sqrt(x)/(1 + q²)`` at the start,
    by numerical integration in ``sqrt(x)``; ``c = sqrt(x/(1+x))`` at share 0. Believed is
    ``2k/(1 + sqrt(1 + 4k²))``. ``x (T,)`` rises and is above 0; ``share`` lies in [0, 1]. Values
    out of range raise ValueError.

    >>> [round(float(each[0]), 6) for each in resisted_looking(np.ones(1), 0.0)]
    [0.707107, 0.707107]
    """
    roots = np.sqrt(checked("positive", "x", x))
    q = 1.0 - float(checked("a cosine", "share", share))
    start = min(_START, 0.5 * roots[0])

    def slopes(s: float, now: Array) -> Array:
        c, k = now
        return np.array(
            [2.0 * s * q * ((1.0 - c * c) / k - 0.5 * q * c / (k * k)), 2.0 * s * c + s / k]
        )

    first = np.array([2.0 * q * start / (1.0 + q * q), start])
    run = solve_ivp(slopes, (start, roots[-1]), first, t_eval=roots, rtol=1e-10, atol=1e-12)
    return run.y[0], _mean_cosine(run.y[1])
