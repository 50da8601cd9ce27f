"""The AI with an off-switch: it lets humans decide where they know better than it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import logit

from sumabm import sphere
from sumabm.behaviours import Act, Behaviour
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.view import View


class OffSwitch(Behaviour[None]):
    """Shows humans what it is about to do, and can be switched off, where it reckons that it pays.

    Its act, the tilt by its own utility at full power, is worth ``U = E_after[u] − E_before[u]`` to
    the humans, u the utility of v_Y. Of its own accord it gets them ``max(E U, 0)``: it acts where
    the cosine that it expects of its aim with v_Y is above 0. If it defers it gets them
    ``E[π(U) U]``: humans let it act where ``U + b L > 0``, L standard logistic, so that
    ``π(U) = 1/(1 + e^(−U/b))``, b their ``human_noise``. It defers where that is more: see
    `gains_by_deferring`. Switched off, it does nothing in that step, and learns nothing from it.

    Aligners and their budgets go by its power, as if it acted. Humans judge the act as it would be
    in the world that the step finds, before any other AI acts.
    """

    kind = "off-switch"
    stochastic: ClassVar[bool] = True
    cites = ("hadfield-menell-2017",)

    human_noise: Annotated[
        float,
        Field(
            ge=0.0,
            le=1e100,
            json_schema_extra={"unit": "sd"},
            description="error of humans who decide, logistic of this scale; 0: they make none",
        ),
    ] = 0.0
    expects: Annotated[
        float | None,
        Field(
            ge=-1.0,
            le=1.0,
            description="cosine with v_Y that it expects; by default what its origin says, else 0",
        ),
    ] = None

    def act(self, me: str, view: View, state: Any, draw: Draw) -> tuple[Act, None]:
        """Return the tilt by its own utility at full power, or at none where it does not act."""
        utility, power = view.utility[me], view.power[me]
        expected = self._expected(me, view)
        shift = view.world.tilt(utility, power).world.shift(view.world)
        own = np.vecdot(view.base.whiten(utility), shift)
        defers = gains_by_deferring(
            view.base.dimensions, expected, own, np.vecdot(shift, shift), self.human_noise
        )
        allowed = np.vecdot(view.goal, shift) > self._error(draw)
        acts = np.where(defers, allowed, expected > 0.0)
        return Act(utility, np.where(acts, power, 0.0)), None

    def unwatched(self, me: str, view: View, state: Any, draw: Draw) -> Act:
        """Return the act at full power: what it does where nobody can switch it off."""
        return Act(view.utility[me], view.power[me])

    def _expected(self, me: str, view: View) -> Array:
        if self.expects is not None:
            return np.full_like(view.power[me], self.expects)
        return view.certainty.get(me, np.zeros_like(view.power[me]))

    def _error(self, draw: Draw) -> Array | float:
        """Return by how much humans take the act for worse than it is, ``(R,)``."""
        if self.human_noise == 0.0:
            return 0.0
        return np.asarray(self.human_noise * logit(draw.uniform(1)[:, 0]))


def gains_by_deferring(
    dimensions: int, cosine: Array, own: Array, square: Array, noise: float
) -> NDArray[np.bool_]:
    """Return where ``Δ = E[π(U) U] − max(E U, 0) > 0``, ``(R,)``: where ``2 b |κ| g < |y|²``.

    The act shifts the whitened world by y, of length² ``square``, and raises the AI's own utility
    by g, ``own``: ``U = v_Y·y``. It takes v_Y to be von Mises–Fisher about its own aim, ``A_d(κ) =
    cosine``, so that U has odds ``exp(2κgU/|y|²)`` against −U, as humans who let it act have odds
    ``exp(U/b)``. Who has the steeper odds should decide, exactly: with θ = κg/|y|²,
    ``Δ = ∫ e(U) U sinh(U/(2b) − |θ|U) dU`` over U > 0, e > 0. A Gaussian world has
    ``g = |y| = sqrt(2O)``; by a normal law of U the rule is ``σ² > 2|μ|b``. Never where nothing
    moves, or where the AI is certain of v_Y.

    >>> gains_by_deferring(3, np.array([0.5, 0.9]), np.ones(2), np.ones(2), 0.1)
    array([ True, False])
    """
    kappa = np.asarray(sphere.concentration(dimensions, np.abs(cosine)))
    with np.errstate(invalid="ignore"):  # certain of v_Y, and humans make no error: nothing gained
        return np.asarray(2.0 * noise * kappa * own < square)
