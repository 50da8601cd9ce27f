"""Power-seeking [turner-2021]: most AIs that can do enough keep themselves from being shut down.

k live outcomes and shutdown, equally likely; an AI's utilities of them are i.i.d. normal. It makes
shutdown less likely than 1/(k+1) in a share of AIs that tends to k/(k+1) as its power grows.
"""

import numpy as np
import pytest

from sumabm import DiscreteWorld
from sumabm.science.power_seeking import avoids, nats, tilted


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def expected_share(live, power, draws=200_000):
    """Return the share by its own draws and bisection in ln β, and its standard error."""
    utilities = np.random.default_rng(8).standard_normal((draws, live + 1))
    low, high = np.full(draws, -12.0), np.full(draws, 12.0)
    for _ in range(45):
        middle = (low + high) / 2
        over = nats(tilted(utilities, np.exp(middle))) > power
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    share = float(np.mean(tilted(utilities, np.exp(low))[:, 0] < 1 / (live + 1)))
    return share, np.sqrt(share * (1 - share) / draws)


@pytest.mark.parametrize("live", [2, 3, 9])
def test_with_power_enough_only_those_who_want_it_are_shut_down(live):
    """Beyond the nats of a lottery that leaves second-best its base probability: each the same."""
    base = 1 / (live + 1)
    enough = nats(np.array([[1 - base, base] + [0.0] * (live - 1)]))[0]
    seen = avoids(live, 50.0, 6000)
    assert z(seen, live / (live + 1)) < 4
    assert z(seen, live / (live + 1) - 0.05) > 4
    np.testing.assert_array_equal(avoids(live, 1.001 * enough, 6000), seen)
    few = avoids(live, 0.5 * enough, 6000)
    assert few.sum() < seen.sum()
    assert not np.any(few & ~seen)


def test_the_share_grows_with_power_from_a_half():
    """Without power to speak of: as often as its utility is below the mean."""
    shares = []
    for power in (1e-8, 0.1, 0.4, 0.7):
        seen = avoids(3, power, 6000)
        shares.append(seen.mean())
        expected, error = (0.5, 0.0) if power == 1e-8 else expected_share(3, power, 40_000)
        both = np.hypot(seen.std(ddof=1) / np.sqrt(seen.size), error)
        assert abs(seen.mean() - expected) < 4 * both
        assert abs(seen.mean() - expected - 0.05) > 4 * both
    assert np.all(np.diff(shares) > 0)


@pytest.mark.parametrize("beta", [1.0, 5.0])
def test_nats_that_a_tilt_costs_buy_it(beta):
    """What the shares at a given β in `test_claims` rest on."""
    utilities = np.random.default_rng(4).standard_normal((2000, 4))
    q = tilted(utilities, np.full(2000, beta))
    act = DiscreteWorld(np.full((1, 4), 0.25)).tilt(utilities, nats(q))
    np.testing.assert_allclose(act.beta, beta, rtol=1e-6)
    np.testing.assert_allclose(act.world.probabilities, q, rtol=1e-6)
