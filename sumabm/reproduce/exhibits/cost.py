"""What alignment costs: nats of optimisation against the divergence that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm import sphere, theory
from sumabm.reproduce.drawing import panels
from sumabm.reproduce.estimates import Estimate, at, crossing, mean
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, agreed
from sumabm.types import Array

LETTER = "b"
TITLE = "The more dimensions, the dearer alignment is"
STUDIES = ("essay-cost", "essay-cost-high")

_SHOWN = 10  # budgets of every d
_ALIGNED = 0.9
_LEFT = 0.0007  # where the axis ends: beside the curves there is room for their names


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return the nats spent over the mean divergence that is left, for several dimensions."""
    every = {d: _divergences(runs, d) for d, runs in dimensions(data).items()}
    reach = min(point.theory for points in every.values() for point in points)
    return Findings(
        _drawn(every, reach),
        "Nats by which the AI's utility is optimised over the mean divergence φ = 1 − ⟨c⟩ that is "
        "left, for several dimensions d: theory (lines) and the means of simulated AIs along their "
        "budget (points; bars of two standard errors are mostly smaller).",
        "Falling curves, one above the other: each ten times as many dimensions cost about ten "
        "times as many nats for the same divergence.",
        "optimisation spent (nats)",
        "mean divergence 1 − ⟨c⟩",
        [point for points in every.values() for point in points],
        (_dearer(data),),
    )


def dimensions(data: Mapping[str, xr.Dataset]) -> dict[int, xr.Dataset]:
    """Return the dimensions that the batteries have, in order, and the battery that has each."""
    return dict(sorted((int(d), runs) for runs in data.values() for d in runs["d"].values))


def required(runs: xr.Dataset, d: int, threshold: float) -> tuple[float, float]:
    """Return the nats at which simulated mean alignment reaches a threshold, and their error.

    Between steps, nats are nearly straight over ``t = −ln(1 − c²)`` (about ``d t/2``).
    """
    nats, found = _along(runs, d)
    alignment = np.maximum(found.mean, 0.0)
    scale = 2.0 * alignment / (1.0 - alignment**2)  # dt/dc
    straight = Estimate(-np.log1p(-(alignment**2)), scale * found.error)
    return crossing(nats, straight, float(-np.log1p(-(threshold**2))))


def _along(runs: xr.Dataset, d: int) -> tuple[Array, Estimate]:
    """Return the nats spent before each step, which do not vary, and mean alignment then."""
    return at(runs, "budget.W", d=d)[:, 0], mean(at(runs, "alignment.X", d=d))


def _divergences(runs: xr.Dataset, d: int) -> list[Point]:
    """Return the mean divergence at some budgets of equal distance, the first of them spent."""
    nats, found = _along(runs, d)
    steps = np.unique(np.linspace(1, nats.size - 1, _SHOWN).round().astype(int))
    left = np.asarray(sphere.divergence_from_nats(d, nats[steps]))
    rows = zip(nats[steps], left, 1.0 - found.mean[steps], found.error[steps], strict=True)
    return [Point(f"d = {d:,}", *map(float, row)) for row in rows]


def _drawn(every: Mapping[int, list[Point]], reach: float) -> Figure:
    """Return the figure: one colour for each d, from blue to yellow, and its name at the left."""
    figure, (axes,) = panels()
    divergence = np.geomspace(0.8 * reach, 0.999, 200)
    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.85, len(every)))
    for number, (d, points) in enumerate(every.items()):
        nats = np.asarray(sphere.nats(d, divergence=divergence))
        axes.plot(divergence, nats, color=colours[number], linewidth=1.2)
        axes.errorbar(
            [point.mean for point in points],
            [point.x for point in points],
            xerr=[2.0 * point.error for point in points],
            linestyle="none",
            marker="o",
            markersize=4,
            markeredgecolor="white",
            markeredgewidth=0.4,
            color=colours[number],
            capsize=2,
            elinewidth=0.9,
        )
        name = f"d = {d:,}"
        axes.text(0.75 * reach, nats[0], name, ha="right", va="center", fontsize=7.5)
    axes.set(xscale="log", yscale="log", xlim=(_LEFT, 1.1), ylim=(1e-2, None))
    axes.set(xlabel="mean divergence $φ = 1 − ⟨c⟩$", ylabel="optimisation spent, $D$ (nats)")
    axes.set_title("lines: theory; points: simulated", loc="left", fontsize=8)
    return figure


def _dearer(data: Mapping[str, xr.Dataset]) -> Claim:
    """Return the claim that a given divergence takes more nats in more dimensions."""
    costs = [_cost(runs, d) for d, runs in dimensions(data).items()]
    rising = all(low.mean < high.mean for low, high in pairwise(costs))
    return Claim(
        40,
        "The more dimensions there are, the more the AI's utility must be optimised to come "
        "within a given divergence.",
        tuple(costs),
        agreed(costs) if rising else "fails",
        "Optimising by D nats tilts the law of the AI's utility to a von Mises–Fisher law of "
        "relative entropy D. A mean alignment of c costs about −(d/2) ln(1 − c²) nats: each "
        "dimension has to be optimised along.",
    )


def _cost(runs: xr.Dataset, d: int) -> Measured:
    expected = float(theory.alignment_cost(d, _ALIGNED))
    what = f"optimisation for φ = {1.0 - _ALIGNED:.1f} in d = {d:,}"
    return Measured(what, expected, *required(runs, d, _ALIGNED), "nats")
