"""How much optimisation alignment requires over the dimensions: linear for every threshold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.drawing import curve, dots, legend, panels
from sumabm.reproduce.estimates import Estimate, line
from sumabm.reproduce.exhibits.cost import dimensions, required
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, Verdict, agreed
from sumabm.types import Array

LETTER = "c"
TITLE = "Required optimisation is linear in dimensions"
STUDIES = ("essay-cost", "essay-cost-high")

_THRESHOLDS = (0.5, 0.7, 0.9, 0.99)
_FITTED = 30  # dimensions from which a line is fitted: below, terms of 1/d show
_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0)
_WITHIN = 0.005  # of the formula: how near a slope must come to it


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return the nats required for several alignments over d, whole and per dimension."""
    every = {c: _costs(data, c) for c in _THRESHOLDS}
    slopes = [_slope(c, points) for c, points in every.items()]
    claim = _linear(slopes)
    return Findings(
        _drawn(every, slopes),
        "Nats that bring mean alignment to a threshold c over the dimensions d, and the same per "
        "dimension, with the fitted slopes; dashes are the limit −½ ln(1 − c²). Lines: theory; "
        "points: where the simulated mean crosses c, with bars of two standard errors. Thresholds "
        "share their replicates, and so their noise.",
        "Straight lines in logarithms, of slope 1, one above the other for higher thresholds; per "
        "dimension they become level from about 30 dimensions on.",
        "dimensions d",
        "required optimisation (nats)",
        [point for points in every.values() for point in points],
        (claim,),
        _table(slopes),
        f"Slope of a line with an intercept through the required nats from d = {_FITTED} on, by "
        "weighted least squares, beside −½ ln(1 − c²).",
    )


def _costs(data: Mapping[str, xr.Dataset], threshold: float) -> list[Point]:
    rows = [(d, *required(runs, d, threshold)) for d, runs in dimensions(data).items()]
    return [
        Point(f"c = {threshold:g}", d, float(theory.alignment_cost(d, threshold)), mean, error)
        for d, mean, error in rows
    ]


def _slope(threshold: float, points: list[Point]) -> Measured:
    """Return the slope of required nats over d, simulated, beside the formula."""
    d, cost = _fitted(points)
    expected = float(theory.cost_per_dimension(threshold))
    what = f"nats per further dimension for c = {threshold:g}"
    return Measured(what, expected, *line(d, cost), "nats")


def _fitted(points: list[Point]) -> tuple[Array, Estimate]:
    rows = np.array([(p.x, p.mean, p.error) for p in points if p.x >= _FITTED])
    return rows[:, 0], Estimate(rows[:, 1], rows[:, 2])


def _linear(slopes: list[Measured]) -> Claim:
    """Return the claim that required optimisation is linear in d for any threshold."""
    near = all(abs(s.mean - s.theory) <= max(_WITHIN * s.theory, 3.0 * s.error) for s in slopes)
    verdict: Verdict = agreed(slopes) if near else "fails"
    return Claim(
        50,
        "For any threshold of alignment c, the optimisation required is linear in the number of "
        "dimensions.",
        tuple(slopes),
        verdict,
        "Exactly it is −(d/2) ln(1 − c²) + ½ ln(1 − c⁴) + O(1/d): a line with an intercept but "
        f"for the last term, which can be seen in the first few dimensions. From d = {_FITTED} on "
        "it changes the slope by less than 10⁻⁵ of it.",
    )


def _table(slopes: list[Measured]) -> dict[str, list[str]]:
    return {
        "threshold c": [f"{c:g}" for c in _THRESHOLDS],
        "−½ ln(1 − c²)": [number(slope.theory) for slope in slopes],
        "fitted slope": [plus_minus(slope.mean, slope.error) for slope in slopes],
        "apart": [f"{100.0 * (s.mean / s.theory - 1.0):+.2f} %" for s in slopes],
    }


def _drawn(every: Mapping[float, list[Point]], slopes: list[Measured]) -> Figure:
    """Return the panels: required nats, and required nats per dimension."""
    figure, (whole, each) = panels(2)
    for n, ((threshold, points), slope) in enumerate(zip(every.items(), slopes, strict=True)):
        d = np.geomspace(2.0, points[-1].x, 200)
        cost = theory.alignment_cost(d, threshold)
        curve(whole, d, cost, n)
        curve(each, d, cost / d, n)
        each.axhline(slope.theory, color="black", linestyle="--", linewidth=0.7)
        dots(whole, points, n, f"c = {threshold:g}")
        scaled = [p._replace(mean=p.mean / p.x, error=p.error / p.x) for p in points]
        dots(each, scaled, n, f"c = {threshold:g}")
        told = f"slope {plus_minus(slope.mean, slope.error)} ({number(slope.theory, 5)})"
        each.annotate(
            told,
            (d[-1], slope.theory),
            (0, 5),
            textcoords="offset points",
            ha="right",
            fontsize=7.5,
        )
    for axes in (whole, each):
        axes.set(xscale="log", yscale="log", xlabel="dimensions $d$")
    whole.set_ylabel("required optimisation (nats)")
    each.set_ylabel("required optimisation / $d$ (nats)")
    each.set_ylim(0.1, 3.0)
    each.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    each.minorticks_off()
    legend(whole, "lines: theory; points: simulated", 4)
    return figure
