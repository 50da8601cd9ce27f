"""The founding essay, reproduced: every figure and prediction of it, by theory and by simulation.

Each module in `exhibits` is one figure with the claims that rest on it. Simulations are shipped
batteries, run by the battery engine into its store, so that nothing is run twice.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple, cast

from sumabm.battery.engine import Engine, Local
from sumabm.battery.spec import Battery
from sumabm.battery.store import Store
from sumabm.figures.style import styled
from sumabm.files import check_writable, sweep
from sumabm.reproduce import exhibits
from sumabm.reproduce.findings import Exhibit
from sumabm.reproduce.made import Made, identity, keep, recall
from sumabm.reproduce.page import Setting, write_reproduction
from sumabm.reproduce.studies import Progress, facts, opened, run_studies, silent, study

__all__ = ["Reproduction", "exhibit_names", "reproduce"]


class Reproduction(NamedTuple):
    """Where a reproduction's page is, and its exhibits in the order of their letters."""

    page: Path
    made: tuple[Made, ...]


def exhibit_names() -> list[str]:
    """Return the names of all exhibits, in the order of their letters."""
    names = [info.name for info in pkgutil.iter_modules(exhibits.__path__)]
    return sorted(names, key=lambda name: _exhibit(name).LETTER)


def reproduce(
    out: str | Path = "runs",
    quick: bool = False,
    only: Collection[str] = (),
    seed: int | None = None,
    engine: Callable[[], Engine] = Local,
    progress: Progress = silent,
) -> Reproduction:
    """Reproduce the founding essay under ``out`` and return what was found.

    Batteries go into the store in ``out``; the page, ``index.html``, with figures (SVG, PDF) and
    tables (CSV) into ``out/reproduction``, ``-quick`` or the seed in its name. What is there and
    would come out the same is kept. ``only`` names exhibits to look after: the page has the others
    if they are there and current. ``seed`` takes the place of the batteries' own.

    Raises ValueError for an exhibit that is none, RunError when a simulation fails or something
    cannot be written.
    """
    every = exhibit_names()
    if wrong := sorted(set(only) - set(every)):
        raise ValueError(f"no exhibit {', '.join(wrong)}; allowed: {', '.join(every)}")
    setting = Setting(quick, seed)
    folder = Path(out) / setting.folder
    batteries = {
        name: {b: study(b, quick=quick, seed=seed) for b in _exhibit(name).STUDIES}
        for name in every
    }
    identities = {name: identity(name, batteries[name]) for name in every}
    made = {name: recall(folder, name, identities[name]) for name in every}
    todo = [name for name in every if made[name] is None and (not only or name in only)]
    needed = {battery: spec for name in todo for battery, spec in batteries[name].items()}
    check_writable(folder)
    for place in (folder, *(folder / part for part in ("figures", "tables", "exhibits"))):
        sweep(place)
    stores = run_studies(list(needed.values()), Path(out), engine, progress)
    with progress("figures", "exhibits") as report:
        for number, name in enumerate(todo):
            report(number, len(todo), name)
            made[name] = _make(folder, name, identities[name], batteries[name], stores)
        report(len(todo), len(todo))
    there = [part for part in made.values() if part is not None]
    left = [name for name in every if made[name] is None]
    return Reproduction(write_reproduction(folder, there, left, setting), tuple(there))


def _make(
    folder: Path,
    name: str,
    whole: str,
    batteries: dict[str, Battery],
    stores: dict[str, Store],
) -> Made:
    exhibit = _exhibit(name)
    with styled():
        findings = exhibit.make({battery: opened(stores[battery]) for battery in batteries})
        told = [facts(stores[battery]) for battery in batteries]
        return keep(folder, name, exhibit, whole, findings, told)


def _exhibit(name: str) -> Exhibit:
    return cast(Exhibit, importlib.import_module(f"{exhibits.__name__}.{name}"))
