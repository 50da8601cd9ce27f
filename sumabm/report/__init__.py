"""The report of a battery: one HTML file that says what was asked, what came and how sure that is.

It needs nothing but itself: no scripts, no other files, nothing from a network. The same battery
gives the same file.
"""

from __future__ import annotations

from pathlib import Path

from sumabm.battery.store import Store

__all__ = ["write_report"]


def write_report(path: str | Path | Store, file: str | Path | None = None) -> Path:
    """Write a battery's report as HTML and return where it is, by default ``report.html`` in it.

    Of an incomplete battery it says what is missing, and shows what is there. The file is whole or
    not there, and replaces one that is. Raises RunError when the battery or a chunk of it cannot be
    read or the file cannot be written.
    """
    from sumabm.report.material import (
        gather,  # here, because pages want only how numbers are written
    )
    from sumabm.report.page import write_page
    from sumabm.report.sections import contents

    store = path if isinstance(path, Store) else Store.open(path)
    target = store.path / "report.html" if file is None else Path(file)
    write_page(target, "battery.html", contents(gather(store)), "report")
    return target
