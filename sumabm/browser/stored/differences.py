"""How two stored runs differ: in what was asked, and in what came out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import xarray as xr

from sumabm.analysis import compare
from sumabm.files import DAMAGE
from sumabm.report.text import plus_minus, shown

OUTCOMES = ("harm", "harm_amplitude", "cumulative_harm", "alignment", "information", "displacement")
"""Variables of which the paired difference is told, of those that both runs have."""

_NOTHING = "—"
_TEXTS = ("scenario", "description", "tags")  # of a scenario: they change no number


class Difference(NamedTuple):
    """A path of the scenario, or the seed or replicates, and its value in either run."""

    path: str
    a: str
    b: str


class Paired(NamedTuple):
    """An outcome at the replicates' ends: by how much b has more of it than a, in pairs."""

    outcome: str
    unit: str
    difference: str
    """The mean of b less a, with its standard error."""
    pairs: int
    correlation: str


def differences(a: xr.Dataset, b: xr.Dataset) -> list[Difference]:
    """Return what was asked for differently, by path; a dash where a run has no such field."""
    first, second = (_asked(run) for run in (a, b))
    paths = [*first, *(path for path in second if path not in first)]
    return [
        Difference(path, first.get(path, _NOTHING), second.get(path, _NOTHING))
        for path in paths
        if first.get(path) != second.get(path)
    ]


def paired(a: xr.Dataset, b: xr.Dataset) -> tuple[list[Paired], str]:
    """Return how much more of each outcome b has than a, or why that can't be said."""
    there = [name for name in OUTCOMES if name in a and name in b]
    try:
        found = compare(a, b, there)
    except DAMAGE as error:
        return [], str(error).removeprefix("compare: ")
    lines = []
    for place, name in enumerate(found["outcome"].values.tolist()):
        line = found.isel(outcome=place)
        change = plus_minus(float(line["difference"]), float(line["standard_error"]))
        pairs, unit = int(line["pairs"]), str(line["units"].values)
        lines.append(Paired(name, unit, change, pairs, shown(float(line["correlation"]), digits=3)))
    return lines, ""


def _asked(run: xr.Dataset) -> dict[str, str]:
    table = json.loads(run.attrs["scenario"])
    first, last = (int(run["replicate"][place]) for place in (0, -1))
    name = {"scenario": str(table.get("scenario"))}
    plain = {key: value for key, value in table.items() if key not in _TEXTS}
    fields = {path: shown(value, 60) for path, value in _fields(plain)}
    return {**name, "seed": run.attrs["seed"], "replicates": f"{first} to {last}", **fields}


def _fields(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of nested tables that have a value, by dotted path."""
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _fields(value, f"{path}{name}.")
        elif value is not None:
            yield f"{path}{name}", value
