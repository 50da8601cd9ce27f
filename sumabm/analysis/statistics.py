"""Means and quantiles over replicates, each with its standard error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from scipy.stats import beta

from sumabm.analysis.outcomes import columns
from sumabm.types import Array


def statistics(
    data: xr.Dataset,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    outcomes: Iterable[str] | None = None,
) -> xr.Dataset:
    """Return what the replicates of a run or a battery come to, by ``outcome``.

    Dims ``outcome`` (columns, ``variable[.agent]``) and those of the data but ``replicate`` and
    ``agent``; variables, of the n replicates that are not missing:

    - ``count``: n,
    - ``mean`` and ``standard_error``, ``s / √n`` with ``s² = Σ (y − ȳ)² / (n − 1)``,
    - ``quantile`` and ``quantile_error``, with a dim ``probability``: linear between
      order statistics; 0.5 is the median. The standard error is Maritz and Jarrett's: that of the
      order statistic ``y₍ₘ₎``, ``m = ⌊pn + ½⌋``, under the bootstrap, in closed form:
      ``Var = Σ wᵢ y₍ᵢ₎² − (Σ wᵢ y₍ᵢ₎)²``, ``wᵢ = I(i/n) − I((i − 1)/n)``, with I the distribution
      function of Beta(m, n − m + 1) [maritz-jarrett-1978].

    A coordinate ``units`` says what an outcome is in. Missing: all where n = 0, standard errors
    where n = 1, a quantile's error where m = 1 or m = n (p = 0.05: n < 30): the bootstrap does not
    know what lies beyond the sample.

    Raises ValueError for quantiles outside (0, 1) or outcomes that the data do not have.

    >>> from sumabm import simulate
    >>> made = statistics(simulate("essay", replicates=4, steps=3), outcomes=["cumulative_harm"])
    >>> dict(made["mean"].sizes), made["count"].values.tolist()
    ({'outcome': 1, 'step': 3}, [[4, 4, 4]])
    """
    at = np.asarray(quantiles, dtype=float)
    if not ((at > 0.0) & (at < 1.0)).all():
        raise ValueError(f"quantiles: should lie between 0 and 1, got {list(quantiles)}")
    found = columns(data, outcomes)
    if not found:
        raise ValueError("outcomes: the data have none")
    first = next(iter(found.values())).isel(replicate=0, drop=True)
    parts = [_describe(v.transpose(*first.dims, "replicate").values, at) for v in found.values()]
    dims = ("outcome", *first.dims, "probability")
    return xr.Dataset(
        {
            name: (dims[: array.ndim + 1], np.stack([part[name] for part in parts]))
            for name, array in parts[0].items()
        },
        coords={
            **first.coords,
            "outcome": list(found),
            "units": ("outcome", [str(v.attrs.get("units", "")) for v in found.values()]),
            "probability": at,
        },
    )


def _describe(values: Array, at: Array) -> dict[str, Array]:
    """Return the statistics of ``(…, R)``: arrays ``(…)`` and, of quantiles, ``(…, Q)``."""
    rows = np.sort(values.reshape(-1, values.shape[-1]), axis=1)  # the missing ones come last
    count = np.count_nonzero(~np.isnan(rows), axis=1)
    mean, error = np.full((2, len(rows)), np.nan)
    quantile, quantile_error = np.full((2, len(rows), at.size), np.nan)
    for n in np.unique(count[count > 0]):
        these = count == n
        block = rows[these, :n]
        mean[these] = block.mean(axis=1)
        quantile[these] = np.quantile(block, at, axis=1).T
        quantile_error[these] = _maritz_jarrett(block, at)
        if n > 1:
            error[these] = block.std(axis=1, ddof=1) / np.sqrt(n)
    shape = values.shape[:-1]
    flat = {"count": count, "mean": mean, "standard_error": error}
    found = {name: array.reshape(shape) for name, array in flat.items()}
    found["quantile"] = quantile.reshape(*shape, at.size)
    found["quantile_error"] = quantile_error.reshape(*shape, at.size)
    return found


def _maritz_jarrett(ordered: Array, at: Array) -> Array:
    """Return the standard errors ``(n, Q)`` of quantiles of ordered rows ``(n, R)``.

    ``scipy.stats.mstats.mjci`` takes Beta(m − 1, n − m), which is too wide, and a row at a time.
    """
    n = ordered.shape[1]
    rank = np.floor(at * n + 0.5)[:, None]
    inside = ((rank > 1) & (rank < n))[:, 0]
    rank = np.clip(rank, 1, n)
    weights = np.diff(beta.cdf(np.linspace(0.0, 1.0, n + 1), rank, n - rank + 1), axis=1)
    centred = ordered - ordered[:, n // 2, None]  # else small spreads cancel
    variance = centred**2 @ weights.T - (centred @ weights.T) ** 2
    return np.where(inside, np.sqrt(np.maximum(variance, 0.0)), np.nan)
