"""Where, along one parameter of a battery, an outcome flips from tolerable to worse."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.stats import norm

from sumabm.analysis.grids import to_grid
from sumabm.analysis.outcomes import column, parameters, point_outcomes
from sumabm.types import Array

MOST_CURVES = 6
"""Curves that a reader tells apart."""

_RESAMPLES, _SEED = 1000, 1  # of the bootstrap
_BAND = (0.05, 0.95)


def flips(
    data: xr.Dataset,
    outcome: str,
    over: str,
    limit: float,
    by: str | None = None,
    worse: Literal["above", "below"] = "above",
    level: float = 0.95,
) -> xr.Dataset:
    """Return where the median outcome crosses a limit along the parameter ``over`` of a battery.

    Dims ``curve``, one for each value of the parameter ``by``, and ``value``, those of ``over`` in
    ascending order. What else the battery varies is pooled: all replicates of one curve and value
    are one sample. Variables:

    - ``share``, ``share_low``, ``share_high`` ``(curve, value)``: the share of replicates whose
      outcome at their end is worse than the limit, and Wilson's interval at ``level``,
    - ``median``, ``low``, ``high`` ``(curve, value)``: quantiles 0.5, 0.05 and 0.95 of the outcome,
      in its unit,
    - ``flip``, ``flip_low``, ``flip_high`` ``(curve)``: where the median first crosses the limit,
      so that half of the replicates are worse, and its bootstrap interval at ``level`` over
      replicates (the same ones at all points where seeds are paired); an end of it beyond the
      values is put at the last one. Between values the median is a monotone cubic on the
      parameter's own scale, linear or log. Missing where the median does not cross,
    - ``crossings`` ``(curve)``: how often it does,
    - ``worse_after`` ``(curve)``: whether the median is worse beyond the flip, or everywhere if
      there is none,
    - ``told`` ``(curve)``: the same in words.

    Attributes say what it is of. Raises ValueError unless the points are every combination of the
    parameters once, all complete; for an outcome or parameters that the data do not have, more than
    6 curves, and a parameter ``over`` that has not two numbers at least.
    """
    point_outcomes(data, outcome)  # for what it refuses
    grid = to_grid(data)
    along, across = _name(data, "over", over), by and _name(data, "by", by)
    x = grid[along].values
    if x.dtype.kind not in "if" or x.size < 2:
        raise ValueError(f"over: {over} should have two or more numbers")
    names = ["all"] if across is None else [f"{v}" for v in grid[across].values.tolist()]
    if len(names) > MOST_CURVES:
        raise ValueError(f"by: {by} has {len(names)} values; allowed: at most {MOST_CURVES}")
    table = json.loads(data.attrs["battery"])
    axis = _Axis(x.astype(float), _scale(table, over), limit, worse)
    values = column(grid, outcome)
    first = [across] if across else []
    pooled = [d for d in values.dims if d not in (along, across, "replicate")]
    samples = values.transpose(*first, along, *pooled, "replicate").values
    samples = samples.reshape(len(names), x.size, -1, samples.shape[-1])
    parts = [_curve(sample, axis, level, bool(table["paired"])) for sample in samples]
    about: dict[str, Any] = {"outcome": outcome, "over": over, "by": by or ""}
    about |= {"units": str(values.attrs.get("units", "")), "limit": limit, "worse": worse}
    about |= {"scale": axis.scale, "level": level}
    return xr.Dataset(
        {
            name: (
                ("curve", "value")[: 1 + np.ndim(part)],
                np.array([each[name] for each in parts]),
            )
            for name, part in parts[0].items()
        },
        coords={"curve": names, "value": x},
        attrs=about,
    )


@dataclass(frozen=True)
class _Axis:
    """The values ``(n,)`` of a parameter, its scale, and which outcomes are worse."""

    values: Array
    scale: str
    limit: float
    worse: str

    def excess(self, outcomes: Array) -> Array:
        """Return by how much outcomes are worse than the limit: above 0 where they are."""
        return outcomes - self.limit if self.worse == "above" else self.limit - outcomes

    def crossings(self, median: Array) -> list[float]:
        """Return where medians ``(n,)``, interpolated between the values, cross the limit."""
        excess, log = self.excess(median), self.scale == "log"
        x = np.log(self.values) if log else self.values
        between = PchipInterpolator(x, excess)
        at = np.flatnonzero(np.diff(excess > 0.0))
        found = [self._crossing(between, excess, x, i) for i in at]
        return [math.exp(place) if log else place for place in found]

    @staticmethod
    def _crossing(between: PchipInterpolator, excess: Array, x: Array, i: np.intp) -> float:
        for end in (i, i + 1):
            if excess[end] == 0.0:  # where rounding may leave the curve on the other side
                return float(x[end])
        return float(brentq(lambda place: float(between(place)), x[i], x[i + 1]))


def _curve(samples: Array, axis: _Axis, level: float, paired: bool) -> dict[str, Any]:
    """Return the variables of one curve from samples ``(value, pooled, replicate)``."""
    flat = samples.reshape(len(samples), -1)
    count = np.count_nonzero(~np.isnan(flat), axis=1)
    share = np.count_nonzero(axis.excess(flat) > 0.0, axis=1) / count
    low, median, high = np.nanquantile(flat, (_BAND[0], 0.5, _BAND[1]), axis=1)
    share_low, share_high = _wilson(share, count, level)
    crossings, worse_first = axis.crossings(median), bool(axis.excess(median)[0] > 0.0)
    flip, flip_low, flip_high = (math.nan,) * 3
    if crossings:
        flip = crossings[0]
        flip_low, flip_high = _interval(samples, axis, level, paired, worse_first)
    return {
        "share": share,
        "share_low": share_low,
        "share_high": share_high,
        "median": median,
        "low": low,
        "high": high,
        "flip": flip,
        "flip_low": flip_low,
        "flip_high": flip_high,
        "crossings": len(crossings),
        "worse_after": worse_first != bool(crossings),
        "told": _told(crossings, (flip_low, flip_high), axis.worse, first=worse_first),
    }


def _interval(
    samples: Array, axis: _Axis, level: float, paired: bool, worse_first: bool
) -> tuple[float, float]:
    """Return the bootstrap interval of the first crossing.

    A resample that is already on the other side at the first value crosses before it, one that
    stays on the first one's side beyond the last.
    """
    rng = np.random.default_rng(_SEED)
    values, pooled, n = samples.shape
    found = np.empty(_RESAMPLES)
    for i in range(_RESAMPLES):
        shape = (1, 1, n) if paired else (values, pooled, n)
        drawn = np.take_along_axis(samples, rng.integers(0, n, shape), axis=2)
        median = np.nanmedian(drawn.reshape(values, -1), axis=1)
        crossings = axis.crossings(median)
        if bool(axis.excess(median)[0] > 0.0) != worse_first:
            found[i] = -np.inf
        else:
            found[i] = crossings[0] if crossings else np.inf
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    ends = np.quantile(found, tails, method="inverted_cdf")
    low, high = np.clip(ends, axis.values[0], axis.values[-1]).tolist()
    return low, high


def _wilson(share: Array, count: NDArray[np.intp], level: float) -> tuple[Array, Array]:
    """Return Wilson's interval of a share of ``count``, both ``(n,)``."""
    z2 = norm.ppf((1.0 + level) / 2.0) ** 2
    centre = (share + 0.5 * z2 / count) / (1.0 + z2 / count)
    half = np.sqrt(z2 * share * (1.0 - share) / count + 0.25 * (z2 / count) ** 2)
    half = half / (1.0 + z2 / count)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _told(crossings: list[float], interval: tuple[float, float], worse: str, *, first: bool) -> str:
    """Return a curve's flip in words; ``first`` is whether it is worse at the first value."""
    if not crossings:
        return f"{'always' if first else 'never'} {worse}"
    low, high = interval
    more = f", the first of {len(crossings)}" if len(crossings) > 1 else ""
    return f"flips at {crossings[0]:.3g} [{low:.3g}, {high:.3g}]{more}"


def _name(data: xr.Dataset, field: str, parameter: str) -> str:
    """Return the column of a parameter, which has another name where its own is taken."""
    known = parameters(data)
    for name in (parameter, f"scenario.{parameter}"):
        if name in known:
            return name
    raise ValueError(f"{field}: no parameter '{parameter}'; allowed: {', '.join(sorted(known))}")


def _scale(table: dict[str, Any], parameter: str) -> str:
    """Return a parameter's scale, as the battery's table says."""
    every = {**table.get("uncertainties", {}), **table.get("levers", {})}
    return str(every.get(parameter, {}).get("scale", "linear"))
