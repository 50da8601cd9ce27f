"""Published numbers that are exact cases of the theory, through worlds and agents.

Each quotes its source by bibliography key, holds to the digits given, and has a negative control.
"""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import sumabm
from sumabm import DiscreteWorld, GaussianWorld
from sumabm.tilt import quantilize_fraction
from sumabm.worlds.normal import NormalWorld, Quadratic

CUP = np.array([3.0, 0.02, 1.0, 3.1])


def quadrature(density, edges, order=40):
    """Return states and probabilities that integrate smooth functions against a density exactly."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    left, right = edges[:-1, None], edges[1:, None]
    states = (0.5 * (left + right) + 0.5 * (right - left) * nodes).ravel()
    mass = (0.5 * (right - left) * weights).ravel() * density(states)
    return states, mass / mass.sum()


def normal_bins(count):
    """Return the means of equally probable bins of N(0, 1): states in order of utility."""
    edges = ndtri(np.arange(count + 1) / count)
    density = np.exp(-0.5 * edges**2) / np.sqrt(2.0 * np.pi)
    return -np.diff(density) * count


# --- 3. best-of-n against the tilt [gao-2022, beirami-2024, mroueh-2024] -----------------------


@pytest.mark.parametrize(
    ("levels", "n", "nats"),
    [
        (2, 2, 0.130812035941),
        (10, 2, 0.189318194856),
        (2, 16, 0.692962696501),
        (10, 16, 1.733063229350),
    ],
)
def test_best_of_n_costs_what_is_published(levels, n, nats):
    world = DiscreteWorld(np.full(levels, 1.0 / levels))
    act = world.best_of(np.arange(levels, dtype=float), nats)
    assert float(act.beta) == pytest.approx(n, rel=1e-7)
    assert float(act.world.nats_from(world)) == pytest.approx(nats, abs=1e-12)
    assert nats < np.log(n) - (n - 1) / n


def test_best_of_two_of_a_gaussian_gains_less_than_the_tilt():
    nats = np.log(2.0) - 0.5
    states = normal_bins(200_000)
    act = DiscreteWorld(np.full(states.size, 1.0 / states.size)).best_of(states, nats)
    assert float(act.gain) == pytest.approx(0.56418958354776, abs=1e-8)
    tilt = GaussianWorld(np.zeros((1, 1))).tilt(np.ones((1, 1)), nats)
    assert tilt.gain[0] == pytest.approx(0.62152583302699, abs=1e-13)
    assert tilt.gain[0] == pytest.approx(np.sqrt(2 * nats), abs=1e-13)


def test_gaos_curve():
    """U = x, V = a x − (c/2)(x² − 1), a = 1, c = ½, at the KL of best-of-4: V under each."""
    nats = np.log(4.0) - 0.75
    world = NormalWorld(np.zeros((1, 1)), np.eye(1))
    truth = Quadratic(np.ones(1), np.full((1, 1), 0.5))
    tilted = world.tilt(np.ones((1, 1)), nats).world.expect(truth) + 0.25
    assert tilted[0] == pytest.approx(0.809943561464, abs=1e-12)
    delta = np.sqrt(nats)
    assert tilted[0] == pytest.approx(delta * (np.sqrt(2.0) - 0.5 * delta), abs=1e-12)
    edges = np.linspace(-9.0, 9.0, 20_001)
    states, p = quadrature(lambda x: np.exp(-0.5 * x**2), edges, order=4)
    best = DiscreteWorld(p).best_of(states, nats).world
    value = best.expect(states - 0.25 * (states**2 - 1.0))
    assert float(value) == pytest.approx(0.891543149149, abs=1e-7)
    assert abs(float(value) - tilted[0]) > 0.05


# --- 4. bounded rationality [genewein-2015] -----------------------------------------------------


def test_cup_grasp_at_one_bit():
    act = DiscreteWorld([0.25] * 4).tilt(CUP, np.log(2.0))
    assert float(act.beta) == pytest.approx(2.8744455406, abs=1e-10)
    assert float(act.world.expect(CUP)) == pytest.approx(3.05408393229, abs=1e-11)
    assert (float(act.world.expect(CUP)) - 1.78) / 1.32 == pytest.approx(0.96, abs=0.01)


def test_cup_grasp_at_other_powers():
    world = DiscreteWorld([0.25] * 4)
    act = world.tilt(CUP, 0.648204682952)
    assert float(act.beta) == pytest.approx(2.0, abs=1e-10)
    assert float(act.world.expect(CUP)) == pytest.approx(3.03470584625, abs=1e-11)
    assert float(act.gain) == pytest.approx(1.2547058462511, abs=1e-11)
    enough = world.tilt(CUP, 0.847779937 * np.log(2.0))
    assert float(enough.world.expect(CUP)) == pytest.approx(3.0, abs=1e-8)
    assert float(world.tilt(CUP, 1.95 * np.log(2.0)).world.expect(CUP)) > 0.99999 * 3.1 - 1e-2


def test_cup_grasp_by_agents():
    run = sumabm.simulate("cup-grasp")
    gain = run["utility_acted"].sel(agent="X").item() * np.std(CUP)
    assert CUP.mean() + gain == pytest.approx(3.05408393229, abs=1e-11)
    assert run["spent"].sel(agent="X").item() == pytest.approx(np.log(2.0), rel=1e-12)
    weak = sumabm.simulate("cup-grasp", overrides={"agents.X.power": 0.6})
    assert abs(weak["utility_acted"].sel(agent="X").item() * np.std(CUP) - gain) > 1e-3


# --- 6. KL-robust optimisation [hu-hong-2013] ---------------------------------------------------


@pytest.mark.parametrize(("power", "worst"), [(0.1, 1.516221161425), (1.0, 3.1461932206206)])
def test_worst_case_mean_of_an_exponential(power, worst):
    edges = np.concatenate([np.linspace(0.0, 60.0, 61), np.linspace(70.0, 700.0, 64)])
    states, p = quadrature(lambda h: np.exp(-h), edges)
    world = DiscreteWorld(p)
    assert float(world.tilt(states, power).world.expect(states)) == pytest.approx(worst, abs=1e-10)
    assert abs(float(world.tilt(states, 1.01 * power).world.expect(states)) - worst) > 1e-3


def test_worst_case_probability_of_a_rare_event():
    world, event = DiscreteWorld([1e-6, 1.0 - 1e-6]), np.array([1.0, 0.0])
    assert float(world.tilt(event, 1.0).world.expect(event)) == pytest.approx(
        0.0951281280977, abs=1e-12
    )
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


# --- 7. quantilizers [taylor-2016] --------------------------------------------------------------


def test_quantilizer_of_a_gaussian_utility():
    states = normal_bins(10_000)
    world = DiscreteWorld(np.full(states.size, 1.0 / states.size))
    act = world.quantilize(states, np.log(10.0))
    assert float(act.beta) == pytest.approx(0.1, rel=1e-7)  # flat where it ends on an atom
    assert float(act.gain) == pytest.approx(1.7549833193249, abs=1e-8)
    exact = quantilize_fraction(world.log_probabilities, states, 0.1)
    assert float(exact.gain) == pytest.approx(1.7549833193249, abs=1e-12)
    assert float(exact.spent) == pytest.approx(np.log(10.0), abs=1e-12)
    tilt = GaussianWorld(np.zeros((1, 1))).tilt(np.ones((1, 1)), np.log(10.0))
    assert tilt.gain[0] == pytest.approx(2.1459660262893, abs=1e-13)
    cost = np.random.default_rng(2).exponential(size=states.size)
    assert float(act.world.expect(cost)) <= float(world.expect(cost)) / 0.1 * (1 + 1e-12)


def test_quantilizer_by_agents():
    run = sumabm.simulate("quantilizer")
    gain = run["utility_acted"].sel(agent="X").item()
    assert gain == pytest.approx(1.7549833193249, abs=2e-3)  # a grid, and its sd
    assert run["spent"].sel(agent="X").item() == pytest.approx(np.log(10.0), rel=1e-12)
    assert ndtr(1.2815515655446004) == pytest.approx(0.9, abs=1e-12)


def test_best_of_n_by_agents():
    run = sumabm.simulate("best-of-n")
    assert run["utility_acted"].sel(agent="X").item() == pytest.approx(0.5642, abs=2e-3)


def test_power_measures_by_agents():
    run = sumabm.simulate("power-measures")
    assert run["utility_acted"].sel(agent="X").item() == pytest.approx(0.941, abs=1e-3)
    kl = sumabm.simulate("power-measures", overrides={"agents.X.behaviour": "honest"})
    assert kl["utility_acted"].sel(agent="X").item() == pytest.approx(np.sqrt(2.0), abs=1e-3)
