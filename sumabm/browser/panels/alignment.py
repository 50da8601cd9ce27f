"""Alignment of each AI with the humans: what it is, and what the aligners believe."""

from __future__ import annotations

from sumabm.browser.curves import BROKEN, DOTTED, Curves, groups, latest, so_far
from sumabm.browser.frame import Frame
from sumabm.browser.picture import Option, Picture

PLACE = 2


def draw(frame: Frame) -> Picture | None:
    """Return the picture, or None for a run without AIs."""
    ais = frame.spec.names("ai")
    if not ais:
        return None
    curves, found = Curves(frame), groups(frame, ais)
    curves.groups(found, "alignment")
    for group in found:
        curves.mean(group.columns("believed"), "as aligners believe", group.colour, DOTTED)
        curves.mean(group.columns("learnt"), "with its own reward", group.colour, BROKEN)
        curves.theory(group.columns("alignment"))
        curves.theory(group.columns("learnt"), "theory: own reward")
    said = [f"{name} is {latest(frame, f'alignment.{name}')} aligned" for name in _first(frame)]
    option = curves.option("alignment (cosine)", **limits(curves.least))
    return Picture("Alignment", option, so_far(frame, said))


def _first(frame: Frame) -> list[str]:
    return frame.agents("alignment")[:7]


def limits(least: float) -> Option:
    """Return the least axis that has 1 and all values, of the few that ticks fit."""
    low = next(low for low in (0.0, -0.2, -0.5, -1.0) if low <= max(least, -1.0))
    return {"min": low, "max": 1.0, "interval": 0.2 if low > -0.3 else 0.5}
