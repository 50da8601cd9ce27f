"""What a viewer looks at, and how far they have seen it: shared by a page and what it plays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sumabm.browser.show import Show

_PATIENCE = 1.0  # seconds: a tab that nobody looks at draws rarely or never


class Pace:
    """Keeps a run that is played from running away from the browser that draws it.

    >>> pace = Pace()
    >>> pace.sent()
    1
    >>> pace.seen(1); pace.wait()
    """

    def __init__(self) -> None:
        self._sent = 0
        self._all_seen = threading.Event()
        self._all_seen.set()
        self._listener = 0

    def sent(self) -> int:
        """Note that a picture is on its way, and return its number."""
        self._sent += 1
        self._all_seen.clear()
        return self._sent

    def seen(self, number: int) -> None:
        """Note that the browser has drawn a picture."""
        self._listener = threading.get_ident()
        if number >= self._sent:
            self._all_seen.set()

    def wait(self) -> None:
        """Wait until the browser has drawn the last picture, but not for ever.

        The thread that hears from the browser never waits: it would not hear.
        """
        if threading.get_ident() != self._listener:
            self._all_seen.wait(_PATIENCE)


@dataclass
class Look:
    """What a viewer looks at, free to change at any time.

    ``shown`` is a place on the replicate axis and ``ai`` the AI of the world's panel, by default
    the first; ``show`` the newest show that is looked at. ``link`` returns the query of the URL
    that restores the view after so many steps; ``again`` brings Mesa's buttons back to life where a
    run that was over is turned back.
    """

    link: Callable[[int], str] = lambda steps: ""
    again: Callable[[], None] = lambda: None
    shown: int = 0
    ai: str = ""
    show: Show | None = None
    pace: Pace = field(default_factory=Pace)
