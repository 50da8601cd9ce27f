"""What one action reveals of the utility behind it: less than the power it was done with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.reproduce.drawing import curve, dots, legend, panels
from sumabm.reproduce.estimates import Estimate, at, mean, points
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, Verdict, agreed
from sumabm.types import Array

LETTER = "j"
TITLE = "An action tells at most its power, and less when it is strong"
STUDIES = ("essay-information",)

REFERENCE = {
    (3, 1.0): (0.760999623373, 0.628904145185),
    (10, 1.0): (0.911440398194, 0.403365699157),
    (10, 5.0): (3.448071225330, 0.711001336194),
}
"""Information (nats) and mean cosine by dimensions and power, in high precision [dytso-2018]."""
RADII = {1: 1.66592407, 2: 2.45351034, 3: 3.06515589}
"""Published largest radii at which a uniform direction is the most informative [dytso-2018]."""

_ALL = 0.98  # of the action's nats: as good as all of them
_WORDS = {"information": "information (nats)", "alignment": "mean cosine"}


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return information and mean cosine after one look at one act, over power and dimensions."""
    runs = data["essay-information"]
    dimensions = sorted({int(d) for d in runs["world.dimensions"].values})
    told = {d: told_by(runs, "information", d) for d in dimensions}
    known = {d: told_by(runs, "alignment", d) for d in dimensions}
    return Findings(
        _figure(told),
        "Left: nats that one look at one action of power O reveals of a random utility, for "
        "several dimensions d. Dashed: the essay, all O nats. Right: the same as a share of O, "
        "over 2O/d, in the same colours. Dashed: the bound (d/2) ln(1 + 2O/d), which no law of "
        "utilities can exceed and which many dimensions reach. Lines: exact; bars: two standard "
        "errors.",
        "Information rises along the essay's straight line while the power is small against d/2, "
        "then bends below it, the earlier the fewer the dimensions; as a share of the power it "
        "falls from 1 along the bound.",
        "power O (nats)",
        "information (nats) or mean cosine",
        [p for found in (told, known) for rows in found.values() for p in rows],
        (_claim(runs, dimensions),),
        _table(),
        "Theory here beside reference values: radii as published by Dytso, Al, Poor and Shamai "
        "(2018), to which they hold within 0.0002; the others from their formula, in high "
        "precision and independently of this project.",
    )


def told_by(runs: xr.Dataset, outcome: str, d: int) -> list[Point]:
    """Return the points over power at one d: information in nats, or alignment.

    Edits are free, so that alignment after one is the cosine of truth and estimate.
    """
    exact = theory.action_information if outcome == "information" else theory.action_alignment
    here = runs["world.dimensions"].values == d
    power = runs["agents.X.power"].values[here]
    found = mean(np.atleast_2d(at(runs, f"{outcome}.X", world__dimensions=d)))
    return points(f"{_WORDS[outcome]}, d = {d}", power, exact(d, power), found)


def _figure(told: Mapping[int, list[Point]]) -> Figure:
    figure, (nats, shares) = panels(2)
    every = [p.x for rows in told.values() for p in rows]
    power = np.geomspace(min(every), max(every), 120)
    for number, (d, rows) in enumerate(told.items()):
        exact = theory.action_information(d, power)
        curve(nats, power, exact, number)
        dots(nats, rows, number, f"d = {d}")
        curve(shares, 2.0 * power / d, exact / power, number)
        per_nat = [
            Point(p.series, 2.0 * p.x / d, p.theory / p.x, p.mean / p.x, p.error / p.x)
            for p in rows
        ]
        dots(shares, per_nat, number, "_as on the left")
    dashed: dict[str, Any] = {"color": "black", "linestyle": "--", "linewidth": 1.0}
    nats.plot(power, power, label="essay", zorder=1, **dashed)
    low, high = min(every) / max(told), max(every) / min(told)
    x = np.geomspace(2.0 * low, 2.0 * high, 200)
    shares.plot(x, np.log1p(x) / x, label="upper bound: ln(1 + x)/x", zorder=1, **dashed)
    nats.set(xlabel="power O (nats)", ylabel="information from one action (nats)")
    nats.set(xscale="log", yscale="log")
    shares.set(xlabel="x = 2O/d", ylabel="information / O", xscale="log", ylim=(0.0, 1.06))
    legend(nats, "lines: exact; points: simulated", 3)
    legend(shares)
    return figure


