"""The page of a live run: choose a scenario, move its parameters, play it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import solara
import xarray as xr
from mesa.visualization.utils import force_update

from sumabm.browser import take
from sumabm.browser.address import Address, AddressError
from sumabm.browser.live import Live, usual_replicates
from sumabm.browser.look import Look
from sumabm.browser.parameters.form import Form
from sumabm.browser.player import Player
from sumabm.browser.source import base_of, names, scenario_of
from sumabm.browser.upload import Upload
from sumabm.scenario import Scenario, library
from sumabm.toml import MAX_BYTES, read

log = logging.getLogger(__name__)

_CATCH_UP = 5.0  # seconds in which an address's step should be reached

Go = Callable[[Address], None]


class Run(NamedTuple):
    """What an address means: a run or, where that can't be had, why."""

    live: Live | None = None
    base: Scenario | None = None
    problem: str = ""


def run_of(address: Address, look: Look) -> Run:
    """Return the run of an address, gone on to its step as far as that takes little time."""
    base: Scenario | None = None
    try:
        base = base_of(address)
        spec = scenario_of(address)
        live = Live(spec, address.replicates or usual_replicates(spec), address.seed, look)
        live.forward(address.step, _CATCH_UP)
    except ValueError as error:
        return Run(base=base, problem=str(error))
    except Exception as error:  # a plug-in's, or memory that is not there
        log.exception("the run of %s", address)
        return Run(base=base, problem=f"{type(error).__name__}: {error}")
    return Run(live, base)


@solara.component
def LivePage() -> None:
    """Show the run that the URL means; whatever is changed on the page changes the URL."""
    router = solara.use_router()
    query = router.search or ""

    def said() -> tuple[Address, str]:
        try:
            return Address.of(query), ""
        except AddressError as error:
            return Address(), str(error)

    address, problem = solara.use_memo(said, [query])
    what = replace(address, shown=0, ai="", step=0)
    look = solara.use_memo(Look, [what.query()])
    run = solara.use_memo(lambda: run_of(address, look), [what.query()])
    look.shown, look.ai = address.shown, address.ai
    look.link = lambda steps: replace(address, step=steps).query()
    solara.use_effect(force_update, [address.shown, address.ai])

    long, set_long = solara.use_state("")

    def go(other: Address) -> None:
        set_long("" if other.fits else "This is too long for the page's address.")
        if other.fits:
            router.push("/?" + other.query())

    for message in filter(None, (problem, run.problem, long)):
        solara.Error(message, dense=True, classes=["sumabm-problem"])
    if run.live is not None:
        parameters = {"scenario": run.live.spec, "replicates": len(run.live.model.replicates)}
        parameters |= {"rng": address.seed, "look": look}
        Player(run.live, parameters, run.live.spec.scenario).key(what.query())
    Sidebar(address, run, look, go)


@solara.component
def Sidebar(address: Address, run: Run, look: Look, go: Go) -> None:
    """Offer all that can be chosen on the page, and what can be taken from it."""
    with solara.Sidebar(), solara.Column(classes=["sumabm-side"], gap="0px"):
        Picker(address, go)
        if run.base is not None:
            Replicates(address, run.live, go)
            with solara.Card("Parameters"):
                Form(
                    run.base,
                    address.overrides,
                    lambda overrides: go(replace(address, overrides=overrides, step=0)),
                ).key(replace(address, overrides={}, step=0, shown=0, ai="").query())
        if run.live is not None:
            Take(look, run.live.spec)


