"""KL-robust optimisation: the worst case within O nats of a nominal law is a tilt."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

import numpy as np

from sumabm.laws import Exponential
from sumabm.science.bounded_rationality import CUP
from sumabm.science.claims import Claim
from sumabm.science.states import on_panels
from sumabm.worlds import Tilt
from sumabm.worlds.discrete import DiscreteWorld

TITLE = "KL-robust optimisation"
_EVENT = np.array([1.0, 0.0])


def _worst_mean(power: float) -> float:
    """Return sup E_Q[H] within O nats of H ~ Exp(1)."""
    edges = np.concatenate([np.linspace(0.0, 60.0, 241), np.linspace(62.5, 700.0, 256)])
    states, world = on_panels(Exponential(cut=700.0), edges)
    return float(world.tilt(states, power).world.expect(states))


def _rare(power: float) -> Tilt:
    """Return the tilt towards an event of probability 1e-6."""
    return DiscreteWorld([1e-6, 1.0 - 1e-6]).tilt(_EVENT, power)


def _jeffreys() -> float:
    """Return the gain that both divergences of the cup grasp at β = 2 make."""
    world = DiscreteWorld([0.25] * 4)
    act = world.tilt(CUP, 0.648204682952)
    after = cast("DiscreteWorld", act.world)
    return float((after.nats_from(world) + world.nats_from(after)) / act.beta)


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "hu-hong-2013")
    for power, worst in ((0.1, "1.516221161425"), (1.0, "3.1461932206206")):
        yield claim(
            f"worst-case mean of Exp(1), O = {power:g}",
            worst,
            partial(_worst_mean, power),
            tolerance=1e-10,
            because="quadrature",
        )
    yield claim(
        "worst-case probability of an event of 10⁻⁶, O = 1",
        "0.0951281280977",
        lambda: _rare(1.0).world.expect(_EVENT),
        tolerance=1e-12,
    )
    yield claim("nats from which it is certain", "13.815510557964", lambda: _rare(20.0).spent)
    yield claim(
        "Jeffreys: both KL divergences over β, cup grasp",
        "1.2547058462511",
        _jeffreys,
        tolerance=1e-11,
        because="digits of the nats",
    )


CLAIMS = tuple(_claims())
