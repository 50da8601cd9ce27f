"""Harm over time as AI power grows exponentially: AIs one after the other, and one that grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.drawing import curve, dots, legend, look, panels, shade
from sumabm.reproduce.estimates import Estimate, at, mean, points, slope_between
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, agreed
from sumabm.reproduce.training import ALIGNED, D0, Slope, harms, slope, slopes
from sumabm.types import Array

LETTER = "g"
TITLE = "Harm over time: more than exponential about human level"
STUDIES = ("essay-scaling", "essay-scaling-far", "essay-time")

_START, _END = 0.1, 100.0  # power in essay-time, in units of the humans'
_DRAWN = 12  # points of each run
_HUMAN_LEVEL = np.array([1.5, 2.0])  # ξ between which growth about human level is taken
_HARMLESS = 1.0  # nats, the humans' power in one step


class Run(NamedTuple):
    """An AI that grows at rate ``g`` from `_START` to `_END`: theory of every step, and harm."""

    d: int
    g: float
    aligned: bool
    xi: Array
    budgets: Array  # nats spent before each step
    expected: Array  # harm in nats
    harm: Array  # (step, replicate)
    total: Array  # (replicate,)

    def points(self) -> list[Point]:
        """Return harm per step at some of the steps after human level, over ln ξ."""
        first = int(np.argmax(self.xi > 1.0))
        some = np.unique(np.linspace(first, self.xi.size - 1, _DRAWN).round().astype(int))
        how = f"aligned, g = {self.g:g}" if self.aligned else "never aligned"
        found = mean(self.harm[some])
        return points(f"{how}, d = {self.d}", np.log(self.xi[some]), self.expected[some], found)

    def slope(self, low: float, high: float) -> Measured:
        """Return d ln harm / d(gt) between the steps that come next to two ξ."""
        near = [int(np.abs(np.log(self.xi / xi)).argmin()) for xi in (low, high)]
        xi, (a, b) = self.xi[near], self.expected[near]
        formula = number(float(theory.local_slope(np.sqrt(xi.prod()))))
        what = f"never aligned: slope from ξ = {xi[0]:.3g} to {xi[1]:.3g} (formula {formula})"
        expected = float(np.log(b / a) / np.log(xi[1] / xi[0]))
        return Measured(what, expected, *slope_between(xi, *self.harm[near], paired=True))


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return harm of AIs trained at time t, and of one that grows, over g·t since human level."""
    scales, far, times = (data[name] for name in STUDIES)
    alphas = np.unique(scales["alpha"].values)
    trained = {alpha: _over_time(scales, far, alpha) for alpha in alphas}
    rates = np.unique(times["g"].values)
    dimensions = [int(d) for d in np.unique(times["d"].values)]
    aligned = [run_of(times, d, g, aligned=True) for d in dimensions for g in rates]
    never = [run_of(times, d, g, aligned=False) for d in dimensions for g in rates]
    middle = [run for run in never if run.g == rates[len(rates) // 2]]
    about = [slope(scales, alpha, 1.0, _HUMAN_LEVEL, paired=False) for alpha in alphas]
    late = [each for each in slopes(far, alphas, last=True) if each.p == 1.0]
    return Findings(
        _drawn(trained, aligned, middle),
        "Over time as power grows as exp(gt), in units of 1/g after the AI's power is the humans'. "
        "Left: harm of training a new AI then, in d = 400 ξ^α dimensions; dotted, exponentials. "
        "Middle and right: harm of each step of one AI whose power grows from 0.1 to 100 nats "
        "against 1 nat, in 100 and 1000 dimensions, if it is never aligned and if it is aligned "
        "as it grows, at several rates. Lines: theory; points, simulated, are compared with the "
        "sums of their steps.",
        "Harm is zero before human level. After it curves rise more steeply than the straight "
        "lines of exponentials, which they then follow; with slow growth, an AI that is being "
        "aligned does less harm by orders of magnitude.",
        "g·t since human level, ln(O_X/O_Y)",
        "harm in training, or of a step (nats)",
        [p for rows in trained.values() for p in rows]
        + [p for run in (*aligned, *middle) for p in run.points()],
        (_exponential(about, late, middle), _harmless(aligned, never)),
        _table(aligned, never),
        f"An AI that grows from {_START:g} to {_END:g} nats against 1 nat while it is being "
        "aligned: what is spent on it before it is as strong as the humans, its mean alignment "
        "then, and its harm in all, beside one that is never aligned.",
    )


def run_of(runs: xr.Dataset, d: int, g: float, *, aligned: bool) -> Run:
    """Return a run of essay-time: it ends before those at lower rates."""
    steps = int(np.ceil(np.log(_END / _START) / g))
    xi = _START * np.exp(g * np.arange(steps))
    spent = np.cumsum(np.minimum(xi, 1.0)) - np.minimum(xi, 1.0)
    budgets = spent if aligned else np.zeros(steps)
    expected = theory.expected_harm(d, budgets, theory.residual(xi, 1.0))
    where = {"d": d, "g": g, "agents__W__method": "budget" if aligned else "none"}
    harm, total = (at(runs, name, **where)[:steps] for name in ("harm", "cumulative_harm"))
    return Run(d, g, aligned, xi, budgets, expected, harm, total[-1])


def _over_time(scales: xr.Dataset, far: xr.Dataset, alpha: float) -> list[Point]:
    rows = [row for part in (scales, far) for row in harms(part, alpha, 1.0)]
    return [
        row._replace(series=f"trained then, α = {alpha:g}", x=float(np.log(row.x)))
        for row in rows
        if row.x > 1.0
    ]


def _exponential(about: list[Slope], late: list[Slope], never: list[Run]) -> Claim:
    told = [each.measured() for each in (*about, *late)]
    told += [run.slope(*xi) for run in never for xi in ((1.5, 2.0), (50.0, 100.0))]
    steeper = all(each.mean - 5.0 * each.error > each.p + each.alpha for each in about)
    close = all(each.near(each.p + each.alpha) for each in late)
    return Claim(
        140,
        "If AI power grows exponentially in time, harm grows exponentially late, and more than "
        "exponentially about human level.",
        tuple(told),
        agreed(told) if steeper and close else "fails",
        "Slopes over gt are those over ln ξ: √ξ/(√ξ − 1) + α (in nats), which ends at 1 + α. The "
        "harm of one AI that nobody aligns grows alike, with α = 0, in every replicate.",
        "The essay expects that power grows so; nothing here tells whether it does.",
    )


def _harmless(aligned: list[Run], never: list[Run]) -> Claim:
    told = [_share(run, other) for run, other in zip(aligned, never, strict=True)]
    paid = [run for run in aligned if _lag(run) >= theory.alignment_cost(run.d, ALIGNED)]
    small = all(run.total.mean() < _HARMLESS for run in paid)
    limits = {run.d: _fastest(run.d) for run in aligned}
    return Claim(
        145,
        "Beyond the essay: an AI that grows while it is being aligned does almost no harm, because "
        "it is aligned before it gets strong.",
        tuple(told),
        "holds only if" if small and agreed(told) == "holds" else "fails",
        "Only if it grows slowly. In the lag, in which harm is impossible, (1 − ξ₀)/g nats are "
        "spent on it, ξ₀ its first power; they pay for alignment 0.9 if g is at most "
        + ", ".join(f"{limit:.2g} per step in {d} dimensions" for d, limit in limits.items())
        + ". Then its harm in all is below 1 nat, the humans' power in one step. The share that "
        "is left of the harm of one never aligned grows with g·d, and in many dimensions and small "
        "steps depends on it alone.",
        "The essay names an AI that gains power while it is altered among what it leaves out.",
    )


def _share(run: Run, never: Run) -> Measured:
    """Return the harm in all as a share of what the AI would do if nobody aligned it."""
    found, whole = mean(run.total), mean(never.total)
    share = float(found.mean / whole.mean)
    error = share * float(np.hypot(found.error / found.mean, whole.error / whole.mean))
    expected = float(run.expected.sum() / never.expected.sum())
    what = f"harm in all, g = {run.g:g}, d = {run.d}, over that of one never aligned"
    return Measured(what, expected, share, error)


def _lag(run: Run) -> float:
    """Return the nats that are spent before harm is possible."""
    return float(run.budgets[np.argmax(run.xi > 1.0)])


def _fastest(d: int) -> float:
    """Return the rate at which the lag just pays for the alignment."""
    return (1.0 - _START) / float(theory.alignment_cost(d, ALIGNED))


def _table(aligned: list[Run], never: list[Run]) -> dict[str, list[str]]:
    def totals(runs: list[Run]) -> list[Estimate]:
        return [mean(run.total) for run in runs]

    spent = [_lag(run) for run in aligned]
    return {
        "g": [f"{run.g:g}" for run in aligned],
        "d": [f"{run.d}" for run in aligned],
        "spent in the lag (nats)": [number(nats, 3) for nats in spent],
        "alignment at human level": [
            number(float(theory.alignment(run.d, nats)), 3)
            for run, nats in zip(aligned, spent, strict=True)
        ],
        "harm in theory (nats)": [number(float(run.expected.sum())) for run in aligned],
        "harm (nats)": [plus_minus(float(m), float(e)) for m, e in totals(aligned)],
        "never aligned, in theory (nats)": [number(float(run.expected.sum())) for run in never],
        "never aligned (nats)": [plus_minus(float(m), float(e)) for m, e in totals(never)],
    }


def _drawn(trained: Mapping[float, list[Point]], aligned: list[Run], never: list[Run]) -> Figure:
    figure, (first, *others) = panels(1 + len(never))
    x = np.linspace(1e-3, 8.0, 100)
    for order, (alpha, rows) in enumerate(trained.items()):
        curve(first, x, theory.scaled_harm(np.exp(x), D0, alpha, ALIGNED), order)
        end = theory.scaled_harm(np.exp(8.0), D0, alpha, ALIGNED)
        late = end * np.exp((1.0 + alpha) * (x - 8.0))
        first.plot(x, late, color=look(order)["color"], linestyle=":", linewidth=0.8)
        dots(first, rows, order, f"α = {alpha:g}")
    first.set(xlim=(-1.5, 8.2), ylim=(1e-2, 1e9), ylabel="harm of training an AI then (nats)")
    legend(first, "one AI after another", 3)
    for axes, run in zip(others, never, strict=True):
        _one_ai(axes, run, [each for each in aligned if each.d == run.d])
    for axes in (first, *others):
        axes.set(yscale="log", xlabel="$g t$ since human level, $\\ln(O_X / O_Y)$")
        shade(axes, 0.0, "no harm")
    return figure


def _one_ai(axes: Axes, never: Run, aligned: list[Run]) -> None:
    x = np.linspace(1e-3, np.log(_END), 100)
    curve(axes, x, theory.residual(np.exp(x), 1.0) ** 2 * (1.0 + 1.0 / never.d), 6)
    dots(axes, never.points(), 6, "never aligned")
    for order, run in enumerate(aligned):
        above = run.xi > 1.0
        curve(axes, np.log(run.xi[above]), run.expected[above], order)
        dots(axes, run.points(), order, f"g = {run.g:g}")
    axes.set(xlim=(-1.0, 4.8), ylim=(1e-6, 3e2), ylabel="harm of a step (nats)")
    legend(axes, f"one AI that grows, d = {never.d}", 3)
