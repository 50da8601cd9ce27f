"""Labelled arrays: what is recorded, where it is missing, what it says of itself."""

import json

import numpy as np
import xarray as xr

import sumabm
from sumabm.columns import chosen, labelled, parts
from sumabm.model import SUMModel
from sumabm.origins.subagents import MAX_GENERATIONS
from sumabm.recorder import VARIABLES, columns_of, simulate

# in worlds that have states, of AIs that say what they foresee, of AIs that bide their time, of AIs
# whose origin says what it knows
ELSEWHERE = {"joined", "lost", "foreseen", "turned", "learnt", "generation_alignment"}


def test_every_variable_is_documented_and_present():
    run = simulate("many", 2, steps=3)
    assert set(run.data_vars) == set(VARIABLES) - ELSEWHERE
    for name, variable in VARIABLES.items():
        if name in ELSEWHERE:
            continue
        assert run[name].attrs == {"units": variable.unit, "long_name": variable.about}
        assert run[name].dims[:2] == ("replicate", "step")


def test_an_ai_that_bides_its_time_is_recorded_to_turn():
    assert simulate("treacherous-turn", 2)["turned"].sel(agent="X").values.argmax(
        axis=1
    ).tolist() == [*(50, 50)]
    sandbox = simulate("sandbox", 1)["turned"].sel(agent="X")
    assert sandbox.values.sum() == 100  # of 300 steps, released at step 200
    inner = {"kind": "treacherous", "release": 3}
    held = {"kind": "sandboxed", "fraction": 0.5, "release": 5, "inner": inner}
    method = {"agents.W.method": "none", "steps": 8, "agents.X.behaviour": held}
    assert simulate("essay", 1, overrides=method)["turned"].sel(agent="X").values.sum() == 3
    later = {**held, "release": None}
    run = simulate("essay", 1, overrides={**method, "agents.X.behaviour": later})
    assert run["turned"].sel(agent="X").values.sum() == 5


def test_variables_are_missing_where_they_do_not_apply():
    run = simulate("many", 2, steps=3)
    roles = {
        "alignment": {"ai"},
        "information": {"ai"},
        "budget": {"aligner"},
        "power": {"ai", "human"},
        "spent": {"ai", "human", "aligner"},
        "harm_to": {"human"},
        "utility": {"ai", "human"},
    }
    for name, expected in roles.items():
        there = ~np.isnan(run[name].values).any(axis=(0, 1))
        assert set(run["role"].values[there]) == expected, name


def test_rows_hold_what_was_when_the_agent_acted():
    model = SUMModel("essay", 3)
    first = np.vecdot(model.ais["X"].subject.aim, model.goal)
    run = simulate("essay", 3, steps=4)
    np.testing.assert_array_equal(run["alignment"].sel(agent="X", step=0), first)
    np.testing.assert_array_equal(run["budget"].sel(agent="W"), np.tile(np.arange(4.0), (3, 1)))
    amplitude = run["harm_amplitude"].values
    np.testing.assert_allclose(run["harm"].values, amplitude**2)
    np.testing.assert_allclose(run["cumulative_harm"].values, np.cumsum(amplitude**2, axis=1))


def test_a_run_says_what_it_is():
    run = simulate("essay", range(4, 6), seed=9, steps=2, overrides={"agents.X.power": 3})
    table = json.loads(run.attrs["scenario"])
    assert table["agents"]["X"]["power"] == {"kind": "constant", "value": 3.0}
    assert table["steps"] == 2
    assert run.attrs["seed"] == "9"
    assert len(run.attrs["identity"]) == 64
    assert run["replicate"].values.tolist() == [4, 5]


