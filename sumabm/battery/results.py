"""A battery's results: labelled arrays with the parameters as coordinates, and their export."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from numpy.typing import NDArray

from sumabm.battery.graphs import GRAPH_COLUMNS
from sumabm.battery.store import FACTS, Store
from sumabm.columns import chosen, labelled, parts
from sumabm.files import DAMAGE, RunError
from sumabm.recorder import VARIABLES
from sumabm.runs import open_run
from sumabm.types import Array


def open_battery(
    path: str | Path | Store, outcomes: Collection[str] = (), trajectories: bool = False
) -> xr.Dataset:
    """Return a battery's results, dims ``point``, ``replicate`` and, of those by agent, ``agent``.

    Each replicate's own last step (``last_step``) or, with ``trajectories``, every k-th step as it
    was kept (``every`` in the attributes), with a dim ``step``; of ``outcomes`` (variables) only,
    where some are named. Parameters are coordinates of ``point``, with their ``role``: uncertainty
    or lever; so are the ``seed``, whether a point is ``complete`` and, where scenarios have
    relations, ``graph_degree`` and the other `graphs.statistics` of the first one's graph. What is
    not done yet is missing. Attributes hold the battery, its identity and its seed. Raises RunError
    when the folder or a chunk cannot be read.
    """
    store = path if isinstance(path, Store) else Store.open(path)
    try:
        return _opened(store, outcomes, trajectories)
    except (*DAMAGE, pa.ArrowException) as error:
        raise RunError(
            f"{store.path}: is not a battery that this version can read: {error!r}"
        ) from error


def _opened(store: Store, outcomes: Collection[str], trajectories: bool) -> xr.Dataset:
    """Return a battery's results from its tables; raises what damaged ones raise."""
    battery = store.battery
    points, unit, plan = (store.table(name) for name in ("points", "unit", "plan"))
    n, replicates = len(points["point"]), battery.replicates
    steps = _steps(store, plan) if trajectories else None
    shape = (n, replicates) if steps is None else (n, replicates, len(steps))
    columns, last, complete = _filled(store, outcomes, shape, steps)
    agents = list(battery.scenario.population)
    agents += sorted({parts(name).agent for name in columns} - {"", *agents})  # points' own
    dims = ("point", "replicate") if steps is None else ("point", "replicate", "step")
    data: dict[str, Any] = labelled(VARIABLES, columns, dims, agents) if columns else {}
    if steps is None:
        about = {"long_name": "the replicate's own last step; -1 before any"}
        data["last_step"] = (dims, last, about)
    coords: dict[str, Any] = {
        "point": points["point"],
        "replicate": np.arange(replicates),
        "agent": agents,
        "complete": ("point", complete),
        "seed": ("point", plan["seed"].astype(str)),
        **{name: ("point", plan[name]) for name in GRAPH_COLUMNS if name in plan},
    }
    if steps is not None:
        coords["step"] = steps
    coords["role"] = ("agent", _roles(store, plan, agents))
    for name in [name for name in points if name != "point"]:
        coords[name] = ("point", *_parameter(store, points, name))
    if len(unit) > 1:
        names = [name for name in unit if name != "point"]
        data["unit"] = (("point", "coordinate"), np.stack([unit[name] for name in names], axis=-1))
        coords["coordinate"] = names
    facts: dict[str, Any] = {"battery": json.dumps(store.manifest["battery"])}
    facts |= {"identity": store.manifest["identity"], "seed": str(battery.seed)}
    if steps is not None:
        facts["every"] = battery.keep.every
    return xr.Dataset(data, coords=coords, attrs=facts)


def _roles(store: Store, plan: dict[str, Any], agents: list[str]) -> list[str]:
    """Return the agents' roles; a point may have agents that the scenario has not."""
    found = {name: agent.kind for name, agent in store.battery.scenario.population.items()}
    for changes in plan["overrides"]:
        if found.keys() >= set(agents):
            break
        at = store.battery.changed(json.loads(changes)).population
        found = {name: agent.kind for name, agent in at.items()} | found
    return [found[agent] for agent in agents]


