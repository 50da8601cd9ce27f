"""The tests with the oldest dependencies that pyproject.toml takes: `make oldest`.

Every dependency is installed at its lower bound, so that the bound is known to be true; what these
need is as new as they allow. Name tests to run others than those of the core; the browser's,
Dask's and the EMA Workbench's packages are not there.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv-oldest"
CORE: tuple[str, ...] = (
    "tests/test_model.py",
    "tests/test_scenario.py",
    "tests/tilt",
    "tests/test_sphere.py",
)
CORE += ("tests/test_recorder.py", "tests/test_runs.py", "tests/test_cli.py")
TOOLS = ("hypothesis", "mpmath", "packaging", "pytest", "pytest-xdist")
CLICK = "click<8.5"
"""Later ones warn when an old typer is imported, and tests take warnings for errors."""
OPTIONS = ("-W", "ignore::DeprecationWarning", "-k", "not test_help_imports_nothing_heavy")
"""Old packages use what new ones deprecate, and typer before 0.24 imports rich to give help."""


def lowest(requirements: list[str]) -> list[str]:
    """Return requirements at their lower bounds: ``numpy>=2.0`` becomes ``numpy==2.0``."""
    found = [
        re.fullmatch(r"([\w.-]+(?:\[\w+\])?)>=([\w.]+)(?:,.*)?", text) for text in requirements
    ]
    without = [text for text, bound in zip(requirements, found, strict=True) if bound is None]
    if without:
        raise SystemExit(f"no lower bound: {', '.join(without)}")
    return [f"{bound[1]}=={bound[2]}" for bound in found if bound is not None]


def main(tests: list[str]) -> int:
    command = runpy.run_path(str(ROOT / "measures" / "matrix.py"))["working"]("python3.11")
    if command is None:
        raise SystemExit("needs python3.11, whose bounds these are")
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = lowest(facts["project"]["dependencies"])
    python = str(HOME / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = (
        [command, "-m", "venv", "--clear", str(HOME)],
        [*install, *oldest, CLICK, *TOOLS],
        [*install, "--no-deps", "--editable", "."],
        [python, "-m", "pip", "check"],
        [python, "-m", "pip", "list", "--format=freeze"],
        [python, "-m", "pytest", "-q", "-n", "auto", *OPTIONS, *(tests or CORE)],
    )
    for step in steps:
        if code := subprocess.run(step, cwd=ROOT).returncode:
            print(f"oldest dependencies: FAILED at {' '.join(step[1:4])}")
            return code
    print(f"oldest dependencies: passed with {', '.join(oldest)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
