"""From a model's steps to labelled arrays: ``replicate × step × agent``."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sumabm.columns import Variable, chosen, labelled
from sumabm.identity import run_identity
from sumabm.model import SUMModel
from sumabm.networks import Statistics, summed_up
from sumabm.roles import MOST_AGENTS, members
from sumabm.rows import Held, Last, Rows
from sumabm.scenario import Scenario, load_scenario
from sumabm.streams import replicate_range, seed_of
from sumabm.types import Array
from sumabm.worlds.discrete import DiscreteWorld

_AI, _ACTORS, _ALL = ("ai",), ("ai", "human"), ("ai", "human", "aligner")

VARIABLES = {
    "harm": Variable("nats", "harm of the step, after the humans responded"),
    "harm_amplitude": Variable("sqrt(nats)", "harm amplitude of the step"),
    "cumulative_harm": Variable("nats", "harm of this and all earlier steps"),
    "cumulative_harm_amplitude": Variable("sqrt(nats)", "its amplitudes, summed"),
    "displacement": Variable("nats", "KL divergence of the world from base, after the response"),
    "lost": Variable("", "base probability of the states that a discrete world has lost"),
    "joint_spent": Variable("nats", "KL divergence of all AIs' acts together"),
    "welfare": Variable("sd", "expected utility of the humans' power-weighted mean, as `utility`"),
    "welfare_acted": Variable("sd", "the same after the AIs acted, before the response"),
    "alignment": Variable("", "correlation of the AI's utility with the humans', as it acts", _AI),
    "information": Variable("nats", "what its best informed aligner knows of it, as it acts", _AI),
    "believed": Variable("", "the alignment that this aligner expects", _AI),
    "power": Variable("nats", "power this step", _ACTORS),
    "spent": Variable("nats", "power used: on the world, or by an aligner on AIs' utilities", _ALL),
    "budget": Variable("nats", "what the aligner has spent before this step", ("aligner",)),
    "foreseen": Variable("sd", "gain in its utility that the AI foresees from its act", _AI),
    "learnt": Variable(
        "", "cosine of the AI's aim with its reward: 1 if it knows what earns it", _AI
    ),
    "generation_alignment": Variable(
        "", "mean alignment of the goals of each generation of its subagents", _AI, "generation"
    ),
    "turned": Variable("", "1 once an AI hides or is shut in no more, 0 until then", _AI),
    "order": Variable("", "place in the order of acting, from 0", _AI),
    "utility": Variable(
        "sd", "expected utility, as acted on, above base, after the response", _ACTORS
    ),
    "utility_acted": Variable("sd", "the same after the AIs acted, before the response", _ACTORS),
    "harm_to": Variable("nats", "harm to this human", ("human",)),
    "harm_by": Variable(
        "nats", "the AI's share of the harm, where there are several in a Gaussian world", _AI
    ),
    "joined": Variable("", "AIs that act as one with it, itself included", _AI),
}
"""Every recorded variable. Those that exist per agent are missing where they do not apply.

Row t holds the alignment as the AI acts in step t, the budget before the aligner spends, and the
harm after the humans respond. Rows of a replicate that is done are missing.
"""

STATES = {
    "state_base": Variable("", "probability of the state in the base world"),
    "state_acted": Variable("", "its probability after the AIs acted"),
    "state_left": Variable("", "its probability after the humans responded"),
    "state_utility": Variable("sd", "the agent's utility in the state", _ACTORS),
}
"""Recorded of a discrete world of up to `MAX_STATES` states: its first replicate's last step."""

MAX_STATES = 100_000

Kept = TypeVar("Kept", bound=Rows)
Progress = Callable[[int, int], None]
"""Called with the steps done, from 0 on, and the steps in all."""


