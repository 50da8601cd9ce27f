"""Progress of long work: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

_EVERY = 5.0  # seconds between the lines of a log


class Report(Protocol):
    """Says how far the work is; call it first with what was done before."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report ``done`` of ``total``, with a note of what else is to be seen."""
        ...


@contextlib.contextmanager
def progress(title: str, unit: str) -> Iterator[Report]:
    """Give a callable that reports on standard error how many ``unit`` are done."""
    if not sys.stderr.isatty():
        yield _lines(title, unit)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    more = (TextColumn(unit), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with Bar(*columns, *more, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, note="")

        def report(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield report


def _lines(title: str, unit: str) -> Report:
    began = said = time.monotonic()
    start: int | None = None

    def report(done: int, total: int, note: str = "") -> None:
        nonlocal said, start
        start = done if start is None else start
        now = time.monotonic()
        if done == total or now - said >= _EVERY:
            said, here = now, done - start
            left = f"{(now - began) * (total - done) / here:.0f} s left" if here else "starting"
            line = f"{title}: {done} of {total} {unit}, {now - began:.1f} s, {left}"
            print(line + f"; {note}" * bool(note), file=sys.stderr, flush=True)  # noqa: T201

    return report
