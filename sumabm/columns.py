"""Columns of what is recorded: ``variable``, ``variable.agent`` or ``variable.agent.place``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from sumabm.types import Array


class Variable(NamedTuple):
    """What a recorded variable is: unit, description, and the roles it applies to (none: all).

    A variable of agents may have a further dimension ``dim``, along which an agent has a column for
    each place from 0 on.
    """

    unit: str
    about: str
    roles: tuple[str, ...] = ()
    dim: str = ""


class Parts(NamedTuple):
    """What a column is named after: its variable and, empty where it has none, agent and place."""

    variable: str
    agent: str
    place: str


def parts(column: str) -> Parts:
    """Return what a column is named after: no name of an agent has a dot.

    >>> parts("generation_alignment.X.3")
    Parts(variable='generation_alignment', agent='X', place='3')
    """
    variable, _, rest = column.partition(".")
    agent, _, place = rest.partition(".")
    return Parts(variable, agent, place)


def chosen(column: str, outcomes: Collection[str]) -> bool:
    """Whether a column is among ``outcomes``, or of a variable or an agent's that is.

    All are where no outcome is named.

    >>> [chosen("power.X", [outcome]) for outcome in ("power", "power.X", "power.X1", "powe")]
    [True, True, False, False]
    """
    return not outcomes or any(f"{column}.".startswith(f"{outcome}.") for outcome in outcomes)


def labelled(
    variables: Mapping[str, Variable],
    columns: Mapping[str, Array],
    dims: tuple[str, ...],
    agents: list[str],
) -> dict[str, Any]:
    """Return the arrays of those variables that there are, stacked over agents, with metadata.

    ``columns`` are shaped as ``dims``; what xarray takes as data. A variable with a further
    dimension has as many places as the agent that has the most, and is missing beyond an agent's.
    """
    data: dict[str, Any] = {}
    missing = np.full_like(next(iter(columns.values())), np.nan)
    for name, variable in variables.items():
        about = {"units": variable.unit, "long_name": variable.about}
        if name in columns:
            data[name] = (dims, columns[name], about)
            continue
        places = _places(name, columns) if variable.dim else [""]
        rows = [[f"{name}.{agent}{place}" for place in places] for agent in agents]
        if not any(column in columns for row in rows for column in row):
            continue
        found = [[columns.get(column, missing) for column in row] for row in rows]
        if variable.dim:
            stacked = np.stack([np.stack(row, axis=-1) for row in found], axis=-2)
            data[name] = ((*dims, "agent", variable.dim), stacked, about)
            data[variable.dim] = (variable.dim, np.arange(len(places)))
        else:
            data[name] = ((*dims, "agent"), np.stack([row[0] for row in found], axis=-1), about)
    return data


def _places(name: str, columns: Collection[str]) -> list[str]:
    """Return what follows the agent in a variable's columns: ``.0``, ``.1``, … to the last."""
    found = [parts(column) for column in columns]
    last = max((int(part.place) for part in found if part.variable == name), default=-1)
    return [f".{place}" for place in range(last + 1)]