def simulate(
    scenario: str | Path | Scenario,
    replicates: int | range = 1,
    seed: int | None = 0,
    steps: int | None = None,
    overrides: Mapping[str, object] = {},
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run a scenario and return all it recorded, dims ``replicate``, ``step``, ``agent``.

    ``replicates`` is a count or a range: replicate k of a seed is the same, bit for bit, in any
    ensemble. ``steps`` is short for the override of that name; ``seed=None`` draws a seed, kept in
    the attributes with the scenario, its identity, what sums its graphs up (``graphs``, JSON) and,
    as ``ended``, why a run stopped before its last step (empty where no power did that); rows after
    a replicate's last are missing, so that `end_values` is the way to its end. Variables:
    `VARIABLES`. All of it is in memory, from the first step on: 8 bytes per column, replicate and
    step; `sumabm run` stores what is longer. Raises ScenarioError or ValueError as `SUMModel` does.

    >>> run = simulate("essay", replicates=2, steps=3)
    >>> dict(run.sizes)
    {'replicate': 2, 'step': 3, 'agent': 3}
    """
    if steps is not None:
        overrides = {**overrides, "steps": steps}
    spec, which = load_scenario(scenario, overrides), replicate_range(replicates)
    model = SUMModel(spec, which, seed_of(seed))
    rows, states = recorded(model, Held, progress)
    return labelled_run(model, rows.columns, states)


def recorded(
    model: SUMModel,
    room: Callable[[Collection[str], int, int], Kept],
    progress: Progress | None = None,
) -> tuple[Kept, dict[str, Array]]:
    """Run a model to its end and return its rows, and `states_of` its last.

    ``room`` takes columns, steps and replicates, and returns what keeps the rows.
    """
    total = model.spec.steps
    if progress is not None:
        progress(0, total)
    rows: Kept | None = None
    states: dict[str, Array] = {}
    for row in _rows(model):
        if rows is None:
            rows = room(row, total, len(model.replicates))
        rows.put(model.steps - 1, row)
        if not states or not np.isnan(row["harm"][0]):
            states = states_of(model)
        if progress is not None:
            progress(model.steps, total)
    assert rows is not None  # there is always one
    return rows, states


def labelled_run(
    model: SUMModel,
    columns: Mapping[str, Array],
    states: Mapping[str, Array],
    steps: Sequence[int] | NDArray[np.int64] | None = None,
) -> xr.Dataset:
    """Return the Dataset of columns ``(steps, replicates)`` of a model that is at its end.

    ``steps`` are those that the columns have, all by default; replicates are the first ones.
    """
    identity = run_identity(model.spec, model.seed, model.replicates)
    which = model.replicates[: next(iter(columns.values())).shape[1]]
    facts = (identity, model.seed, which, model.ended, summed_up(model.spec))
    return label(columns, states, model.spec.model_dump(), *facts, steps)


def _rows(model: SUMModel) -> Iterator[dict[str, Array]]:
    """Step a model to its end and yield its rows; of a run that is done at once, still one."""
    model.collects = False
    model.step()
    yield model.row
    while model.running:
        model.step()
        yield model.row


def record(
    model: SUMModel, every: int | None = None, outcomes: Collection[str] = ()
) -> dict[str, NDArray[Any]]:
    """Run a model to its end and return a table of what it went through, by column.

    Columns ``replicate``, ``step`` and the ``outcomes`` (variables, or columns of one agent; all of
    them if none is named), sorted by replicate and step. Each replicate has its own last row, which
    is an earlier one where it stopped, and with ``every`` = k also steps 0, k, 2k, … A replicate
    that was done before its first step has none.
    """
    first = model.replicates.start
    kept: list[tuple[NDArray[Any], NDArray[Any], dict[str, Array]]] = []
    last = Last(len(model.replicates))
    for row in _rows(model):
        step = model.steps - 1
        wanted = {name: values for name, values in row.items() if chosen(name, outcomes)}
        there = ~np.isnan(row["harm"])
        last.put(step, wanted, there)
        if every is not None and step % every == 0:
            kept.append((there, np.full(there.shape, step), wanted))
    began = last.step >= 0
    if every is not None:
        began &= last.step % every != 0  # the others are kept already
    kept.append((began, last.step, last.row))
    who = np.concatenate([first + np.flatnonzero(there) for there, _, _ in kept])
    steps = np.concatenate([steps[there] for there, steps, _ in kept])
    order = np.lexsort((steps, who))
    columns: dict[str, NDArray[Any]] = {"replicate": who[order], "step": steps[order]}
    for name in last.row:
        columns[name] = np.concatenate([row[name][there] for there, _, row in kept])[order]
    return columns


def states_of(model: SUMModel) -> dict[str, Array]:
    """Return, after a step, the columns ``(N,)`` of `STATES` for the first replicate.

    None for a world without states, or with more than `MAX_STATES`.
    """
    base = model.base
    if not isinstance(base, DiscreteWorld) or base.log_probabilities.shape[-1] > MAX_STATES:
        return {}
    worlds = {"state_base": base, "state_acted": model.acted, "state_left": model.left}
    columns = {
        name: np.exp(np.atleast_2d(world.log_probabilities)[0])
        for name, world in worlds.items()
        if isinstance(world, DiscreteWorld)
    }
    for name, utility in model.utilities.items():
        columns[f"state_utility.{name}"] = np.atleast_2d(utility)[0]
    return columns


def label(
    columns: Mapping[str, Array],
    states: Mapping[str, Array],
    scenario: Mapping[str, Any],
    identity: str,
    seed: int,
    replicates: range,
    ended: str,
    graphs: Mapping[str, Statistics] = {},
    given: Sequence[int] | NDArray[np.int64] | None = None,
) -> xr.Dataset:
    """Return the Dataset of ``columns``: arrays ``(step, replicate)``, named as in `columns`.

    ``states`` are arrays ``(N,)`` named likewise, none for a world that has no states.
    ``scenario`` is the resolved scenario as a table, so that a run opens without its plug-ins;
    ``ended`` is `SUMModel.ended`, ``graphs`` are `networks.summed_up`; ``given`` are the steps that
    the columns have, all by default. Raises ValueError for a scenario of too many agents.
    """
    if sum(spec.get("count") or 1 for spec in scenario["agents"].values()) > MOST_AGENTS:
        raise ValueError(f"its scenario has more than {MOST_AGENTS} agents")
    roles = {
        name: spec["role"]
        for entry, spec in scenario["agents"].items()
        for name in members(entry, spec.get("count"))
    }
    agents = list(roles)
    steps = labelled(VARIABLES, {k: v.T for k, v in columns.items()}, ("replicate", "step"), agents)
    coords: dict[str, Any] = {}
    if states:
        size = len(states["state_base"])
        coords["state"] = scenario["world"].get("names") or np.arange(size)
        steps |= labelled(STATES, states, ("state",), agents)
    return xr.Dataset(
        steps,
        coords={
            **coords,
            "replicate": np.arange(replicates.start, replicates.stop),
            "step": np.arange(scenario["steps"]) if given is None else given,
            "agent": agents,
            "role": ("agent", list(roles.values())),
        },
        attrs={
            "scenario": json.dumps(scenario),
            "identity": identity,
            "seed": str(seed),
            "ended": ended,
            "graphs": json.dumps(graphs),
        },
    )


def end_values(data: xr.Dataset) -> xr.Dataset:
    """Return the data without ``step``: of each replicate, the last row that it has.

    A replicate that stopped early has an earlier one; the row is the same for all its variables,
    and missing for a replicate without any. Data that have no steps are returned as they are.
    Raises ValueError for data that do not have every step: the last one may not be there.

    >>> run = simulate("essay", replicates=2, steps=3)
    >>> dict(end_values(run).sizes)
    {'replicate': 2, 'agent': 3}
    """
    if "step" not in data.dims:
        return data
    if data.attrs.get("every", 1) > 1:
        raise ValueError("these are every k-th step only: open the battery without trajectories")
    there: xr.DataArray | None = None
    for values in data.data_vars.values():
        if {"replicate", "step"} <= set(values.dims):
            other = set(values.dims) - {"point", "replicate", "step"}
            has = values.notnull().any(other)
            there = has if there is None else there | has
    if there is None:
        raise ValueError("the data have steps, but no variable by replicate and step")
    back = there.isel(step=slice(None, None, -1)).argmax("step")
    return data.isel(step=data.sizes["step"] - 1 - back).drop_vars("step", errors="ignore")


def columns_of(run: xr.Dataset, name: str) -> dict[str, Array]:
    """Return a variable's arrays by column name: one, or one per agent and, if any, place.

    ``(replicate, step)``, or ``(state,)`` for those of `STATES`. Agents of roles to which the
    variable does not apply are left out.
    """
    if "agent" not in run[name].dims:
        return {name: run[name].values}
    variable = {**VARIABLES, **STATES}[name]
    found = {
        f"{name}.{agent}": run[name].sel(agent=agent).values
        for agent, role in zip(run["agent"].values, run["role"].values, strict=True)
        if role in variable.roles
    }
    if not variable.dim:
        return found
    return {
        f"{column}.{place}": values[..., place]
        for column, values in found.items()
        for place in range(values.shape[-1])
    }
