"""Who oversees whom, and who else acts on whom: AIs by alignment and power of the last step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from sumabm.browser.curves import SOLID, latest, legend, so_far, tooltip
from sumabm.browser.frame import Frame, mean_of
from sumabm.browser.panels.alignment import limits
from sumabm.browser.picture import INK, MUTED, PAPER, Option, Picture, faded, hue, rounded
from sumabm.figures.layout import Bond, Layout, laid_out
from sumabm.networks import OVERSIGHT
from sumabm.report.text import number
from sumabm.scenario import Scenario
from sumabm.types import Array

PLACE = 2.2  # next to alignment
_MOST, _MOST_LINES = 200, 300  # agents, lines of a relation
_NAMED, _FEW = 16, 100  # agents that have names, lines that are bold
_LARGEST, _SMALLEST = 18.0, 4.0  # px across
_COLOURS = [to_hex(colour) for colour in colormaps["cividis"](np.linspace(0.0, 1.0, 9))]
_MARKS = {"ai": "circle", "aligner": "triangle", "human": "rect"}
_TITLES = {"ai": "AIs", "aligner": "aligners", "human": "humans"}
_ICONS = {  # as wide as all in a legend, so that they keep their shape
    "aligner": "path://M0,9H0M22,9H22M11,0L16,9H6Z",
    "human": "path://M0,9H0M22,9H22M6.5,0H15.5V9H6.5Z",
}
_LINE = "M0,4.5H22V5.5H0Z"  # in legends; those of the other relations have their dashes
_OTHERS: tuple[tuple[int, str | list[int], str], ...] = (
    (1, "dashed", "M0,4H6V6H0ZM8,4H14V6H8ZM16,4H22V6H16Z"),
    (2, [9, 3, 2, 3], "M0,4H9V6H0ZM12,4H14V6H12ZM17,4H22V6H17Z"),
    (3, "dotted", "M0,4H2V6H0ZM5,4H7V6H5ZM10,4H12V6H10ZM15,4H17V6H15ZM20,4H22V6H20Z"),
    (6, [14, 3, 2, 3, 2, 3], "M0,4H10V6H0ZM13,4H15V6H13ZM18,4H20V6H18Z"),
)


def draw(frame: Frame) -> Picture | None:
    """Return the picture, or None where there are no two AIs or aligners, nor any relation.

    Means over replicates. Of more than 200 agents the first of each entry are drawn, and of a
    relation's lines an even choice of 300 at most; the title says so.
    """
    layout = _layout(_Same(frame.spec))
    if layout is None or "ai" not in layout.roles:
        return None
    aligned, power = _latest(frame, layout, "alignment"), _latest(frame, layout, "power")
    sizes, low = _sizes(layout, power), limits(float(np.nanmin(aligned, initial=0.0)))["min"]
    bonds = list(_bonds(layout, sizes))
    roles = [role for role in _MARKS if role in layout.roles]
    entries: list[Option] = [entry for entry, _ in bonds]
    entries += [_entry(role) for role in roles]
    side: Option = {"type": "value", "show": False, "min": -0.03, "max": 1.03}
    option: Option = {
        "grid": {"left": 8, "right": 60, "top": 14, "bottom": 10},
        "legend": legend(entries),
        "tooltip": {**tooltip("item"), "formatter": "{b}"},
        "xAxis": side,
        "yAxis": {**side, "min": -0.12, "max": 1.12},
        "visualMap": _scale(low, len(bonds) + roles.index("ai")),
        "series": [
            *(lines for _, lines in bonds),
            *(_agents(layout, role, aligned, power, sizes) for role in roles),
        ],
    }
    return Picture(_title(layout), option, so_far(frame, _said(frame, layout)))


class _Same:
    """A scenario that equals itself alone: what was laid out for it is found again at once."""

    def __init__(self, spec: Scenario) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.spec is self.spec


@lru_cache(maxsize=16)
def _layout(same: _Same) -> Layout | None:
    return laid_out(same.spec, _MOST)


def _title(layout: Layout) -> str:
    count = len(layout.names)
    some = [f"{count} of {count + layout.left} agents"] * bool(layout.left)
    some += ["some lines"] * any(len(bond.pairs) > _MOST_LINES for bond in layout.bonds)
    return f"Who acts on whom{': ' * bool(some)}{', '.join(some)}"


def _latest(frame: Frame, layout: Layout, variable: str) -> Array:
    """Return means over replicates of the last step, ``(n,)``: missing where there are none."""
    missing = np.full((1, max(frame.replicates, 1)), np.nan)
    rows = [frame.columns.get(f"{variable}.{name}", missing)[-1] for name in layout.names]
    return mean_of(np.stack(rows))


def _sizes(layout: Layout, power: Array) -> Array:
    """Return diameters ``(n,)``, px: the areas of AIs are in proportion to power."""
    is_ai = np.array([role == "ai" for role in layout.roles])
    own = np.where(is_ai, power, np.nan)
    most = float(np.nanmax(own, initial=0.0)) or 1.0
    largest = _LARGEST * min(1.0, (25.0 / len(own)) ** 0.5)
    sizes = largest * np.sqrt(np.nan_to_num(own, nan=most) / most)
    return np.maximum(np.where(is_ai, sizes, min(largest, 11.0)), _SMALLEST)


def _scale(low: float, series: int) -> Option:
    """Return the scale of the AIs' colours, with its ends' numbers, to the right."""
    return {
        "type": "continuous",
        "seriesIndex": series,
        "dimension": 2,
        "min": low,
        "max": 1.0,
        "inRange": {"color": _COLOURS},
        "outOfRange": {"color": [MUTED]},
        "text": ["aligned 1", number(low, 2)],
        "textStyle": {"color": INK, "fontSize": 11},
        "orient": "vertical",
        "right": 4,
        "bottom": 10,
        "itemWidth": 12,
        "itemHeight": 90,
        "hoverLink": False,
    }


def _said(frame: Frame, layout: Layout) -> list[str]:
    """Return in words who acts on how many, and how aligned the first AIs are."""
    pairs = [f"{bond.title} joins {len(bond.pairs)} pairs of agents" for bond in layout.bonds[:3]]
    ais = frame.agents("alignment")[:4] * bool(frame.count)
    return [*pairs, *(f"{ai} is {latest(frame, f'alignment.{ai}')} aligned" for ai in ais)]


def _entry(role: str) -> Option:
    look = {"color": MUTED if role == "ai" else PAPER, "borderColor": INK, "borderWidth": 1}
    return {"name": _TITLES[role], "icon": _ICONS.get(role, _MARKS[role]), "itemStyle": look}


def _bonds(layout: Layout, sizes: Array) -> Iterator[tuple[Option, Option]]:
    """Yield the relations: their entries in the legend, and their lines between agents' marks."""
    others = itertools.cycle(_OTHERS)
    for bond in layout.bonds:
        colour, icon = faded(MUTED, 0.6), _LINE
        dash: str | list[int] = SOLID
        if bond.kind != OVERSIGHT:
            place, dash, icon = next(others)
            colour = hue(place)
        shown = {"color": colour, "opacity": 1.0}  # unlike the nodes, which others draw
        entry = {"name": bond.title, "icon": f"path://{icon}", "itemStyle": shown}
        yield entry, _lines(layout, bond, sizes, {"color": colour, "type": dash})


