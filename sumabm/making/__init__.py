"""A package of one's own with one component: its file, its test, its entry point."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2

from sumabm.files import RunError

_HERE = Path(__file__).resolve().parent
ROOMS = tuple(sorted(path.stem for path in _HERE.glob("*.jinja") if path.stem != "package"))
"""The rooms that a component can be made for."""


def make(room: str, name: str, folder: Path) -> list[Path]:
    """Write a package ``sumabm-NAME`` into ``folder`` and return its files.

    ``pip install --editable`` of it is all that it takes for ``sumabm list``, scenario files and
    the browser to have it; its test is the room's conformance suite and one of its own. Raises
    ValueError for a room that there is none of, or a name that is no kind, and RunError where the
    package is there already or cannot be written.
    """
    if room not in ROOMS:
        raise ValueError(f"{room}: should be one of {', '.join(ROOMS)}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > 40:
        raise ValueError(f"{name}: should be lower-case letters and digits, parted by hyphens")
    words = {"kind": name, "module": name.replace("-", "_"), "title": name.replace("-", " ")}
    words["cls"] = "".join(part.capitalize() for part in name.split("-"))
    package = folder / f"sumabm-{name}"
    source, test = _parts((_HERE / f"{room}.jinja").read_text(encoding="utf-8"), words)
    [facts] = _parts((_HERE / "package.jinja").read_text(encoding="utf-8"), words)
    files = {f"{words['module']}.py": source, f"test_{words['module']}.py": test}
    try:
        package.mkdir(parents=True)
        for file, text in {**files, "pyproject.toml": facts}.items():
            (package / file).write_text(text, encoding="utf-8")
    except FileExistsError:
        raise RunError(f"{package}: is there already") from None
    except OSError as error:
        raise RunError(f"{package}: cannot be written: {error}") from error
    return [package / file for file in (*files, "pyproject.toml")]


def _parts(template: str, words: dict[str, str]) -> list[str]:
    """Return the files of a template, which are parted by a line of dashes."""
    engine = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    text = engine.from_string(template).render(words)
    return [part.strip() + "\n" for part in text.split("\n-----\n")]
