"""What all commands share: the application, how bad input is told, common options."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

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
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder that holds runs.")]
RUNS = Path("runs")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class MisuseError(Exception):
    """Bad input: its message goes to standard error, and the exit code is 2."""


def stop(message: str, code: int) -> NoReturn:
    """Print a message on standard error and exit."""
    print(f"sumabm: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(code)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def print_table(title: str, columns: dict[str, bool], rows: Iterable[Iterable[str]]) -> None:
    """Print a table of texts; ``columns`` says of each heading whether it is of numbers.

    On a terminal texts are folded to its width; into a pipe or a file it is as wide as it is.
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False, padding=(0, 1))
    for heading, numeric in columns.items():
        side: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(heading, justify=side, no_wrap=numeric, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def parsed_overrides(texts: list[str]) -> dict[str, object]:
    """Return what --set options say; raises MisuseError."""
    from sumabm.toml import override_value

    found: dict[str, object] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        path = path.strip()
        if not equals or not path:
            raise MisuseError(f"--set {text}: should be PATH=VALUE, as in agents.X.power=3")
        if path in found:
            raise MisuseError(f"--set {text}: {path} is set twice")
        found[path] = override_value(value.strip())
    return found
