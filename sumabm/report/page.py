"""Pages: one HTML file each, with nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from sumabm.files import RunError, whole_file


def write_page(file: Path, template: str, contents: Mapping[str, Any], room: str) -> None:
    """Render a room's template into a file, which is whole or not there and replaces one that is.

    Templates extend ``page.html``, which lies here. Raises RunError when it cannot be written.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("sumabm", name) for name in (room, "report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template(template).render(contents)
    try:
        with whole_file(file) as own:
            own.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error}") from error
