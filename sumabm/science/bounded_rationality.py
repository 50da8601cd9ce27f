"""Bounded rationality: one of four ways to grasp a cup, chosen with so many bits of thought."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.optimize import brentq

from sumabm.recorder import simulate
from sumabm.science.claims import Claim
from sumabm.worlds import Tilt
from sumabm.worlds.discrete import DiscreteWorld

TITLE = "Bounded rationality"
CUP = np.array([3.0, 0.02, 1.0, 3.1])
"""Utilities of the grasps."""
_BIT = float(np.log(2.0))
_NATS = 0.648204682952  # what β = 2 costs


def _utility(nats: float) -> float:
    """Return E[U] of an agent of so many nats."""
    run = simulate("cup-grasp", overrides={"agents.X.power": nats})
    gain: float = run["utility_acted"].sel(agent="X").item()
    return float(CUP.mean() + gain * np.std(CUP))


def _tilt(nats: float) -> Tilt:
    return DiscreteWorld([0.25] * 4).tilt(CUP, nats)


def _share(nats: float) -> float:
    """Return the gain as a share of the greatest."""
    return (_utility(nats) - CUP.mean()) / (CUP.max() - CUP.mean())


def _bits_for_all() -> float:
    """Return the bits at which E[U] is 99.999 % of the best."""

    def missing(bits: float) -> float:
        return float(_tilt(bits * _BIT).world.expect(CUP)) - 0.99999 * CUP.max()

    return float(brentq(missing, 1.5, 1.9999))


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "genewein-2015")
    yield claim(
        "share of the gain at 1 bit",
        "0.96",
        lambda: _share(_BIT),
        "published",
        tolerance=0.01,
        because="“about 96 %”",
    )
    yield claim(
        "bits for 99.999 % of the best utility",
        "2",
        _bits_for_all,
        "published",
        tolerance=0.01,
        because="“almost 2 bits”",
    )
    yield claim("β at 1 bit", "2.8744455406", lambda: _tilt(_BIT).beta)
    yield claim("E[U] at 1 bit", "3.05408393229", partial(_utility, _BIT))
    yield claim(
        "β at 0.648204682952 nats",
        "2",
        lambda: _tilt(_NATS).beta,
        tolerance=1e-10,
        because="digits of the nats",
    )
    yield claim("E[U] at 0.648204682952 nats", "3.03470584625", partial(_utility, _NATS))
    yield claim(
        "E[U] at 0.847779937 bits",
        "3",
        partial(_utility, 0.847779937 * _BIT),
        tolerance=1e-8,
        because="digits of the bits",
    )


CLAIMS = tuple(_claims())
