"""Scenario discovery: the boxes in parameter space in which an outcome is what one fears."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from sumabm.analysis.outcomes import parameters, point_outcomes


class Between(NamedTuple):
    """A number from ``low`` to ``high``; quasi-p-values of both ends, NaN where not restricted."""

    low: float
    high: float
    quasi_p: tuple[float, float]


class Among(NamedTuple):
    """A choice among ``values``, and the quasi-p-value of that restriction."""

    values: tuple[Any, ...]
    quasi_p: float


class Box(NamedTuple):
    """A box: limits of the parameters that it restricts, and what it holds.

    Of all n points K are of interest; of the points in the box that no earlier box holds, m, k are:
    ``coverage`` is k/K, ``density`` k/m and ``mass`` m/n.
    """

    limits: dict[str, Between | Among]
    coverage: float
    density: float
    mass: float


def discover(
    data: xr.Dataset,
    outcome: str,
    above: float | None = None,
    below: float | None = None,
    among: Sequence[str] | None = None,
    density: float = 0.8,
    peel: float = 0.05,
    mass: float = 0.05,
) -> list[Box]:
    """Return boxes of parameters in which the outcome's mean is ``above``, or ``below``, a value.

    PRIM, the patient rule induction method [friedman-fisher-1999, bryant-lempert-2010], as the EMA
    Workbench has it [kwakkel-2017]: each step peels off the slice, of about the share ``peel`` of
    the points, that raises the density most for its size, until a share ``mass`` is left; then
    slices are pasted back where that raises it. Of the boxes on this path the one with most
    coverage among those of at least this ``density`` is kept, its points are set aside, and the
    search goes on until it finds none. It is greedy: two boxes at opposite ends of a parameter can
    keep it from peeling either. Limits lie between points, except for whole numbers, whose
    limits are the outermost ones inside. A limit's quasi-p-value is that of the k points of
    interest in the box, or more, by a binomial test with the density that the box has without the
    limit.

    ``outcome`` is a column, taken at each replicate's end and averaged over replicates; ``among``
    names the parameter columns, by default the uncertainties. Text and truth values are choices.

    Needs the optional EMA Workbench: ImportError otherwise. Raises ValueError unless one of
    ``above`` and ``below`` is given and some but not all points are of interest, for parameters
    that the data do not have, or with points missing.
    """
    if (above is None) == (below is None):
        raise ValueError("above, below: exactly one of them should be given")
    for name, share in (("density", density), ("peel", peel), ("mass", mass)):
        if not 0.0 < share < 1.0:
            raise ValueError(f"{name}: should lie between 0 and 1, got {share}")
    means = np.nanmean(point_outcomes(data, outcome), axis=1)
    wanted = means > above if above is not None else means < below
    if wanted.all() or not wanted.any():
        rule = f"above {above}" if above is not None else f"below {below}"
        many = "every point has" if wanted.all() else "no point has"
        span = f"{means.min():.6g} to {means.max():.6g}"
        raise ValueError(f"{many} a mean of '{outcome}' {rule}: they go from {span}")
    columns = {name: data[name].values for name in _chosen(data, among)}
    columns = {name: values for name, values in columns.items() if len(np.unique(values)) > 1}
    if not columns:
        raise ValueError("among: none of the parameters varies")
    prim = _prim()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' on EMA's habits
        search = prim.Prim(
            _table(columns), wanted.astype(int), density, peel_alpha=peel, mass_min=mass
        )
        return _boxes(search, columns, density)


def _prim() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other optional packages that it would have liked
        try:
            from ema_workbench.analysis import prim
        except ImportError as error:
            raise ImportError(
                "discover needs ema_workbench: pip install 'sumabm[discovery]'"
            ) from error
    return prim


def _chosen(data: xr.Dataset, among: Sequence[str] | None) -> list[str]:
    roles = parameters(data)
    if among is None:
        return [name for name, role in roles.items() if role == "uncertainty"]
    for name in among:
        if name not in roles:
            allowed = ", ".join(sorted(roles)) or "none"
            raise ValueError(f"among: no parameter column '{name}'; allowed: {allowed}")
    return list(among)


def _table(columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
    """Return what PRIM takes: numbers as floats, choices as categories 0, 1, … in sorted order.

    Sets of small integers have one order; those of text change it from process to process, and
    with it how ties are broken.
    """
    return pd.DataFrame(
        {
            name: pd.Series(values.astype(float))
            if _is_number(values)
            else pd.Series(np.unique(values, return_inverse=True)[1]).astype("category")
            for name, values in columns.items()
        }
    )


def _is_number(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iuf"


def _boxes(search: Any, columns: dict[str, NDArray[Any]], density: float) -> list[Box]:
    found = []
    while (box := search.find_box()) is not None:
        path = box.peeling_trajectory
        dense = path[path["density"] >= density]
        if dense.empty:
            break
        best = int(dense.sort_values(["coverage", "density"], kind="stable").index[-1])
        box.select(best)
        restricted = {
            name: _limit(columns[name], box.box_lims[best][name].tolist(), quasi_p)
            for name, quasi_p in box.qp[best].items()
        }
        facts = (float(path.loc[best, name]) for name in ("coverage", "density", "mass"))
        found.append(Box({n: restricted[n] for n in columns if n in restricted}, *facts))
    return found


def _limit(values: NDArray[Any], ends: list[Any], quasi_p: list[float]) -> Between | Among:
    """Return a parameter's limit from EMA's, which writes -1 for a missing quasi-p-value."""
    low, high = (float(p) if p >= 0.0 else float("nan") for p in quasi_p)
    if not _is_number(values):
        names = np.unique(values).tolist()
        return Among(tuple(names[code] for code in sorted(ends[0])), low)
    if values.dtype.kind in "iu":
        return Between(float(np.ceil(ends[0])), float(np.floor(ends[1])), (low, high))
    return Between(float(ends[0]), float(ends[1]), (low, high))
