"""Results as labelled arrays: every number where it belongs, what is missing said to be."""

import json
import shutil
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

from sumabm import open_battery, simulate
from sumabm.analysis import columns, compare
from sumabm.analysis.outcomes import point_outcomes
from sumabm.battery.export import export
from sumabm.battery.results import opened
from sumabm.battery.store import Store
from sumabm.files import RunError
from sumabm.recorder import VARIABLES

POWER, METHOD = "agents.X.power", "agents.W.method"


@pytest.fixture(scope="module")
def kept(tiny, stored, tmp_path_factory):
    """All steps of the tiny battery, replicates that stop early among them."""
    b = tiny({"stop": {"alignment": 0.5}}, keep={"steps": "all"}, paired=False)
    return stored(b, tmp_path_factory.mktemp("kept"))


def run_of(store, point):
    table = store.table("plan")
    spec = store.battery.scenario.replace(json.loads(table["overrides"][point]))
    return simulate(spec, store.battery.replicates, int(table["seed"][point]))


def test_trajectories_are_those_of_simulate(kept):
    data = open_battery(kept.path, trajectories=True)
    sizes = {"point": 4, "replicate": 5, "step": 4, "agent": 3, "coordinate": 2}
    assert dict(data.sizes) == sizes
    for point in range(4):
        run = run_of(kept, point)
        assert set(run.data_vars) == set(data.data_vars) - {"unit"}
        for name in run.data_vars:
            one = data[name].sel(point=point)
            assert one.dims == run[name].dims
            assert one.attrs == run[name].attrs
            np.testing.assert_array_equal(one.values, run[name].values)
    assert np.isnan(data.harm.values).any()


def test_ends_are_each_replicates_own(kept):
    data = open_battery(kept)
    assert "step" not in data.dims
    some_stopped = False
    for point in range(4):
        run = run_of(kept, point)
        there = ~np.isnan(run["harm"].values)
        last = np.where(there.any(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1), -1)
        assert data.last_step.sel(point=point).values.tolist() == last.tolist()
        some_stopped |= bool((last < 3).any())
        for name in run.data_vars:
            ends = run[name].values[np.arange(5), last]
            ends[last < 0] = np.nan
            np.testing.assert_array_equal(data[name].sel(point=point).values, ends)
    assert some_stopped


def test_labels(kept, tiny):
    data = open_battery(kept)
    assert data[POWER].values.tolist() == [2.0, 2.0, 4.0, 4.0]
    assert data[METHOD].values.tolist() == ["budget", "bayesian"] * 2
    assert data[POWER].attrs == {"role": "uncertainty"}
    assert data[METHOD].attrs == {"role": "lever"}
    assert data.complete.values.tolist() == [True] * 4
    assert data.agent.values.tolist() == ["X", "Y", "W"]
    assert data.role.values.tolist() == ["ai", "human", "aligner"]
    assert data.seed.values.tolist() == kept.table("plan")["seed"].tolist()
    assert data.coordinate.values.tolist() == [POWER, METHOD]
    assert data.unit.sel(coordinate=POWER).values.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert data.unit.sel(coordinate=METHOD).values.tolist() == [0.25, 0.75] * 2
    assert data.attrs["identity"] == kept.battery.identity()
    assert data.attrs["seed"] == "0"
    assert json.loads(data.attrs["battery"]) == json.loads(json.dumps(kept.battery.model_dump()))
    assert list(data.coords) == list(open_battery(kept.path).coords)
    for name, variable in VARIABLES.items():
        if name in data:
            assert data[name].attrs == {"units": variable.unit, "long_name": variable.about}


def test_only_some_outcomes(kept):
    data = open_battery(kept, ["harm", "alignment"])
    assert set(data.data_vars) == {"harm", "alignment", "last_step", "unit"}
    whole = open_battery(kept)
    assert data.harm.equals(whole.harm)
    assert data.alignment.equals(whole.alignment)
    of_one = open_battery(kept, ["alignment.X"])
    assert of_one.alignment.equals(whole.alignment)


