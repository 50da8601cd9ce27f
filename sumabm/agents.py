"""Mesa agents: thin, holding their components and these components' per-replicate state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from sumabm.aligners import Belief, Edit
from sumabm.behaviours import Act
from sumabm.scenario import AISpec, AlignerSpec, HumanSpec
from sumabm.turns import Subject, Turn
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import Tilt, World

if TYPE_CHECKING:
    from sumabm.model import SUMModel


class SUMAgent(mesa.Agent):
    """An agent of a scenario, known by its ``name``."""

    model: SUMModel

    def __init__(self, model: SUMModel, name: str) -> None:
        super().__init__(model)
        self.name = name


class Actor(SUMAgent):
    """An agent that acts on the world.

    ``power (R,)`` is nats this step; ``utility (R, d)`` as the world takes it, of unit standard
    deviation under the base world.
    """

    spec: AISpec | HumanSpec
    power: Array
    utility: Array

    def __init__(self, model: SUMModel, name: str, spec: AISpec | HumanSpec, base: World) -> None:
        super().__init__(model, name)
        self.spec = spec
        self._base = base
        self.grow(0)

    def grow(self, step: int) -> None:
        """Take the power of ``step``."""
        self.power = np.full(len(self.model.replicates), self.spec.power.nats(step))

    def _first_aim(self) -> Array:
        """Return the utility in whitened coordinates, unit length ``(R, d)``."""
        draw = self.model.streams.draw(self.name, "utility")
        utility = self.spec.utility.start(self._base, draw)
        aim = self._base.whiten(utility / np.abs(utility).max(axis=-1, keepdims=True))
        aim = aim / np.abs(aim).max(axis=-1, keepdims=True)  # so that no square leaves the floats
        aim = aim / np.sqrt(np.vecdot(aim, aim))[..., None]
        return np.broadcast_to(aim, (len(self.model.replicates), self._base.width))


class AI(Actor):
    """An AI: ``subject`` is the utility that aligners turn, in whitened coordinates."""

    spec: AISpec

    def __init__(self, model: SUMModel, name: str, spec: AISpec, base: World) -> None:
        super().__init__(model, name, spec, base)
        self.subject = Subject(self._first_aim(), np.zeros(len(model.replicates)))
        self.utility = base.colour(self.subject.aim)
        self._draw = model.streams.draw(name, "behaviour")
        self._state: Any = None

    def begin(self, view: View) -> None:
        """Set up the behaviour's state, once all agents are there."""
        self._state = self.spec.behaviour.start(self.name, view, self._draw)

    def act(self, view: View) -> Act:
        """Return what the AI does this step."""
        act, self._state = self.spec.behaviour.act(self.name, view, self._state, self._draw)
        return act

    def turn(self, turn: Turn) -> None:
        """Let an aligner's edit turn the utility."""
        self.subject = turn.apply(self.subject)
        self.utility = self._base.colour(self.subject.aim)


class Human(Actor):
    """A human: whose utility counts, and who responds. ``aim`` is the whitened utility."""

    spec: HumanSpec

    def __init__(self, model: SUMModel, name: str, spec: HumanSpec, base: World) -> None:
        super().__init__(model, name, spec, base)
        self.aim = self._first_aim()
        self.utility = base.colour(self.aim)

    def respond(self, view: View) -> Tilt | None:
        """Return what the human does after the AIs acted."""
        return self.spec.response.respond(self.name, view)


class Aligner(SUMAgent):
    """An aligner: sees the acts of the AIs it oversees, holds beliefs, makes edits."""

    def __init__(self, model: SUMModel, name: str, spec: AlignerSpec) -> None:
        super().__init__(model, name)
        self.spec = spec
        self.ais = model.spec.overseen(name)
        self._draws = {ai: model.streams.draw(name, f"method {ai}") for ai in self.ais}
        self._state: Any = None

    def begin(self, view: View) -> None:
        """Set up the method's state, once all agents are there."""
        self._state = self.spec.method.start(self.ais, view)

    def look(self, view: View) -> None:
        """Watch this step's acts."""
        self._state = self.spec.method.look(self.ais, view, self._state, self._draws)

    def edit(self, view: View) -> Mapping[str, Edit]:
        """Return the edits of this step, by AI."""
        return self.spec.method.edit(self.ais, view, self._state)

    def turned(self, ai: str, turn: Turn) -> None:
        """Learn that ``ai``'s utility was turned, by whomever; the method knows if it matters."""
        self._state = self.spec.method.turned(ai, turn, self._state)

    def settle(self, view: View) -> None:
        """Take note of how the step ended."""
        self._state = self.spec.method.settled(view, self._state)

    def belief(self, ai: AI, view: View) -> Belief | None:
        """Return what it knows of an AI that it oversees."""
        return self.spec.method.belief(ai.name, view, ai.subject.nats, self._state)
