"""A power that ends in mid-run: the run stops before it, says so, and keeps all it had."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

import sumabm
from sumabm import runs
from sumabm.cli import app
from sumabm.model import SUMModel
from sumabm.predict import predict
from sumabm.recorder import end_values, record
from sumabm.summary import summarise
from sumabm.toml import ScenarioError

ENDING = {"kind": "recursive", "initial": 0.5, "rate": 0.25, "exponent": 2.0}  # at step 8
SAID = "the power of X has no finite value from step 8 on"
STEPS = 20


def spec(**changes):
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    defaults = {"steps": STEPS, "world.dimensions": 5, "agents.X.power": ENDING}
    return sumabm.load_scenario("essay", defaults | changes)


def test_the_run_stops_before_it_and_says_why():
    run = sumabm.simulate(spec(), 3)
    assert run.attrs["ended"] == SAID
    assert run.sizes["step"] == STEPS
    for name in run.data_vars:
        late = run[name].isel(step=slice(8, None))
        assert bool(late.isnull().all()), name
    early = run.isel(step=slice(8))
    assert bool(early["harm"].notnull().all())
    np.testing.assert_allclose(early["power"].sel(agent="X")[0], 4.0 / (8 - np.arange(8)))
    assert float(end_values(run)["power"].sel(agent="X")[0]) == pytest.approx(4.0)


def test_until_then_it_is_the_shorter_run():
    run, shorter = sumabm.simulate(spec(), 3), sumabm.simulate(spec(steps=8), 3)
    assert shorter.attrs["ended"] == ""
    for name in shorter.data_vars:
        np.testing.assert_array_equal(run[name].isel(step=slice(8)), shorter[name])


def test_the_model_says_so_only_when_it_gets_there():
    model = SUMModel(spec(), 2)
    for _ in range(8):
        assert model.running
        assert model.ended == ""
        model.step()
    assert not model.running
    assert model.ended == SAID
    assert model.row["harm"].tolist() == model.shown["harm"].tolist()


def test_who_is_done_before_has_not_been_ended():
    stopped = sumabm.simulate(spec(stop={"alignment": 0.2}, agents__X__power__rate=0.01), 1, seed=3)
    assert stopped.attrs["ended"] == ""
    assert bool(stopped["harm"].isnull().any())


def test_the_first_to_end_ends_it():
    power = ENDING | {"rate": 0.3}
    run = sumabm.simulate(spec(agents__Y__power=power), 2)
    assert run.attrs["ended"] == "the power of Y has no finite value from step 6.66667 on"
    assert int(run["harm"].notnull().sum("step")[0]) == 7


def test_edits_have_powers_that_end():
    method = {"kind": "bayesian", "edit_power": ENDING}
    run = sumabm.simulate(spec(agents__X__power=1.0, agents__W__method=method), 2)
    assert run.attrs["ended"] == "the edit power of W has no finite value from step 8 on"


@pytest.mark.parametrize("steps", [1, 7, 8])
def test_a_run_that_is_over_before_is_not_ended(steps):
    run = sumabm.simulate(spec(steps=steps), 1)
    assert run.attrs["ended"] == ""
    assert bool(run["harm"].notnull().all())


def test_a_power_that_has_ended_already_is_refused():
    power = ENDING | {"initial": 1e100}
    with pytest.raises(ScenarioError, match=r"agents\.X\.power: .*1e\+100 nats at step 0"):
        spec(agents__X__power=power)


def test_the_store_keeps_it(tmp_path):
    scenario = spec()
    stored = runs.run(scenario, range(2), 5, tmp_path, {})
    assert stored.manifest["ended"] == SAID
    assert sumabm.open_run(stored.path).identical(sumabm.simulate(scenario, 2, 5))
    manifest = json.loads((stored.path / "manifest.json").read_text(encoding="utf-8"))
    del manifest["ended"]  # as a run that was stored before powers could end
    (stored.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert sumabm.open_run(stored.path).attrs["ended"] == ""


def test_the_command_line_prints_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sumabm.figures.save_all", lambda data, curves, folder: [])
    arguments = ["run", "recursive-growth", "-r", "2", "--set", "world.dimensions=5"]
    printed = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert printed.exit_code == 0
    assert "stopped early: the power of X has no finite value from step 95.2381 on" in " ".join(
        printed.output.split()
    )
    printed = CliRunner().invoke(app, ["run", "essay", "-r", "2", "--out", str(tmp_path)])
    assert "stopped early" not in printed.output


@pytest.mark.parametrize("every", [None, 3])
def test_a_battery_keeps_each_replicates_last_row(every):
    scenario = spec(stop={"alignment": 0.6}, world__dimensions=20)
    run, kept = sumabm.simulate(scenario, 40, 1), record(SUMModel(scenario, 40, 1), every)
    last = run["harm"].notnull().sum("step").values - 1
    assert last.min() == -1  # done before it began
    assert sorted(set(last))[1:] == list(range(8))
    ends = np.array([kept["step"][kept["replicate"] == k].max(initial=-1) for k in range(40)])
    np.testing.assert_array_equal(ends, last)
    final = kept["step"] == ends[kept["replicate"]]
    harm = end_values(run)["harm"].values
    np.testing.assert_array_equal(kept["harm"][final], harm[last >= 0])


def test_theory_goes_as_far_as_the_run():
    scenario = spec(world__dimensions=50)
    run = sumabm.simulate(scenario, 200, 2)
    found = predict(run, scenario)
    assert {"alignment.X", "harm", "cumulative_harm"} <= set(found)
    for curve in found.values():
        assert curve.shape == (STEPS,)
        assert np.isfinite(curve[:8]).all()
        assert np.isnan(curve[8:]).all()
    lines = {line.quantity: line for line in summarise(run, found)}
    line = lines["cumulative_harm"]
    assert math.isfinite(line.theory)
    assert abs(line.mean - line.theory) < 4 * line.standard_error
