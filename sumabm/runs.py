"""The run store: the only code that touches ``runs/``.

A run is a folder ``<scenario>-<hash8>-s<seed>`` with ``data.parquet``, ``manifest.json`` and
``figures/``. It is written under another name and renamed when whole: the name means done. A run of
more than `WHOLE` bytes goes through a file without a name on the same disk: memory does not grow
with its steps.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from numpy.typing import NDArray

from sumabm.display import html_table
from sumabm.files import (
    DAMAGE,
    RunError,
    check_writable,
    checksum,
    sweep,
    whole_folder,
    write_json,
    write_parquet,
    write_pieces,
)
from sumabm.identity import code_digest, run_identity
from sumabm.model import SUMModel
from sumabm.provenance import provenance
from sumabm.recorder import (
    STATES,
    VARIABLES,
    Progress,
    columns_of,
    end_values,
    label,
    labelled_run,
    recorded,
)
from sumabm.rows import WHOLE, Held, Streamed
from sumabm.scenario import Scenario
from sumabm.types import Array

FORMAT = 1
Extras = Callable[[xr.Dataset, xr.Dataset, Path], dict[str, Any]]
"""Draws what belongs to a run into its folder and returns entries for the manifest.

Takes the run, some of its steps and replicates where it is too long (see `Streamed.sample`), and
the `end_values` of all replicates.
"""


@dataclass(frozen=True)
class StoredRun:
    """A run in the store: its folder, its manifest, and whether it was there already."""

    path: Path
    manifest: Mapping[str, Any]
    reused: bool

    def _repr_html_(self) -> str:
        facts = {"folder": self.path, "reused": self.reused, "seed": self.manifest["seed"]}
        facts |= {"replicates": range(*self.manifest["replicates"])}
        ends = {
            f"{line['quantity']} ({line['unit']})": line["mean"]
            for line in self.manifest.get("result", [])
        }
        return html_table(f"Run of {self.manifest['scenario']['scenario']}", facts | ends)


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

    ``given`` is how the user asked for it, for the manifest; ``extras`` adds figures. Memory is
    bounded whatever the steps, and then so much disk is needed for a while as for the rows, at 8
    bytes per column, replicate and step, besides the run. Interrupted
    or killed at any moment it leaves the whole run or none. Raises RunError when a folder of this
    run's name holds something else or ``out`` cannot be written.
    """
    identity = run_identity(scenario, seed, replicates)
    path = out / f"{scenario.scenario}-{identity[:8]}-s{seed}"
    if path.exists():
        return _reuse(path, identity)
    with ExitStack() as stack:
        began = time.perf_counter()
        room = partial(_room, stack, check_writable(out))
        model = SUMModel(scenario, replicates, seed)
        rows, states = recorded(model, room, progress)
        done = _Done(model, rows, states, time.perf_counter() - began)
        return _store(done, path, given, extras)


@dataclass(frozen=True)
class _Done:
    """A run that is over: its model, rows and states, and the seconds it took."""

    model: SUMModel
    rows: Held | Streamed
    states: dict[str, Array]
    seconds: float

    def shown(self) -> xr.Dataset:
        """Return the run, or a sample where it is too long."""
        if isinstance(self.rows, Held):
            return labelled_run(self.model, self.rows.columns, self.states)
        steps, columns = self.rows.sample()
        return labelled_run(self.model, columns, self.states, steps)

    def ends(self, shown: xr.Dataset) -> xr.Dataset:
        """Return the last rows of all replicates."""
        if isinstance(self.rows, Held):
            return end_values(shown)
        last = {name: values[None] for name, values in self.rows.last.row.items()}
        return labelled_run(self.model, last, self.states, [0]).isel(step=0, drop=True)

    def write(self, shown: xr.Dataset, folder: Path) -> dict[str, str]:
        """Write the run's data into a folder; return the files' checksums."""
        file = folder / "data.parquet"
        if isinstance(self.rows, Held):
            write_parquet(_index(shown) | _flat(shown, VARIABLES), file)
        else:
            names = _flat(shown.isel(replicate=[0], step=[0]), VARIABLES)
            write_pieces(_pieces(self.rows, names, self.model.replicates.start), file)
        if self.states:
            write_parquet(_flat(shown, STATES), folder / "states.parquet")
        return {path.name: checksum(path) for path in sorted(folder.iterdir())}


def _store(done: _Done, path: Path, given: Mapping[str, Any], extras: Extras | None) -> StoredRun:
    began = time.perf_counter()
    seconds = {"simulate": done.seconds}
    model = done.model
    try:
        data = done.shown()
    except OSError as error:
        raise RunError(f"{path.parent}: cannot be read: {error}") from error
    manifest = {
        "format": FORMAT,
        "status": "complete",
        "identity": data.attrs["identity"],
        "code": code_digest(),
        "scenario": model.spec.model_dump(),
        "given": dict(given),
        "seed": model.seed,
        "replicates": [model.replicates.start, model.replicates.stop],
        "ended": model.ended,
        "graphs": json.loads(data.attrs["graphs"]),
        **provenance(model.spec),
    }
    try:
        sweep(path.parent)
        with whole_folder(path) as folder:
            manifest["files"] = done.write(data, folder)
            seconds["write"] = time.perf_counter() - began
            if extras is not None:
                manifest |= extras(data, done.ends(data), folder)
            seconds["figures"] = time.perf_counter() - began - seconds["write"]
            manifest["seconds"] = {name: round(value, 3) for name, value in seconds.items()}
            write_json(manifest, folder / "manifest.json")
    except FileExistsError:  # another process stored the same run meanwhile
        return _reuse(path, data.attrs["identity"])
    except (OSError, ValueError, pa.ArrowException) as error:
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


def _room(
    stack: ExitStack, folder: Path, names: Collection[str], steps: int, replicates: int
) -> Held | Streamed:
    """Return what keeps a run's rows until ``stack`` ends: memory, or a file beside ``folder``."""
    if 8 * len(names) * steps * replicates <= WHOLE:
        return Held(names, steps, replicates)
    rows = Streamed(names, steps, replicates, folder)
    stack.callback(rows.close)
    return rows


def _pieces(
    rows: Streamed, names: Collection[str], first: int
) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield a run's columns piece by piece; missing where they are named but have no rows."""
    for piece in rows.pieces():
        who, steps = np.array(piece.replicates) + first, np.array(piece.steps)
        missing = np.full(who.size * steps.size, np.nan)
        index = {"replicate": np.repeat(who, steps.size), "step": np.tile(steps, who.size)}
        has = piece.columns
        yield index | {name: has[name].T.ravel() if name in has else missing for name in names}


def _index(data: xr.Dataset) -> dict[str, NDArray[Any]]:
    replicates, steps = data["replicate"].values, data["step"].values
    return {
        "replicate": np.repeat(replicates, steps.size),
        "step": np.tile(steps, replicates.size),
    }


def _flat(data: xr.Dataset, names: Iterable[str]) -> dict[str, Array]:
    return {
        column: np.ascontiguousarray(values).ravel()
        for name in names
        if name in data
        for column, values in columns_of(data, name).items()
    }
