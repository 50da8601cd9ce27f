"""The essay's budget against an aligner that has to look: what alignment takes, and the harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.courses import (
    BUDGET,
    FREE,
    HELD,
    KINDS,
    LOOKED,
    Course,
    Kind,
    expected,
    reached,
    simulated,
)
from sumabm.reproduce.drawing import curve, dots, panels
from sumabm.reproduce.estimates import Estimate, mean, points
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, Verdict, agreed

LETTER = "i"
TITLE = "An aligner that has to look needs more than the essay's nats"
STUDIES = ("essay-observer",)

_TAKES = ("nats of action", "harm (nats)")
_EARLY, _LATE = 0.3, 0.9  # mean alignments: where the essay's nats are about right, and are not
_NEAR = 1.1  # times the essay's nats: about right
_LEVELS = np.linspace(0.2, 0.9, 8)  # mean alignments to be reached
_SHOWN = 12  # steps of a run that are points
_UNCAPPED = "budget, 2 nats a step"
_DRAWN = 100  # dimensions of the figure


class Case(NamedTuple):
    """One aligner in so many dimensions: what runs did, and what theory says of their means."""

    d: int
    kind: Kind
    seen: Course
    told: Course

    def compared(self, outcome: str) -> list[Point]:
        """Return an outcome's points at some steps, or none where edits bind and it has no theory.

        What looks tell doesn't depend on edits: they turn belief and truth alike.
        """
        if not (outcome == "information" or self.kind.exact):
            return []
        last = self.seen.nats.size - 1
        steps = np.unique(np.geomspace(1.0, last, _SHOWN).round().astype(int))
        x = self.told.alignment if outcome == "harm" else self.told.nats / self.d
        found = mean(getattr(self.seen, outcome)[:, steps].T)
        series = f"{outcome}, {self.kind.name}, d = {self.d}"
        return points(series, x[steps], getattr(self.told, outcome)[steps], found)

    def factors(self, course: Course) -> Estimate:
        """Return the nats of action until `_LEVELS` over those that the essay asks for."""
        essay = theory.alignment_cost(self.d, _LEVELS)
        found = [reached(course, float(c))[0] for c in _LEVELS]
        level, error = (np.array(row, dtype=np.float64) for row in zip(*found, strict=True))
        return Estimate(level / essay, error / essay)

    def needed(self) -> list[Point]:
        """Return the points of `factors`, or none where there is no theory."""
        if not self.kind.exact:
            return []
        series = f"nats of action over the essay's, {self.kind.name}, d = {self.d}"
        return points(series, _LEVELS, self.factors(self.told).mean, self.factors(self.seen))


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return alignment, information and harm over the action that was looked at."""
    runs = data["essay-observer"]
    dimensions = sorted({int(d) for d in runs["d"].values})
    cases = {d: _cases(runs, d) for d in dimensions}
    drawn = _DRAWN if _DRAWN in cases else dimensions[-1]
    every = [
        point
        for case in (one for d in dimensions for one in cases[d])
        for rows in (*map(case.compared, ("alignment", "information", "harm")), case.needed())
        for point in rows
    ]
    return Findings(
        _figure(cases[drawn]),
        f"Training in d = {drawn} dimensions with O_X = 2 and O_Y = 1, over the nats of action "
        "looked at per dimension, 2/d a step: mean alignment; nats learnt of the AI's utility, "
        "per dimension; the harm done by the time that mean alignment is c; and the nats of action "
        "until then over those of the essay, all O_X nats of an action told. Solid: exact; "
        "points: simulated, with bars of two standard errors; dotted: simulated where edits bind, "
        "for which there is no closed form. Dashed: the essay's budget if it were not capped at "
        "O_Y, all O_X nats a step. Thin: limits of many dimensions. Points of a series share "
        "runs, and are off together.",
        "The aligner that looks is ahead of the capped budget early and behind it late, and "
        "always behind the uncapped; with weak edits it lags and then catches up. What it learns "
        "bends away below the essay's straight line. Its harm lies between that of the capped and "
        "of the uncapped budget. It needs 1.02 times the essay's nats until 0.2, 2.6 until 0.9.",
        "nats of action per dimension; of harm and of nats of action: mean alignment",
        "alignment, information (nats), harm (nats), or nats of action over the essay's",
        every,
        (_claim([cases[d][KINDS.index(FREE)] for d in dimensions[-2:]]),),
        _table(cases),
        "Nats of action looked at until mean alignment is c, and harm (nats) done by then: the "
        "essay's budget, capped at O_Y a step or not; the aligner that looks, in the limit of "
        "many dimensions, exactly, and simulated with standard errors.",
    )


