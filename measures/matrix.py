"""The tests on other interpreters: `make matrix`, or name interpreters as arguments.

Looks on the PATH and among pyenv's versions; each gets a virtual environment of its own, with the
newest packages that it can have (Mesa 3.3.1 on Python 3.11, 3.5 on 3.12 and newer).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYENV = Path.home() / ".pyenv" / "versions"


def working(name: str) -> str | None:
    """Return a command of that name that runs, from the PATH or from pyenv."""
    version = name.removeprefix("python")
    candidates = [name, *map(str, sorted(PYENV.glob(f"{version}.*/bin/{name}")))]
    for candidate in candidates:
        try:
            done = subprocess.run([candidate, "-c", "import venv"], capture_output=True)
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def tested(name: str, command: str) -> bool:
    """Install into a virtual environment and run the tests; True when they pass."""
    home = ROOT / f".venv-{Path(name).name}"
    python = str(home / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = (
        [command, "-m", "venv", str(home)],
        [*install, "--editable", ".[dev]"],
        [python, "-m", "pip", "list", "--format=freeze"],
        [python, "-m", "pytest", "-q", "-n", "auto"],
    )
    return all(subprocess.run(step, cwd=ROOT).returncode == 0 for step in steps)


def main(names: list[str]) -> int:
    results = {}
    for name in names:
        command = working(name)
        results[name] = "not installed" if command is None else None
        if command is not None:
            results[name] = "passed" if tested(name, command) else "FAILED"
    for name, result in results.items():
        print(f"{name}: {result}")
    ran = [result for result in results.values() if result != "not installed"]
    return 0 if ran and "FAILED" not in ran else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
