"""Running a battery: whatever is left of it, in shards, in parts, past failures and full disks."""

import resource

import pytest

import sumabm
from sumabm.battery import run as running
from sumabm.battery import work as working
from sumabm.battery.engine import Local
from sumabm.battery.run import resume, run_battery
from sumabm.battery.store import Store
from sumabm.files import RunError


def files(store):
    return {file.name: file.read_bytes() for file in store.pool.glob("??/*")}


@pytest.fixture(scope="module")
def local():
    with Local(1, memory=2**30) as engine:
        yield engine


@pytest.fixture(scope="module")
def whole(tiny, stored, tmp_path_factory):
    """All chunks of the tiny battery, computed one after the other in this process."""
    return stored(tiny(), tmp_path_factory.mktemp("whole"))


@pytest.fixture
def planned(tiny, tmp_path):
    return Store.create(tiny(), tmp_path, {})


def broken(monkeypatch, *firsts):
    """Let chunks that begin with these replicates raise."""
    record = working.record

    def sometimes(model, every, outcomes):
        if model.replicates.start in firsts:
            raise ArithmeticError(f"no {model.replicates.start}")
        return record(model, every, outcomes)

    monkeypatch.setattr(working, "record", sometimes)


def test_worker_processes_store_the_same_files(planned, whole, local):
    told = []
    came = resume(planned, local, watch=told.append)
    assert came.complete
    assert came.counts[:4] == (12, 12, 0, 20)
    assert came.counts.left == 0
    assert [counts.done for counts in told] == list(range(13))
    assert told[-1] == came.counts
    assert told[-1].seconds > 0.0
    assert files(planned) == files(whole)


def test_run_battery_in_python(tiny, tmp_path, here, whole):
    came = run_battery(tiny(), here, tmp_path)
    assert came.complete
    assert came.path.parent == tmp_path
    data = came.open()
    assert dict(data.sizes) == {"point": 4, "replicate": 5, "agent": 3, "coordinate": 2}
    assert data.complete.all()
    assert data.equals(sumabm.open_battery(whole.path))
    again = run_battery(tiny(), here, tmp_path, {"description": "?"})
    assert again.path == came.path
    assert again.counts.runs == 0
    other = run_battery(tiny(), here, tmp_path, {"replicates": 6})
    assert other.path != came.path
    assert other.counts.runs == 4 * 2  # 4:6 of each point


def test_the_default_engine_is_this_machine(tiny, tmp_path, here, monkeypatch):
    monkeypatch.setattr(running, "Local", lambda: here)
    assert run_battery(tiny(), out=tmp_path).complete


def test_only_what_is_missing_is_run(planned, whole, here):
    resume(planned, here)
    before = files(planned)
    for chunk in list(planned.chunks())[::5]:
        planned.file(chunk.identity).unlink()
    told = []
    came = resume(planned, here, watch=told.append)
    assert told[0][:4] == (12, 9, 0, 0)
    assert came.counts[:3] == (12, 12, 0)
    assert files(planned) == before == files(whole)
    assert resume(planned, here).counts.runs == 0


@pytest.mark.parametrize("n", [1, 2, 3, 5, 20])
def test_shards_are_apart_and_all_there_is(planned, here, whole, n):
    counts = [resume(planned, here, (k, n)).counts for k in range(1, n + 1)]
    assert sum(part.chunks for part in counts) == 12
    assert [part.runs > 0 for part in counts] == [part.chunks > 0 for part in counts]
    assert sum(part.runs for part in counts) == 20  # none twice
    assert files(planned) == files(whole)


def test_a_shard_counts_its_own(planned, here):
    told = []
    came = resume(planned, here, (2, 5), told.append)
    assert told[0][:4] == (3, 0, 0, 0)
    assert came.counts[:3] == (3, 3, 0)
    assert came.complete
    assert len(planned.done()) == 3


def test_twins_are_run_once(tiny, tmp_path, here):
    twins = {"uncertainties": {"xi": [1.0, 2.0]}, "levers": {}}
    b = tiny(**twins, derived={"agents.X.power": "0 * xi + 2"})
    store = Store.create(b, tmp_path, {})
    assert resume(store, here).counts[:4] == (3, 3, 0, 5)
    data = sumabm.open_battery(store)
    assert data.sizes["point"] == 2
    assert data.isel(point=0, drop=True).harm.equals(data.isel(point=1, drop=True).harm)


def test_a_chunk_that_raises_is_recorded_and_costs_nothing_else(planned, here, monkeypatch, whole):
    with monkeypatch.context() as patch:
        broken(patch, 2)
        came = resume(planned, here)
    assert not came.complete
    assert came.counts[:4] == (12, 8, 4, 12)
    failures = planned.failures()
    assert len(failures) == 4
    first = next(iter(failures.values()))
    assert first["error"] == "ArithmeticError: no 2"
    assert first["traceback"].startswith("Traceback (most recent call last)")
    assert first["replicates"] == [2, 4]
    assert first["when"].endswith("+00:00")
    data = came.open()
    assert not data.complete.any()
    assert data.harm.isnull().sum("replicate").values.tolist() == [2] * 4
    told = []
    came = resume(planned, here, watch=told.append)
    assert told[0][:3] == (12, 8, 0)  # what failed is tried again
    assert came.complete
    assert planned.failures() == {}
    assert files(planned) == files(whole)


def test_a_disk_that_is_full_stops_the_battery(planned, here, whole):
    resume(planned, here, (1, 3))
    before = files(planned)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # less than a chunk
    try:
        with pytest.raises(RunError, match=r"\.parquet: cannot be written: .*File too large"):
            resume(planned, here)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(planned) == before
    assert [path for path in planned.pool.iterdir() if path.is_file()] == []
    assert planned.failures() == {}
    assert resume(planned, here).complete
    assert files(planned) == files(whole)
