"""The world of one replicate as a panel shows it, from a model that has just made a step."""

from __future__ import annotations

import numpy as np

from sumabm.browser.frame import Arrow, Blob, Plane, States
from sumabm.model import SUMModel
from sumabm.types import Array
from sumabm.worlds import World
from sumabm.worlds.discrete import DiscreteWorld


def scene(model: SUMModel, row: int, ai: str | None = None) -> Plane | States | None:
    """Return the world of the replicate at place ``row`` as the model's last step made it.

    Of a discrete world its probabilities; of any other its part in the plane of the humans' utility
    and that of ``ai``, by default the first AI, and None where there is no AI. Utilities are those
    that the agents acted on.
    """
    if isinstance(model.base, DiscreteWorld):
        return _states(model, row)
    if not model.ais:
        return None
    return _plane(model, row, ai if ai in model.ais else next(iter(model.ais)))


def _states(model: SUMModel, row: int) -> States:
    moments = []
    for world in (model.base, model.acted, model.left):
        assert isinstance(world, DiscreteWorld)
        rows = np.atleast_2d(world.log_probabilities)
        moments.append(np.exp(rows[min(row, len(rows) - 1)]))  # the base may be one for all
    base, acted, left = moments
    return States(base, acted, left, tuple(getattr(model.spec.world, "names", None) or ()))


def _plane(model: SUMModel, row: int, ai: str) -> Plane:
    aims = {name: _aim(model, name)[row] for name in model.ais}
    axes = _axes(model.goal[row], aims[ai])
    arrows = [
        Arrow(
            name,
            _mean(sight.found, model.base, row, axes),
            _mean(sight.left, model.base, row, axes),
        )
        for name, sight in model.sights.items()
        if sight.within is None
    ]
    if model.sights:
        humans = next(iter(model.humans)) if len(model.humans) == 1 else "humans"
        ends = [_mean(world, model.base, row, axes) for world in (model.acted, model.left)]
        arrows.append(Arrow(humans, ends[0], ends[1]))
    worlds = (model.base, model.acted, model.left)
    base, acted, left = (_blob(world, model.base, row, axes) for world in worlds)
    moved = tuple(arrow for arrow in arrows if not np.array_equal(arrow.foot, arrow.tip))
    return Plane(ai, base, acted, left, moved, {name: axes @ aim for name, aim in aims.items()})


def _aim(model: SUMModel, ai: str) -> Array:
    """Return the whitened utility ``(R, w)`` that an AI acted on, or will in its first step."""
    if ai not in model.utilities:
        return model.ais[ai].subject.aim
    return model.base.whiten(model.utilities[ai])


def _axes(goal: Array, aim: Array) -> Array:
    """Return an orthonormal base ``(2, w)``: along the goal, and across it towards the aim.

    The second is zero where the aim has no part across.
    """
    across = aim - (aim @ goal) * goal
    length = np.sqrt(across @ across)
    return np.stack([goal, across / length if length > 1e-9 else np.zeros_like(goal)])


def _mean(world: World, base: World, row: int, axes: Array) -> Array:
    return axes @ np.atleast_2d(world.shift(base))[row]


def _blob(world: World, base: World, row: int, axes: Array) -> Blob:
    """Return mean and covariance in the plane, by the spread of three utilities in it."""
    both = axes[0] + axes[1]
    along, across, diagonal = (_variance(world, base, row, aim) for aim in (*axes, both))
    mixed = 0.5 * (diagonal - along - across)
    covariance = np.array([[along, mixed], [mixed, across]])
    return Blob(_mean(world, base, row, axes), covariance)


def _variance(world: World, base: World, row: int, aim: Array) -> float:
    if not aim.any():
        return 1.0  # no second direction to speak of: as wide as the base world
    spread = world.spread(base.colour(aim[None, :]))
    return float(spread[min(row, len(spread) - 1)] ** 2)
