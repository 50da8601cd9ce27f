"""What a page shows while something is read, and what it says when that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import solara

T = TypeVar("T")


def read(work: Callable[[], T | str], of: Sequence[str], doing: str, failing: str) -> T | None:
    """Do ``work`` apart from the page, anew where ``of`` changes; return what came of it.

    None until then, with a bar and ``doing`` on the page, and where it failed, with ``failing`` and
    why: a text that ``work`` returns, or what it raises. A hook: call it at the top of a component.
    """
    task = solara.lab.use_task(work, dependencies=list(of), raise_error=False)
    if task.pending:
        solara.ProgressLinear(True)
        solara.Text(doing)
        return None
    if task.error or isinstance(task.value, str):
        why = repr(task.exception) if task.error else task.value
        solara.Error(f"{failing}: {why}")
        return None
    found: T | None = task.value
    return found
