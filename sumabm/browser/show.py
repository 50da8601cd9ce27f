"""What a page plays: a live run or a stored one, step by step, as Mesa's page takes a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import xarray as xr

from sumabm.browser.frame import Frame
from sumabm.browser.look import Look
from sumabm.scenario import Scenario


class Show(Protocol):
    """A run that is played; Mesa's page calls `step` while it is ``running``."""

    spec: Scenario
    error: str
    """Why it stopped, where something went wrong; else empty."""
    look: Look
    """What the viewer looks at; the newest show notes itself there."""

    @property
    def steps(self) -> int:
        """Steps done so far."""

    @property
    def time(self) -> int:
        """The steps, as Mesa 3.5 shows them."""

    @property
    def running(self) -> bool:
        """Whether there is a step to come."""

    @property
    def behind(self) -> bool:
        """Whether `catch_up` brings a world that the last frame could not wait for."""

    @property
    def note(self) -> str:
        """Why a world is not drawn; empty where it is."""

    @property
    def seek(self) -> Callable[[int], None] | None:
        """What goes to where so many steps are done, forth or back; None where that can't be."""

    def step(self) -> None:
        """Go one step on; what goes wrong is kept in ``error``, and nothing is raised."""

    def catch_up(self) -> None:
        """Work until the world of this step is there, or cannot be had."""

    def frame(self) -> Frame:
        """Return what panels draw now; safe to call from another thread than `step`."""
        ...

    def data(self) -> xr.Dataset:
        """Return what can be taken along: of a live run all so far, of a stored one all of it."""
        ...
