"""A picture on a page, drawn in the browser by ECharts from the files that Solara serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipyvuetify
import traitlets

from sumabm.browser.picture import Picture, packed


class ChartWidget(ipyvuetify.VuetifyTemplate):
    """The widget: an ECharts canvas with a title and buttons that save it as SVG or PNG."""

    template_file = (__file__, "chart.vue")

    option = traitlets.Unicode("{}").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    spoken = traitlets.Unicode("").tag(sync=True)
    name = traitlets.Unicode("chart").tag(sync=True)
    height = traitlets.Unicode("260px").tag(sync=True)
    on_pick = traitlets.Callable(None, allow_none=True)

    def vue_picked(self, data: Any) -> None:
        """Tell that a mark was clicked: ``{"series": name, "place": index, "value": …}``.

        What a page sends is not trusted to be that.
        """
        if self.on_pick is None or not isinstance(data, dict):
            return
        if isinstance(data.get("series"), str) and type(data.get("place")) is int:
            self.on_pick(data)


def Chart(
    picture: Picture,
    name: str,
    height: str = "260px",
    on_pick: Callable[[dict[str, Any]], None] | None = None,
) -> Any:
    """Show a picture; ``name`` is its file's name when saved, and finds it on the page.

    Besides what ECharts has, its option may have series of type ``sumabm-band`` with data
    ``[[x, low, high], …]``, and ``equal``: one scale for both axes, which then need limits and a
    grid with all margins in pixels. ``grid.top`` counts from below the legend, however many rows
    that takes.
    """
    return ChartWidget.element(
        option=packed(picture.option),
        title=picture.title,
        spoken=picture.spoken,
        name=name,
        height=height,
        on_pick=on_pick,
    )
