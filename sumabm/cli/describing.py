"""The command that describes the files: ``sumabm schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from sumabm.cli.app import MisuseError, app, print_json


@app.command()
def schema(what: Annotated[str, typer.Argument(help="scenario or battery.")]) -> None:
    """Print the JSON schema of scenario or battery files, for editors; plug-ins are in it."""
    from sumabm.schema import SCHEMAS

    if what not in SCHEMAS:
        raise MisuseError(f"schema {what}: allowed: {', '.join(SCHEMAS)}")
    print_json(SCHEMAS[what]())
