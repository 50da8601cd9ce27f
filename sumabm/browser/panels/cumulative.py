"""Harm of all steps so far, with what theory expects."""

from __future__ import annotations

from sumabm.browser.frame import Frame
from sumabm.browser.panels.harm import drawn
from sumabm.browser.picture import Picture

PLACE = 1


def draw(frame: Frame) -> Picture:
    """Return the picture of cumulative harm."""
    return drawn(frame, "cumulative_harm", "Cumulative harm", "harm so far (nats)")
