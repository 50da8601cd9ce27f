"""A plug-in package made for a measure: found by this process and by all that it starts."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

NAME = "measured"


@contextlib.contextmanager
def installed(source: str) -> Iterator[Path]:
    """Install ``source``, the text of a module, as somebody's package; give a folder to work in."""
    before = os.environ.get("PYTHONPATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = folder / "site"
        facts = site / f"{NAME}-1.0.dist-info"
        (site / NAME).mkdir(parents=True)
        facts.mkdir()
        (site / NAME / "__init__.py").write_text("", encoding="utf-8")
        (site / NAME / "components.py").write_text(source, encoding="utf-8")
        metadata = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n"
        (facts / "METADATA").write_text(metadata, encoding="utf-8")
        entry = f"[sumabm.components]\n{NAME} = {NAME}.components\n"
        (facts / "entry_points.txt").write_text(entry, encoding="utf-8")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), before]))
        sys.path.insert(0, str(site))
        try:
            yield folder
        finally:
            sys.path.remove(str(site))
            del os.environ["PYTHONPATH"]
            if before is not None:
                os.environ["PYTHONPATH"] = before
