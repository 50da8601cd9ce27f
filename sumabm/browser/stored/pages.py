"""The pages of what is stored, by their addresses: the list, one run, two runs, a battery."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import solara
from mesa.visualization.utils import force_update

from sumabm.browser import take
from sumabm.browser.address import MAX_FIELDS, Address
from sumabm.browser.config import config
from sumabm.browser.live_page import Take, Whole
from sumabm.browser.look import Look
from sumabm.browser.player import Player
from sumabm.browser.source import names
from sumabm.browser.stored.list_page import StoredPage
from sumabm.browser.stored.reading import read
from sumabm.browser.stored.replay import Replay, stored_spec
from sumabm.browser.stored.shelf import Shelf
from sumabm.files import RunError
from sumabm.scenario import load_scenario

if TYPE_CHECKING:
    from sumabm.browser.stored.cells import Cell


@solara.component
def StoredPages() -> None:
    """Show what the URL means: ``run=NAME``, ``a=NAME&b=NAME``, ``battery=NAME`` or nothing."""
    router = solara.use_router()
    long, set_long = solara.use_state("")
    shelf = solara.use_memo(lambda: Shelf(config.runs, config.data), [])
    try:
        view = dict(parse_qsl(router.search or "", max_num_fields=MAX_FIELDS))
    except ValueError:
        view = {}

    def go(**query: str) -> None:
        router.push("/stored?" + urlencode(query))

    def open_cell(cell: Cell) -> None:
        address = _live(cell)
        set_long("" if address.fits else "This point is too long for a live page's address.")
        if address.fits:
            router.push("/?" + address.query())

    if "run" not in view:  # Mesa's page has both
        with solara.AppBar():
            solara.AppBarTitle(view.get("battery") or "Stored")
            solara.lab.ThemeToggle()
    if long:
        solara.Error(long, dense=True)
    if "run" in view:
        ReplayPage(shelf, view["run"], _whole(view, "step"), _whole(view, "shown") or 0).key(
            view["run"]
        )
    elif "a" in view and "b" in view:
        from sumabm.browser.stored.compare_page import ComparePage  # here, as it takes long

        ComparePage(shelf, view["a"], view["b"])
    elif "battery" in view:
        from sumabm.browser.stored.battery_page import BatteryPage  # likewise

        BatteryPage(shelf, view["battery"], open_cell)
    else:
        StoredPage(
            shelf,
            lambda name: go(run=name),
            lambda name: go(battery=name),
            lambda a, b: go(a=a, b=b),
        )


def _whole(view: dict[str, str], name: str) -> int | None:
    text = view.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _live(cell: Cell) -> Address:
    """Return the address of a live run of a battery's point."""
    address = Address(replicates=cell.replicates, seed=cell.seed)
    name = cell.scenario.scenario
    if name in names() and load_scenario(name) == cell.scenario:
        return replace(address, scenario=name, overrides=cell.overrides)
    return replace(address, text=take.toml(cell.scenario.replace(cell.overrides)))


@solara.component
def ReplayPage(shelf: Shelf, name: str, step: int | None, shown: int) -> None:
    """Play a stored run, from its end or the step that the URL says."""

    def opened() -> Replay | str:
        try:
            run = shelf.open_run(name)
            spec = stored_spec(run, shelf.data)
        except RunError as error:
            return str(error)
        return Replay(run, spec, spec.steps if step is None else step, Look(shown=shown))

    replay = read(opened, [name], "Reading the run …", f"{name} cannot be opened")
    if replay is not None:
        Replayed(replay, name)


@solara.component
def Replayed(replay: Replay, name: str) -> None:
    """Play a stored run that is read."""
    turn, set_turn = solara.use_state(0)
    shown, set_shown = solara.use_state(replay.look.shown)
    last, count = solara.use_ref(replay.look), len(replay.replicates)

    def begun() -> Replay:
        if turn == 0:
            return replay
        at = last.current.show.steps if last.current.show is not None else 0
        return Replay(replay.run, replay.spec, at)

    show = solara.use_memo(begun, [turn])
    look = last.current = show.look
    look.shown = shown
    look.again = lambda: set_turn(turn + 1)
    look.link = lambda steps: urlencode({"run": name, "step": steps, "shown": shown})
    solara.use_effect(force_update, [shown])
    parameters = {"run": replay.run, "spec": replay.spec, "look": look}
    Player(show, parameters, name).key(f"player {turn}")
    with solara.Sidebar(), solara.Column(classes=["sumabm-side"], gap="0px"):
        if count > 1:
            with solara.Card("Replicates"):
                Whole("shown on top", shown, 0, set_shown, most=count - 1)
        Take(look, replay.spec)
