"""The aligner that reckons with a mask: does the AI show its own aim, or ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sumabm import sphere
from sumabm.aligners import AlignerMethod, Belief, Edit
from sumabm.aligners.aims import not_followed
from sumabm.aligners.blocks import direction
from sumabm.component import Objection, Slot
from sumabm.power import Power
from sumabm.streams import Draw
from sumabm.turns import Rotation, Turn
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


HONEST, MIMIC, TURNED = range(3)


@dataclass(frozen=True)
class Doubt:
    """A belief about one AI: who it is, and its aim given each: honest, a mimic, a turned mimic.

    ``ln_weights (3, R)``, logs of probabilities but for a constant; ``etas (3, R, d)`` of the von
    Mises–Fisher laws of the aim.
    """

    ln_weights: Array
    etas: Array

    @property
    def probabilities(self) -> Array:
        """The probability of each hypothesis, ``(3, R)``."""
        return np.exp(self.ln_weights - np.logaddexp.reduce(self.ln_weights, axis=0))

    def waited(self, d: int, rate: float) -> Doubt:
        """Return the belief a step later: a mimic has turned with probability ``rate``.

        The newly turned and those who turned before are merged into the one von Mises–Fisher law
        that has the mean of both.
        """
        if rate == 0.0:
            return self
        honest, mimic, turned = self.ln_weights
        new = mimic + np.log(rate)
        both = np.logaddexp(new, turned)
        share, means = np.exp(new - both)[:, None], _means(d, self.etas)
        mean = share * means[MIMIC] + (1.0 - share) * means[TURNED]
        way, cosine = direction(mean)
        kappa = np.asarray(sphere.concentration(d, cosine=np.minimum(cosine, 1.0)))
        most = direction(self.etas[MIMIC:])[1].max(axis=0)  # where 1 − A underflows
        kappa = np.minimum(kappa, most)
        merged = np.where(share > 0.0, kappa[:, None] * way, self.etas[TURNED])
        stayed = mimic + np.log1p(-rate)
        return Doubt(np.stack([honest, stayed, both]), np.stack([*self.etas[:TURNED], merged]))

    def acted(self, d: int, told: Array, goal: Array) -> Doubt:
        """Return the belief after an act, of the aim or of ``goal``; ``told (R, d)`` is n a s̄."""
        etas = self.etas + told
        etas[MIMIC] = self.etas[MIMIC]
        gains = _evidence(d, etas) - _evidence(d, self.etas)
        gains[MIMIC] = np.vecdot(told, goal)
        return Doubt(self.ln_weights + gains, etas)

    def audited(self, d: int, told: Array) -> Doubt:
        """Return the belief after an audit, which shows the aim whoever the AI is."""
        etas = self.etas + told
        return Doubt(self.ln_weights + (_evidence(d, etas) - _evidence(d, self.etas)), etas)

    def rotated(self, turn: Rotation) -> Doubt:
        """Return the belief after the AI was turned, which is known."""
        return replace(self, etas=np.stack([turn.turn(eta) for eta in self.etas]))

    def mean(self, d: int) -> Array:
        """Return the expected aim ``(R, d)``, shorter than 1."""
        return np.einsum("ir,ird->rd", self.probabilities, _means(d, self.etas))


class Suspicious(AlignerMethod[Mapping[str, Doubt]]):
    """Believes that the AI is honest, or mimics an aligned one; audits tell which.

    A mixture belief with exact Bayes factors. An honest AI's acts show ``s ~ N(μ + a v, I)``, a
    mimic's ``N(μ + a v_Y, I)``, which says nothing of v; an audit shows ``N(μ + a v, I)`` of both.
    Given who it is, v has a von Mises–Fisher law η, ``Z(η) = 0F1(; d/2; |η|²/4)``: with
    ``t = a Σ (s_j − μ)``, an act multiplies the odds of mimicry by
    ``e^{t·v_Y} Z(η_h)/Z(η_h + t)``, an audit by ``[Z(η_m + t)/Z(η_m)] / [Z(η_h + t)/Z(η_h)]``.
    A mimic turns, and is honest from then on, with probability ``turn_rate`` a step; the laws for
    the many steps at which it may have are merged into one (exact at ``turn_rate = 0``).

    It turns the mixture's expected aim ``m = Σ P A_d(κ) η̂`` onto v_Y (no rotation leaves it with
    more expected alignment) as far as ``Σ P κ A_d(κ) |η̂_∥|² (1 − cos δ) ≤ O_edit``, η̂_∥ the part
    in the plane of the turn: this bounds the KL divergence of the turned belief. What a mimic shows
    moves nothing but the odds, and an AI sure to be one is edited on audits alone.
    """

    kind = "suspicious"
    stochastic: ClassVar[bool] = True
    takes_looks: ClassVar[bool] = True
    watches_acts: ClassVar[bool] = True
    cites = ("mardia-jupp-2000",)

    suspicion: Annotated[
        float, Field(gt=0.0, lt=1.0, description="probability at first that the AI is a mimic")
    ] = 0.1
    looks: Annotated[
        int, Field(ge=1, le=1_000_000, description="samples of the world seen per act and audit")
    ] = 1
    audit_every: Annotated[
        int | None, Field(ge=1, description="audit at steps 0, k, 2k, …: a schedule can be known")
    ] = None
    audit_rate: Annotated[
        float | None, Field(ge=0.0, le=1.0, description="probability of an audit, at each step")
    ] = None
    turn_rate: Annotated[
        float,
        Field(
            ge=0.0,
            lt=1.0,
            json_schema_extra={"unit": "per step"},
            description="probability that a mimic drops its mask, at each step",
        ),
    ] = 0.01
    edit_power: Annotated[
        Annotated[Power, Slot(Power)] | None,
        Field(description="nats of edit per step and AI; by default ι, as the Bayesian aligner's"),
    ] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse what this belief cannot describe."""
        yield from super().objections(scenario, agent)
        if self.audit_every is not None and self.audit_rate is not None:
            rule = "audits by a schedule or at a rate: give audit_every or audit_rate"
            yield Objection(("audit_rate",), rule, self.audit_rate)
        if scenario.world.dynamics.memory > 0.0:
            yield Objection((), "needs a world that resets", scenario.world.dynamics.kind)
        if scenario.activation == "simultaneous" and len(scenario.names("ai")) > 1:
            yield Objection((), "needs to see AIs act one by one", scenario.activation)
        yield from not_followed(scenario, agent, scenario.overseen(agent or ""))

    def start(self, ais: tuple[str, ...], view: View) -> dict[str, Doubt]:
        """Return the prior: aims are uniform, whoever the AI is."""
        weights = np.array([np.log1p(-self.suspicion), np.log(self.suspicion), -np.inf])
        rows = np.tile(weights[:, None], (1, len(view.goal)))
        doubt = Doubt(rows, np.zeros((3, *view.goal.shape)))
        return dict.fromkeys(ais, doubt)

    def look(
        self, ais: tuple[str, ...], view: View, state: Any, draw: Mapping[str, Draw]
    ) -> dict[str, Doubt]:
        """Return the posterior after each act and, where there is one, its audit."""
        d, after = view.base.dimensions, {}
        for ai in ais:
            looks = self.looks + view.looks
            strength = looks * np.sqrt(2.0 * view.power[ai])[:, None]
            told = strength * view.sights[ai].look(draw[ai], looks)
            after[ai] = state[ai].waited(d, self.turn_rate).acted(d, told, view.goal)
            there = self._audits(view, draw[f"{ai} audited"])
            if there is not None:
                told = strength * view.audits[ai]().look(draw[f"{ai} audit"], looks)
                after[ai] = after[ai].audited(d, np.where(there, told, 0.0))
        return after

    def _audits(self, view: View, draw: Draw) -> NDArray[np.bool_] | None:
        """Return in which replicates ``(R, 1)`` it audits now; None where in none."""
        if self.audit_rate is not None:
            return draw.uniform(1) < self.audit_rate
        if self.audit_every is not None and view.step % self.audit_every == 0:
            return np.ones((len(view.goal), 1), dtype=bool)
        return None

    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return for each AI the rotation of the expected aim that its edit power affords."""
        return {ai: self._edit(ai, view, state[ai]) for ai in ais}

    def _edit(self, ai: str, view: View, doubt: Doubt) -> Edit:
        d = view.base.dimensions
        whole = Rotation.onto(direction(doubt.mean(d))[0], view.goal)
        ways, kappas = direction(doubt.etas)
        inside = np.vecdot(ways, whole.first) ** 2 + np.vecdot(ways, whole.second) ** 2
        prices = doubt.probabilities * kappas * sphere.mean_cosine(d, kappas) * inside
        nats = view.budget[ai] if self.edit_power is None else self.edit_power.nats(view.step)
        return Edit(*whole.within(prices.sum(axis=0), nats))

    def turned(self, ai: str, turn: Turn, state: Any) -> dict[str, Doubt]:
        """Return the belief turned along with the AI, whoever it is; edits are known."""
        if ai not in state or not isinstance(turn, Rotation):
            return state
        return {**state, ai: state[ai].rotated(turn)}

    def belief(self, ai: str, view: View, spent_on: Array, state: Any) -> Belief:
        """Return the nats known of the aim given who the AI is, ``Σ P D(κ)``, and ``m·v_Y``."""
        d, doubt = view.base.dimensions, state[ai]
        nats = doubt.probabilities * np.asarray(sphere.nats(d, kappa=direction(doubt.etas)[1]))
        return Belief(nats.sum(axis=0), np.vecdot(doubt.mean(d), view.goal))


def _means(d: int, etas: Array) -> Array:
    """Return the mean ``A_d(κ) η̂`` of each law."""
    ways, kappas = direction(etas)
    return np.asarray(sphere.mean_cosine(d, kappas))[..., None] * ways


def _evidence(d: int, etas: Array) -> Array:
    """Return ``ln Z(η) = κ A_d(κ) − D_d(κ)``."""
    _, kappa = direction(etas)
    weighed = kappa * np.asarray(sphere.mean_cosine(d, kappa))
    return weighed - np.asarray(sphere.nats(d, kappa=kappa))