@solara.component
def Picker(address: Address, go: Go) -> None:
    """Choose a scenario: a shipped one, with what it is about, or a file."""
    problem, set_problem = solara.use_state("")
    about = solara.use_memo(_about, [])

    def take_file(name: str, text: str | None) -> None:
        try:
            if text is None:
                raise ValueError(f"is larger than {MAX_BYTES} bytes")
            other = Address(text=text)
            scenario_of(other)
            if not other.fits:
                raise ValueError("it is too long for a page's address: sumabm browse FILE opens it")
        except ValueError as error:
            set_problem(f"{name}: {error}")
        else:
            set_problem("")
            go(other)

    with solara.Card("Scenario"):
        solara.Select(
            "scenario",
            values=names(),
            value=None if address.text else address.scenario,
            on_value=lambda name: go(Address(scenario=name)) if name else None,
        )
        description, tags = about.get(address.scenario, ("", [])) if not address.text else ("", [])
        if description:
            solara.Text(description, classes=["sumabm-about"])
        with solara.Row(gap="4px", style={"flex-wrap": "wrap"}):
            for tag in tags:
                solara.v.Chip(children=[tag], small=True, outlined=True)
        Upload("or a scenario file of your own", take_file)
        if problem:
            solara.Error(problem, dense=True)


def _about() -> dict[str, tuple[str, list[str]]]:
    """Return description and tags of the shipped scenarios by name, as their files have them."""
    tables = {path.stem: read(path) for path in library().glob("*.toml")}
    return {
        name: (" ".join(table.get("description", "").split()), table.get("tags", []))
        for name, table in tables.items()
    }


@solara.component
def Replicates(address: Address, live: Live | None, go: Go) -> None:
    """Choose how many replicates there are, their seed, and which is shown."""
    count = len(live.model.replicates) if live is not None else address.replicates or 1

    def choose(**changes: Any) -> None:
        go(replace(address, **changes))

    with solara.Card("Replicates"):
        Whole("how many", count, 1, lambda n: choose(replicates=n, step=0))
        Whole("seed", address.seed, 0, lambda n: choose(seed=n, step=0))
        if count > 1:
            Whole("shown on top", address.shown, 0, lambda n: choose(shown=n), most=count - 1)
        ais = list(live.model.ais) if live is not None else []
        if len(ais) > 1:
            on_ai = partial(_named, choose)
            there = address.ai if address.ai in ais else ais[0]
            solara.Select("AI of the world's panel", ais, value=there, on_value=on_ai)


def _named(choose: Callable[..., None], ai: str) -> None:
    choose(ai=ai)


@solara.component
def Whole(
    label: str, value: int, least: int, on_value: Callable[[int], None], most: int | None = None
) -> None:
    """Take a whole number, and say of what is none why not."""
    problem, set_problem = solara.use_state("")

    def entered(text: str) -> None:
        text = text.strip()
        limit = f"from {least} to {most}" if most is not None else f"of at least {least}"
        good = text.isdecimal() and len(text) <= 20 and least <= int(text)
        if not good or (most is not None and int(text) > most):
            set_problem(f"should be a whole number {limit}, got {text[:40]!r}")
            return
        set_problem("")
        if int(text) != value:
            on_value(int(text))

    solara.InputText(label, str(value), on_value=entered, error=problem or False)


@solara.component
def Take(look: Look, spec: Scenario) -> None:
    """Offer the data, figures and scenario of what is on screen."""
    name = spec.scenario

    def run() -> xr.Dataset:
        assert look.show is not None  # it was there before this was
        return look.show.data()

    with solara.Card("Take along"), solara.Row(gap="4px", style={"flex-wrap": "wrap"}):
        _Offer("figures", f"{name}-figures.zip", lambda: take.figures(run(), spec))
        _Offer("CSV", f"{name}.csv", lambda: take.csv(run()))
        _Offer("Parquet", f"{name}.parquet", lambda: take.parquet(run()))
        _Offer("scenario", f"{name}.toml", lambda: take.toml(spec).encode())


@solara.component
def _Offer(label: str, filename: str, data: Callable[[], bytes]) -> None:
    """Offer a file; what goes wrong in making it is told, in place of it."""
    problem, set_problem = solara.use_state("")

    def made() -> bytes:
        try:
            found = data()
        except Exception as error:  # the page would be one traceback
            log.exception("%s cannot be made", filename)
            set_problem(f"{filename} cannot be made: {error}")
            return b""
        set_problem("")
        return found

    with solara.FileDownload(made, filename=filename):
        solara.Button(label, icon_name="mdi-download", text=True, small=True)
    if problem:
        solara.Error(problem, dense=True)
