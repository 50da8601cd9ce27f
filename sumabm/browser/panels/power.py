"""The powers of AIs and humans, and what they use of them."""

from __future__ import annotations

import numpy as np

from sumabm.browser.curves import DASHED, Curves, groups, latest, so_far
from sumabm.browser.frame import Frame
from sumabm.browser.picture import Picture

PLACE = 5

_SAME = 1e-6  # of a power: what is spent is that but for rounding


def draw(frame: Frame) -> Picture | None:
    """Return the picture, or None for a run whose agents have no power."""
    actors = [*frame.spec.names("ai"), *frame.spec.names("human")]
    if not actors:
        return None
    curves, found = Curves(frame, step="middle"), groups(frame, actors)
    curves.groups(found, "power")
    for group in found:
        spent = [column for column in group.columns("spent") if column in frame.columns]
        if len(spent) == len(group.agents):
            power = curves.values(group.columns("power"))
            if np.any(np.abs(power - curves.values(spent)) > _SAME * power):
                curves.mean(spent, "of it spent", group.colour, DASHED)
    said = [
        f"{name} has a power of {latest(frame, f'power.{name}')} nats"
        for name in frame.agents("power")[:7]
    ]
    return Picture("Power", curves.option("power (nats per step)"), so_far(frame, said))
