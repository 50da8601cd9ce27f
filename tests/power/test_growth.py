"""Logistic and recursive growth: what solves their differential equations, and where it ends."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from sumabm.behaviours.honest import Honest
from sumabm.power import Constant, Exponential, Power
from sumabm.power.logistic import Logistic
from sumabm.power.recursive import Recursive

STEPS = np.arange(0, 200, 7)


def solved(slope, initial):
    """Integrate ``dO/dt = slope(O)`` numerically."""
    way = solve_ivp(
        lambda _, o: slope(o), (0, 200), [initial], t_eval=STEPS, rtol=1e-11, atol=1e-14
    )
    return way.y[0]


def nats(power):
    return np.array([power.nats(int(step)) for step in STEPS])


@pytest.mark.parametrize(("initial", "rate"), [(0.01, 0.05), (2.0, 0.3), (7.0, 0.02), (3.0, 0.0)])
def test_logistic_solves_its_equation(initial, rate):
    power = Logistic(initial=initial, capacity=3.0, rate=rate)
    expected = solved(lambda o: rate * o * (1.0 - o / 3.0), initial)
    np.testing.assert_allclose(nats(power), expected, rtol=1e-8)
    assert power.nats(0) == initial
    assert np.abs(nats(power) / solved(lambda o: 1.1 * rate * o * (1.0 - o / 3.0), initial) - 1)[
        1:
    ].max() > 1e-3 or (rate == 0.0 or initial == 3.0)


def test_logistic_is_half_way_when_it_should_be():
    power = Logistic(initial=0.1, capacity=10.0, rate=math.log(99.0) / 50)
    assert power.nats(50) == pytest.approx(5.0, rel=1e-14)
    assert power.nats(100) == pytest.approx(9.9, rel=1e-14)
    assert power.ends == math.inf


@pytest.mark.parametrize("initial", [1e-100, 1.0, 1e100])
@pytest.mark.parametrize("capacity", [1e-100, 1.0, 1e100])
@pytest.mark.parametrize("rate", [0.0, 1e-5, 1e100])
def test_logistic_stays_between_its_ends(initial, capacity, rate):
    power = Logistic(initial=initial, capacity=capacity, rate=rate)
    low, high = sorted([initial, capacity])
    for step in (0, 1, 10**8):
        assert low * (1 - 1e-12) <= power.nats(step) <= high * (1 + 1e-12)


@pytest.mark.parametrize("exponent", [0.0, 0.3, 0.5, 1.0 - 1e-13, 1.0, 1.0 + 1e-13, 1.3, 2.0, 7.5])
@pytest.mark.parametrize("initial", [0.2, 1.0, 1.7])
def test_recursive_solves_its_equation(exponent, initial):
    rate = 0.002 / 1.7 ** (exponent - 1.0)  # none of these blows up before step 200
    power = Recursive(initial=initial, rate=rate, exponent=exponent)
    found = nats(power)
    kept = found < 1e3
    np.testing.assert_allclose(
        found[kept], _solved_until(rate, exponent, initial, STEPS[kept]), rtol=1e-7
    )


def _solved_until(rate, exponent, initial, steps):
    end = max(float(steps[-1]), 1.0)
    return solve_ivp(
        lambda _, o: rate * o**exponent, (0, end), [initial], t_eval=steps, rtol=1e-11, atol=1e-14
    ).y[0]


def test_recursive_in_closed_form():
    """Linear, quadratic, exponential; then 1/(t* − t)."""
    assert nats(Recursive(initial=2.0, rate=0.5, exponent=0.0)) == pytest.approx(2 + 0.5 * STEPS)
    root = Recursive(initial=4.0, rate=0.1, exponent=0.5)
    assert nats(root) == pytest.approx((2.0 + 0.05 * STEPS) ** 2)
    like = Exponential(initial=0.3, rate=0.02)
    assert nats(Recursive(initial=0.3, rate=0.02)) == pytest.approx(nats(like), rel=1e-13)
    square = Recursive(initial=0.5, rate=0.01, exponent=2.0)
    assert nats(square) == pytest.approx(1.0 / (2.0 - 0.01 * STEPS))


@pytest.mark.parametrize("exponent", [1.3, 1.5, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("initial", [0.5, 1.0, 4.0])
def test_recursive_blows_up_when_it_should(exponent, initial):
    """``t* = O₀^(1−γ)/((γ−1) rate)``, less what lies beyond 1e100 nats."""
    power = Recursive(initial=initial, rate=0.003, exponent=exponent)
    blowup = initial ** (1.0 - exponent) / ((exponent - 1.0) * 0.003)
    assert power.ends == pytest.approx(blowup, rel=1e-11)
    last = power.lasts(10**9) - 1
    assert last < blowup <= last + 1
    assert power.nats(last) < math.inf
    assert power.nats(last + 1) == math.inf
    assert power.lasts(2) == min(2, last + 1)


def test_an_end_on_a_step_is_not_left_to_rounding():
    for initial in (0.1, 0.3, 0.7, 3.0):
        for step in (1, 3, 49, 1000):
            power = Recursive(initial=initial, rate=1.0 / (initial * step), exponent=2.0)
            assert power.ends == step
            assert power.nats(step) == math.inf
            assert power.nats(step - 1) == pytest.approx(initial * step)


def test_recursive_ends_where_it_passes_1e100():
    for exponent, rate in ((1.0, 1.0), (1.001, 1.0), (0.5, 1e49), (0.0, 3e98)):
        power = Recursive(initial=2.0, rate=rate, exponent=exponent)
        last = power.lasts(10**9) - 1
        assert 1.0 < power.ends < 1e4
        assert 2.0 < power.nats(last) <= 1e100
        assert power.nats(last + 1) == math.inf
    assert Recursive(initial=2.0, rate=1.0).ends == pytest.approx(math.log(5e99), rel=1e-11)
    assert Recursive(initial=2.0, rate=0.0, exponent=3.0).ends == math.inf


@pytest.mark.parametrize("initial", [1e-100, 1.0, 1e100])
@pytest.mark.parametrize("rate", [0.0, 5e-324, 1.0, 1e100])
@pytest.mark.parametrize("exponent", [0.0, 5e-324, 1.0 - 1e-16, 1.0 + 3e-16, 100.0])
def test_recursive_is_never_nonsense(initial, rate, exponent):
    power = Recursive(initial=initial, rate=rate, exponent=exponent)
    assert power.ends >= 0.0
    before = 0.0
    for step in (0, 1, 2, 1000, 10**8):
        now = power.nats(step)
        assert now >= before * (1.0 - 1e-12)
        assert (now <= 1e100) == (step < power.ends)
        before = now


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (Logistic, {"initial": 0.0}),
        (Logistic, {"capacity": 0.0}),
        (Logistic, {"capacity": 1e101}),
        (Logistic, {"rate": -0.1}),
        (Logistic, {"rate": float("inf")}),
        (Recursive, {"initial": 0.0}),
        (Recursive, {"rate": -1.0}),
        (Recursive, {"exponent": -0.5}),
        (Recursive, {"exponent": float("nan")}),
    ],
)
def test_what_cannot_grow_is_refused(kind, bad):
    fields = {"initial": 1.0, "rate": 0.1} | ({"capacity": 2.0} if kind is Logistic else {})
    kind(**fields)
    with pytest.raises(ValidationError):
        kind(**(fields | bad))


class Bump(Power):
    """A power with its largest value in the middle."""

    def nats(self, step: int) -> float:
        return 10.0 - (step - 5) ** 2


def test_most_is_the_largest_at_any_step():
    assert Bump().most(20) == 10.0
    assert Bump().most(3) == 1.0
    for power in (
        Constant(value=2.0),
        Exponential(initial=1.0, rate=0.1),
        Exponential(initial=1.0, rate=-0.1),
        Logistic(initial=5.0, capacity=1.0, rate=0.2),
        Recursive(initial=0.5, rate=0.1, exponent=2.0),
    ):
        steps = range(power.lasts(50))
        assert power.most(50) == max(power.nats(step) for step in steps)
    assert Recursive(initial=0.5, rate=0.1, exponent=2.0).most(50) == pytest.approx(10.0)


def test_a_gaussian_agent_counts_its_strongest_step():
    """Negative control of `Honest`: a peak in the middle that first and last step don't show."""
    from sumabm import load_scenario
    from sumabm.toml import ScenarioError

    tv = {"kind": "honest", "measure": "tv"}
    rows = [0.1, 0.9, 0.1]
    changes = {"steps": 3, "agents.X.behaviour": tv, "agents.W.method": "none"}
    load_scenario("essay", changes | {"agents.X.power": {"kind": "table", "values": rows}})
    rows[1] = 1.0
    with pytest.raises(ScenarioError, match="must stay below 1"):
        load_scenario("essay", changes | {"agents.X.power": {"kind": "table", "values": rows}})
    assert Honest().measure.most == math.inf
