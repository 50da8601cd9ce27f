"""A picture as panels return it: what ECharts draws, and the same in words."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.types import Array

Option = dict[str, Any]
"""An ECharts option. Colours are tokens that the page turns into its theme's: see `INK`."""

INK, MUTED, GRID, PAPER = "@ink", "@muted", "@grid", "@paper"
"""Text and theory's lines; axes' labels; grid lines; the ground."""


class Picture(NamedTuple):
    """A panel: its title, what ECharts draws, and what it shows, for those who don't see it."""

    title: str
    option: Option
    spoken: str


def hue(place: int) -> str:
    """Return the colour of the agent at this place in its file: Okabe and Ito's, by turns."""
    return f"@{place % 7}"


def faded(colour: str, share: float) -> str:
    """Return a colour token made transparent: ``share`` is its opacity, in steps of 1 %.

    >>> faded("@1", 0.2)
    '@1/20'
    """
    return f"{colour}/{round(100 * share)}"


def points(x: Array | NDArray[np.intp], y: Array, digits: int = 5) -> list[list[float | None]]:
    """Return pairs for an ECharts series, y rounded to ``digits`` significant; missing is None.

    >>> points(np.arange(3), np.array([0.123456, np.nan, -20.0]))
    [[0, 0.12346], [1, None], [2, -20.0]]
    """
    return list(map(list, zip(x.tolist(), rounded(y, digits), strict=True)))


def rounded(values: Array, digits: int = 5) -> list[float | None]:
    """Return numbers rounded to ``digits`` significant, as JSON has them; missing is None."""
    finite = np.isfinite(values)
    size = np.abs(values, where=finite, out=np.zeros_like(values))
    power = digits - 1 - np.floor(np.log10(size, where=size > 0.0, out=np.zeros_like(values)))
    exact = np.abs(power) <= 22  # 10^22 is the last one without an error of its own
    scale = 10.0 ** np.where(exact, np.abs(power), 0.0)
    with np.errstate(invalid="ignore"):
        up, down = np.rint(values * scale) / scale, np.rint(values / scale) * scale
    found: list[float | None] = np.where(power >= 0.0, up, down).tolist()
    for place in np.flatnonzero(~(exact & finite)).tolist():
        value = float(values[place])
        found[place] = float(f"{value:.{digits}g}") if finite[place] else None
    return found


def packed(option: Option) -> str:
    """Return an option as JSON; raises ValueError for numbers that are not finite."""
    return json.dumps(option, allow_nan=False, separators=(",", ":"))
