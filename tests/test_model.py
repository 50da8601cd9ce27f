"""The simulator against the closed forms of the theory, and the promises of the replicate axis."""

import gc

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import sumabm
from sumabm import acting, sphere, theory
from sumabm.model import SUMModel
from sumabm.streams import replicate_range, seed_of
from sumabm.toml import ScenarioError
from sumabm.worlds.gaussian import GaussianWorld


def z(sample, expected):
    """Return how many standard errors the mean of a sample over replicates is from expected."""
    error = sample.std(axis=0, ddof=1) / np.sqrt(sample.shape[0])
    return np.abs(sample.mean(axis=0) - expected) / error


def column(run, name, agent):
    return run[name].sel(agent=agent).values


@pytest.fixture(scope="module")
def essay():
    return sumabm.simulate("essay", 1000, seed=11)


# --- the essay's closed forms --------------------------------------------------------------


def test_alignment_follows_the_tilted_law(essay):
    expected = theory.alignment(100, column(essay, "budget", "W")[0])
    assert z(column(essay, "alignment", "X"), expected).max() < 4
    wrong = theory.alignment(104, column(essay, "budget", "W")[0])
    assert z(column(essay, "alignment", "X"), wrong).max() > 4


def test_alignment_is_a_draw_from_the_whole_law_not_only_its_mean(essay):
    kappa = sphere.concentration(100, nats=50.0)
    c = column(essay, "alignment", "X")[:, 50]
    mean = sphere.mean_cosine(100, kappa)
    variance = 1.0 - 99.0 * mean / kappa - mean**2
    assert z((c - mean) ** 2, variance) < 4
    assert z((c - mean) ** 2, 1.3 * variance) > 4


def test_alignment_never_falls(essay):
    assert np.diff(column(essay, "alignment", "X"), axis=1).min() >= 0.0


@pytest.mark.parametrize(("name", "p"), [("harm_amplitude", 0.5), ("harm", 1.0)])
@pytest.mark.parametrize("measure", ["regret", "orthogonal", "utility-loss"])
def test_harm_follows_the_expected_one(name, p, measure):
    run = sumabm.simulate("essay", 400, seed=5, steps=60, overrides={"harm": measure})
    budgets = np.arange(60.0)
    for mistake, verdict in ((1.0, np.less), (1.5, np.greater)):
        expected = theory.left_sum(
            100, budgets, np.full(60, mistake * theory.residual(2.0, 1.0)), measure, p
        )
        worst = z(run[f"cumulative_{name}"].values[:, 10:], expected[10:]).max()
        assert verdict(worst, 4), (mistake, worst)


def test_training_harm_is_the_left_sum_and_tends_to_the_integral():
    d, threshold = 200, 0.8
    gaps = []
    for fraction in (1.0, 0.25):  # both powers, and so ι and the residual, scaled down
        run = sumabm.simulate(
            "essay",
            300,
            seed=2,
            steps=int(110 / fraction),
            overrides={
                "world.dimensions": d,
                "agents.X.power": 4.0 * fraction,
                "agents.Y.power": fraction,
            },
        )
        budgets = column(run, "budget", "W")[0]
        last = np.flatnonzero(budgets < sphere.nats(d, threshold))[-1]
        sample = run["cumulative_harm_amplitude"].values[:, last]
        amplitudes = np.full(last + 1, theory.residual(4.0 * fraction, fraction))
        exact = theory.left_sum(d, budgets[: last + 1], amplitudes, p=0.5)[-1]
        assert z(sample, exact) < 4
        integral = theory.training_harm(d, 4.0 * fraction, fraction, threshold, p=0.5)
        gaps.append(exact / integral - 1.0)
    assert 0 < gaps[1] < 0.5 * gaps[0]


@pytest.mark.parametrize("power", [0.25, 1.0])
def test_no_harm_when_humans_are_as_strong(power):
    run = sumabm.simulate("essay", 50, steps=40, overrides={"agents.X.power": power})
    assert np.abs(run["harm_amplitude"].values).max() <= 1e-12
    assert np.abs(run["displacement"].values).max() <= 1e-12


