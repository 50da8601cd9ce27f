"""Pictures of one panel on the same axes, so that what looks larger is larger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from sumabm.browser.picture import Option, Picture

_TICKS = 4  # steps of an axis, about
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_UP = {"sumabm-band": slice(1, 3)}  # a series whose rows have two heights, not one


def on_shared_axes(shown: Sequence[Picture], others: Sequence[Picture] = ()) -> list[Picture]:
    """Return the ``shown`` pictures of one panel with axes that hold all of them and ``others``.

    An axis ends where all of them say, else at the tick beyond the last number that any of them
    has. Axes of anything but numbers on a linear scale stay as they are.
    """
    every = [picture.option for picture in (*shown, *others)]
    common = {name: _common(every, name) for name in ("xAxis", "yAxis") if _linear(every, name)}
    changed = [
        {name: {**picture.option[name], **ends} for name, ends in common.items()}
        for picture in shown
    ]
    return [
        picture._replace(option={**picture.option, **axes})
        for picture, axes in zip(shown, changed, strict=True)
    ]


def _linear(options: Sequence[Option], name: str) -> bool:
    axes = [option.get(name) for option in options]
    return all(isinstance(axis, dict) and axis.get("type", "value") == "value" for axis in axes)


def _common(options: Sequence[Option], name: str) -> Option:
    """Return the ends and the ticks that an axis has in all of these pictures."""
    axes = [option[name] for option in options]
    lows, highs, steps = (_all(axes, key) for key in ("min", "max", "interval"))
    if lows and highs:
        found = {"min": min(lows), "max": max(highs)}
        return {**found, "interval": max(steps)} if steps else found
    values = [value for option in options for value in _values(option, name)]
    low = min(lows or values or [0.0])
    high = max(highs or values or [1.0])
    return _rounded(low, high, fixed=(bool(lows), bool(highs)))


def _all(axes: Sequence[Option], key: str) -> list[float]:
    """Return what all axes say; nothing unless all do."""
    found = [axis[key] for axis in axes if axis.get(key) is not None]
    return found if len(found) == len(axes) else []


def _values(option: Option, name: str) -> Iterator[float]:
    """Yield the numbers that the series have along an axis, of rows ``[x, y, …]``."""
    for series in option.get("series", ()):
        place = slice(0, 1) if name == "xAxis" else _UP.get(series.get("type"), slice(1, 2))
        for row in series.get("data", ()):
            cells: Any = row.get("value") if isinstance(row, dict) else row
            if not isinstance(cells, list):  # of a bar: its height
                cells = [None, cells]
            yield from (cell for cell in cells[place] if isinstance(cell, int | float))


def _rounded(low: float, high: float, fixed: tuple[bool, bool]) -> Option:
    """Return the ends of an axis and the step of its ticks: ends that are not fixed lie on one."""
    width = high - low if high > low else abs(high) or 1.0
    scale = 10.0 ** math.floor(math.log10(width / _TICKS))
    step = next(n * scale for n in _NICE if n * scale >= width / _TICKS * (1.0 - 1e-9))
    low = low if fixed[0] else math.floor(low / step + 1e-9) * step
    high = high if fixed[1] else math.ceil(high / step - 1e-9) * step
    high = high if high > low else low + step
    return {"min": _tidy(low), "max": _tidy(high), "interval": _tidy(step)}


def _tidy(value: float) -> float:
    return float(f"{value:.12g}")
