"""Which predictions survive other choices than those that the essay makes without principle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.figures.style import PALETTE
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.counting import (
    CHOICES,
    ESSAY,
    FRAGILE,
    RESPONSES,
    VARIABLES,
    Choice,
    Harms,
    trained,
)
from sumabm.reproduce.estimates import Estimate, mean, slope_between
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, Verdict, agreed

LETTER = "h"
TITLE = "Which predictions survive other choices"
STUDIES = ("essay-choices", "essay-uncapped")

_DIMENSIONS = (100, 1000)
_LOW, _EQUAL = 0.5, 1.0
_NEAR, _FAR = (1.92, 2.0833333333333335), (1024.0, 1936.0)  # O_X/O_Y about 2, and far above
_CLOSE = 0.2  # of an exponent or a slope, to what the essay says
_STEEP = 1.5  # times the far slope: catching up


class Result(NamedTuple):
    """A prediction under a choice: what the essay says, what came of it, and does it survive."""

    essay: float
    told: float
    seen: Estimate
    survives: bool

    def measured(self, what: str) -> Measured:
        """Return it as a number that a claim rests on."""
        return Measured(what, self.told, float(self.seen.mean), float(self.seen.error))


PREDICTIONS = (
    "exponent of d",
    "harm at O_X ≤ O_Y, over that at 2 O_Y",
    "slope at O_X = 2 O_Y",
    "slope far above",
)
_SHORT = (
    "exponent of $d$",
    "harm at $O_X \\leq O_Y$\n/ at $2 O_Y$",
    "slope at\n$2 O_Y$",
    "slope far\nabove",
)


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return four predictions under each choice, with what theory says of them."""
    found = {choice: results(data, choice) for choice in CHOICES}
    every = [
        Point(what, row, *found[choice][column].measured(what)[1:4])
        for column, what in enumerate(PREDICTIONS)
        for row, choice in enumerate(CHOICES)
    ]
    return Findings(
        _figure(found),
        "Four predictions of the essay, row by row with one of its choices replaced: harm in "
        f"training ∝ d (its exponent from d = {_DIMENSIONS[0]} to {_DIMENSIONS[1]}, at O_X about "
        "2 O_Y); no harm while O_X ≤ O_Y (harm at ½ and 1 over that at 2, the larger); a steep "
        "catch-up phase (log–log slope of harm over O_X/O_Y at 2); and a slope of p far above it "
        "(from 1024 to 1936). Grey: the essay; open circles: exact expectation of just these "
        "runs; dots: simulated, with bars of two standard errors, crosses where the prediction "
        "does not survive.",
        "Proportionality to d falls with other variables of integration and with the loss of "
        "utility; the threshold and the catch-up phase fall when humans do anything but undo; the "
        "far slope falls to zero without the cap.",
        "row of the figure, from 0 at the top",
        "as the series says",
        every,
        (_variables(found), _fragility(data), _threshold(found)),
        _table(found),
        "The same in numbers: does the prediction survive, simulated with its standard error, and "
        "in theory. Survival: an exponent or far slope within 0.2 of the essay's; no harm at all; "
        "a slope at 2 above 1.5 times the far one. The loss of utility is nearly all in the first "
        "few of the 256 steps, in any d.",
    )


def results(data: Mapping[str, xr.Dataset], choice: Choice) -> tuple[Result, ...]:
    """Return what becomes of each prediction under a choice, in the order of `PREDICTIONS`."""
    few, many = _DIMENSIONS
    here = {r: trained(data, choice, many, r) for r in (_LOW, _EQUAL, *_NEAR, *_FAR)}
    two = here[_NEAR[1]]
    grown, expected = _slope(_DIMENSIONS, trained(data, choice, few, _NEAR[1]), two)
    below = max(here[_LOW], here[_EQUAL], key=lambda harms: harms.told)
    share = _over(below, two)
    near, near_told = _slope(_NEAR, here[_NEAR[0]], two)
    far, far_told = _slope(_FAR, *(here[r] for r in _FAR))
    return (
        Result(1.0, expected, grown, abs(float(grown.mean) - 1.0) < _CLOSE),
        Result(0.0, below.told / two.told, share, float(share.mean) == 0.0),
        Result(
            float(theory.local_slope(2.0, choice.p)),
            near_told,
            near,
            float(near.mean) > _STEEP * float(far.mean),
        ),
        Result(choice.p, far_told, far, abs(float(far.mean) - choice.p) < _CLOSE),
    )


def _over(some: Harms, other: Harms) -> Estimate:
    """Return the ratio of two means whose runs share their random numbers."""
    ratio = some.runs.mean() / other.runs.mean()
    error = mean(some.runs - ratio * other.runs).error / other.runs.mean()
    return Estimate(np.asarray(ratio), np.asarray(error))


def _slope(x: Sequence[float], low: Harms, high: Harms) -> tuple[Estimate, float]:
    """Return the log–log slope of harm between two points, as simulated and in theory."""
    seen = slope_between(np.array(x), low.runs, high.runs, paired=True)
    told = float(np.log(high.told / low.told) / np.log(x[1] / x[0]))
    return Estimate(*(np.asarray(value) for value in seen)), told


