"""The page of a battery: its heat map, and the trajectories behind a cell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import solara

from sumabm.browser.chart import Chart
from sumabm.browser.parameters.controls import controls
from sumabm.browser.stored.battery_view import drawn, mapped, usual_axes
from sumabm.browser.stored.cells import MOST_POINTS, Cell, cell_of, course, courses
from sumabm.browser.stored.heat import Axes, Points
from sumabm.browser.stored.reading import read
from sumabm.browser.stored.shelf import Shelf
from sumabm.files import RunError
from sumabm.report.effects import at, average
from sumabm.report.material import Material, gather
from sumabm.report.text import number

_STYLE = """
.sumabm-choices { display: flex; flex-wrap: wrap; gap: 0 16px; }
.sumabm-choices > * { flex: 1 1 180px; min-width: 0; }
.sumabm-courses { display: grid; gap: 16px 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.sumabm-battery h2 { font-size: 1.1rem; overflow-wrap: anywhere; }
.sumabm-battery p { margin: 0; }
"""
_HEIGHT = "400px"


class Opened(NamedTuple):
    """A battery that is read, and the units of its parameters."""

    material: Material
    units: Mapping[str, str]
    told: str


def open_material(shelf: Shelf, name: str) -> Opened | str:
    """Return what a battery came to, or what is wrong with it, in words."""
    try:
        store = shelf.open_battery(name)
        material = gather(store)
    except (RunError, ValueError) as error:
        return str(error)
    battery, data = store.battery, material.data
    units = {c.path.removesuffix(".value"): c.unit for c in controls(battery.scenario) if c.unit}
    done = int(data["complete"].values.sum())
    points = data.sizes["point"]
    told = f"{points:,} {'point' if points == 1 else 'points'} of {battery.scenario.scenario}, "
    told += f"{battery.replicates} replicates each"
    if done < points:
        told += f"; {points - done} of them are not complete (sumabm resume {name})"
    return Opened(material, units, f"{told}.")


@solara.component
def BatteryPage(shelf: Shelf, name: str, on_cell: Callable[[Cell], None]) -> None:
    """Show a battery's outcomes over its parameters; a click shows what is behind a cell.

    ``on_cell`` opens a live run of a point.
    """
    solara.Style(_STYLE)
    with solara.Column(gap="8px", classes=["sumabm-battery"]):
        solara.v.Html(tag="h2", children=[name])
        opened = read(
            lambda: open_material(shelf, name),
            [str(shelf.folder), name],
            "Reading the battery …",
            f"{name} cannot be opened",
        )
        if opened is not None:
            _Battery(opened, on_cell).key(name)


@solara.component
def _Battery(opened: Opened, on_cell: Callable[[Cell], None]) -> None:
    material = opened.material
    results = material.results
    usual = solara.use_memo(lambda: usual_axes(results, material.order), [])
    axes, set_axes = solara.use_state(usual)
    chosen, set_chosen = solara.use_state(())
    view = solara.use_memo(
        lambda: drawn(results, axes, opened.units, chosen) if axes else None, [axes, chosen]
    )
    if about := material.store.battery.description.strip():
        solara.Text(" ".join(about.split()))
    solara.Text(opened.told)
    if axes is None or view is None:
        solara.Info("Nothing varies here, or nothing is done yet: there is nothing to draw.")
        return

    def draw(other: Axes) -> None:
        set_axes(other)
        if (other.along, other.up) != (axes.along, axes.up):
            set_chosen(())  # its cell is not on the map any more

    _Choices(opened, axes, draw)
    Chart(
        view.picture,
        f"{material.store.battery.battery}-{axes.outcome}",
        height=_HEIGHT,
        on_pick=lambda mark: set_chosen(view.picked(mark)),
    )
    for note in view.notes:
        solara.Text(note)
    if chosen:
        _Behind(opened, axes, chosen, on_cell).key(str(hash(chosen)))
    else:
        solara.Text("Click a cell or a point to see what is behind it.")


@solara.component
def _Choices(opened: Opened, axes: Axes, set_axes: Callable[[Axes], None]) -> None:
    """Choose the outcome and what it is drawn over."""
    results = opened.material.results
    names = mapped(results) if axes.up else results.varied

    def along(name: str) -> None:
        other = axes.along if name == axes.up else axes.up
        set_axes(axes._replace(along=name, up=other))

    def up(name: str) -> None:
        other = axes.up if name == axes.along else axes.along
        set_axes(axes._replace(along=other, up=name))

    with solara.Div(classes=["sumabm-choices"]):
        outcomes = list(results.mean)
        solara.Select(
            "outcome", outcomes, axes.outcome, lambda name: set_axes(axes._replace(outcome=name))
        )
        if len(names) > 1:
            solara.Select("along", names, axes.along, along)
        if axes.up:
            solara.Select("up", names, axes.up, up)


@solara.component
def _Behind(opened: Opened, axes: Axes, chosen: Points, on_cell: Callable[[Cell], None]) -> None:
    """Show what is behind a mark: where its points are, their means, and their trajectories."""
    material = opened.material
    results = material.results
    place, set_place = solara.use_state(0)
    texts = [f"point {point}: {at(results, point)}" for point in chosen[:MOST_POINTS]]
    point = chosen[place]
    told = [
        f"mean {outcome}: {number(float(average(means[list(chosen)])))} {results.units[outcome]}"
        for outcome, means in results.mean.items()
    ]
    head = texts[0] if len(chosen) == 1 else f"{len(chosen)} points in this cell"
    solara.v.Html(tag="h2", children=[head])
    solara.Text("; ".join(text.strip() for text in told))
    if len(chosen) > 1:
        solara.Select(
            "point to run", texts, texts[place], lambda text: set_place(texts.index(text))
        )
    with solara.Row():
        solara.Button(
            "Run this point live",
            icon_name="mdi-play",
            on_click=lambda: on_cell(cell_of(material.store, point)),
        )
    _Courses(opened, chosen)


@solara.component
def _Courses(opened: Opened, chosen: Points) -> None:
    """Draw the trajectories that were kept of these points."""
    store, outcomes = opened.material.store, list(opened.material.results.mean)
    where = chosen[:MOST_POINTS]

    def read() -> Any:
        try:
            return courses(store, where, outcomes)
        except RunError as error:
            return str(error)

    found = solara.lab.use_task(read, dependencies=[chosen], raise_error=False)
    if found.pending:
        solara.ProgressLinear(True)
    elif found.error or isinstance(found.value, str):
        solara.Error(f"The trajectories cannot be read: {found.value or found.exception!r}")
    elif found.value is None:
        solara.Text("Of these runs no trajectories are stored: a live run shows them.")
    else:
        if len(chosen) > len(where):
            solara.Text(f"Shown are the first {len(where)} of {len(chosen)} points.")
        with solara.Div(classes=["sumabm-courses"]):
            for column in found.value.columns:
                name = f"{store.battery.battery}-{column}-at-{chosen[0]}"
                Chart(course(found.value, column), name).key(column)
