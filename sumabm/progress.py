"""Progress of long work: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from sumabm.recorder import Progress

_EVERY = 5.0  # seconds between the lines of a log


@contextlib.contextmanager
def progress(name: str, replicates: int) -> Iterator[Progress]:
    """Give a callable for `simulate` that reports on standard error."""
    title = f"{name}, {replicates} replicates"
    if not sys.stderr.isatty():
        yield _lines(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("steps"))
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(title: str) -> Progress:
    began = said = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if done == total or now - said >= _EVERY:
            said = now
            left = (now - began) * (total - done) / done
            line = f"{title}: step {done} of {total}, {now - began:.1f} s, {left:.0f} s left"
            print(line, file=sys.stderr, flush=True)  # noqa: T201

    return report
