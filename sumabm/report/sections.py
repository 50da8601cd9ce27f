"""What a battery's report says of it, section by section, as plain tables for its template."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from sumabm.battery.parameters import Parameter
from sumabm.battery.parameters.choice import Choice
from sumabm.battery.parameters.ranges import Range
from sumabm.battery.sources import sources
from sumabm.battery.store import Store
from sumabm.recorder import VARIABLES
from sumabm.report.effects import Results, at, effects, standard_error
from sumabm.report.exhibits import Section, flip, maps, sensitivity, trajectories
from sumabm.report.material import Material
from sumabm.report.text import listed, plus_minus, ranges, shown

_MOST_FIELDS, _MOST_FAILURES = 80, 50


def contents(material: Material) -> Section:
    """Return all that the template shows."""
    return {
        "name": material.store.battery.battery,
        "about": material.store.battery.description.strip(),
        "tags": material.store.battery.tags,
        "asked": asked(material.store),
        "progress": progress(material.store),
        "flip": flip(material),
        "effects": headline(material),
        "maps": maps(material),
        "trajectories": trajectories(material),
        "sensitivity": sensitivity(material),
        "provenance": provenance(material.store),
    }


def asked(store: Store) -> Section:
    """Return the question: scenario, parameters, design, replicates and what was kept."""
    battery = store.battery
    paths = (battery.parameters.keys() - battery.variables) | battery.derived.keys()
    varied = tuple(f"{path}." for path in paths)
    table = battery.scenario.model_dump(exclude={"scenario", "description", "tags"})
    fields = [(p, shown(v), f"{p}.".startswith(varied)) for p, v in _flat(table)]
    parameters = [
        (name, "lever" if name in battery.levers else "uncertainty", p.kind, describe(p))
        for name, p in battery.parameters.items()
    ]
    return {
        "sentence": _sentence(store),
        "scenario": battery.scenario.scenario,
        "scenario_about": battery.scenario.description.strip(),
        "fields": fields[:_MOST_FIELDS],
        "more_fields": max(len(fields) - _MOST_FIELDS, 0),
        "parameters": parameters,
        "derived": battery.derived,
        "design": [(name, shown(v, 200)) for name, v in _flat(battery.design.model_dump())],
    }


def describe(parameter: Parameter) -> str:
    """Return what values a parameter takes, in words."""
    if isinstance(parameter, Choice):
        return ", ".join(parameter.names)
    facts = parameter.model_dump(exclude={"kind", "low", "high", "scale"}, exclude_none=True)
    told = [f"{name} {shown(value)}" for name, value in facts.items() if name != "kind"]
    if isinstance(parameter, Range):
        logarithmic = ["on a logarithmic scale"] * (parameter.scale == "log")
        told = [f"{shown(parameter.low)} to {shown(parameter.high)}", *logarithmic, *told]
    return ", ".join(told)


def progress(store: Store) -> Section:
    """Return how far a battery is, what is missing and what failed."""
    table, done, failures = store.table("chunks"), store.done(), store.failures()
    is_done = np.array([identity in done for identity in table["identity"]], dtype=bool)
    every = set(table["identity"])
    failed = {identity: record for identity, record in failures.items() if identity in every}
    missing = np.unique(table["point"][~is_done]).tolist()
    runs = table["stop"] - table["first"]
    records = sorted(failed.items(), key=lambda item: (item[1]["point"], item[1]["replicates"]))
    return {
        "points": int(store.manifest["points"]),
        "chunks": len(every),
        "done": len(every & done),
        "failed": len(failed),
        "left": len(every - done - failed.keys()),
        "runs": int(runs.sum()),
        "runs_done": int(runs[is_done].sum()),
        "incomplete": len(missing),
        "incomplete_points": ranges(missing),
        "failures": [_failure(*item) for item in records[:_MOST_FAILURES]],
        "more_failures": max(len(records) - _MOST_FAILURES, 0),
    }


def headline(material: Material) -> list[Section]:
    """Return, by outcome, its mean and extremes over points and what each parameter does to it."""
    results, found = material.results, []
    for outcome, means in results.mean.items():
        there = np.flatnonzero(~np.isnan(means))
        if not there.size:
            continue
        least, most = (int(there[pick(means[there])]) for pick in (np.argmin, np.argmax))
        rows = [
            {
                "parameter": effect.parameter,
                "role": material.data[effect.parameter].attrs["role"],
                "low": effect.low,
                "high": effect.high,
                "change": plus_minus(effect.change, effect.error),
            }
            for effect in effects(results.points, means)
        ]
        found.append(
            {
                "outcome": results.title(outcome),
                "about": VARIABLES[outcome.partition(".")[0]].about,
                "mean": plus_minus(float(means[there].mean()), standard_error(means[there])),
                "points": there.size,
                "least": _extreme(results, outcome, least),
                "most": _extreme(results, outcome, most),
                "rows": rows,
            }
        )
    return found


def provenance(store: Store) -> Section:
    """Return where the results come from, and the commands that make and check them again."""
    manifest, battery = store.manifest, store.battery
    commit = manifest.get("commit")
    told = f"{commit['id']}{', with changes' if commit['dirty'] else ''}" if commit else "unknown"
    facts = {
        "battery": manifest["identity"],
        "numeric code": manifest["code"],
        "commit": told,
        "planned": manifest["created"],
        "seed": f"{battery.seed}, {'paired' if battery.paired else 'not paired'}",
    }
    folder = store.path.resolve().name
    given = manifest["given"]
    made = [["battery", given["battery"], *_each("--set", given["set"])]] if "set" in given else []
    lines = [*made, ["resume", folder], ["verify", folder]]
    return {
        "facts": facts | _texts(manifest["versions"]) | _texts(manifest["machine"]),
        "cites": sorted(sources(battery) | set(manifest["cites"])),
        "commands": [shlex.join(["sumabm", *line]) for line in lines],
        "resume": shlex.join(["sumabm", "resume", folder]),
        "python": not made,
    }


def _flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of nested tables that have a value, by dotted path."""
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{name}.")
        elif value is not None:
            yield f"{path}{name}", value


