"""What a battery's page draws: which picture of its results, over which of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sumabm.browser.stored.heat import Axes, Points, View, heat
from sumabm.browser.stored.scatter import line, scatter
from sumabm.report.effects import Results, is_numeric, levels, map_axes

MOST_LEVELS = 100
"""Values along an axis of a heat map, at most."""


def mapped(results: Results) -> list[str]:
    """Return the parameters that can be an axis of a heat map: those that vary, over few values."""
    return [n for n in results.varied if len(levels(results.points[n])) <= MOST_LEVELS]


def usual_axes(results: Results, order: Sequence[str]) -> Axes | None:
    """Return what is drawn at first; None where there is nothing to draw.

    ``order`` has the parameters, the strongest first. A map where two of them are on a grid.
    """
    varied = [name for name in order if name in results.varied]
    if not results.mean or not varied:
        return None
    outcome = next(iter(results.mean))
    allowed = mapped(results)
    pair = map_axes(results.points, [name for name in varied if name in allowed])[:2]
    if not pair:
        return Axes(outcome, varied[0])
    along, up = sorted(pair, key=lambda name: _room(results, name), reverse=True)
    return Axes(outcome, along, up)


def _room(results: Results, name: str) -> tuple[bool, int]:
    """Return what makes an axis better along than up: many numbers, or few labels."""
    values = results.points[name]
    count = len(levels(values))
    return is_numeric(values), count if is_numeric(values) else -count


def drawn(results: Results, axes: Axes, units: Mapping[str, str] = {}, chosen: Points = ()) -> View:
    """Return the view of a battery over these axes, with the ``chosen`` points marked.

    ``units`` are those of parameters that have one.
    """
    if axes.up:
        return heat(results, axes, units, chosen)
    if results.varied == [axes.along]:
        return line(results, axes, units, chosen)
    return scatter(results, axes, units, chosen)
