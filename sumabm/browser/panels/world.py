"""The world as the last step left it: where AIs took it, and humans from there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sumabm.browser.curves import above, axis, entry, hue_of, legend, ordered, tooltip
from sumabm.browser.frame import Arrow, Blob, Frame, Plane, States
from sumabm.browser.picture import INK, MUTED, Option, Picture, faded, hue, points, rounded
from sumabm.report.text import number
from sumabm.types import Array

PLACE = 4

_FEW = 16  # up to so many states are shown as bars with their names
_POINTS = 200  # of a curve over more states than that
_LEAST = 1e-3  # of a state's base probability: less is drawn as that
_FINE = 20_000  # levels of probability against base that are told apart
_ABOUT = "share of the base world, most favoured first"
_POWERS = {"formatter": "10{up|{value}}", "rich": {"up": {"fontSize": 8, "padding": [0, 0, 8, 0]}}}
_RING = 48  # corners of an ellipse
_MOST_ARROWS, _MOST_AIMS = 7, 4
_BESIDE = 14.0  # px from the tip of an aim to its name, to the left of it: clear of the arrow
_ARROW = "path://M0,4H13V0L22,5L13,10V6H0Z"


def draw(frame: Frame) -> Picture | None:
    """Return the picture, or None where there is nothing to show of the world."""
    world = frame.world
    if isinstance(world, Plane):
        return _plane(frame, world)
    if isinstance(world, States):
        return _bars(frame, world) if len(world.base) <= _FEW else _shares(frame, world)
    return None


def _title(frame: Frame) -> str:
    at = ""
    if frame.count:  # it may be over before others are
        there = np.flatnonzero(~np.isnan(frame.columns["harm"][:, frame.shown]))
        at = f" at step {there[-1]}" if there.size else ""
    return f"World{at}, replicate {frame.first + frame.shown}"


# --- in the plane of two utilities ---------------------------------------------------------------


def _plane(frame: Frame, plane: Plane) -> Picture:
    """Return the picture: ellipses of 1 and 2 sd, arrows, and the unit utilities as marks.

    ``equal`` asks the page for the same scale on both axes: it widens one of them to fit the plot.
    """
    arrows = _told(frame, plane.arrows)
    blobs = (
        _blob("base world", plane.base, MUTED, "dotted"),
        _blob("after the AIs", plane.acted, MUTED, "dashed"),
        _blob("after the humans", plane.left, INK, "solid"),
    )
    few = len(arrows) == len(plane.arrows)
    drawn = [_arrow(frame, arrow, few) for arrow in arrows]
    series = [*blobs, *drawn, *_aims(frame, plane)]
    marks: list[Option] = [entry(blob["name"]) for blob in blobs]
    marks += [
        {"name": a["name"], "icon": _ARROW, "itemStyle": {"color": a["color"]}} for a in drawn
    ]
    x, y = _range(plane, arrows, 0), _range(plane, arrows, 1)
    option = {
        "equal": True,
        "grid": {"left": 30, "right": 12, "top": 18, "bottom": 40},
        "legend": legend(marks),
        "xAxis": axis("along the humans' utility (sd)", 20, **x),
        "yAxis": above(f"across, towards {plane.ai}'s (sd)", **y),
        "series": series,
    }
    return Picture(_title(frame), option, _plane_said(plane, arrows))


def _plane_said(plane: Plane, arrows: list[Arrow]) -> str:
    places = [
        f"{name} at {number(blob.mean[0], 3)} sd along the humans' utility and"
        f" {number(blob.mean[1], 3)} sd across"
        for name, blob in (("after the AIs", plane.acted), ("after the humans", plane.left))
    ]
    lengths = [
        f"{number(float(np.hypot(*(arrow.tip - arrow.foot))), 3)} sd moved by {arrow.agent}"
        for arrow in arrows
    ]
    return f"The mean of the world is {'; '.join([*places, *lengths])}."


def _colour(frame: Frame, agent: str, few: bool = True) -> str:
    """Return the colour of an agent; of humans together the first's or, of a crowd, their own."""
    if not few:
        return hue_of("ai" if _is_ai(frame, agent) else "human")
    names = ordered(frame)
    return hue(names.index(agent if agent in names else frame.spec.names("human")[0]))


def _is_ai(frame: Frame, agent: str) -> bool:
    return agent not in (*frame.spec.names("human"), "humans")