def _sentence(store: Store) -> str:
    """Return what was asked, in words."""
    battery, points = store.battery, int(store.manifest["points"])
    runs = _count(points * battery.replicates, "run")
    design = battery.design.kind.replace("-", " ")
    seeds = "all points share their seeds" if battery.paired else "every point has its own seed"
    every = battery.keep.every
    when = "at each run's last step"
    if every is not None:
        when = f"at {'every step' if every == 1 else f'every {every} steps'} and at the end"
    kept = listed(battery.keep.outcomes) if battery.keep.outcomes else "all variables"
    return (
        f"{_count(points, 'point')} of {_count(len(battery.parameters), 'parameter')} "
        f"(design: {design}), {_count(battery.replicates, 'replicate')} at each: {runs} of the "
        f"scenario {battery.scenario.scenario}; {seeds}. Kept {when}: {kept}."
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _failure(identity: str, record: Mapping[str, Any]) -> Section:
    first, stop = record["replicates"]
    changes = ", ".join(f"{name}={shown(value)}" for name, value in record["changes"].items())
    return {
        "chunk": identity[:12],
        "point": record["point"],
        "replicates": ranges(range(first, stop)),
        "changes": changes,
        "error": shown(record["error"].partition("\n")[0], 200),
        "traceback": record["traceback"],
        "crashes": record["crashes"],
    }


def _extreme(results: Results, outcome: str, point: int) -> str:
    value = plus_minus(float(results.mean[outcome][point]), float(results.error[outcome][point]))
    return f"{value} at point {point} ({at(results, point)})" if results.varied else value


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: " ".join(v) if isinstance(v, list) else str(v) for name, v in facts.items()}
