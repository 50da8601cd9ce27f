"""How harm grows with the scale ξ of AI: O_X = ξ O_Y, in d = 400 ξ^α dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.drawing import curve, dots, legend, look, panels, shade
from sumabm.reproduce.estimates import at, mean, points, slope_between
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, Verdict, agreed
from sumabm.reproduce.training import (
    ALIGNED,
    D0,
    UNITS,
    WITHIN,
    Slope,
    harms,
    left_harm,
    slope,
    slopes,
)
from sumabm.types import Array

LETTER = "f"
TITLE = "Harm over scale: lag, catch-up, exponential"
STUDIES = ("essay-scaling", "essay-slopes", "essay-scaling-far", "essay-uncapped")

_CAUGHT_UP = 36.0  # ξ where the slope is p/5 above its end
_MOST = 3e3  # ξ drawn
_LEVEL = 1000  # dimensions of the series without the cap


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return harm over ξ for every α, and its local slopes beside ``p √ξ/(√ξ − 1) + α``."""
    runs, pairs, far = (data[name] for name in STUDIES[:3])
    alphas = np.unique(runs["alpha"].values)
    harm = {
        (alpha, p): [point for part in (runs, far) for point in harms(part, alpha, p)]
        for p in UNITS
        for alpha in alphas
    }
    near, late = slopes(pairs, alphas), slopes(far, alphas, last=True)
    first = [slope(runs, alpha, 1.0, _first(runs), paired=False) for alpha in alphas]
    level = uncapped(data["essay-uncapped"])
    shown = {alpha: harm[alpha, 1.0] for alpha in alphas}
    return Findings(
        _drawn(shown, [s for s in (*near, *late) if s.p == 1.0], level),
        "Training harm over the AI's scale ξ = O_X/O_Y in d = 400 ξ^α dimensions: linear, "
        "logarithmic, and its local slope. Up to ξ = 1 there is none (lag); then the slope falls "
        "(catch-up, drawn to ξ = 36) to 1 + α (dotted). Black: constant d where the aligner's "
        "information is not capped at O_Y. Lines: integral and formula; points, simulated, are "
        "compared with the left sums of their runs, 1.5 % above the integral.",
        "Harm is zero to ξ = 1, leaves it vertically in logarithms and becomes straight lines, the "
        "steeper the larger α; without the cap the line of constant d is level. Local slopes fall "
        "from infinity at ξ = 1 to 1, 1.5 and 2.",
        "ξ = O_X/O_Y",
        "harm (nats; amplitudes in √nats where O_Y is 1 nat) or slope",
        [point for rows in harm.values() for point in rows]
        + level
        + [each.point() for each in (*near, *late)],
        (
            _lag(shown),
            _catch_up(near, first),
            _exponential(late),
            _levelling(late, data["essay-uncapped"]),
        ),
        _table([*near, *late]),
        "Local slopes d ln harm / d ln ξ: the formula p √ξ/(√ξ − 1) + α; what it is of just these "
        "runs, which have whole d and finite distances of ξ; and simulated.",
    )


def uncapped(runs: xr.Dataset) -> list[Point]:
    """Return the harm in nats over ξ where every step tells the aligner all of O_X nats."""
    every = np.unique(runs["ratio"].values)
    found = mean(np.array([_uncapped_harm(runs, ratio, 1.0) for ratio in every]))
    expected = left_harm(_LEVEL, every, 1.0) / every
    return points(f"harm, no cap, d = {_LEVEL}, nats", every, expected, found)


def _first(runs: xr.Dataset) -> Array:
    xi = np.unique(runs["xi"].values)
    return xi[xi > 1.0][:2]


def _uncapped_harm(runs: xr.Dataset, ratio: float, p: float) -> Array:
    """Return harm per replicate, amplitudes but for a factor that does not depend on the ratio.

    These runs share O_X, not O_Y, in whose unit amplitudes are to be.
    """
    steps = at(runs, "harm_amplitude", ratio=ratio, d=_LEVEL) ** (2.0 * p)
    return np.asarray(steps.sum(axis=0) * ratio ** (p - 1.0))


def _lag(shown: Mapping[float, list[Point]]) -> Claim:
    told = [
        Measured(f"most harm at ξ ≤ 1, α = {alpha:g}", 0.0, max(lag), 0.0, "nats")
        for alpha, rows in shown.items()
        if (lag := [row.mean for row in rows if row.x <= 1.0])
    ]
    return Claim(
        110,
        "Lag: while O_X ≤ O_Y no harm is possible, whatever the dimensions.",
        tuple(told),
        agreed(told),
        "Humans undo every act, in every replicate. An AI that is not aligned does no harm, so "
        "nothing in the harm foretells what comes after.",
        "The essay holds that the world is in this phase; the model does not tell.",
    )


def _catch_up(near: list[Slope], first: list[Slope]) -> Claim:
    told = [each.measured() for each in (*near, *first)]
    close = all(each.near(each.formula) for each in near)
    most = max(abs(each.mean - each.formula) for each in near)
    return Claim(
        120,
        "Catch-up: above ξ = 1 harm grows faster than ξ^(p + α), because scale brings more "
        "dimensions and overcomes the threshold at once.",
        tuple(told),
        agreed(told) if close else "fails",
        "The local slope is p √ξ/(√ξ − 1) + α, infinite at ξ = 1. Simulated slopes at ξ = 1.5, 2 "
        f"and 4 are {most:.2g} from it at most ({WITHIN:g} is asked), for every α and p. Beside "
        "them stands the exact slope between the two simulated points, which have whole d. At "
        "α = 0 the points share all their random numbers, so that nothing is left of the noise.",
    )


