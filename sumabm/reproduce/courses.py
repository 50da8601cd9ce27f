"""How training goes under the essay's budget and under an aligner that looks, and when it ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from sumabm import theory
from sumabm.reproduce.estimates import Estimate, mean
from sumabm.types import Array

LOOKED, HELD = 2.0, 1.0
"""O_X and O_Y, nats: an action that is looked at, and what humans and budget have, a step."""


class Kind(NamedTuple):
    """An aligner of the battery: its label there, its name in the figure, whether theory has it."""

    label: str
    name: str
    exact: bool


BUDGET = Kind("budget", "budget, 1 nat a step", True)
FREE = Kind("bayesian, free edits", "looks, free edits", True)
KINDS = (
    BUDGET,
    FREE,
    Kind("bayesian", "looks, edits of 1 nat", False),
    Kind("bayesian, weak edits", "looks, edits of 0.03 nats", False),
)


class Course(NamedTuple):
    """How runs go: per step the nats of action seen and harm done before it, and what is known."""

    nats: Array  # (step,)
    alignment: Array  # (replicate, step), or (step,) of what is expected
    harm: Array
    information: Array


def simulated(runs: xr.Dataset, d: int, kind: Kind) -> Course:
    """Return how the runs with one aligner went."""
    labels = runs["agents.W.method"].values
    point = int(np.flatnonzero((runs["d"].values == d) & (labels == kind.label))[0])
    here = runs.isel(point=point).transpose("replicate", "step", ...)
    there = np.isfinite(here["harm"].values).all(axis=0)  # runs are the longer the more dimensions
    harm = here["harm"].values[:, there]
    ai = here.sel(agent="X")
    alignment, information = (ai[name].values[:, there] for name in ("alignment", "information"))
    nats = LOOKED * np.arange(harm.shape[1], dtype=np.float64)
    return Course(nats, alignment, np.cumsum(harm, axis=1) - harm, information)


def expected(d: int, kind: Kind, nats: Array) -> Course:
    """Return the expectations of runs at finite d and in finite steps, edits being free."""
    amplitudes = np.full(nats.size, float(theory.residual(LOOKED, HELD)))
    if kind == BUDGET:
        spent = nats * HELD / LOOKED
        harm = theory.expected_harm(d, spent, amplitudes)
        return Course(nats, theory.alignment(d, spent), np.cumsum(harm) - harm, spent)
    # Harm is smooth in what was seen: 60 steps and a spline between give all to 1e-6.
    later = np.geomspace(20, max(20, nats.size - 1), 40).round().astype(int)
    some = np.unique(np.minimum(np.r_[:20, later], nats.size - 1))
    seen = 2.0 * nats / d
    known = np.log(theory.bayesian_expected_harm(d, seen[some], amplitudes[some]))
    harm = np.exp(CubicSpline(np.log1p(seen[some]), known)(np.log1p(seen)))
    alignment = theory.expected_alignment(d, seen)
    return Course(nats, alignment, np.cumsum(harm) - harm, theory.action_information(d, nats))


def reached(course: Course, threshold: float) -> tuple[Estimate, Estimate]:
    """Return the nats of action until mean alignment is ``threshold``, and the harm by then.

    Linear between steps, and NaN where it isn't reached. Errors follow how far a replicate is
    ahead where the mean crosses through to when it would cross, and the harm until then.
    """
    rows, harm = np.atleast_2d(course.alignment), np.atleast_2d(course.harm)
    level = rows.mean(axis=0)
    if level[-1] < threshold:
        never = Estimate(np.array(np.nan), np.array(np.nan))
        return never, never
    after = int(np.flatnonzero(level >= threshold)[0])
    pair = slice(after - 1, after + 1)
    rise, rate = np.diff(level[pair])[0], np.diff(harm.mean(axis=0)[pair])[0]
    share = (threshold - level[after - 1]) / rise
    between = np.array([1.0 - share, share])
    late = (threshold - rows[:, pair] @ between) / rise  # in steps
    nats = course.nats[pair] @ between + LOOKED * late
    return mean(nats), mean(harm[:, pair] @ between + rate * late)
