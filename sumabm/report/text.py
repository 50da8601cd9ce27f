"""How a report writes numbers, values and lists of points."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DUST = 1e-6  # an error this small against its value has digits of its own
_ROUNDING = 1e-13  # and this small it is rounding
_LEAST = 1e-300  # smaller ones cannot be scaled up


def number(value: float, digits: int = 4) -> str:
    """Return a number with that many significant digits at most, a dash where it is missing.

    >>> number(0.12345), number(-2.5e-7), number(1200.0), number(float("nan"))
    ('0.1235', '−2.5×10⁻⁷', '1200', '—')
    """
    if not math.isfinite(value):
        return "—" if math.isnan(value) else "∞" if value > 0 else "−∞"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if not -5 < power < 6:
        return _scientific(_tidy(mantissa), power)
    decimals = digits - 1 - power
    return _tidy(f"{round(value, decimals):.{max(decimals, 0)}f}")


def plus_minus(value: float, error: float) -> str:
    """Return a number to the second digit of its standard error, and that; ± — where missing.

    >>> plus_minus(0.123412, 0.0012), plus_minus(-4.2e-9, 3e-10), plus_minus(2.0, float("nan"))
    ('0.1234 ± 0.0012', '(−4.20 ± 0.30)×10⁻⁹', '2 ± —')
    >>> plus_minus(51234.0, 230.0), plus_minus(0.5, 0.0)
    ('51230 ± 230', '0.5 ± 0')
    """
    if not max(_DUST * abs(value), _LEAST) < error < math.inf or not math.isfinite(value):
        error = 0.0 if error < _ROUNDING * abs(value) else error
        return number(value) if math.isnan(value) else f"{number(value)} ± {number(error, 2)}"
    power = _power(max(abs(value), error))
    shift = 0 if -4 < power < 6 else power
    decimals = 1 + shift - _power(error)
    value, error = (round(x / 10.0**shift, decimals) for x in (value, error))
    places = max(decimals, 0)
    text = _signed(f"{value:.{places}f} ± {error:.{places}f}")
    return _scientific(f"({text})", shift) if shift else text


def shown(value: object, width: int = 60, digits: int = 6) -> str:
    """Return a value of a scenario or a parameter as text of at most so many characters.

    >>> shown(0.1), shown("bayesian"), shown({"kind": "budget"}), shown(True), shown("abcdef", 5)
    ('0.1', 'bayesian', '{"kind": "budget"}', 'true', 'ab…ef')
    """
    if isinstance(value, float):
        return number(value, digits)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    half = (width - 1) // 2
    return text if len(text) <= width else f"{text[: width - 1 - half]}…{text[-half:]}"


def labels(values: Sequence[object], width: int = 60) -> list[str]:
    """Return values as short texts that differ: of long ones, if need be, only what they differ by.

    >>> labels([0.5, "budget"]), labels(["long name 1 of it", "long name 2 of it"], 10)
    (['0.5', 'budget'], ['…1…', '…2…'])
    """
    for digits in (4, 15):
        short = [shown(value, width, digits) for value in values]
        if len(set(short)) == len(short):
            return short
    full = [shown(value, 1000) for value in values]
    start = _shared(full)
    end = _shared([text[:start:-1] for text in full])
    return [shown(f"…{text[start : len(text) - end]}{'…' * (end > 0)}", width) for text in full]


def listed(names: Iterable[object]) -> str:
    """Return names as a sentence has them.

    >>> listed("abc"), listed("a")
    ('a, b and c', 'a')
    """
    *first, last = map(str, names)
    return f"{', '.join(first)} and {last}" if first else last


def ranges(numbers: Iterable[int], most: int = 20) -> str:
    """Return ascending whole numbers with neighbours drawn together.

    >>> ranges([1, 2, 3, 7]), ranges([1, 3, 5], most=2)
    ('1–3, 7', '1, 3 and 1 more')
    """
    every = list(numbers)
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(every)) if b != a + 1), len(every)]
    parts = [every[a:b] for a, b in pairwise(cuts) if b > a]
    told = [f"{part[0]}–{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts[:most]]
    left = sum(len(part) for part in parts[most:])
    return ", ".join(told) + (f" and {left} more" if left else "")


def _shared(texts: Sequence[str]) -> int:
    """Return how many characters all texts begin with."""
    same = takewhile(lambda each: len(set(each)) == 1, zip(*texts, strict=False))
    return sum(1 for _ in same)


def _power(value: float) -> int:
    """Return the power of ten of a number's first digit, after rounding to two."""
    return int(f"{value:.1e}".partition("e")[2])


def _tidy(text: str) -> str:
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def _scientific(mantissa: str, power: int) -> str:
    return f"{mantissa}×10{str(power).translate(_SUPERSCRIPT)}"


def _signed(text: str) -> str:
    return text.replace("-", "−")
