"""Ensembles and single runs of `essay` and `bayesian` beside plain Mesa and bare NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import numpy as np

from benchmarks.peers import society
from benchmarks.peers.bayesian import Bayesian
from benchmarks.peers.essay import Essay, law
from benchmarks.peers.idle import Idle
from benchmarks.timing import Case
from sumabm import SUMModel, simulate
from sumabm.types import Array

REPLICATES, DIMENSIONS, STEPS, PEERS = 1000, 100, 100, 10
"""An ensemble's size, and how many models of a peer take about as long."""

STEPPED = 16
"""Steps in one timing of a model that is stepped: random numbers come in blocks of so many."""


def essay() -> Iterator[Case]:
    """Yield ensembles of `essay` beside its peers, and a step beside an addition."""
    group, name = "essay", f"essay, R = {REPLICATES:,}, d = {DIMENSIONS}, {STEPS} steps"
    ours = partial(simulate, "essay", REPLICATES, steps=STEPS)
    work = REPLICATES / PEERS
    law(DIMENSIONS, 0.0)
    yield Case(group, name, "plain Mesa", ours, _peer(Essay), work, most=1 / 100, repeats=9)
    yield Case(group, name, "plain Mesa, a law per model", ours, _alone, REPLICATES, repeats=5)
    name = f"a step of essay, R = {REPLICATES:,}, d = {DIMENSIONS}"
    first, second, out = (_table() for _ in range(3))
    add = partial(np.add, first, second, out=out)
    yield Case(group, name, "numpy.add", _stepper("essay"), add, STEPPED, most=25.0)
    yield Case(group, name, "copy", _stepper("essay"), partial(np.copyto, out, first), STEPPED)


def bayesian() -> Iterator[Case]:
    """Yield ensembles of `bayesian` beside its peer, and a step beside drawing its normals."""
    group, name = "bayesian", f"bayesian, R = {REPLICATES:,}, d = {DIMENSIONS}, {STEPS} steps"
    ours = partial(simulate, "bayesian", REPLICATES, steps=STEPS)
    work = REPLICATES / PEERS
    yield Case(group, name, "plain Mesa", ours, _peer(Bayesian), work, most=1 / 30, repeats=9)
    name = f"a step of bayesian, R = {REPLICATES:,}, d = {DIMENSIONS}"
    rng = np.random.default_rng(1)
    draw = partial(rng.standard_normal, (REPLICATES, DIMENSIONS))
    yield Case(group, name, "standard_normal", _stepper("bayesian"), draw, STEPPED, most=4.0)


def single() -> Iterator[Case]:
    """Yield a step of single runs beside one of a Mesa model that does nothing."""
    for scenario in ("essay", "bayesian"):
        model = SUMModel(scenario)
        idle = Idle(len(model.agents), len(model.datacollector.model_vars))
        name = f"a step of {scenario}, R = 1"
        steps = _stepper(scenario, 1)
        asked = 50.0 if scenario == "essay" else None
        yield Case("single", name, "idle Mesa model", steps, idle.step, STEPPED, most=asked)


def _table() -> Array:
    return np.random.default_rng(2).standard_normal((REPLICATES, DIMENSIONS))


def _peer(model: type[society.Society]) -> Callable[[], object]:
    """Return a call that runs so many models, new ones each time."""
    seeds = count(0, PEERS)

    def call() -> None:
        first = next(seeds)
        society.run(model, range(first, first + PEERS), DIMENSIONS, STEPS)

    return call


def _alone() -> None:
    """Run one model of `essay` that finds its laws itself: what the first version would do."""
    law.cache_clear()
    society.run(Essay, range(1), DIMENSIONS, STEPS)


def _stepper(scenario: str, replicates: int = REPLICATES) -> Callable[[], None]:
    """Return a call that makes `STEPPED` steps of a model that does not end meanwhile."""
    model = SUMModel(scenario, replicates, steps=1_000_000)
    model.step()

    def call() -> None:
        for _ in range(STEPPED):
            model.step()

    return call
