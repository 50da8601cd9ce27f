"""Commands that ask what runs and batteries say: compare, sensitivity, discover, threshold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sumabm.cli.app import (
    AsJson,
    MisuseError,
    Set,
    app,
    parsed_overrides,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    import xarray as xr

    from sumabm.analysis import Among, Between

Outcome = Annotated[str, typer.Option("--outcome", help="A column, as in alignment.X.")]
Folder = Annotated[
    Path, typer.Argument(metavar="PATH", help="A battery's folder.", exists=True, file_okay=False)
]
_SHOWN = ("alignment", "harm", "cumulative_harm", "cumulative_harm_amplitude")


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="The folder of a run or a battery.")],
    b: Annotated[Path, typer.Argument(help="Another's, with the same seeds.")],
    outcome: Annotated[
        list[str] | None, typer.Option("--outcome", help="A variable; by default the main ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs or batteries at their ends, replicate by replicate: b minus a."""
    from sumabm.analysis import compare

    with _misuse():
        found = compare(a, b, outcome)
    rows = _rows(found)
    if outcome is None and not as_json:
        rows = [row for row in rows if row["outcome"].partition(".")[0] in _SHOWN] or rows
    if as_json:
        print_json({"pairs": rows, **found.attrs})
        return
    numbers = {"difference": "difference", "standard_error": "± s.e."}
    numbers |= {"correlation": "correlation", "variance_ratio": "variance ratio"}
    where = [str(name) for name, at in found.coords.items() if at.dims == ("point",)]
    heads = ["outcome", *(name for name in where if name not in ("point", "seed", "complete"))]
    table = [
        [*(_text(row[n]) for n in heads), str(row["pairs"]), *(_text(row[n]) for n in numbers)]
        for row in rows
    ]
    titles = dict.fromkeys(heads, False) | {"pairs": True} | dict.fromkeys(numbers.values(), True)
    print_table(f"{b.name} − {a.name}", titles, table)


@app.command()
def sensitivity(
    path: Folder, outcome: Outcome = "cumulative_harm", as_json: AsJson = False
) -> None:
    """Tell how much each parameter decides an outcome: Sobol' indices, or Morris's effects."""
    from sumabm.analysis import morris, sobol
    from sumabm.battery.results import open_battery
    from sumabm.battery.store import Store

    store = Store.open(path)
    with _misuse():
        by_design = {"saltelli": sobol, "morris": morris}
        kind = store.battery.design.kind
        if kind not in by_design:
            raise ValueError(f"{path}: its design is {kind}; needs saltelli or morris")
        found = by_design[kind](open_battery(store), outcome)
    by_parameter = found.drop_dims("other", errors="ignore")
    names = [str(name) for name in by_parameter.data_vars if "parameter" in by_parameter[name].dims]
    rows = [
        {"parameter": str(p), **{n: _number(found[n].sel(parameter=p).item()) for n in names}}
        for p in found["parameter"].values
    ]
    noise = _number(found["noise"].item())
    if as_json:
        print_json({"outcome": outcome, "parameters": rows, "noise": noise, **_plain(found.attrs)})
        return
    shown = [name for name in names if not name.endswith("_margin")]
    table = [[row["parameter"], *(_with_margin(row, name) for name in shown)] for row in rows]
    titles = {name.replace("_", " "): True for name in shown}
    print_table(outcome, {"parameter": False, **titles}, table)
    paired = " (at most: the points are paired)" if found.attrs.get("paired") else ""
    typer.echo(f"share of replicate noise in the variance of points: {_text(noise)}{paired}")


@app.command()
def discover(
    path: Folder,
    outcome: Outcome = "cumulative_harm",
    above: Annotated[float | None, typer.Option("--above", help="Of interest: more.")] = None,
    below: Annotated[float | None, typer.Option("--below", help="Of interest: less.")] = None,
    density: Annotated[
        float, typer.Option("--density", help="Share of interest that a box should hold.")
    ] = 0.8,
    as_json: AsJson = False,
) -> None:
    """Find boxes of uncertainties where an outcome lies above or below a value (PRIM)."""
    from sumabm.analysis import discover
    from sumabm.battery.results import open_battery

    with _misuse():
        boxes = discover(open_battery(path), outcome, above, below, density=density)
    facts = [
        {"limits": {n: _limit(v) for n, v in box.limits.items()}}
        | {"coverage": box.coverage, "density": box.density, "mass": box.mass}
        for box in boxes
    ]
    if as_json:
        print_json({"outcome": outcome, "boxes": facts})
        return
    for number, box in enumerate(boxes, start=1):
        typer.echo(
            f"box {number}: coverage {box.coverage:.3g}, density {box.density:.3g}, "
            f"mass {box.mass:.3g}"
        )
        for name, limit in box.limits.items():
            typer.echo(f"  {name}: {_told(limit)}")
    if not boxes:
        typer.echo(f"no box reaches a density of {density:g}")


