"""Long runs go through a file: the same data, whatever the pieces, and memory that stays flat."""

import gc
import subprocess
import sys
import tracemalloc

import numpy as np
import pyarrow.parquet as pq
import pytest

from sumabm import load_scenario, open_run, rows, runs, simulate
from sumabm.figures import alignment, harm, information, plane, power
from sumabm.files import RunError
from sumabm.model import SUMModel
from sumabm.predict import predict
from sumabm.recorder import end_values, record
from sumabm.rows import Held, Streamed

STEPS, REPLICATES, SEED = 23, range(2, 9), 7
STOPPING = {"stop.alignment": 0.3, "world.dimensions": 4}
TWO = {"world.dimensions": 4, "agents.V": {"role": "ai", "power": 1.0}}


@pytest.fixture
def small(monkeypatch):
    """Every run is too long to be held."""

    def shrink(block, whole=0):
        monkeypatch.setattr(rows, "BLOCK", block)
        monkeypatch.setattr(runs, "WHOLE", whole)

    return shrink


def given(steps, replicates, names=("harm", "b", "c"), ran=None):
    """Rows of random numbers; of replicate k none after step 3k, nor of any after ``ran``."""
    rng = np.random.default_rng(1)
    table = {name: rng.standard_normal((steps, replicates)) for name in names}
    last = np.minimum(3 * np.arange(replicates), (ran or steps) - 1)
    for values in table.values():
        values[np.arange(steps)[:, None] > last] = np.nan
    return table, last


@pytest.mark.parametrize("block", [1, 100, 300, 1000, 10**6])
@pytest.mark.parametrize(("steps", "replicates", "ran"), [(23, 7, 23), (50, 1, 33), (1, 40, 1)])
def test_what_is_put_by_step_is_read_by_replicate(tmp_path, small, block, steps, replicates, ran):
    small(block)
    table, last = given(steps, replicates, ran=ran)
    kept = Streamed(table, steps, replicates, tmp_path)
    assert list(tmp_path.iterdir()) == []  # the file has no name
    for step in range(ran):
        kept.put(step, {name: values[step] for name, values in table.items()})
    found = {name: np.full((steps, replicates), -9.0) for name in table}
    order = []
    for piece in kept.pieces():
        where = np.ix_(piece.steps, piece.replicates)
        order += [(k, t) for k in piece.replicates for t in piece.steps]
        for name, values in piece.columns.items():
            assert 8 * len(table) * values.size <= max(block, 8 * len(table))
            found[name][where] = values
    assert order == [(k, t) for k in range(replicates) for t in range(steps)]
    for name, values in table.items():
        np.testing.assert_array_equal(found[name], values)
        np.testing.assert_array_equal(kept.last.row[name], values[last, np.arange(replicates)])
    assert kept.last.step.tolist() == last.tolist()
    kept.close()


def test_a_sample_has_the_last_rows_of_its_replicates(tmp_path, small, monkeypatch):
    small(1000)
    monkeypatch.setattr(rows, "WHOLE", 16 * 3 * 25)  # five by five
    table, last = given(60, 9, ran=50)
    kept = Streamed(table, 60, 9, tmp_path)
    for step in range(50):
        kept.put(step, {name: values[step] for name, values in table.items()})
    steps, found = kept.sample()
    assert steps.tolist() == sorted({*range(0, 60, 12), 59, *last[:5].tolist()})
    for name, values in table.items():
        np.testing.assert_array_equal(found[name], values[np.ix_(steps, range(5))])
    kept.close()


@pytest.mark.parametrize(
    ("name", "overrides", "block"),
    [
        ("essay", {}, 1),
        ("essay", {}, 2000),
        ("essay", STOPPING, 2000),
        ("subagents", TWO, 1),
        ("subagents", TWO, 10**5),
        ("cup-grasp", {}, 2000),
    ],
)
def test_a_streamed_run_is_the_run_that_is_held(tmp_path, small, name, overrides, block):
    scenario, seen = load_scenario(name, {"steps": STEPS, **overrides}), []

    def extras(data, ends, folder):
        seen.append((data, ends))
        return {}

    held = runs.run(scenario, REPLICATES, SEED, tmp_path / "held", {}, extras)
    small(block)
    streamed = runs.run(scenario, REPLICATES, SEED, tmp_path / "streamed", {}, extras)
    simulated = simulate(scenario, REPLICATES, SEED)
    assert open_run(streamed.path).identical(simulated)
    one, other = (pq.ParquetFile(run.path / "data.parquet") for run in (held, streamed))
    assert one.schema.equals(other.schema)
    assert one.read().to_pandas().equals(other.read().to_pandas())
    assert (one.num_row_groups, other.num_row_groups > 1) == (1, block < 10**5)
    assert set(streamed.manifest) == set(held.manifest)
    assert streamed.path.name == held.path.name
    for data, ends in seen:
        assert ends.identical(end_values(simulated))
        assert data.identical(simulated)  # a sample of a short run has all of it


