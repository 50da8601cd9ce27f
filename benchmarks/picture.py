"""The benchmarks' figure: a row per ratio, on a log axis, with its spread and what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm.figures.style import PALETTE, styled

ROW = 0.23  # inches
_ASKED: dict[str, Any] = {"color": "black", "markerfacecolor": "none", "markersize": 6}


def draw(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Save the figure as SVG and PNG."""
    with styled():
        figure = Figure(figsize=(8.5, 1.0 + ROW * len(rows)))
        _draw(figure.subplots(), rows)
        for suffix in ("svg", "png"):
            figure.savefig(folder / f"ratios.{suffix}")


def _draw(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    groups = list(dict.fromkeys(row["group"] for row in rows))
    for place, row in enumerate(rows):
        colour = PALETTE[groups.index(row["group"]) % len(PALETTE)]
        spread = [row["lower"], row["upper"]]
        axes.plot(spread, [place, place], "|-", color=colour, linewidth=1.6, markersize=7)
        axes.plot(row["median"], place, "o", color=colour, markersize=3.5)
        if row["most"] is not None:
            axes.plot(row["most"], place, "<", **_ASKED)
    axes.plot([], [], "o-", color="grey", linewidth=1.6, markersize=3.5, label="median, quartiles")
    axes.plot([], [], "<", label="asked: at most", **_ASKED)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [f"{row['name']}  /  {row['beside']}" for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("time of sumabm / time of the other, on one thread\n(below 1 sumabm is faster)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
