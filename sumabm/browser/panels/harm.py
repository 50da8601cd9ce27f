"""Harm of each step, with what theory expects."""

from __future__ import annotations

from sumabm.browser.curves import Curves, latest, so_far
from sumabm.browser.frame import Frame
from sumabm.browser.picture import Picture, hue

PLACE = 0


def draw(frame: Frame) -> Picture:
    """Return the picture of the harm of a step."""
    return drawn(frame, "harm", "Harm of a step", "harm of a step (nats)")


def drawn(frame: Frame, column: str, title: str, unit: str) -> Picture:
    """Return the picture of a column that all agents share."""
    curves, said = Curves(frame), []
    name = "mean" if frame.replicates > 1 else f"replicate {frame.first + frame.shown}"
    curves.add([column], name, hue(0))
    if column in frame.columns:
        said.append(f"{title.lower()} is {latest(frame, column)} nats")
    curves.theory([column])
    return Picture(title, curves.option(unit), so_far(frame, said))
