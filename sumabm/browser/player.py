"""Mesa's page around a run, live or stored: play, pause, step, reset, and our panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import solara
from mesa.visualization import SolaraViz
from mesa.visualization.utils import force_update, update_counter
from solara.components.applayout import sidebar_portal

from sumabm.browser.chart import Chart
from sumabm.browser.frame import Event, Frame
from sumabm.browser.link import Link
from sumabm.browser.panels import pictures
from sumabm.browser.show import Show
from sumabm.browser.stored.scrubber import Scrubber

INTERVAL = 50
"""Milliseconds between two steps at first."""


@solara.component
def Player(show: Show, parameters: Mapping[str, Any], name: str) -> None:
    """Play ``show``; Reset makes a new one of its class from ``parameters``.

    Mesa keeps the show that it plays, and whether it plays, to itself: give this component a key
    that says which show it is, and the show a look of its own. What Mesa has for the sidebar is put
    above the panels, where a narrow window has it too, and goes when this component goes.
    """
    controls = sidebar_portal.use_portal()
    with solara.Div(classes=["sumabm-player"]):
        solara.Div(classes=["sumabm-controls"], children=controls)
        SolaraViz(
            show,
            components=[(Panels, 0)],
            model_params=dict(parameters),
            play_interval=INTERVAL,
            name=name,
        )
    solara.use_effect(lambda: show.look.pace.close, [])


@solara.component
def Panels(show: Show) -> None:
    """Draw what a show is at, anew after each step that Mesa makes."""
    _ = update_counter.value  # so that it is drawn again
    frame, look, seek = show.frame(), show.look, show.seek

    def go(step: int) -> None:
        if seek is not None:
            over = not show.running
            seek(step)
            again = look.again if over else force_update
            again()

    with solara.Div(classes=["sumabm-run"]):
        if show.error:
            solara.Error(f"The run stopped. {show.error}", dense=True)
        solara.Text(_where(frame), classes=["sumabm-where"])
        if seek is not None:
            Scrubber(frame.horizon, show.steps, go)
        with solara.Div(classes=["sumabm-panels"]):
            for name, picture in pictures(frame):
                Chart(picture, f"{frame.spec.scenario}-{name}").key(name)
        _Late(show, show.steps if show.behind else None, show.note)
        EventLog(frame.events, frame.first + frame.shown)
    Link(  # after the panels: when it comes, they have been drawn
        look.link(show.steps),
        turn=look.pace.sent(),
        on_seen=look.pace.seen,
        on_back=(lambda: go(show.steps - 1)) if seek is not None else None,
    )


@solara.component
def _Late(show: Show, late: int | None, note: str) -> None:
    """Work on the world of a step that is ``late``, apart from the page; say what can't be had."""

    def catch_up() -> None:
        if late is not None:
            show.catch_up()
            force_update()

    solara.lab.use_task(catch_up, dependencies=[late], raise_error=False)
    if note:
        solara.Text(note)


def _where(frame: Frame) -> str:
    count = frame.replicates or 1
    of = f"step {frame.count} of {frame.horizon}"
    return f"{of} · replicate {frame.first + frame.shown} on top of {count}" if count > 1 else of


@solara.component
def EventLog(events: tuple[Event, ...], replicate: int) -> None:
    """List what happened, newest first."""
    with solara.Div(classes=["sumabm-events"]):
        solara.v.Html(tag="h3", children=[f"What happened in replicate {replicate}"])
        if not events:
            solara.Text("Nothing yet.")
        with solara.Column(gap="0px"):
            for event in reversed(events):
                solara.Text(f"step {event.step}: {event.text}")
