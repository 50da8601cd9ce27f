"""Engines: the same function over many items, on this machine's cores or on a Dask cluster.

`execute` is the one way through both: it keeps a few items per worker in flight, and an item that
raises, hangs, fills the memory or kills its worker costs nothing but itself.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import math
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import loky
from loky.process_executor import ShutdownExecutorError

from sumabm.files import RunError

if sys.platform == "linux":
    import resource

WINDOW = 3
"""Items in flight per worker: enough that none waits for the driver."""
POLL = 1.0
"""Seconds without any result after which the driver looks whether one can still come."""
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "BLIS")
LEAST_MEMORY = 2**28
"""Bytes: below this a worker cannot import what a simulation needs."""
ANSWER = 10.0
"""Seconds a scheduler may take to answer."""
RESERVE = 2**29
"""Bytes of this machine's memory that are left to the driver."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class EngineError(RunError):
    """The engine itself cannot go on: no scheduler, no worker, a setting it cannot serve."""


class HungError(Exception):
    """An item did not end in time; its message says when, a note shows where it was."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message, trace)
        self.add_note(trace)

    def __str__(self) -> str:
        return str(self.args[0])


class Done(NamedTuple, Generic[Item, Result]):
    """An item and what the function returned for it."""

    item: Item
    result: Result


class Failed(NamedTuple, Generic[Item]):
    """An item without a result.

    ``error`` is one line, ``traceback`` the whole text, ``crashes`` how often the item's worker
    died while nothing else was in flight.
    """

    item: Item
    error: str
    traceback: str
    crashes: int


class Engine(Protocol):
    """What `execute` asks of an engine; as a context manager it closes itself."""

    tries: int
    """How often an item may kill its worker alone before it counts as failed."""
    deaths: tuple[type[BaseException], ...]
    """What a future raises when its worker died, or was lost."""
    sure: tuple[type[BaseException], ...]
    """Those of them after which there is no use in another try."""

    @property
    def workers(self) -> int:
        """How many items run at once, as last known."""
        ...

    def submit(self, call: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Start one call, in a new pool where the last one broke."""
        ...

    def check(self) -> None:
        """Raise EngineError where no result can come any more."""
        ...

    def renew(self) -> bool:
        """Replace workers that may have no memory left, if it can; what is in flight dies."""
        ...

    def cancel(self) -> None:
        """Give up what is in flight; the engine can be used again."""
        ...

    def close(self) -> None:
        """End for good."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def execute(
    engine: Engine,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    stop_on: tuple[type[Exception], ...] = (),
) -> Iterator[Done[Item, Result] | Failed[Item]]:
    """Yield each item's outcome as it comes, in no order; ``items`` is read as workers get free.

    What ``function`` raises makes its item Failed. When a worker dies, or runs out of memory on an
    engine that can replace it, what was in flight runs again one at a time with nothing else in
    flight, so ``function`` must bear to be repeated: the item that does it again is Failed, the
    others complete. An exception of a type in ``stop_on``, which must be picklable, is raised here
    after everything was cancelled; so it is on any error here, on Ctrl-C, and when the iterator is
    closed. Raises EngineError when the engine cannot go on.
    """
    call = partial(_call, function, stop_on)
    source = iter(items)
    running: dict[Future[Result | _Raised], _Attempt[Item]] = {}
    alone: deque[_Attempt[Item]] = deque()
    try:
        while True:
            if not alone:
                room = max(1, WINDOW * engine.workers) - len(running)
                for item in islice(source, max(0, room)):
                    running[engine.submit(call, item)] = _Attempt(item)
            elif not running:
                attempt = alone.popleft()
                running[engine.submit(call, attempt.item)] = attempt
            if not running:
                return
            done, _ = wait(running, POLL, FIRST_COMPLETED)
            if not done:
                engine.check()
            for future in done:
                outcome = _outcome(engine, future, running.pop(future), stop_on)
                if isinstance(outcome, _Attempt):
                    alone.append(outcome)
                else:
                    yield outcome
    except BaseException:
        engine.cancel()
        raise


class _Attempt(NamedTuple, Generic[Item]):
    """An item in flight; ``crashes`` is None until it must run alone."""

    item: Item
    crashes: int | None = None


class _Raised(NamedTuple):
    """What a function raised, as text: not every exception survives pickling."""

    error: str
    traceback: str
    memory: bool
    """Whether it was for want of memory, which may still be taken where it was raised."""


def _call(
    function: Callable[[Item], Result], stop_on: tuple[type[Exception], ...], item: Item
) -> Result | _Raised:
    """Call in the worker."""
    try:
        return function(item)
    except stop_on:
        raise
    except BaseException as error:  # a SystemExit would end a Dask worker
        # The frames hold what filled the memory; the text must fit into it.
        traceback.clear_frames(error.__traceback__)
        return _text(error)


def _text(error: BaseException) -> _Raised:
    summary = traceback.TracebackException.from_exception(error)
    line = " ".join(next(summary.format_exception_only()).split())
    return _Raised(line, "".join(summary.format()), isinstance(error, MemoryError))


def _outcome(
    engine: Engine,
    future: Future[Result | _Raised],
    attempt: _Attempt[Item],
    stop_on: tuple[type[Exception], ...],
) -> Done[Item, Result] | Failed[Item] | _Attempt[Item]:
    """Return what a future that is over says, or the attempt to make next."""
    item, crashes = attempt
    try:
        result = future.result()
    except stop_on:
        raise
    except engine.deaths as error:
        engine.check()
        if crashes is None:
            return _Attempt(item, 0)
        if crashes + 1 < engine.tries and not isinstance(error, engine.sure):
            return _Attempt(item, crashes + 1)
        line, text, _ = _text(error)
        codes = re.search(r"{(.+)}", text)  # loky names the exit codes
        cause = codes[1] if codes else line.partition(". ")[0]
        return Failed(item, f"the worker died ({cause})", text, crashes + 1)
    except Exception as error:
        line, text, _ = _text(error)
        return Failed(item, line, text, crashes or 0)
    if isinstance(result, _Raised):
        if result.memory and engine.renew() and crashes is None:
            return _Attempt(item, 0)
        return Failed(item, result.error, result.traceback, crashes or 0)
    return Done(item, result)


class Local(Engine):
    """Processes on this machine; ``workers`` defaults to the cores this process may use.

    BLAS and OpenMP run one thread in each. On Linux a worker's data (``memory`` in bytes, default
    an equal share of what this process may use) is limited: an item that wants more meets a
    MemoryError and harms nothing else. Raises EngineError when a setting is out of range.
    """

    tries = 3
    deaths = (BrokenExecutor, CancelledError, ShutdownExecutorError)
    sure = ()

    def __init__(self, workers: int | None = None, memory: int | None = None) -> None:
        self._workers = loky.cpu_count() if workers is None else workers
        if self._workers < 1:
            raise EngineError(f"workers: at least 1, got {workers}")
        if memory is None and sys.platform == "linux":
            memory = (_available_memory() - RESERVE) // self._workers
        if memory is not None and memory < LEAST_MEMORY:
            raise EngineError(
                f"memory: a worker needs at least {LEAST_MEMORY >> 20} MiB, got {memory >> 20} MiB"
                f" for each of {self._workers}: take fewer workers"
            )
        self._memory = memory
        self._pool: loky.ProcessPoolExecutor | None = None

    @property
    def workers(self) -> int:
        """How many processes there are."""
        return self._workers

    def submit(self, call: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Start one call, in new processes where the last ones broke."""
        try:
            return self._start().submit(call, item)
        except BrokenExecutor:
            self.cancel()
            return self._start().submit(call, item)

    def check(self) -> None:
        """Do nothing: a pool that breaks says so by its futures."""

    def renew(self) -> bool:
        """Kill the processes."""
        self.cancel()
        return True

    def cancel(self) -> None:
        """Kill the processes; the next `submit` starts others."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)

    def close(self) -> None:
        """Kill the processes: nothing of theirs is worth waiting for."""
        self.cancel()

    def _start(self) -> loky.ProcessPoolExecutor:
        if self._pool is None:
            self._pool = loky.ProcessPoolExecutor(
                self._workers,
                initializer=_prepare,
                initargs=(os.getpid(), self._memory),
                env={f"{library}_NUM_THREADS": "1" for library in THREADS},
            )
            with _no_interrupts():
                self._pool.submit(int)  # the first call starts the processes
        return self._pool


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start processes in here that never see Ctrl-C, not even while Python starts."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # starting it later would unblock the signal
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _prepare(driver: int, memory: int | None) -> None:
    """Make a worker that leaves Ctrl-C to the driver, dies with it and keeps to its memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        threading.Thread(target=_die_with, args=(driver,), daemon=True).start()
    if sys.platform == "linux" and memory is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _die_with(driver: int) -> None:
    """End this worker soon after its driver, which may have been killed and not told it."""
    while os.getppid() == driver:
        time.sleep(POLL)
    os._exit(1)


