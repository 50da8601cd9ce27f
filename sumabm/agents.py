"""Mesa agents: thin, holding their components and these components' per-replicate state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.behaviours import Act
from sumabm.roles import AISpec, AlignerSpec, HumanSpec
from sumabm.streams import Draw, Draws
from sumabm.turns import Nudge, Subject, Turn, extended, nudged
from sumabm.types import Array
from sumabm.view import Reading, Sight, View
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
        self.power = np.full(len(model.replicates), np.nan)
        self.grow(0)

    def grow(self, step: int) -> None:
        """Take the power of ``step``: the same array as before if it has not changed."""
        nats = self.spec.power.nats(step)
        if not (self.power == nats).all():
            self.power = np.full(len(self.model.replicates), nats)

    def _first_aim(self) -> Array:
        """Return the utility in whitened coordinates, unit length ``(R, d)``."""
        origin, streams = self.spec.utility, self.model.streams
        utility = origin.start(self._base, streams.draw(self.name, "utility"))
        utility = origin.akin(self._base, utility, lambda name: streams.draw(name, "family"))
        aim = self._base.whiten(utility / np.abs(utility).max(axis=-1, keepdims=True))
        if getattr(self.model.spec.world, "left_turn", None) is not None:
            later = np.arange(self._base.width) >= self._base.dimensions
            self._new = self._of_unit_length(np.where(later, aim, 0.0))
            aim = np.where(later, 0.0, aim)
        return self._of_unit_length(aim)

    def _of_unit_length(self, aim: Array) -> Array:
        aim = aim / np.abs(aim).max(axis=-1, keepdims=True)  # so that no square leaves the floats
        aim = aim / np.sqrt(np.vecdot(aim, aim))[..., None]
        return np.broadcast_to(aim, (len(self.model.replicates), self._base.width))


class AI(Actor):
    """An AI: ``subject`` is the utility that aligners turn, in whitened coordinates.

    ``undone (R,)`` are the nats spent on it, as aligners think, that it did not let take effect;
    ``turned (R,)`` is where its time had come when it last acted, None if it waits for nothing.
    """

    spec: AISpec

    def __init__(self, model: SUMModel, name: str, spec: AISpec, base: World) -> None:
        super().__init__(model, name, spec, base)
        self.subject = Subject(self._first_aim(), np.zeros(len(model.replicates)))
        self.utility = base.colour(self.subject.aim)
        self.undone = np.zeros(len(model.replicates))
        self.turned: NDArray[np.bool_] | None = None
        self._draw = model.streams.draw(name, "behaviour")
        self._draw_unwatched = model.streams.draw(name, "behaviour unwatched")
        self._state: Any = None
        self._draw_learning = model.streams.draw(name, "learning")
        self._learnt: Any = None

    def begin(self, view: View) -> None:
        """Set up what the origin and the behaviour know, once all agents are there."""
        origin = self.spec.utility
        aim, self._learnt = origin.begin(self.name, view, self.subject.aim, self._draw_learning)
        self.adopt(aim)
        view = self.model.view(self)
        self._state = self.spec.behaviour.start(self.name, view, self._draw)

    @property
    def certainty(self) -> Mapping[str, Array]:
        """The cosine that the AI expects its aim to have with the goal, by its name, if it says."""
        if self._learnt is None:  # nothing yet
            return {}
        expected = self.spec.utility.certainty(self._base.dimensions, self._learnt)
        return {} if expected is None else {self.name: expected}

    def report(self) -> dict[str, Array]:
        """Return what the origin has to say of what it knows, by column, each ``(R,)``."""
        columns: dict[str, Array] = {}
        found = self.spec.utility.report(self.subject.aim, self.model.goal, self._learnt)
        for variable, values in found.items():
            column = f"{variable}.{self.name}"
            if values.ndim == 1:
                columns[column] = values
            else:
                columns |= {f"{column}.{place}": own for place, own in enumerate(values.T)}
        return columns

    def reading(self, noise: float, draw: Draw, parts: bool) -> Reading:
        """Return the aim as a probe reads it, or as it is pooled from readings of its parts."""
        error = noise * self.spec.utility.parts_error(self._learnt) if parts else noise
        scale = np.atleast_1d(error / np.sqrt(self._base.dimensions))[:, None]
        return Reading(self.subject.aim + scale * draw.normal(self._base.width), error)

    def learn(self, view: View) -> None:
        """Let the origin make what it can of the step."""
        origin, aim = self.spec.utility, self.subject.aim
        aim, self._learnt = origin.learn(self.name, view, aim, self._learnt, self._draw_learning)
        self.adopt(aim)

    def adopt(self, aim: Array) -> None:
        """Take another aim, whose place in any law must be found anew."""
        if aim is not self.subject.aim:
            self.subject = Subject(aim, self.subject.nats)
            self.utility = self._base.colour(aim)

    def act(self, view: View) -> Act:
        """Return what the AI does this step."""
        act, self._state = self.spec.behaviour.act(self.name, view, self._state, self._draw)
        self.turned = self.spec.behaviour.has_turned(view, self._state)
        return act

    def unwatched(self, view: View) -> Act:
        """Return what the AI would do this step if it thought that nobody looked."""
        behaviour = self.spec.behaviour
        return behaviour.unwatched(self.name, view, self._state, self._draw_unwatched)

    def taken(self, turn: Turn) -> Turn:
        """Return what of an aligner's edit takes effect."""
        taken = self.spec.behaviour.taken(turn)
        if taken is not turn and isinstance(turn, Nudge) and isinstance(taken, Nudge):
            self.undone = self.undone + (turn.nats - taken.nats)
        return taken

    def become(self, subject: Subject, turn: Turn) -> None:
        """Take the utility that a turn led to."""
        before, self.subject = self.subject, subject
        self.utility = self._base.colour(subject.aim)
        self._state = self.spec.behaviour.turned(turn, before, subject, self._state)
        self._learnt = self.spec.utility.turned(turn, before, subject, self._learnt)

    def extend(self, share: float) -> None:
        """Let the utility extend to new dimensions, which get a ``share`` of its squared length."""
        aim = extended(self.subject.aim, self._new, share)
        self.subject = Subject(aim, self.subject.nats)  # its place in the law must be found anew
        self.utility = self._base.colour(aim)


