"""`record` keeps what `simulate` shows, whatever is kept and whenever replicates stop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sumabm import SUMModel, load_scenario, simulate
from sumabm.recorder import VARIABLES, columns_of, record

NAMES = [*VARIABLES, "alignment.X", "spent.W", "power.Y"]


def expected(run, every, outcomes):
    """Return what is to be kept of a run's Dataset: replicate by replicate, step by step."""
    columns = {
        column: values
        for name in run.data_vars
        for column, values in columns_of(run, name).items()
        if not outcomes or name in outcomes or column in outcomes
    }
    rows = []
    for i, harms in enumerate(run["harm"].values):
        steps = np.flatnonzero(~np.isnan(harms))
        rows += [(i, t) for t in steps if t == steps[-1] or (every and t % every == 0)]
    who, when = np.array(rows, dtype=int).reshape(-1, 2).T
    kept = {name: values[who, when] for name, values in columns.items()}
    return {"replicate": run["replicate"].values[who], "step": when, **kept}


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert found[name].tobytes() == values.tobytes(), name


@settings(max_examples=30)
@given(
    name=st.sampled_from(["essay", "many", "bayesian"]),
    every=st.none() | st.integers(1, 7),
    outcomes=st.lists(st.sampled_from(NAMES), max_size=3),
    stop=st.none() | st.floats(-0.9, 0.9),
    steps=st.integers(1, 7),
    first=st.integers(0, 3),
    size=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_the_same_as_simulate(name, every, outcomes, stop, steps, first, size, seed):
    changes = {"steps": steps, "world.dimensions": 3}
    if stop is not None:
        changes["stop"] = {"alignment": stop}
    scenario = load_scenario(name, changes)
    which = range(first, first + size)
    run = simulate(scenario, which, seed)
    found = record(SUMModel(scenario, which, seed), every, outcomes)
    assert_equal(found, expected(run, every, outcomes))


def test_replicates_that_stop_have_their_own_last_row():
    scenario = load_scenario(
        "essay", {"steps": 12, "world.dimensions": 30, "stop": {"alignment": 0.2}}
    )
    run = simulate(scenario, 40)
    found = record(SUMModel(scenario, 40), None)
    steps = dict(zip(found["replicate"].tolist(), found["step"].tolist(), strict=True))
    assert len(set(steps.values())) > 3
    begun = ~np.isnan(run["harm"].values).all(axis=1)
    assert 0 < begun.sum() < 40  # some are done before they begin, and have no row
    assert sorted(steps) == np.flatnonzero(begun).tolist()
    assert_equal(found, expected(run, None, []))


def test_nothing_is_left_of_replicates_that_never_begin():
    scenario = load_scenario("essay", {"steps": 3, "stop": {"alignment": -0.99}})
    found = record(SUMModel(scenario, 2), 1, ["harm"])
    assert {name: values.tolist() for name, values in found.items()} == {
        "replicate": [],
        "step": [],
        "harm": [],
    }


def test_a_variable_is_chosen_by_its_name_or_by_agent():
    model = SUMModel(load_scenario("many", {"steps": 1}))
    found = record(model, None, ["power.A", "alignment", "harm"])
    assert not {"power.B", "harm_to.A", "harm_amplitude"} & found.keys()
    assert {"replicate", "step", "harm"} < found.keys()
    ais = load_scenario("many").names("ai")
    assert {f"alignment.{ai}" for ai in ais} < found.keys()


@pytest.mark.parametrize("every", [None, 3])
def test_rows_are_sorted_by_replicate_then_step(every):
    scenario = load_scenario("essay", {"steps": 8, "stop": {"alignment": 0.5}})
    found = record(SUMModel(scenario.replace({"world.dimensions": 3}), range(5, 15)), every)
    rows = list(zip(found["replicate"].tolist(), found["step"].tolist(), strict=True))
    assert rows == sorted(set(rows))
