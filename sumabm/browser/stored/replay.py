"""A stored run as a page plays it: all of it at hand, forth and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from sumabm.browser.events import events
from sumabm.browser.frame import Frame, Plane, States
from sumabm.browser.look import Look
from sumabm.browser.stored.retake import Retake
from sumabm.browser.stored.shelf import stored_scenario
from sumabm.files import DAMAGE, RunError
from sumabm.identity import run_identity
from sumabm.predict import predict
from sumabm.recorder import VARIABLES, columns_of
from sumabm.scenario import Scenario
from sumabm.types import Array


def stored_spec(run: xr.Dataset, data: Sequence[Path] = ()) -> Scenario:
    """Return the scenario of a stored run; raises RunError as `shelf.stored_scenario` does."""
    try:
        table = json.loads(run.attrs["scenario"])
    except (RecursionError, *DAMAGE) as error:
        raise RunError(f"its scenario cannot be read: {error!r}") from error
    return stored_scenario(table, data)


class Replay:
    """A stored run, played: see `show.Show`.

    A run does not store its worlds: those of the replicate on show come from simulating it again,
    bit for bit; ``note`` says why where that cannot be.
    """

    def __init__(
        self, run: xr.Dataset, spec: Scenario, step: int = 0, look: Look | None = None
    ) -> None:
        self.run = run
        self.spec = spec
        self.error = ""
        self.look = look or Look()
        self.look.show = self
        self.replicates = range(int(run["replicate"][0]), int(run["replicate"][-1]) + 1)
        self._columns = _columns(run)
        there = np.flatnonzero(run["harm"].notnull().any("replicate").values)
        self.length = int(there[-1]) + 1 if there.size else 0
        """Steps that the run has: fewer than its scenario's where it ended early."""
        self.steps = 0
        self._retakes: dict[tuple[int, str], Retake] = {}
        self.seek(step)

    @property
    def time(self) -> int:
        """The steps, as Mesa 3.5 shows them."""
        return self.steps

    @property
    def running(self) -> bool:
        """Whether there is a step to come, and somebody to see it."""
        return self.steps < self.length and not self.look.pace.closed

    def step(self) -> None:
        """Go one step on; from the end, begin anew."""
        self.look.pace.wait()
        if self.look.pace.closed:
            return
        self.seek(self.steps + 1 if self.running else 1)

    def seek(self, step: int) -> None:
        """Go to where so many steps are done, of those that there are."""
        self.steps = min(max(step, 0), self.length)

    def frame(self) -> Frame:
        """Return what panels draw now."""
        count, shown = self.steps, self._place
        columns = {name: values[:count] for name, values in self._columns.items() if count}
        ended = self.run.attrs["ended"] if count == self.length else ""
        return Frame(
            spec=self.spec,
            horizon=self.spec.steps,
            count=count,
            columns=columns,
            theory=self._theory,
            shown=shown,
            first=self.replicates.start,
            world=self._world(count, shown),
            events=events(self.spec, columns, shown, ended),
        )

    @property
    def _place(self) -> int:
        return min(max(self.look.shown, 0), len(self.replicates) - 1)

    def data(self) -> xr.Dataset:
        """Return the run as it is stored."""
        return self.run

    @property
    def note(self) -> str:
        """Why the world is not drawn; empty where it is."""
        retake = next(iter(self._retakes.values()), None)
        why = self._changed or (retake.over if retake else "")
        return f"The world is not drawn: {why}." if why else ""

    @property
    def behind(self) -> bool:
        """Whether another `frame` will have the world that the last one could not wait for."""
        return any(retake.behind for retake in self._retakes.values())

    def catch_up(self) -> None:
        """Simulate until the world of this step is there, or cannot be had."""
        while self.behind:
            self._world(self.steps, self._place)

    def _world(self, count: int, shown: int) -> Plane | States | None:
        if self._changed:
            return None
        key = (shown, self.look.ai)
        if key not in self._retakes:
            seed, replicate = int(self.run.attrs["seed"]), self.replicates[shown]
            self._retakes = {key: Retake(self.spec, seed, replicate, self.look.ai)}
        return self._retakes[key].at(count)

    @cached_property
    def _changed(self) -> str:
        """Why simulating it again would not be the same run; empty where it would."""
        try:
            identity = run_identity(self.spec, int(self.run.attrs["seed"]), self.replicates)
        except DAMAGE as error:
            return repr(error)
        if identity != self.run.attrs["identity"]:
            return "the run was made by another version, or with other plug-ins or data files"
        return ""

    @cached_property
    def _theory(self) -> dict[str, Array]:
        try:
            return predict(self.run, self.spec)
        except DAMAGE:  # a run made by another version may lack what theory starts from
            return {}


def _columns(run: xr.Dataset) -> dict[str, Array]:
    """Return a run's columns ``(T, R)`` by name, without those of agents that have none."""
    found = {}
    for variable in VARIABLES:
        for name, values in columns_of(run, variable).items() if variable in run else ():
            if "." not in name or not np.isnan(values).all():
                found[name] = values.T
    return found
