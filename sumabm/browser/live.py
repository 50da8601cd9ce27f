"""A run as it is made: a model with all that it went through, for a page to play."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import numpy as np
import xarray as xr

from sumabm.browser.events import events
from sumabm.browser.frame import Frame, Plane, States
from sumabm.browser.look import Look
from sumabm.browser.scene import scene
from sumabm.model import SUMModel
from sumabm.networks import summed_up
from sumabm.predict import predict
from sumabm.recorder import label, states_of
from sumabm.scenario import Scenario
from sumabm.types import Array
from sumabm.worlds.discrete import DiscreteWorld

MOST_VALUES = 20_000_000
"""Numbers that a page keeps of one run: replicates × columns × steps, or × dimensions."""

_THEORY_SECONDS = 2.0  # as much of theory's curves as can be worked out in that time

log = logging.getLogger(__name__)


class Live:
    """A scenario at work, as a page plays it: see `show.Show`.

    ``rng`` is the seed. A page calls `step` and `frame` from different threads. Raises
    ScenarioError or ValueError as `SUMModel` does, and ValueError where an array over replicates
    would have more than `MOST_VALUES` numbers.
    """

    def __init__(
        self, scenario: Scenario, replicates: int = 1, rng: int = 0, look: Look | None = None
    ) -> None:
        _check_size(scenario, replicates)
        self.spec = scenario
        self.model = SUMModel(scenario, replicates, rng)
        self.error = ""
        self.look = look or Look()
        self.look.show = self
        self.theory = _theory(scenario, rng)
        self._lock = threading.Lock()
        self._columns: dict[str, Array] = {}
        self._last_seen: dict[tuple[int, str], Plane | States | None] = {}

    @property
    def steps(self) -> int:
        """Steps done so far."""
        return int(self.model.steps)

    @property
    def time(self) -> int:
        """The steps, as Mesa 3.5 shows them."""
        return self.steps

    @property
    def running(self) -> bool:
        """Whether there is a step to come, and somebody to see it."""
        return bool(self.model.running) and not self.error and not self.look.pace.closed

    def step(self) -> None:
        """Go one step on, unless the run is over; what goes wrong is kept in ``error``."""
        if not self.running:
            return
        self.look.pace.wait()
        if not self.running:  # by now
            return
        with self._lock:
            try:
                self.model.step()
                self._keep(self.model.steps - 1, self.model.row)
            except Exception as error:  # a page has to go on
                log.exception("step %s of %s", self.steps, self.spec.scenario)
                self.error = f"step {self.steps - 1}: {type(error).__name__}: {error}"

    def _keep(self, place: int, row: dict[str, Array]) -> None:
        """Keep a step's row; arrays are replaced as they grow, so that frames stay whole."""
        room = next((len(values) for values in self._columns.values()), 0)
        if place >= room:
            most = MOST_VALUES // sum(values.size for values in row.values())
            room = min(max(2 * room, 64), self.spec.steps, most)
            if room <= place:
                rule = "a page keeps no more of a run; sumabm run does"
                raise MemoryError(f"{rule} ({MOST_VALUES} numbers)")
            grown = {name: np.full((room, values.size), np.nan) for name, values in row.items()}
            for name, values in self._columns.items():
                grown[name][:place] = values[:place]
            self._columns = grown
        for name, values in row.items():
            self._columns[name][place] = values

    seek = None  # a run can't be turned back
    behind = False  # its world is always there
    note = ""

    def catch_up(self) -> None:
        """Do nothing: it is never behind."""

    def forward(self, step: int, seconds: float) -> None:
        """Go on to a step, as far as that can be done in so many seconds."""
        end = time.perf_counter() + seconds
        while self.steps < step and self.running and time.perf_counter() < end:
            self.step()

    def data(self) -> xr.Dataset:
        """Return all that was recorded so far, as `simulate` would.

        Raises ValueError before the first step.
        """
        with self._lock:
            columns, model = self._so_far(), self.model
            count = next((len(values) for values in columns.values()), 0)
            if count == 0:
                raise ValueError("no step is made yet")
            table: dict[str, Any] = {**self.spec.model_dump(), "steps": count}
            states = states_of(model)
            facts = ("", model.seed, model.replicates, model.ended, summed_up(model.spec))
            return label(columns, states, table, *facts)

    def _so_far(self) -> dict[str, Array]:
        count = self.steps - bool(self.error)  # the step that failed left no row
        return {name: values[:count] for name, values in self._columns.items()}

    def frame(self) -> Frame:
        """Return what panels draw now."""
        with self._lock:
            columns = self._so_far()
            count = next((len(values) for values in columns.values()), 0)
            shown = min(self.look.shown, len(self.model.replicates) - 1)
            world = self._world(columns, shown)
            ended = "" if self.model.running else self._ended()
        return Frame(
            spec=self.spec,
            horizon=self.spec.steps,
            count=count,
            columns=columns,
            theory=self.theory,
            shown=shown,
            first=self.model.replicates.start,
            world=world,
            events=events(self.spec, columns, shown, ended),
        )

    def _world(self, columns: dict[str, Array], shown: int) -> Plane | States | None:
        """Return the shown replicate's world, as its last step left it where it is done."""
        key = (shown, self.look.ai)
        if self.error or (columns and np.isnan(columns["harm"][-1, shown])):
            return self._last_seen.get(key)
        self._last_seen = {key: scene(self.model, shown, self.look.ai)}
        return self._last_seen[key]

    def _ended(self) -> str:
        done = self.steps < self.spec.steps and not self.model.ended
        return "every replicate is done" if done else self.model.ended


def usual_replicates(scenario: Scenario) -> int:
    """Return how many replicates a page takes at first: 20, fewer of a world of many states."""
    size = getattr(scenario.world, "coefficients", 1)
    base = scenario.world.build(1)
    if isinstance(base, DiscreteWorld):
        size = base.log_probabilities.shape[-1]
    return int(np.clip(200_000 // max(size, 1), 1, 20))


def _check_size(scenario: Scenario, replicates: int) -> None:
    """Raise ValueError for arrays ``(R, d)`` that are too large for a page."""
    largest = max(MOST_VALUES // max(scenario.world.coefficients, len(scenario.population), 1), 1)
    if replicates > largest:
        raise ValueError(f"replicates should be at most {largest} on this page, got {replicates}")


def _theory(scenario: Scenario, seed: int) -> dict[str, Array]:
    """Return theory's curves ``(T,)``, or their beginning where that takes long.

    They need what is the same in all replicates, so one is enough to have it.
    """
    model = SUMModel(scenario, 1, seed)
    rows: list[dict[str, Array]] = []
    began = time.perf_counter()
    try:
        while model.running and time.perf_counter() - began < _THEORY_SECONDS:
            model.step()
            rows.append(model.row)
            if len(rows) == 1 and not _predicted(model, rows):
                return {}
        return _predicted(model, rows) if rows else {}
    except Exception:  # a run without theory is better than none
        log.exception("theory of %s", scenario.scenario)
        return {}


def _predicted(model: SUMModel, rows: list[dict[str, Array]]) -> dict[str, Array]:
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    table: dict[str, Any] = {**model.spec.model_dump(), "steps": len(rows)}
    run = label(columns, {}, table, "", model.seed, model.replicates, "")
    return predict(run, model.spec)
