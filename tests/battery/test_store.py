"""The store: one plan whoever comes at once, chunks that batteries share, whole or not there."""

import json
import shutil
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest

from sumabm import load_scenario, simulate
from sumabm.battery import store as storing
from sumabm.battery import work as working
from sumabm.battery.plan import plan
from sumabm.battery.store import FACTS, Store
from sumabm.battery.work import digest, work
from sumabm.files import RunError
from sumabm.recorder import columns_of

POWER = "agents.X.power"


def pool(store):
    return {file.stem for file in store.pool.glob("??/*.parquet")}


def names(store):
    return {chunk.identity for chunk in store.chunks()}


# --- a battery's folder ------------------------------------------------------------------------


def test_what_lies_in_the_folder(tiny, tmp_path):
    b = tiny()
    store = Store.create(b, tmp_path / "a" / "b", {"set": ["x=1"]})
    assert store.path == tmp_path / "a" / "b" / f"tiny-{b.identity()[:8]}"
    assert {file.name for file in store.path.iterdir()} == {
        "battery.json",
        "points.parquet",
        "unit.parquet",
        "plan.parquet",
        "chunks.parquet",
    }
    manifest = json.loads((store.path / "battery.json").read_text(encoding="utf-8"))
    assert (manifest["points"], manifest["chunks"], manifest["chunk_replicates"]) == (4, 12, 2)
    assert manifest["identity"] == b.identity()
    assert manifest["given"] == {"set": ["x=1"]}
    assert manifest["versions"]["sumabm"]
    assert manifest["cites"]
    assert store.battery == b
    made = plan(b)
    names = made.chunks["identity"].astype(str).tolist()
    assert [chunk.identity for chunk in store.chunks()] == names
    assert store.table("points")["agents.W.method"].tolist() == ["budget", "bayesian"] * 2
    assert store.done() == set()
    assert store.failures() == {}


def test_it_is_planned_once(tiny, tmp_path, monkeypatch):
    first = Store.create(tiny(), tmp_path, {})
    monkeypatch.setattr(storing, "plan", None)
    again = Store.create(tiny(description="in other words"), tmp_path, {})
    assert again == first


def test_seeds_beyond_64_bits_come_back(tiny, tmp_path):
    store = Store.create(tiny(seed=10**30), tmp_path, {})
    assert {chunk.seed for chunk in store.chunks()} == {10**30}


def test_a_battery_of_no_parameters_is_its_scenario(tiny, tmp_path, stored):
    store = stored(tiny(uncertainties={}, levers={}), tmp_path)
    assert len(pool(store)) == 3


