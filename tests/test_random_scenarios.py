"""Whatever components declare themselves compatible run together: 500 scenarios from the schema."""

import random
import types
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt

from sumabm import SUMModel
from sumabm.aligners import AlignerMethod
from sumabm.behaviours import Behaviour
from sumabm.component import Slot, Strict, members
from sumabm.harms import Harm
from sumabm.origins import Origin
from sumabm.oversight import Relation
from sumabm.power import Power
from sumabm.responses import Response
from sumabm.scenario import Scenario
from sumabm.worlds import WorldSpec

STEPS, REPLICATES, PARTS, EACH = 20, 2, 20, 25
STATES = Path(__file__).parent / "reference" / "states.csv"
GIVEN: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("WorldSpec", "gaussian"): [
        {"dimensions": 5},
        {"dimensions": 3, "covariance": [1.0, 2.0, 0.5]},
    ],
    ("WorldSpec", "cloud"): [{"points": 64, "dimensions": 3}],
    ("WorldSpec", "grid"): [{"steps": 5, "dimensions": 2, "reach": 3.0}],
    ("WorldSpec", "states"): [{"probabilities": [0.1, 0.2, 0.3, 0.4], "utilities": "free"}],
    ("WorldSpec", "goodhart"): [{"error": "student-t", "panels": 2, "level": None}],
    ("WorldSpec", "bounded"): [{"shape": s, "points": 64} for s in ("ball", "box", "simplex")],
    ("WorldSpec", "table"): [],
    ("WorldSpec", "causal"): [{"edges": [["a", "b", 0.5], ["b", "c", -1.0], ["a", "c", 2.0]]}],
    ("WorldSpec", "causal-file"): [],
    ("Behaviour", "soft"): [{"actuators": ["b"]}, {"actuators": 0.5}],
    ("Behaviour", "by-news"): [{"actuators": ["b"]}, {"actuators": 0.5}],
    ("Behaviour", "hard"): [{"actuators": ["b"]}, {"actuators": 0.5}],
    ("Behaviour", "sandboxed"): [
        {"fraction": 0.5, "fidelity": 1.0},
        {"fraction": 0.5, "inner": "honest"},
        {"fraction": 1.0, "fidelity": 1.0},
    ],
    ("Graph", "edges"): [
        {"edges": edges} for edges in ([["X0", "X1"]], [["W0", "X0", 2.0]], [["X0", "W0"]])
    ],
    ("Graph", "file"): [],
    ("Power", "table"): [{"values": [1.0, 0.0, 3.0], "beyond": "hold"}],
    ("Origin", "table"): [{"values": [1.0, 0.0, -1.0, 2.0]}],
    ("Origin", "kin"): [{"family": "f", "likeness": 0.5}, {"family": "f", "likeness": 1.0}],
    ("Origin", "subagents"): [
        {"graph": "layered", "subagents": 4, "width": 2, "edges": None, "file": None, "powers": {}},
        {
            "edges": [["a", "b", 0.5], ["a", "c"]],
            "powers": {"b": 2.0},
            **dict.fromkeys(["graph", "subagents", "width", "file"]),
        },
    ],
}
"""Fields of components that are lists or files: the schema does not tell what they could be."""


class NoValueError(Exception):
    """The schema does not tell what a field could be."""


def shipped(room):
    """Return a room's members without those that other tests define."""
    found = members(room).items()
    return {kind: cls for kind, cls in found if cls.__module__.startswith("sumabm.")}


def component(room, rng):
    """Return a random component of a room as a table."""
    kinds = shipped(room)
    kind = rng.choice(list(kinds))
    cls, given = kinds[kind], GIVEN.get((room.__name__, kind))
    table = {"kind": kind}
    if given is not None:
        if not given:
            raise NoValueError(kind)
        table |= rng.choice(given)
    for name, field in cls.model_fields.items():
        if name in table or (not field.is_required() and rng.random() < 0.5):
            continue
        try:
            table[name] = value(field.annotation, field.metadata, rng)
        except NoValueError:
            if field.is_required():
                raise
    return table


