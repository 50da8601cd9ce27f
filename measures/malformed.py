"""Malformed scenario files, overrides and options: exit 2, a message, no traceback, no files.

Each case of tests/malformed_cases.py goes through the command line in this process, a sample in
processes of their own. The message names the file (or the override or option) and the key's path.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sumabm.cli import main as command_line

ROOT = Path(__file__).resolve().parent.parent
AT_LEAST, SAMPLE, SECONDS, LONGEST = 100, 16, 5, 50_000


class Outcome(NamedTuple):
    """What a command line did: exit code, its two outputs, seconds, files it wrote."""

    code: object
    out: str
    err: str
    seconds: float
    written: list[str]


class _TooLongError(Exception):
    pass


def here(words: list[str]) -> tuple[object, str, str]:
    """Run the command line in this process; return exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    before, sys.argv = sys.argv, ["sumabm", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            command_line()
    except SystemExit as stop:
        code = stop.code
    except Exception as error:
        code = 1
        err.write("".join(traceback.format_exception(error)))
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def apart(words: list[str]) -> tuple[object, str, str]:
    """Run the command line as a process of its own; return exit code, output and errors."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sumabm", *words], capture_output=True, text=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        return "killed after 60 s", "", ""
    return done.returncode, done.stdout, done.stderr


def outcome(case: Any, way: Callable[[list[str]], tuple[object, str, str]]) -> Outcome:
    """Run a case in an empty folder and see what comes of it."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        command, *rest = case.prepare(folder)
        before = set(folder.rglob("*"))
        began = time.perf_counter()
        result = way([command, "--out", str(folder / "out"), *rest])
        seconds = time.perf_counter() - began
        written = [str(path.relative_to(folder)) for path in set(folder.rglob("*")) - before]
    return Outcome(*result, seconds, written)


def faults(case: Any, seen: Outcome) -> Iterator[str]:
    """Yield what is wrong with how the command line took a case."""
    if seen.code != 2:
        yield f"exit code {seen.code}"
    if "Traceback" in seen.out + seen.err:
        yield "a traceback"
    for words in (case.about, *case.mentions):
        if words not in seen.err:
            yield f"{words!r} is not in the message"
    if not 0 < len(seen.err) <= LONGEST:
        yield f"the message has {len(seen.err)} characters"
    if seen.out:
        yield "something on standard output"
    if seen.seconds > SECONDS:
        yield f"{seen.seconds:.1f} s"
    if seen.written:
        yield f"wrote {', '.join(sorted(seen.written))}"


def check(case: Any, way: Callable[[list[str]], tuple[object, str, str]]) -> bool:
    """Return whether a case is taken well; print what is not."""
    signal.alarm(90)
    try:
        seen = outcome(case, way)
    except _TooLongError:
        print(f"FAILED {case.name}: no end within 90 s")
        return False
    finally:
        signal.alarm(0)
    wrong = list(faults(case, seen))
    if wrong:
        print(f"FAILED {case.name}: {'; '.join(wrong)}\n    {seen.err.strip()[:500]}")
    return not wrong


def _ring(number: int, frame: object) -> None:
    raise _TooLongError


def main() -> int:
    cases: list[Any] = runpy.run_path(str(ROOT / "tests" / "malformed_cases.py"))["CASES"]
    signal.signal(signal.SIGALRM, _ring)
    os.environ["PYTHONPATH"] = str(ROOT)
    sample = random.Random(0).sample([case for case in cases if case.in_a_process], SAMPLE)
    good = sum(check(case, here) for case in cases)
    good_apart = sum(check(case, apart) for case in sample)
    print(f"{good} of {len(cases)} cases refused well; {good_apart} of {SAMPLE} as processes")
    names = {case.name for case in cases}
    well = good == len(cases) == len(names) >= AT_LEAST and good_apart == SAMPLE
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
