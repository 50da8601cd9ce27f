"""What ties a page to its window: keys (space, arrows), and the address that restores the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipyvuetify
import solara
import traitlets


class LinkWidget(ipyvuetify.VuetifyTemplate):
    """The widget: it shows nothing, listens to keys and writes the window's address."""

    template_file = (__file__, "link.vue")

    query = traitlets.Unicode("").tag(sync=True)
    turn = traitlets.Int(0).tag(sync=True)
    goes_back = traitlets.Bool(False).tag(sync=True)
    on_back = traitlets.Callable(None, allow_none=True)
    on_seen = traitlets.Callable(None, allow_none=True)

    def vue_seen(self, data: Any) -> None:
        """Tell that the picture of this turn is drawn."""
        if self.on_seen is not None and type(data) is int:
            self.on_seen(data)

    def vue_back(self, data: Any) -> None:
        """Tell that the key for one step back was pressed."""
        if self.on_back is not None:
            self.on_back()


@solara.component
def Link(
    query: str, turn: int, on_seen: Callable[[int], None], on_back: Callable[[], None] | None
) -> Any:
    """Play and pause by the space bar, step by the right arrow, and back where that can be.

    ``query`` becomes that of the window's address, soon, without a new page. ``on_seen`` hears of a
    ``turn`` once the browser has drawn what came with it.
    """
    return LinkWidget.element(
        query=query,
        turn=turn,
        on_seen=on_seen,
        goes_back=on_back is not None,
        on_back=on_back,
    )
