"""A sample of the fuzzing: measures/fuzz.py runs a hundred thousand cases of it."""

import json
import runpy
import signal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sumabm import ScenarioError, load_battery, load_scenario, open_battery, open_run, runs
from sumabm.battery.store import Store
from sumabm.data import read_array
from sumabm.files import RunError

FUZZING = runpy.run_path(str(Path(__file__).parent / "fuzzing.py"))

pytestmark = pytest.mark.no_cover


def sample(folder, *kinds, cases=300):
    FUZZING["fuzz"].__globals__["FUZZERS"] = kinds
    return FUZZING["fuzz"](folder, cases, seed=1)


def test_readers_succeed_or_refuse(tmp_path):
    kinds = [FUZZING[name] for name in ("Scenarios", "Overrides", "Batteries", "Manifests")]
    counts, wrong = sample(tmp_path, *kinds, FUZZING["DataFiles"])
    assert not wrong, wrong[0]
    assert {ended for _, ended in counts} == {"read", "refused"}
    assert len({reader for reader, _ in counts}) == 5


def test_readers_of_what_is_stored_succeed_or_refuse(tmp_path):
    counts, wrong = sample(tmp_path, FUZZING["Runs"], FUZZING["StoredBatteries"], cases=40)
    assert not wrong, wrong[0]
    assert {ended for _, ended in counts} == {"read", "refused"}


@pytest.mark.parametrize("error", [KeyError, AttributeError, RecursionError, OSError])
def test_another_error_is_told(tmp_path, error):
    class Broken(FUZZING["Fuzzer"]):
        def once(self, draw):
            raise error("no")

    counts, [told, *_] = sample(tmp_path, Broken, cases=2)
    assert counts == {("Broken", "broke"): 2}
    assert error.__name__ in told


def test_a_case_without_end_is_told(tmp_path):
    class Slow(FUZZING["Fuzzer"]):
        def once(self, draw):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            while True:
                pass

    counts, _ = sample(tmp_path, Slow, cases=1)
    assert counts == {("Slow", "hung"): 1}


# --- what it found -----------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [{"kind": "fixed", "direction": [1.0]}, {"kind": "subagents"}])
@pytest.mark.parametrize(
    "world",
    [
        {"kind": "grid", "steps": 301, "dimensions": 7},
        {"kind": "cloud", "points": 10**8, "dimensions": 10_000},
    ],
)
def test_states_beyond_number_are_refused_before_they_are_made(world, origin):
    with pytest.raises(ScenarioError, match="should be at most") as refused:
        load_scenario("essay", {"world": world, "agents.X.utility": origin})
    assert "agents.X.utility: this world" not in str(refused.value)


@pytest.mark.parametrize("header", [b"{'shape': (9", b"{'descr': '<f8', 'shape': (9" + b"9" * 30])
def test_an_array_whose_header_is_damaged_is_refused(tmp_path, header):
    file = tmp_path / "a.npy"
    np.save(file, np.zeros(3))
    file.write_bytes(file.read_bytes().replace(b"{'descr': '<f8', 'fort", header.ljust(22)[:22]))
    with pytest.raises(ValueError, match="cannot be read as an array"):
        read_array(str(file))


def test_a_stored_run_of_agents_beyond_number_is_refused(tmp_path):
    path = runs.run(load_scenario("essay", {"steps": 1}), range(1), 0, tmp_path, {}).path
    file = path / "manifest.json"
    table = json.loads(file.read_text())
    table["scenario"]["agents"]["X"]["count"] = 10**12
    file.write_text(json.dumps(table))
    with pytest.raises(RunError, match="agents"):
        open_run(path)


def test_a_stored_battery_that_lost_a_column_or_its_counts_is_refused(tmp_path):
    overrides = {"scenario.steps": 1, "replicates": 1, "chunk.replicates": 1}
    store = Store.create(load_battery("aligners", overrides), tmp_path, {})
    file = store.path / "plan.parquet"
    whole = file.read_bytes()
    pq.write_table(pq.read_table(file).drop_columns(["overrides"]), file)
    for reader in (open_battery, lambda path: list(Store.open(path).chunks())):
        with pytest.raises(RunError, match=r"overrides|plan"):
            reader(store.path)
    file.write_bytes(whole)
    (store.path / "battery.json").write_text(json.dumps({**store.manifest, "chunks": "x"}))
    with pytest.raises(RunError, match="count"):
        Store.open(store.path)
