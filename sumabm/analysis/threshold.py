"""Where, along one parameter, an outcome's mean comes to exceed a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import t as student

from sumabm.display import html_table
from sumabm.model import SUMModel
from sumabm.recorder import record
from sumabm.scenario import Scenario, load_scenario
from sumabm.types import Array

Scale = Literal["linear", "log"]
_SCAN = 8  # parts that the range is cut into first: some sight of what is not monotone


class Threshold(NamedTuple):
    """Where the mean comes to exceed the value asked for, and how that was found.

    ``estimate`` is within the tolerance of where the replicates' mean does; ``low`` and ``high``
    bound the confidence interval. ``monotone`` is false where an evaluated value exceeds and a
    larger one does not: there are several crossings, this is the first one seen. ``evaluations``
    has by ``value``, in ascending order, ``mean``, ``standard_error`` and ``count``.
    """

    estimate: float
    low: float
    high: float
    monotone: bool
    evaluations: xr.Dataset

    def _repr_html_(self) -> str:
        facts = {"estimate": self.estimate, "interval": [self.low, self.high]}
        facts |= {"monotone": self.monotone, "evaluations": self.evaluations.sizes["value"]}
        return html_table("Threshold", facts)


def find_threshold(
    evaluate: Callable[[float], Array],
    low: float,
    high: float,
    above: float,
    tolerance: float,
    scale: Scale = "linear",
    integer: bool = False,
    level: float = 0.95,
    max_evaluations: int = 200,
) -> Threshold:
    """Return the least value in [low, high] at which the mean outcome exceeds ``above``.

    ``evaluate(value)`` returns the outcomes ``(R,)`` of R ≥ 2 replicates, missing ones as NaN; the
    same seeds at every value (common random numbers) keep chance from making false crossings. Each
    value is evaluated once. After a scan of the range in eight parts, three bisections share what
    is known: for where ``ȳ > above``, the estimate, and for where ``ȳ ± t s/√n > above``, t being
    Student's quantile with n − 1 degrees of freedom: the interval holds every value at which a test
    at ``level`` does not tell the mean from ``above``, and so the crossing with that probability if
    the mean is monotone in the value. An end that lies beyond [low, high] is put at its end.

    ``tolerance`` is in the parameter's units, on a log scale in those of its logarithm: 0.01 is one
    per cent. The estimate is the middle of a bracket of that width, the interval's ends are those
    of theirs that lie outside. With ``integer`` only whole numbers are evaluated, and estimate and
    ends are the first ones to exceed.

    ``above = 0.0`` finds a strict threshold, such as the power up to which harm is exactly zero;
    rounding counts as exceeding, so take 1e-12 where an outcome may be a difference that cancels.
    Where only few replicates exceed, none may among R: a threshold of the mean over all possible
    replicates can then lie below ``low`` of the interval.

    Raises ValueError where the mean exceeds at ``low`` already or does not at ``high``, for
    arguments out of range, and when so small a tolerance may need more than ``max_evaluations``.

    >>> found = find_threshold(lambda v: np.array([v, v]) - 2.0, 0.0, 8.0, 0.0, 0.01)
    >>> round(found.estimate, 2), found.monotone
    (2.0, True)
    """
    axis = _Axis(scale, integer)
    _check(axis, low, high, tolerance, level, max_evaluations)
    if integer:
        low, high = round(low), round(high)
    search = _Search(evaluate, axis, above, level)
    for part in range(_SCAN + 1):
        search.evaluate_at(axis.between(low, high, part / _SCAN))
    if search.exceeds(low, 0):
        raise ValueError(
            f"low: the mean exceeds {above} at {low} already: it is {search.means[low]:.6g}"
        )
    if not search.exceeds(high, 0):
        raise ValueError(
            f"high: the mean does not exceed {above} at {high}: it is {search.means[high]:.6g}"
        )
    below, over = search.bisect(0, tolerance)
    first = search.bisect(1, tolerance)  # the upper confidence limit exceeds first
    last = search.bisect(-1, tolerance)
    return Threshold(
        over if integer else axis.between(below, over, 0.5),
        first[1] if integer else first[0],
        last[1],
        all(search.consistent(side) for side in (-1, 0, 1)),
        search.table(),
    )


def scenario_threshold(
    scenario: str | Path | Scenario,
    parameter: str,
    low: float,
    high: float,
    above: float,
    tolerance: float,
    outcome: str = "cumulative_harm",
    replicates: int = 200,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    **search: Any,
) -> Threshold:
    """Return `find_threshold` of an outcome at the end of a scenario's runs.

    ``parameter`` is a dotted path of the scenario, ``outcome`` a column (variable[.agent]);
    ``progress`` is called with each value before it is run; ``search`` are further arguments of
    `find_threshold`. Raises as it does, and ScenarioError for a value that the scenario refuses.

    >>> found = scenario_threshold("essay", "agents.X.power", 0.5, 4.0, 1e-12, 1e-3, replicates=4)
    >>> round(found.estimate, 3)  # what humans can undo
    1.0
    """
    base = load_scenario(scenario)

    def evaluate(value: float) -> Array:
        if progress is not None:
            progress(value)
        model = SUMModel(base.replace({parameter: value}), replicates, seed)
        ends = record(model, outcomes=[outcome])
        found = [name for name in ends if name not in ("replicate", "step")]
        if len(found) != 1:
            told = ", ".join(found) or "no column"
            raise ValueError(f"outcome: '{outcome}' should be one column of the run; it is {told}")
        return ends[found[0]]

    return find_threshold(evaluate, low, high, above, tolerance, **search)


@dataclass(frozen=True)
class _Axis:
    """The parameter's axis: its scale, and whether it takes whole numbers only."""

    scale: Scale
    integer: bool

    def between(self, low: float, high: float, share: float) -> float:
        """Return the value at a share of the way from ``low`` to ``high``."""
        if share in (0.0, 1.0):
            return high if share else low
        log = self.scale == "log"
        value = low * (high / low) ** share if log else low + (high - low) * share
        return round(value) if self.integer else value

    def width(self, low: float, high: float) -> float:
        """Return how far apart two values are, as a tolerance counts it."""
        return math.log(high / low) if self.scale == "log" else high - low