def _claim(runs: xr.Dataset, dimensions: list[int]) -> Claim:
    """Return the claim that an action tells its power; the verdict is the simulated shares'."""
    told: list[Measured] = []
    for (d, power), expected in REFERENCE.items():
        for outcome, value in zip(_WORDS, expected, strict=True):
            values = at(runs, f"{outcome}.X", world__dimensions=d, agents__X__power=power)
            what = f"{_WORDS[outcome].split(' (')[0]} at d = {d}, O = {power:g}"
            unit = "nats" if outcome == "information" else ""
            told.append(_measured(what, value, mean(values), unit))
    told.append(_second(runs, 10, 5.0))
    rows = {d: told_by(runs, "information", d) for d in dimensions}
    told += [_share(d, rows[d][-1]) for d in (min(rows), max(rows))]
    told.append(_share(max(rows), rows[max(rows)][0]))
    return Claim(
        60,
        "What an action is expected to tell of the AI's utility is the KL divergence of the world "
        "after it from the world before: O_X nats.",
        tuple(told),
        _verdict(told, [p for d in dimensions for p in rows[d]]),
        "Only if O_X is small against d/2, and of the first looks. The truth is I(d, O) ≤ "
        "(d/2) ln(1 + 2O/d) ≤ O: what was seen is a noisy sample of the world, not the world. "
        "n looks at actions of power O together tell I(d, nO), so each further look at the same "
        "AI tells less than the one before.",
    )


def _verdict(told: list[Measured], shown: list[Point]) -> Verdict:
    """Return whether an action tells all of its power: everywhere, only when weak, or nowhere."""
    if agreed([*told, *shown]) == "fails":
        return "fails"
    share = np.array([p.mean / p.x for p in shown])
    if share.min() >= _ALL:
        return "holds"
    return "holds only if" if share.max() >= _ALL else "fails"


def _second(runs: xr.Dataset, d: int, power: float) -> Measured:
    """Return what a second look adds: two at ``power`` tell what one at twice that tells."""
    parts = [
        mean(at(runs, "information.X", world__dimensions=d, agents__X__power=o))
        for o in (power, 2.0 * power)
    ]
    first, both = theory.action_information(d, np.array([power, 2.0 * power]))
    gain = Estimate(parts[1].mean - parts[0].mean, np.hypot(parts[0].error, parts[1].error))
    what = f"what a second look adds at d = {d}, O = {power:g}"
    return _measured(what, float(both - first), gain, "nats")


def _share(d: int, point: Point) -> Measured:
    found = Estimate(np.asarray(point.mean / point.x), np.asarray(point.error / point.x))
    what = f"share of O at d = {d}, O = {point.x:g}"
    return _measured(what, point.theory / point.x, found)


def _measured(what: str, expected: float, found: Estimate, unit: str = "") -> Measured:
    return Measured(what, expected, float(found.mean), float(found.error), unit)


def _table() -> dict[str, list[str]]:
    """Return reference values and what theory says here."""
    rows: list[tuple[str, float, Array]] = []
    for (d, power), (nats, cosine) in REFERENCE.items():
        where = f"d = {d}, O = {power:g}"
        rows.append((f"information (nats), {where}", nats, theory.action_information(d, power)))
        rows.append((f"mean cosine, {where}", cosine, theory.action_alignment(d, power)))
    for d, radius in RADII.items():
        what = f"largest radius √(2O) at which a uniform direction tells most, d = {d}"
        rows.append((what, radius, theory.largest_uniform_radius(d)))
    return {
        "quantity": [what for what, _, _ in rows],
        "reference": [f"{value:.12g}" for _, value, _ in rows],
        "theory": [f"{float(value):.12g}" for _, _, value in rows],
    }
