"""What surrounds the published numbers of `test_claims`: identities, bounds and scenarios."""

import numpy as np
import pytest

import sumabm
from sumabm import DiscreteWorld, GaussianWorld
from sumabm.science.bounded_rationality import CUP
from sumabm.science.states import normal_bins
from sumabm.tilt import best_of_n
from sumabm.worlds.normal import NormalWorld, Quadratic

# --- best of n against the tilt [gao-2022, beirami-2024, mroueh-2024] ---------------------------


@pytest.mark.parametrize(("levels", "n"), [(2, 2), (10, 2), (2, 16), (10, 16)])
def test_best_of_n_for_its_nats(levels, n):
    world, utility = DiscreteWorld(np.full(levels, 1.0 / levels)), np.arange(levels, dtype=float)
    nats = float(best_of_n(world.log_probabilities, utility, n).spent)
    act = world.best_of(utility, nats)
    assert float(act.beta) == pytest.approx(n, rel=1e-7)
    assert float(act.world.nats_from(world)) == pytest.approx(nats, abs=1e-12)
    assert nats < np.log(n) - (n - 1) / n


@pytest.mark.parametrize("nats", [0.1, np.log(4.0) - 0.75, 3.0])
def test_gaos_curve(nats):
    """U = x, V = a x − (c/2)(x² − 1): under the tilt δ(sqrt(2) a − c δ), δ = sqrt(KL)."""
    world = NormalWorld(np.zeros((1, 1)), np.eye(1))
    truth = Quadratic(np.ones(1), np.full((1, 1), 0.5))
    value = world.tilt(np.ones((1, 1)), nats).world.expect(truth) + 0.25
    delta = np.sqrt(nats)
    assert value[0] == pytest.approx(delta * (np.sqrt(2.0) - 0.5 * delta), abs=1e-12)
    assert abs(value[0] - delta * (np.sqrt(2.0) - delta)) > 1e-2


def test_best_of_n_by_agents():
    run = sumabm.simulate("best-of-n")
    assert run["utility_acted"].sel(agent="X").item() == pytest.approx(0.5642, abs=2e-3)


# --- bounded rationality [genewein-2015] --------------------------------------------------------


def test_cup_grasp_by_agents():
    run = sumabm.simulate("cup-grasp")
    gain = run["utility_acted"].sel(agent="X").item() * np.std(CUP)
    tilt = DiscreteWorld([0.25] * 4).tilt(CUP, np.log(2.0))
    assert gain == pytest.approx(float(tilt.gain), abs=1e-12)
    assert run["spent"].sel(agent="X").item() == pytest.approx(np.log(2.0), rel=1e-12)
    weak = sumabm.simulate("cup-grasp", overrides={"agents.X.power": 0.6})
    assert abs(weak["utility_acted"].sel(agent="X").item() * np.std(CUP) - gain) > 1e-3


# --- KL-robust optimisation [hu-hong-2013] ------------------------------------------------------


def test_a_rare_event_is_certain_from_as_many_nats_as_it_is_rare():
    world, event = DiscreteWorld([1e-6, 1.0 - 1e-6]), np.array([1.0, 0.0])
    certain = world.tilt(event, np.log(1e6) * (1 + 1e-12))
    assert float(certain.world.expect(event)) == 1.0
    assert float(world.tilt(event, 0.999 * np.log(1e6)).world.expect(event)) < 1.0


def test_jeffreys_identity_on_every_kind_of_world():
    """β(E_Q u − E_P u) = KL(Q‖P) + KL(P‖Q)."""
    rng = np.random.default_rng(7)
    discrete = DiscreteWorld(rng.dirichlet(np.ones(30), size=8))
    gaussian = GaussianWorld(rng.standard_normal((8, 4)), np.diag([1.0, 2.0, 0.5, 3.0]) + 0.1)
    normal = NormalWorld(rng.standard_normal((8, 4)), np.linalg.cholesky(np.eye(4) + 0.2))
    a = rng.standard_normal((4, 4))
    power = rng.uniform(0.01, 2.0, 8)
    for world, utility in (
        (discrete, rng.standard_normal((8, 30))),
        (gaussian, rng.standard_normal((8, 4))),
        (normal, rng.standard_normal((8, 4))),
        (normal, Quadratic(rng.standard_normal(4), a + a.T)),
    ):
        act = world.tilt(utility, power)
        rise = act.world.expect(utility) - world.expect(utility)
        both = act.world.nats_from(world) + world.nats_from(act.world)
        np.testing.assert_allclose(act.beta * rise, both, rtol=1e-9)
        np.testing.assert_allclose(act.gain, rise, rtol=1e-9)
        assert not np.allclose(act.beta * rise, act.world.nats_from(world), rtol=1e-3)


# --- quantilizers [taylor-2016] -----------------------------------------------------------------


def test_no_cost_rises_by_more_than_one_over_the_share():
    states, world = normal_bins(10_000)
    act = world.quantilize(states, np.log(10.0))
    assert float(act.beta) == pytest.approx(0.1, rel=1e-7)  # flat where it ends on an atom
    for cost in (np.random.default_rng(2).exponential(size=states.size), np.exp(5.0 * states)):
        rise = float(act.world.expect(cost) / world.expect(cost))
        assert rise <= 10.0 * (1 + 1e-6)
    assert rise > 9.9  # a cost of the best states alone


def test_quantilizer_by_agents():
    run = sumabm.simulate("quantilizer")
    gain = run["utility_acted"].sel(agent="X").item()
    assert gain == pytest.approx(1.755, abs=2e-3)  # a grid, and its sd
    assert run["spent"].sel(agent="X").item() == pytest.approx(np.log(10.0), rel=1e-12)


def test_power_measures_by_agents():
    run = sumabm.simulate("power-measures")
    assert run["utility_acted"].sel(agent="X").item() == pytest.approx(0.941, abs=1e-3)
    kl = sumabm.simulate("power-measures", overrides={"agents.X.behaviour": "honest"})
    assert kl["utility_acted"].sel(agent="X").item() == pytest.approx(np.sqrt(2.0), abs=1e-3)
