"""What the aligners know of the AIs, and what they have spent on them."""

from __future__ import annotations

from sumabm.browser.curves import BROKEN, Curves, groups, latest, so_far
from sumabm.browser.frame import Frame
from sumabm.browser.picture import Picture

PLACE = 3


def draw(frame: Frame) -> Picture | None:
    """Return the picture, or None for a run without AIs or without aligners."""
    ais, aligners = frame.spec.names("ai"), frame.spec.names("aligner")
    if not ais or not aligners:
        return None
    curves, known = Curves(frame), groups(frame, ais)
    curves.groups(known, "information", "about {}")
    for group in groups(frame, aligners):
        curves.mean(group.columns("budget"), f"spent by {group.name}", group.colour, BROKEN)
    for group in known:
        curves.theory(group.columns("information"))
    said = [
        f"{latest(frame, f'information.{name}')} nats are known about {name}"
        for name in frame.agents("information")[:5]
    ]
    said += [
        f"{name} has spent {latest(frame, f'budget.{name}')} nats"
        for name in frame.agents("budget")[:2]
    ]
    return Picture("Information and budget", curves.option("nats"), so_far(frame, said))
