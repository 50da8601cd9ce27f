"""The run store: the only code that touches ``runs/``.

A run is a folder ``<scenario>-<hash8>-s<seed>`` with ``data.parquet``, ``manifest.json`` and
``figures/``. It is written under another name and renamed when whole: the name means done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from sumabm.files import (
    DAMAGE,
    RunError,
    check_writable,
    checksum,
    sweep,
    whole_folder,
    write_json,
    write_parquet,
)
from sumabm.identity import code_digest, run_identity
from sumabm.provenance import provenance
from sumabm.recorder import STATES, VARIABLES, Progress, columns_of, label, simulate
from sumabm.scenario import Scenario
from sumabm.types import Array

FORMAT = 1
Extras = Callable[[xr.Dataset, Path], dict[str, Any]]
"""Draws what belongs to a run into its folder and returns entries for the manifest."""


@dataclass(frozen=True)
class StoredRun:
    """A run in the store: its folder, its manifest, and whether it was there already."""

    path: Path
    manifest: Mapping[str, Any]
    reused: bool


def run(
    scenario: Scenario,
    replicates: range,
    seed: int,
    out: Path,
    given: Mapping[str, Any],
    extras: Extras | None = None,
    progress: Progress | None = None,
) -> StoredRun:
    """Return the stored run of these, simulated now unless the store under ``out`` has it.

    ``given`` is how the user asked for it, for the manifest; ``extras`` adds figures. Interrupted
    or killed at any moment it leaves the whole run or none. Raises RunError when a folder of this
    run's name holds something else or ``out`` cannot be written.
    """
    identity = run_identity(scenario, seed, replicates)
    path = out / f"{scenario.scenario}-{identity[:8]}-s{seed}"
    if path.exists():
        return _reuse(path, identity)
    check_writable(out)
    began = time.perf_counter()
    data = simulate(scenario, replicates, seed, progress=progress)
    seconds = {"simulate": time.perf_counter() - began}
    manifest = {
        "format": FORMAT,
        "status": "complete",
        "identity": identity,
        "code": code_digest(),
        "scenario": scenario.model_dump(),
        "given": dict(given),
        "seed": seed,
        "replicates": [replicates.start, replicates.stop],
        "ended": data.attrs["ended"],
        "graphs": json.loads(data.attrs["graphs"]),
        **provenance(scenario),
    }
    try:
        sweep(path.parent)
        with whole_folder(path) as folder:
            for name, table in _tables(data).items():
                write_parquet(table, folder / name)
            manifest["files"] = {name: checksum(folder / name) for name in _tables(data)}
            seconds["write"] = time.perf_counter() - began - sum(seconds.values())
            if extras is not None:
                manifest |= extras(data, folder)
            seconds["figures"] = time.perf_counter() - began - sum(seconds.values())
            manifest["seconds"] = {name: round(value, 3) for name, value in seconds.items()}
            write_json(manifest, folder / "manifest.json")
    except FileExistsError:  # another process stored the same run meanwhile
        return _reuse(path, identity)
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise RunError(f"{path}: cannot be written: {error}") from error
    return StoredRun(path, manifest, reused=False)


def open_run(path: str | Path) -> xr.Dataset:
    """Return a stored run as `simulate` returned it, from its folder.

    Nothing named in the files is imported or executed. Raises RunError, naming the file, when the
    folder is no whole run or its data does not match the checksum in its manifest.
    """
    path = Path(path)
    manifest = read_manifest(path)
    _check_data(path, manifest)
    try:
        table = pq.read_table(path / "data.parquet")
        replicates = range(*manifest["replicates"])
        shape = (len(replicates), manifest["scenario"]["steps"])
        columns = {
            name: table[name].to_numpy().reshape(shape).T
            for name in table.column_names
            if name not in ("replicate", "step")
        }
        states: dict[str, Array] = {}
        if "states.parquet" in manifest["files"]:
            table = pq.read_table(path / "states.parquet")
            states = {name: table[name].to_numpy() for name in table.column_names}
        return label(
            columns,
            states,
            manifest["scenario"],
            manifest["identity"],
            manifest["seed"],
            replicates,
            manifest.get("ended", ""),
            manifest.get("graphs", {}),
        )
    except (*DAMAGE, pa.ArrowException) as error:
        raise RunError(f"{path}: is not a run that this version can read: {error!r}") from error


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a run's manifest; raises RunError when it is missing or damaged."""
    file = path / "manifest.json"
    try:
        if file.exists() and not file.is_file():
            raise RunError(f"{file}: is not a file")
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: is not a run: manifest.json: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise RunError(f"{path}: manifest.json is not of format {FORMAT}")
    return manifest


def _check_data(path: Path, manifest: Mapping[str, Any]) -> None:
    """Raise RunError unless the run's data are there, as its manifest has them."""
    try:
        for name in (
            "data.parquet",
            *("states.parquet",) * ("states.parquet" in manifest["files"]),
        ):
            file = path / name
            if not file.is_file():
                raise RunError(f"{file}: is missing")
            if checksum(file) != manifest["files"][name]:
                raise RunError(f"{file}: does not match the checksum in the manifest")
    except DAMAGE as error:
        raise RunError(f"{path}: is not a run that this version can read: {error!r}") from error


def _reuse(path: Path, identity: str) -> StoredRun:
    manifest = read_manifest(path)
    if manifest.get("identity") != identity:
        raise RunError(f"{path}: holds another run; move it away or choose another --out")
    _check_data(path, manifest)
    return StoredRun(path, manifest, reused=True)


def _tables(data: xr.Dataset) -> dict[str, dict[str, Array]]:
    """Return a run's columns by file: by replicate and step, and of states if it has them."""
    replicates, steps = data["replicate"].values, data["step"].values
    index = {
        "replicate": np.repeat(replicates, steps.size),
        "step": np.tile(steps, replicates.size),
    }
    files = {"data.parquet": index | _flat(data, VARIABLES)}
    if states := _flat(data, STATES):
        files["states.parquet"] = states
    return files


def _flat(data: xr.Dataset, names: Iterable[str]) -> dict[str, Array]:
    return {
        column: np.ascontiguousarray(values).ravel()
        for name in names
        if name in data
        for column, values in columns_of(data, name).items()
    }