def _cases(runs: xr.Dataset, d: int) -> tuple[Case, ...]:
    seen = [simulated(runs, d, kind) for kind in KINDS]
    told = {kind: expected(d, kind, seen[0].nats) for kind in (BUDGET, FREE)}
    return tuple(
        Case(d, kind, course, told[BUDGET if kind == BUDGET else FREE])
        for kind, course in zip(KINDS, seen, strict=True)
    )


def _figure(cases: Sequence[Case]) -> Figure:
    figure, (aligned, learnt, harmed, needed) = panels(4)
    for place, (d, kind, seen, told) in enumerate(cases):
        level, harm = seen.alignment.mean(axis=0)[1:], seen.harm.mean(axis=0)[1:]
        if not kind.exact:
            dotted: dict[str, Any] = {"linestyle": ":", "linewidth": 1.8}
            curve(aligned, seen.nats[1:] / d, level, place, label=kind.name, **dotted)
            curve(harmed, level, harm, place, **dotted)
            curve(needed, _LEVELS, cases[place].factors(seen).mean, place, **dotted)
            continue
        curve(aligned, told.nats[1:] / d, told.alignment[1:], place)
        curve(learnt, told.nats / d, told.information / d, place)
        curve(harmed, told.alignment, told.harm, place)
        dots(aligned, cases[place].compared("alignment"), place, kind.name)
        nats = cases[place].compared("information")
        dots(learnt, [Point(p.series, p.x, *(v / d for v in p[2:])) for p in nats], place, "_")
        dots(harmed, cases[place].compared("harm"), place, "_")
        curve(needed, _LEVELS, cases[place].factors(told).mean, place)
        dots(needed, cases[place].needed(), place, "_")
    _limits((aligned, learnt, harmed, needed), cases[0].d)
    nats_per_dimension = "nats of action looked at / d"
    aligned.set(xlabel=nats_per_dimension, ylabel="mean alignment", xscale="log", ylim=(0.0, 1.0))
    learnt.set(xlabel=nats_per_dimension, ylabel="nats learnt / d", xlim=(0.0, None))
    learnt.set_ylim(0.0, 1.4)
    harmed.set(xlabel="mean alignment c", ylabel="harm until then (nats)", ylim=(0.0, None))
    needed.set(xlabel="mean alignment c", ylabel="nats of action until then / essay's")
    needed.set(yscale="log", ylim=(0.8, 20.0))
    needed.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    needed.minorticks_off()
    shown = dict(zip(*reversed(aligned.get_legend_handles_labels()), strict=True))
    names = [*(kind.name for kind in KINDS), _UNCAPPED]
    figure.legend([shown[name] for name in names], names, loc="outside upper left", ncols=3)
    return figure


def _limits(panel: Sequence[Axes], d: int) -> None:
    """Draw the limits of many dimensions, thin, and the essay without its cap, dashed."""
    aligned, learnt, harmed, needed = panel
    nats, c = np.geomspace(LOOKED / d, 2.6, 200), np.linspace(0.0, 0.96, 200)
    thin: dict[str, Any] = {"linewidth": 0.7, "color": "black", "zorder": 1}
    dashed: dict[str, Any] = thin | {"linestyle": "--", "linewidth": 1.0, "label": _UNCAPPED}
    aligned.plot(nats, theory.bayesian_alignment(2.0 * nats), **thin)
    aligned.plot(nats, theory.alignment(d, d * nats), **dashed)
    learnt.plot(nats, theory.bayesian_information(1.0, 2.0 * nats), **thin)
    learnt.plot(nats, nats, **dashed)
    harmed.plot(c, theory.bayesian_training_harm(d, LOOKED, HELD, c), **thin)
    harmed.plot(c, theory.training_harm(d, LOOKED, HELD, c, exact=False), **thin)
    harmed.plot(c, theory.training_harm(d, LOOKED, HELD, c, cap=False), **dashed)
    later = c[c > 0.1]
    ratio = theory.looked_nats(1.0, later) / theory.cost_per_dimension(later)
    needed.plot(later, ratio, **thin)
    needed.plot(later, np.ones(later.size), **dashed)


