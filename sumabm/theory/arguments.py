"""Checks that the functions of this room share: what a value must be, and what it was."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sumabm.types import Array

_RULES: dict[str, tuple[Callable[[Array], NDArray[np.bool_]], str]] = {
    "an amount": (lambda a: a >= 0.0, "be 0 or more"),
    "positive": (lambda a: a > 0.0, "be above 0"),
    "a power of nats": (lambda a: (a >= 0.25) & (a < np.inf), "be a finite number, ¼ or more"),
    "a share": (lambda a: (a > 0.0) & (a <= 1.0), "lie above 0, up to 1"),
    "a correlation": (lambda a: (a >= -1.0) & (a <= 1.0), "lie in [−1, 1]"),
    "a cosine": (lambda a: (a >= 0.0) & (a <= 1.0), "lie in [0, 1]"),
    "dimensions": (lambda a: (a >= 2.0) & (a < np.inf), "be a finite number, 2 or more"),
    "dimensions or a line": (
        lambda a: (a == 1.0) | (a >= 2.0) & (a < np.inf),
        "be 1 or a finite number, 2 or more",
    ),
}


def checked(rule: str, name: str, value: ArrayLike) -> Array:
    """Return ``value`` as floats, or raise ValueError: the name, the rule, the first bad value.

    >>> checked("positive", "p", [1.0, -2.0])
    Traceback (most recent call last):
    ValueError: p must be above 0; got -2.0
    """
    array = np.asarray(value, dtype=np.float64)
    holds, words = _RULES[rule]
    good = np.asarray(holds(array))  # False for NaN
    if not good.all():
        raise ValueError(f"{name} must {words}; got {array[~good].flat[0]}")
    return array


def log_width(cosine: Array) -> Array:
    """Return ``ln(1 − c²)``, accurate near 0 and near ±1; −inf at ±1.

    >>> log_width(np.array([0.0, 1e-9, 1.0]))
    array([-0.e+00, -1.e-18,    -inf])
    """
    square = cosine * cosine
    with np.errstate(divide="ignore"):
        return np.where(
            square < 0.5,
            np.log1p(-np.minimum(square, 0.5)),
            np.log1p(cosine) + np.log1p(-cosine),
        )
