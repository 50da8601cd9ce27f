"""Discrete worlds through their public face, in scenarios, and with aligners."""

import numpy as np
import pytest

import sumabm
from sumabm import DiscreteWorld, ScenarioError, sphere, theory
from sumabm.model import SUMModel
from sumabm.runs import open_run
from sumabm.runs import run as store
from sumabm.streams import Streams

U = np.array([3.0, 0.02, 1.0, 3.1])


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


# --- the world ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [[], [0.5, 0.6], [1.5, -0.5], [np.nan, 1.0], [[[1.0]]], [0.2, 0.2]]
)
def test_what_is_no_distribution_is_refused(wrong):
    with pytest.raises(ValueError, match="probabilities must"):
        DiscreteWorld(wrong)


def test_features_must_fit_and_be_independent():
    with pytest.raises(ValueError, match=r"features must be \(2, d\)"):
        DiscreteWorld([0.5, 0.5], [[1.0]])
    with pytest.raises(ValueError, match="linearly independent"):
        DiscreteWorld([0.25] * 4, [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [0.0, 0.0]])


def test_plain_lists_and_single_worlds_work():
    act = DiscreteWorld([0.25] * 4).tilt(list(U), 0.5)
    assert act.world.probabilities.shape == (4,)
    assert float(act.spent) == pytest.approx(0.5, rel=1e-12)
    rows = DiscreteWorld([0.25] * 4).tilt(np.stack([U, -U]), np.array([0.5, 0.1]))
    np.testing.assert_array_equal(rows.world.probabilities[0], act.world.probabilities)


def test_whitened_length_is_spread_and_the_cosine_correlation():
    rng = np.random.default_rng(1)
    p, features = rng.dirichlet(np.ones(50)), rng.standard_normal((50, 3))
    for world, u, v in (
        (DiscreteWorld(p), *rng.standard_normal((2, 50))),
        (DiscreteWorld(p, features), *(features @ rng.standard_normal((3, 2))).T),
    ):
        a, b = world.whiten(u), world.whiten(v)
        cov = np.sum(p * (u - p @ u) * (v - p @ v))
        assert a @ b == pytest.approx(cov, rel=1e-10)
        assert np.sqrt(a @ a) == pytest.approx(float(world.spread(u)), rel=1e-10)


def test_undo_has_its_true_price_and_loses_what_is_gone():
    world = DiscreteWorld([0.1, 0.2, 0.3, 0.4])
    tilted = world.tilt(U, 0.3).world
    price = float(world.nats_from(tilted))
    assert price != pytest.approx(0.3, rel=1e-3)  # not the AI's: KL has a direction
    almost, enough = (tilted.toward(world, k * price) for k in (0.9, 1.001))
    assert float(almost.beta) < 1.0
    np.testing.assert_allclose(enough.world.probabilities, world.probabilities, rtol=1e-12)
    saturated = world.tilt(U, 50.0).world
    assert saturated.report(world)["lost"] == pytest.approx(0.6)
    back = saturated.toward(world, 1e9).world
    assert back.report(world)["lost"] == pytest.approx(0.6)


def test_samples_follow_the_distribution():
    p = np.array([0.0, 0.1, 0.6, 0.0, 0.3, 0.0])
    draw = Streams(1, range(200)).draw("", "")
    seen = DiscreteWorld(np.tile(p, (200, 1))).sample(draw, 500)
    share = np.bincount(seen.ravel(), minlength=6) / seen.size
    assert share[[0, 3, 5]].sum() == 0.0
    assert np.all(np.abs(share - p) <= 4 * np.sqrt(p * (1 - p) / seen.size))
    assert np.any(np.abs(share - np.roll(p, 1)) > 4 * np.sqrt(p * (1 - p) / seen.size))