def _claim(cases: Sequence[Case]) -> Claim:
    """Return the claim that alignment takes the essay's nats of action, with its numbers."""
    early = [_factor(case, 0, _EARLY) for case in cases]
    late = [_factor(case, 0, _LATE) for case in cases]
    harms = [_factor(case, 1, _LATE, cap) for case in cases for cap in (False, True)]
    told = (*early, *late, *harms)
    verdict: Verdict = "holds only if" if all(part.mean <= _NEAR for part in early) else "fails"
    if all(part.mean <= _NEAR for part in late):
        verdict = "holds"
    return Claim(
        190,
        "(Beyond the essay.) Alignment takes as many nats of action as the essay's budget has, "
        "because what the aligner sees of an action tells it all O_X nats.",
        told,
        verdict if agreed(told) == "holds" else "fails",
        "Only early, while c² is small against 1. A look tells less the more is known: alignment c "
        "takes (d/2) c²/(1 − c²) nats of action in place of −(d/2) ln(1 − c²), 1.16 times as many "
        "at c = 0.5 and 2.6 times at 0.9, without end as c → 1. Harm until 0.9 is half as much "
        "again, late steps doing little. The essay's cap of O_Y a step hides this: at "
        "O_X = 2 O_Y it holds the budget back so far that up to c = 0.85 it needs more action than "
        "the aligner that looks, and until 0.9 does more harm.",
        "The essay lists among what it leaves out that an action may be repeated to tell more: n "
        "looks at each divide its number of actions, and their harm, by n.",
    )


def _factor(case: Case, place: int, c: float, cap: bool = False) -> Measured:
    """Return what the aligner that looks takes until ``c`` over what the essay's budget does."""
    told, seen = (reached(course, c)[place] for course in (case.told, case.seen))
    essay = _essay(case.d, c, cap)[place]
    budget = "uncapped budget" if not cap else "capped budget"
    what = f"{_TAKES[place]} until c = {c} over that of the {budget}, d = {case.d}"
    expected, found, error = (float(v) / essay for v in (told.mean, seen.mean, seen.error))
    return Measured(what, expected, found, error)


def _essay(d: int, c: float, cap: bool) -> tuple[float, float]:
    """Return the nats of action, and the harm, that the essay's budget takes until ``c``."""
    nats = float(theory.alignment_cost(d, c)) * (LOOKED / HELD if cap else 1.0)
    return nats, float(theory.training_harm(d, LOOKED, HELD, c, cap=cap))


def _table(cases: Mapping[int, Sequence[Case]]) -> dict[str, list[str]]:
    """Return nats of action and harm until two alignments: essay, theory and simulations."""
    rows: list[list[str]] = []
    for d, case in cases.items():
        for c in (0.5, _LATE):
            limits = theory.looked_nats(d, c), theory.bayesian_training_harm(d, LOOKED, HELD, c)
            exact, *runs = [reached(case[1].told, c), *(reached(one.seen, c) for one in case[1:])]
            for place, name in enumerate(_TAKES):
                essay = [_essay(d, c, cap)[place] for cap in (True, False)]
                values = [*essay, float(limits[place]), float(exact[place].mean)]
                found = [plus_minus(*(float(v) for v in run[place])) for run in runs]
                rows.append([str(d), str(c), name, *map(number, values), *found])
    heads = ["d", "c", "what it takes", "essay, capped", "essay, uncapped", "looks, d → ∞"]
    heads += ["looks, exact", *(f"{kind.name}, simulated" for kind in KINDS[1:])]
    return {head: [row[column] for row in rows] for column, head in enumerate(heads)}