def turn_all(edits: Mapping[AI, Sequence[Turn]]) -> None:
    """Let edits turn the AIs' utilities, each AI's in order, as far as its behaviour takes them."""
    for place in range(max(map(len, edits.values()), default=0)):
        taken = {ai: ai.taken(turns[place]) for ai, turns in edits.items() if place < len(turns)}
        nudges = {ai: turn for ai, turn in taken.items() if isinstance(turn, Nudge)}
        after = nudged(list(nudges.values()), [ai.subject for ai in nudges]) if nudges else []
        led = dict(zip(nudges, after, strict=True))
        for ai, turn in taken.items():
            ai.become(led[ai] if ai in led else turn.apply(ai.subject), turn)


class Human(Actor):
    """A human: whose utility counts, and who responds. ``aim`` is the whitened utility."""

    spec: HumanSpec

    def __init__(self, model: SUMModel, name: str, spec: HumanSpec, base: World) -> None:
        super().__init__(model, name, spec, base)
        self.aim = self._first_aim()
        self.utility = base.colour(self.aim)

    def extend(self, share: float) -> None:
        """Let the utility extend to new dimensions, which get a ``share`` of its squared length."""
        self.aim = extended(self.aim, self._new, share)
        self.utility = self._base.colour(self.aim)

    def respond(self, view: View) -> Tilt | None:
        """Return what the human does after the AIs acted."""
        return self.spec.response.respond(self.name, view)


def shares_of(humans: Sequence[Human]) -> list[Array]:
    """Return each human's share ``(R,)`` of their power; equal ones where they have none."""
    total = sum((human.power for human in humans), np.zeros_like(humans[0].power))
    there, equal = total > 0.0, 1.0 / len(humans)
    return [np.where(there, human.power / np.where(there, total, 1.0), equal) for human in humans]


def mean_aim(humans: Sequence[Human], otherwise: Array | None) -> Array:
    """Return the direction ``(R, w)`` of the humans' power-weighted mean utility, whitened.

    ``otherwise`` where it has none; raises ValueError where that is None.
    """
    if len(humans) == 1:
        return humans[0].aim
    weighted = zip(shares_of(humans), humans, strict=True)
    mean = sum((share[:, None] * human.aim for share, human in weighted), np.zeros(()))
    length = np.sqrt(np.vecdot(mean, mean))
    cancelled = (length < 1e-12)[:, None]
    if np.any(cancelled):
        if otherwise is None:
            raise ValueError(
                "the humans' utilities cancel: their power-weighted mean has no direction"
            )
        mean = np.where(cancelled, otherwise, mean)
        length = np.where(cancelled[:, 0], 1.0, length)
    return np.asarray(mean / length[:, None])


class Aligner(SUMAgent):
    """An aligner: sees the acts of the AIs it oversees, holds beliefs, makes edits.

    It serves ``humans``: aims at their power-weighted mean utility. It ``looks``, ``hears`` of
    edits or ``settles`` if its method does more there than nothing.
    """

    def __init__(self, model: SUMModel, name: str, spec: AlignerSpec) -> None:
        super().__init__(model, name)
        self.spec = spec
        self.ais = model.spec.overseen(name)
        self.humans = model.spec.served(name)
        self._draws = Draws(lambda what: model.streams.draw(name, f"method {what}"))
        self._state: Any = None
        method = type(spec.method)
        self.looks = method.look is not AlignerMethod.look
        self.hears = method.turned is not AlignerMethod.turned
        self.settles = method.settled is not AlignerMethod.settled

    @cached_property
    def audits(self) -> Mapping[str, Callable[[], Sight]]:
        """Looks at what each AI would do if nobody looked, once the AIs are there."""
        return {ai: partial(self.model.audit, ai) for ai in self.ais}

    @cached_property
    def readings(self) -> Mapping[str, Callable[[float, Draw, bool], Reading]]:
        """Readings of each AI's aim, once the AIs are there."""
        return {ai: self.model.ais[ai].reading for ai in self.ais}

    @property
    def mind(self) -> object:
        """What it knows of an AI by: its state, or the method that it shares with its like."""
        return id(self.spec.method) if self._state is None else id(self)

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

    def grow(self, before: int, share: float, view: View) -> None:
        """Learn that aims extend from ``before`` dimensions to all that ``view.base`` has."""
        self._state = self.spec.method.grown(before, share, view, self._state)

    def belief(self, ai: AI, view: View) -> Belief | None:
        """Return what it knows of an AI that it oversees."""
        return self.spec.method.belief(ai.name, view, ai.subject.nats + ai.undone, self._state)