def _available_memory() -> int:
    """Bytes this process may use: the machine's, or less by a control group's limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    groups = Path("/proc/self/cgroup")
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = Path("/sys/fs/cgroup", controllers)
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):  # in a container the path may not be there
            if folder.is_relative_to(root) and (folder / name).exists():
                value = (folder / name).read_text().strip()
                limits.extend([int(value)] if value != "max" else [])
    return min(limits)


class Cluster(Engine):
    """A running Dask cluster; ``address`` is tcp://…, tls://… or the path of a scheduler file.

    Its workers have one thread each. An item on a worker that keeps dying is tried by Dask itself
    several times. What runs there when the driver goes away runs to its end. Raises EngineError
    when Dask is missing, nobody answers within 10 s, there is no worker for ``patience`` seconds,
    a worker has several threads, or the connection is lost.
    """

    tries = 3

    def __init__(self, address: str, patience: float = 60.0) -> None:
        try:
            import distributed
        except ImportError:
            raise EngineError("a cluster needs dask: pip install 'sumabm[cluster]'") from None
        self.sure = (distributed.KilledWorker,)  # Dask itself has tried several times
        lost = (CancelledError, asyncio.CancelledError, OSError)  # a connection, with a worker
        self.deaths = (*self.sure, *lost)
        for logger in ("distributed", "distributed.client"):  # `check` says what matters
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        self._address = address
        self.patience = patience
        where = {"address" if "://" in address else "scheduler_file": _present(address)}
        client: Any = distributed.Client  # not typed
        self._client = client.__new__(client)
        try:
            self._client.__init__(**where, timeout=ANSWER, set_as_default=False)
        except Exception as error:
            self.close()  # left to the garbage collector, one half made blocks it for 20 s
            raise EngineError(
                f"no Dask scheduler answers at {address}: {str(error) or repr(error)}"
            ) from None
        self._pool: Executor = self._client.get_executor(pure=False)
        self._workers = 0
        self._alone_since = math.inf
        self._next_look = 0.0
        try:
            while not self._workers:
                self.check()
                time.sleep(0.1)
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """How many workers there are, at most a few seconds ago."""
        return self._workers

    def submit(self, call: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Start one call; raises EngineError as `check` does."""
        self.check()
        return self._pool.submit(call, item)

    def check(self) -> None:
        """Raise EngineError when the scheduler, or every worker for too long, is gone."""
        now = time.monotonic()
        lost = f"lost the Dask scheduler at {self._address}"
        if self._client.status != "running":
            raise EngineError(lost)
        if now < self._next_look:
            return
        self._next_look = now + POLL
        try:
            threads: dict[str, int] = self._client.nthreads()
        except OSError as error:
            raise EngineError(f"{lost}: {error}") from None
        for worker, count in threads.items():
            if count > 1:
                raise EngineError(
                    f"Dask worker {worker} has {count} threads: start them with --nthreads 1"
                )
        self._workers = len(threads)
        self._alone_since = math.inf if threads else min(self._alone_since, now)
        if now - self._alone_since > self.patience:
            raise EngineError(
                f"no Dask worker at {self._address} for {self.patience:g} s: start some, or wait"
                " until the queue has"
            )

    def renew(self) -> bool:
        """Do nothing: that is for the workers' nannies."""
        return False

    def cancel(self) -> None:
        """Take back what has not started."""
        if self._client.status == "running":
            self._pool.shutdown(wait=False)
            self._pool = self._client.get_executor(pure=False)

    def close(self) -> None:
        """Leave the cluster, which goes on."""
        with suppress(TimeoutError):
            self._client.close(timeout=1)


def _present(address: str) -> str:
    """Return an address, or a file's path once the file is there: Dask would wait for ever."""
    until = time.monotonic() + ANSWER
    while "://" not in address and not Path(address).is_file():
        if time.monotonic() > until:
            raise EngineError(f"no Dask scheduler's file at {address}, nor is it tcp:// or tls://")
        time.sleep(0.1)
    return address


@contextmanager
def deadline(seconds: float, trace: Path) -> Iterator[None]:
    """End this process unless the block ends within ``seconds``; ``trace`` then tells where it was.

    A watchdog outside Python does it, so neither a sleep nor compiled code escapes; it is one per
    process. Where ``trace`` is there already, an earlier try hung: raises HungError at once.
    """
    with suppress(FileNotFoundError):
        if told := trace.read_text(errors="replace"):
            raise HungError(f"did not end within {seconds:g} s", told)
    with trace.open("w") as file:
        faulthandler.dump_traceback_later(seconds, exit=True, file=file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            trace.unlink(missing_ok=True)