@dataclass
class _Search:
    """What has been evaluated, and bisection on it."""

    evaluate: Callable[[float], Array]
    axis: _Axis
    above: float
    level: float
    means: dict[float, float] = field(default_factory=dict)
    errors: dict[float, float] = field(default_factory=dict)
    counts: dict[float, int] = field(default_factory=dict)

    def evaluate_at(self, value: float) -> None:
        """Evaluate the outcome at a value, unless it was."""
        if value in self.means:
            return
        outcomes = np.asarray(self.evaluate(value), dtype=float)
        there = outcomes[~np.isnan(outcomes)]
        if outcomes.ndim != 1 or there.size < 2:
            raise ValueError(
                f"evaluate: should return the outcomes of at least 2 replicates, shape (R,), got "
                f"shape {outcomes.shape} with {there.size} of them not missing, at {value}"
            )
        self.means[value] = float(there.mean())
        self.errors[value] = float(there.std(ddof=1) / math.sqrt(there.size))
        self.counts[value] = there.size

    def exceeds(self, value: float, side: int) -> bool:
        """Return whether the mean (side 0) or its confidence limit (1 upper, -1 lower) exceeds."""
        self.evaluate_at(value)
        quantile = float(student.ppf((1.0 + self.level) / 2.0, self.counts[value] - 1))
        return self.means[value] + side * quantile * self.errors[value] > self.above

    def bisect(self, side: int, tolerance: float) -> tuple[float, float]:
        """Return neighbours of which the second is the first value known to exceed.

        Both are the same value where the first of all exceeds, or the last does not.
        """
        known = sorted(self.means)
        over = next((value for value in known if self.exceeds(value, side)), None)
        if over is None or over == known[0]:
            end = known[-1] if over is None else over
            return end, end
        below = known[known.index(over) - 1]
        while self.axis.width(below, over) > tolerance:
            middle = self.axis.between(below, over, 0.5)
            if not below < middle < over:
                break
            if self.exceeds(middle, side):
                over = middle
            else:
                below = middle
        return below, over

    def consistent(self, side: int) -> bool:
        """Return whether all values up to some one do not exceed and all after it do."""
        signs = [self.exceeds(value, side) for value in sorted(self.means)]
        return signs == sorted(signs)

    def table(self) -> xr.Dataset:
        """Return what was evaluated, by value in ascending order."""
        order = sorted(self.means)
        return xr.Dataset(
            {
                "mean": ("value", [self.means[value] for value in order]),
                "standard_error": ("value", [self.errors[value] for value in order]),
                "count": ("value", [self.counts[value] for value in order]),
            },
            coords={"value": order},
        )


def _check(axis: _Axis, low: float, high: float, tolerance: float, level: float, most: int) -> None:
    """Raise ValueError for arguments out of range, or for more evaluations than ``most``."""
    if not (math.isfinite(high - low) and low < high):
        raise ValueError(f"low, high: should be finite and ascending, got {low} and {high}")
    if axis.scale == "log" and low <= 0.0:
        raise ValueError(f"low: should be positive on a log scale, got {low}")
    if axis.integer and (low != round(low) or high != round(high)):
        raise ValueError(f"low, high: should be whole numbers, got {low} and {high}")
    if not tolerance > 0.0:
        raise ValueError(f"tolerance: should be positive, got {tolerance}")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: should lie between 0 and 1, got {level}")
    ratio = axis.width(low, high) / _SCAN / tolerance
    needed = _SCAN + 1 + 3 * math.ceil(min(math.log2(max(ratio, 1.0)), 2000.0))
    if needed > most:
        raise ValueError(
            f"tolerance: {tolerance} may need {needed} evaluations; max_evaluations is {most}"
        )
