"""Mesa's own tools work on the model, on every Mesa that is supported."""

import inspect
import warnings

import mesa
import numpy as np
import pandas as pd
import pytest

from sumabm import SUMModel


def test_constructs_without_arguments_and_collects():
    model = SUMModel()
    assert isinstance(model, mesa.Model)
    assert model.spec.scenario == "essay"
    for _ in range(3):
        model.step()
    frame = model.datacollector.get_model_vars_dataframe()
    assert len(frame) == 4  # once before any step, then after each
    assert frame["cumulative_harm"].is_monotonic_increasing
    np.testing.assert_allclose(frame["harm"].iloc[1:].cumsum(), frame["cumulative_harm"].iloc[1:])
    assert frame["budget.W"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_agents_are_mesa_agents():
    model = SUMModel("many")
    assert len(model.agents) == 7
    assert {type(agent).__name__ for agent in model.agents} == {"AI", "Human", "Aligner"}
    assert model.agents.get("name") == list(model.spec.agents)


def test_runs_to_the_end_of_the_scenario():
    model = SUMModel(steps=5)
    model.run_model()
    assert model.steps == 5
    assert not model.running


def test_signature_is_one_that_solara_takes():
    kinds = {p.name: p.kind for p in inspect.signature(SUMModel).parameters.values()}
    assert kinds["kwargs"] is inspect.Parameter.VAR_KEYWORD
    assert inspect.Parameter.VAR_POSITIONAL not in kinds.values()


def test_no_seed_draws_one_and_keeps_it():
    first, second = SUMModel(rng=None), SUMModel(rng=None)
    assert first.seed != second.seed
    again = SUMModel(rng=first.seed)
    np.testing.assert_array_equal(first.ais["X"].utility, again.ais["X"].utility)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_batch_run_sweeps_dotted_names():
    parameters = {
        "scenario": "essay",
        "agents.X.power": [0.5, 2.0],
        "world.dimensions": np.array([3, 10]),
        "replicates": 4,
    }
    if "rng" in inspect.signature(mesa.batch_run).parameters:
        results = mesa.batch_run(
            SUMModel, parameters, max_steps=20, rng=[1, 2], display_progress=False
        )
    else:
        parameters["rng"] = [1, 2]
        results = mesa.batch_run(SUMModel, parameters, max_steps=20, display_progress=False)
    frame = pd.DataFrame(results)
    assert len(frame) == 8
    weak = frame["agents.X.power"] == 0.5
    assert (frame.loc[weak, "cumulative_harm"] < 1e-12).all()
    assert (frame.loc[~weak, "cumulative_harm"] > 1e-3).all()


def test_nothing_of_mesa_that_is_on_its_way_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SUMModel("many", 2).step()