@app.command()
def threshold(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or a shipped one's name.")],
    parameter: Annotated[str, typer.Argument(help="A dotted path, as in agents.X.power.")],
    low: Annotated[float, typer.Option("--low", help="Where to look from.")],
    high: Annotated[float, typer.Option("--high", help="Where to look to.")],
    above: Annotated[float, typer.Option("--above", help="What the mean should exceed.")] = 1e-12,
    outcome: Outcome = "cumulative_harm",
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="How closely; of the logarithm with --log.")
    ] = 1e-3,
    log: Annotated[bool, typer.Option("--log", help="Bisect on a log scale.")] = False,
    integer: Annotated[bool, typer.Option("--integer", help="Whole numbers only.")] = False,
    replicates: Annotated[int, typer.Option("--replicates", "-r", min=2)] = 200,
    seed: Annotated[int, typer.Option("--seed", "-s", min=0)] = 0,
    override: Set = None,
    as_json: AsJson = False,
) -> None:
    """Find where, along one parameter, an outcome's mean comes to exceed a value."""
    from sumabm.analysis import scenario_threshold
    from sumabm.scenario import load_scenario

    spec = load_scenario(scenario, parsed_overrides(override or []))
    with _misuse():
        found = scenario_threshold(
            spec,
            parameter,
            *(low, high, above, tolerance),
            outcome=outcome,
            replicates=replicates,
            seed=seed,
            progress=lambda value: typer.echo(f"{parameter} = {value:.6g}", err=True),
            scale="log" if log else "linear",
            integer=integer,
        )
    if as_json:
        evaluations = found.evaluations.to_dataframe().reset_index().to_dict("records")
        print_json({**found._asdict(), "evaluations": evaluations})
        return
    typer.echo(
        f"{outcome} exceeds {above:g} from {parameter} = {found.estimate:.6g}, 95 % interval "
        f"{found.low:.6g} to {found.high:.6g}; {found.evaluations.sizes['value']} values were run"
    )
    if not found.monotone:
        typer.echo("it does not rise throughout: there are several crossings, this is the first")


@contextlib.contextmanager
def _misuse() -> Iterator[None]:
    """Tell what an analysis refuses as bad input."""
    from sumabm.toml import ScenarioError

    try:
        yield
    except ScenarioError:
        raise
    except (ValueError, ImportError) as error:
        raise MisuseError(str(error)) from error


def _rows(found: xr.Dataset) -> list[dict[str, Any]]:
    frame = found.to_dataframe().reset_index()
    plain = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(k): _number(v) for k, v in row.items()} for row in plain]


def _number(value: Any) -> Any:
    """Return a value as JSON takes it: no infinity, nothing that is not a number."""
    if isinstance(value, tuple):
        return [_number(part) for part in value]
    if isinstance(value, float) and not (-float("inf") < value < float("inf")):
        return None if value != value else str(value)
    return value


def _plain(facts: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): getattr(value, "item", lambda v=value: v)() for key, value in facts.items()}


def _told(limit: Between | Among) -> str:
    from sumabm.analysis import Between

    if isinstance(limit, Between):
        return f"{limit.low:.6g} to {limit.high:.6g}"
    return ", ".join(map(str, limit.values))


def _limit(limit: Any) -> dict[str, Any]:
    return {key: _number(value) for key, value in limit._asdict().items()}


def _with_margin(row: dict[str, Any], name: str) -> str:
    margin = row.get(f"{name}_margin")
    return _text(row[name]) + (f" ± {margin:.2g}" if isinstance(margin, float) else "")


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value or "")
