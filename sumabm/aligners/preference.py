"""The aligner that does not know what humans want: it nudges towards what their ratings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.component import Objection
from sumabm.ratings import Pairs, RatingBelief, Rationality, ask, too_wide
from sumabm.streams import Draw
from sumabm.turns import Nudge, Rotation, Subject, Turn
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Rated:
    """What the aligner knows: of v_Y by the ``ratings``, of each AI by its ``typical`` one.

    An AI's aim is uniform for all it knows. ``typical`` is what the known edits make of one that
    was at right angles to all of their goals: a unit vector ``(R, w + 1)``, whose last coordinate
    is along what is not known. Its others are the AI's expected aim, but for a part of order 1/d.
    """

    ratings: RatingBelief
    typical: Mapping[str, Subject]


class Preference(AlignerMethod[Rated]):
    """Tilts the law of the AI's utility by ι nats a step towards what ratings tell of v_Y.

    Humans rate ``pairs`` pairs of outcomes a step, with noise, which tells ln 2 nats a pair at
    most; v_Y itself it does not know. It nudges each AI, of whose aim it knows no more than the
    budget aligner does, towards the mean direction of its Gaussian belief on v_Y, see
    `RatingBelief`. As that direction moves the AI's quantile is found anew: an AI at cosine c to
    the new direction, below the A of those on whom D nats were well spent, gains
    ``c(1 + A²)/(A(1 + Ac)) ι`` nats (d → ∞), never more than the ι that it is charged. So nudges
    on the way to a wrong mean are partly wasted, alignment is below the essay's ``A_d(κ(D))``, and
    it saturates at that of the belief with v_Y.
    """

    kind = "preference"
    nudges: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True

    pairs: Pairs = 10
    rationality: Rationality = 1.0

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what no nudge can do, and more dimensions than a covariance is kept of."""
        yield from super().objections(scenario, agent)
        yield from too_wide(scenario, self.kind)

    def start(self, ais: tuple[str, ...], view: View) -> Rated:
        """Return the prior on v_Y, and AIs of which nothing is known."""
        rows, w = view.goal.shape
        unknown = np.zeros((rows, w + 1))
        unknown[:, -1] = 1.0
        nobody = Subject(unknown, np.zeros(rows))
        return Rated(RatingBelief.prior(rows, view.base), dict.fromkeys(ais, nobody))

    def look(
        self, ais: tuple[str, ...], view: View, state: Rated, draw: Mapping[str, Draw]
    ) -> Rated:
        """Return what is known after this step's ratings, of which all AIs' edits make use."""
        if not ais:
            return state
        answers = self._answers(view, draw[ais[0]])
        return replace(state, ratings=state.ratings.told(answers, self.rationality))

    def _answers(self, view: View, draw: Draw) -> Array:
        """Return the humans' answers: here alone the goal is used, and seen no further."""
        return ask(view.base, view.goal, self.pairs, self.rationality, draw)

    def edit(self, ais: tuple[str, ...], view: View, state: Rated) -> dict[str, Edit]:
        """Return a nudge of ι nats towards the belief's mean for each AI, none where it has none.

        That can be where both outcomes of every pair were the same state.
        """
        mean = state.ratings.mean
        towards = state.ratings.direction(np.eye(1, mean.shape[-1]))
        nats = {ai: np.where(mean.any(axis=-1), view.budget[ai], 0.0) for ai in ais}
        return {ai: Edit(Nudge(nats[ai], towards, view.base.dimensions), nats[ai]) for ai in ais}

    def turned(self, ai: str, turn: Turn, state: Rated) -> Rated:
        """Return the state with the edit made to the typical AI too, if it knows what it does."""
        if ai not in state.typical or not isinstance(turn, Nudge | Rotation):
            return state
        after = _with_room(turn).apply(state.typical[ai])
        return replace(state, typical={**state.typical, ai: after})

    def belief(self, ai: str, view: View, spent_on: Array, state: Any) -> Belief:
        """Return the nats spent on the AI, and the expected cosine of its aim with v_Y.

        The AI's expected aim along the belief's mean, times the belief's certainty: what is left of
        v_Y and of the aim has no direction, given the ratings.
        """
        ratings: RatingBelief = state.ratings
        aim = state.typical[ai].aim[:, :-1]
        along = np.vecdot(aim, ratings.direction(np.zeros_like(aim)))
        return Belief(spent_on, along * ratings.certainty(view.base.dimensions))


def _with_room(turn: Nudge | Rotation) -> Turn:
    """Return the turn in one more dimension, which it leaves alone."""
    if isinstance(turn, Nudge):
        return replace(turn, goal=_padded(turn.goal))
    return replace(turn, first=_padded(turn.first), second=_padded(turn.second))


def _padded(vectors: Array) -> Array:
    return np.pad(vectors, ((0, 0), (0, 1)))
