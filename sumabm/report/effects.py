"""What a battery's parameters do to its outcomes: the numbers behind the tables and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sumabm.analysis import statistics
from sumabm.report.text import labels, shown
from sumabm.types import Array

Mask = NDArray[np.bool_]

_MOST_LEVELS, _MOST_PANELS = 250, 6  # along an axis of a heat map, and side by side


class Effect(NamedTuple):
    """How an outcome changes from a parameter's ``low`` values to its ``high`` ones."""

    parameter: str
    low: str
    high: str
    change: float
    error: float


@dataclass(frozen=True)
class Results:
    """A battery's points and, by outcome, what the replicates at each come to, ``(n,)``."""

    points: dict[str, NDArray[Any]]
    """The parameter columns, in the battery's order."""
    mean: dict[str, Array]
    """Means over the replicates that are there; missing where none is."""
    error: dict[str, Array]
    """Their standard errors; missing for fewer than two replicates."""
    units: dict[str, str]

    @classmethod
    def of(cls, data: xr.Dataset, parameters: Sequence[str], outcomes: Sequence[str]) -> Results:
        """Return the results of a battery's Dataset at its replicates' ends."""
        points = {name: data[name].values for name in parameters}
        if not outcomes:
            return cls(points, {}, {}, {})
        found = statistics(data, (), outcomes)
        mean, error = (
            dict(zip(outcomes, found[name].transpose("outcome", "point").values, strict=True))
            for name in ("mean", "standard_error")
        )
        units = zip(outcomes, found["units"].values.tolist(), strict=True)
        return cls(points, mean, error, dict(units))

    @property
    def varied(self) -> list[str]:
        """Return the parameters that have more than one value."""
        return [name for name, values in self.points.items() if len(levels(values)) > 1]

    def title(self, outcome: str) -> str:
        """Return an outcome's name with its unit."""
        return f"{outcome} ({self.units[outcome]})" if self.units[outcome] else outcome


def at(results: Results, point: int) -> str:
    """Return the parameter values of a point, of those that vary."""
    told = ((name, results.points[name][point].item()) for name in results.varied)
    return ", ".join(f"{name} = {shown(value, 30, digits=4)}" for name, value in told)


def levels(values: NDArray[Any]) -> list[Any]:
    """Return distinct values: numbers ascending, labels in the order of their first points.

    >>> levels(np.array([3, 1, 3])), levels(np.array(["none", "budget", "none"]))
    ([1, 3], ['none', 'budget'])
    """
    if is_numeric(values):
        return np.unique(values).tolist()
    return list(dict.fromkeys(values.tolist()))


def is_numeric(values: NDArray[Any]) -> bool:
    """Return whether a parameter column holds numbers, not labels."""
    return values.dtype.kind in "iuf"


def groups(values: NDArray[Any], most: int = 6) -> list[tuple[str, Mask]]:
    """Return the points of each value or, of more than ``most`` numbers, of each third of them.

    Thirds are of the distinct values, so that a baseline that many points share weighs no more.
    """
    found = levels(values)
    if len(found) <= most or not is_numeric(values):
        masks = [values == value for value in found]
        return list(zip(labels(found), masks, strict=True))
    low, high = np.quantile(found, (1.0 / 3.0, 2.0 / 3.0))
    parts = (values <= low, (values > low) & (values < high), values >= high)
    return [(_span(values[part]), part) for part in parts if part.any()]


def effects(points: Mapping[str, NDArray[Any]], means: Array) -> list[Effect]:
    """Return each parameter's effect on the means ``(n,)`` at points, the largest first.

    ``mean(ȳ | high) − mean(ȳ | low)``, with ``√(s²_high / n_high + s²_low / n_low)`` over points
    as its standard error. Low and high are a number's lowest and highest third of values, of labels
    those two with the lowest and highest mean. Points without a mean are left out, and so are
    parameters with one value.
    """
    there = ~np.isnan(means)
    y = means[there]
    found = []
    for name, column in points.items():
        values = column[there]
        numeric = is_numeric(values)
        parts = groups(values, most=2 if numeric else len(y))
        if len(parts) < 2:
            continue
        if not numeric:
            parts.sort(key=lambda part: float(y[part[1]].mean()))
        (low, is_low), (high, is_high) = parts[0], parts[-1]
        change = float(y[is_high].mean() - y[is_low].mean())
        error = math.hypot(standard_error(y[is_high]), standard_error(y[is_low]))
        found.append(Effect(name, low, high, change, error))
    return sorted(found, key=lambda effect: -abs(effect.change))


def standard_error(values: Array) -> float:
    """Return the standard error of a sample's mean; missing for fewer than two."""
    if values.size < 2:
        return math.nan
    return float(values.std(ddof=1) / math.sqrt(values.size))


def strongest(results: Results) -> list[str]:
    """Return the parameters by the size of their effect on the first outcome that has any."""
    for means in results.mean.values():
        if found := [effect.parameter for effect in effects(results.points, means)]:
            return found
    return results.varied


def map_axes(points: Mapping[str, NDArray[Any]], order: Sequence[str]) -> list[str]:
    """Return the first two parameters in that order that are on a grid, and a third for panels.

    Parameters are on a grid where every combination of their values has as many points as any
    other, and every other parameter the same values there: averages over those are comparable.
    Empty where no two are.
    """
    codes = {name: np.unique(values, return_inverse=True)[1] for name, values in points.items()}
    sizes = {name: int(code.max(initial=0)) + 1 for name, code in codes.items()}
    usable = [name for name in order if 2 <= sizes[name] <= _MOST_LEVELS]

    def on_grid(names: Sequence[str]) -> bool:
        shape = tuple(sizes[name] for name in names)
        cells, total = math.prod(shape), len(codes[names[0]])
        if total % cells:
            return False
        flat = np.ravel_multi_index([codes[name] for name in names], shape)
        others = [name for name in points if name not in names]
        return _even(flat, cells) and all(
            sizes[name] * cells <= total and _even(flat, cells, codes[name]) for name in others
        )

    for pair in combinations(usable, 2):
        if on_grid(pair):
            third = [n for n in usable if n not in pair and sizes[n] <= _MOST_PANELS]
            return [*pair, *[name for name in third if on_grid((*pair, name))][:1]]
    return []


def _even(cell: NDArray[np.intp], cells: int, code: NDArray[np.intp] | None = None) -> bool:
    """Return whether all cells have as many points, or as many of every value."""
    values = 1 if code is None else int(code.max()) + 1
    flat = cell * values + (0 if code is None else code)
    counts = np.bincount(flat, minlength=cells * values).reshape(cells, values)
    return bool((counts == counts[0]).all())


def average(values: Array) -> Array:
    """Return the mean over the first axis of what is not missing; missing where nothing is."""
    count = np.count_nonzero(~np.isnan(values), axis=0)
    return np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)


def spread(values: Array) -> Array:
    """Return the standard error of `average`; missing where fewer than two are there."""
    count = np.count_nonzero(~np.isnan(values), axis=0)
    squares = np.nansum((values - average(values)) ** 2, axis=0)
    error = np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1))
    return np.where(count > 1, error, np.nan)


def _span(values: NDArray[Any]) -> str:
    low, high = (shown(value.item(), digits=4) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
