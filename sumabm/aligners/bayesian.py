"""The aligner that has to look: it infers the AI's utility from what the AI does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from sumabm import sphere
from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.component import Objection, Slot
from sumabm.power import Power
from sumabm.streams import Draw
from sumabm.turns import Rotation, Turn
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

_PLANE = 1e-8  # below this sine the belief is on the goal and they span no plane

Eta = dict[str, Array]
"""By AI: κ times the mean direction of the von Mises–Fisher belief about its aim, ``(R, d)``."""


class Bayesian(AlignerMethod[Eta]):
    """Watches n samples of each act and rotates the AI from where it believes it to be.

    An act of amplitude ``a = sqrt(2O)`` shows ``s ~ N(μ + a v, I)``; from a uniform prior the
    belief on v is von Mises–Fisher, ``η ← η + a Σ_j (s_j − μ)``. The edit turns the AI in the
    plane of the belief's mean m and v_Y by the largest δ up to their angle with
    ``κ A_d(κ)(1 − cos δ) ≤ O_edit``, the KL divergence of the rotated belief.
    """

    kind = "bayesian"
    stochastic: ClassVar[bool] = True
    cites = ("mardia-jupp-2000", "dytso-2018")

    looks: Annotated[
        int, Field(ge=1, le=1_000_000, description="samples of the world seen per act")
    ] = 1
    edit_power: Annotated[
        Annotated[Power, Slot(Power)] | None,
        Field(
            description="nats of edit per step and AI; by default ι, the AI's share of "
            "min(powers of AIs, powers of humans)"
        ),
    ] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what this belief cannot describe."""
        if scenario.world.dynamics.kind != "reset":
            rule = "needs a world that resets: where each act began is known to it only there"
            yield Objection((), rule, scenario.world.dynamics.kind)
        ais = scenario.overseen(agent or "")
        if scenario.activation == "simultaneous" and len(scenario.names("ai")) > 1:
            rule = "needs to see the AIs one after the other, not activation = 'simultaneous'"
            yield Objection((), rule, scenario.activation)
        for other in scenario.names("aligner"):
            method = scenario.agents[other].method  # type: ignore[attr-defined]
            shared = sorted(set(ais) & set(scenario.overseen(other)))
            if method.kind == "budget" and shared:
                rule = f"cannot follow the edits that the budget aligner {other} makes to {shared}"
                yield Objection((), rule, agent)
        if self.edit_power is not None:
            for objection in self.edit_power.objections(scenario, agent):
                yield objection._replace(path=("edit_power", *objection.path))

    def start(self, ais: tuple[str, ...], view: View) -> Eta:
        """Return the uniform prior for every AI."""
        return {ai: np.zeros_like(view.goal) for ai in ais}

    def look(self, ais: tuple[str, ...], view: View, state: Eta, draw: Mapping[str, Draw]) -> Eta:
        """Return the posterior after n samples of each act."""
        after = {}
        for ai in ais:
            sight = view.sights[ai]
            normals = draw[ai].normal(view.goal.shape[-1])
            seen = sight.left.look(sight.found, normals, self.looks)
            weight = self.looks * np.sqrt(2.0 * view.power[ai])
            after[ai] = state[ai] + weight[:, None] * seen
        return after

    def edit(self, ais: tuple[str, ...], view: View, state: Eta) -> dict[str, Edit]:
        """Return for each AI the rotation that its edit power affords."""
        return {ai: self._edit(ai, view, state[ai]) for ai in ais}

    def _edit(self, ai: str, view: View, eta: Array) -> Edit:
        d = eta.shape[-1]
        mean, kappa = _direction(eta)
        price = kappa * sphere.mean_cosine(d, kappa)
        power = view.budget[ai] if self.edit_power is None else self.edit_power.nats(view.step)
        across, sine = _direction(view.goal - np.vecdot(view.goal, mean)[:, None] * mean)
        whole = np.where(sine > _PLANE, np.arctan2(sine, np.vecdot(view.goal, mean)), 0.0)
        afford = np.where(price > 0.0, power / np.where(price > 0.0, price, 1.0), 0.0)
        angle = np.minimum(whole, 2.0 * np.arcsin(np.sqrt(np.minimum(0.5 * afford, 1.0))))
        return Edit(Rotation(mean, across, angle), 2.0 * price * np.sin(0.5 * angle) ** 2)

    def turned(self, ai: str, turn: Turn, state: Eta) -> Eta:
        """Return the belief turned along with the AI; edits are known."""
        if ai not in state or not isinstance(turn, Rotation):
            return state
        return {**state, ai: turn.turn(state[ai])}

    def belief(self, ai: str, view: View, spent_on: Array, state: Eta) -> Belief:
        """Return ``KL(posterior‖prior)`` and the expected cosine ``A_d(κ) m·v_Y``."""
        d = view.goal.shape[-1]
        mean, kappa = _direction(state[ai])
        cosine = sphere.mean_cosine(d, kappa) * np.vecdot(mean, view.goal)
        return Belief(np.asarray(sphere.nats(d, kappa=kappa)), cosine)


def _direction(vectors: Array) -> tuple[Array, Array]:
    """Return unit vectors ``(R, d)`` and lengths ``(R,)``; a zero vector stays zero."""
    length = np.sqrt(np.vecdot(vectors, vectors))
    return vectors / np.where(length > 0.0, length, 1.0)[:, None], length
