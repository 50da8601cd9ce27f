import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sumabm.battery.engine import (
    WINDOW,
    Cluster,
    Done,
    Engine,
    EngineError,
    Failed,
    HungError,
    Local,
    deadline,
    execute,
)

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import engine_jobs as jobs  # noqa: E402

POISON = 7
ITEMS = range(41)


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    with Local(2, memory=2**29) as engine:
        yield engine


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    with dask("scheduler", "--port", "0", file=file), worker(file), worker(file):
        yield file


@pytest.fixture(scope="module")
def cluster(scheduler: Path) -> Iterator[Cluster]:
    with Cluster(str(scheduler)) as engine:
        until = time.monotonic() + 60
        while engine.workers < 2 and time.monotonic() < until:  # the second may be late
            time.sleep(0.2)
            engine.check()
        yield engine


class dask:  # noqa: N801
    """A part of a Dask cluster, as a user starts it."""

    def __init__(self, *arguments: str, file: Path) -> None:
        common = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
        path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, *common],
            env={**os.environ, "PYTHONPATH": path},
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> "dask":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def worker(file: Path, *more: str, threads: int = 1) -> dask:
    folder = str(file.parent)
    size = ("--nthreads", str(threads))
    return dask("worker", *size, "--local-directory", folder, *more, file=file)


def bare(file: Path, threads: int = 1) -> dask:
    """A worker that nobody starts again."""
    return worker(file, "--no-nanny", threads=threads)


def outcomes(engine: Engine, function: Any, items: Any = ITEMS, **options: Any) -> list[Any]:
    """Run and check that each item has one outcome and all but the poison are right."""
    found = sorted(execute(engine, function, items, **options), key=lambda outcome: outcome.item)
    assert [outcome.item for outcome in found] == list(items)
    healthy = [outcome for outcome in found if outcome.item != POISON]
    assert [one for one in healthy if one != Done(one.item, 2 * one.item)] == []
    return found


def poisoned(engine: Engine, how: str) -> Failed[int]:
    failed = outcomes(engine, partial(jobs.poisoned, POISON, how))[POISON]
    assert isinstance(failed, Failed)
    return failed


