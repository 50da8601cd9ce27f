"""Batteries in other packages: the real SALib, EMA Workbench and ArviZ."""

import sys
import warnings

import numpy as np
import pytest
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as sample
from scipy.stats import kstest

from sumabm import SUMModel, load_scenario, open_battery, simulate
from sumabm.battery.designs import from_unit
from sumabm.battery.interop import ema_model, salib_problem, to_arviz
from sumabm.battery.plan import point_seed
from sumabm.battery.spec import Battery
from sumabm.battery.store import Store
from sumabm.battery.work import work
from sumabm.recorder import record

STATES = {"kind": "states", "probabilities": [0.2, 0.3, 0.5], "utilities": "free"}
METHODS = ["budget", "bayesian", {"kind": "bayesian", "looks": 10}]


def battery(changes=(), **fields):
    world = {"kind": "gaussian", "dimensions": 3}
    scenario = load_scenario("essay", {"world": world, "steps": 3, **dict(changes)})
    table = {"battery": "three-ways", "scenario": scenario, "replicates": 4}
    return Battery.model_validate(table | fields)


@pytest.fixture(scope="module")
def mixed():
    """Every sort of parameter that the EMA Workbench has a sort for."""
    return battery(
        uncertainties={
            "world.dimensions": {"kind": "integer", "low": 3, "high": 30, "scale": "log"},
            "steps": {"kind": "integer", "low": 1, "high": 3},
            "xi": {"kind": "continuous", "low": 1.0, "high": 16.0, "scale": "log"},
        },
        levers={
            "agents.W.method": METHODS,
            "agents.Y.power": {"kind": "continuous", "low": 1.0, "high": 2.0},
            "harm": ["regret"],  # one value: nothing for EMA to vary
        },
        derived={"agents.X.power": "2 * xi"},
        keep={"outcomes": ["harm", "alignment"]},
        paired=False,
    )


@pytest.fixture(scope="module")
def ema():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ema_workbench
    return ema_workbench


def means(b, values):
    """Return the outcomes of a point, computed another way than by EMA's."""
    spec = b.scenario.replace(b.overrides(values))
    run = simulate(spec, b.replicates, point_seed(b, spec))
    return {
        "harm": run["harm"].isel(step=-1).values.mean(),
        "alignment.X": run["alignment"].sel(agent="X").isel(step=-1).values.mean(),
    }


# --- the EMA Workbench -------------------------------------------------------------------------


def test_experiments_are_what_sumabm_runs(ema, mixed):
    model = ema_model(mixed)
    assert model.name == "threeways"
    assert [p.name for p in model.uncertainties] == ["world.dimensions", "steps", "xi"]
    assert [p.name for p in model.levers] == ["agents.W.method", "agents.Y.power"]
    assert [o.name for o in model.outcomes] == ["alignment.X", "harm"]
    with ema.SequentialEvaluator(model) as evaluator:
        experiments, outcomes = evaluator.perform_experiments(scenarios=5, policies=3)
    assert len(experiments) == 15
    labels = mixed.levers["agents.W.method"].names
    assert set(experiments["agents.W.method"]) == set(labels)
    for i, row in experiments.iterrows():
        values = {name: row[name] for name in ("xi", "agents.Y.power")}
        values |= {name: int(row[name]) for name in ("world.dimensions", "steps")}
        values["agents.W.method"] = METHODS[labels.index(row["agents.W.method"])]
        values["harm"] = "regret"
        assert 3 <= values["world.dimensions"] <= 30
        assert {name: outcomes[name][i] for name in outcomes} == means(mixed, values)
    assert len(set(outcomes["harm"])) == 15


def test_parameters_have_the_distributions_of_the_battery(mixed):
    model, rng = ema_model(mixed), np.random.default_rng(3)
    n = 4000
    for name in ("world.dimensions", "steps", "xi"):
        ours = np.array(mixed.parameters[name].at(rng.random((n, 1))))
        theirs = model.uncertainties[name].dist.rvs(size=n, random_state=rng)
        assert theirs.min() == pytest.approx(ours.min(), rel=0.01)
        shares = [np.searchsorted(np.sort(x), np.unique(ours), "right") / n for x in (ours, theirs)]
        assert np.abs(shares[0] - shares[1]).max() < 4.0 * np.sqrt(0.5 / n)
        off = np.searchsorted(np.sort(theirs * 1.2), np.unique(ours), "right") / n
        assert np.abs(shares[0] - off).max() > 4.0 * np.sqrt(0.5 / n)
    whole = model.uncertainties["world.dimensions"]
    assert (whole.lower_bound, whole.upper_bound) == (3, 30)
    power = model.levers["agents.Y.power"].dist.rvs(size=n, random_state=rng)
    assert kstest(power - 1.0, "uniform").pvalue > 1e-4