def _figure(found: Mapping[Choice, Sequence[Result]]) -> Figure:
    figure = Figure(figsize=(7.2, 4.6))
    panels = figure.subplots(1, len(PREDICTIONS), sharey=True)
    for column, axes in enumerate(panels):
        _panel(axes, [results[column] for results in found.values()])
        axes.set_xlabel(_SHORT[column])
    panels[0].set_yticks(np.arange(len(found)), [choice.name for choice in found])
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
    return figure


def _panel(axes: Axes, results: Sequence[Result]) -> None:
    """Draw one prediction, a row for each choice."""
    rows = range(len(results))
    grey: dict[str, Any] = {"color": "black", "alpha": 0.25, "ms": 15, "markeredgewidth": 3}
    axes.plot([r.essay for r in results], rows, "|", label="essay", **grey)
    axes.plot([r.told for r in results], rows, "ko", fillstyle="none", ms=8, label="theory")
    for survives, look, word in ((True, "o", "survives"), (False, "X", "does not survive")):
        here = [row for row in rows if results[row].survives == survives]
        axes.errorbar(
            [float(results[row].seen.mean) for row in here],
            here,
            xerr=[2.0 * float(results[row].seen.error) for row in here],
            fmt=look,
            color=PALETTE[0 if survives else 1],
            markersize=4.5,
            capsize=2,
            elinewidth=0.9,
            label=f"simulated, {word}",
        )
    axes.margins(x=0.12)
    axes.grid(axis="y", alpha=0.1)


def _variables(found: Mapping[Choice, Sequence[Result]]) -> Claim:
    """Return the claim that it doesn't matter much what harm is integrated over."""
    told = [
        found[choice][column].measured(f"{PREDICTIONS[column]}, {choice.name}")
        for column in range(len(PREDICTIONS))
        for choice in (ESSAY, *VARIABLES)
    ]
    kept = [[result.survives for result in found[choice]] for choice in VARIABLES]
    verdict: Verdict = "holds only if" if all(all(row[1:]) for row in kept) else "fails"
    verdict = "holds" if all(map(all, kept)) else verdict
    return Claim(
        160,
        "Results are qualitatively the same when harm is integrated with respect to other "
        "functions of the budget D than D itself.",
        tuple(told),
        verdict if agreed(told) == "holds" else "fails",
        "Only if proportionality to d is not counted among them: harm goes as √d over √D and as d² "
        "over D². The threshold and the phases are the same, because what D is raised to does not "
        "touch how harm depends on the powers.",
    )


def _fragility(data: Mapping[str, xr.Dataset]) -> Claim:
    """Return the claim that fragility acts as more dimensions do."""
    told: list[Measured] = []
    d = _DIMENSIONS[1]
    for choice in FRAGILE:
        m = choice.fragility
        limit = number(float(theory.fragility_factor(m, 0.9)), 3)
        for ratio in (_NEAR[1], _FAR[0]):
            plain, other = (trained(data, way, d, ratio) for way in (ESSAY, choice))
            what = f"factor on harm, m = {m:g}, O_X/O_Y = {ratio:.4g}, d = {d} ({limit} for d → ∞)"
            factor = _over(other, plain)
            told.append(Result(1.0, other.told / plain.told, factor, True).measured(what))
    pairs = list(zip(told[::2], told[1::2], strict=True))
    same = all(np.isclose(near.mean, far.mean, rtol=1e-9) for near, far in pairs)
    verdict: Verdict = "holds" if all(part.mean > 1.0 for part in told) else "holds only if"
    return Claim(
        170,
        "More fragile values, harm in a power of the divergence (φ^m in place of φ), have the same "
        "effect as more dimensions.",
        tuple(told),
        verdict if same and agreed(told) == "holds" else "fails",
        "Only if m is below 1. Fragility multiplies harm by K(2pm)/K(2p), the same factor at every "
        "O_X, as another d would; but for m above 1 as a smaller d, with less harm, because "
        "divergences are mostly below 1.",
    )


def _threshold(found: Mapping[Choice, Sequence[Result]]) -> Claim:
    """Return the claim that the threshold is well motivated though it was put in."""
    ways = (ESSAY, *RESPONSES)
    told = [
        found[choice][column].measured(f"{PREDICTIONS[column]}, {choice.name}")
        for column in (1, 2)
        for choice in ways
    ]
    sudden = [found[choice][1].survives for choice in ways]
    verdict: Verdict = "holds" if all(sudden) else "holds only if" if sudden[0] else "fails"
    return Claim(
        180,
        "The sudden threshold at O_X = O_Y is well motivated, though somewhat artificial.",
        tuple(told),
        verdict if agreed(told) == "holds" else "fails",
        "Only if humans undo what the AI did, whatever it was. Then nobody has to put the "
        "threshold in: it comes out of the mechanics, as a tilt of power O_Y back to the world "
        "before. If they do nothing, tilt the world by their own utility, or undo only what harms "
        "them, there is harm at any O_X and no threshold.",
        "The essay says itself that it added a threshold function to its measure of harm.",
    )


def _table(found: Mapping[Choice, Sequence[Result]]) -> dict[str, list[str]]:
    """Return what becomes of the predictions, a row for each choice."""

    def cell(result: Result) -> str:
        seen = plus_minus(float(result.seen.mean), float(result.seen.error))
        return f"{'yes' if result.survives else 'no'}: {seen} ({number(result.told)})"

    table = {"choice": [choice.name for choice in found]}
    for column, what in enumerate(PREDICTIONS):
        table[what] = [cell(result[column]) for result in found.values()]
    return table
