"""How aligned random utilities are: the density of the cosine of random directions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from sumabm import sphere, theory
from sumabm.reproduce.drawing import curve, legend, look, panels
from sumabm.reproduce.estimates import Estimate, at, mean, points
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, agreed
from sumabm.types import Array

LETTER = "a"
TITLE = "Random utilities are almost orthogonal"
STUDIES = ("essay-cosines",)

_DRAWN = (3, 10, 100, 1000)
_BINS = 20  # of equal probability in the comparison, of equal width in the figure


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return histograms of simulated cosines on the density ``∝ (1 − c²)^((d − 3)/2)``."""
    runs = data["essay-cosines"]
    dimensions = [int(d) for d in runs["world.dimensions"].values]
    cosines = {d: at(runs, "alignment.X", world__dimensions=d) for d in dimensions}
    every: list[Point] = []
    for d in dimensions:
        every += _shares(d, cosines[d])
    spread = [_variance(d, cosines[d]) for d in dimensions]
    figure, (axes,) = panels()
    for number, d in enumerate(_DRAWN):
        reach = min(1.0, 5.0 / np.sqrt(d))
        x = np.linspace(-reach, reach, 401)
        curve(axes, x, theory.cosine_density(d, x), number)
        colour = look(number)["color"]
        bins = np.linspace(-reach, reach, _BINS + 1)
        heights = np.histogram(cosines[d], bins)[0] / cosines[d].size / np.diff(bins)
        axes.stairs(heights, bins, fill=True, color=colour, alpha=0.25, label=f"d = {d}")
    axes.set(xlabel="alignment c of random utilities", ylabel="density", yscale="log")
    axes.set_ylim(1e-2, 30.0)
    legend(axes, "curves: theory; filled: simulated", 4)
    claim = Claim(
        30,
        "In many dimensions two random utilities are almost orthogonal: their cosine c has a "
        "density ∝ (1 − c²)^((d − 3)/2), of width 1/√d.",
        tuple(spread),
        agreed(spread),
        "The simulator draws the AI's and the humans' utilities apart, and c is what comes of it.",
    )
    return Findings(
        figure,
        "Density of the alignment of random utilities for several dimensions d: histograms of the "
        f"simulated AIs' ({cosines[3].size:,} each) on the exact law.",
        "Densities that are flat for d = 3 and ever narrower about 0 with more dimensions.",
        "bin of equal probability",
        "share of cosines",
        every,
        (claim,),
    )


def _shares(d: int, cosines: Array) -> list[Point]:
    """Return the shares of cosines in bins that should have equal ones."""
    expected = 1.0 / _BINS
    quantiles = np.asarray(sphere.cosine_cdf(d, 0.0, cosines))
    counts = np.histogram(quantiles, np.linspace(0.0, 1.0, _BINS + 1))[0]
    error = np.full(_BINS, np.sqrt(expected * (1.0 - expected) / cosines.size))
    found = Estimate(counts / cosines.size, error)
    return points(f"d = {d}", np.arange(_BINS), np.full(_BINS, expected), found)


def _variance(d: int, cosines: Array) -> Measured:
    square = mean(d * cosines**2)
    return Measured(f"d·E[c²] at d = {d}", 1.0, float(square.mean), float(square.error))
