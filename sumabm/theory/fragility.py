"""Fragility: what becomes of training harm when humans bear less of it than regret says."""

from __future__ import annotations

import numpy as np

from sumabm.theory.arguments import checked
from sumabm.theory.integrals import harm_integral
from sumabm.theory.law import Shape
from sumabm.types import Array


def narrow_shape(width: float) -> Shape:
    """Return the harm amplitude ``sqrt(c² + (1 − c²)/w²) − c`` per unit of residual.

    It is a ``measure`` of this room's functions: regret where humans tolerate worlds of ``width``
    w, in (0, 1], across their utility. ``1 − c`` at w = 1; as w → 0 ``sqrt(1 − c²)/w``; near
    c = 1, ``(1 − c)/w²``. A width out of range raises ValueError.

    >>> float(narrow_shape(0.5)(np.array(0.0), np.array(1.0)))
    2.0
    """
    width = float(checked("a share", "width", width))

    def shape(c: Array, phi: Array) -> Array:
        across = phi * (1.0 + c) / width**2
        whole = np.sqrt(c * c + across)
        ahead = np.where(c > 0.0, whole + c, 1.0)
        return np.where(c > 0.0, across / ahead, whole - c)

    return shape


def narrow_factor(width: float, threshold: Array | float, p: Array | float = 1.0) -> Array:
    """Return by how much tolerable worlds of ``width`` w change training harm, as d → ∞.

    ``∫₀^c* f_w(c)^(2p) c/(1 − c²) dc`` over its value at w = 1, f_w of `narrow_shape`, for every d
    and all powers. With ``k = 1/w²``, ``m = k − 1``, ``s = sqrt(k − m c*²)``, the numerator is
    ``1/w − s + ½ ln((1/w − 1)(s + 1)/((1/w + 1)(s − 1))) − artanh c* + c*`` at p = ½, and
    ``(k − 2) c*²/2 − ln(1 − c*²) − 2 artanh(c*/s) + c* s − (k − 2) asin(c* sqrt(m/k))/sqrt(m)`` at
    p = 1. It rises with the threshold from ``w^(−2p)`` at 0, and stays below ``w^(−4p)``.
    ``threshold`` in [0, 1] and ``p`` broadcast. Values out of range raise ValueError.

    >>> narrow_factor(0.5, 0.9, np.array([0.5, 1.0])).round(6)
    array([2.784464, 6.813263])
    """
    narrow = harm_integral(2.0, threshold, narrow_shape(width), p, exact=False)
    regret = harm_integral(2.0, threshold, "regret", p, exact=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(regret > 0.0, narrow / regret, width ** np.multiply(-2.0, p))


def narrowed_dimensions(d: Array | float, power: Array | float) -> Array:
    """Return ``3 + power·(d − 3)``: the d whose `law.cosine_density` is that of d to a power.

    A narrower law of alignment, ``∝ p(c)^power``, is exactly the law of a larger d: what the essay
    says of fragility. ``d ≥ 3`` and ``power > 0`` broadcast; else ValueError.

    >>> float(narrowed_dimensions(100.0, 2.0))
    197.0
    """
    excess = checked("an amount", "d - 3", np.asarray(d, dtype=np.float64) - 3.0)
    return np.asarray(3.0 + checked("positive", "power", power) * excess)
