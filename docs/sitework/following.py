"""A page that is followed as its reader would, so that it can show what its blocks print."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from IPython.display import SVG

_DOCS = Path(__file__).parents[1]


class Reader:
    """One who has followed a page, in a folder that lasts as long as they do."""

    def __init__(self, page: str) -> None:
        self._folder = TemporaryDirectory()
        self._said: list[tuple[str, str]] = []
        follow = _module(_DOCS.parent / "tests" / "docs" / "follow.py")
        with contextlib.chdir(self._folder.name):
            names: dict[str, Any] = {}
            for block in follow.blocks(_DOCS / page):
                if follow.is_run(block):
                    self._do(follow, block, names)

    def _do(self, follow: Any, block: Any, names: dict[str, Any]) -> None:
        if block.mark == "file":
            Path(block.told).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(block.code, names)  # noqa: S102
            self._said.append((block.code, out.getvalue()))
        else:
            for command in follow.commands(block):
                self._said.append((command, _run(command)))

    def said(self, words: str) -> None:
        """Print what the first command or block that has these words printed."""
        print(next(out for code, out in self._said if words in code).rstrip())  # noqa: T201

    def picture(self, name: str) -> SVG:
        """Return a picture that the page drew."""
        return SVG(filename=str(Path(self._folder.name) / name))


def _run(command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "COLUMNS": "88"}
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=env, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
