"""Which parameters an outcome depends on: Sobol' indices and Morris screening, by SALib."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from SALib.analyze import morris as salib_morris
from SALib.analyze import sobol as salib_sobol

from sumabm.analysis.grids import parameter_of
from sumabm.analysis.outcomes import parameters, point_outcomes
from sumabm.types import Array

_RESAMPLES = 500
_SEED = 1  # of the bootstrap; SALib reads 0 as none
_DUST = 1e-13  # a spread below this share of the largest value is rounding


class _Sample(NamedTuple):
    """A design's outcomes, in its order, and what it says of itself."""

    design: dict[str, Any]
    unit: Array  # (n, coordinates)
    groups: list[str]  # the parameter of every coordinate
    means: Array  # (n,)
    noise: float
    attrs: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.groups))


def sobol(data: xr.Dataset, outcome: str, level: float = 0.95) -> xr.Dataset:
    """Return the Sobol' indices of an outcome's mean over replicates, by ``parameter``.

    Of ``y(x)``, the parameters x independent and drawn as their kinds say:

    - ``first_order``: ``S_j = Var(E[y | x_j]) / Var(y)``, what knowing parameter j alone explains,
    - ``total_order``: ``T_j = E[Var(y | x_¬j)] / Var(y)``, what it has a part in,
    - ``second_order``, dims ``parameter`` and ``other``, where the design has it: what two explain
      together beyond their first orders,
    - each with a ``…_margin``: the half-width of its bootstrap confidence interval at ``level``,
    - ``noise`` (a number): the share of Var(y) over points that the replicates' spread leaves,
      ``mean(s² / R) / Var(ȳ)``; missing for R = 1.

    Estimators of Saltelli et al., as SALib has them [saltelli-2010, saltelli-2002]. A parameter of
    several coordinates counts as one. ``outcome`` is a column, "cumulative_harm" or "alignment.X",
    taken at each replicate's end.

    What the noise does: with seeds that differ between points it is independent. It adds to Var(y)
    and to what a total measures, not to what a first order does: expect ``S (1 − noise)`` in place
    of S and ``T (1 − noise) + noise`` in place of T (less for parameters of few values: points that
    coincide share their seeds). With paired seeds the indices are exact ones of the function that
    those seeds make, much of the noise cancels, ``noise`` is an upper bound of its share, and
    nothing can be corrected. Either way, more replicates if it is not small.

    An outcome that is the same at every point has no variance to share: its indices are missing and
    the attribute ``note`` says so. Raises ValueError for data of another design than "saltelli",
    with points missing, or without the outcome.
    """
    sample = _sample(data, outcome, "saltelli")
    names, second = sample.names, bool(sample.design["second_order"])
    block = (2 if second else 1) * len(names) + 2
    _check_size(sample, sample.design["points"], block)
    keys = {"first_order": "S1", "total_order": "ST"} | ({"second_order": "S2"} if second else {})
    shapes = {"S1": (len(names),), "ST": (len(names),), "S2": (len(names), len(names))}
    base = sample.means.reshape(-1, block)[:, [0, -1]]  # what SALib takes the variance of
    if np.ptp(base) > _DUST * np.abs(base).max():
        problem = {"num_vars": len(names), "names": names}
        indices = salib_sobol.analyze(
            problem, sample.means, second, _RESAMPLES, conf_level=level, seed=_SEED
        )
    else:
        indices = {f"{k}{c}": np.full(shapes[k], np.nan) for k in shapes for c in ("", "_conf")}
        sample.attrs["note"] = f"{outcome} is the same at every point: it has no variance to share"
    found: dict[str, Array] = {}
    for name, key in keys.items():
        for ours, theirs in ((name, key), (f"{name}_margin", f"{key}_conf")):
            values = np.asarray(indices[theirs])
            found[ours] = values if values.ndim == 1 else np.fmax(values, values.T)  # upper half
    return _labelled(data, sample, found, level)


