"""Who oversees whom, and who else acts on whom: agents and their relations at first and at last."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from sumabm.figures.layout import Bond, Layout, laid_out
from sumabm.figures.style import PALETTE
from sumabm.networks import OVERSIGHT
from sumabm.recorder import end_values
from sumabm.scenario import Scenario
from sumabm.types import Array

_MOST = 2000  # agents
_COLOURS = colormaps["cividis"].with_extremes(bad="0.75")
_MARKS = {"human": "s", "aligner": "^", "ai": "o"}
_NAMED, _ARROWS = 30, 150  # agents that have names, lines that have arrowheads
_RASTER = 300  # agents that are drawn as pixels, as their lines are
_LARGEST = 130.0  # square points of the largest AI
_SMALLEST = 0.06  # of that


class _Look(NamedTuple):
    """The colour and dash of a relation's lines."""

    colour: str
    dash: Any


_OVERSEES = _Look("0.55", "-")
_OTHERS = (
    _Look(PALETTE[1], "--"),
    _Look(PALETTE[2], "-."),
    _Look(PALETTE[3], ":"),
    _Look(PALETTE[6], (0, (6, 1, 1, 1))),
)


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None where there are no two AIs or aligners, nor any relation.

    AIs are coloured by alignment, their areas are in proportion to power: means over replicates, at
    step 0 and at each replicate's last. None, too, for a run that was done at once, or whose
    scenario cannot be read again, for want of a plug-in or a file.
    """
    layout = _layout(run)
    if layout is None or "alignment" not in run or bool(run["alignment"].isnull().all()):
        return None
    moments = {"step 0": run.isel(step=0)}
    if run.sizes["step"] > 1:
        moments["the last step"] = end_values(run)
    values = [_means(data, layout) for data in moments.values()]
    norm = _norm(np.concatenate([aligned for aligned, _ in values]))
    most = max(float(power.max()) for _, power in values) or 1.0
    figure = Figure(figsize=(3.6 * len(moments) + 1.0, 4.4))
    panels = list(figure.subplots(1, len(moments), squeeze=False)[0])
    for panel, title, (aligned, power) in zip(panels, moments, values, strict=True):
        panel.set_title(title)
        panel.set_axis_off()
        for bond, look in _looks(layout):
            _draw_bond(panel, layout, bond, look)
        _draw_agents(panel, layout, norm(aligned), power / most)
    bar = figure.colorbar(ScalarMappable(norm, _COLOURS), ax=panels, shrink=0.6, pad=0.02)
    bar.set_label("alignment of the AI (cosine)")
    beside = f"{layout.left} more agents are left out" if layout.left else None
    entries = list(_entries(layout, most))
    figure.legend(handles=entries, loc="outside lower left", ncols=3, title=beside)
    return figure


def _layout(run: xr.Dataset) -> Layout | None:
    roles = run["role"].values.tolist()
    try:
        table = json.loads(run.attrs["scenario"])
        if not table.get("relations") and max(map(roles.count, ("ai", "aligner"))) < 2:
            return None  # seen without the scenario, whose world may be large
        return laid_out(Scenario.model_validate(table, context={"stored": True}), _MOST)
    except ValueError:  # pydantic's are, too
        return None


def _means(data: xr.Dataset, layout: Layout) -> tuple[Array, Array]:
    """Return the alignments and powers of the AIs, ``(n,)`` each."""
    ais = [name for name, role in zip(layout.names, layout.roles, strict=True) if role == "ai"]
    means = data[["alignment", "power"]].sel(agent=ais).mean("replicate")
    return means["alignment"].values, means["power"].values


def _norm(aligned: Array) -> Normalize:
    """Return a scale up to 1, from the largest of a few numbers that nothing is below."""
    least = float(np.nanmin(aligned))
    return Normalize(next((low for low in (0.0, -0.2, -0.5) if low <= least), -1.0), 1.0)


def _draw_agents(panel: Axes, layout: Layout, aligned: Array, power: Array) -> None:
    """Draw the agents, the AIs by alignment on the colours' scale and share of the most power."""
    roles, count = np.array(layout.roles), len(layout.names)
    few = count <= _NAMED
    thin = count > _RASTER
    for role, mark in _MARKS.items():
        x, y = layout.places[roles == role].T
        size = _area(power, count) if role == "ai" else 45.0 if few else 14.0
        drawn = panel.scatter(x, y, s=size, marker=mark, zorder=3)
        drawn.set_linewidth(0.7 if few else 0.1 if role == "ai" and thin else 0.4)
        drawn.set(facecolor=_COLOURS(aligned) if role == "ai" else "white", edgecolor="black")
        drawn.set_rasterized(thin)
    panel.set_xlim(-0.04, 1.04)
    panel.set_ylim(-0.08, 1.08)
    for name, place, role in zip(layout.names, layout.places, layout.roles, strict=True):
        if few:
            _name(panel, name, place, below=role == "ai")


