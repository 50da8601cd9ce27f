"""What becomes of the world between steps: by densities, and through the simulator."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

import sumabm
from sumabm.dynamics import Persist, Relax, Reset
from sumabm.worlds.gaussian import GaussianWorld

COVARIANCE = np.array([[1.0, 0.3], [0.3, 2.0]])


def worlds(rows=3):
    rng = np.random.default_rng(1)
    base, world = rng.standard_normal((2, rows, 2))
    return GaussianWorld(base, COVARIANCE), GaussianWorld(world, COVARIANCE)


def test_reset_returns_the_base_and_persist_the_world():
    base, world = worlds()
    assert Reset().settle(base, world) is base
    assert Persist().settle(base, world) is world


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.9, 1.0])
def test_relax_is_a_log_linear_mixture(rate):
    base, world = worlds()
    settled = Relax(rate=rate).settle(base, world)
    states = np.random.default_rng(2).standard_normal((30, 2))
    for row in range(3):
        log = [
            stats.multivariate_normal(w.mean[row], COVARIANCE).logpdf(states)
            for w in (settled, world, base)
        ]
        left = log[0] - (1.0 - rate) * log[1] - rate * log[2]
        np.testing.assert_allclose(left, left[0], atol=1e-10)


def test_relaxing_again_and_again_comes_home_geometrically():
    base, world = worlds()
    start = np.sqrt(world.nats_from(base))
    for step in range(1, 30):
        world = Relax(rate=0.25).settle(base, world)
        np.testing.assert_allclose(np.sqrt(world.nats_from(base)), start * 0.75**step, rtol=1e-9)


def test_relaxing_by_no_rate_or_all_of_it_is_persisting_or_resetting():
    base, world = worlds()
    np.testing.assert_allclose(Relax(rate=0.0).settle(base, world).mean, world.mean, atol=1e-15)
    assert np.array_equal(Relax(rate=1.0).settle(base, world).mean, base.mean)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), float("inf"), "0.5"])
def test_a_rate_is_a_share(rate):
    with pytest.raises(ValidationError):
        Relax(rate=rate)


@pytest.mark.parametrize(
    ("dynamics", "kept"), [("reset", 0.0), ("persist", 1.0), ({"kind": "relax", "rate": 0.3}, 0.7)]
)
def test_unanswered_displacements_add_up_as_a_geometric_series(dynamics, kept):
    """An AI of power O that nobody undoes: amplitude sqrt(O) Σ kept^k after each step."""
    run = sumabm.simulate(
        "unopposed",
        4,
        steps=12,
        overrides={
            "world.dynamics": dynamics,
            "world.dimensions": 10,
            "agents.X.power": 0.5,
            "agents.Y.response": "none",
        },
    )
    amplitude = np.sqrt(0.5) * np.cumsum(kept ** np.arange(12))
    found = np.sqrt(run["displacement"].values)
    np.testing.assert_allclose(found, np.tile(amplitude, (4, 1)), rtol=1e-9)
