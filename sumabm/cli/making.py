"""The command that begins a component of one's own: ``sumabm new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sumabm.cli.app import MisuseError, app


@app.command()
def new(
    room: Annotated[str, typer.Argument(help="origin, behaviour, aligner or harm.")],
    name: Annotated[str, typer.Argument(help="Its kind in scenario files: my-origin.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write into.")] = Path(),
) -> None:
    """Write a package with a component of your own: its file, its test, its entry point."""
    from sumabm.making import make

    try:
        files = make(room, name, out)
    except ValueError as error:
        raise MisuseError(str(error)) from None
    for file in files:
        typer.echo(str(file))
    typer.echo(f"Next: pip install --editable {files[0].parent}; sumabm list")
    typer.echo(f"      python -m pytest {files[0].parent}")
