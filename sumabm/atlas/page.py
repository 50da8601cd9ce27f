"""The atlas's page: a paragraph for every opening, one figure, one table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm.atlas.effects import DIMENSIONS, RATIO, Effects, Interval
from sumabm.battery.spec import Battery
from sumabm.figures.style import PALETTE, styled
from sumabm.files import RunError, whole_file
from sumabm.report.figures import as_svg, as_uri
from sumabm.report.page import write_page
from sumabm.report.text import number

_HEADS = ("estimate", "low", "high")
_PANELS = (
    "total harm over\nthe plain model's",
    "threshold,\n2 nats over $O_Y$",
    "exponent of\nharm in $d$",
    "exponent of\nharm in $1 / O_Y$",
)


class Row(NamedTuple):
    """An opening: its scenario, the plain one, its title, what it is about, and what it does."""

    scenario: str
    plain: str
    title: str
    about: str
    changes: str
    dimensions: bool
    effects: Effects
    folders: tuple[str, str]


def write_atlas(folder: Path, rows: Sequence[Row], battery: Battery) -> Path:
    """Write page, figure and table into ``folder``; return where the page is.

    Raises RunError when they cannot be written.
    """
    with styled():
        figure = _drawn(rows)
        svg = as_svg(figure)
    try:
        with whole_file(folder / "atlas.svg") as own:
            own.write_bytes(svg)
        with styled(), whole_file(folder / "atlas.pdf") as own:
            figure.savefig(own, format="pdf", metadata={"CreationDate": None})
        with whole_file(folder / "atlas.csv") as own:
            _write_table(own, rows)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error}") from error
    contents = {
        "rows": [_told(row) for row in rows],
        "uri": as_uri(svg),
        "width": round(figure.get_figwidth() * 96),
        "replicates": battery.replicates,
        "seed": battery.seed,
        "ratio": RATIO,
        "dimensions": DIMENSIONS,
    }
    write_page(folder / "index.html", "atlas.html", contents, "atlas")
    return folder / "index.html"


def _drawn(rows: Sequence[Row]) -> Figure:
    """Return the openings in rows, what they do in panels; grey bars are the plain model's."""
    figure = Figure(figsize=(7.2, 1.3 + 0.3 * len(rows)))
    panels = list(figure.subplots(1, 4, sharey=True))
    places = [float(place) for place in range(len(rows))]
    for place, row in zip(places, rows, strict=True):
        found = row.effects
        _bar(panels[0], place, None, found.share, "o")
        _bar(panels[0], place + 0.25, None, found.median_share, "s")
        for panel, (plain, opened, _) in zip(
            panels[1:], (found.threshold, found.in_dimensions, found.in_scale), strict=True
        ):
            _bar(panel, place, plain, opened, "o")
    panels[0].axvline(1.0, color="0.6", linewidth=3.0, zorder=0)
    panels[0].set_xscale("log")
    for panel, label in zip(panels, _PANELS, strict=True):
        panel.set_xlabel(label)
    panels[0].set_yticks(places, [row.scenario for row in rows])
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _bar(axes: Axes, place: float, plain: Interval | None, found: Interval, marker: str) -> None:
    if plain is not None and plain.known:
        axes.plot([plain.estimate] * 2, [place - 0.35, place + 0.35], color="0.6", linewidth=3.0)
    if found.known:
        bars = [[found.estimate - found.low], [found.high - found.estimate]]
        colour = PALETTE[0] if marker == "o" else PALETTE[1]
        look: dict[str, Any] = {"color": colour, "markersize": 4, "capsize": 2}
        axes.errorbar([found.estimate], [place], xerr=np.maximum(bars, 0.0), fmt=marker, **look)


def _told(row: Row) -> dict[str, Any]:
    found = row.effects
    return {
        "scenario": row.scenario,
        "title": row.title,
        "about": " ".join(row.about.split()),
        "changes": row.changes,
        "paragraph": paragraph(row),
        "cells": [
            _cell(found.share),
            _cell(found.median_share),
            *(_change(*three) for three in (found.threshold, found.in_dimensions, found.in_scale)),
        ],
        "folders": row.folders,
    }


def paragraph(row: Row) -> str:
    """Return what the numbers say of an opening, in words."""
    found, where = row.effects, f", in {DIMENSIONS} dimensions," if row.dimensions else ""
    said = [
        f"Against humans of {2.0 / RATIO:g} nat{where} total harm is "
        f"{_cell(found.share)} of the plain model's ({row.plain}) in the mean"
        + (f" and {_cell(found.median_share)} in the median." if found.median_share.known else ".")
        if found.share.known
        else "Where it is compared the plain model does no harm.",
        _moved("The threshold", found.threshold, "no threshold is crossed in the range"),
        _moved("The exponent in the ratio above it", found.in_scale, "it has none there"),
    ]
    if row.dimensions:
        none = "it has none"
        said.append(_moved("The exponent of harm in dimensions", found.in_dimensions, none))
    return " ".join(said)


def _moved(what: str, three: tuple[Interval, Interval, Interval], none: str) -> str:
    plain, opened, change = three
    if not opened.known:
        return f"{what}: {none} (plain: {_cell(plain)})."
    if not plain.known or not change.known:
        return f"{what} is {_cell(opened)}; the plain model has none."
    if change.low <= 0.0 <= change.high:
        return f"{what} stays, {_cell(opened)} against {number(plain.estimate, 3)}."
    way = "rises" if change.estimate > 0.0 else "falls"
    return f"{what} {way} from {number(plain.estimate, 3)} to {_cell(opened)}."


def _cell(found: Interval) -> str:
    if not found.known:
        return "—"
    return f"{number(found.estimate, 3)} [{number(found.low, 3)}, {number(found.high, 3)}]"


def _change(plain: Interval, opened: Interval, change: Interval) -> str:
    return f"{number(plain.estimate, 3)} → {_cell(opened)}"


def _write_table(file: Path, rows: Sequence[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        names = ["share", "median_share"]
        names += [
            f"{what}_{which}"
            for what in ("threshold", "in_dimensions", "in_scale")
            for which in ("plain", "opened", "change")
        ]
        writer.writerow(["opening", "plain", *(f"{n}_{h}" for n in names for h in _HEADS)])
        for row in rows:
            found = row.effects
            three = (*found.threshold, *found.in_dimensions, *found.in_scale)
            intervals = (found.share, found.median_share, *three)
            writer.writerow([row.scenario, row.plain, *(v for i in intervals for v in i)])