def test_looks_are_unbiased_and_noise_is_white_at_base():
    rng = np.random.default_rng(5)
    world = DiscreteWorld(rng.dirichlet(np.ones(40)), rng.standard_normal((40, 2)))
    base = world.pick([world], np.zeros(4000, dtype=int))
    rows = DiscreteWorld.pool([base], [1.0])._at(np.tile(base.log_probabilities, (4000, 1)))
    seen = rows.look(world, Streams(3, range(4000)).draw("", ""), 4)
    for k in range(2):
        assert z(seen[:, k], 0.0) < 4
        assert z(4 * seen[:, k] ** 2, 1.0) < 4
    act = world.tilt(world.colour(np.array([1.0, 0.0])), 0.02)
    shift = act.world.shift(world)
    assert shift[0] == pytest.approx(np.sqrt(0.04), rel=0.2)


def test_relaxation_is_a_log_linear_mixture():
    world = DiscreteWorld([0.1, 0.2, 0.3, 0.4])
    tilted = world.tilt(U, 0.3).world
    half = tilted.relax(world, 0.5).probabilities
    expected = np.sqrt(tilted.probabilities * world.probabilities)
    np.testing.assert_allclose(half, expected / expected.sum(), rtol=1e-12)
    assert tilted.relax(world, 0.0) is tilted
    assert tilted.relax(world, 1.0) is world


def test_pools_of_nothing_in_common_are_refused():
    with pytest.raises(ValueError, match="no state in common"):
        DiscreteWorld.pool([DiscreteWorld([1.0, 0.0]), DiscreteWorld([0.0, 1.0])], [1.0, 1.0])
    with pytest.raises(ValueError, match="as many weights"):
        DiscreteWorld.pool([DiscreteWorld([1.0, 0.0])], [1.0, 2.0])


def test_linear_utilities_need_features():
    with pytest.raises(ValueError, match="no features"):
        DiscreteWorld([0.5, 0.5]).linear(np.ones(2))


# --- scenarios ------------------------------------------------------------------------------


def test_the_budget_aligner_is_exact_on_any_sphere():
    """A free table world of N states is a sphere in N − 1 dimensions."""
    world = {"kind": "states", "utilities": "free", "probabilities": list(np.full(40, 1 / 40))}
    run = sumabm.simulate("essay", 1500, seed=3, steps=20, overrides={"world": world})
    seen = run["alignment"].sel(agent="X").values
    budgets = run["budget"].sel(agent="W").values[0]
    right, wrong = theory.alignment(39, budgets), theory.alignment(43, budgets)
    error = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
    assert (np.abs(seen.mean(axis=0) - right) / error).max() < 4
    assert (np.abs(seen.mean(axis=0) - wrong) / error).max() > 4


def test_zero_probability_states_do_not_count():
    p = [0.0, *np.full(30, 1 / 30), 0.0]
    world = {"kind": "states", "utilities": "free", "probabilities": p}
    run = sumabm.simulate("essay", 4, steps=10, overrides={"world": world})
    model = SUMModel("essay", 4, world=world)
    assert model.base.dimensions == 29
    assert np.isfinite(run["harm"].values).all()
    assert (run["state_left"].values[[0, -1]] == 0.0).all()


def test_the_bayesian_aligner_in_a_cloud_is_near_the_gaussian_one():
    """The filter is exact to first order in sqrt(O): small powers agree."""
    size = {"agents.X.power": 0.05, "agents.W.method.looks": 20}
    cloud = {"kind": "cloud", "points": 4000, "dimensions": 10}
    gauss, points = (
        sumabm.simulate("bayesian", 60, seed=2, steps=60, overrides={**size, "world": world})
        for world in ({"kind": "gaussian", "dimensions": 10}, cloud)
    )
    a, b = (run["alignment"].sel(agent="X").values[:, -1] for run in (gauss, points))
    assert abs(a.mean() - b.mean()) < 0.03
    assert b.mean() > 0.8


