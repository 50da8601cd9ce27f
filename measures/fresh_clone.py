"""A fresh clone: `make run`, then `make test`; the run under 30 s, the tests under 5 minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN_LIMIT, TEST_LIMIT = 30.0, 300.0


def timed(clone: Path, *command: str) -> float:
    """Run a command in the clone as a new user would; return the seconds it took."""
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    began = time.perf_counter()
    subprocess.run(command, cwd=clone, check=True, env=environment)
    return time.perf_counter() - began


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "sumabm"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        with_setup = timed(clone, "make", "run")
        again = ("--replicates", "200", "--out", "elsewhere")
        alone = timed(clone, ".venv/bin/sumabm", "run", "essay", *again)
        timed(clone, "make", "-s", ".venv/.ready-to-test")
        tests = timed(clone, "make", "test")
    print(
        f"make run {with_setup:.0f} s with set-up, the run itself {alone:.1f} s (limit {RUN_LIMIT})"
    )
    print(f"make test {tests:.0f} s (limit {TEST_LIMIT})")
    return 0 if alone <= RUN_LIMIT and tests <= TEST_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
