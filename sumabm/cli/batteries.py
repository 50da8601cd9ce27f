"""Commands on batteries: run, resume, watch, check, export and compare them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from sumabm.cli.app import (
    RUNS,
    AsJson,
    MisuseError,
    Out,
    app,
    parsed_overrides,
    print_json,
    print_table,
    stop,
)

if TYPE_CHECKING:
    from sumabm.battery.engine import Engine
    from sumabm.battery.run import BatteryRun, Counts, Watch
    from sumabm.battery.store import Store

Folder = Annotated[
    Path, typer.Argument(metavar="PATH", help="A battery's folder.", exists=True, file_okay=False)
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; by default one per core.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS|FILE", help="A Dask scheduler to run it on."),
]
Shard = Annotated[
    str, typer.Option("--shard", metavar="K/N", help="Only the K-th of N parts, K from 1.")
]


@app.command()
def battery(
    name: Annotated[str, typer.Argument(help="A battery file, or a shipped one's name.")],
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Override: replicates=10, scenario.steps=5"
        ),
    ] = None,
    out: Out = RUNS,
    workers: Workers = None,
    scheduler: Scheduler = None,
    shard: Shard = "1/1",
    plan: Annotated[bool, typer.Option("--plan", help="Check and plan it, run nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a battery, parameters swept over many runs; what is stored is not run again."""
    from sumabm.battery.spec import load_battery
    from sumabm.battery.store import Store
    from sumabm.progress import progress

    part, where = _shard(shard), where_of(workers, scheduler)
    spec = load_battery(name, parsed_overrides(override or []))
    given = {"battery": name, "set": override or []}
    try:
        with terminable(), progress(f"{spec.battery}: checking", "points") as report:
            store = Store.create(spec, out, given, report)
    except KeyboardInterrupt:
        stop("interrupted: nothing was stored", 130)
    if plan:
        _show_status(store, as_json)
    else:
        _go_on(store, where, part, as_json)


@app.command()
def resume(
    path: Folder,
    workers: Workers = None,
    scheduler: Scheduler = None,
    shard: Shard = "1/1",
    as_json: AsJson = False,
) -> None:
    """Go on with a battery: what is not stored yet, and what failed."""
    from sumabm.battery.store import Store

    part, where = _shard(shard), where_of(workers, scheduler)
    _go_on(Store.open(path), where, part, as_json)


@app.command()
def status(path: Folder, as_json: AsJson = False) -> None:
    """Say how far a battery is, and what failed."""
    from sumabm.battery.store import Store

    _show_status(Store.open(path), as_json)