@pytest.fixture(params=["local", "cluster"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(request.param)


def test_all_items_are_done(engine: Engine) -> None:
    assert engine.workers == 2
    outcomes(engine, jobs.double, range(POISON))
    assert list(execute(engine, jobs.double, [])) == []


def test_a_closure_reaches_the_workers(engine: Engine) -> None:
    two = 2
    outcomes(engine, lambda item: two * item, range(POISON))


def test_an_exception_costs_its_item(engine: Engine) -> None:
    failed = poisoned(engine, "fail")
    assert failed.error == "ValueError: what a pity"
    assert "in fail\n" in failed.traceback
    assert failed.traceback.endswith("ValueError: what a\npity\n")
    assert failed.crashes == 0


@pytest.mark.parametrize(("how", "error"), [("leave", "SystemExit: 3"), ("strange", "1 and 2")])
def test_what_does_not_travel_is_reported_as_well(engine: Engine, how: str, error: str) -> None:
    assert error in poisoned(engine, how).error


def test_a_killed_worker_costs_its_item(local: Local) -> None:
    failed = poisoned(local, "kill")
    assert failed.error == "the worker died (SIGKILL(-9))"
    assert failed.crashes == local.tries == 3


def test_a_killed_dask_worker_costs_its_item(cluster: Cluster) -> None:
    failed = poisoned(cluster, "kill")
    assert failed.error.startswith("the worker died (distributed.scheduler.KilledWorker: Attempted")
    assert failed.crashes == 1


@pytest.mark.parametrize("how", ["sleep", "spin"])
def test_a_hang_costs_its_item(engine: Engine, how: str, tmp_path: Path) -> None:
    call = partial(jobs.limited, 0.5, tmp_path, POISON, how)
    failed = outcomes(engine, call)[POISON]
    assert failed.error == "sumabm.battery.engine.HungError: did not end within 0.5 s"
    assert f"in {how}\n" in failed.traceback
    assert [path.name for path in tmp_path.iterdir()] == [f"{POISON}.trace"]
    again = next(execute(engine, call, [POISON]))
    assert again == failed._replace(traceback=again.traceback)


def test_deadline_leaves_nothing_behind(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with pytest.raises(ValueError, match="pity"), deadline(0.2, trace):
        jobs.fail()
    trace.touch()  # of a try that was killed for another reason
    with deadline(0.2, trace):
        pass
    assert not trace.exists()
    time.sleep(0.4)  # the watchdog would have ended this process


def test_a_hang_is_told_and_survives_pickling(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("in sleep")
    with pytest.raises(HungError) as caught, deadline(2, tmp_path / "trace"):
        raise AssertionError("not reached")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == "did not end within 2 s"
    assert copy.__notes__ == ["in sleep"]


@pytest.mark.skipif(sys.platform != "linux", reason="no limit of memory there")
@pytest.mark.parametrize("how", ["fill", "grow"])
def test_filled_memory_costs_its_item(local: Local, how: str) -> None:
    failed = poisoned(local, how)
    assert "MemoryError" in failed.error
    assert f"in {how}\n" in failed.traceback
    assert failed.crashes == 0


def test_memory_must_suffice() -> None:
    with pytest.raises(EngineError, match="at least 256 MiB, got 1 MiB for each of 3"):
        Local(3, memory=2**20)
    with pytest.raises(EngineError, match="workers: at least 1, got 0"):
        Local(0)
    assert Local().workers >= 1


def test_local_workers_run_one_thread_and_ignore_interrupts(local: Local) -> None:
    assert next(execute(local, jobs.settings, [0])).result == ["1"] * 5 + ["True"]


def test_dask_workers_run_one_thread(cluster: Cluster) -> None:
    assert next(execute(cluster, jobs.settings, [0])).result[:3] == ["1"] * 3


@pytest.mark.filterwarnings("ignore:A worker was restarted")
def test_workers_may_be_replaced() -> None:
    with Local(2) as engine:
        outcomes(engine, jobs.leak, range(POISON))


def test_stop_on_ends_everything(engine: Engine) -> None:
    pulled = []
    items = (pulled.append(item) or item for item in range(1000))
    with pytest.raises(jobs.FullError, match="no space left"):
        list(execute(engine, partial(jobs.poisoned, POISON, "full"), items, (jobs.FullError,)))
    assert len(pulled) < 100
    outcomes(engine, jobs.double, range(POISON))  # the engine can be used again


def test_items_are_pulled_as_workers_get_free(engine: Engine) -> None:
    pulled = []
    items = (pulled.append(item) or item for item in range(200))
    for done, _ in enumerate(execute(engine, jobs.double, items)):
        assert len(pulled) <= done + 1 + WINDOW * engine.workers


def test_an_error_among_the_items_is_raised(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError):
        list(execute(engine, jobs.double, (1 // (5 - item) for item in range(10))))
    outcomes(engine, jobs.double, range(POISON))


def test_closing_the_iterator_frees_the_engine(engine: Engine) -> None:
    results = execute(engine, partial(jobs.poisoned, 3, "fail"), range(1000))
    next(results)
    results.close()
    outcomes(engine, jobs.double, range(POISON))


class Inline(Engine):
    """Runs at once, in this process, and counts what is alive."""

    tries = 1
    deaths = ()
    sure = ()
    workers = 1

    def submit(self, call: Any, item: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(item))
        return future

    def check(self) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def test_memory_is_flat() -> None:
    results = execute(Inline(), jobs.double, range(10**6))
    peaks = []
    tracemalloc.start()
    try:
        for _ in range(2):
            tracemalloc.reset_peak()
            for _ in range(5000):
                next(results)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
        results.close()
    assert max(peaks) < 1e6  # 5000 futures or items would be many times more


@contextmanager
def driver() -> Iterator[subprocess.Popen[str]]:
    """Another process that runs what never ends; its output ends when its last worker does."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "engine_jobs.py")],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
@pytest.mark.parametrize("heard", ["starting", "started"])
def test_an_interrupt_ends_everything_in_silence(heard: str) -> None:
    with driver() as process:
        assert process.stdout is not None
        while process.stdout.readline() != f"{heard}\n":
            pass
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert set(output.split()) - {"started"} == {"interrupted"}


@pytest.mark.skipif(sys.platform == "win32", reason="no parent to watch")
def test_workers_die_with_a_killed_driver() -> None:
    with driver() as process:
        assert process.stdout is not None
        while process.stdout.readline() != "started\n":
            pass
        process.kill()
        process.communicate(timeout=20)


def test_a_cluster_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sumabm.battery.engine.ANSWER", 0.2)
    with pytest.raises(EngineError, match=r"no Dask scheduler's file at .*nor is it tcp://"):
        Cluster(str(tmp_path / "none.json"))
    (tmp_path / "bad.json").write_text("{}")
    for address in ("tcp://127.0.0.1:9", "tcp://127.0.0.1", "x://y", str(tmp_path / "bad.json")):
        with pytest.raises(EngineError, match=f"no Dask scheduler answers at {address}: ."):
            Cluster(address)


def test_dask_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"needs dask: pip install 'sumabm\[cluster\]'"):
        Cluster("tcp://127.0.0.1:9")


def test_a_cluster_loses_workers_and_scheduler(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    with dask("scheduler", "--port", "0", file=file) as scheduler:
        with pytest.raises(EngineError, match=r"no Dask worker at .* for 0.1 s"):
            Cluster(str(file), patience=0.1)
        with bare(file) as only, Cluster(str(file)) as engine:
            engine.patience = 0.5
            results = execute(engine, partial(jobs.doze, 0.05), range(10_000))
            next(results)
            only.process.terminate()
            with pytest.raises(EngineError, match=r"no Dask worker at .* for 0.5 s"):
                list(results)
        with bare(file, threads=2), pytest.raises(EngineError, match="has 2 threads: start them"):
            Cluster(str(file))
        with bare(file), Cluster(str(file)) as engine:
            results = execute(engine, partial(jobs.doze, 0.05), range(10_000))
            next(results)
            scheduler.process.kill()
            with pytest.raises(EngineError, match="lost the Dask scheduler at"):
                list(results)