def test_every_so_many_steps(tiny, stored, tmp_path):
    store = stored(tiny({"steps": 6}, keep={"steps": 4}, levers={}), tmp_path)
    data = open_battery(store, trajectories=True)
    assert data.step.values.tolist() == [0, 4]
    run = run_of(store, 1)
    np.testing.assert_array_equal(data.harm.sel(point=1).values, run["harm"].values[:, [0, 4]])
    ends = open_battery(store)
    assert (ends.last_step == 5).all()
    np.testing.assert_array_equal(ends.harm.sel(point=1).values, run["harm"].values[:, -1])


def test_points_of_different_lengths(tiny, stored, tmp_path):
    b = tiny(uncertainties={"steps": [2, 6]}, levers={}, keep={"steps": 2})
    data = open_battery(stored(b, tmp_path), trajectories=True)
    assert data.step.values.tolist() == [0, 2, 4]
    assert np.isnan(data.harm.values[0]).any(axis=0).tolist() == [False, True, True]
    assert not np.isnan(data.harm.values[1]).any()


def test_what_is_not_done_is_missing(tiny, stored, tmp_path):
    store = stored(tiny(), tmp_path, slice(4))
    data = open_battery(store)
    assert data.complete.values.tolist() == [True, False, False, False]
    assert np.isnan(data.harm.values).sum(axis=1).tolist() == [0, 3, 5, 5]
    assert (data.last_step.values[2:] == -1).all()
    empty = open_battery(Store.create(tiny(seed=1), tmp_path, {}))
    assert set(empty.data_vars) == {"last_step", "unit"}
    assert not empty.complete.any()


def test_points_that_record_other_things(tiny, stored, tmp_path):
    levers = {METHOD: ["budget", "none"], "agents.W.oversees": [["X"], []]}
    data = open_battery(stored(tiny(levers=levers), tmp_path))
    assert data["agents.W.oversees"].values.tolist() == ['["X"]', "[]"] * 4
    believed = data.alignment.sel(agent="X")
    assert not np.isnan(believed.values).any()


def test_a_parameter_named_as_an_outcome_is_kept_apart(tiny, stored, tmp_path):
    b = tiny(uncertainties={}, levers={"harm": ["regret"]})
    data = open_battery(stored(b, tmp_path))
    assert data["scenario.harm"].values.tolist() == ["regret"]
    assert data["scenario.harm"].attrs == {"role": "lever"}
    assert data["harm"].dims == ("point", "replicate")


def test_a_simplex(stored, tiny, tmp_path):
    b = tiny(
        {"world": {"kind": "states", "probabilities": [0.2, 0.3, 0.5], "utilities": "free"}},
        uncertainties={},
        levers={"world.probabilities": {"kind": "simplex", "size": 3, "levels": 4}},
        design={"kind": "random", "points": 2},
        replicates=1,
    )
    data = open_battery(stored(b, tmp_path))
    entries = [data[f"world.probabilities[{i}]"] for i in range(3)]
    np.testing.assert_allclose(sum(entries).values, 1.0)
    assert all(entry.attrs == {"role": "lever"} for entry in entries)


def test_there_are_no_trajectories_of_ends(tiny, stored, tmp_path):
    store = stored(tiny(), tmp_path, slice(1))
    with pytest.raises(RunError, match=r"kept only the end of every run: keep\.steps says so"):
        open_battery(store, trajectories=True)


@pytest.mark.parametrize("damage", ["cut", "empty", "columns", "replicates", "name"])
def test_a_damaged_chunk_is_told(kept, tmp_path, damage):
    shutil.copytree(kept.path.parent, tmp_path, dirs_exist_ok=True)
    store = Store.open(tmp_path / kept.path.name)
    first, second = (store.file(chunk.identity) for chunk in islice(store.chunks(), 2))
    facts = pq.read_schema(first).metadata
    if damage == "name":
        shutil.copy(second, first)
    elif damage == "columns":
        pq.write_table(pa.table({"harm": [1.0]}).replace_schema_metadata(facts), first)
    elif damage == "replicates":
        table = pa.table({"replicate": [99], "step": [0], "harm": [1.0]})
        pq.write_table(table.replace_schema_metadata(facts), first)
    else:
        first.write_bytes(first.read_bytes()[: 100 if damage == "cut" else 0])
    with pytest.raises(RunError) as caught:
        open_battery(store)
    assert str(caught.value).startswith(f"{first}: cannot be read: ")