def test_a_simplex_is_its_unit_coordinates(ema):
    b = battery(
        {"world": STATES},
        uncertainties={"world.probabilities": {"kind": "simplex", "size": 3}},
        keep={"outcomes": ["harm"]},
    )
    model = ema_model(b)
    names = ["world.probabilities[0]", "world.probabilities[1]"]
    assert [p.name for p in model.uncertainties] == names
    with ema.SequentialEvaluator(model) as evaluator:
        experiments, outcomes = evaluator.perform_experiments(scenarios=3)
    for i, row in experiments.iterrows():
        unit = np.array([[row[name] for name in names]])
        [vector] = b.parameters["world.probabilities"].at(unit)
        spec = b.scenario.replace({"world.probabilities": vector})
        assert outcomes["harm"][i] == simulate(spec, 4)["harm"].isel(step=-1).values.mean()


def test_replicates_count_at_their_own_last_step(ema):
    b = battery({"stop": {"alignment": 0.3}}, levers={"agents.X.power": [2.0, 3.0]}, replicates=8)
    model = ema_model(b)
    assert "harm_to.Y" in [outcome.name for outcome in model.outcomes]
    experiment = {"agents.X.power": "3.0"}  # a choice, by its label
    found = model.function(**experiment)
    rows = record(SUMModel(b.scenario.replace({"agents.X.power": 3.0}), 8), None)
    assert 0 < len(rows["harm"]) < 8
    assert found["harm"] == rows["harm"].mean()
    never = battery({"stop": {"alignment": -0.99}}, levers={"agents.X.power": [2.0, 3.0]})
    assert np.isnan(ema_model(never).function(**experiment)["harm"])


# --- SALib -------------------------------------------------------------------------------------


def test_salib_samples_and_analyses_a_battery(mixed):
    problem = salib_problem(mixed)
    assert problem["names"] == list(mixed.parameters)
    unit = sample.sample(problem, 4, calc_second_order=False, seed=1)
    values = from_unit(mixed.parameters, unit).values
    assert len(values["xi"]) == 4 * 8
    b = battery(
        uncertainties={
            "agents.X.power": {"kind": "continuous", "low": 2.0, "high": 20.0},
            "agents.Y.power": {"kind": "continuous", "low": 0.1, "high": 0.11},
        }
    )
    problem = salib_problem(b)
    unit = sample.sample(problem, 8, calc_second_order=False, seed=1)
    points = from_unit(b.parameters, unit).values
    harm = [
        means(b, {name: column[i] for name, column in points.items()})["harm"]
        for i in range(len(unit))
    ]
    found = analysis.analyze(problem, np.array(harm), calc_second_order=False, seed=1)
    assert found["ST"][0] > 0.9 > 0.1 > found["ST"][1]


def test_salib_groups_the_coordinates_of_a_simplex():
    simplex = {"p": {"kind": "simplex", "size": 3}, "q": [1, 2]}
    problem = salib_problem(battery(uncertainties=simplex, derived={"steps": "q", "x": "p"}))
    assert problem["names"] == ["p[0]", "p[1]", "q"]
    assert problem["groups"] == ["p", "p", "q"]
    with pytest.raises(ValueError, match="at least one parameter"):
        salib_problem(battery())


# --- ArviZ -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    b = battery(
        uncertainties={"agents.X.power": [2.0, 4.0]}, keep={"steps": "all"}, chunk={"replicates": 4}
    )
    store = Store.create(b, tmp_path_factory.mktemp("store"), {})
    store.ready()
    work(str(store.path), 60.0, next(store.chunks()))
    return store


@pytest.mark.parametrize("trajectories", [False, True])
def test_arviz_takes_replicates_as_draws(stored, trajectories):
    data = open_battery(stored, trajectories=trajectories)
    found = to_arviz(data, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    assert isinstance(found, arviz.InferenceData)
    harm = found.posterior["harm"]
    assert harm.dims == ("chain", "draw", "step")[: harm.ndim]
    assert (harm.sizes["chain"], harm.sizes["draw"]) == (1, 4)
    np.testing.assert_array_equal(harm.values[0], data.harm.values[0])
    summary = arviz.summary(found, var_names=["harm"], kind="stats", round_to=12)
    np.testing.assert_allclose(summary["mean"], np.ravel(data.harm.values[0].mean(axis=0)))
    assert float(found.posterior["agents.X.power"]) == 2.0


def test_arviz_gets_no_point_that_is_not_complete(stored):
    data = open_battery(stored)
    with pytest.raises(ValueError, match="point 1: is not complete; go on with the battery first"):
        to_arviz(data, 1)
    with pytest.raises(KeyError):
        to_arviz(data, 9)


@pytest.mark.parametrize(
    ("package", "call", "hint"),
    [
        ("ema_workbench", lambda: ema_model(battery()), r"pip install 'sumabm\[discovery\]'"),
        ("arviz", lambda: to_arviz(None), "pip install 'arviz<1'"),
    ],
)
def test_packages_that_are_not_there(monkeypatch, package, call, hint):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"needs {package}: {hint}"):
        call()
