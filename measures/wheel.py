"""Wheel and sdist: what is in them, that they are the same, and that they run away from here.

Both are built, the wheel from the tree and from the sdist, and compared file by file. The wheel
goes with its extra ``browser`` into an empty environment; in an empty folder ``sumabm run essay``,
``reproduce --quick`` and ``browse`` must work with it. Only dependencies are downloaded.
"""

from __future__ import annotations

import email
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".py", ".toml", ".css", ".vue", ".html", ".jinja", ".typed", ".bib", ".csv", ".graphml"}
SUFFIXES |= {".edges", ".md", ".npy", ".parquet"}
"""What a wheel may hold, besides its own metadata."""
NEEDED: tuple[str, ...] = (
    "sumabm/py.typed",
    "sumabm/references.bib",
    "sumabm/scenarios/essay.toml",
)
NEEDED += ("sumabm/browser/page.css", "sumabm/browser/chart.vue", "sumabm/report/page.html")
NEEDED += ("sumabm/making/package.jinja", "sumabm/scenarios/batteries/phase-diagram.toml")
IN_SDIST: tuple[str, ...] = (
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
)
IN_SDIST += ("constraints.txt", "docs/index.md", "measures/wheel.py", "pyproject.toml")
IN_SDIST += ("tests/test_cli.py", "tests/reference/states.csv", "scenarios/essay.toml")
JUNK = re.compile(
    r"__pycache__|\.pyc$|/\.(?!gitignore)|\.egg-info|/build/|/runs/|\.coverage|\.ipynb_checkpoints"
)
PORT = 8799


def shell(*words: str, cwd: Path) -> str:
    """Run a command without what this environment has; return its output."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=cwd, env=kept, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(words[:4])} … failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return done.stdout


def environment(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with these packages; return its folder of commands."""
    shell(sys.executable, "-m", "venv", str(folder), cwd=folder.parent)
    commands = folder / "bin"
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    shell(str(commands / "python"), *install, *packages, cwd=folder.parent)
    return commands


def built(folder: Path) -> tuple[Path, Path, Path]:
    """Return the sdist, the wheel made of it and the wheel made of the tree."""
    python = environment(folder / "tools", "build", "hatchling>=1.24") / "python"
    build = (str(python), "-m", "build", "--no-isolation", "--outdir")
    shell(*build, str(folder / "of-sdist"), str(ROOT), cwd=folder)
    shell(*build, str(folder / "of-tree"), "--wheel", str(ROOT), cwd=folder)
    [sdist] = (folder / "of-sdist").glob("*.tar.gz")
    [of_sdist] = (folder / "of-sdist").glob("*.whl")
    [of_tree] = (folder / "of-tree").glob("*.whl")
    return sdist, of_sdist, of_tree


def contents(wheel: Path) -> dict[str, bytes]:
    """Return a wheel's files by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def wrong_in_wheel(files: dict[str, bytes]) -> Iterator[str]:
    """Yield what a wheel lacks or should not hold."""
    package = [name for name in files if ".dist-info/" not in name]
    yield from (f"{name} is missing" for name in NEEDED if name not in files)
    yield from (f"{name} is junk" for name in package if Path(name).suffix not in SUFFIXES)
    yield from (f"{name} is junk" for name in package if JUNK.search(name))
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sumabm").rglob("*.*")}
    here |= {f"sumabm/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "scenarios").rglob("*.*")}
    lost = {name for name in here if not JUNK.search(name)} - files.keys()
    yield from (f"{name} is not in it" for name in sorted(lost))
    yield from wrong_facts(next(v for k, v in files.items() if k.endswith(".dist-info/METADATA")))


def wrong_facts(metadata: bytes) -> Iterator[str]:
    """Yield what is wrong with a wheel's metadata."""
    facts: Message = email.message_from_bytes(metadata)
    expected = {"Name": "sumabm", "License-Expression": "Apache-2.0", "Requires-Python": ">=3.11"}
    for key, value in expected.items():
        if facts[key] != value:
            yield f"{key} is {facts[key]}, not {value}"
    head = metadata.decode().partition("\n\n")[0]
    yield from (f"metadata names {url}" for url in re.findall(r"https?://\S+", head))
    extras = set(facts.get_all("Provides-Extra", []))
    if not {"browser", "cluster", "dev", "discovery", "docs"} <= extras:
        yield f"extras are {sorted(extras)}"
    if "Typing :: Typed" not in facts.get_all("Classifier", []):
        yield "it does not say that it is typed"


def wrong_in_sdist(sdist: Path) -> Iterator[str]:
    """Yield what an sdist lacks or should not hold."""
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    yield from (f"sdist: {name} is missing" for name in IN_SDIST if name not in names)
    yield from (f"sdist: {name} is junk" for name in names if JUNK.search(f"/{name}"))
    yield from (
        f"sdist: {m.name} is no plain file" for m in members if not (m.isfile() or m.isdir())
    )


def runs_away(commands: Path, folder: Path) -> Iterator[str]:
    """Run the measure's commands in an empty folder; yield what they did not do."""
    sumabm = str(commands / "sumabm")
    where = shell(
        str(commands / "python"), "-c", "import sumabm; print(sumabm.__file__)", cwd=folder
    )
    if str(ROOT) in where:
        yield f"it imports {where}"
    for words in (["list"], ["validate", "essay"], ["cite", "essay"], ["schema", "scenario"]):
        shell(sumabm, *words, cwd=folder)
    for words, made in (
        (["run", "essay"], "*/manifest.json"),
        (["reproduce", "--quick"], "**/*.html"),
    ):
        began = time.perf_counter()
        shell(sumabm, *words, cwd=folder)
        print(f"sumabm {' '.join(words)}: {time.perf_counter() - began:.0f} s")
        if not list((folder / "runs").glob(made)):
            yield f"sumabm {' '.join(words)} stored nothing"
    yield from browses(sumabm, folder)


def browses(sumabm: str, folder: Path) -> Iterator[str]:
    """Serve the browser's page, fetch it and stop; yield what went wrong."""
    words = [sumabm, "browse", "--no-open", "--port", str(PORT)]
    server = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    began, page = time.perf_counter(), ""
    while not page and time.perf_counter() - began < 60 and server.poll() is None:
        time.sleep(0.5)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=30) as answer:
                page = answer.read().decode()
        except OSError:
            continue
    seconds = time.perf_counter() - began
    server.send_signal(signal.SIGINT)
    code = server.wait(timeout=30)
    print(
        f"sumabm browse: a page of {len(page)} characters after {seconds:.0f} s, exit code {code}"
    )
    if "<html" not in page.lower():
        yield "sumabm browse gave no page"
    if code != 130:
        yield f"sumabm browse, interrupted, exited with {code}"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist, of_sdist, of_tree = built(folder)
        files = contents(of_tree)
        print(f"{of_tree.name}: {len(files)} files, {of_tree.stat().st_size / 1e6:.2f} MB")
        print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.2f} MB")
        wrong = [*wrong_in_wheel(files), *wrong_in_sdist(sdist)]
        other = contents(of_sdist)
        odd = sorted(n for n in files.keys() | other.keys() if files.get(n) != other.get(n))
        wrong += [f"{n} differs between the wheels of tree and sdist" for n in odd]
        commands = environment(folder / "empty", f"{of_tree}[browser]")
        (folder / "away").mkdir()
        wrong += runs_away(commands, folder / "away")
    for problem in wrong:
        print(f"WRONG: {problem}")
    print("wheel and sdist are whole" if not wrong else f"{len(wrong)} things are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
