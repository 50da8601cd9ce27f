"""The atlas: what each opening of the toy model does to harm, beside the plain model.

An opening is a shipped scenario; the battery ``atlas`` runs it and the plain scenario, with paired
seeds, over the ratio of powers and over dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from sumabm.atlas.effects import Effects, effects
from sumabm.atlas.page import Row, write_atlas
from sumabm.battery.engine import Engine, Local
from sumabm.battery.spec import Battery, load_battery
from sumabm.files import check_writable
from sumabm.reproduce.studies import Progress, opened, run_studies, silent

__all__ = ["OPENINGS", "Atlas", "Effects", "Opening", "atlas"]


class Opening(NamedTuple):
    """A scenario that opens the toy model, and the plain one that it is held against.

    ``changes`` are made to both, ``apart`` to the plain one alone, by dotted path; ``derived`` is
    what else of the opening varies with d; ``dimensions`` says whether the world has any to vary.
    """

    scenario: str
    plain: str
    title: str
    changes: Mapping[str, object] = {}
    apart: Mapping[str, object] = {}
    derived: Mapping[str, str] = {}
    dimensions: bool = True

    @property
    def told(self) -> str:
        """Return what is changed for the comparison, in words."""
        parts = [f"{path} = {value}" for path, value in self.changes.items()]
        parts += [f"{path} = {value} in the plain one" for path, value in self.apart.items()]
        parts += [f"{path} = {text}" for path, text in self.derived.items()]
        return f"Here {', '.join(parts)}." if parts else ""


_PROXY: Mapping[str, object] = {"steps": 1, "agents.X.power": 2.0, "agents.Y.response": "undo"}

OPENINGS: tuple[Opening, ...] = (
    Opening("bayesian", "essay", "An aligner that has to look"),
    Opening("sandbox", "bayesian", "A sandbox"),
    Opening("replay", "bayesian", "Ten looks at every act"),
    Opening("growing-power", "essay", "Power that grows"),
    Opening("recursive-growth", "essay", "Power that grows by itself", {"steps": 95}),
    Opening("treacherous-turn", "bayesian", "A treacherous turn"),
    Opening("audited", "bayesian", "A treacherous turn, suspected and audited"),
    Opening("sandbagging", "bayesian", "An AI that hides its power"),
    Opening("leak-limited", "bayesian", "An AI that shows no more than it must"),
    Opening("resisting", "essay", "An AI that resists"),
    Opening(
        "sharp-left-turn",
        "essay",
        "A sharp left turn",
        derived={"world.left_turn.dimensions": "d"},
    ),
    Opening("fragility", "essay", "Fragile values"),
    Opening(
        "goodhart-heavy-tail",
        "goodhart-gaussian",
        "A proxy with a heavy-tailed error",
        _PROXY,
        apart={"agents.X.behaviour": "quantilizing"},
        dimensions=False,
    ),
    Opening(
        "causal",
        "causal",
        "Acting on causes only",
        apart={"agents.X.behaviour": "honest"},
        dimensions=False,
    ),
)
"""In the order of the atlas."""


class Atlas(NamedTuple):
    """Where the atlas is, and what it says of each opening by scenario."""

    page: Path
    effects: dict[str, Effects]


def atlas(
    out: str | Path = "runs",
    only: Collection[str] = (),
    replicates: int | None = None,
    engine: Callable[[], Engine] = Local,
    progress: Progress = silent,
) -> Atlas:
    """Run every opening against the plain model under ``out`` and write the atlas.

    Batteries go into the store in ``out``, so that nothing is run twice; ``index.html``, the
    figure (SVG, PDF) and the table (CSV) into ``out/atlas``. ``only`` names openings by their
    scenarios; ``replicates`` replaces the battery's. Raises ValueError for an opening that is none,
    RunError when a simulation fails or something cannot be written.
    """
    names = [opening.scenario for opening in OPENINGS]
    if wrong := sorted(set(only) - set(names)):
        raise ValueError(f"no opening {', '.join(wrong)}; allowed: {', '.join(names)}")
    chosen = [opening for opening in OPENINGS if not only or opening.scenario in only]
    folder = Path(out) / "atlas"
    check_writable(folder)
    pairs = [_batteries(opening, replicates) for opening in chosen]
    every = [battery for pair in pairs for battery in pair]
    stores = run_studies(every, Path(out), engine, progress)
    rows = []
    for opening, pair in zip(chosen, pairs, strict=True):
        plain, there = (stores[battery.battery] for battery in pair)
        rows.append(
            Row(
                scenario=opening.scenario,
                plain=opening.plain,
                title=opening.title,
                about=there.battery.scenario.description,
                changes=opening.told,
                dimensions=opening.dimensions,
                effects=effects(opened(plain), opened(there)),
                folders=(plain.path.name, there.path.name),
            )
        )
    page = write_atlas(folder, rows, pairs[0][0])
    return Atlas(page, {row.scenario: row.effects for row in rows})


def _batteries(opening: Opening, replicates: int | None) -> tuple[Battery, Battery]:
    """Return the plain battery and the opening's: the same points, seeds and steps."""
    shared: dict[str, object] = {} if replicates is None else {"replicates": replicates}
    if not opening.dimensions:
        ratio = load_battery("atlas").uncertainties["ratio"].model_dump()
        shared |= {"uncertainties": {"ratio": ratio}, "derived": {"agents.Y.power": "2 / ratio"}}
    shared |= {f"scenario.{path}": value for path, value in opening.changes.items()}
    apart = {f"scenario.{path}": value for path, value in opening.apart.items()}
    name = f"atlas-{opening.scenario}"
    plain = {"battery": f"{name}-plain", "scenario": opening.plain, **apart}
    there = {"battery": name, "scenario": opening.scenario}
    there |= {f'derived."{path}"': text for path, text in opening.derived.items()}
    return load_battery("atlas", {**shared, **plain}), load_battery("atlas", {**shared, **there})
