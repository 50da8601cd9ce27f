"""A full-factorial battery as an array with its parameters for dimensions."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from sumabm.analysis.outcomes import parameters

_SHOWN = 3  # combinations in one message


def to_grid(data: xr.Dataset) -> xr.Dataset:
    """Return a battery with a dimension for every parameter in place of ``point``.

    Its points must be every combination of the parameters' values once. Numbers are in ascending
    order, labels in that of their first point. A parameter of several columns, ``weights[0]``,
    ``weights[1]``, … is one dimension, ``weights``, that counts its values; the columns are
    coordinates along it. Raises ValueError naming what is missing or there twice.
    """
    roles = parameters(data)
    if not roles:
        raise ValueError("the data should be a battery's, with parameters as coordinates")
    names: dict[str, list[str]] = {}
    for column in roles:
        names.setdefault(parameter_of(column), []).append(column)
    codes: dict[str, NDArray[np.intp]] = {}
    levels: dict[str, pd.Index] = {}
    for name, parts in names.items():
        codes[name], levels[name] = _levels([data[part].values for part in parts])
    _check_full(codes, levels)
    axes: list[Any] = [v if v.nlevels == 1 else pd.RangeIndex(len(v)) for v in levels.values()]
    numbers: list[Any] = list(codes.values())
    index = pd.MultiIndex(levels=axes, codes=numbers, names=list(names))
    plain = data.drop_dims("coordinate", errors="ignore")
    plain = plain.drop_vars([*roles, "point"], errors="ignore")
    points = xr.Coordinates.from_pandas_multiindex(index, "point")
    grid = plain.assign_coords(points).unstack("point")
    for name, parts in names.items():
        for i, column in enumerate(parts):
            values = levels[name].get_level_values(i).to_numpy()
            grid = grid.assign_coords({column: (name, values, {"role": roles[column]})})
    return grid


def parameter_of(column: str) -> str:
    """Return the parameter that a column or a coordinate is of.

    >>> parameter_of("weights[1]"), parameter_of("agents.X.power")
    ('weights', 'agents.X.power')
    """
    return re.sub(r"\[\d+\]$", "", column)


def _levels(columns: list[NDArray[Any]]) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the number of each point's value among the parameter's values, and those."""
    every = pd.Index(columns[0]) if len(columns) == 1 else pd.MultiIndex.from_arrays(columns)
    codes, values = pd.factorize(every, sort=all(c.dtype.kind in "iuf" for c in columns))
    return codes, values


def _check_full(codes: dict[str, NDArray[np.intp]], levels: dict[str, pd.Index]) -> None:
    """Raise ValueError unless every combination of levels is there once."""
    times = Counter(zip(*codes.values(), strict=True))
    every = itertools.product(*(range(len(values)) for values in levels.values()))
    total = math.prod(len(values) for values in levels.values())
    twice = [at for at, count in times.items() if count > 1]
    for what, count, where in (
        ("missing", total - len(times), (at for at in every if at not in times)),
        ("there more than once", len(twice), iter(twice)),
    ):
        if count:
            shown = [_told(at, levels) for at in itertools.islice(where, _SHOWN)]
            rest = ", …" if count > _SHOWN else ""
            raise ValueError(
                f"the points are no full grid: {count} of {total} combinations are {what}: "
                + ", ".join(shown)
                + rest
            )


def _told(at: tuple[int, ...], levels: dict[str, pd.Index]) -> str:
    each = zip(at, levels.items(), strict=True)
    return "(" + ", ".join(f"{name}={values[i]}" for i, (name, values) in each) + ")"
