"""What a viewer looks at, and how far they have seen it: shared by a page and what it plays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from sumabm.browser.show import Show

_PATIENCE = 30.0  # seconds: a tab that nobody looks at draws rarely, one that is gone never


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
        self.closed = False
        _paces.add(self)

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
        """Wait until the browser has drawn the last picture, but not for ever; nor once `closed`.

        The thread that hears from the browser never waits: it would not hear.
        """
        if threading.get_ident() != self._listener and not self.closed:
            self._all_seen.wait(_PATIENCE)

    def close(self) -> None:
        """Note that nobody looks any more, so that what plays comes to its end."""
        self.closed = True
        self._all_seen.set()


_paces: WeakSet[Pace] = WeakSet()


def close_all() -> None:
    """Close every pace: the server is about to stop."""
    for pace in list(_paces):
        pace.close()


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
