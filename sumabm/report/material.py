"""What a report is made of: a battery, what is done of it, and what its parameters do."""

from __future__ import annotations

from typing import NamedTuple

import xarray as xr

from sumabm.analysis import columns
from sumabm.battery.results import open_battery
from sumabm.battery.store import Store
from sumabm.recorder import VARIABLES
from sumabm.report.effects import Results, strongest

_OUTCOMES = ("cumulative_harm", "harm", "alignment", "information")
_MOST = 4  # outcomes


class Material(NamedTuple):
    """A battery and what is done of it, as every section needs it."""

    store: Store
    data: xr.Dataset
    results: Results
    order: list[str]  # parameters, the strongest first


def gather(store: Store) -> Material:
    """Return a battery's results at the replicates' ends, of the outcomes that a report shows."""
    data = open_battery(store, store.battery.keep.outcomes or _OUTCOMES)
    names = [name for name in store.table("points") if name != "point"]
    outcomes = sorted(columns(data), key=_rank)[:_MOST]
    results = Results.of(data, names, outcomes)
    return Material(store, data, results, strongest(results))


def _rank(column: str) -> int:
    """Return an outcome's place in a report: the usual ones, then the others as recorded."""
    return list(dict.fromkeys((*_OUTCOMES, *VARIABLES))).index(column.partition(".")[0])
