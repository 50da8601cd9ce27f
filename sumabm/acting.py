"""How the AIs' acts move a world: one after the other, all at once, or in a random order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import cast

import numpy as np

from sumabm.behaviours import Act, tilt
from sumabm.types import Array
from sumabm.view import Sight, Sights
from sumabm.worlds import World
from sumabm.worlds.gaussian import GaussianWorld

CROWD = 32
"""More AIs than this are too many for all the worlds between their acts to be kept."""


@dataclass(frozen=True, eq=False)
class Done:
    """What came of the acts; by AI the nats ``(R,)``, its place in the order, its act as seen.

    Of an act that one AI made for several, each has spent its share.
    """

    acts: Mapping[str, Act]
    world: World
    spent: dict[str, Array]
    place: Mapping[str, Array]
    sights: Sights

    def __post_init__(self) -> None:
        self.spent.update({ai: share * self.spent[by] for ai, (by, share) in self._for.items()})

    @cached_property
    def _for(self) -> dict[str, tuple[str, Array]]:
        """By AI for which another one acts, or it with others: who does, and its share."""
        return {
            ai: (by, share)
            for by, act in self.acts.items()
            for ai, share in (act.shares or {}).items()
        }

    def shift(self, name: str, base: GaussianWorld) -> Array:
        """Return what ``(R, w)`` of the whitened displacement is an AI's doing."""
        aim, reach = self._way(name, base)
        return reach[:, None] * aim

    def along(self, vector: Array, name: str, base: GaussianWorld) -> Array:
        """Return the product ``(R,)`` of `shift` and a vector."""
        aim, reach = self._way(name, base)
        return reach * np.vecdot(vector, aim)

    def _way(self, name: str, base: GaussianWorld) -> tuple[Array, Array]:
        by, share = self._for.get(name, (name, np.ones(1)))
        act = self.acts.get(by)
        if act is None:  # made in a copy
            return np.zeros((1, base.width)), np.zeros(1)
        if act.how is not tilt:
            sight = self.sights[by]
            return sight.left.shift(sight.found), share
        aim = base.whiten(act.utility)
        length2 = np.vecdot(aim, aim)
        return aim, share * np.sqrt(2.0 * act.power / np.where(length2 > 0.0, length2, np.inf))


def in_turn(world: World, acts: Mapping[str, Act]) -> Done:
    """Make the acts one after the other, each in the world that the last one left."""
    crowd = len(acts) > CROWD and all(act.how is tilt for act in acts.values())
    if crowd and isinstance(world, GaussianWorld):
        return _by_a_crowd(world, acts)
    spent, place, sights = {}, {}, {}
    for i, (name, act) in enumerate(acts.items()):
        made = act.how(world, act.utility, act.power)
        spent[name], place[name] = made.spent, np.full(made.spent.shape, float(i))
        sights[name] = Sight(world, made.world)
        world = made.world
    return Done(acts, world, spent, place, Sights(sights, lambda: sights))


def _by_a_crowd(world: GaussianWorld, acts: Mapping[str, Act]) -> Done:
    """Make tilts one after the other and keep none of the worlds between, which are many."""
    given = [(act.utility, act.power) for act in acts.values()]

    def sights() -> dict[str, Sight]:
        worlds = [world, *(made.world for made in world.tilts_in_turn(given))]
        return {name: Sight(*pair) for name, pair in zip(acts, pairwise(worlds), strict=True)}

    spent, place, last = {}, {}, cast(World, world)
    for i, (name, made) in enumerate(zip(acts, world.tilts_in_turn(given), strict=True)):
        spent[name], place[name] = made.spent, np.full(made.spent.shape, float(i))
        last = made.world
    return Done(acts, last, spent, place, Sights(acts, sights))


def together(world: World, acts: Mapping[str, Act]) -> Done:
    """Make all acts in the same world; raises ValueError for any that is no KL-limited tilt."""
    if any(act.how is not tilt for act in acts.values()):
        raise ValueError("only KL-limited tilts can be made at once")
    made = world.tilt_together([(act.utility, act.power) for act in acts.values()])
    tilts = dict(zip(acts, made, strict=True))
    spent = {name: one.spent for name, one in tilts.items()}
    place = {name: np.zeros(one.spent.shape) for name, one in tilts.items()}
    sights = {name: Sight(world, one.world) for name, one in tilts.items()}
    left = made[-1].world if made else world
    return Done(acts, left, spent, place, Sights(sights, lambda: sights))


def in_random_order(world: World, acts: Mapping[str, Act], drawn: Array) -> Done:
    """Make the acts in each replicate's own order, that of its numbers ``drawn (R, n)``.

    It loops over places in the order, not over AIs.
    """
    places = np.argsort(drawn, axis=1).T  # place → AI, per row
    rows = np.arange(len(drawn))
    utilities = np.stack([act.utility for act in acts.values()])
    powers = np.stack([act.power for act in acts.values()])
    rules = [act.how for act in acts.values()]
    kinds = [rule for i, rule in enumerate(rules) if rule not in rules[:i]]
    kind = np.array([kinds.index(rule) for rule in rules])
    worlds, spent = [world], np.empty_like(powers)
    for who in places:
        tilts = []
        for k, how in enumerate(kinds):  # a rule may not suit the powers of other AIs
            own = np.where(kind[who] == k, powers[who, rows], 0.0)
            tilts.append(how(worlds[-1], utilities[who, rows], own))
        worlds.append(world.pick([made.world for made in tilts], kind[who]))
        spent[who, rows] = np.stack([made.spent for made in tilts])[kind[who], rows]
    place, sights = {}, {}
    for i, name in enumerate(acts):
        at = np.argmax(places == i, axis=0)
        place[name] = at.astype(np.float64)
        sights[name] = Sight(world.pick(worlds[:-1], at), world.pick(worlds[1:], at))
    nats = dict(zip(acts, spent, strict=True))
    return Done(acts, worlds[-1], nats, place, Sights(sights, lambda: sights))