def morris(data: xr.Dataset, outcome: str, level: float = 0.95) -> xr.Dataset:
    """Return Morris's measures of an outcome's mean over replicates, by ``parameter``.

    Of the elementary effects ``d = ± (y(x + Δ e_j) − y(x)) / Δ`` on the unit cube, one in every
    trajectory: ``mu`` their mean, ``mu_star`` the mean of their sizes with ``mu_star_margin``, the
    half-width of its bootstrap confidence interval at ``level``, and ``sigma`` their standard
    deviation, in the outcome's units [morris-1991, campolongo-2007]. A parameter of several
    coordinates moves all of them at once: it has only a ``mu_star``. An outcome that is the same at
    every point has effects of zero. ``noise`` is as `sobol` says; independent noise adds
    ``2 s² / (R Δ²)`` to sigma² and so to mu_star.

    Raises ValueError for data of another design than "morris", with points missing, without the
    outcome, or with a single trajectory.
    """
    sample = _sample(data, outcome, "morris")
    names = sample.names
    trajectories = sample.design["trajectories"]
    _check_size(sample, trajectories, len(names) + 1)
    if trajectories < 2:
        raise ValueError("design: one trajectory has no spread; at least 2 are needed")
    problem = {"num_vars": len(sample.groups), "names": sample.groups, "groups": sample.groups}
    effects = salib_morris.analyze(
        problem,
        sample.unit,
        sample.means,
        num_resamples=_RESAMPLES,
        conf_level=level,
        num_levels=sample.design["levels"],
        seed=_SEED,
    )
    keys = {"mu": "mu", "mu_star": "mu_star", "mu_star_margin": "mu_star_conf", "sigma": "sigma"}
    found: dict[str, Array] = {ours: np.asarray(effects[key]) for ours, key in keys.items()}
    several = np.array([sample.groups.count(name) > 1 for name in names])
    found["mu"] = np.where(several, np.nan, found["mu"])  # directions differ within a group
    return _labelled(data, sample, found, level)


def _sample(data: xr.Dataset, outcome: str, kind: str) -> _Sample:
    """Return a design's sample; raises ValueError unless it is whole and of that kind."""
    if "battery" not in data.attrs:
        raise ValueError("the data should be a battery's: the attribute 'battery' is missing")
    battery = json.loads(data.attrs["battery"])
    if battery["design"]["kind"] != kind:
        got = battery["design"]["kind"]
        raise ValueError(f"design: should be of kind '{kind}' for this analysis, got '{got}'")
    values = point_outcomes(data, outcome)
    means = np.nanmean(values, axis=1)
    paired = bool(battery["paired"])
    facts: dict[str, Any] = {"outcome": outcome, "design": kind, "paired": int(paired)}
    return _Sample(
        battery["design"],
        np.asarray(data["unit"].transpose("point", "coordinate").values, dtype=float),
        [parameter_of(str(label)) for label in data["coordinate"].values],
        means,
        _noise(values, means),
        facts,
    )


def _noise(values: Array, means: Array) -> float:
    """Return the share of the variance of means over points that replicates' spread leaves."""
    count = np.count_nonzero(~np.isnan(values), axis=1)
    several = count > 1
    if not several.any() or np.ptp(means) <= _DUST * np.abs(means).max():
        return float("nan")
    spread = np.nanvar(values[several], axis=1, ddof=1) / count[several]
    return float(spread.mean() / means.var(ddof=1))


def _check_size(sample: _Sample, blocks: int, size: int) -> None:
    if sample.means.size != blocks * size:
        raise ValueError(
            f"the design has {blocks * size} points ({blocks} times {size}), the data have "
            f"{sample.means.size}: all are needed, in their order"
        )


def _labelled(
    data: xr.Dataset, sample: _Sample, found: dict[str, Array], level: float
) -> xr.Dataset:
    """Return the measures as a Dataset, with the parameters' roles."""
    roles = {parameter_of(column): role for column, role in parameters(data).items()}
    about = "share of the variance over points that is the replicates'"
    about += ": at most, as seeds are paired" if sample.attrs["paired"] else ""
    variables: dict[str, Any] = {
        name: (("parameter", "other")[: array.ndim], array) for name, array in found.items()
    }
    return xr.Dataset(
        {**variables, "noise": ((), sample.noise, {"long_name": about})},
        coords={
            "parameter": sample.names,
            "role": ("parameter", [roles[name] for name in sample.names]),
            **({"other": sample.names} if "second_order" in found else {}),
        },
        attrs={**sample.attrs, "level": level, "points": sample.means.size},
    )
