"""Commands on what ships: reproduce the founding essay, chart what it leaves out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sumabm.cli.app import RUNS, AsJson, MisuseError, Out, app, print_json, print_table, stop
from sumabm.cli.batteries import Scheduler, Workers, engine_of, terminable, where_of

if TYPE_CHECKING:
    from sumabm.atlas.effects import Effects, Interval
    from sumabm.reproduce import Reproduction
    from sumabm.reproduce.findings import Claim


@app.command()
def reproduce(
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer replicates and points: minutes, wider errors.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this exhibit.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", "-s", min=0, help="In place of the batteries' own.")
    ] = None,
    out: Out = RUNS,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Reproduce the founding essay, by theory and by simulation, on one page."""
    from sumabm.progress import progress
    from sumabm.reproduce import exhibit_names, reproduce

    where = where_of(workers, scheduler)
    if wrong := set(only or []) - set(exhibit_names()):
        raise MisuseError(f"--only {min(wrong)}: allowed: {', '.join(exhibit_names())}")
    try:
        with terminable():
            engine = partial(engine_of, *where)
            made = reproduce(out, quick, only or [], seed, engine, progress)
    except KeyboardInterrupt:
        stop("interrupted: what was done is stored; the same command goes on", 130)
    _show(made, as_json)


def _show(made: Reproduction, as_json: bool) -> None:
    from sumabm.reproduce.findings import AGREE

    claims = [(claim, part) for part in made.made for claim in part.findings.claims]
    claims.sort(key=lambda pair: pair[0].order)
    points = [point for part in made.made for point in part.findings.points]
    off = sum(point.z > AGREE for point in points)
    if as_json:
        rows = [
            {"claim": claim.says, "verdict": claim.verdict, "exhibit": part.name}
            | {"worst_z": _worst(claim)}
            for claim, part in claims
        ]
        print_json({"page": str(made.page), "points": len(points), "off": off, "claims": rows})
        return
    heads = {"verdict": False, "claim": False, "exhibit": False, "z": True}
    table = [[c.verdict, c.says, part.name, f"{_worst(c):.1f}"] for c, part in claims]
    print_table("the essay's claims; z: standard errors from theory", heads, table)
    typer.echo(
        f"{len(points) - off} of {len(points)} points within {AGREE:g} standard errors of theory"
    )
    typer.echo(f"page     {made.page}")


def _worst(claim: Claim) -> float:
    return min(max((part.z for part in claim.measured), default=0.0), 1e9)


@app.command()
def atlas(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SCENARIO", help="Only this opening.")
    ] = None,
    replicates: Annotated[
        int | None, typer.Option("--replicates", "-r", min=2, help="In place of the battery's.")
    ] = None,
    out: Out = RUNS,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Hold every opening of the toy model against the plain one: what it does to harm."""
    from sumabm.atlas import OPENINGS, atlas
    from sumabm.progress import progress

    where = where_of(workers, scheduler)
    names = [opening.scenario for opening in OPENINGS]
    if wrong := set(only or []) - set(names):
        raise MisuseError(f"--only {min(wrong)}: allowed: {', '.join(names)}")
    try:
        with terminable():
            found = atlas(out, only or [], replicates, partial(engine_of, *where), progress)
    except KeyboardInterrupt:
        stop("interrupted: what was done is stored; the same command goes on", 130)
    if as_json:
        table = {name: _plain(each) for name, each in found.effects.items()}
        print_json({"page": str(found.page), "openings": table})
        return
    rows = [
        [name, *(_told(i) for i in (e.share, e.threshold[1], e.in_dimensions[1], e.in_scale[1]))]
        for name, e in found.effects.items()
    ]
    heads = ("harm / plain", "threshold", "exponent in d", "in O_X/O_Y")
    print_table("openings", {"opening": False} | dict.fromkeys(heads, True), rows)
    typer.echo(f"page     {found.page}")


def _told(interval: Interval) -> str:
    if not interval.known:
        return "—"
    return f"{interval.estimate:.3g} [{interval.low:.3g}, {interval.high:.3g}]"


def _plain(effects: Effects) -> dict[str, object]:
    """Return intervals as JSON takes them: null for what has no meaning."""

    def numbers(interval: Interval) -> list[float | None]:
        return [value if interval.known else None for value in interval]

    three = ("plain", "opened", "change")
    return {
        name: numbers(value)
        if hasattr(value, "known")
        else dict(zip(three, map(numbers, value), strict=True))
        for name, value in effects._asdict().items()
    }
