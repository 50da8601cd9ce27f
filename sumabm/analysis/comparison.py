"""Two runs or two batteries, replicate by replicate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from sumabm.analysis.outcomes import columns, parameters
from sumabm.battery.results import opened
from sumabm.recorder import end_values

_DUST = 1e-13  # a spread below this share of the largest value is rounding


def compare(
    a: xr.Dataset | str | Path, b: xr.Dataset | str | Path, outcomes: Iterable[str] | None = None
) -> xr.Dataset:
    """Return how b differs from a at the replicates' ends, in pairs that share their seeds.

    Each is a run or a battery, as labelled arrays or by its folder.

    Runs pair by replicate number, if their seeds are equal. Batteries pair so within points at
    which all parameter columns that they share and the seeds are equal; the result has a dim
    ``point``, numbered as in a. By ``outcome`` (column; those that both have, or the ones named),
    of the n pairs ``(x, y)`` without a missing value:

    - ``pairs``: n,
    - ``difference`` and ``standard_error``: ``mean(y − x)`` and ``sd(y − x) / √n``,
    - ``correlation`` of x and y,
    - ``variance_ratio``: ``(Var x + Var y) / Var(y − x)``, how many times more replicates the same
      error takes without pairs; infinite where all pairs differ by the same.

    Missing where n is too small or nothing varies. Attributes count the replicates and points of
    either that are ``left_out``. Raises ValueError where nothing pairs, saying why, where the
    shared parameters do not tell the points of one battery apart, and for outcomes not in both;
    RunError for a folder that cannot be read.
    """
    a, b = end_values(opened(a)), end_values(opened(b))
    if ("point" in a.dims) != ("point" in b.dims):
        raise ValueError("compare: one of these is a run, the other a battery")
    facts: dict[str, Any] = {}
    sizes = [dict(data.sizes) for data in (a, b)]
    if "point" in a.dims:
        a, b = _paired_points(a, b)
    elif a.attrs["seed"] != b.attrs["seed"]:
        seeds = f"{a.attrs['seed']} and {b.attrs['seed']}"
        raise ValueError(f"compare: runs pair where their seeds are equal; these are {seeds}")
    common = np.intersect1d(a["replicate"].values, b["replicate"].values)
    if not common.size:
        raise ValueError("compare: the two have no replicate numbers in common")
    a, b = a.sel(replicate=common), b.sel(replicate=common)
    for dim in ("point", "replicate"):
        for name, size in zip("ab", sizes, strict=True):
            if dim in size:
                facts[f"{dim}s_left_out_{name}"] = size[dim] - a.sizes[dim]
    asked = None if outcomes is None else list(outcomes)
    first, second = columns(a, asked), columns(b, asked)
    names = [name for name in first if name in second]
    if not names:
        raise ValueError("compare: the two have no outcome in common")
    parts = [_differences(first[name], second[name]) for name in names]
    units = [str(first[name].attrs.get("units", "")) for name in names]
    made = xr.concat(parts, "outcome", coords="minimal", compat="override", join="exact")
    return made.assign_coords(outcome=names, units=("outcome", units)).assign_attrs(facts)


def _paired_points(a: xr.Dataset, b: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the points of both that pair, in the order of a; raises ValueError if none do."""
    shared = [name for name in parameters(a) if name in parameters(b)]
    places_a, places_b = (_places(data, shared, which) for data, which in ((a, "a"), (b, "b")))
    alike = [key for key in places_a if key in places_b]
    if not alike:
        told = ", ".join(shared) or "none"
        raise ValueError(f"compare: no points have the same parameters; shared ones: {told}")
    seeds_a, seeds_b = _seeds(a), _seeds(b)
    pairs = [(places_a[key], places_b[key]) for key in alike]
    pairs = [(i, j) for i, j in pairs if seeds_a[i] == seeds_b[j]]
    if not pairs:
        raise ValueError(
            f"compare: points pair where their seeds are equal; of {len(alike)} with the same "
            "parameters none are"
        )
    a = a.isel(point=[i for i, _ in pairs])
    b = b.isel(point=[j for _, j in pairs])
    b = b.drop_vars([name for name, values in b.coords.items() if "point" in values.dims])
    return a.assign_coords(point=a["point"]), b.assign_coords(point=a["point"].values)


def _places(data: xr.Dataset, names: list[str], which: str) -> dict[tuple[Any, ...], int]:
    """Return where each combination of parameter values is; raises ValueError if not unique."""
    lists = [data[name].values.tolist() for name in names]
    keys = list(zip(*lists, strict=True)) if names else [()] * data.sizes["point"]
    places = {key: i for i, key in enumerate(keys)}
    if len(places) < len(keys):
        told = ", ".join(names) or "none"
        raise ValueError(
            f"compare: the parameters that both have ({told}) do not tell the points of {which} "
            "apart; select one point for each combination first"
        )
    return places


def _seeds(data: xr.Dataset) -> list[str]:
    return [str(seed) for seed in data["seed"].values]


def _differences(x: xr.DataArray, y: xr.DataArray) -> xr.Dataset:
    """Return how y differs from x over their dim ``replicate``."""
    both = x.notnull() & y.notnull()
    x, y = x.where(both), y.where(both)
    pairs = both.sum("replicate")
    spread = _variance(y - x)
    var_x, var_y = _variance(x), _variance(y)
    scale = (var_x * var_y) ** 0.5
    ratio = (var_x + var_y) / spread.where(spread > 0.0)
    return xr.Dataset(
        {
            "pairs": pairs,
            "difference": (y - x).mean("replicate"),
            "standard_error": (spread / pairs) ** 0.5,
            "correlation": (var_x + var_y - spread) / 2.0 / scale.where(scale > 0.0),
            "variance_ratio": ratio.where((spread != 0.0) | (var_x + var_y <= 0.0), np.inf),
        }
    )


def _variance(values: xr.DataArray) -> xr.DataArray:
    """Return the variance over replicates, zero where they differ by rounding only."""
    variance = values.var("replicate", ddof=1)
    dust = (_DUST * abs(values).max("replicate")) ** 2
    return variance.where(~(variance <= dust), 0.0)
