"""What an analysis is of: columns of a run or a battery, at each replicate's own end."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from sumabm.recorder import end_values
from sumabm.types import Array


def columns(data: xr.Dataset, outcomes: Iterable[str] | None = None) -> dict[str, xr.DataArray]:
    """Return arrays by column name, ``variable[.agent]``: by replicate, not by agent.

    ``outcomes`` are variables, all their agents then, or columns of one agent; by default every
    variable of floating-point numbers by replicate. Agents to which a variable does not apply, all
    of whose values are missing, are left out unless named. Raises ValueError for an outcome that
    the data do not have.
    """
    there = {
        str(name): values
        for name, values in data.data_vars.items()
        if "replicate" in values.dims and values.dtype.kind == "f"
    }
    found: dict[str, xr.DataArray] = {}
    for outcome in there if outcomes is None else outcomes:
        name, _, agent = outcome.partition(".")
        if name not in there:
            raise ValueError(f"outcome: no variable '{name}'; allowed: {_listed(there)}")
        by_agent = "agent" in there[name].dims
        if not by_agent and not agent:
            found[name] = there[name]
            continue
        agents = [str(a) for a in data["agent"].values] if by_agent else []
        if agent and agent not in agents:
            raise ValueError(f"outcome: no '{outcome}'; agents of {name}: {_listed(agents)}")
        for one in [agent] if agent else agents:
            values = there[name].sel(agent=one).reset_coords(drop=True)
            if agent or bool(values.notnull().any()):
                found[f"{name}.{one}"] = values
    return found


def column(data: xr.Dataset, outcome: str) -> xr.DataArray:
    """Return the one column of that name, dims ``[point,] replicate``, at each replicate's end.

    The agent may be left out where only one has the variable. Raises ValueError unless there is
    exactly one such column.
    """
    found = columns(end_values(data), [outcome])
    if len(found) != 1:
        raise ValueError(f"outcome: '{outcome}' should be one of {_listed(found)}")
    return next(iter(found.values()))


def point_outcomes(data: xr.Dataset, outcome: str) -> Array:
    """Return a battery's outcome at its replicates' ends, ``(point, replicate)``.

    Raises ValueError where points are incomplete or have no value of the outcome at all: what is
    estimated from a part of a design is not what the design was made for.
    """
    if "point" not in data.dims:
        raise ValueError("the data should be a battery's, with a dim 'point'")
    total = data.sizes["point"]
    complete = data["complete"].values if "complete" in data.coords else np.ones(total, dtype=bool)
    if missing := int(total - complete.sum()):
        rule = "run 'sumabm resume' on the battery first"
        raise ValueError(f"{missing} of {total} points are incomplete: {rule}")
    values: Array = column(data, outcome).transpose("point", "replicate").values
    if empty := int(np.isnan(values).all(axis=1).sum()):
        raise ValueError(f"outcome: '{outcome}' is missing at {empty} of {total} points")
    return values


def parameters(data: xr.Dataset) -> dict[str, str]:
    """Return a battery's parameter columns and their roles, "uncertainty" or "lever"."""
    return {
        str(name): values.attrs["role"]
        for name, values in data.coords.items()
        if values.dims == ("point",) and "role" in values.attrs
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
