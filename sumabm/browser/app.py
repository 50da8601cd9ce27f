"""The pages and their addresses: what Solara serves.

What the pages need is imported when they are shown, or by `serve` once the server is up: a browser
takes a while to load the front end, and the two go on at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipyvuetify
import solara
import traitlets

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


@solara.component
def Live() -> None:
    """Show a live run: ``/``."""
    from sumabm.browser.live_page import LivePage

    solara.Style(_STYLE)
    LivePage()


@solara.component
def Stored() -> None:
    """Show runs and batteries of the store: ``/stored``."""
    from sumabm.browser.stored.pages import StoredPages

    solara.Style(_STYLE)
    StoredPages()


class Width(ipyvuetify.VuetifyTemplate):
    """Tells whether the window is too narrow for a sidebar beside the page, once."""

    template = traitlets.Unicode(
        """
<template><span hidden></span></template>
<script>
module.exports = { mounted() { if (window.innerWidth < 960) this.narrow(null); } };
</script>
"""
    ).tag(sync=True)
    on_narrow = traitlets.Callable(None, allow_none=True)

    def vue_narrow(self, data: Any) -> None:
        """Tell that it is."""
        if self.on_narrow is not None:
            self.on_narrow()


@solara.component
def Layout(children: Sequence[Any] = ()) -> Any:
    """Put the pages' links into the bar on top; where it is narrow, close the sidebar at first."""
    wide, set_wide = solara.use_state(True)
    app = solara.AppLayout(children=list(children), navigation=False, sidebar_open=wide)
    with app as layout, solara.AppBar():
        Width.element(on_narrow=lambda: set_wide(False))
        for path, label in (("/", "Live"), ("/stored", "Stored")):
            with solara.Link(path):
                solara.Button(label, text=True)
    return layout


routes = [
    solara.Route(path="/", component=Live, layout=Layout),
    solara.Route(path="stored", component=Stored),
]
