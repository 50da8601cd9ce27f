"""Reference pages, written before Sphinx reads any, of what classes and commands say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from sitework import commands, components, literature, shipped


def _write(app: Sphinx) -> None:
    """Write every made page, if it changed, and remove those that nothing makes any more."""
    folder = Path(app.srcdir) / "reference" / "made"
    pages = {**components.pages(), **shipped.pages(), **commands.pages(), **literature.pages()}
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    for path in set(folder.rglob("*.md")) - {folder / name for name in pages}:
        path.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Have the pages made when a build begins."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
