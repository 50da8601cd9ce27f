"""A text file that a viewer gives to a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipyvuetify
import solara
import traitlets

from sumabm.toml import MAX_BYTES


class UploadWidget(ipyvuetify.VuetifyTemplate):
    """The widget: a field to choose a file in, or to drop one on."""

    template_file = (__file__, "upload.vue")

    label = traitlets.Unicode("").tag(sync=True)
    most = traitlets.Int(MAX_BYTES).tag(sync=True)
    on_text = traitlets.Callable(None, allow_none=True)

    def vue_got(self, data: Any) -> None:
        """Tell name and text; what a page sends is not trusted to be that."""
        if self.on_text is None or not isinstance(data, dict):
            return
        name, text = data.get("name"), data.get("text")
        fits = isinstance(text, str) and len(text) <= MAX_BYTES
        self.on_text(str(name)[:80], text if fits else None)


@solara.component
def Upload(label: str, on_text: Callable[[str, str | None], None]) -> Any:
    """Take a file of up to `sumabm.toml.MAX_BYTES`; of a larger one the text is None."""
    return UploadWidget.element(label=label, on_text=on_text)
