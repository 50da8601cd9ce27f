"""The command line: ``sumabm run | list | validate``.

Only typer is imported to start; the simulator, rich and matplotlib come when a command needs them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    import xarray as xr

    from sumabm.scenario import Scenario

app = typer.Typer(
    name="sumabm",
    help="Simulate Statistical Utility Mechanics: agents that move a world on a budget of nats.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a field: agents.X.power=3"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class _MisuseError(Exception):
    """Bad input: its message goes to standard error, and the exit code is 2."""


def main() -> None:
    """Run the command line; bad input exits with 2, an interruption with 130, others with 1."""
    try:
        app()
    except Exception as error:
        from sumabm.runs import RunError
        from sumabm.scenario import ScenarioError

        if isinstance(error, ScenarioError | _MisuseError):
            _stop(str(error), 2)
        if isinstance(error, RunError):
            _stop(str(error), 1)
        if isinstance(error, MemoryError):
            _stop(f"not enough memory: {error}", 1)
        raise


def _stop(message: str, code: int) -> NoReturn:
    print(f"sumabm: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(code)


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or a shipped one's name.")],
    override: Set = None,
    replicates: Annotated[
        str, typer.Option("--replicates", "-r", metavar="N|A:B", help="How many, or which.")
    ] = "200",
    seed: Annotated[str, typer.Option("--seed", "-s", help="A whole number, or 'random'.")] = "0",
    steps: Annotated[int | None, typer.Option("--steps", help="Instead of the file's.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder that holds runs.")] = Path(
        "runs"
    ),
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario, store the run with its figures, and print what came out."""
    from sumabm import runs
    from sumabm.model import seed_of

    overrides = _overrides(override or [])
    if steps is not None:
        if "steps" in overrides:
            raise _MisuseError(f"--steps {steps}: steps is set twice")
        overrides["steps"] = steps
    spec = _load(scenario, overrides)
    which, number = _replicates(replicates), seed_of(None if seed == "random" else _whole(seed))
    given = {"scenario": scenario, "set": override or [], "steps": steps}
    given |= {"replicates": replicates, "seed": seed}
    from sumabm.progress import progress

    try:
        with progress(spec.scenario, len(which)) as report:
            stored = runs.run(spec, which, number, out, given, _finisher(spec), report)
    except KeyboardInterrupt:  # typer would say nothing
        _stop("interrupted: nothing was stored", 130)
    _show(stored, as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the shipped scenarios, and the components with their parameters, units and bounds."""
    from sumabm.catalogue import catalogue, print_catalogue

    found = catalogue()
    if as_json:
        _print_json(found)
    else:
        print_catalogue(found)


@app.command()
def validate(
    scenarios: Annotated[list[str], typer.Argument(help="Scenario files or names.")],
    override: Set = None,
    as_json: AsJson = False,
) -> None:
    """Check scenario files and say all that is wrong with them; nothing is run."""
    from sumabm.scenario import ScenarioError

    overrides, problems = _overrides(override or []), []
    for name in scenarios:
        try:
            spec = _load(name, overrides)
        except ScenarioError as error:
            problems.append(error)
            continue
        if as_json:
            _print_json(spec.model_dump())
        else:
            typer.echo(
                f"{name}: valid: {spec.scenario}, {len(spec.agents)} agents, {spec.steps} steps"
            )
    if problems:
        raise _MisuseError("\n".join(str(problem) for problem in problems))


def _load(name: str, overrides: dict[str, object]) -> Scenario:
    from sumabm.scenario import load_scenario

    return load_scenario(name, overrides)


def _overrides(texts: list[str]) -> dict[str, object]:
    from sumabm.scenario import override_value

    found: dict[str, object] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        path = path.strip()
        if not equals or not path:
            raise _MisuseError(f"--set {text}: should be PATH=VALUE, as in agents.X.power=3")
        if path in found:
            raise _MisuseError(f"--set {text}: {path} is set twice")
        found[path] = override_value(value.strip())
    return found


def _replicates(text: str) -> range:
    from sumabm.model import replicate_range

    first, colon, last = text.partition(":")
    try:
        return replicate_range(range(int(first), int(last)) if colon else int(first))
    except ValueError:
        raise _MisuseError(
            f"--replicates {text}: should be a count from 1, or a range A:B with 0 ≤ A < B"
        ) from None


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 40:
        raise _MisuseError(f"--seed {text}: should be a whole number of at least 0, or 'random'")
    return int(text)


def _finisher(spec: Scenario) -> Any:
    """Return what completes a stored run: its figures and its result table."""

    def finish(data: xr.Dataset, folder: Path) -> dict[str, Any]:
        from sumabm.figures import save_all
        from sumabm.predict import predict
        from sumabm.summary import summarise

        curves = predict(data, spec)
        return {
            "figures": save_all(data, curves, folder / "figures"),
            "result": [line._asdict() for line in summarise(data, curves)],
        }

    return finish


def _show(stored: Any, as_json: bool) -> None:
    manifest = stored.manifest
    if as_json:
        keys = ("identity", "seed", "replicates", "result", "seconds", "figures")
        report = {"path": str(stored.path), "reused": stored.reused}
        _print_json(report | {key: manifest.get(key) for key in keys})
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    title = f"{manifest['scenario']['scenario']}: last step"
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False, padding=(0, 1))
    for heading in ("quantity", "mean", "± s.e.", "theory", "unit"):
        side: Any = "left" if heading in ("quantity", "unit") else "right"
        table.add_column(heading, justify=side, no_wrap=True)
    for line in manifest.get("result", []):
        numbers = [line["mean"], line["standard_error"], line["theory"]]
        texts = ["" if n is None else f"{n:.6g}" for n in numbers]
        table.add_row(line["quantity"], *texts, line["unit"])
    console = Console()
    console.print(table)
    first, stop = manifest["replicates"]
    state = "reused: the store has this run" if stored.reused else "stored"
    typer.echo(f"{stop - first} replicates, seed {manifest['seed']}; {state}")
    typer.echo(f"data     {stored.path / 'data.parquet'}")
    typer.echo(f"figures  {stored.path / 'figures'}")


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, allow_nan=False))
