"""Checking a stored battery: its checksums, and a random sample computed again."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sumabm.battery.plan import Chunk, Progress
from sumabm.battery.store import FACTS, Store
from sumabm.battery.work import compute, digest, facts_of, resolve
from sumabm.display import html_table
from sumabm.files import DAMAGE
from sumabm.identity import code_digest
from sumabm.provenance import platform_facts

TOLERANCE = 1e-12
"""How far, relative to a column's largest value, other platforms may be from each other."""


class Verdict(NamedTuple):
    """What verifying a battery found; ``problems`` is empty where all is well."""

    checked: int
    missing: int
    recomputed: int
    worst: str
    problems: list[str]

    def _repr_html_(self) -> str:
        return html_table("Verdict", self._asdict() | {"problems": self.problems or "none"})


def verify(
    store: Store, sample: int = 5, seed: int | None = None, progress: Progress | None = None
) -> Verdict:
    """Check every stored chunk of a battery, and compute a random ``sample`` of them again.

    A chunk must have the name and the data that its digest was taken of. Computed again it must be
    the same bit for bit on the platform (versions, processor) that it says it is from, elsewhere
    within 1e-12 of each column's largest value; with another version of the simulator nothing is
    computed again, and that is a problem too. ``seed`` fixes the sample. Raises RunError when the
    plan, a plug-in or a data file is not what it was.
    """
    done, problems, missing, sound = store.done(), [], 0, []
    total = int(store.manifest["chunks"])
    for number, chunk in enumerate(store.chunks()):
        if chunk.identity not in done:
            missing += 1
        elif problem := _damage(store.file(chunk.identity), chunk):
            problems.append(problem)
        else:
            sound.append(chunk)
        if progress is not None:
            progress(number + 1, total)
    chosen = random.Random(seed).sample(sound, min(sample, len(sound)))
    if chosen and store.manifest["code"] != code_digest():
        problems.append(f"{store.path}: the simulator has changed since: nothing computed again")
        chosen = []
    exact, worst = True, 0.0
    for chunk in chosen:
        off, same_platform = _difference(store, chunk)
        exact &= off == 0.0
        worst = max(worst, off)
        if off > (0.0 if same_platform else TOLERANCE):
            problems.append(f"{store.file(chunk.identity)}: computed again it is off by {off:.2g}")
    told = "the same, bit for bit" if exact else f"at most {worst:.2g} off"
    told = told if chosen else "nothing to compare"
    return Verdict(len(sound), missing, len(chosen), told, problems)


def read_whole(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return a chunk file's facts and columns; raises what reading damaged files raises."""
    with pq.ParquetFile(file, page_checksum_verification=True) as opened:
        table = opened.read(use_threads=False)
    facts = json.loads(table.schema.metadata[FACTS.encode()])
    return facts, {name: table[name].to_numpy() for name in table.column_names}


def _damage(file: Path, chunk: Chunk) -> str | None:
    """Return what is wrong with a chunk's file, if anything is."""
    try:
        facts, columns = read_whole(file)
        found = facts.pop("digest")
        if facts["identity"] != chunk.identity:
            return f"{file}: holds another chunk, {facts['identity']}"
        if digest(facts, columns) != found:
            return f"{file}: its data is not what was stored"
    except (*DAMAGE, pa.ArrowException) as error:
        return f"{file}: cannot be read: {error}"
    return None


def _difference(store: Store, chunk: Chunk) -> tuple[float, bool]:
    """Return how far a chunk is from what it is now, and whether this platform made it."""
    facts, stored = read_whole(store.file(chunk.identity))
    scenario = resolve(store, chunk)
    now = compute(scenario, chunk, store.battery.keep)
    same = facts["platform"] == json.loads(json.dumps(platform_facts()))
    if facts_of(scenario, chunk, store.battery.keep, now)["digest"] == facts["digest"]:
        return 0.0, same
    return _distance(stored, now), same


def _distance(stored: Mapping[str, NDArray[Any]], now: Mapping[str, NDArray[Any]]) -> float:
    """Return the largest difference relative to its column's largest value; ∞ for other shapes."""
    if stored.keys() != now.keys():
        return float("inf")
    worst = 0.0
    for name, values in now.items():
        if values.shape != stored[name].shape:
            return float("inf")
        if np.array_equal(values, stored[name], equal_nan=True):
            continue
        there = np.isfinite(values)
        if not np.array_equal(values[~there], stored[name][~there], equal_nan=True):
            return float("inf")
        scale = float(np.max(np.abs(values[there]))) or 1.0
        off = float(np.max(np.abs(values[there] - stored[name][there]))) / scale
        worst = max(worst, off if np.isfinite(off) else float("inf"), 5e-324)
    return worst