def test_what_is_open_already_or_a_folder(kept):
    data = open_battery(kept.path)
    assert opened(data) is data
    assert opened(kept.path).identical(data)


# --- variables with a dimension of their own -----------------------------------------------------


@pytest.fixture(scope="module")
def networks(tiny, stored, tmp_path_factory):
    """Points with one, three and four generations of subagents, of which alone they keep all."""
    utility = {"kind": "subagents", "graph": "series", "subagents": 3}
    b = tiny(
        {"agents.X.utility": utility},
        keep={"steps": "all", "outcomes": ["generation_alignment", "harm"]},
        uncertainties={"agents.X.utility.subagents": {"kind": "choice", "values": [1, 3, 4]}},
        levers={},
    )
    return stored(b, tmp_path_factory.mktemp("networks"))


def test_generations_come_back_from_a_battery(networks):
    data = open_battery(networks.path, trajectories=True)
    name, dims = "generation_alignment", ("point", "replicate", "step", "agent", "generation")
    assert data[name].dims == dims
    assert set(data.data_vars) == {name, "harm", "unit"}
    assert data["agent"].values.tolist() == ["X", "Y", "W"]
    assert data["generation"].values.tolist() == [0, 1, 2, 3]
    depths = []
    for point in data["point"].values:
        run, one = run_of(networks, point), data[name].sel(point=point)
        depths.append(run.sizes["generation"])
        np.testing.assert_array_equal(one[..., : depths[-1]].values, run[name].values)
        assert np.isnan(one[..., depths[-1] :]).all()
    assert sorted(depths) == [1, 3, 4]
    ends = open_battery(networks.path, [f"{name}.X"])
    np.testing.assert_array_equal(ends[name], data[name].isel(step=-1))
    assert set(ends.data_vars) == {name, "last_step", "unit"}


def test_columns_of_generations_are_outcomes(networks):
    data = open_battery(networks.path)
    values = data["generation_alignment"].sel(agent="X")
    names = [f"generation_alignment.X.{place}" for place in range(4)]
    assert set(columns(data)) == {*names, "harm"}
    first = point_outcomes(data, "generation_alignment.X.0")
    np.testing.assert_array_equal(first, values.isel(generation=0))
    with pytest.raises(ValueError, match=r"should be one of generation_alignment\.X\.0, "):
        point_outcomes(data, "generation_alignment.X")
    with pytest.raises(ValueError, match=r"'generation_alignment\.X\.3' is missing at 2 of 3"):
        point_outcomes(data, "generation_alignment.X.3")
    with pytest.raises(ValueError, match=r"no 'generation_alignment\.X\.4'; places of .*: 0, 1, 2"):
        columns(data, ["generation_alignment.X.4"])
    paired = compare(data, data, ["generation_alignment"])
    assert paired["outcome"].values.tolist() == names
    assert (paired["difference"].sel(outcome=names[0]) == 0.0).all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".nc"])
def test_generations_are_exported(networks, tmp_path, suffix):
    file, data = tmp_path / f"all{suffix}", open_battery(networks.path, trajectories=True)
    export(networks, file)
    if suffix == ".nc":
        with xr.open_dataset(file, group="trajectories", engine="h5netcdf") as again:
            xr.testing.assert_equal(again["generation_alignment"], data["generation_alignment"])
        return
    table = pd.read_csv(file) if suffix == ".csv" else pd.read_parquet(file)
    rows = table[(table["step"] == 3) & (table["replicate"] == 2)].sort_values("point")
    wanted = data["generation_alignment"].sel(agent="X", step=3, replicate=2)
    for place in range(4):
        seen = rows[f"generation_alignment.X.{place}"].to_numpy(dtype=float)
        np.testing.assert_array_equal(seen, wanted.isel(generation=place))
