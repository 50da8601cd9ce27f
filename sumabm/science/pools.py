"""Log-linear pools of agents: beliefs are distributions over outcomes, their logarithms utilities.

An agent's welfare gap in the pool P is ``Δ = E_P[log p] − E_p[log p]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, cast

import numpy as np

from sumabm.model import SUMModel
from sumabm.scenario import Scenario
from sumabm.science.claims import Claim
from sumabm.types import Array
from sumabm.worlds.discrete import DiscreteWorld

TITLE = "Log-linear pools of agents"
PARENT = (0.6, 0.3, 0.1)
"""The belief of the parent of theorem 14."""


def gap(pool: DiscreteWorld, agent: DiscreteWorld) -> float:
    """Return the welfare gap of an agent in a pool."""
    table = agent.log_probabilities
    return float(pool.expect(table) - agent.expect(table))


def outcomes(
    probabilities: Iterable[float], acts: Mapping[str, tuple[Iterable[float], float]]
) -> Scenario:
    """Return a scenario of AIs that tilt a world of outcomes: ``(utility, nats)`` by name."""
    ais: dict[str, Any] = {
        name: {"role": "ai", "power": nats, "utility": {"kind": "table", "values": list(table)}}
        for name, (table, nats) in acts.items()
    }
    human = {"role": "human", "power": 0.0, "response": "none"}
    world = {"kind": "states", "probabilities": list(probabilities), "utilities": "free"}
    raw = {"scenario": "outcomes", "steps": 1, "world": world, "agents": {**ais, "Y": human}}
    return Scenario.model_validate(raw)


def after(scenario: Scenario, **overrides: Any) -> Array:
    """Return the probabilities ``(N,)`` of the outcomes once the AIs have acted."""
    model = SUMModel(scenario, **overrides)
    model.step()
    return np.ravel(cast("DiscreteWorld", model.acted).probabilities)


def _linear() -> float:
    one = DiscreteWorld(PARENT)
    two = DiscreteWorld.pool([one], [2.0])
    linear = DiscreteWorld(0.5 * one.probabilities + 0.5 * two.probabilities)
    return 0.5 * gap(linear, one) + 0.5 * gap(linear, two)


def _parent() -> float:
    parent = DiscreteWorld(PARENT)
    return gap(DiscreteWorld.pool([parent], [1.5]), parent)


def child_gap(beta: float) -> float:
    """Return the gap, in its parent's pool, of a child that an AI's act makes of it.

    The act is the tilt by −β of the first outcome, of as many nats as it costs.
    """
    away = np.array([-1.0, 0.0, 0.0])
    child = np.array(PARENT) * np.exp(beta * away)
    child /= child.sum()
    nats = float(child @ np.log(child / PARENT))
    made = DiscreteWorld(after(outcomes(PARENT, {"A": (away, nats)})))
    return gap(DiscreteWorld.pool([DiscreteWorld(PARENT)], [1.5]), made)


def _unanimous(which: int) -> float:
    agents = [DiscreteWorld([0.899, 0.1, 0.001]), DiscreteWorld([0.899, 0.001, 0.1])]
    return gap(DiscreteWorld.pool(agents, [0.5, 0.5]), agents[which])


def suppressed(direction: Iterable[float], nats: float) -> float:
    """Return how much an AI's act lowers the probability of one outcome of four."""
    return float(0.25 - after(outcomes([0.25] * 4, {"A": (direction, nats)}))[0])


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "lee-2025")
    yield claim("mean welfare gap in a linear pool", "-0.053138263890808", _linear)
    yield claim("theorem 14: gap of the parent", "0.1289745781560656", _parent)
    yield claim("theorem 14: gap of the child, λ = 1", "0.121524697612", partial(child_gap, 0.6))
    for which in (0, 1):
        yield claim(
            f"three outcomes: gap of agent {which + 1}, both gain",
            "0.12850836893881",
            partial(_unanimous, which),
            tolerance=1e-13,
            because="rounding",
        )
    for direction, fall in (
        ((-1.0, 1.0, -1.0, 1.0), "0.0498326032992"),
        ((-3.0, 1.0, 1.0, 1.0), "0.0828956086491"),
    ):
        along = ", ".join(f"{h:g}" for h in direction).replace("-", "−")
        yield claim(
            f"fall of P(A) along ({along}), O = 0.02",
            fall,
            partial(suppressed, direction, 0.02),
            tolerance=1e-12,
            because="rounding",
        )


CLAIMS = tuple(_claims())
