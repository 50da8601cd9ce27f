"""How harm grows with dimensions; and that sums over steps tend to the essay's integral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm import theory
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.drawing import curve, dots, legend, panels
from sumabm.reproduce.estimates import Estimate, exponent, mean, points
from sumabm.reproduce.findings import Claim, Findings, Measured, Point, Verdict, agreed
from sumabm.reproduce.training import ALIGNED, left_harm, trained

LETTER = "d"
TITLE = "Harm in training is proportional to dimensions"
STUDIES = ("essay-dimensions", "essay-steps")

_RATIO = 4.0  # of the AI's power to the humans': undoing leaves half of its amplitude
_STEPPED = 100  # dimensions of the study of steps
_WITHIN = 0.02  # how near an exponent must come to 1


class Kind(NamedTuple):
    """Harm of one kind: what the humans respond, the power p that is summed, its unit in runs."""

    name: str
    response: str
    p: float
    unit: float = 1.0


UNDONE = Kind("harm, humans undo", "undo", 1.0)
"""What undoing leaves, in nats: amplitudes squared."""

AMPLITUDE = Kind("amplitude, humans undo", "undo", 0.5)
"""The same in amplitudes, where O_Y is 1 nat."""

OPTIMISED = Kind("harmful optimisation, humans do nothing", "none", 0.5, np.sqrt(_RATIO))
"""The harmful part of the nats spent: the whole amplitude, per √O_X, times ι."""


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return harm over d with its exponents, and over the number of steps."""
    runs, stepped = data["essay-dimensions"], data["essay-steps"]
    kinds = {kind: harms(runs, kind) for kind in (OPTIMISED, UNDONE, AMPLITUDE)}
    shares = {p: _shares(stepped, p) for p in (0.5, 1.0)}
    every = [point for rows in (*kinds.values(), *shares.values()) for point in rows]
    return Findings(
        _drawn(kinds, shares),
        f"Left: harm until mean alignment should be {ALIGNED}, over dimensions d, by an AI of "
        f"{_RATIO:g} times the humans' power, in 256 steps: the harmful part ∫φ dD of the "
        "optimisation if humans do nothing, and the harm ∫h dD/ι that is left if they undo what "
        "they can; lines are the integrals, 1 to 2 % below sums over steps. Right: harm left by "
        f"undoing, as a sum over n steps, over the integral, d = {_STEPPED}; lines are exact "
        "sums. Points: simulated, with bars of two standard errors. Amplitudes are in √nats where "
        "O_Y is 1 nat; undoing then leaves ∫φ dD of them.",
        "Left: two straight parallel lines in logarithms, of slope 1. Right: ratios that fall to 1 "
        "as the number of steps grows.",
        "dimensions d; of ratios, steps n",
        "harm (nats; amplitudes where O_Y is 1 nat); of ratios, harm over the integral",
        every,
        (_optimised(kinds), _undone(kinds, stepped)),
    )


def harms(runs: xr.Dataset, kind: Kind) -> list[Point]:
    """Return harm of a kind for every d: exact sums over steps, and simulated means."""
    dimensions = np.unique(runs["d"].values)
    found = [
        trained(runs, int(d), kind.p, d=d, agents__Y__response=kind.response) / kind.unit
        for d in dimensions
    ]
    expected = np.array([float(left_harm(d, _RATIO, kind.p)) for d in dimensions])
    return points(kind.name, dimensions, expected, mean(np.stack(found)))


def _shares(runs: xr.Dataset, p: float) -> list[Point]:
    """Return harm in n steps in ratio to the integral."""
    steps = np.unique(runs["n"].values)
    whole = float(theory.training_harm(_STEPPED, _RATIO, 1.0, ALIGNED, p=p))
    found = [trained(runs, _STEPPED, p, steps=int(n), n=n) / whole for n in steps]
    expected = [float(left_harm(_STEPPED, _RATIO, p, int(n))) / whole for n in steps]
    name = f"{'harm (nats)' if p == 1.0 else 'amplitude'} over its integral"
    return points(name, steps, np.array(expected), mean(np.stack(found)))


def _exponent(rows: Sequence[Point]) -> Measured:
    """Return the exponent of d, of the simulated means and of the exact sums, weighted alike."""
    d, exact, found, error = np.array([(p.x, p.theory, p.mean, p.error) for p in rows]).T
    expected, _ = exponent(d, Estimate(exact, error / found * exact))
    what = f"exponent of d, {d[0]:,.0f} to {d[-1]:,.0f}; {rows[0].series}"
    return Measured(what, expected, *exponent(d, Estimate(found, error)))


def _per_dimension(rows: Sequence[Point], kind: Kind) -> Measured:
    """Return harm per dimension in the most dimensions."""
    last = rows[-1]
    d = last.x
    whole = float(theory.training_harm(d, _RATIO, 1.0, ALIGNED, p=kind.p)) / d
    what = f"per dimension in d = {d:,.0f} (the integral: {number(whole)}); {kind.name}"
    return Measured(what, last.theory / d, last.mean / d, last.error / d, "nats")


