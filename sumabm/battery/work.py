"""What a worker does: one chunk of a battery, simulated and stored whole, or not at all."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from numpy.typing import NDArray

from sumabm.battery.engine import deadline
from sumabm.battery.plan import Chunk
from sumabm.battery.store import FACTS, Store
from sumabm.battery.tables import Keep
from sumabm.files import RunError, whole_file, write_parquet
from sumabm.identity import code_digest, run_identity
from sumabm.model import SUMModel
from sumabm.provenance import platform_facts
from sumabm.recorder import record
from sumabm.scenario import Scenario


class Report(NamedTuple):
    """What a worker tells of a chunk that is stored: its replicates, seconds of simulating."""

    replicates: int
    seconds: float


def work(folder: str, limit: float, chunk: Chunk) -> Report:
    """Simulate a chunk of the battery in ``folder`` and store it, unless the store has it.

    After ``limit`` seconds it counts as hung, and this process ends: see `engine.deadline`.
    Raises RunError when nothing can be stored, or when this worker's sources are not the driver's:
    either would be the same for every other chunk.
    """
    store = _store(folder)
    path, seconds = store.file(chunk.identity), 0.0
    if not path.exists():
        keep = store.battery.keep
        try:
            with deadline(limit, store.trace(chunk.identity)):
                scenario = resolve(store, chunk)
                began = time.perf_counter()
                columns = compute(scenario, chunk, keep)
                seconds = time.perf_counter() - began
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise RunError(f"{store.path}: cannot be written: {error}") from error
            raise
        facts = {FACTS: json.dumps(facts_of(scenario, chunk, keep, columns))}
        try:
            with whole_file(path, beside=store.pool) as file:
                write_parquet(columns, file, facts)
        except MemoryError:  # Arrow's too: this chunk's own
            raise
        except (OSError, pa.ArrowException) as error:
            raise RunError(f"{path}: cannot be written: {error}") from error
    return Report(chunk.stop - chunk.first, seconds)


@functools.lru_cache(maxsize=8)
def _store(folder: str) -> Store:
    return Store.open(Path(folder))


def resolve(store: Store, chunk: Chunk) -> Scenario:
    """Return a chunk's scenario.

    Raises RunError when the scenario, the data it names or the simulator is not what it was.
    """
    scenario = store.battery.changed(json.loads(chunk.overrides))
    replicates, kept = range(chunk.first, chunk.stop), store.battery.keep.facts()
    if run_identity(scenario, chunk.seed, replicates, kept) != chunk.identity:
        raise RunError(
            f"{store.path}: was planned with other sources of the simulator, a plug-in or a data "
            "file than those here; move it and start again with 'sumabm battery'"
        )
    return scenario


def compute(scenario: Scenario, chunk: Chunk, keep: Keep) -> dict[str, NDArray[Any]]:
    """Return a chunk's columns, simulated now: see `recorder.record`."""
    model = SUMModel(scenario, range(chunk.first, chunk.stop), chunk.seed)
    return record(model, keep.every, keep.outcomes)


def facts_of(
    scenario: Scenario, chunk: Chunk, keep: Keep, columns: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """Return what a chunk's file says of itself; ``digest`` covers this and the data."""
    facts = {
        "identity": chunk.identity,
        "scenario": scenario.identity(),
        "seed": chunk.seed,
        "replicates": [chunk.first, chunk.stop],
        **keep.facts(),
        "code": code_digest(),
        "platform": platform_facts(),
    }
    return facts | {"digest": digest(facts, columns)}


def digest(facts: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of facts and columns, hex."""
    total = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, values in columns.items():
        total.update(f"\0{name}\0{values.dtype.str}\0".encode())
        total.update(values.tobytes())
    return total.hexdigest()
