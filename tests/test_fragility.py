"""Fragility in the simulator: its harm is theory's at every step, and its factor at every ξ."""

from functools import cache

import numpy as np
import pytest

import sumabm
from sumabm import theory
from sumabm.predict import predict

D, REPLICATES, STEPS = 30, 1500, 60
FRAGILE = {"kind": "fragile", "exponent": 2.0}
NARROW = {"kind": "narrow", "width": 0.5}
LAWS = [
    (FRAGILE, {"fragility": 2.0}, {"fragility": 2.5}),
    ({"kind": "fragile", "exponent": 0.5}, {"fragility": 0.5}, {"fragility": 0.6}),
    (NARROW, {"measure": theory.narrow_shape(0.5)}, {"measure": theory.narrow_shape(0.53)}),
]


def ended(harm, power=2.0, seed=0):
    """Run the essay's loop and return its cumulative harms ``(R, T)`` by power p, and the run."""
    changes = {"harm": harm, "world.dimensions": D, "agents.X.power": power}
    spec = sumabm.load_scenario("essay", changes | {"steps": STEPS})
    run = sumabm.simulate(spec, REPLICATES, seed)
    sums = {1.0: run["cumulative_harm"].values, 0.5: run["cumulative_harm_amplitude"].values}
    return spec, run, sums


@cache
def by_regret(power):
    """Return each replicate's harm in the end, without fragility."""
    return ended("regret", power)[2][1.0][:, -1]


def worst(values, expected):
    error = values.std(axis=0, ddof=1) / np.sqrt(values.shape[0])
    return np.max(np.abs(values.mean(axis=0) - expected) / error)


@pytest.mark.parametrize(("harm", "right", "wrong"), LAWS)
def test_harm_is_the_left_sum_of_theory(harm, right, wrong):
    spec, run, sums = ended(harm)
    budgets, amplitudes = np.arange(STEPS, dtype=float), np.full(STEPS, np.sqrt(2.0) - 1.0)
    for p, values in sums.items():
        assert worst(values, theory.left_sum(D, budgets, amplitudes, p=p, **right)) < 4.0
        assert worst(values, theory.left_sum(D, budgets, amplitudes, p=p, **wrong)) > 6.0
    curves = predict(run, spec)
    assert {"harm", "cumulative_harm", "harm_amplitude", "cumulative_harm_amplitude"} <= set(curves)
    for p, name in ((1.0, "cumulative_harm"), (0.5, "cumulative_harm_amplitude")):
        expected = theory.left_sum(D, budgets, amplitudes, p=p, **right)
        np.testing.assert_allclose(curves[name], expected, rtol=1e-12)


@pytest.mark.parametrize("harm", [FRAGILE, NARROW], ids=lambda h: h["kind"])
def test_the_factor_on_harm_is_the_same_for_every_power(harm):
    """Paired seeds: every replicate's harm is changed by its own factor, whatever ξ is."""
    factors = [ended(harm, power)[2][1.0][:, -1] / by_regret(power) for power in (1.5, 4.0, 100.0)]
    np.testing.assert_allclose(factors[1:], [factors[0]] * 2, rtol=1e-9)
    assert np.all(np.abs(factors[0] - 1.0) > 1e-3)


@pytest.mark.no_cover
def test_the_factor_is_that_of_the_integral_as_steps_shrink():
    """Weak humans take many steps: total harm over regret's tends to K(2pm)/K(2p) at this d."""
    d, human, end = 40, 0.05, 0.9
    steps = int(theory.alignment_cost(d, end) / human)
    changes = {"world.dimensions": d, "steps": steps}
    changes |= {"agents.X.power": 4.0 * human, "agents.Y.power": human}
    total = {}
    for name, harm in {"plain": "regret", "fragile": FRAGILE, "narrow": NARROW}.items():
        run = sumabm.simulate("essay", 100, 4, overrides=changes | {"harm": harm})
        total[name] = run["cumulative_harm"].values[:, -1]
    plain = theory.training_harm(d, 4.0 * human, human, end)
    for name, law in (("fragile", LAWS[0][1]), ("narrow", LAWS[2][1])):
        exact = theory.training_harm(d, 4.0 * human, human, end, **law) / plain
        ratio = total[name].mean() / total["plain"].mean()
        spread = total[name] - ratio * total["plain"]
        error = spread.std(ddof=1) / np.sqrt(spread.size) / total["plain"].mean()
        assert abs(ratio - exact) < 4.0 * error + 0.01 * exact  # 1 %: steps of 0.05 nats
        assert abs(ratio - 1.0) > 10.0 * error


def test_in_a_discrete_world_they_are_what_they_say():
    """From the recorded states: φ^m of the displacement, and nats across that count 1/w²."""
    changes = {"steps": 3, "agents.W.method": "none"}
    base = sumabm.simulate("essay-discrete", 4, 1, overrides=changes | {"harm": "regret"})
    whole = np.sqrt(base["displacement"].values)
    share = base["harm_amplitude"].values / whole
    run = sumabm.simulate("essay-discrete", 4, 1, overrides=changes | {"harm": FRAGILE})
    np.testing.assert_allclose(run["harm_amplitude"].values, share**2 * whole, rtol=1e-9)
    run = sumabm.simulate("essay-discrete", 4, 1, overrides=changes | {"harm": NARROW})
    gain = base["utility"].sel(agent="Y").values / np.sqrt(2.0)
    best = base["harm_amplitude"].values + gain
    expected = np.sqrt(gain**2 + 4.0 * (best**2 - gain**2)) - gain
    np.testing.assert_allclose(run["harm_amplitude"].values, expected, rtol=1e-9)