def test_deleted_states_are_recorded():
    overrides = {"agents.X.power": 5.0, "agents.Y.response": "undo", "agents.Y.power": 1.0}
    run = sumabm.simulate("cup-grasp", overrides={**overrides, "world.dynamics": "persist"})
    assert run["lost"].item() == pytest.approx(0.75)


def test_essay_discrete_follows_the_essay():
    size = {"world.points": 4096, "world.dimensions": 4}
    cloud = sumabm.simulate("essay-discrete", 30, steps=8, overrides=size)
    plain = sumabm.simulate("essay", 30, steps=8, overrides={"world.dimensions": 4})
    np.testing.assert_allclose(cloud["alignment"], plain["alignment"], atol=1e-9)
    one, other = (r["harm_amplitude"].mean("replicate").values for r in (cloud, plain))
    assert np.abs(one - other).max() < 0.06 * other[0]


def test_a_run_with_states_is_stored_and_comes_back(tmp_path):
    spec = sumabm.load_scenario("cup-grasp")
    stored = store(spec, range(2), 0, tmp_path, {})
    again = open_run(stored.path)
    assert again.identical(sumabm.simulate(spec, 2))
    assert list(again["state"].values) == ["handle", "rim", "body", "both hands"]
    (stored.path / "states.parquet").write_bytes(b"PAR1")
    with pytest.raises(sumabm.runs.RunError, match=r"states\.parquet"):
        open_run(stored.path)


def write(tmp_path, text, **files):
    for name, content in files.items():
        (tmp_path / name.replace("_", ".")).write_text(content)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


TABLE = """
scenario = "mine"
steps = 2
[world]
kind = "table"
file = "w.csv"
probability = "p"
features = ["a", "b"]
utilities = "free"
[agents.X]
role = "ai"
power = 0.2
utility = { kind = "table", file = "w.csv", column = "u" }
[agents.Y]
role = "human"
power = 0.1
"""
CSV = "p,a,b,u\n1,0.5,1,3\n2,-1,0,1\n3,2,1,-1\n4,0,3,2\n"


def test_tables_are_found_beside_the_scenario_and_identified_by_content(tmp_path, monkeypatch):
    path = write(tmp_path, TABLE, w_csv=CSV)
    monkeypatch.chdir("/")
    spec = sumabm.load_scenario(path)
    model = SUMModel(spec)
    np.testing.assert_allclose(model.base.probabilities, np.array([1, 2, 3, 4]) / 10)
    first = spec.identity()
    assert str(tmp_path) not in first
    (tmp_path / "w.csv").write_text(CSV.replace("3,2,1,-1", "3,2,1,-2"))
    assert sumabm.load_scenario(path).identity() != first
    assert sumabm.load_scenario(path, {"agents.X.power": 1.0}).agents["X"].power.value == 1.0


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (('file = "w.csv"\nprob', 'file = "q.csv"\nprob'), r"world\.file: there is no such"),
        (('file = "w.csv"\nprob', 'file = "w.exe"\nprob'), r"world\.file: should be a file"),
        (('"a", "b"', '"a", "c"'), "has no column 'c'"),
        (('"p"', '"nope"'), "has no column 'nope'"),
        (('column = "u"', 'column = "x"'), "has no column 'x'"),
        ((', column = "u"', ""), "name the column"),
        (('utilities = "free"', 'utilities = "linear"'), "needs a discrete world with"),
        (('file = "w.csv", column = "u"', "values = [1, 2]"), "one utility per state, 4"),
        (('file = "w.csv", column = "u"', "values = [2, 2, 2, 2]"), "not be the same"),
        ((', file = "w.csv", column = "u"', ""), "needs either values or a file"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, change, rule):
    path = write(tmp_path, TABLE.replace(*change), w_csv=CSV)
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario(path)