def test_who_comes_at_once_takes_one_plan(tiny, tmp_path, monkeypatch):
    together, planned = threading.Barrier(4), []

    def slow_plan(battery, progress):
        made = plan(battery, progress)
        planned.append(made)
        together.wait()  # nobody has written before all have planned
        return made

    monkeypatch.setattr(storing, "plan", slow_plan)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(Store.create(tiny(), tmp_path, {})))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(planned) == len(found) == 4
    assert len({str(store.manifest) for store in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [found[0].path.name]


def test_another_battery_of_the_same_name_is_refused(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    shutil.move(store.path, tmp_path / f"tiny-{tiny(seed=1).identity()[:8]}")
    with pytest.raises(RunError, match=r"holds another battery; move it or choose another --out"):
        Store.create(tiny(seed=1), tmp_path, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is not a battery: battery.json: "),
        ("{", "is not a battery: battery.json: "),
        ("[" * 100_000, "is not a battery: battery.json: "),
        ("[]", "is not of format 1"),
        ('{"format": 2}', "is not of format 1"),
        ('{"format": 1, "identity": "x"}', "has no code, battery, points, chunks"),
    ],
)
def test_what_is_no_battery_is_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "battery.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError) as caught:
        Store.open(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_battery_that_this_version_cannot_read(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    file = store.path / "battery.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    table["battery"]["design"] = {"kind": "of the future"}
    file.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(RunError, match=r"battery.json: cannot be read: .*"):
        _ = Store.open(store.path).battery


def test_a_damaged_table_is_told(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    (store.path / "plan.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match=r"plan\.parquet: cannot be read: "):
        list(store.chunks())


@pytest.mark.parametrize("at_fault", ["write_json", "write_parquet"])
def test_a_plan_that_cannot_be_written_leaves_nothing(tiny, tmp_path, monkeypatch, at_fault):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing, at_fault, full)
    with pytest.raises(RunError, match=r"cannot be written: .*No space left"):
        Store.create(tiny(), tmp_path, {})
    assert list(tmp_path.iterdir()) == []


# --- chunks ------------------------------------------------------------------------------------


def columns_of_run(run):
    return {
        column: values for name in run.data_vars for column, values in columns_of(run, name).items()
    }


@pytest.mark.parametrize("steps", ["end", "all", 3])
@pytest.mark.parametrize("stop", [None, {"alignment": 0.5}])
@pytest.mark.parametrize("paired", [True, False])
def test_a_chunk_has_the_numbers_of_simulate_bit_for_bit(
    tiny, stored, tmp_path, steps, stop, paired
):
    b = tiny({"steps": 5, "stop": stop}, keep={"steps": steps}, paired=paired)
    store = stored(b, tmp_path, slice(None, None, 4))
    every = {"end": 10**9, "all": 1, 3: 3}[steps]
    for chunk in list(store.chunks())[::4]:
        table = pq.read_table(store.file(chunk.identity))
        spec = b.scenario.replace(json.loads(chunk.overrides))
        run = simulate(spec, range(chunk.first, chunk.stop), chunk.seed)
        there = ~np.isnan(run["harm"].values)
        rows = []
        for i in range(len(there)):
            last = there[i].nonzero()[0][-1:]
            rows += [(i, t) for t in np.flatnonzero(there[i]) if t in last]
            if steps != "end":
                rows += [(i, t) for t in np.flatnonzero(there[i]) if t % every == 0]
        rows = sorted(set(rows))
        who, when = np.array(rows, dtype=int).reshape(-1, 2).T
        wanted = {"replicate": who + chunk.first, "step": when}
        wanted |= {name: values[who, when] for name, values in columns_of_run(run).items()}
        assert set(table.column_names) == wanted.keys()
        for name, values in wanted.items():
            assert table[name].to_numpy().tobytes() == values.tobytes(), name


def test_the_size_of_chunks_changes_no_number(tiny, stored, tmp_path):
    sizes = {1, 2, 5}
    found = {}
    for size in sizes:
        store = stored(tiny(chunk={"replicates": size}), tmp_path / str(size))
        tables = [pq.read_table(store.file(chunk.identity)) for chunk in store.chunks()]
        found[size] = {
            name: np.concatenate([table[name].to_numpy() for table in tables]).tobytes()
            for name in tables[0].column_names
        }
    assert all(found[size] == found[1] for size in sizes)


def test_what_a_chunk_says_of_itself(tiny, stored, tmp_path):
    store = stored(tiny(keep={"outcomes": ["harm"]}), tmp_path, slice(1))
    [chunk] = list(store.chunks())[:1]
    table = pq.read_table(store.file(chunk.identity))
    facts = json.loads(table.schema.metadata[FACTS.encode()])
    assert facts["identity"] == chunk.identity
    assert facts["replicates"] == [0, 2]
    assert facts["outcomes"] == ["harm"]
    spec = tiny().scenario.replace(json.loads(chunk.overrides))
    assert facts["scenario"] == spec.identity()
    columns = {name: table[name].to_numpy() for name in table.column_names}
    assert facts.pop("digest") == digest(facts, columns)
    assert set(columns) == {"replicate", "step", "harm"}


def test_the_same_chunk_is_the_same_file(tiny, stored, tmp_path):
    first, second = (stored(tiny(), tmp_path / name, slice(3)) for name in "ab")
    for identity in pool(first):
        assert first.file(identity).read_bytes() == second.file(identity).read_bytes()


def test_overlapping_batteries_share_chunks(tiny, stored, tmp_path):
    first = stored(tiny(), tmp_path)
    assert len(pool(first)) == 12
    longer = stored(tiny(replicates=8, battery="longer"), tmp_path)
    assert len(pool(first)) == 12 + 4 * 2  # 4:6 and 6:8 of four points
    levers = {"agents.W.method": ["bayesian"]}
    part = stored(tiny(battery="part", levers=levers, description="?"), tmp_path)
    assert len(pool(first)) == 20
    assert names(part) < names(first) < pool(first)
    assert names(longer) < pool(first)


def test_what_is_done_is_not_done_again(tiny, stored, tmp_path, monkeypatch):
    store = stored(tiny(), tmp_path)
    computed = []
    compute = working.compute

    def counted(scenario, chunk, keep):
        computed.append(chunk.identity)
        return compute(scenario, chunk, keep)

    monkeypatch.setattr(working, "compute", counted)
    deleted = sorted(pool(store))[::3]
    before = {name: store.file(name).read_bytes() for name in pool(store)}
    for name in deleted:
        store.file(name).unlink()
    stored(tiny(), tmp_path)
    assert sorted(computed) == deleted
    assert {name: store.file(name).read_bytes() for name in pool(store)} == before


def test_a_worker_reports(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    store.ready()
    last = list(store.chunks())[2]
    report = work(str(store.path), 60.0, last)
    assert report.replicates == 1
    assert report.seconds > 0.0
    assert list((store.path / "failures").iterdir()) == []


def test_sources_other_than_those_of_the_plan_are_refused(tiny, tmp_path, monkeypatch):
    store = Store.create(tiny(), tmp_path, {})
    store.ready()
    monkeypatch.setattr("sumabm.identity.code_digest", lambda: "of tomorrow")
    with pytest.raises(
        RunError, match=r"was planned with other sources .* move it and start again"
    ):
        work(str(store.path), 60.0, next(store.chunks()))
    assert pool(store) == set()


@pytest.mark.parametrize("moment", ["write", "sync", "rename"])
def test_a_full_disk_leaves_nothing_half_written(tiny, tmp_path, monkeypatch, moment):
    store = Store.create(tiny(), tmp_path, {})
    store.ready()
    chunk = next(store.chunks())

    def full(*_):
        raise OSError(28, "No space left on device")

    def half(columns, file, facts):
        file.write_bytes(b"PAR1")
        full()

    with monkeypatch.context() as patch:
        if moment == "write":
            patch.setattr(working, "write_parquet", half)
        elif moment == "sync":
            patch.setattr("os.fsync", full)
        else:
            patch.setattr("pathlib.Path.rename", full)
        with pytest.raises(RunError, match=r"cannot be written: .*No space left"):
            work(str(store.path), 60.0, chunk)
    assert [path for path in store.pool.rglob("*") if path.is_file()] == []
    work(str(store.path), 60.0, chunk)
    assert pool(store) == {chunk.identity}


def test_failures_are_told_until_they_are_done(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    store.ready()
    chunk = next(store.chunks())
    store.note_failure(chunk, {"error": "no", "traceback": "", "crashes": 0})
    [(name, record)] = store.failures().items()
    assert name == chunk.identity
    assert (record["point"], record["replicates"], record["seed"]) == (0, [0, 2], 0)
    assert record["changes"] == {POWER: 2.0, "agents.W.method": "budget"}
    assert record["error"] == "no"
    work(str(store.path), 60.0, chunk)
    assert store.failures() == {}
    (store.path / "failures" / "x.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"x\.json: cannot be read"):
        store.failures()


def test_a_failure_that_cannot_be_recorded_is_told(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    (store.path / "failures").write_text("")
    with pytest.raises(RunError, match=r"cannot be written"):
        store.note_failure(next(store.chunks()), {"error": "no"})


def test_folders_that_cannot_be_made_are_told(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    store.pool.write_text("")
    with pytest.raises(RunError, match=r"cannot be written: .*chunks"):
        store.ready()


def test_old_traces_are_removed(tiny, tmp_path):
    store = Store.create(tiny(), tmp_path, {})
    store.ready()
    trace = store.trace("0")
    trace.write_text("where it hung")
    store.ready()
    assert not trace.exists()


def test_what_is_in_the_pool_besides_chunks_does_not_count(tiny, tmp_path, stored):
    store = stored(tiny(), tmp_path, slice(2))
    (store.pool / "notes").mkdir()
    (store.pool / "notes" / "x.parquet").write_text("")
    (store.pool / "ab.txt").write_text("")
    (next(store.pool.glob("??")) / "notes.txt").write_text("")
    assert store.done() == pool(store)
    assert len(store.done()) == 2


def test_the_scenario_of_a_stored_battery_is_all_there(tiny, tmp_path):
    store = Store.create(tiny({"steps": 3}), tmp_path, {})
    assert Store.open(store.path).battery.scenario == load_scenario(
        "essay", {"steps": 3, "world.dimensions": 3}
    )