def test_progress_is_told_of_every_step():
    told = []
    simulate("essay", 1, steps=3, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_columns_leave_out_whom_a_variable_does_not_concern():
    run = simulate("essay", 2, steps=2)
    assert list(columns_of(run, "power")) == ["power.X", "power.Y"]
    assert list(columns_of(run, "harm")) == ["harm"]
    assert columns_of(run, "harm")["harm"].shape == (2, 2)


def test_no_seed_draws_one():
    assert simulate("essay", seed=None, steps=1).attrs["seed"] != "0"


def test_a_run_that_is_done_at_once_is_all_missing():
    run = sumabm.simulate("essay", 2, steps=3, overrides={"stop": {"alignment": -0.99}})
    assert set(run.data_vars) == set(VARIABLES) - ELSEWHERE - {"harm_by"}  # of a single AI
    assert all(np.isnan(run[name].values).all() for name in run.data_vars)


# --- what origins know ---------------------------------------------------------------------------

NETWORK = {"kind": "subagents", "edges": [["a", "b"], ["b", "c"], ["a", "c"], ["c", "d"]]}
TWO = {
    "agents.X.utility": {"kind": "subagents", "graph": "layered", "subagents": 5, "width": 3},
    "agents.V": {"role": "ai", "power": 1.0, "utility": NETWORK},
    "agents.U": {"role": "ai", "power": 1.0},
}


def test_generations_have_a_dimension_of_their_own():
    run = simulate("subagents", 3, steps=2, overrides=TWO)
    values = run["generation_alignment"]
    assert values.dims == ("replicate", "step", "agent", "generation")
    assert run["generation"].values.tolist() == [0, 1, 2, 3]
    for ai, depth in (("X", 2), ("V", 4), ("U", 0), ("Y", 0)):
        there = ~np.isnan(values.sel(agent=ai).values)
        assert there[..., :depth].all()
        assert not there[..., depth:].any(), ai


def test_columns_and_labelled_arrays_are_inverse():
    run = simulate("subagents", 3, steps=2, overrides=TWO)
    columns = columns_of(run, "generation_alignment")
    assert list(columns)[:2] == ["generation_alignment.X.0", "generation_alignment.X.1"]
    agents = run["agent"].values.tolist()
    again = xr.Dataset(labelled(VARIABLES, columns, ("replicate", "step"), agents))
    assert again["generation_alignment"].attrs == run["generation_alignment"].attrs
    np.testing.assert_array_equal(again["generation_alignment"], run["generation_alignment"])
    np.testing.assert_array_equal(again["generation"], run["generation"])


def test_rows_hold_what_origins_knew_when_they_acted():
    model = SUMModel("subagents", 4, **TWO)
    first = model.ais["V"].spec.utility.generations(model.ais["V"]._learnt, model.goal)
    run = simulate("subagents", 4, steps=2, overrides=TWO)
    seen = run["generation_alignment"].sel(agent="V", step=0).values
    np.testing.assert_array_equal(seen, first)
    # of the last generation there is one subagent, and it is the AI's aim
    np.testing.assert_allclose(seen[:, -1], run["alignment"].sel(agent="V", step=0), rtol=1e-12)


def test_a_deep_network_is_recorded_without_its_generations():
    for depth, there in ((MAX_GENERATIONS, True), (MAX_GENERATIONS + 1, False)):
        utility = {"kind": "subagents", "graph": "series", "subagents": depth}
        row = SUMModel("subagents", 1, **{"agents.X.utility": utility}).shown
        assert (f"generation_alignment.X.{MAX_GENERATIONS - 1}" in row) == there
        assert ("generation_alignment.X.0" in row) == there


def test_what_is_chosen_of_columns():
    columns = ["harm", "alignment.X", "generation_alignment.X.0", "generation_alignment.X2.0"]
    of = {
        "generation_alignment": columns[2:],
        "generation_alignment.X": columns[2:3],
        "generation_alignment.X.0": columns[2:3],
        "generation": [],
        "alignment": columns[1:2],
    }
    for outcome, expected in of.items():
        assert [name for name in columns if chosen(name, [outcome])] == expected, outcome
    assert [parts(name) for name in columns[:3]] == [
        ("harm", "", ""),
        ("alignment", "X", ""),
        ("generation_alignment", "X", "0"),
    ]
