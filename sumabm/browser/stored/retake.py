"""One replicate of a stored run simulated again, for what no run stores: how its world moved."""

from __future__ import annotations

import threading
import time

from sumabm.browser.frame import Plane, States
from sumabm.browser.scene import scene
from sumabm.model import SUMModel
from sumabm.scenario import Scenario

MOST_SCENES = 2000
"""Steps of which the world is kept, at most."""

_MOST_BYTES = 64_000_000  # of those
_SECONDS = 5.0  # of simulation, in all
_AT_ONCE = 0.25  # and in one call


class Retake:
    """The worlds of one replicate by step, simulated as they are asked for and kept.

    A page may ask from several threads. ``over`` says why there will be no more of them, and is
    empty until then; ``behind`` whether the last one asked for takes another call.
    """

    def __init__(self, spec: Scenario, seed: int, replicate: int, ai: str | None = None) -> None:
        self._given = (spec, range(replicate, replicate + 1), seed)
        self._ai = ai
        self._model: SUMModel | None = None
        self._kept: dict[int, Plane | States | None] = {}
        self._stride = 1
        self._left = _SECONDS
        self._lock = threading.Lock()
        self.behind = False
        self.over = ""

    def at(self, steps: int) -> Plane | States | None:
        """Return the world after so many steps, or as the replicate's last step left it.

        None before any step, and where simulating up to there takes longer than a call may
        (``behind``) or than all calls together may (``over``).
        """
        with self._lock:
            self.behind = False
            if steps < 1:
                return None
            if steps in self._kept:
                return self._kept[steps]
            if self.over:
                return None
            try:
                return self._simulated(steps)
            except Exception as error:  # a page has to go on
                self.over = f"simulating it again failed: {type(error).__name__}: {error}"
                return None

    def _simulated(self, steps: int) -> Plane | States | None:
        began = time.perf_counter()
        if self._model is None or self._model.steps > steps:
            self._model = SUMModel(*self._given)
            self._model.collects = False
        model, spent = self._model, 0.0
        while model.steps < steps and model.running and spent < min(_AT_ONCE, self._left):
            model.step()
            if model.steps % self._stride == 0:
                self._keep(model.steps, scene(model, 0, self._ai))
            spent = time.perf_counter() - began
        self._left -= spent
        if self._left <= 0.0:
            self.over = "simulating it again takes too long"
        self.behind = model.running and model.steps < steps and not self.over
        if model.running and model.steps < steps:
            return None
        return self._kept[model.steps] if model.steps in self._kept else scene(model, 0, self._ai)

    def _keep(self, steps: int, world: Plane | States | None) -> None:
        """Keep a world; where there are too many, every other one goes."""
        self._kept[steps] = world
        size = 24 * len(world.base) if isinstance(world, States) else 1
        if len(self._kept) > min(MOST_SCENES, max(_MOST_BYTES // size, 2)):
            self._stride *= 2
            self._kept = {n: kept for n, kept in self._kept.items() if n % self._stride == 0}