def opened(source: xr.Dataset | str | Path) -> xr.Dataset:
    """Return labelled arrays as they are, and those of a run or a battery from its folder."""
    if isinstance(source, xr.Dataset):
        return source
    folder = Path(source)
    return open_battery(folder) if (folder / "battery.json").exists() else open_run(folder)


def _parameter(store: Store, points: dict[str, Any], name: str) -> tuple[Any, dict[str, str]]:
    """Return a parameter column and its attributes."""
    levers = {n.removeprefix("scenario.") for n in store.battery.levers}
    plain = name.partition("[")[0].removeprefix("scenario.")
    values = points[name]
    role = "lever" if plain in levers else "uncertainty"
    return values.astype(str) if values.dtype == object else values, {"role": role}


def _steps(store: Store, plan: dict[str, Any]) -> NDArray[Any]:
    """Return the steps that were kept, at the point that runs longest."""
    every = store.battery.keep.every
    if every is None:
        raise RunError(f"{store.path}: kept only the end of every run: keep.steps says so")
    usual = store.battery.scenario.steps
    longest = max(json.loads(changes).get("steps", usual) for changes in plan["overrides"])
    return np.arange(0, longest, every)


def _filled(
    store: Store, outcomes: Collection[str], shape: tuple[int, ...], steps: NDArray[Any] | None
) -> tuple[dict[str, Array], NDArray[Any], NDArray[Any]]:
    """Return columns of that shape, last steps and which points are complete, from the chunks."""
    done, plan = store.done(), store.table("chunks")
    if shape[1] != plan["stop"].max():
        raise ValueError(f"{shape[1]} replicates, of which {plan['stop'].max()} are planned")
    columns: dict[str, Array] = {}
    last = np.full(shape[:2], -1)
    complete = np.ones(shape[0], dtype=bool)
    rows = (plan[name] for name in ("identity", "point", "first", "stop"))
    for identity, point, first, stop in zip(*rows, strict=True):
        if identity not in done:
            complete[point] = False
            continue
        chunk = read_chunk(store, identity, outcomes)
        who, when = chunk.pop("replicate"), chunk.pop("step")
        if who.size and not first <= who.min() <= who.max() < stop:
            raise RunError(
                f"{store.file(identity)}: cannot be read: replicates are not {first}:{stop}"
            )
        ends = np.flatnonzero(np.append(np.diff(who) != 0, who.size > 0))
        last[point, who[ends]] = when[ends]
        for name, values in chunk.items():
            column = columns.setdefault(name, np.full(shape, np.nan))
            if steps is None:
                column[point, who[ends]] = values[ends]
            else:
                kept = when % store.battery.keep.every == 0
                column[point, who[kept], when[kept] // store.battery.keep.every] = values[kept]
    return columns, last, complete


def read_chunk(
    store: Store, identity: str, outcomes: Collection[str] = ()
) -> dict[str, NDArray[Any]]:
    """Return a stored chunk's columns, of ``outcomes`` only where some are named.

    Raises RunError when the file is damaged or is not that chunk's.
    """
    file = store.file(identity)
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as opened:
            if json.loads(opened.schema_arrow.metadata[FACTS.encode()])["identity"] != identity:
                raise ValueError("it holds another chunk")
            names = [
                name
                for name in opened.schema_arrow.names
                if name in ("replicate", "step") or chosen(name, outcomes)
            ]
            if names[:2] != ["replicate", "step"]:
                raise ValueError("it does not say of which replicates and steps it is")
            table = opened.read(columns=names, use_threads=False)
        return {name: table[name].to_numpy() for name in names}
    except (*DAMAGE, pa.ArrowException) as error:
        raise RunError(f"{file}: cannot be read: {error}") from error
