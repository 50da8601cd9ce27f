"""The batteries that exhibits rest on, run or found in the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from sumabm.battery.engine import Engine
from sumabm.battery.results import open_battery
from sumabm.battery.run import Counts, resume
from sumabm.battery.spec import Battery, load_battery
from sumabm.battery.store import Store
from sumabm.files import RunError
from sumabm.progress import Report

QUICK: Mapping[str, Mapping[str, object]] = {
    "essay-choices": {"replicates": 50},
    "essay-cosines": {"replicates": 4000},
    "essay-cost": {"replicates": 200, "uncertainties.d": [3, 10, 30, 100, 300, 1000]},
    "essay-cost-high": {"uncertainties.d": [10_000, 100_000]},
    "essay-dimensions": {"replicates": 100, "uncertainties.d": [30, 100, 300, 1000]},
    "essay-information": {"replicates": 1000},
    "essay-observer": {"replicates": 100, "uncertainties.d": [30, 100, 300]},
    "essay-scaling": {"replicates": 60, "uncertainties.xi": [0.5, 1.0, 1.5, 2.0, 4.0, 16.0]},
    "essay-scaling-far": {
        "replicates": 8,
        "uncertainties.xi": [64.0, 1024.0, 2304.0],
        "uncertainties.alpha": [0.0, 0.5],
    },
    "essay-slopes": {"replicates": 200},
    "essay-steps": {"replicates": 500},
    "essay-threshold": {
        "replicates": 100,
        "uncertainties.ratio": [0.5, 1.0, 1.25, 2.0, 4.0, 16.0],
    },
    "essay-time": {"replicates": 60},
    "essay-uncapped": {"replicates": 50},
}
"""What ``quick`` changes in the shipped batteries: fewer replicates, and the dearest points out."""

Progress = Callable[[str, str], AbstractContextManager[Report]]
"""Given what is done now and in what units, gives what is told how far it is: `progress`."""


@contextmanager
def silent(title: str, unit: str) -> Iterator[Report]:
    """Give what reports to nobody."""
    yield lambda done, total, note="": None


def study(name: str, *, quick: bool, seed: int | None) -> Battery:
    """Return a shipped battery as the reproduction runs it; with a seed of yours, or its own."""
    changes: dict[str, object] = dict(QUICK.get(name, {})) if quick else {}
    return load_battery(name, changes if seed is None else {**changes, "seed": seed})


def run_studies(
    batteries: Collection[Battery], out: Path, engine: Callable[[], Engine], progress: Progress
) -> dict[str, Store]:
    """Return the batteries' stores by name, whole: what they lack is run now.

    ``engine`` is made when there is something to run. Raises RunError where a chunk fails.
    """
    stores = {b.battery: Store.create(b, out, {"from": "reproduce"}) for b in batteries}
    lacking = [store for store in stores.values() if not _is_whole(store)]
    if not lacking:
        return stores
    with engine() as running:
        for number, store in enumerate(lacking, start=1):
            title = f"{number} of {len(lacking)}: {store.battery.battery}"
            with progress(title, "chunks") as report:
                counts = resume(store, running, watch=partial(_tell, report)).counts
            if counts.done < counts.chunks:
                raise RunError(f"{store.path}: {counts.failed} chunks failed: see failures/ there")
    return stores


def _tell(report: Report, counts: Counts) -> None:
    report(counts.done + counts.failed, counts.chunks)


def _is_whole(store: Store) -> bool:
    return {chunk.identity for chunk in store.chunks()} <= store.done()


def opened(store: Store) -> xr.Dataset:
    """Return a battery's results: every step that it kept, or the ends."""
    return open_battery(store, trajectories=store.battery.keep.every is not None)


def facts(store: Store) -> dict[str, Any]:
    """Return what a page says of a battery that its numbers come from."""
    battery = store.battery
    return {
        "name": battery.battery,
        "folder": store.path.name,
        "identity": store.manifest["identity"],
        "seed": battery.seed,
        "paired": battery.paired,
        "points": int(store.manifest["points"]),
        "replicates": battery.replicates,
        "about": " ".join(battery.description.split()),
    }
