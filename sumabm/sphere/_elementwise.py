"""Checking, broadcasting and blocking shared by the functions of `sumabm.sphere`."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Floats = np.float64 | FloatArray
"""What the public functions return: a number for numbers, an array for arrays."""

BLOCK = 12_288
"""Elements worked on at a time: temporaries of 96 KiB stay in the cache, and off fresh pages."""

RULES: dict[str, tuple[float, float, str]] = {
    "d": (2.0, np.finfo(float).max, "be a finite number of dimensions, 2 or more"),
    "kappa": (0.0, np.inf, "be 0 or more"),
    "nats": (0.0, np.inf, "be 0 or more"),
    "cosine": (0.0, 1.0, "lie in [0, 1]"),
    "divergence": (0.0, 1.0, "lie in [0, 1]"),
    "signed cosine": (-1.0, 1.0, "lie in [-1, 1]"),
    "signed divergence": (0.0, 2.0, "lie in [0, 2]"),
    "q": (0.0, 1.0, "lie in [0, 1]"),
    "logit": (-np.inf, np.inf, "be a number"),
}


def checked(rule: str, value: ArrayLike) -> FloatArray:
    """Return `value` as floats, or raise ValueError: the name, the rule, the first bad value."""
    low, high, words = RULES[rule]
    array = np.asarray(value, dtype=np.float64)
    good = (array >= low) & (array <= high)  # False for NaN
    if not good.all():
        name = rule.removeprefix("signed ")
        raise ValueError(f"{name} must {words}; got {array[~good].flat[0]}")
    return array


def one_of(**given: ArrayLike | None) -> tuple[str, ArrayLike]:
    """Return name and value of the only argument given; ValueError unless exactly one is."""
    present = [(name, value) for name, value in given.items() if value is not None]
    if len(present) != 1:
        got = ", ".join(name for name, _ in present) or "none"
        raise ValueError(f"give exactly one of {', '.join(given)}; got {got}")
    return present[0]


def elementwise(kernel: Callable[..., FloatArray], arguments: Sequence[FloatArray]) -> Floats:
    """Broadcast `arguments` and apply `kernel` to contiguous one-dimensional blocks of them.

    A kernel treats every element alone, so that no value depends on its neighbours in the call.
    """
    whole = np.broadcast_arrays(*arguments)
    flat = [a.ravel() for a in whole]
    out = np.empty(flat[0].size)
    with np.errstate(all="ignore"):
        for start in range(0, out.size, BLOCK):
            part = slice(start, start + BLOCK)
            out[part] = kernel(*(a[part] for a in flat))
    result: Floats = out.reshape(whole[0].shape)[()]
    return result
