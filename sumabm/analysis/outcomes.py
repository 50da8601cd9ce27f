"""What an analysis is of: columns of a run or a battery, at each replicate's own end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import xarray as xr

from sumabm.columns import parts
from sumabm.recorder import end_values
from sumabm.types import Array

_SHARED = {"point", "replicate", "step", "agent"}  # another dimension is a variable's own


def columns(data: xr.Dataset, outcomes: Iterable[str] | None = None) -> dict[str, xr.DataArray]:
    """Return arrays by column name, ``variable[.agent[.place]]``: by replicate, not by agent.

    ``outcomes`` are variables, all their agents then, those of one agent, or columns; by default
    every variable of floating-point numbers by replicate. Agents to which a variable does not
    apply, all of whose values are missing, are left out unless named; so are their places. Raises
    ValueError for an outcome that the data do not have.
    """
    there = {
        str(name): values
        for name, values in data.data_vars.items()
        if "replicate" in values.dims and values.dtype.kind == "f"
    }
    found: dict[str, xr.DataArray] = {}
    for outcome in there if outcomes is None else outcomes:
        name, agent, place = parts(outcome)
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
            found |= {
                column: own
                for column, own in _by_place(f"{name}.{one}", values, place)
                if column == outcome or bool(own.notnull().any())
            }
    return found


def _by_place(column: str, values: xr.DataArray, place: str) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield an agent's columns: one or, of a variable that has places, the one named or all."""
    own = [str(dim) for dim in values.dims if dim not in _SHARED]
    places = [str(at) for at in range(values.sizes[own[0]])] if own else []
    if place and place not in places:
        raise ValueError(f"outcome: no '{column}.{place}'; places of {column}: {_listed(places)}")
    if not own:
        yield column, values
    for at in [place] if place else places:
        yield f"{column}.{at}", values.isel({own[0]: int(at)}).reset_coords(drop=True)


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