def test_tables_of_no_numbers_are_refused(tmp_path):
    for csv, rule in (
        (CSV.replace("0.5", "half"), "is not numbers"),
        ("p,a,b,u\n-1,0,0,0\n2,1,1,1\n", "not negative"),
        ("", "cannot be read"),
    ):
        path = write(tmp_path, TABLE, w_csv=csv)
        with pytest.raises(ScenarioError, match=rule):
            sumabm.load_scenario(path)


def test_parquet_and_npy_tables(tmp_path):
    import pandas as pd

    write(tmp_path, TABLE, w_csv=CSV)
    pd.read_csv(tmp_path / "w.csv").to_parquet(tmp_path / "w.parquet")
    np.save(tmp_path / "u.npy", np.array([3.0, 1.0, -1.0, 2.0]))
    text = TABLE.replace('"w.csv"\nprob', '"w.parquet"\nprob')
    text = text.replace('file = "w.csv", column = "u"', 'file = "u.npy"')
    spec = sumabm.load_scenario(write(tmp_path, text))
    plain = sumabm.load_scenario(write(tmp_path, TABLE, w_csv=CSV))
    one, other = sumabm.simulate(spec), sumabm.simulate(plain)
    np.testing.assert_array_equal(one["utility"], other["utility"])
    np.save(tmp_path / "u.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    with pytest.raises(ScenarioError, match="cannot be read as an array"):
        sumabm.load_scenario(write(tmp_path, text))
    np.save(tmp_path / "u.npy", np.array(["a", "b"]))
    with pytest.raises(ScenarioError, match="does not hold an array of numbers"):
        sumabm.load_scenario(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"agents.X.behaviour": "quantilizing"}, "needs a discrete world"),
        ({"agents.X.behaviour.measure": {"kind": "renyi", "alpha": 1.0}}, "use measure = 'kl'"),
        ({"agents.X.behaviour.measure": "tv"}, "must stay below 1"),
        ({"agents.X.behaviour.measure": "chi2"}, "not KL-limited tilts"),
        (
            {"agents.X.behaviour.measure": "chi2", "activation": "simultaneous"},
            "only KL-limited tilts",
        ),
        ({"world": {"kind": "grid", "steps": 100, "dimensions": 6}}, r"at most 1e\+08 states"),
        ({"world": {"kind": "states", "probabilities": [0.5, 0.5]}}, "use utilities = 'free'"),
        (
            {"world": {"kind": "states", "probabilities": [0.5, 0.5], "utilities": "free"}},
            "at least 2 dimensions",
        ),
        (
            {"world": {"kind": "states", "probabilities": [0.5, 0.5], "names": ["a"]}},
            r"world\.names: should have one entry per state",
        ),
        (
            {"world": {"kind": "states", "probabilities": [0.5, 0.5], "features": [[1], [1, 2]]}},
            "rows of one length",
        ),
        ({"world": {"kind": "table", "file": "none.csv"}}, "no such file"),
    ],
)
def test_combinations_that_do_not_fit_are_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("essay", overrides)


def test_the_bayesian_filter_is_gaussian():
    grid = {"kind": "grid", "steps": 5, "dimensions": 3}
    for extra in (
        {"world.dynamics": "persist"},
        {"activation": "simultaneous", "agents.Q": {"role": "ai", "power": 1.0}},
    ):
        with pytest.raises(ScenarioError, match="unless the world is Gaussian"):
            sumabm.load_scenario("bayesian", {"world": grid, **extra})


def test_a_sphere_has_its_dimensions():
    spec = sumabm.load_scenario("reward-model")
    assert spec.world.sphere == 1499
    assert spec.world.coefficients == 0
    assert sumabm.load_scenario("essay-discrete").world.sphere == 6
    assert sphere.nats(6, 0.5) > 0