def _name(panel: Axes, name: str, place: Array, *, below: bool) -> None:
    """Write an agent's name where none of the lines to the other roles are."""
    at: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 6.5}
    halo = [withStroke(linewidth=2.0, foreground="white")]
    off, side = (-7.0, "top") if below else (5.0, "bottom")
    short = name if len(name) <= 12 else f"{name[:11]}…"
    panel.annotate(short, tuple(place), (0.0, off), va=side, path_effects=halo, zorder=4, **at)


def _area(power: Array, count: int) -> Array:
    """Return the areas of AIs whose power is that share of the largest, in square points."""
    largest = max(_LARGEST * min(1.0, 0.8 * _NAMED / count), 12.0)
    return largest * np.maximum(np.nan_to_num(power), _SMALLEST)


def _looks(layout: Layout) -> Iterator[tuple[Bond, _Look]]:
    """Yield the relations with what their lines look like."""
    others = itertools.cycle(_OTHERS)
    for bond in layout.bonds:
        yield bond, _OVERSEES if bond.kind == OVERSIGHT else next(others)


def _draw_bond(panel: Axes, layout: Layout, bond: Bond, look: _Look) -> None:
    """Draw a relation's lines, thinner where there are many; arrows say who acts, where few are."""
    curves = _curves(layout.places, bond)
    few = len(curves) <= _ARROWS
    width = 0.9 if few else max(0.15, 0.9 * (_ARROWS / len(curves)) ** 0.5)
    width = min(width, 0.4) if len(layout.names) > _RASTER else width
    drawn = LineCollection(list(curves), linewidths=width, alpha=0.9 if few else 0.6, zorder=1)
    drawn.set(color=look.colour, linestyle=look.dash)
    drawn.set_rasterized(len(layout.names) > _RASTER)
    panel.add_collection(drawn, autolim=False)
    if bond.kind == OVERSIGHT or not few:
        return
    head = {"arrowstyle": "-|>", "color": look.colour, "linewidth": 0.6, "mutation_scale": 7.0}
    for curve in curves[bond.one_way]:
        ends = (curve[12], curve[11])
        panel.annotate("", *ends, arrowprops={**head, "shrinkA": 0, "shrinkB": 0}, zorder=2)


def _curves(places: Array, bond: Bond) -> Array:
    """Return the lines ``(m, 17, 2)`` of a relation, from those who act."""
    start, end = (places[who][:, None, :] for who in bond.pairs.T)
    left = (end - start)[..., ::-1] * np.array([-1.0, 1.0])
    t = np.linspace(0.0, 1.0, 17)[:, None]
    return start + t * (end - start) + 2.0 * t * (1.0 - t) * bond.bend * left


def _entries(layout: Layout, most: float) -> Iterator[Line2D]:
    """Yield the legend: relations, roles and the powers that areas stand for."""
    for bond, look in _looks(layout):
        yield Line2D([], [], color=look.colour, linestyle=look.dash, label=bond.title)
    mark: dict[str, Any] = {"markeredgecolor": "black", "linestyle": ""}
    for role in dict.fromkeys(layout.roles):
        if role != "ai":
            yield Line2D(
                [], [], marker=_MARKS[role], markersize=6, color="white", label=role, **mark
            )
    for share in (1.0, 0.25):
        size = float(_area(np.array([share]), len(layout.names))[0]) ** 0.5
        name = f"AI with {share * most:.3g} nats per action"
        yield Line2D([], [], marker="o", markersize=size, color="0.75", label=name, **mark)