def _lines(layout: Layout, bond: Bond, sizes: Array, look: Option) -> Option:
    """Return a relation's lines; an arrow says who acts, where that is not an aligner."""
    count = len(bond.pairs)
    some = np.unique(np.linspace(0, count - 1, min(count, _MOST_LINES)).astype(np.intp))
    places, ends = np.unique(bond.pairs[some], return_inverse=True)
    arrow = ["none", "none" if bond.kind == OVERSIGHT else "arrow"]
    nodes = [
        {"value": rounded(layout.places[place], 3), "symbolSize": round(float(sizes[place]), 1)}
        for place in places.tolist()
    ]
    links = [
        {"source": a, "target": b} | ({"symbol": arrow} if one_way else {})
        for (a, b), one_way in zip(
            ends.reshape(-1, 2).tolist(), bond.one_way[some].tolist(), strict=True
        )
    ]
    return {
        "type": "graph",
        "coordinateSystem": "cartesian2d",
        "name": bond.title,
        "data": nodes,
        "links": links,
        "itemStyle": {"opacity": 0},
        "lineStyle": {
            **look,
            "width": 1.2 if count <= _FEW else 0.6,
            "opacity": 0.9 if count <= _FEW else 0.5,
            "curveness": bond.bend,
        },
        "edgeSymbolSize": 6,
        "silent": True,
        "z": 1,
    }


def _agents(layout: Layout, role: str, aligned: Array, power: Array, sizes: Array) -> Option:
    """Return the marks of a role's agents, the AIs with what their colours stand for."""
    is_ai = role == "ai"
    data: list[Option] = []
    for place in (i for i, own in enumerate(layout.roles) if own == role):
        where = rounded(layout.places[place], 3)
        item: Option = {"name": layout.names[place], "value": where}
        if is_ai:
            item["value"] = [*where, *rounded(aligned[[place]], 3)]
            item["name"] += f": alignment {number(float(aligned[place]), 3)}"
            item["name"] += f", power {number(float(power[place]), 3)} nats"
        if len(layout.names) <= _NAMED:
            item["label"] = {"show": True, "formatter": layout.names[place]}
        data.append(item | {"symbolSize": round(float(sizes[place]), 1)})
    return {
        "type": "scatter",
        "name": _TITLES[role],
        "data": data,
        "symbol": _MARKS[role],
        "color": MUTED if is_ai else PAPER,
        "itemStyle": {"borderColor": INK, "borderWidth": 0.8, "opacity": 1.0},
        "label": {
            "position": "bottom" if is_ai else "top",
            "distance": 4,
            "color": INK,
            "fontSize": 9,
        },
        "emphasis": {"disabled": True},
        "z": 3,
    }
