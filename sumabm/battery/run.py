"""Running a battery: whatever is not in the store yet, on any engine, until it is."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sumabm.battery.engine import Engine, Failed, Local, execute
from sumabm.battery.plan import Chunk
from sumabm.battery.spec import Battery, load_battery
from sumabm.battery.store import Store
from sumabm.battery.work import work
from sumabm.display import html_table
from sumabm.files import RunError

if TYPE_CHECKING:
    import xarray as xr


class Counts(NamedTuple):
    """How far a battery, or a shard of it, is: chunks, and replicates run in this session."""

    chunks: int
    done: int
    failed: int
    runs: int
    seconds: float

    @property
    def left(self) -> int:
        """Chunks that are neither done nor failed."""
        return self.chunks - self.done - self.failed


Watch = Callable[[Counts], None]
"""Called at the start and after every chunk."""


@dataclass(frozen=True)
class BatteryRun:
    """What came of running a battery: where it is and how far."""

    path: Path
    counts: Counts

    def _repr_html_(self) -> str:
        counts = self.counts
        facts = {"folder": self.path, "chunks": counts.chunks, "done": counts.done}
        facts |= {"failed": counts.failed, "left": counts.left, "runs": counts.runs}
        return html_table("Battery", facts | {"seconds": counts.seconds})

    @property
    def complete(self) -> bool:
        """Whether every chunk is stored."""
        return self.counts.done == self.counts.chunks

    def open(self, outcomes: Collection[str] = (), trajectories: bool = False) -> xr.Dataset:
        """Return the results: see `results.open_battery`."""
        from sumabm.battery.results import open_battery

        return open_battery(self.path, outcomes, trajectories)


def run_battery(
    battery: str | Path | Battery,
    engine: Engine | None = None,
    out: str | Path = "runs",
    overrides: Mapping[str, object] = {},
) -> BatteryRun:
    """Run a battery, a file's, a shipped one's by name or one built in Python; return what came.

    ``engine`` is where: this machine's cores by default, `engine.Local` or `engine.Cluster`; one
    that is given stays open. What the store under ``out`` has already is not run again. Raises
    ScenarioError for a battery that is not valid, RunError when nothing can be stored.
    """
    store = Store.create(load_battery(battery, overrides), Path(out), {"from": "Python"})
    if engine is not None:
        return resume(store, engine)
    with Local() as own:
        return resume(store, own)


def resume(
    store: Store, engine: Engine, shard: tuple[int, int] = (1, 1), watch: Watch | None = None
) -> BatteryRun:
    """Run the chunks of a stored battery that are not done, those that failed included.

    ``shard`` (k, n) takes every n-th chunk from the k-th on, and leaves the others to others. A
    chunk that fails is recorded and costs nothing else. Interrupted or killed at any moment, all
    chunks that were done stay done. Raises RunError when nothing can be stored.
    """
    store.ready()
    done = store.done()
    here = total = runs = failed = 0
    for chunk in _shard(store, shard):
        total += 1
        here += chunk.identity in done
    began = time.monotonic()

    def tell() -> Counts:
        counts = Counts(total, here, failed, runs, time.monotonic() - began)
        if watch is not None:
            watch(counts)
        return counts

    counts = tell()
    if counts.left:
        todo = (chunk for chunk in _shard(store, shard) if chunk.identity not in done)
        call = partial(work, str(store.path.resolve()), store.battery.chunk.limit)
        try:
            for outcome in execute(engine, call, todo, (RunError,)):
                if isinstance(outcome, Failed):
                    failed += 1
                    store.note_failure(outcome.item, _record(outcome))
                else:
                    here += 1
                    runs += outcome.result.replicates
                counts = tell()
        finally:
            store.sweep()  # workers may have been killed while they wrote
    return BatteryRun(store.path, counts)


def _shard(store: Store, shard: tuple[int, int]) -> Iterator[Chunk]:
    """Yield the chunks of a shard: anew each time, because a battery may have very many."""
    k, n = shard
    return islice(store.chunks(), k - 1, None, n)


def _record(failed: Failed[Chunk]) -> dict[str, Any]:
    """Return what is recorded of a failure besides which chunk it was."""
    return {
        "error": failed.error,
        "traceback": failed.traceback,
        "crashes": failed.crashes,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
