"""What an opening does to harm, beside the plain model, with intervals from paired replicates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from sumabm.types import Array

RATIO, DIMENSIONS = 2.0, 100
"""Where harm itself is compared: O_X/O_Y and d."""

_STEEP = (4.0, 8.0)  # the ratios between which the exponent in ξ is taken
_SHARE = 0.01  # of the plain model's harm at `_LEVEL`: what counts as harm at a threshold
_LEVEL = 4.0
_RESAMPLES, _SEED = 2000, 0
_LEAST = 1e-12  # nats: less is rounding


class Interval(NamedTuple):
    """An estimate and its 95 % bootstrap interval; missing where it has no meaning."""

    estimate: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an estimate."""
        return bool(np.isfinite(self.estimate))


class Effects(NamedTuple):
    """What an opening does: ``plain`` and ``opened`` of each quantity, and how they differ.

    ``share`` and ``median_share`` are total harm at `RATIO` and `DIMENSIONS` over the plain
    model's, of means and of medians over replicates; ``threshold`` is the ratio O_X/O_Y at which
    harm passes a hundredth of the plain model's at a ratio of 4; the exponents are of harm in d,
    over all d at `RATIO`, and in ξ = O_X/O_Y, from a ratio of 4 to 8,
    missing where the threshold lies as high. O_X counts as 2 nats whatever the opening makes of it.
    """

    share: Interval
    median_share: Interval
    threshold: tuple[Interval, Interval, Interval]
    in_dimensions: tuple[Interval, Interval, Interval]
    in_scale: tuple[Interval, Interval, Interval]


def effects(plain: xr.Dataset, opened: xr.Dataset) -> Effects:
    """Return the effects of an opening from two runs of the battery ``atlas`` of equal seeds.

    Replicates are resampled in pairs, the same ones at every point of both, 2000 times. Raises
    ValueError unless both have the same points and replicates.
    """
    for name in ("ratio", "d", "seed"):
        if name in plain and not np.array_equal(plain[name].values, opened[name].values):
            raise ValueError(f"atlas: the two differ in {name}: they do not pair")
    ratio = plain["ratio"].values
    d = plain["d"].values if "d" in plain.coords else np.full(ratio.size, DIMENSIONS)
    harm = [
        run["cumulative_harm"].transpose("point", "replicate").values for run in (plain, opened)
    ]
    picks = _picks(harm[0].shape[1])
    here = np.flatnonzero((ratio == RATIO) & (d == DIMENSIONS))[0]
    middles = [np.median(values[here][picks], axis=-1) for values in harm]
    means = [_means(values, picks) for values in harm]
    over_d = [(d[ratio == RATIO], each[:, ratio == RATIO]) for each in means]
    row = np.flatnonzero(d == DIMENSIONS)
    row = row[np.argsort(ratio[row])]
    over_ratio = [(ratio[row], each[:, row]) for each in means]
    target = _SHARE * over_ratio[0][1][:, ratio[row] == _LEVEL]
    steep = np.isin(ratio[row], _STEEP)
    return Effects(
        _interval(_over(means[1][:, here], means[0][:, here])),
        _interval(_over(middles[1], middles[0])),
        _three([_crossing(x, each, target) for x, each in over_ratio]),
        _three([_exponent(x, each) for x, each in over_d]),
        _three([_beyond(x[steep], each[:, steep], target) for x, each in over_ratio]),
    )


def _picks(replicates: int) -> Array:
    """Return replicate numbers ``(1 + resamples, R)``: themselves, then bootstrap samples."""
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(replicates, size=(_RESAMPLES, replicates))
    return np.concatenate([np.arange(replicates)[None], drawn])


def _means(values: Array, picks: Array) -> Array:
    """Return means ``(1 + resamples, points)`` of ``(points, R)``."""
    counts = np.stack([np.bincount(row, minlength=values.shape[1]) for row in picks])
    return np.asarray(np.einsum("br,pr->bp", counts, values) / values.shape[1])


def _over(above: Array, below: Array) -> Array:
    return np.where(below > _LEAST, above / np.where(below > _LEAST, below, 1.0), np.nan)


def _crossing(ratio: Array, means: Array, target: Array) -> Array:
    """Return where harm passes ``target (B, 1)``: between points, √harm is a line in √ratio."""
    x = np.sqrt(ratio)
    y = np.sqrt(np.maximum(means, 0.0)) - np.sqrt(target)
    above = y > 0.0
    first = np.argmax(above, axis=1)
    found = np.full(len(y), np.nan)
    rows = np.flatnonzero(above.any(axis=1) & (first > 0))
    k = first[rows]
    low, high = y[rows, k - 1], y[rows, k]
    found[rows] = (x[k - 1] - low * (x[k] - x[k - 1]) / (high - low)) ** 2
    return found


def _exponent(x: Array, means: Array) -> Array:
    """Return slopes ``(B,)`` of ln harm over ln x by least squares, missing where harm is none."""
    x = np.log(x) - np.log(x).mean()
    good = np.asarray((means > _LEAST).all(axis=1)) & (x.size > 1)
    logs = np.log(np.where(good[:, None], means, 1.0))
    slope = np.einsum("bp,p->b", logs, x) / max(np.vecdot(x, x), _LEAST)
    return np.where(good, slope.round(12), np.nan)  # no rounding error is an exponent


def _beyond(x: Array, means: Array, target: Array) -> Array:
    """Return exponents ``(B,)`` of harm that has passed the threshold's ``target (B, 1)``."""
    return np.where((means > target).all(axis=1), _exponent(x, means), np.nan)


def _three(pair: list[Array]) -> tuple[Interval, Interval, Interval]:
    """Return the plain model's interval, the opening's, and that of their difference."""
    plain, opened = pair
    return _interval(plain), _interval(opened), _interval(opened - plain)


def _interval(found: Array) -> Interval:
    """Return the estimate, which comes first, and the interval of the resamples after it."""
    rest = found[1:][np.isfinite(found[1:])]
    if not np.isfinite(found[0]) or rest.size < 0.9 * _RESAMPLES:
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(rest, (0.025, 0.975))
    return Interval(float(found[0]), float(low), float(high))