def test_humans_in_turn_leave_the_residual_amplitude():
    human = {"role": "human", "power": 0.25, "utility": {"kind": "fixed"}}
    run = sumabm.simulate("essay", 20, steps=3, overrides={"agents.Z": human})
    residual = np.sqrt(2.0) - np.sqrt(1.0) - np.sqrt(0.25)
    assert residual < 0
    assert run["displacement"].values.max() < 1e-12
    run = sumabm.simulate("essay", 20, steps=3, overrides={"agents.Z": human, "agents.X.power": 6})
    residual = np.sqrt(6.0) - np.sqrt(1.0) - np.sqrt(0.25)
    np.testing.assert_allclose(run["displacement"].values, residual**2, rtol=1e-12)


def test_unopposed_alignment_is_that_of_random_vectors():
    run = sumabm.simulate("unopposed", 2000, seed=3, steps=1)
    c = column(run, "alignment", "X")[:, 0]
    assert z(c, 0.0) < 4
    assert z(c**2, 1 / 100) < 4
    assert z(c**2, 1 / 90) > 4
    np.testing.assert_allclose(run["harm_amplitude"].values[:, 0], (1 - c) * np.sqrt(2.0))


def test_growing_power_passes_the_threshold_when_it_should():
    power = {"kind": "exponential", "initial": 0.5, "rate": 0.05}
    run = sumabm.simulate("essay", 20, steps=40, overrides={"agents.X.power": power})
    harmed = run["harm"].values.mean(axis=0) > 1e-12
    assert np.array_equal(harmed, 0.5 * np.exp(0.05 * np.arange(40)) > 1.0)
    # the budget is what the weaker of the two can spend, step by step
    iota = np.minimum(0.5 * np.exp(0.05 * np.arange(40)), 1.0)
    np.testing.assert_allclose(column(run, "budget", "W")[0], np.cumsum(iota) - iota, atol=1e-12)


@pytest.mark.parametrize(
    "covariance", [[4.0, 1.0, 0.25], [[2.0, 0.6, 0.1], [0.6, 1.0, 0.0], [0.1, 0.0, 0.5]]]
)
def test_a_correlated_world_is_the_plain_one_in_whitened_coordinates(covariance):
    """Alignment is the correlation under base; harm, power and budget don't know the covariance."""
    size = {"world.dimensions": 3}
    plain = sumabm.simulate("essay", 30, steps=20, overrides=size)
    other = sumabm.simulate(
        "essay", 30, steps=20, overrides={**size, "world.covariance": covariance}
    )
    for name in ("alignment", "harm", "displacement", "utility", "spent"):
        np.testing.assert_allclose(
            plain[name].values, other[name].values, rtol=1e-8, atol=1e-9, err_msg=name
        )


# --- activation and dynamics ---------------------------------------------------------------

COPIES = {
    "agents.X.utility.direction": [1.0, 0.0, 0.0, 0.0],
    "agents.X2": {
        "role": "ai",
        "power": 2.0,
        "utility": {"kind": "fixed", "direction": [1, 0, 0, 0]},
    },
    "world.dimensions": 4,
}


@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
def test_two_copies_act_as_four_times_the_power(activation):
    overrides = {**COPIES, "activation": activation}
    run = sumabm.simulate("unopposed", 4, steps=5, overrides=overrides)
    np.testing.assert_allclose(run["joint_spent"].values, 4 * 2.0)
    np.testing.assert_allclose(run["spent"].sel(agent=["X", "X2"]).values, 2.0)


def test_linear_tilts_of_a_gaussian_add_in_any_order():
    runs = [
        sumabm.simulate(
            "many", 10, steps=30, overrides={"activation": a, "agents.W2.method": "none"}
        )
        for a in ("sequential", "random", "simultaneous")
    ]
    for other in runs[1:]:
        for name in ("harm", "displacement", "joint_spent", "alignment"):
            np.testing.assert_allclose(runs[0][name], other[name], rtol=1e-9, err_msg=name)


def test_random_order_is_fair_and_recorded():
    run = sumabm.simulate("many", 400, steps=10)
    order = run["order"].sel(agent=["X1", "X2", "X3"]).values
    assert np.array_equal(np.sort(order, axis=-1), np.broadcast_to([0.0, 1, 2], order.shape))
    first = (order == 0).reshape(-1, 3).mean(axis=0)
    assert np.abs(first - 1 / 3).max() < 4 * np.sqrt(2 / 9 / 4000)


