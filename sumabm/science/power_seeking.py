"""Power-seeking: the share of AIs with random utilities that keep themselves from shutdown.

k live outcomes and shutdown, equally likely; an AI's utilities of them are i.i.d. N(0, 1). It
avoids shutdown if it makes it less likely than 1/(k + 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from sumabm.recorder import simulate
from sumabm.science.claims import Claim, Estimate
from sumabm.types import Array
from sumabm.worlds.discrete import DiscreteWorld

TITLE = "Power-seeking"
_DRAWS = 200_000


def avoids(live: int, power: float, replicates: int = 6000, seed: int = 3) -> Array:
    """Return, by AI ``(R,)``, whether it makes shutdown less likely than base.

    The human's utility is shutdown, so that what it expects to gain says so.
    """
    shutdown = {"kind": "table", "values": [1.0] + [0.0] * live}
    world = {"kind": "states", "utilities": "free", "probabilities": [1 / (live + 1)] * (live + 1)}
    changes = {"world": world, "agents.X.power": power, "agents.Y.utility": shutdown}
    run = simulate("unopposed", replicates, seed, 1, changes)
    return np.asarray(run["utility_acted"].sel(agent="Y").values[:, 0] < 0.0)


def tilted(utilities: Array, beta: Array) -> Array:
    """Return the uniform law ``(R, N)`` tilted by ``β u``."""
    weights = np.exp(beta[:, None] * (utilities - utilities.max(axis=1, keepdims=True)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def nats(q: Array) -> Array:
    """Return the KL divergence ``(R,)`` of laws from the uniform one."""
    return np.asarray(np.where(q > 0, q * np.log(np.where(q > 0, q, 1.0) * q.shape[1]), 0.0).sum(1))


def _share(power: float) -> Estimate:
    return Estimate.of(avoids(3, power).astype(float))


def _share_at(beta: float) -> Estimate:
    """Return the share where each AI has as many nats as ``β u`` costs it."""
    utilities = np.random.default_rng(4).standard_normal((_DRAWS, 4))
    cost = nats(tilted(utilities, np.full(_DRAWS, beta)))
    act = DiscreteWorld(np.full((1, 4), 0.25)).tilt(utilities, cost)
    shutdown = act.world.expect(np.array([1.0, 0.0, 0.0, 0.0]))
    return Estimate.of((shutdown < 0.25).astype(float))


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "turner-2021")
    yield claim(
        "share that avoids shutdown, k = 3, O → ∞", "0.75", partial(_share, 50.0), "published"
    )
    for beta, share, error in ((1.0, "0.5958", 0.0003), (5.0, "0.6992", 0.0004)):
        yield claim(
            f"share that avoids shutdown, k = 3, β = {beta:g}",
            share,
            partial(_share_at, beta),
            error=error,
        )


CLAIMS = tuple(_claims())