@app.command()
def report(
    path: Folder,
    file: Annotated[
        Path | None, typer.Option("--file", help="By default report.html in the folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a battery's report: one HTML page that needs nothing else."""
    from sumabm.report import write_report

    if file is not None and file.exists() and not force:
        raise MisuseError(f"{file}: exists; --force replaces it")
    typer.echo(f"report   {write_report(path, file)}")


@app.command()
def export(
    path: Folder,
    file: Annotated[Path, typer.Argument(help="To write: .parquet, .csv or .nc (NetCDF).")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a battery's results, with the parameters as columns, to one file."""
    from sumabm.battery.export import FORMATS, export
    from sumabm.battery.store import Store
    from sumabm.progress import progress

    if file.suffix not in FORMATS:
        raise MisuseError(f"{file}: should end in one of {', '.join(FORMATS)}")
    if file.exists() and not force:
        raise MisuseError(f"{file}: exists; --force replaces it")
    with progress(f"export to {file}", "chunks") as report:
        store = Store.open(path)
        export(store, file, report)
    counts = _counts(store)
    if missing := counts["chunks"] - counts["done"]:
        typer.echo(f"{missing} of {counts['chunks']} chunks are not done: not in it", err=True)
    typer.echo(f"data     {file}")


@app.command()
def verify(
    path: Folder,
    sample: Annotated[
        int, typer.Option("--sample", min=0, help="Chunks, drawn at random, to compute again.")
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """Check every stored chunk of a battery by its checksum, and a sample by computing it again."""
    from sumabm.battery.store import Store
    from sumabm.battery.verify import verify
    from sumabm.progress import progress

    with progress("verify", "chunks") as report:
        found = verify(Store.open(path), sample, progress=report)
    if as_json:
        print_json(found._asdict())
    else:
        typer.echo(
            f"{found.checked} chunks have the data that was stored; {found.missing} are not done"
        )
        typer.echo(f"{found.recomputed} computed again; {found.worst}")
    if found.problems:
        stop("\n".join(found.problems), 1)


def _go_on(
    store: Store, where: tuple[int | None, str | None], shard: tuple[int, int], as_json: bool
) -> None:
    """Run what is left of a battery, show how far it came, and exit accordingly."""
    from sumabm.battery.run import resume

    try:
        with terminable(), engine_of(*where) as engine, _watched(store) as watch:
            came = resume(store, engine, shard, watch)
    except KeyboardInterrupt:
        _interrupted(store)
    except Exception:
        typer.echo(f"go on with: sumabm resume {store.path}", err=True)
        raise
    _show_run(store, came, as_json)
    if came.counts.failed:
        rows = list(store.failures().items())
        told = [f"  {identity[:12]} {record['error']}" for identity, record in rows[:5]]
        more = [f"  and {len(rows) - 5} more"] * (len(rows) > 5)
        stop(
            "\n".join([f"{len(rows)} chunks failed; see {store.path / 'failures'}", *told, *more]),
            1,
        )


def _interrupted(store: Store) -> NoReturn:
    done = _counts(store)["done"]
    total = store.manifest["chunks"]
    stop(
        f"interrupted: {done} of {total} chunks are stored; go on with: sumabm resume {store.path}",
        130,
    )


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Take a request to terminate, as batch systems send at the time limit, for Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _watched(store: Store) -> Iterator[Watch]:
    """Give what reports of a battery's progress."""
    from sumabm.progress import progress

    with progress(store.battery.battery, "chunks") as report:

        def watch(counts: Counts) -> None:
            rate = f"{counts.runs / counts.seconds:.3g} runs/s" if counts.runs else ""
            failed = f"{counts.failed} failed" if counts.failed else ""
            note = ", ".join(filter(None, (rate, failed)))
            report(counts.done + counts.failed, counts.chunks, note)

        yield watch


def where_of(workers: int | None, scheduler: str | None) -> tuple[int | None, str | None]:
    """Return where a battery runs; raises MisuseError where both are given."""
    if scheduler is not None and workers is not None:
        raise MisuseError("--workers and --scheduler: a Dask cluster has its own workers")
    return workers, scheduler


def engine_of(workers: int | None, scheduler: str | None) -> Engine:
    """Return the engine: this machine's processes, or a Dask scheduler's workers."""
    from sumabm.battery.engine import Cluster, Local

    return Local(workers) if scheduler is None else Cluster(scheduler)


def _shard(text: str) -> tuple[int, int]:
    k, slash, n = text.partition("/")
    few = len(k) <= 6 and len(n) <= 6
    if not (slash and few and k.isdecimal() and n.isdecimal() and 1 <= int(k) <= int(n)):
        raise MisuseError(f"--shard {text[:40]}: should be K/N with 1 ≤ K ≤ N < 10⁶, as in 3/8")
    return int(k), int(n)


def _counts(store: Store) -> dict[str, int]:
    identities, done = {chunk.identity for chunk in store.chunks()}, store.done()
    failed = store.failures().keys()
    return {
        "points": store.manifest["points"],
        "replicates": store.battery.replicates,
        "chunks": len(identities),
        "done": len(identities & done),
        "failed": len(failed),
        "left": len(identities - done - failed),
    }


def _show_status(store: Store, as_json: bool) -> None:
    counts, failures = _counts(store), store.failures()
    if as_json:
        print_json({"path": str(store.path), **counts, "failures": failures})
        return
    typer.echo(
        f"{store.battery.battery}: {counts['points']} points × {counts['replicates']} replicates"
    )
    typer.echo(
        f"{counts['done']} of {counts['chunks']} chunks done, {counts['failed']} failed, "
        f"{counts['left']} left"
    )
    if failures:
        rows = [
            [identity[:12], str(record["point"]), record["error"]]
            for identity, record in failures.items()
        ]
        print_table("failures", {"chunk": False, "point": True, "error": False}, rows)
    if counts["done"] < counts["chunks"]:
        typer.echo(f"go on with: sumabm resume {store.path}")


def _show_run(store: Store, came: BatteryRun, as_json: bool) -> None:
    counts: Any = came.counts
    if as_json:
        print_json({"path": str(came.path), **counts._asdict(), "left": counts.left})
        return
    typer.echo(
        f"{counts.done} of {counts.chunks} chunks stored, {counts.runs} runs "
        f"in {counts.seconds:.1f} s"
    )
    typer.echo(f"battery  {came.path}")