def test_figures_of_some_steps_say_which(tmp_path, small, monkeypatch):
    small(1000)
    monkeypatch.setattr(rows, "_MOST_SHOWN", 10)
    scenario = load_scenario("essay", {"steps": 100})

    def extras(data, ends, folder):
        steps = [*range(0, 100, 10), 99]
        assert data["step"].values.tolist() == steps
        assert predict(data, scenario) == {}
        for module in (alignment, harm, information, power):
            for axes in module.draw(data, {}).axes:
                assert axes.lines[0].get_xdata().tolist() == steps
        assert plane.draw(data, {}).axes[-1].get_title() == "step 99"
        return {"drawn": True}

    stored = runs.run(scenario, range(3), SEED, tmp_path, {}, extras)
    assert stored.manifest["drawn"]
    assert open_run(stored.path).sizes["step"] == 100
    assert predict(simulate(scenario, 2), scenario) != {}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_stream_leaves_nothing(tmp_path, small, error):
    small(1000)

    def report(done, total):
        if done == 20:
            raise error

    with pytest.raises(error):
        runs.run(load_scenario("essay", {"steps": 30}), range(3), 1, tmp_path, {}, None, report)
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
from pathlib import Path
from sumabm import load_scenario, rows, runs
from sumabm.files import RunError

rows.BLOCK = runs.WHOLE = 2**16
resource.setrlimit(resource.RLIMIT_FSIZE, (2**17, 2**17))
try:
    runs.run(load_scenario("unopposed", {"steps": 400}), range(9), 7, Path(sys.argv[1]), {})
except RunError as error:
    print(error)
"""


def test_a_full_disk_stops_it_and_leaves_nothing(tmp_path):
    """A file that may not grow is a disk that is full; Python turns the signal into the error."""
    code = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(code, capture_output=True, text=True, timeout=60)
    assert f"{tmp_path}: cannot be written: " in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_stream_in(tmp_path):
    with pytest.raises(RunError, match="cannot be written"):
        Streamed(["harm"], 10, 2, tmp_path / "none")


def test_the_data_collector_is_for_those_who_drive_a_model_themselves():
    """A battery's worker, `simulate` and the run store read none of it: see `SUMModel`."""

    def kept(model):
        return {len(values) for values in model.datacollector.model_vars.values()}

    model = SUMModel("essay", 2, steps=3)
    model.run_model()
    assert kept(model) == {4}
    model = SUMModel("essay", 2, steps=3)
    record(model)
    assert kept(model) == {1}  # what there was before the first step


def grown(model, put=lambda step, row: None, steps=(100, 600)):
    """Return by how many bytes memory grows between two steps of a model."""
    seen = []
    tracemalloc.start()
    try:
        while model.steps < steps[1]:
            model.step()
            put(model.steps - 1, model.row)
            if model.steps in steps:
                gc.collect()
                seen.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return seen[1] - seen[0]


def test_memory_is_flat_along_a_stream(tmp_path, small):
    """Five hundred rows are 170 kB, and the means of as many steps, which are a control, more."""
    small(2**14)

    def model(collect):
        model = SUMModel("unopposed", 3, steps=2000, **{"world.dimensions": 3})
        model.collects = collect
        return model

    bare = model(False)
    bare.step()
    kept = Streamed(bare.row, 2000, 3, tmp_path)
    assert grown(model(False), kept.put) < 20_000
    held = Held(bare.row, 2000, 3)
    assert sum(values[:500].nbytes for values in held.columns.values()) > 150_000
    assert grown(model(True)) > 100_000
    kept.close()
