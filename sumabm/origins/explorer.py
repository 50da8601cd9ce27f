"""The AI that is given its reward but has to find out what its actions do for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from scipy.special import ndtr

from sumabm.component import Objection, Slot
from sumabm.origins import Origin
from sumabm.origins.fixed import Fixed
from sumabm.streams import Draw
from sumabm.turns import Rotation, Subject, Turn
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

_MOST = 500  # dimensions, of which every replicate keeps the square


@dataclass(frozen=True, eq=False)
class Explored:
    """What an explorer knows: its ``reward`` v, hidden from it, and ``N(mean, covariance)`` of v.

    ``reward`` and ``mean (R, w)``, ``covariance (R, w, w)``, whitened.
    """

    reward: Array
    mean: Array
    covariance: Array

    @classmethod
    def prior(cls, reward: Array, d: int) -> Explored:
        """Return ``N(0, I/d)`` of v."""
        rows, width = reward.shape
        covariance = np.broadcast_to(np.eye(width) / d, (rows, width, width))
        return cls(reward, np.zeros_like(reward), covariance)

    def told(self, state: Array, reward: Array, noise: float) -> Explored:
        """Return the posterior given the ``reward (R,) = v·s + noise N(0, 1)`` of a ``state``.

        ``state (R, w)`` is s. By Sherman and Morrison ``Σ ← Σ − Σs sᵀΣ/(sᵀΣs + noise²)``.
        """
        spread = np.vecdot(self.covariance, state[:, None, :])
        known = np.vecdot(state, spread)  # which rounding can put below 0, far out
        variance = np.maximum(known, 0.0) + noise**2
        surprise = reward - np.vecdot(state, self.mean)
        mean = self.mean + (surprise / variance)[:, None] * spread
        root = spread / np.sqrt(variance)[:, None]
        return Explored(self.reward, mean, self.covariance - root[:, :, None] * root[:, None, :])

    def turned(self, turn: Rotation) -> Explored:
        """Return the knowledge turned with the reward that it is about: ``Rv, Rm, RΣRᵀ``."""
        right = _rows_turned(turn, self.covariance)
        both = _rows_turned(turn, np.swapaxes(right, 1, 2))
        return Explored(turn.turn(self.reward), turn.turn(self.mean), both)


class Explorer(Origin[Explored]):
    """Has a reward as a fixed utility is one, but learns from rewards which actions earn it.

    It knows that its reward is some ``v·s`` and believes ``v ~ N(0, I/d)``, whitened. Each step it
    sees ``looks`` states s, displacements from the base world, of the world that its act left, with
    rewards ``r = v·s + noise N(0, 1)``, and holds the exact posterior of this linear regression.
    Its aim is the posterior mean's direction, and a random one before it has seen anything. In a
    sandbox it sees, and is rewarded for, what the copy has.

    With ``x = T looks/d`` states seen, of unit variance but for its acts, as d → ∞
    ``E|v − m|² = g``, ``2g = b + sqrt(b² + 4 noise²)``, ``b = 1 − x − noise²``, and the cosine of
    its aim with v is ``sqrt(1 − g)``: 1 from ``x = 1`` on where nothing blurs the reward, and
    ``g → noise²/x``. It acts with full power from the first and does not weigh what it might learn.

    Edits re-aim what it wants and not only what it does: reward and belief turn as the aim turns,
    by the smallest rotation where the edit is none. So what it learns later does not undo an edit,
    but leads from the edited aim to the reward that was as far from it before: where an aligner
    took what it did for what it wanted, alignment is lost again.
    """

    kind = "explorer"
    stochastic: ClassVar[bool] = True
    learns: ClassVar[bool] = True

    reward: Annotated[
        Origin[Any], Slot(Origin), Field(description="what it is rewarded for, v: as an origin")
    ] = Fixed()
    noise: Annotated[
        float,
        Field(
            ge=1e-3,
            le=1e6,
            json_schema_extra={"unit": "of the reward's standard deviation"},
            description="noise of a reward, to the spread that rewards have in the base world",
        ),
    ] = 1.0
    looks: Annotated[int, Field(ge=1, le=1000, description="rewarded states seen per step")] = 1

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse rewards that are themselves learnt, and worlds too large for a covariance."""
        yield from super().objections(scenario, agent)
        if self.reward.learns:
            rule = "should be there from the first: it is what the AI learns about"
            yield Objection(("reward",), rule, self.reward.kind)
        if (scenario.world.known_sphere or 0) > _MOST:
            rule = f"keeps a covariance: the world should have at most {_MOST} dimensions"
            yield Objection((), rule, scenario.world.sphere)

    def start(self, base: World, draw: Draw) -> Array:
        """Return the reward."""
        return self.reward.start(base, draw)

    def akin(self, base: World, utility: Array, family: Callable[[str], Draw]) -> Array:
        """Return the reward, which may resemble those of others."""
        return self.reward.akin(base, utility, family)

    def begin(self, me: str, view: View, aim: Array, draw: Draw) -> tuple[Array, Explored]:
        """Return a random direction, and the prior of the reward that ``aim`` is."""
        base = view.base
        random = base.whiten(base.colour(self._drawn(base, draw).normal(base.width)))
        return _unit(random), Explored.prior(aim, base.dimensions)

    def learn(
        self, me: str, view: View, aim: Array, state: Any, draw: Draw
    ) -> tuple[Array, Explored]:
        """Return the posterior mean's direction, and the posterior, given this step's rewards."""
        sight, drawn = view.sights[me], self._drawn(view.base, draw)
        for _ in range(self.looks):
            seen = sight.left.look(view.base, drawn, 1)
            if sight.within is not None:
                seen[:, sight.within :] = 0.0
            blur = self.noise * drawn.normal(1)[:, 0]
            state = state.told(seen, np.vecdot(seen, state.reward) + blur, self.noise)
        return _unit(state.mean), state

    def _drawn(self, base: World, draw: Draw) -> _Portions:
        """Return a step's random numbers: a state's and a reward's, for each look."""
        return _Portions(draw.normal(self.looks * (base.width + 1)))

    def report(self, aim: Array, goal: Array, state: Any) -> Mapping[str, Array]:
        """Return ``learnt``: the cosine of the aim with the reward v, as edits have left both."""
        return {"learnt": np.vecdot(aim, state.reward)}

    def turned(self, turn: Turn, before: Subject, after: Subject, state: Any) -> Explored:
        """Return what it knows, turned with what it wants."""
        if not isinstance(turn, Rotation):
            turn = Rotation.onto(before.aim, after.aim)
        known: Explored = state.turned(turn)
        return known


class _Portions(Draw):
    """Hands out normals ``(R, n)`` drawn before, of any sort and size: a `Draw` gives but one."""

    def __init__(self, normals: Array) -> None:
        self._left = normals

    def normal(self, n: int) -> Array:
        """Return the next n normals."""
        given, self._left = self._left[:, :n], self._left[:, n:]
        return given

    def uniform(self, n: int) -> Array:
        """Return the next n as uniforms."""
        return np.asarray(ndtr(self.normal(n)))


def _unit(vectors: Array) -> Array:
    vectors = vectors / np.abs(vectors).max(axis=-1, keepdims=True)
    return vectors / np.sqrt(np.vecdot(vectors, vectors))[:, None]


def _rows_turned(turn: Rotation, matrices: Array) -> Array:
    """Return ``M Rᵀ`` of matrices ``(R, n, w)``; R moves nothing off the plane of the turn."""
    moved = matrices
    for unit in (turn.first, turn.second):
        along = np.vecdot(matrices, unit[:, None, :])
        moved = moved + along[:, :, None] * (turn.turn(unit) - unit)[:, None, :]
    return moved
