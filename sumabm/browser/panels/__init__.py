"""Panels of a run: a frame in, a picture out.

Each module here draws one: ``draw(frame)`` returns a `Picture`, or None when the run has nothing to
show in it; ``PLACE`` orders them on the page.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from sumabm.browser.frame import Frame
from sumabm.browser.picture import Picture


def pictures(frame: Frame) -> Iterator[tuple[str, Picture]]:
    """Yield the panels that this run has, by name, in their order."""
    found = [
        (info.name, importlib.import_module(f"{__name__}.{info.name}"))
        for info in pkgutil.iter_modules(__path__)
    ]
    for name, module in sorted(found, key=lambda item: item[1].PLACE):
        if (picture := module.draw(frame)) is not None:
            yield name, picture