def _told(frame: Frame, arrows: tuple[Arrow, ...]) -> list[Arrow]:
    """Return the arrows, of many AIs one in all."""
    if len(arrows) <= _MOST_ARROWS:
        return list(arrows)
    names = set(frame.spec.names("ai"))
    ais = [arrow for arrow in arrows if arrow.agent in names]
    others = [arrow for arrow in arrows if arrow.agent not in names]
    foot = ais[0].foot
    tip = foot + np.sum([arrow.tip - arrow.foot for arrow in ais], axis=0)
    return [Arrow(f"{len(ais)} AIs", foot, tip), *others]


def _rings(blob: Blob) -> list[Array]:
    """Return the ellipses ``(48 + 1, 2)`` of 1 and 2 sd."""
    values, vectors = np.linalg.eigh(blob.covariance)
    angle = np.linspace(0.0, 2.0 * np.pi, _RING + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.sqrt(np.maximum(values, 0.0))
    return [blob.mean + sd * circle @ vectors.T for sd in (1.0, 2.0)]


def _blob(name: str, blob: Blob, colour: str, dash: str) -> Option:
    data: list[list[float | None]] = []
    for ring in _rings(blob) if _is_there(blob) else []:
        data += [[None, None], *points(np.round(ring[:, 0], 4), ring[:, 1], 4)]
    return {
        "type": "line",
        "name": name,
        "data": data,
        "color": colour,
        "lineStyle": {"width": 1.5, "type": dash},
        "symbol": "none",
        "silent": True,
    }


def _is_there(blob: Blob) -> bool:
    return bool(np.isfinite(blob.mean).all() and np.isfinite(blob.covariance).all())


def _arrow(frame: Frame, arrow: Arrow, few: bool) -> Option:
    colour, is_ai = _colour(frame, arrow.agent, few), _is_ai(frame, arrow.agent)
    ends = [rounded(end, 4) for end in (arrow.foot, arrow.tip)]
    return {
        "type": "lines",
        "coordinateSystem": "cartesian2d",
        "name": arrow.agent,
        "data": [{"coords": ends}],
        "color": colour,
        "lineStyle": {"color": colour, "width": 3.5 if is_ai else 1.5, "opacity": 1.0},
        "symbol": ["none", "arrow"],
        "symbolSize": 12 if is_ai else 8,
        "silent": True,
        "z": 3,
    }


def _aims(frame: Frame, plane: Plane) -> list[Option]:
    """Return marks at the unit utilities: the humans' and, if there are not many, the AIs'."""
    humans = frame.spec.names("human")
    name = humans[0] if len(humans) == 1 else "humans"
    marks = [_aim(name, np.array([1.0, 0.0]), INK)]
    if len(plane.aims) <= _MOST_AIMS:
        marks += [_aim(name, aim, _colour(frame, name)) for name, aim in plane.aims.items()]
    return marks


def _aim(name: str, aim: Array, colour: str) -> Option:
    """Return a mark whose name is beside it, to the left as seen along the aim: off the arrow."""
    small = {"of": {"fontSize": 9, "verticalAlign": "bottom", "padding": [6, 0, 0, 0]}}
    return {
        "type": "scatter",
        "name": f"the utility of {name}",
        "data": [rounded(aim, 4)],
        "color": colour,
        "symbol": "diamond",
        "symbolSize": 7,
        "label": {
            "show": True,
            "position": "inside",
            "formatter": f"v{{of|{name}}}",
            "fontStyle": "italic",
            "color": colour,
            "rich": small,
        },
        "labelLayout": {
            "hideOverlap": True,
            "dx": round(-_BESIDE * float(aim[1])),
            "dy": round(-_BESIDE * float(aim[0])),
        },
        "silent": True,
        "z": 4,
    }


def _range(plane: Plane, arrows: list[Arrow], side: int) -> dict[str, float]:
    """Return whole limits of one side that everything drawn is within."""
    blobs = [blob for blob in (plane.base, plane.acted, plane.left) if _is_there(blob)]
    rings = [ring[:, side] for blob in blobs for ring in _rings(blob)]
    ends = [np.array([arrow.foot[side], arrow.tip[side]]) for arrow in arrows]
    every = np.concatenate([*rings, *ends]) if rings or ends else np.array([-2.0, 2.0])
    low, high = float(np.floor(every.min())), float(np.ceil(every.max()))
    return {"min": low, "max": high}


# --- state by state ------------------------------------------------------------------------------


def _moments(states: States) -> Iterator[tuple[str, Array, str, str]]:
    yield "after the AIs", states.acted, hue(1), "dashed"
    yield "after the humans", states.left, hue(0), "solid"


def _bars(frame: Frame, states: States) -> Picture:
    names = list(states.names) or [str(place) for place in range(len(states.base))]
    base: Option = {"color": faded(MUTED, 0.15), "borderColor": MUTED, "borderType": "dotted"}
    looks = [("base", states.base, base)]
    looks += [(name, values, {"color": colour}) for name, values, colour, _ in _moments(states)]
    series = [
        {"type": "bar", "name": name, "data": rounded(values), "itemStyle": look, "barGap": "5%"}
        for name, values, look in looks
    ]
    label = {"interval": 0, "rotate": 0 if sum(map(len, names)) <= 36 else 35}
    across = axis("", 0, type="category", data=names)
    across["axisLabel"] = {**across["axisLabel"], **label, "hideOverlap": False}
    option = {
        "grid": {"left": 4, "right": 16, "top": 18, "bottom": 4, "containLabel": True},
        "legend": legend({"name": each["name"], "icon": "rect"} for each in series),
        "tooltip": tooltip("axis"),
        "xAxis": across,
        "yAxis": above("probability", min=0.0),
        "series": series,
    }
    said = "; ".join(
        f"{name}: {number(a, 3)} after the AIs and {number(b, 3)} after the humans,"
        f" {number(base, 3)} at base"
        for name, base, a, b in zip(names, states.base, states.acted, states.left, strict=True)
    )
    return Picture(_title(frame), option, f"Probabilities of the states. {said}.")


def _shares(frame: Frame, states: States) -> Picture:
    """Return probability against base, the most favoured states first, over their base share."""
    series, said, least = [], [], 0.0
    for name, values, colour, dash in _moments(states):
        share, ratio = _favour(states.base, values)
        least = min(least, float(share[0]))
        line = {"type": dash, "width": 2 if dash == "solid" else 1.5}
        series.append(_steps(name, points(np.round(share, 4), ratio), colour, line))
        said.append(f"{name} the most favoured state has {number(ratio[0], 3)} times its base")
    even = points(np.floor([least, 0.0]), np.ones(2))
    series.append(_steps("base", even, MUTED, {"type": "dotted", "width": 1.5}))
    across = axis(_ABOUT, 22, min=float(np.floor(least)), max=0.0, minInterval=1)
    across["axisLabel"] = {**across["axisLabel"], **_POWERS}
    option = {
        "grid": {"left": 4, "right": 20, "top": 18, "bottom": 22, "containLabel": True},
        "legend": legend(entry(each["name"]) for each in series),
        "xAxis": across,
        "yAxis": above("probability / base probability", type="log", min=_LEAST),
        "series": series,
    }
    return Picture(_title(frame), option, f"Of {len(states.base)} states, {'; '.join(said)}.")


def _steps(name: str, data: Sequence[Sequence[float | None]], colour: str, line: Option) -> Option:
    look = {"color": colour, "lineStyle": line, "symbol": "none", "step": "start"}
    return {"type": "line", "name": name, "data": data, "emphasis": {"disabled": True}, **look}


def _favour(base: Array, values: Array) -> tuple[Array, Array]:
    """Return log10 of base shares and, up to there, probability against base, ``(n,)``.

    States are taken together that differ by less than can be seen, so that nothing is sorted.
    """
    there = base > 0.0
    base, values = base[there], values[there]
    with np.errstate(divide="ignore"):
        level = np.log(np.maximum(values / base, _LEAST))
    top, bottom = float(level.max()), float(level.min())
    place = ((top - level) * ((_FINE - 1) / max(top - bottom, 1e-12))).astype(np.intp)
    mass = np.bincount(place, base)
    found = np.flatnonzero(mass)
    share = np.log10(np.minimum(np.cumsum(mass[found]), 1.0))
    ratio = np.maximum(np.bincount(place, values)[found] / mass[found], _LEAST)
    even = np.linspace(share[0], share[-1], _POINTS)
    chosen = np.unique(np.clip(np.searchsorted(share, even), 0, len(share) - 1))
    chosen = np.union1d(chosen, [0, len(share) - 1])
    return share[chosen], ratio[chosen]
