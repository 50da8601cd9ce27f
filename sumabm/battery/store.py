"""The battery store: a folder per battery beside a pool of chunks that all of them share.

``<out>/<battery>-<hash8>/`` holds the plan (``battery.json``, ``points.parquet``,
``unit.parquet``, ``plan.parquet``, ``chunks.parquet``) and a record of each failure;
``<out>/chunks/ab/<identity>.parquet`` the data of a chunk, named by all that it depends on. A file
of that name is a whole chunk: what is done is what a listing shows, and any other battery that
comes to the same scenario, seed and replicates finds it there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from sumabm.battery.plan import Chunk, Plan, Progress, plan
from sumabm.battery.spec import Battery
from sumabm.files import (
    DAMAGE,
    RunError,
    check_writable,
    sweep,
    whole_file,
    whole_folder,
    write_json,
    write_parquet,
)
from sumabm.identity import code_digest
from sumabm.provenance import provenance
from sumabm.toml import problems

FORMAT = 1
FACTS = "sumabm"
"""The key of a chunk's facts in the metadata of its file."""
_ENTRIES = ("identity", "code", "battery", "points", "chunks")


@dataclass(frozen=True)
class Store:
    """A battery's folder: its plan, what is done of it and what failed."""

    path: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Return the battery in a folder; raises RunError when it holds none."""
        path = Path(path)
        file = path / "battery.json"
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"{path}: is not a battery: battery.json: {error}") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise RunError(f"{path}: battery.json is not of format {FORMAT}")
        if missing := [key for key in _ENTRIES if key not in manifest]:
            raise RunError(f"{path}: is not a battery: battery.json has no {', '.join(missing)}")
        if not all(type(manifest[key]) is int for key in ("points", "chunks")):
            raise RunError(f"{path}: is not a battery: battery.json does not count its chunks")
        return cls(path, manifest)

    @classmethod
    def create(
        cls,
        battery: Battery,
        out: Path,
        given: Mapping[str, Any],
        progress: Progress | None = None,
    ) -> Store:
        """Return the battery's folder under ``out``, planned now unless it is there already.

        Whoever is first plans; others that start at the same time take that plan. Raises RunError
        when the folder holds another battery or cannot be written, ScenarioError as `plan` does.
        """
        identity = battery.identity()
        path = out / f"{battery.battery}-{identity[:8]}"
        check_writable(out)
        if not path.exists():
            made = plan(battery, progress)
            manifest = {
                "format": FORMAT,
                "identity": identity,
                "code": code_digest(),
                "battery": battery.model_dump(),
                "points": len(made.overrides),
                "chunks": int(np.sum(~made.chunks["again"])),
                "chunk_replicates": made.size,
                "given": dict(given),
                **provenance(battery.scenario),
            }
            try:
                _write(path, manifest, made)
            except FileExistsError:  # another process, a shard perhaps, planned it meanwhile
                pass
            except (OSError, UnicodeError, pa.ArrowException) as error:
                raise RunError(f"{path}: cannot be written: {error}") from error
        store = cls.open(path)
        if store.manifest.get("identity") != identity:
            raise RunError(f"{path}: holds another battery; move it or choose another --out")
        return store._with_limit(battery.chunk.limit)

    def _with_limit(self, limit: float) -> Store:
        """Return the store with this limit on a chunk's time, which changes no number, written."""
        chunk = self.manifest["battery"]["chunk"]
        if chunk["limit"] == limit:
            return self
        battery = self.manifest["battery"] | {"chunk": chunk | {"limit": limit}}
        file = self.path / "battery.json"
        try:
            with whole_file(file) as own:
                write_json({**self.manifest, "battery": battery}, own)
        except OSError as error:
            raise RunError(f"{file}: cannot be written: {error}") from error
        return Store.open(self.path)

    @cached_property
    def battery(self) -> Battery:
        """The battery as it was planned; raises RunError when it cannot be read any more."""
        try:
            return Battery.model_validate(self.manifest["battery"], context={"stored": True})
        except ValidationError as error:
            told = "; ".join(problems(error))
            raise RunError(f"{self.path}: battery.json: cannot be read: {told}") from error
        except DAMAGE as error:
            raise RunError(f"{self.path}: battery.json: cannot be read: {error}") from error

    @property
    def pool(self) -> Path:
        """The folder of all chunks."""
        return self.path.parent / "chunks"

    def file(self, chunk: str) -> Path:
        """Return where a chunk's data is, or will be."""
        return self.pool / chunk[:2] / f"{chunk}.parquet"

    def trace(self, chunk: str) -> Path:
        """Return where a worker leaves the traceback of a chunk that hangs."""
        return self.path / "failures" / f"{chunk}.trace"

    def table(self, name: str) -> dict[str, Any]:
        """Return a table of the plan as columns: points, unit, plan or chunks."""
        with self._opened(name) as file:
            table = file.read()
            return {n: table[n].to_numpy() for n in table.column_names}

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[pq.ParquetFile]:
        path = self.path / f"{name}.parquet"
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                yield file
        except (*DAMAGE, pa.ArrowException) as error:
            raise RunError(f"{path}: cannot be read: {error}") from error

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk of the plan once, in the order of points."""
        points = self.table("plan")
        with self._opened("chunks") as file:
            for batch in file.iter_batches(1000, use_threads=False):  # there may be very many
                try:
                    rows = [_chunk(row, points) for row in batch.to_pylist() if not row["again"]]
                except DAMAGE as error:
                    raise RunError(f"{self.path}: the plan cannot be read: {error!r}") from error
                yield from rows

    def done(self) -> set[str]:
        """Return the identities of all chunks in the pool, of whichever battery."""
        found = set()
        for folder in os.scandir(self.pool) if self.pool.is_dir() else ():
            if len(folder.name) == 2 and folder.is_dir():
                names = (entry.name for entry in os.scandir(folder))
                found |= {n.removesuffix(".parquet") for n in names if n.endswith(".parquet")}
        return found

    def failures(self) -> dict[str, dict[str, Any]]:
        """Return what is recorded of chunks that failed and are still not done, by identity."""
        found = {}
        for file in sorted((self.path / "failures").glob("*.json")):
            if not self.file(file.stem).exists():
                try:
                    found[file.stem] = json.loads(file.read_text(encoding="utf-8"))
                except DAMAGE as error:
                    raise RunError(f"{file}: cannot be read: {error}") from error
        return found

    def note_failure(self, chunk: Chunk, record: Mapping[str, Any]) -> None:
        """Record that a chunk failed; raises RunError when that cannot be written."""
        file = self.path / "failures" / f"{chunk.identity}.json"
        what = {"point": chunk.point, "replicates": [chunk.first, chunk.stop], "seed": chunk.seed}
        what["changes"] = json.loads(chunk.overrides)
        try:
            with whole_file(file) as own:
                write_json({**what, **record}, own)
            self.trace(chunk.identity).unlink(missing_ok=True)
        except OSError as error:
            raise RunError(f"{file}: cannot be written: {error}") from error

    def sweep(self) -> None:
        """Remove what killed processes left behind."""
        for folder in (self.path.parent, self.pool, self.path / "failures"):
            sweep(folder)

    def ready(self) -> None:
        """Make the folders that workers write in, and remove what killed ones left behind."""
        try:
            self.pool.mkdir(exist_ok=True)
            (self.path / "failures").mkdir(exist_ok=True)
            self.sweep()
            for trace in (self.path / "failures").glob("*.trace"):
                trace.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written: {error}") from error


def _chunk(row: Mapping[str, Any], points: Mapping[str, Any]) -> Chunk:
    """Return the chunk of a row; raises what damaged tables raise."""
    point = row["point"]
    overrides, seed = points["overrides"][point], int(points["seed"][point])
    return Chunk(row["identity"], point, overrides, seed, row["first"], row["stop"])


def _write(path: Path, manifest: Mapping[str, Any], made: Plan) -> None:
    seeds = np.array([str(seed) for seed in made.seeds], dtype=object)  # they may pass 64 bits
    overrides = np.array(made.overrides, dtype=object)
    numbers = np.arange(len(made.overrides))
    tables = {
        "points": {"point": numbers, **made.columns},
        "unit": {"point": numbers, **made.unit},
        "plan": {"point": numbers, "overrides": overrides, "seed": seeds, **made.graphs},
        "chunks": made.chunks,
    }
    with whole_folder(path) as folder:
        for name, columns in tables.items():
            write_parquet(columns, folder / f"{name}.parquet")
        write_json(manifest, folder / "battery.json")
    pa.default_memory_pool().release_unused()  # a driver of very many chunks stays small
