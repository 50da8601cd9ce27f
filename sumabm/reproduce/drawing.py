"""How exhibits are drawn: theory as curves, simulation as points with error bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm.figures.style import HEIGHT, PALETTE, WIDTH
from sumabm.reproduce.findings import Point
from sumabm.types import Array

_PAGE = 7.2  # inches: the width between a page's margins

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def panels(count: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels: one of a column's width, more of a page's, two in a row."""
    if count == 1:
        figure = Figure(figsize=(WIDTH, HEIGHT + 0.4))
        return figure, [figure.subplots()]
    down = -(-count // 2)
    figure = Figure(figsize=(_PAGE, (HEIGHT + 0.4) * down))
    axes = list(figure.subplots(down, 2, squeeze=False).flat)
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count]


def look(number: int) -> dict[str, Any]:
    """Return the colour and marker of the n-th series; they differ in print in grey too."""
    return {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}


def curve(axes: Axes, x: Array, y: Array, number: int, **line: Any) -> None:
    """Draw theory: a line in the colour of its series, without a label of its own."""
    axes.plot(x, y, **({"color": look(number)["color"], "linewidth": 1.2} | line))


def dots(axes: Axes, points: Iterable[Point], number: int, label: str) -> None:
    """Draw a series' simulated means with bars of two standard errors."""
    rows = list(points)
    axes.errorbar(
        [point.x for point in rows],
        [point.mean for point in rows],
        yerr=[2.0 * point.error for point in rows],
        linestyle="none",
        markersize=4,
        markeredgecolor="white",
        markeredgewidth=0.4,
        capsize=2,
        elinewidth=0.9,
        label=label,
        **look(number),
    )


def legend(axes: Axes, title: str = "", columns: int = 3) -> None:
    """Put the legend above the panel, clear of the data."""
    axes.legend(
        title=title or None,
        title_fontsize=8,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        columnspacing=1.0,
        handletextpad=0.3,
        borderaxespad=0.2,
    )


def shade(axes: Axes, end: float, name: str) -> None:
    """Shade a panel from its left up to ``end`` and write there what phase that is."""
    low = axes.get_xlim()[0]
    axes.axvspan(low, end, color="black", alpha=0.07, linewidth=0)
    axes.set_xlim(left=low)
    middle = (low * end) ** 0.5 if axes.get_xscale() == "log" else 0.5 * (low + end)
    where = axes.get_xaxis_transform()
    axes.text(middle, 0.5, name, transform=where, rotation=90, ha="center", va="center")