def _extrapolated(runs: xr.Dataset) -> Measured:
    """Return what sums tend to as steps shrink: from the two shortest, errors being ∝ 1/n."""
    few, many = (int(n) for n in np.unique(runs["n"].values)[-2:])
    weights = {few: -few / (many - few), many: many / (many - few)}
    sums = (trained(runs, _STEPPED, 1.0, n=n) * weight for n, weight in weights.items())
    exact = (float(left_harm(_STEPPED, _RATIO, 1.0, n)) * w for n, w in weights.items())
    whole = float(theory.training_harm(_STEPPED, _RATIO, 1.0, ALIGNED))
    what = f"harm in d = {_STEPPED} as steps shrink, from {few} and {many} (the integral: "
    found = mean(np.asarray(sum(sums)))  # replicates share their random numbers
    limit = f"{what}{number(whole)})"
    return Measured(limit, sum(exact), float(found.mean), float(found.error), "nats")


def _proportional(exponents: Sequence[Measured], others: Sequence[Measured]) -> Verdict:
    near = all(abs(e.mean - 1.0) <= max(_WITHIN, 3.0 * e.error) for e in exponents)
    return agreed([*exponents, *others]) if near else "fails"


def _optimised(kinds: Mapping[Kind, list[Point]]) -> Claim:
    """Return the claim that harmful optimisation is proportional to d."""
    rows = kinds[OPTIMISED]
    exponents, others = [_exponent(rows)], [_per_dimension(rows, OPTIMISED)]
    return Claim(
        70,
        "The harmful part of the optimisation that an AI does before it is aligned is "
        "proportional to the number of dimensions.",
        (*exponents, *others),
        _proportional(exponents, others),
        "Divergence falls with the nats spent per dimension, so that everything takes d times as "
        f"long: d·(c − ln(1 + c)) nats for an alignment of c = {ALIGNED} as d → ∞. In few "
        "dimensions it is less by a part of order 1/d. Integrated over √D or D² instead of D, it "
        "would be proportional to √d or d².",
        "The essay grants that another variable of integration may be more apt, and finds the same "
        "qualitatively with two others.",
    )


def _undone(kinds: Mapping[Kind, list[Point]], stepped: xr.Dataset) -> Claim:
    """Return the claim that total harm is proportional to d when humans undo what they can."""
    exponents = [_exponent(kinds[kind]) for kind in (UNDONE, AMPLITUDE)]
    others = [_per_dimension(kinds[UNDONE], UNDONE), _extrapolated(stepped)]
    return Claim(
        100,
        "With humans who rectify what they can, total harm during training is directly "
        "proportional to the number of dimensions.",
        (*exponents, *others),
        _proportional(exponents, others),
        "Undoing takes the same share of every step, whatever d. Per dimension, harm in nats "
        "falls to 2c − c²/2 − 2 ln(1 + c) times (√O_X − √O_Y)²/O_Y as d → ∞, c = "
        f"{ALIGNED} being the alignment reached, and is more by a part of order 1/d before. "
        "Sums over steps are above the integral by a part of order 1/n.",
    )


def _drawn(kinds: Mapping[Kind, list[Point]], shares: Mapping[float, list[Point]]) -> Figure:
    """Return the panels: harm over d, and over the number of steps."""
    figure, (grown, stepped) = panels(2)
    for n, kind in enumerate((OPTIMISED, UNDONE)):
        rows = kinds[kind]
        d = np.geomspace(0.7 * rows[0].x, 1.4 * rows[-1].x, 60)
        curve(grown, d, theory.training_harm(d, _RATIO, 1.0, ALIGNED, p=kind.p), n)
        dots(grown, rows, n, kind.name)
        slope, beside = _exponent(rows), rows[(-2, 1)[n]]
        told = f"slope {plus_minus(slope.mean, slope.error)}"
        place, side = ((-8, 6), "right") if n == 0 else ((8, -12), "left")
        grown.annotate(
            told, (beside.x, beside.mean), place, textcoords="offset points", ha=side, fontsize=8
        )
    grown.set(xscale="log", yscale="log", xlabel="dimensions $d$", ylabel="harm (nats)")
    for n, (p, rows) in enumerate(shares.items()):
        steps = np.unique(np.geomspace(rows[0].x, rows[-1].x, 40).round().astype(int))
        whole = theory.training_harm(_STEPPED, _RATIO, 1.0, ALIGNED, p=p)
        exact = [float(left_harm(_STEPPED, _RATIO, p, int(k)) / whole) for k in steps]
        curve(stepped, steps, np.array(exact), n)
        dots(stepped, rows, n, rows[0].series)
    stepped.axhline(1.0, color="black", linestyle="--", linewidth=0.7)
    stepped.set(xscale="log", xlabel="steps $n$", ylabel="sum over steps / integral")
    for axes in (grown, stepped):
        legend(axes, columns=1)
    return figure