def test_persisting_displacements_add_up():
    overrides = {"world.dynamics": "persist"}
    run = sumabm.simulate("unopposed", 5, steps=10, overrides=overrides)
    expected = np.arange(1, 11) ** 2 * 2.0  # amplitude t·a
    np.testing.assert_allclose(run["displacement"].values, np.tile(expected, (5, 1)))


def test_relaxation_returns_by_its_rate():
    relax = {"kind": "relax", "rate": 0.25}
    run = sumabm.simulate("unopposed", 5, steps=12, overrides={"world.dynamics": relax})
    amplitude = np.sqrt(2.0) * (1 - 0.75 ** np.arange(1, 13)) / 0.25
    np.testing.assert_allclose(run["displacement"].values, np.tile(amplitude**2, (5, 1)))


# --- several humans and AIs ----------------------------------------------------------------


def test_harm_to_all_is_the_power_weighted_mean():
    run = sumabm.simulate("many", 6, steps=5)
    to = run["harm_to"].sel(agent=["Y1", "Y2"]).values
    weights = np.array([0.5, 0.25]) / 0.75
    np.testing.assert_allclose(run["harm"].values, to @ weights)
    np.testing.assert_allclose(run["harm_amplitude"].values, np.sqrt(to) @ weights)


def test_the_budget_is_shared_in_proportion_to_powers():
    run = sumabm.simulate("many", 3, steps=4)
    x2 = 0.5 * np.exp(0.005 * np.arange(4))
    share = 0.75 * x2 / (1.0 + x2)
    np.testing.assert_allclose(
        column(run, "information", "X2")[0], np.cumsum(share) - share, atol=1e-12
    )


def test_cancelling_humans_have_no_direction():
    opposed = {
        "world.dimensions": 2,
        "agents.Y.utility.direction": [1.0, 0.0],
        "agents.Z": {
            "role": "human",
            "power": 1.0,
            "utility": {"kind": "fixed", "direction": [-1.0, 0.0]},
        },
    }
    with pytest.raises(ScenarioError, match=r"agents: .*cancel"):
        SUMModel("unopposed", **opposed)


def test_a_world_without_ais_stays_put():
    human = {"role": "human", "power": 1.0}
    spec = sumabm.load_scenario("unopposed").model_dump()
    spec["agents"] = {"Y": human}
    run = sumabm.simulate(sumabm.Scenario.model_validate(spec), 2, steps=3)
    assert (run["displacement"].values == 0).all()
    assert (run["harm"].values == 0).all()


# --- stopping ------------------------------------------------------------------------------


def test_a_replicate_stops_when_every_ai_is_aligned():
    free = sumabm.simulate("essay", 30, steps=100)
    run = sumabm.simulate("essay", 30, steps=100, overrides={"stop": {"alignment": 0.8}})
    below = column(free, "alignment", "X") < 0.8
    went_on = np.logical_and.accumulate(below, axis=1)
    assert 0.2 < went_on.mean() < 0.8
    for name in ("harm", "cumulative_harm"):
        expected = np.where(went_on, free[name].values, np.nan)
        np.testing.assert_array_equal(run[name].values, expected)
    assert np.isnan(column(run, "power", "X")[~went_on]).all()


def test_a_model_whose_replicates_are_done_stops_running():
    model = SUMModel("essay", 3, stop={"alignment": -0.999})
    assert not model.running
    assert np.isnan(model.datacollector.model_vars["alignment.X"][0])


# --- replicates ----------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["essay", "bayesian", "many", "unopposed"]),
    st.sampled_from(["reset", "persist", {"kind": "relax", "rate": 0.1}]),
    st.integers(0, 2**63),
    st.integers(1, 9),
    st.integers(0, 40),
)
def test_replicates_are_bit_identical_in_any_company(scenario, dynamics, seed, count, first):
    overrides = {"world.dimensions": 17}
    if scenario in ("essay", "unopposed"):
        overrides["world.dynamics"] = dynamics
    some = sumabm.simulate(scenario, range(first, first + count), seed, 20, overrides)
    all_ = sumabm.simulate(scenario, first + count + 3, seed, 20, overrides)
    xr.testing.assert_equal(some, all_.isel(replicate=slice(first, first + count)))


