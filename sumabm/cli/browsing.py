"""The command that opens the browser: ``sumabm browse``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sumabm.cli.app import RUNS, MisuseError, Out, app


@app.command()
def browse(
    scenario: Annotated[
        Path | None, typer.Argument(help="A scenario file of yours, to have among the others.")
    ] = None,
    port: Annotated[int, typer.Option("--port", help="0 takes any that is free.")] = 8765,
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; anything but loopback is public.")
    ] = "127.0.0.1",
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
    out: Out = RUNS,
) -> None:
    """Watch runs in a browser: play live ones, replay stored ones, look into batteries."""
    from importlib.util import find_spec

    from sumabm.browser.serve import is_loopback, serve
    from sumabm.scenario import load_scenario

    missing = [name for name in ("solara", "solara_assets") if find_spec(name) is None]
    if missing:
        raise MisuseError("browse needs more packages: pip install 'sumabm[browser]'")
    if not 0 <= port <= 65535:
        raise MisuseError(f"--port {port}: should be from 0 to 65535")
    if scenario is not None:
        load_scenario(scenario)  # what is wrong with it is told here, not in a page
    if not is_loopback(host):
        warning = "everyone who can reach this machine can use the page and read the runs in"
        typer.echo(f"sumabm: warning: --host {host}: {warning} {out}", err=True)
    serve(out, scenario, host, port, show=show, told=typer.echo)