def value(annotation, metadata, rng):
    """Return a random value of a field: within its bounds, and not far from where they begin."""
    slots = [mark for mark in metadata if isinstance(mark, Slot)]
    if slots:
        return component(slots[0].room, rng)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return value(inner, [*more, *metadata], rng)
    if origin is Literal:
        return rng.choice(get_args(annotation))
    if origin in (Union, types.UnionType):
        return value(rng.choice(get_args(annotation)), metadata, rng)
    if annotation in (type(None), bool):
        return None if annotation is not bool else rng.random() < 0.5
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        fields = annotation.model_fields
        return {n: value(f.annotation, f.metadata, rng) for n, f in fields.items()}
    if annotation in (int, float):
        low, high = bounds(metadata)
        if annotation is int:
            return rng.randint(int(np.ceil(low)), int(np.floor(min(high, low + 4))))
        return rng.uniform(low + 1e-9, min(high, low + 3.0) - 1e-9)
    raise NoValueError(str(annotation))


def bounds(metadata):
    low, high = [], []
    for mark in flat(metadata):
        low += [getattr(mark, "ge", None), getattr(mark, "gt", None)]
        high += [getattr(mark, "le", None), getattr(mark, "lt", None)]
    lows = [float(x) for x in low if x is not None]
    highs = [float(x) for x in high if x is not None]
    return max(lows, default=-0.5), min(highs, default=np.inf)


def flat(metadata):
    for mark in metadata:
        if isinstance(mark, Ge | Gt | Le | Lt):
            yield mark
        elif hasattr(mark, "metadata"):
            yield from flat(mark.metadata)


def scenario(rng):
    """Return a random table of a scenario; most are not valid."""
    agents = {}
    for i in range(rng.choice([1, 1, 2])):
        agents[f"X{i}"] = {"role": "ai", "power": component(Power, rng)}
        agents[f"X{i}"]["behaviour"] = component(Behaviour, rng)
    for i in range(rng.choice([1, 1, 2])):
        agents[f"Y{i}"] = {"role": "human", "power": component(Power, rng)}
        agents[f"Y{i}"]["response"] = component(Response, rng)
    for name in agents:
        if rng.random() < 0.15:
            agents[name]["count"] = rng.choice([1, 3])
        if rng.random() < 0.3:
            agents[name]["utility"] = component(Origin, rng)
    for i in range(rng.choice([0, 1, 1, 2])):
        agents[f"W{i}"] = {"role": "aligner", "method": component(AlignerMethod, rng)}
    related = rng.choice([0, 0, 0, 1, 2])
    return {
        "relations": {f"r{i}": component(Relation, rng) for i in range(related)},
        "scenario": "random",
        "steps": STEPS,
        "activation": rng.choice(["sequential", "sequential", "random", "simultaneous"]),
        "harm": component(Harm, rng),
        "world": component(WorldSpec, rng),
        "agents": agents,
    }


@cache
def drawn(part):
    """Return a part of the scenarios: drawn from the schema until so many are valid."""
    rng, found = random.Random(part), []
    while len(found) < EACH:
        try:
            table = scenario(rng)
            found.append(Scenario.model_validate(table, context={"folder": STATES.parent}))
        except (NoValueError, ValueError):
            continue
    return found


def test_they_have_every_component():
    specs = [spec for part in range(PARTS) for spec in drawn(part)]
    kinds = {type(part) for spec in specs for _, _, part in spec.components()}
    for room in (AlignerMethod, Behaviour, Harm, Power, Relation, Response):
        assert set(shipped(room).values()) <= kinds, room


@pytest.mark.no_cover  # coverage is that of tests which say what should come out
@pytest.mark.parametrize("part", range(PARTS))
def test_they_run(part):
    for number, spec in enumerate(drawn(part)):
        try:
            run(spec)
        except Exception as error:
            error.add_note(f"scenario {number} of part {part}: {spec.model_dump()}")
            raise


def run(spec):
    model = SUMModel(spec, REPLICATES, rng=1)
    actors = [name for name in spec.population if spec.population[name].kind != "aligner"]
    while model.running:
        model.step()
        row = model.row
        assert all(np.isfinite(values).all() for values in row.values()), row
        assert (row["harm"] >= 0.0).all()
        for name in actors:
            power, spent = row[f"power.{name}"], row[f"spent.{name}"]
            assert (spent <= power * (1.0 + 1e-9) + 1e-12).all(), (name, spent, power)
        for name in model.ais:
            assert (np.abs(row[f"alignment.{name}"]) <= 1.0 + 1e-12).all()