def test_seeds_and_replicates_differ():
    run = sumabm.simulate("essay", 3, steps=1, seed=1)
    other = sumabm.simulate("essay", 3, steps=1, seed=2)
    values = np.concatenate([r["alignment"].sel(agent="X").values.ravel() for r in (run, other)])
    assert np.unique(values).size == 6


def test_an_agent_more_changes_nobody_elses_randomness():
    run = sumabm.simulate("unopposed", 4, steps=2)
    more = sumabm.simulate(
        "unopposed", 4, steps=2, overrides={"agents.Q": {"role": "ai", "power": 1.0}}
    )
    np.testing.assert_array_equal(column(run, "alignment", "X"), column(more, "alignment", "X"))


# --- arguments -----------------------------------------------------------------------------


def test_what_is_no_seed_or_replicate_is_refused():
    for wrong in (-1, 1.5, "7", True):
        with pytest.raises(ValueError, match="seed"):
            seed_of(wrong)
    for wrong in (0, -3, range(3, 3), range(0, 10, 2), range(-1, 3), 1.0, True, 2**32 + 1):
        with pytest.raises(ValueError, match="replicates"):
            replicate_range(wrong)
    assert seed_of(np.int64(4)) == 4
    assert seed_of(None) != seed_of(None)
    assert seed_of(np.random.default_rng(1)) == seed_of(np.random.default_rng(1))
    assert replicate_range(np.int32(4)) == range(4)


def test_utilities_are_noted_as_acted_on():
    """Edits between the two notes change nothing: without a response they are the same."""
    overrides = {"agents.Y.response": "none", "agents.X.power": 4.0}
    run = sumabm.simulate("essay", 20, steps=5, overrides=overrides)
    xr.testing.assert_equal(run["utility"].rename("u"), run["utility_acted"].rename("u"))
    np.testing.assert_allclose(run["utility"].sel(agent="X").values, np.sqrt(8.0))


def test_each_rule_gets_only_its_own_ais_powers():
    overrides = {
        "activation": "random",
        "agents.X": {"role": "ai", "power": 0.5, "behaviour": {"kind": "honest", "measure": "tv"}},
        "agents.X2": {"role": "ai", "power": 5.0},
    }
    run = sumabm.simulate("unopposed", 8, steps=4, overrides=overrides)
    np.testing.assert_allclose(column(run, "spent", "X"), 0.5)
    np.testing.assert_allclose(column(run, "spent", "X2"), 5.0)


def test_acts_of_another_kind_cannot_be_made_at_once():
    model = SUMModel("unopposed", activation="simultaneous")
    act = model.ais["X"].act(model.view(model.ais["X"]))
    with pytest.raises(ValueError, match="at once"):
        acting.together(model.world, {"X": act._replace(how=lambda world, utility, power: None)})


def test_a_goal_that_cancels_on_the_way_stays_where_it_was():
    human = {"kind": "fixed", "direction": [-1.0, 0.0]}
    power = {"kind": "exponential", "initial": 0.5, "rate": float(np.log(2.0))}
    overrides = {
        "world.dimensions": 2,
        "agents.Y.utility.direction": [1.0, 0.0],
        "agents.Z": {"role": "human", "power": power, "utility": human},
    }
    run = sumabm.simulate("unopposed", 3, steps=4, overrides=overrides)
    c = column(run, "alignment", "X")
    np.testing.assert_allclose(c[:, 1], c[:, 0])  # equal powers cancel
    np.testing.assert_allclose(c[:, 2], -c[:, 0])


def test_a_step_leaves_no_worlds_to_the_garbage_collector():
    """What a step made goes with the next one: large worlds must not wait to be collected."""
    model = SUMModel("many", 2)
    model.step()
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(each, GaussianWorld) for each in gc.get_objects())
        for _ in range(5):
            model.step()
        assert sum(isinstance(each, GaussianWorld) for each in gc.get_objects()) <= before
    finally:
        gc.enable()