@pytest.mark.parametrize("reach", [8.0, 12.0, 20.0, 27.0, 37.0])
def test_random_tables_over_the_rarest_states_have_unit_spread(reach):
    """Utilities of rare states are huge: squares, ranges and sums must bear them."""
    world = {"kind": "grid", "steps": 41, "dimensions": 2, "reach": reach, "utilities": "free"}
    model = SUMModel("essay", 3, world=world)
    ai = model.ais["X"]
    np.testing.assert_allclose(np.vecdot(ai.subject.aim, ai.subject.aim), 1.0, rtol=1e-12)
    np.testing.assert_allclose(model.base.spread(ai.utility), 1.0, rtol=1e-9)


def test_impossible_states_may_have_any_utility():
    world = {"kind": "states", "utilities": "free", "probabilities": [0.5, 0.3, 0.2, 0.0]}
    utility = {"kind": "table", "values": [0.0, 1.0, 2.0, 1e200]}
    overrides = {"world": world, "agents.X.utility": utility}
    run = sumabm.simulate("unopposed", 2, steps=2, overrides=overrides)
    assert np.isfinite(run["alignment"].sel(agent="X").values).all()


def test_states_are_those_of_the_first_replicate_whatever_its_company():
    world = {"kind": "cloud", "points": 16, "dimensions": 3}
    overrides = {"world": world, "stop": {"alignment": 0.5}}
    for seed in range(4):
        one, many = (sumabm.simulate("essay", r, seed, 30, overrides) for r in (1, 20))
        for name in ("state_base", "state_acted", "state_left", "state_utility"):
            np.testing.assert_array_equal(one[name], many[name], err_msg=f"{seed} {name}")


def test_huge_coefficients_are_only_a_direction():
    cloud = {"kind": "cloud", "points": 64, "dimensions": 2}
    overrides = {"world": cloud, "agents.X.utility.direction": [1e308, 1e308]}
    run = sumabm.simulate("essay", 2, steps=2, overrides=overrides)
    assert np.isfinite(run["harm"].values).all()


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"world": {"kind": "cloud", "points": 10**8, "dimensions": 10**4}}, "states × features"),
        (
            {"agents.X.power": {"kind": "exponential", "initial": 1.0, "rate": 10.0}, "steps": 900},
            "power would pass",
        ),
        (
            {
                "world": {"kind": "cloud", "points": 64, "dimensions": 3, "utilities": "free"},
                "agents.X.utility.direction": [1.0, 2.0, 3.0],
            },
            "utilities are tables",
        ),
    ],
)
def test_more_that_does_not_fit(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("essay", overrides)


def test_features_must_be_numbers(tmp_path):
    with pytest.raises(ValueError, match="features must be finite"):
        DiscreteWorld([0.3, 0.3, 0.4], [[1.0], [np.nan], [2.0]])
    csv = "p,a,b,u\n1,,1,3\n2,-1,0,1\n3,2,1,-1\n4,0,3,2\n"
    with pytest.raises(ScenarioError, match="has gaps"):
        sumabm.load_scenario(write(tmp_path, TABLE, w_csv=csv))


def test_components_within_components_are_part_of_a_scenario():
    spec = sumabm.load_scenario(
        "power-measures", {"agents.X.behaviour.measure": {"kind": "renyi", "alpha": 2.0}}
    )
    paths = {path for path, _, _ in spec.components()}
    assert ("world", "dynamics") in paths
    assert ("agents", "X", "behaviour", "measure") in paths


def test_states_beyond_all_reckoning_are_lost():
    """Best-of-n again and again drives log-probabilities to −1e299; they count as gone."""
    cloud = {"kind": "cloud", "points": 300, "dimensions": 2, "dynamics": "persist"}
    overrides = {
        "world": cloud,
        "agents.X.behaviour": "best-of-n",
        "agents.Y.response": "own-utility",
        "agents.Y.power": 0.3,
    }
    run = sumabm.simulate("unopposed", 60, steps=6, overrides=overrides)
    assert np.isfinite(run["harm"].values).all()
    assert run["lost"].values.max() > 0.9
