"""The best of n draws against the tilt: what either costs and what it gains."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import cast

import numpy as np

from sumabm.laws import GaussianLaw
from sumabm.science.claims import Claim
from sumabm.science.states import normal_bins, on_panels
from sumabm.tilt import best_of_n
from sumabm.worlds import Tilt
from sumabm.worlds.gaussian import GaussianWorld
from sumabm.worlds.normal import NormalWorld, Quadratic

TITLE = "Best of n against the tilt"
_BINS = "200 000 bins of N(0, 1)"
_TWO, _FOUR = np.log(2.0) - 0.5, np.log(4.0) - 0.75  # nats of the best of 2 and of 4


def _cost(levels: int, n: int) -> float:
    """Return the nats of the best of n among equally likely outcomes, ranked."""
    log_p = np.full(levels, -np.log(levels))
    return float(best_of_n(log_p, np.arange(levels, dtype=float), n).spent)


@cache
def _best_of_two() -> Tilt:
    states, world = normal_bins(200_000)
    return world.best_of(states, _TWO)


def _tilted_gain() -> float:
    return float(GaussianWorld(np.zeros((1, 1))).tilt(np.ones((1, 1)), _TWO).gain[0])


def _truth_tilted() -> float:
    """Return V = x − ¼(x² − 1) where the tilt of N(0, 1) by x has as many nats as best of 4."""
    world = NormalWorld(np.zeros((1, 1)), np.eye(1))
    truth = Quadratic(np.ones(1), np.full((1, 1), 0.5))
    tilted = cast("NormalWorld", world.tilt(np.ones((1, 1)), _FOUR).world)
    return float(tilted.expect(truth)[0]) + 0.25


def _truth_chosen() -> float:
    """Return V under the best of 4."""
    states, world = on_panels(GaussianLaw(), np.linspace(-9.0, 9.0, 10_001))
    best = world.best_of(states, _FOUR).world
    return float(best.expect(states - 0.25 * (states**2 - 1.0)))


def _claims() -> Iterator[Claim]:
    for levels, n, nats in (
        (2, 2, "0.130812035941"),
        (10, 2, "0.189318194856"),
        (2, 16, "0.692962696501"),
        (10, 16, "1.73306322935"),
    ):
        what = f"KL of best of {n}, {levels} ranked outcomes"
        yield Claim("beirami-2024", what, nats, partial(_cost, levels, n))
    yield Claim(
        "mroueh-2024",
        "n that ln 2 − ½ nats buy, U ~ N(0, 1)",
        "2",
        lambda: _best_of_two().beta,
        "published",
        1e-4,
        _BINS,
    )
    gao = partial(Claim, "gao-2022")
    yield gao(
        "gain of best of 2, U ~ N(0, 1)",
        "0.56418958354776",
        lambda: _best_of_two().gain,
        tolerance=1e-8,
        because=_BINS,
    )
    yield gao("gain of the tilt at those nats", "0.62152583302699", _tilted_gain)
    yield gao("V at the nats of best of 4: tilt", "0.809943561464", _truth_tilted)
    at = "V at the nats of best of 4: best of n"
    yield gao(at, "0.891543149149", _truth_chosen, tolerance=1e-7, because="80 000 states")


CLAIMS = tuple(_claims())
