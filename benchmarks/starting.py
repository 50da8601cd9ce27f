"""How long sumabm takes to start, beside its dependencies: processes of their own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.timing import Case

BARE = """
import typer
app = typer.Typer(add_completion=False)
@app.command()
def run(scenario: str, replicates: int = 1) -> None:
    "Run a scenario."
app()
"""
REPEATS = 7


def cases() -> Iterator[Case]:
    """Yield imports, the command's help and the first run."""
    cli = ("-m", "sumabm")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = folder / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        yield _case(
            "import sumabm", "import mesa", _code("import sumabm"), _code("import mesa"), 1.5
        )
        named = _code("from sumabm import simulate")
        yield _case("from sumabm import simulate", "import mesa", named, _code("import mesa"), None)
        help_of_bare = partial(python, str(bare), "--help")
        yield _case(
            "sumabm --help",
            "a bare typer program",
            partial(python, *cli, "--help"),
            help_of_bare,
            2.0,
        )
        libraries = _code("import mesa, scipy, matplotlib")
        words = (*cli, "run", "essay", "--replicates", "1", "--steps", "1", "--out")

        def first_run() -> None:
            with tempfile.TemporaryDirectory(dir=folder) as out:
                python(*words, out)

        yield _case("first sumabm run", "import mesa, scipy, matplotlib", first_run, libraries, 4.0)


def python(*words: str) -> None:
    """Run the interpreter; raises CalledProcessError if that fails."""
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)


def _code(text: str) -> Callable[[], None]:
    return partial(python, "-c", text)


def _case(
    name: str,
    beside: str,
    ours: Callable[[], None],
    theirs: Callable[[], None],
    most: float | None,
) -> Case:
    return Case("start", name, beside, ours, theirs, most=most, repeats=REPEATS)
