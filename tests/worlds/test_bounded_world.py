"""Bounded worlds: uniform in their shape, and tilted as the exact integrals say."""

from itertools import pairwise
from math import factorial

import numpy as np
import pytest

import sumabm
from sumabm import theory
from sumabm.worlds.bounded import Bounded

MANY = 2**15
U, V = np.array([1.0, 0.1]), np.array([1.0, -0.3])


def mean_of(base, act, utility):
    return float(act.world.expect(base.linear(utility)))


@pytest.mark.parametrize("d", [2, 5])
def test_points_fill_their_shape(d):
    for shape in ("ball", "box", "simplex"):
        points = Bounded(shape=shape, points=MANY, dimensions=d).build(1).features
        if shape == "ball":
            radius = np.sqrt(np.vecdot(points, points))
            uniform, mean, second = radius**d, 0.0, 1.0 / (d + 2.0)
        elif shape == "box":
            uniform, mean, second = 0.5 * (points[:, -1] + 1.0), 0.0, 1.0 / 3.0
        else:
            assert points.min() >= 0.0
            total = points.sum(axis=1)
            uniform, mean, second = total**d, 1.0 / (d + 1.0), 2.0 / ((d + 1.0) * (d + 2.0))
        np.testing.assert_allclose(points.mean(axis=0), mean, atol=1e-3)
        np.testing.assert_allclose((points**2).mean(axis=0), second, rtol=5e-3)
        uniform = np.sort(uniform)
        assert uniform[-1] <= 1.0 + 1e-12
        np.testing.assert_allclose(uniform, np.linspace(0.0, 1.0, MANY), atol=5e-3)


@pytest.mark.parametrize("beta", [0.5, 3.0, 8.0, 20.0])
def test_a_box_follows_the_exact_integrals(beta):
    mean, nats = theory.box_tilt(U, beta)
    base = Bounded(shape="box", points=MANY, dimensions=2).build(1)
    act = base.tilt(base.linear(U), nats)
    assert mean_of(base, act, V) == pytest.approx(float(mean @ V), abs=2e-3)
    assert float(act.beta) == pytest.approx(beta, rel=5e-3)
    assert abs(mean_of(base, act, U) - float(mean @ V)) > 5e-3  # the control: another utility


def test_humans_in_a_box_gain_then_lose():
    run = sumabm.simulate("goodhart-constrained")
    sd = np.sqrt((V @ V) / 3.0)
    welfare = run["welfare"].values[0] * sd
    betas = np.geomspace(0.1, 1e3, 20_001)
    mean, nats = theory.box_tilt(U, betas)
    exact = np.interp(run["power"].sel(agent="X").values[0], nats, mean @ V)
    np.testing.assert_allclose(welfare, exact, atol=5e-3)
    assert (mean @ V).max() == pytest.approx(0.81, abs=5e-3)
    assert welfare.max() == pytest.approx(0.81, abs=5e-3)
    assert theory.box_tilt(U, 1e9)[0] @ V == pytest.approx(0.70, abs=1e-6)
    assert welfare[-1] < 0.74
    strong = sumabm.simulate("goodhart-constrained", overrides={"agents.X.power": 20.0, "steps": 1})
    assert strong["welfare"].item() * sd == pytest.approx(0.70, abs=0.02)  # the best of the points


def test_in_a_ball_two_utilities_never_part():
    c = float(U @ V) / np.sqrt((U @ U) * (V @ V))
    powers = np.array([0.05, 0.5, 1.0, 2.0, 3.0, 4.0])
    for d in (2, 3):
        u, v = np.append(U, np.zeros(d - 2)), np.append(V, np.zeros(d - 2))
        u, v = u / np.sqrt(u @ u), v / np.sqrt(v @ v)
        base = Bounded(shape="ball", points=MANY, dimensions=d).build(1)
        acts = [base.tilt(base.linear(u), power) for power in powers]
        mine = np.array([mean_of(base, act, u) for act in acts])
        theirs = np.array([mean_of(base, act, v) for act in acts])
        np.testing.assert_allclose(mine, theory.ball_gain(d, powers), atol=2e-3)
        np.testing.assert_allclose(theirs, c * theory.ball_gain(d, powers), atol=4e-3)
        assert all(a < b for a, b in pairwise(theirs))
    box = Bounded(shape="box", points=MANY, dimensions=2).build(1)
    parted = [mean_of(box, box.tilt(box.linear(U), power), V) for power in (2.0, 4.0)]
    assert parted[0] > parted[1]


def divided_difference(nodes):
    """Return the divided difference of exp at distinct nodes."""
    return sum(np.exp(a) / np.prod([a - b for b in nodes if b != a]) for a in nodes)


@pytest.mark.parametrize("beta", [1.0, 5.0, 15.0])
def test_a_simplex_follows_hermite_and_genocchi(beta):
    """``E exp(β u·s) = d! exp[0, β u_1, …, β u_d]``, and means are its derivatives."""
    u, v = np.array([1.0, 0.8, 0.3]), np.array([1.0, -1.0, 0.2])

    def log_z(direction):
        return np.log(factorial(3) * divided_difference([0.0, *direction]))

    step = 1e-4
    mean_u, mean_v = (
        (log_z(beta * u + step * w) - log_z(beta * u - step * w)) / (2.0 * step) for w in (u, v)
    )
    nats = beta * mean_u - log_z(beta * u)
    base = Bounded(shape="simplex", points=MANY, dimensions=3).build(1)
    act = base.tilt(base.linear(u), nats)
    assert mean_of(base, act, u) == pytest.approx(mean_u, abs=3e-3)
    assert mean_of(base, act, v) == pytest.approx(mean_v, abs=1e-2)
    assert abs(mean_of(base, act, v) - mean_u) > 0.1


def test_humans_in_a_simplex_gain_then_lose():
    changes = {"world": {"kind": "bounded", "shape": "simplex", "points": MANY, "dimensions": 2}}
    changes |= {"agents.X.utility.direction": [1.0, 0.9], "agents.Y.utility.direction": [0.3, 1.0]}
    welfare = sumabm.simulate("goodhart-constrained", overrides=changes)["welfare"].values[0]
    assert 0 < welfare.argmax() < len(welfare) - 1
    assert welfare[-1] < welfare.max() - 0.1


def test_the_same_points_in_any_company_and_others_with_another_seed():
    one, same, other = (
        Bounded(shape="ball", points=100, dimensions=3, seed=seed).build(1).features
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
