"""The command that says what to cite: ``sumabm cite``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sumabm.cli.app import AsJson, MisuseError, app, print_json
from sumabm.cli.single import is_battery


@app.command()
def cite(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="The folder of a run or a battery, or a scenario's or battery's."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Print BibTeX of sumabm and of every source that the components of a run cite."""
    from sumabm.bibliography import bibtex, entries, fields, software

    keys, version = _of_folder(Path(what)) if _is_folder(what) else _of_name(what)
    known, unknown = sorted(keys & entries().keys()), sorted(keys - entries().keys())
    if as_json:
        sources = [{"key": key, **fields(key)} for key in known]
        print_json({"version": version, "sources": sources, "unknown": unknown})
        return
    lost = [f"% {key}: a plug-in cites it, and has its entry" for key in unknown]
    typer.echo("\n\n".join(filter(None, [software(version), bibtex(known), *lost])))


def _is_folder(what: str) -> bool:
    try:
        return Path(what).is_dir()
    except OSError:  # a name that is too long for a file
        return False


def _of_folder(folder: Path) -> tuple[set[str], str]:
    """Return what a stored run or battery cites, and the version that made it."""
    from sumabm.battery.sources import sources
    from sumabm.battery.store import Store
    from sumabm.files import RunError
    from sumabm.runs import read_manifest

    try:
        if (folder / "battery.json").exists():
            store = Store.open(folder)
            return sources(store.battery) | _keys(store.manifest), _version(store.manifest)
        manifest = read_manifest(folder)
    except (RunError, OSError) as error:
        raise MisuseError(str(error)) from None
    return _keys(manifest), _version(manifest)


def _of_name(what: str) -> tuple[set[str], str]:
    """Return what a scenario or battery cites, and this version."""
    from sumabm.battery.sources import sources
    from sumabm.battery.spec import load_battery
    from sumabm.provenance import citations, platform_facts
    from sumabm.scenario import library, load_scenario

    version = _version(platform_facts())
    if is_battery(what):
        return sources(load_battery(what)), version
    a_file = "/" in what or "\\" in what or what.endswith(".toml")
    if not a_file and what not in {path.stem for path in library().glob("*.toml")}:
        raise MisuseError(f"{what}: is no folder of a run or battery, and no name of a scenario")
    return set(citations(load_scenario(what))), version


def _keys(manifest: Mapping[str, Any]) -> set[str]:
    keys = manifest.get("cites")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise MisuseError("the manifest does not say what it cites")
    return set(keys)


def _version(manifest: Mapping[str, Any]) -> str:
    versions = manifest.get("versions")
    return str(versions.get("sumabm", "unknown")) if isinstance(versions, dict) else "unknown"
