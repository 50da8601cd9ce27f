"""A small table on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipyvuetify
import solara
import traitlets


class TableWidget(ipyvuetify.VuetifyTemplate):
    """The widget: a table of texts."""

    template_file = (__file__, "table.vue")

    caption = traitlets.Unicode("").tag(sync=True)
    heads = traitlets.List([]).tag(sync=True)
    rows = traitlets.List([]).tag(sync=True)


@solara.component
def Table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """Show texts in rows; the first of each says what the row is of."""
    return TableWidget.element(caption=caption, heads=list(heads), rows=[list(row) for row in rows])
