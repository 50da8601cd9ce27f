"""A slider over the steps of a stored run, which can play them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipyvuetify
import solara
import traitlets


class ScrubberWidget(ipyvuetify.VuetifyTemplate):
    """The widget: a slider with a number, the first and the last step, and play where asked for."""

    template_file = (__file__, "scrubber.vue")

    steps = traitlets.Int(0).tag(sync=True)
    at = traitlets.Int(0).tag(sync=True)
    plays = traitlets.Bool(False).tag(sync=True)
    on_at = traitlets.Callable(None, allow_none=True)

    def vue_sought(self, data: Any) -> None:
        """Tell which step is to be shown; what a page sends is not trusted to be one."""
        if self.on_at is not None and type(data) is int:
            self.on_at(min(max(data, 0), self.steps))


@solara.component
def Scrubber(steps: int, at: int, on_at: Callable[[int], None], plays: bool = False) -> Any:
    """Choose how many of ``steps`` steps are shown, ``at`` of them now.

    With ``plays`` it has a button that goes on by itself, a step or more at a time, each as soon as
    the one before is drawn.
    """
    return ScrubberWidget.element(steps=steps, at=at, plays=plays, on_at=on_at)
