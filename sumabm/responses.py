"""What humans do after the AIs acted."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from sumabm.component import Component
from sumabm.view import View
from sumabm.worlds import Tilt


class Response(Component):
    """A human's act in answer to the AIs'.

    ``rectifies``: it moves the world towards where the step began, so that its β is the share of
    the AIs' displacement that it takes back; else what it does to the world is its own doing.
    """

    rectifies: ClassVar[bool] = False

    @abstractmethod
    def respond(self, me: str, view: View) -> Tilt | None:
        """Return what the human named ``me`` does to ``view.world``; None for nothing at all."""


class Undo(Response):
    """Moves the world back to where the step began, as far as its power reaches.

    The tilt with utility ``ln(P_before/Q)``, stopped at ``P_before``. In a Gaussian world it
    leaves the residual amplitude ``(sqrt(O_X) − sqrt(O_Y))₊`` of an AI's ``sqrt(O_X)``.
    """

    kind = "undo"
    rectifies: ClassVar[bool] = True
    cites = ("essay",)

    def respond(self, me: str, view: View) -> Tilt:
        """Return the step towards ``view.before``."""
        return view.world.toward(view.before, view.power[me])


class UndoHarm(Response):
    """Undoes what lowered its own expected utility, and lets the rest stand."""

    kind = "undo-harm"
    rectifies: ClassVar[bool] = True

    def respond(self, me: str, view: View) -> Tilt:
        """Return the step towards ``view.before`` in the replicates where ``E[u]`` fell."""
        own = view.utility[me]
        harmed = view.world.expect(own) < view.before.expect(own)
        return view.world.toward(view.before, np.where(harmed, view.power[me], 0.0))


class OwnUtility(Response):
    """Leaves the AIs' acts alone and tilts the world by its own utility."""

    kind = "own-utility"

    def respond(self, me: str, view: View) -> Tilt:
        """Return the tilt by its own utility at full power."""
        return view.world.tilt(view.utility[me], view.power[me])


class NoResponse(Response):
    """Does nothing."""

    kind = "none"

    def respond(self, me: str, view: View) -> None:
        """Return None."""
