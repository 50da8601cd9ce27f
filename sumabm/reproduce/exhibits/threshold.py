"""Where harm begins: training harm over the ratio of the AI's power to the humans'."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.reproduce.drawing import curve, dots, legend, panels, shade
from sumabm.reproduce.estimates import Estimate, mean, points, slope_between
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, agreed
from sumabm.reproduce.training import ALIGNED, left_harm, trained
from sumabm.types import Array

LETTER = "e"
TITLE = "Harm begins where the AI's power passes the humans'"
STUDIES = ("essay-threshold",)

_REACH = 4.2  # of the linear panel


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return training harm over O_X/O_Y for several dimensions, near 1 and over all ratios."""
    runs = data["essay-threshold"]
    dimensions = sorted({int(d) for d in runs["d"].values})
    nats = {d: harms(runs, d, 1.0) for d in dimensions}
    amplitudes = {d: harms(runs, d, 0.5) for d in dimensions}
    figure = _drawn({d: points(f"d = {d}", *nats[d]) for d in dimensions})
    every = [
        *(p for d in dimensions for p in points(f"d = {d}, nats", *nats[d])),
        *(p for d in dimensions for p in points(f"d = {d}, amplitude", *amplitudes[d])),
    ]
    return Findings(
        figure,
        f"Harm until mean alignment should be {ALIGNED}, over the ratio of the AI's power to the "
        "humans', for several dimensions: linear about equal powers, and logarithmic. Below 1 the "
        "humans undo all (shaded). A run is the left sum of the integral in 256 steps, 1 to 2 % "
        "above it; points are compared with that sum.",
        "Harm is zero up to equal powers and rises beyond, ten times as high for ten times the "
        "dimensions; in logarithms the curves are parallel, vertical at 1 and ever flatter.",
        "O_X / O_Y",
        "harm (nats; amplitudes in √nats where O_Y is 1 nat)",
        every,
        (_undone(amplitudes[dimensions[-1]], dimensions[-1]), _sharp(runs, nats)),
    )


def _drawn(shown: Mapping[int, list[Point]]) -> Figure:
    """Return the panels: about equal powers, as high as the middle d needs, and all ratios."""
    figure, (near, far) = panels(2)
    for number, (d, rows) in enumerate(shown.items()):
        for axes, ratio in (
            (near, np.linspace(0.0, _REACH, 127)),
            (far, np.geomspace(1.0 + 1e-3, max(row.x for row in rows), 200)),
        ):
            curve(axes, ratio, theory.training_harm(d, ratio, 1.0, ALIGNED), number)
        dots(near, [row for row in rows if row.x <= _REACH], number, f"d = {d}")
        dots(far, [row for row in rows if row.x > 1.0], number, f"d = {d}")
    middle = list(shown.values())[len(shown) // 2]
    top = max(row.mean for row in middle if row.x <= _REACH)
    for axes in (near, far):
        axes.set(xlabel="power of the AI over the humans', $O_X / O_Y$")
        axes.set_ylabel("harm in training (nats)")
    near.set(xlim=(0.0, _REACH), ylim=(-0.05 * top, 1.15 * top))
    far.set(xscale="log", yscale="log", xlim=(0.22, 20.0), ylim=(1e-3, None))
    far.set_xticks([0.25, 1, 4, 16], ["¼", "1", "4", "16"])
    far.minorticks_off()
    for axes in (near, far):
        shade(axes, 1.0, "no harm")
    legend(near, "lines: integral; points: simulated")
    return figure


def harms(runs: xr.Dataset, d: int, p: float) -> tuple[Array, Array, Estimate]:
    """Return ratios, what theory says of harm there, and the simulated means."""
    ratio = np.unique(runs["ratio"].values)
    found = mean(np.stack([trained(runs, d, p, d=d, ratio=r) for r in ratio]))
    return ratio, left_harm(d, ratio, p), found


def _undone(amplitudes: tuple[Array, Array, Estimate], d: int) -> Claim:
    """Return the claim that undoing leaves ``φ (√O_X − √O_Y)₊``: over what it leaves at 4."""
    ratio, _, found = amplitudes
    four = np.flatnonzero(ratio == 4.0)[0]
    told = []
    for at_, value, error in zip(ratio, found.mean, found.error, strict=True):
        if at_ not in (0.5, 1.0, 1.25, 2.0, 16.0):
            continue
        share = value / found.mean[four]
        spread = np.hypot(error, share * found.error[four]) / found.mean[four]
        expected = float(theory.residual(at_, 1.0))
        what = f"amplitude at O_X/O_Y = {at_:g} over that at 4 (√{at_:g} − 1, or 0), d = {d}"
        told.append(Measured(what, expected, float(share), float(spread)))
    return Claim(
        80,
        "Humans who undo what they can with power O_Y leave an amplitude φ(√O_X − √O_Y) of harm, "
        "and nothing if O_X ≤ O_Y.",
        tuple(told),
        agreed(told),
        "The essay chooses this function without particular principle. Here it is not put in: "
        "undoing is a tilt, of power O_Y, towards the world before the act, and in a Gaussian "
        "world it takes √(2 O_Y) off the shift √(2 O_X).",
        "The essay grants that the threshold is somewhat artificial, because it was added, and "
        "holds it to be well motivated.",
    )


def _sharp(runs: xr.Dataset, nats: Mapping[int, tuple[Array, Array, Estimate]]) -> Claim:
    """Return the claim that harm is zero up to 1 and then grows fast, the faster the larger d."""
    ratio = next(iter(nats.values()))[0]
    above = ratio[ratio > 1.0]
    told: list[Measured] = []
    for d, (_, _, found) in nats.items():
        most = float(found.mean[ratio <= 1.0].max())
        told.append(Measured(f"most harm at O_X ≤ O_Y, d = {d}", 0.0, most, 0.0, "nats"))
    for d, (_, expected, found) in nats.items():
        two = np.flatnonzero(ratio == 2.0)[0]
        what, mean_, error = f"harm at O_X = 2 O_Y, d = {d}", found.mean[two], found.error[two]
        told.append(Measured(what, float(expected[two]), float(mean_), float(error), "nats"))
    for low, high in (above[:2], above[-2:]):
        told += [_slope(runs, d, low, high) for d in nats]
    return Claim(
        90,
        "While O_X ≤ O_Y there is no harm at all; about human level harm grows very fast, and the "
        "faster the more dimensions there are.",
        tuple(told),
        agreed(told),
        "In nats, growth is proportional to d. Relative growth, d ln harm / d ln ratio, is "
        "√r/(√r − 1) in every d, infinite at r = 1: more dimensions don't make the rise sharper or "
        "earlier, only higher. In nats harm starts smoothly, as (r − 1)²/4; amplitudes start with "
        "a kink.",
        "The essay grants that the threshold is somewhat artificial.",
    )


def _slope(runs: xr.Dataset, d: int, low: float, high: float) -> Measured:
    """Return the slope in logarithms between two ratios; what d does to harm goes out of it."""
    x = np.array([low, high])
    pair = (trained(runs, d, 1.0, d=d, ratio=r) for r in x)
    (a, b), span = theory.residual(x, 1.0) ** 2, float(np.log(high / low))
    what = f"log–log slope between O_X/O_Y = {low:g} and {high:g}, d = {d}"
    expected = float(np.log(b / a)) / span
    return Measured(what, expected, *slope_between(x, *pair, paired=False))
