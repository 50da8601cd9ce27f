"""Goodhart's law by the tails of the error: an AI wants the proxy U = X + V, its humans V."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from sumabm.laws import StudentT
from sumabm.recorder import simulate
from sumabm.scenario import load_scenario
from sumabm.science.claims import Claim
from sumabm.science.states import on_panels
from sumabm.types import Array
from sumabm.worlds.discrete import DiscreteWorld
from sumabm.worlds.goodhart import Goodhart

TITLE = "Goodhart's law"
_CUT: dict[str, Any] = {"tolerance": 1e-7, "because": "t₃ cut at 10⁴"}


def act(
    power: float, error: Any, behaviour: str = "honest", panels: int = 16, **world: Any
) -> tuple[float, float]:
    """Return E[V], and E[X] above base, after one act of an AI of that proxy.

    ``error`` is a law or its name, ``world`` more fields of a Goodhart world.
    """
    changes = {
        "world": {"kind": "goodhart", "error": error, "panels": panels, **world},
        "agents.X.behaviour": behaviour,
        "agents.X.power": power,
        "steps": 1,
    }
    scenario = load_scenario("goodhart-gaussian", changes)
    run = simulate(scenario)
    base = scenario.world.build(1)
    truth, proxy = (float(base.spread(base.linear(np.array(v)))[()]) for v in ([1, 0], [1, 1]))
    own = run["utility_acted"].sel(agent="X").item() * proxy
    v = run["welfare_acted"].item() * truth
    return v, own - v


def student(cut: float) -> dict[str, Any]:
    """Return the t law of 3 degrees of freedom, cut."""
    return {"kind": "student-t", "df": 3.0, "cut": cut}


@cache
def _tilted(cut: float) -> tuple[float, float]:
    return act(1.0, student(cut))


def _part(cut: float, which: int) -> float:
    return _tilted(cut)[which]


def chance(error: Any, level: float) -> float:
    """Return P(V + X ≥ level) in a world whose panels end at whole levels."""
    base = Goodhart.model_validate({"error": error, "panels": 32, "level": 1.0}).build(1)
    beyond: Array = base.probabilities[base.linear(np.array([1.0, 1.0])) >= level]
    return float(beyond.sum())


def conditioned(error: Any, level: float) -> float:
    """Return E[V | V + X ≥ level]: a quantilizer of as many nats as that costs."""
    power = -np.log(chance(error, level))
    return act(power, error, "quantilizing", 32, level=1.0)[0]


@cache
def lifted(t: float, mass: float) -> tuple[float, float]:
    """Return E[X] and the KL divergence of X ~ t₃ with ``mass`` put above t."""
    edges = np.concatenate([np.geomspace(1e-3, 1.0, 40), np.geomspace(1.0, 1e9, 400)[1:]])
    law = StudentT(cut=1e9)
    x, world = on_panels(law, np.unique(np.concatenate([-edges, [0.0, t], edges])))
    p = world.probabilities
    share = np.where(x > t, mass / p[x > t].sum(), (1.0 - mass) / p[x < t].sum())
    put = DiscreteWorld(p * share)
    return float(put.expect(x)), float(put.nats_from(world))


def _lifted(t: float, which: int) -> float:
    return lifted(t, t**-0.8)[which]


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "kwa-2024")
    for t, mean, nats in (
        (1.5, "1.87696144456", "1.00566595295"),
        (10.769900437589, "2.41344246831", "0.63408506083"),
    ):
        at = f"t₃ with t^−0.8 put above t = {t:.5g}"
        yield claim(f"E[X], X ~ {at}", mean, partial(_lifted, t, 0))
        yield claim(f"KL of {at}", nats, partial(_lifted, t, 1))
    for kind, numbers, more in (
        ("student-t", ("0.914845986957", "0.772140560854"), _CUT),
        ("gaussian", ("1.319483757", "2.209080403"), {}),
        ("laplace", ("0.9418315743", "0.9996113361"), {}),
    ):
        law = student(1e4) if kind == "student-t" else {"kind": kind}
        for level, number in zip((2.0, 4.0), numbers, strict=True):
            what = f"E[V] where V + X ≥ {level:g}, X {kind.replace('student-t', 't₃')}"
            yield claim(what, number, partial(conditioned, law, level), **more)
    for cut, v, x in (
        (10.0, "0.5590257833", "2.419018655"),
        (100.0, "0.1249969202", "8.966135558"),
    ):
        for which, number in enumerate((v, x)):
            what = f"E[{'VX'[which]}], tilt at O = 1, X ~ t₃ cut at {cut:g}"
            yield claim(what, number, partial(_part, cut, which))
    ceiling = {"kind": "exponential", "cut": 700.0}
    yield claim("E[V], tilt at O = 1, X ~ Exp(1)", "0.646849483353", lambda: act(1.0, ceiling)[0])
    wide = {"kind": "gaussian", "scale": 2.0}
    yield claim("E[V], tilt at O = 3, X ~ N(0, 4)", "1.095445115", lambda: act(3.0, wide)[0])


CLAIMS = tuple(_claims())
