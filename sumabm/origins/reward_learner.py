"""The inverse reinforcement learner: it infers from what humans do what they want."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from sumabm import sphere
from sumabm.origins import Origin
from sumabm.origins.imitator import along, demonstrated
from sumabm.streams import Draw
from sumabm.turns import Subject, Turn, carried
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World


class RewardLearner(Origin[Array]):
    """Holds a belief on v_Y, from what humans show it every step, and wants its mean.

    In each step it sees n samples s of a copy of the base world, of mean μ, that the humans, as
    one, have tilted along v_Y by the sum O_Y of their powers. From a uniform prior its belief is
    von Mises–Fisher, ``η ← η + a Σ_j (s_j − μ)``, ``a = sqrt(2O_Y)``: exact in a Gaussian world
    where v_Y stays, to first order in sqrt(O_Y) in others. Its aim is the belief's mean direction,
    and random before it has seen anything. After T steps the mean alignment is ``E A_d(R|s|)``,
    ``R² = 2nTO_Y``, ``s ~ N(R e, I)``; ``sqrt(x/(1+x))``, ``x = 2nTO_Y/d``, as d → ∞.

    It is as certain as its belief, ``A_d(|η|)``, by which it is neither bold nor shy on average.
    An aligner's edit turns the belief along with the aim, as if it had seen as much of the utility
    that it is turned to; what it sees later adds to that.
    """

    kind = "reward-learner"
    stochastic: ClassVar[bool] = True
    cites = ("mardia-jupp-2000", "dytso-2018")
    learns: ClassVar[bool] = True

    looks: Annotated[
        int, Field(ge=1, le=1_000_000, description="samples of the humans' world seen per step")
    ] = 1

    def start(self, base: World, draw: Draw) -> Array:
        """Return the utility of one that has seen nothing: random, isotropic where whitened."""
        return base.colour(draw.normal(base.width))

    def begin(self, me: str, view: View, aim: Array, draw: Draw) -> tuple[Array, Array]:
        """Return the random aim, and the uniform prior."""
        return aim, np.zeros_like(aim)

    def learn(self, me: str, view: View, aim: Array, state: Any, draw: Draw) -> tuple[Array, Array]:
        """Return the mean direction of the posterior, and its η."""
        seen, amplitude = demonstrated(view, draw, self.looks)
        eta = state + (self.looks * amplitude)[:, None] * seen
        return along(eta, aim), eta

    def certainty(self, dimensions: int, state: Any) -> Array | None:
        """Return ``A_d(|η|)``, 0 before it has seen anything; None before it has begun."""
        if state is None:
            return None
        return np.asarray(sphere.mean_cosine(dimensions, np.sqrt(np.vecdot(state, state))))

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> Array:
        """Return η turned as the aim was."""
        return carried(turn, before, after, state)
