"""Quantilizers: the best share q of the world, against the tilt of as many nats."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from sumabm.science.claims import Claim
from sumabm.science.states import normal_bins
from sumabm.tilt import quantilize_fraction
from sumabm.tilt.rules import Rule
from sumabm.worlds.gaussian import GaussianWorld

TITLE = "Quantilizers"
_SHARE = 0.1
_BINS = 10_000


@cache
def _best_tenth() -> Rule:
    states, world = normal_bins(_BINS)
    return quantilize_fraction(world.log_probabilities, states, _SHARE)


def _bought() -> float:
    """Return the gain of the quantilizer of ln 10 nats."""
    states, world = normal_bins(_BINS)
    return float(world.quantilize(states, np.log(1.0 / _SHARE)).gain)


def _tilted() -> float:
    world = GaussianWorld(np.zeros((1, 1)))
    return float(world.tilt(np.ones((1, 1)), np.log(1.0 / _SHARE)).gain[0])


def _dearest() -> float:
    """Return the greatest factor by which the mean of a cost can rise: the largest Q/P."""
    return float(np.exp(_best_tenth().log_q.max()) * _BINS)


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "taylor-2016")
    yield claim("nats of the best tenth", "2.302585092994", lambda: _best_tenth().spent)
    yield claim(
        "most that a cost can rise, as a factor, q = 0.1",
        "10",
        _dearest,
        "published",
        1e-9,
        "rounding",
    )
    yield claim(
        "gain of the best tenth, U ~ N(0, 1)",
        "1.7549833193249",
        lambda: _best_tenth().gain,
        tolerance=1e-12,
        because="rounding",
    )
    yield claim(
        "gain of ln 10 nats, U ~ N(0, 1)",
        "1.7549833193249",
        _bought,
        tolerance=1e-8,
        because="10 000 bins of N(0, 1)",
    )
    yield claim("gain of the tilt of ln 10 nats", "2.1459660262893", _tilted)


CLAIMS = tuple(_claims())