def _exponential(late: list[Slope]) -> Claim:
    told = [each.measured() for each in late]
    close = all(each.near(each.p + each.alpha) for each in late)
    most = max(abs(each.mean - each.p - each.alpha) for each in late)
    return Claim(
        130,
        "Exponential: where O_X ≫ O_Y harm grows only as ξ^(p + α).",
        tuple(told),
        agreed(told) if close else "fails",
        f"About ξ = {late[0].xi:.4g} slopes are {most:.2g} from p + α at most. They come to it "
        f"slowly: the excess is p/(√ξ − 1), still p/5 at ξ = {_CAUGHT_UP:g}.",
        "The essay conjectures the three phases.",
    )


def _levelling(late: list[Slope], runs: xr.Dataset) -> Claim:
    """Return the claim that harm levels off at constant d: with the essay's cap it doesn't."""
    capped = [each for each in late if each.alpha == 0.0]
    told = [each.measured() for each in capped]
    told += [_uncapped_slope(runs, p) for p in UNITS]
    level = abs(told[len(capped)].mean) <= WITHIN
    grows = all(each.near(each.p) for each in capped)
    verdict: Verdict = "holds only if"
    return Claim(
        150,
        "At constant d harm levels off with scale; with d ∝ ξ^α it goes on growing.",
        tuple(told),
        verdict if level and grows and agreed(told) == "holds" else "fails",
        "Only if the cap ι = min(O_X, O_Y) is dropped. With the essay's cap harm at constant d "
        "grows as ξ^p, because each step does more harm and tells no more. If each step tells all "
        "O_X nats, harm in nats is ∝ d (1 − 1/√ξ)², level at constant d and ∝ ξ^α otherwise; "
        "amplitudes even fall, as 1/√ξ.",
        "So says the text under the essay's figure; the essay's text has the cap.",
    )


def _uncapped_slope(runs: xr.Dataset, p: float) -> Measured:
    pair = np.unique(runs["ratio"].values)[-2:]
    low, high = (_uncapped_harm(runs, ratio, p) for ratio in pair)
    a, b = theory.residual(pair, 1.0) ** (2.0 * p) / pair
    what = f"slope between ξ = {pair[0]:g} and {pair[1]:g} without the cap, d = {_LEVEL}, p = {p:g}"
    expected = float(np.log(b / a) / np.log(pair[1] / pair[0]))
    return Measured(what, expected, *slope_between(pair, low, high, paired=True))


def _table(rows: list[Slope]) -> dict[str, list[str]]:
    return {
        "ξ": [f"{row.xi:.4g}" for row in rows],
        "α": [f"{row.alpha:g}" for row in rows],
        "p": [f"{row.p:g}" for row in rows],
        "formula": [number(row.formula) for row in rows],
        "these runs in theory": [number(row.theory) for row in rows],
        "simulated": [plus_minus(row.mean, row.error) for row in rows],
    }


def _drawn(shown: Mapping[float, list[Point]], steep: list[Slope], level: list[Point]) -> Figure:
    figure, (linear, logs, local) = panels(3)
    few, many = np.linspace(0.0, 17.0, 103), np.geomspace(1.001, _MOST, 100)
    for order, (alpha, rows) in enumerate(shown.items()):
        label = f"α = {alpha:g}"
        curve(linear, few, theory.scaled_harm(few, D0, alpha, ALIGNED), order)
        curve(logs, many, theory.scaled_harm(many, D0, alpha, ALIGNED), order)
        curve(local, many, theory.local_slope(many, 1.0, alpha), order)
        local.axhline(1.0 + alpha, color=look(order)["color"], linestyle=":", linewidth=0.8)
        dots(linear, [row for row in rows if row.x <= few[-1]], order, label)
        dots(logs, [row for row in rows if row.x > 1.0], order, label)
        found = [s.point() for s in steep if s.alpha == alpha]
        dots(local, found, order, label)
    curve(logs, many, theory.training_harm(_LEVEL, many, 1.0, ALIGNED, cap=False), 6, ls="--")
    dots(logs, [row for row in level if row.x > 1.0], 6, f"d = {_LEVEL}, no cap")
    for axes in (linear, logs, local):
        axes.set_xlabel("scale of the AI, $ξ = O_X / O_Y$")
        axes.set_ylabel("harm in training (nats)")
    local.set_ylabel("slope, d ln harm / d ln ξ")
    linear.set(xlim=(0.0, 17.0), ylim=(-60.0, 1800.0), xticks=range(0, 17, 4))
    logs.set(xscale="log", yscale="log", xlim=(0.15, _MOST), ylim=(1e-2, 1e9))
    local.set(xscale="log", xlim=(0.15, _MOST), ylim=(0.0, 8.0))
    shade(linear, 1.0, "lag")
    _phases(logs, 0.05)
    _phases(local, 0.93)
    legend(logs, "lines: theory; points: simulated", 2)
    return figure


def _phases(axes: Axes, height: float) -> None:
    """Shade and name the three phases of a panel whose scale is logarithmic."""
    ends = (axes.get_xlim()[0], 1.0, _CAUGHT_UP, axes.get_xlim()[1])
    for name, (low, high), depth in zip(
        ("lag", "catch-up", "exponential"), pairwise(ends), (0.07, 0.03, 0.0), strict=True
    ):
        axes.axvspan(low, high, color="black", alpha=depth, linewidth=0)
        where = axes.get_xaxis_transform()
        axes.text(np.sqrt(low * high), height, name, transform=where, ha="center", fontsize=8)
