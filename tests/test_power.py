"""Powers over time, and the scenarios that they do not fit."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

import sumabm
from sumabm.power import Constant, Exponential
from sumabm.toml import ScenarioError


@pytest.mark.parametrize("value", [0.0, 1e-300, 0.5, 1e100])
def test_constant_stays(value):
    power = Constant(value=value)
    assert [power.nats(step) for step in (0, 1, 10**6)] == [value] * 3


@pytest.mark.parametrize("rate", [-0.5, 0.0, 0.02, 3.0])
def test_exponential_grows_by_one_factor_a_step(rate):
    power = Exponential(initial=0.25, rate=rate)
    nats = np.array([power.nats(step) for step in range(50)])
    assert nats[0] == 0.25
    np.testing.assert_allclose(nats[1:] / nats[:-1], np.e**rate, rtol=1e-12)
    if rate > 0.0:  # it doubles every ln 2 / rate steps
        steps = np.log(nats[-1] / nats[0]) / np.log(2.0)
        assert steps == pytest.approx(49 * rate / math.log(2.0), rel=1e-9)


def test_exponential_of_nothing_is_nothing():
    assert [Exponential(initial=0.0, rate=0.1).nats(step) for step in (0, 5, 100)] == [0.0] * 3


def test_exponential_decay_ends_at_nothing():
    assert Exponential(initial=1.0, rate=-10.0).nats(1000) == 0.0


@pytest.mark.parametrize("value", [-1.0, -1e-300, 1.1e100, float("inf"), float("nan"), "1"])
def test_nats_are_finite_and_not_negative(value):
    with pytest.raises(ValidationError):
        Constant(value=value)
    with pytest.raises(ValidationError):
        Exponential(initial=value, rate=0.0)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), float("-inf")])
def test_rates_are_finite(rate):
    with pytest.raises(ValidationError):
        Exponential(initial=1.0, rate=rate)


@pytest.mark.parametrize(
    ("initial", "rate", "steps", "fits"),
    [
        (1.0, 1.0, 231, True),  # 100 ln 10 = 230.26: step 230 is the last below
        (1.0, 1.0, 232, False),
        (1e100, 0.0, 10, True),
        (1e100, 0.01, 1, True),  # there is no second step to grow to
        (1e100, 0.01, 2, False),
        (1e-100, 1.0, 461, True),
        (1e-100, 1.0, 462, False),
        (1.0, -1.0, 10**8, True),
        (0.0, 1.0, 700, True),
    ],
)
def test_a_growth_that_passes_1e100_is_refused(initial, rate, steps, fits):
    power = Exponential(initial=initial, rate=rate)
    objections = list(power.objections(SimpleNamespace(steps=steps), "X"))
    assert bool(objections) != fits
    assert (power.nats(steps - 1) <= 1.0000001e100) == fits


def test_the_objection_says_where_and_why():
    overrides = {"agents.X.power": {"kind": "exponential", "initial": 2.0, "rate": 2.0}}
    with pytest.raises(ScenarioError, match="1e100 nats within the scenario's 200 steps") as caught:
        sumabm.load_scenario("essay", overrides)
    assert "agents.X.power.rate" in str(caught.value)
    sumabm.load_scenario("essay", overrides | {"steps": 100})


def test_a_run_records_the_power_of_each_step():
    overrides = {
        "agents.X.power": {"kind": "exponential", "initial": 0.5, "rate": 0.1},
        "world.dimensions": 5,
    }
    run = sumabm.simulate("essay", 2, steps=10, overrides=overrides)
    expected = np.tile(0.5 * 1.1051709180756477 ** np.arange(10), (2, 1))
    np.testing.assert_allclose(run["power"].sel(agent="X").values, expected, rtol=1e-12)
    np.testing.assert_allclose(run["spent"].sel(agent="X").values, expected, rtol=1e-12)
    np.testing.assert_array_equal(run["power"].sel(agent="Y").values, 1.0)
