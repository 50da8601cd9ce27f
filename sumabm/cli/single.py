"""Commands on one run: ``sumabm run | list | validate``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sumabm.cli.app import (
    RUNS,
    AsJson,
    MisuseError,
    Out,
    Set,
    app,
    parsed_overrides,
    print_json,
    print_table,
    stop,
)

if TYPE_CHECKING:
    import xarray as xr

    from sumabm.scenario import Scenario


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or a shipped one's name.")],
    override: Set = None,
    replicates: Annotated[
        str, typer.Option("--replicates", "-r", metavar="N|A:B", help="How many, or which.")
    ] = "200",
    seed: Annotated[str, typer.Option("--seed", "-s", help="A whole number, or 'random'.")] = "0",
    steps: Annotated[int | None, typer.Option("--steps", help="Instead of the file's.")] = None,
    out: Out = RUNS,
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario, store the run with its figures, and print what came out."""
    from sumabm import runs
    from sumabm.scenario import load_scenario
    from sumabm.streams import seed_of

    overrides = parsed_overrides(override or [])
    if steps is not None:
        if "steps" in overrides:
            raise MisuseError(f"--steps {steps}: steps is set twice")
        overrides["steps"] = steps
    spec = load_scenario(scenario, overrides)
    which, number = _replicates(replicates), seed_of(None if seed == "random" else _whole(seed))
    given = {"scenario": scenario, "set": override or [], "steps": steps}
    given |= {"replicates": replicates, "seed": seed}
    from sumabm.progress import progress

    try:
        with progress(f"{spec.scenario}, {len(which)} replicates", "steps") as report:
            stored = runs.run(spec, which, number, out, given, _finisher(spec), report)
    except KeyboardInterrupt:  # typer would say nothing
        stop("interrupted: nothing was stored", 130)
    _show(stored, as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the shipped scenarios, and the components with their parameters, units and bounds."""
    from sumabm.catalogue import catalogue, print_catalogue

    found = catalogue()
    if as_json:
        print_json(found)
    else:
        print_catalogue(found)


@app.command()
def validate(
    scenarios: Annotated[list[str], typer.Argument(help="Files, or names of scenarios.")],
    override: Set = None,
    as_json: AsJson = False,
) -> None:
    """Check scenario and battery files and say all that is wrong with them; nothing is run."""
    from sumabm.toml import ScenarioError

    overrides, problems = parsed_overrides(override or []), []
    for name in scenarios:
        try:
            table, told = _checked(name, overrides)
        except ScenarioError as error:
            problems.append(error)
            continue
        if as_json:
            print_json(table)
        else:
            typer.echo(f"{name}: valid: {told}")
    if problems:
        raise MisuseError("\n".join(str(problem) for problem in problems))


def _checked(name: str, overrides: dict[str, object]) -> tuple[dict[str, Any], str]:
    """Return a scenario or battery as a table, and what it is in a few words."""
    from sumabm.scenario import load_scenario

    if not is_battery(name):
        spec = load_scenario(name, overrides)
        told = f"{spec.scenario}, {len(spec.population)} agents, {spec.steps} steps"
        return spec.model_dump(), told
    from sumabm.battery.plan import check
    from sumabm.battery.spec import load_battery

    battery = load_battery(name, overrides)
    told = f"{battery.battery}, {check(battery)} points × {battery.replicates} replicates"
    return battery.model_dump(), told


def is_battery(name: str) -> bool:
    """Return whether a file, or a shipped name, is a battery's; False where there is none."""
    from sumabm.scenario import library
    from sumabm.toml import ScenarioError, locate, read

    try:
        path = locate(name, "scenario", library())
    except ScenarioError:
        return name in {path.stem for path in (library() / "batteries").glob("*.toml")}
    try:
        return "battery" in read(path)
    except ScenarioError:  # what is wrong with it, the scenario's reader says
        return False


def _replicates(text: str) -> range:
    from sumabm.streams import replicate_range

    first, colon, last = text.partition(":")
    try:
        return replicate_range(range(int(first), int(last)) if colon else int(first))
    except ValueError:
        raise MisuseError(
            f"--replicates {text}: should be a count from 1, or a range A:B with 0 ≤ A < B"
        ) from None


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 40:
        raise MisuseError(f"--seed {text}: should be a whole number of at least 0, or 'random'")
    return int(text)


def _finisher(spec: Scenario) -> Any:
    """Return what completes a stored run: its figures and its result table."""

    def finish(data: xr.Dataset, ends: xr.Dataset, folder: Path) -> dict[str, Any]:
        from sumabm.figures import save_all
        from sumabm.predict import predict
        from sumabm.summary import summarise

        curves = predict(data, spec)
        return {
            "figures": save_all(data, curves, folder / "figures"),
            "result": [line._asdict() for line in summarise(ends, curves)],
        }

    return finish


def _show(stored: Any, as_json: bool) -> None:
    manifest = stored.manifest
    if as_json:
        keys = ("identity", "seed", "replicates", "ended", "result", "graphs", "seconds", "figures")
        report = {"path": str(stored.path), "reused": stored.reused}
        print_json(report | {key: manifest.get(key) for key in keys})
        return
    columns = {"quantity": False, "mean": True, "± s.e.": True, "theory": True, "unit": False}
    rows = []
    for line in manifest.get("result", []):
        numbers = [line["mean"], line["standard_error"], line["theory"]]
        texts = ["" if n is None else f"{n:.6g}" for n in numbers]
        rows.append([line["quantity"], *texts, line["unit"]])
    print_table(f"{manifest['scenario']['scenario']}: last step", columns, rows)
    _show_graphs(manifest.get("graphs", {}))
    if ended := manifest.get("ended"):
        typer.echo(f"stopped early: {ended}")
    first, last = manifest["replicates"]
    state = "reused: the store has this run" if stored.reused else "stored"
    typer.echo(f"{last - first} replicates, seed {manifest['seed']}; {state}")
    typer.echo(f"data     {stored.path / 'data.parquet'}")
    typer.echo(f"figures  {stored.path / 'figures'}")


def _show_graphs(graphs: Mapping[str, Mapping[str, float | None]]) -> None:
    """Print what sums up who acts on whom, a row for each graph of the scenario."""
    if graphs:
        from sumabm.graphs import STATISTICS

        columns = {"graph": False} | dict.fromkeys(STATISTICS, True)
        texts = [
            ["" if (value := own[key]) is None else f"{value:.4g}" for key in STATISTICS]
            for own in graphs.values()
        ]
        rows = [[name, *row] for name, row in zip(graphs, texts, strict=True)]
        print_table("who acts on whom", columns, rows)
