"""Checking, broadcasting, blocking and branching shared by the functions of `sumabm.sphere`.

The kernels take arrays of one shape or, which costs a tenth, as many NumPy numbers: the same
operations on the same values, so that a number comes out as it would in an array, bit for bit.
"""

from collections.abc import Callable, Sequence
from typing import Any

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


def checked(rule: str, value: ArrayLike) -> Floats:
    """Return `value` as floats, or raise ValueError: the name, the rule, the first bad value."""
    low, high, words = RULES[rule]
    if isinstance(value, (int, float)):
        number = np.float64(value)
        if low <= number <= high:
            return number
    array = np.asarray(value, dtype=np.float64)
    if array.size == 1 and low <= array.item() <= high:
        return array
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


def elementwise(kernel: Callable[..., Floats], arguments: Sequence[Floats]) -> Floats:
    """Broadcast `arguments` and apply `kernel` to contiguous one-dimensional blocks of them.

    A kernel treats every element alone, so that no value depends on its neighbours in the call;
    a single element it gets as NumPy numbers.
    """
    whole = np.broadcast(*arguments)
    with np.errstate(all="ignore"):
        if whole.size == 1:
            return shaped(kernel(*(np.float64(a.item()) for a in arguments)), whole.shape)
        flat = np.empty((len(arguments), *whole.shape))
        for row, argument in zip(flat, arguments, strict=True):
            row[...] = argument
        flat = flat.reshape(len(arguments), -1)
        out = np.empty(whole.size)
        for start in range(0, out.size, BLOCK):
            part = slice(start, start + BLOCK)
            out[part] = kernel(*flat[:, part])
    return out.reshape(whole.shape)


def shaped(number: float | Floats, shape: tuple[int, ...]) -> Floats:
    """Return `number` as the only element of an array of `shape`, or as a number if that is ()."""
    if not shape:
        return np.float64(number)
    out = np.empty(shape)
    out.fill(number)
    return out


def either(
    mask: np.bool_ | NDArray[np.bool_],
    where: Callable[..., Any],
    elsewhere: Callable[..., Any],
    *arguments: Any,
) -> Any:
    """Return `where(*arguments)` for elements in `mask`, `elsewhere(*arguments)` for the others.

    Each kernel gets its own elements only, and is not called without any. Both return a number or
    an array, or tuples of as many, for arguments that are numbers or arrays of the mask's shape.
    """
    if isinstance(mask, np.bool_):
        return (where if mask else elsewhere)(*arguments)
    rows = np.flatnonzero(mask)
    if rows.size == 0:
        return elsewhere(*arguments)
    if rows.size == mask.size:
        return where(*arguments)
    others = np.flatnonzero(~mask)
    found = where(*(a[rows] for a in arguments))
    left = elsewhere(*(a[others] for a in arguments))
    if isinstance(found, tuple):
        pairs = zip(found, left, strict=True)
        return tuple(_merged(mask.size, rows, a, others, b) for a, b in pairs)
    return _merged(mask.size, rows, found, others, left)


def _merged(
    size: int, rows: NDArray[np.intp], first: Floats, others: NDArray[np.intp], second: Floats
) -> FloatArray:
    out = np.empty(size)
    out[rows], out[others] = first, second
    return out
