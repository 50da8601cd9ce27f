"""The AI that learns from ratings: it infers what humans want from what they say they prefer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from sumabm.component import Objection
from sumabm.origins import Origin
from sumabm.ratings import Pairs, RatingBelief, Rationality, ask, too_wide
from sumabm.streams import Draw
from sumabm.turns import Subject, Turn, carried
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class PreferenceLearner(Origin[RatingBelief]):
    """Wants what it believes of v_Y, from humans' noisy ratings of pairs of outcomes.

    Each step they say of ``pairs`` pairs sampled from the base world which outcome they prefer, s
    to s' with probability ``1/(1 + exp(−β (u(s) − u(s'))))``. Its belief is Gaussian, see
    `RatingBelief`; its aim is the mean's direction, and random before it was told anything. A pair
    tells ln 2 nats at most. After T pairs alignment is that of `theory.preference_alignment` as
    d → ∞: ``sqrt(x/(1+x))`` with x proportional to T/d at first.

    An aligner's edit turns the belief's mean along with the aim, and leaves it as sure as it was:
    what it is told later pulls its aim about as if it had not been edited, so that an AI that still
    learns can end below one that does not.
    """

    kind = "preference"
    stochastic: ClassVar[bool] = True
    learns: ClassVar[bool] = True

    pairs: Pairs = 10
    rationality: Rationality = 1.0

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what no learner can do, and more dimensions than a covariance is kept of."""
        yield from super().objections(scenario, agent)
        yield from too_wide(scenario, self.kind)

    def start(self, base: World, draw: Draw) -> Array:
        """Return the utility of one that was told nothing: random, isotropic where whitened."""
        return base.colour(draw.normal(base.width))

    def begin(self, me: str, view: View, aim: Array, draw: Draw) -> tuple[Array, RatingBelief]:
        """Return the random aim, and the prior."""
        return aim, RatingBelief.prior(len(aim), view.base)

    def learn(
        self, me: str, view: View, aim: Array, state: Any, draw: Draw
    ) -> tuple[Array, RatingBelief]:
        """Return the mean direction of the belief after this step's ratings, and the belief."""
        answers = ask(view.base, view.goal, self.pairs, self.rationality, draw)
        belief: RatingBelief = state.told(answers, self.rationality)
        return belief.direction(aim), belief

    def certainty(self, dimensions: int, state: Any) -> Array | None:
        """Return the belief's own expected cosine with v_Y, 0 before any rating; None at first."""
        return None if state is None else state.certainty(dimensions)

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> RatingBelief:
        """Return the belief with its mean turned as the aim was."""
        return RatingBelief(carried(turn, before, after, state.mean), state.covariance)
