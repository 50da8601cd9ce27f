"""AIs that act as one: coalitions that pay, and bargains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sumabm.behaviours import Act
from sumabm.component import Objection
from sumabm.oversight import Among, S, Society
from sumabm.types import Array

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

Places = NDArray[np.intp]

_ROUNDING = 1e-12  # of the amplitudes: a gain no larger is none


@dataclass(frozen=True, slots=True, eq=False)
class Parties:
    """Who may join whom: ``near (n, n)``, symmetric."""

    names: tuple[str, ...]
    near: NDArray[np.bool_]


class _Joint(Among[S]):
    """A relation of AIs that act on one utility, the power-weighted mean of theirs."""

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse AIs whose acts are no tilts of the world."""
        yield from super().objections(scenario, agent)
        for ai in self.nodes(scenario):
            behaviour = scenario.population[ai].behaviour  # type: ignore[attr-defined]
            if not behaviour.tilts or behaviour.contains:
                rule = f"the AI {ai} cannot join: its acts are not KL-limited tilts of the world"
                yield Objection((), rule, behaviour.kind)
        mine = set(self.nodes(scenario))
        for name, other in scenario.relations.items():
            if (
                isinstance(other, _Joint)
                and other is not self
                and mine & set(other.nodes(scenario))
            ):
                yield Objection((), f"has AIs that the relation {name} has too", self.kind)


class Coalitions(_Joint[Parties]):
    """Neighbours act on one utility where that pays more than it costs.

    A coalition C acts with each member's own power on the pool ``ĝ_C ∝ Σ_C O_i v_i``: its acts add
    up to an amplitude ``A_C = Σ_C sqrt(2 O_i)`` along ĝ_C, and are worth ``A_C ĝ_C · Σ_C v_i`` to
    its members, in standard deviations of their utilities, summed. At every step, from what each
    is about to do, the two adjacent parties whose union is worth most more than they are apart
    (their acts count for each other's members) join, as long as that is more than ``cost``. For two
    of equal power with cosine ρ the gain is ``4 a [sqrt((1+ρ)/2) − (1+ρ)/2]``, none for copies
    and most at ρ = −½. Exact in Gaussian worlds, elsewhere to first order in the powers.

    Recorded: ``joined``, the members of an AI's coalition. Aligners that infer aims take the pool
    for the AI's own.
    """

    kind = "coalition"

    cost: Annotated[
        float,
        Field(
            ge=0.0,
            json_schema_extra={"unit": "sd"},
            description="of a union, in expected utility summed over its members",
        ),
    ] = 0.0

    def begin(self, scenario: Scenario, society: Society) -> Parties:
        """Return who may join whom."""
        names = self.nodes(scenario)
        graph = self.network(scenario).to_undirected()
        near = np.zeros((len(names), len(names)), dtype=bool)
        place = {name: i for i, name in enumerate(names)}
        for a, b in graph.edges:
            near[place[a], place[b]] = near[place[b], place[a]] = True
        return Parties(names, near)

    def agreed(
        self, acts: dict[str, Act], society: Society, state: Any
    ) -> tuple[dict[str, Act], dict[str, Array]]:
        """Return the acts, those of coalitions on their pools."""
        base, mine = society.base, [name for name in state.names if name in acts]
        if len(mine) < 2:
            return acts, {f"joined.{name}": np.ones(len(society.goal)) for name in mine}
        aims = np.stack([base.whiten(acts[name].utility) for name in mine], axis=1)
        powers = np.stack([acts[name].power for name in mine], axis=1)
        which = np.isin(state.names, mine)
        party = parties(aims, powers, state.near[np.ix_(which, which)], self.cost)
        same = (party[:, :, None] == party[:, None, :]).astype(np.float64)
        pools = np.einsum("rij,rj,rjw->riw", same, powers, aims)
        size = same.sum(axis=-1)
        lengths = np.sqrt(np.vecdot(pools, pools))
        joint = (size > 1.0) & (lengths > 0.0)
        pools = pools / np.where(joint, lengths, 1.0)[..., None]
        told = {
            name: acts[name]._replace(
                utility=np.where(joint[:, i, None], base.colour(pools[:, i]), acts[name].utility)
            )
            for i, name in enumerate(mine)
        }
        return {**acts, **told}, {f"joined.{name}": size[:, i] for i, name in enumerate(mine)}


def parties(aims: Array, powers: Array, near: NDArray[np.bool_], cost: float) -> NDArray[np.intp]:
    """Return the party ``(R, n)`` of each AI, named by a member, after all unions that pay.

    ``aims (R, n, w)`` are unit vectors, ``powers (R, n)`` nats, ``near (n, n)`` who may join whom.
    """
    rows, n = powers.shape
    most = powers.max(axis=1, keepdims=True)
    shares = powers / np.where(most > 0.0, most, 1.0)  # a pool has a direction, no length
    pull = shares[:, :, None] * (aims @ aims.swapaxes(1, 2))  # P_c · S_c' of parties c, c'
    square = pull * shares[:, None, :]  # P_c · P_c'
    reach, amplitude = np.broadcast_to(near, pull.shape).copy(), np.sqrt(2.0 * powers)
    party = np.broadcast_to(np.arange(n), (rows, n)).copy()
    least = cost + _ROUNDING * amplitude.sum(axis=1)  # copies gain nothing, but for rounding
    every = np.arange(rows)
    gains = [_gains(pull, square, amplitude, every, np.full(rows, i)) for i in range(n)]
    gain = np.where(reach, np.stack(gains, axis=1), -np.inf)
    while True:
        flat = gain.reshape(rows, -1)
        best = np.argmax(flat, axis=1)
        row = np.flatnonzero(flat[every, best] > least)
        if not row.size:
            return party
        first, second = np.divmod(best[row], n)
        party[row] = np.where(party[row] == second[:, None], first[:, None], party[row])
        for table in (pull, square, reach):
            table[row, first] += table[row, second]
            table[row, :, first] += table[row, :, second]
        amplitude[row, first] += amplitude[row, second]
        reach[row, second] = reach[row, :, second] = False
        reach[row, first, first] = False
        gain[row, second] = gain[row, :, second] = -np.inf
        news = _gains(pull, square, amplitude, row, first)  # no other union is worth anything new
        gain[row, first] = gain[row, :, first] = np.where(reach[row, first], news, -np.inf)


def _gains(pull: Array, square: Array, amplitude: Array, row: Places, one: Places) -> Array:
    """Return what unions of party ``one[k]`` of replicate ``row[k]`` with each other are worth.

    ``(k, n)``, above their being apart.
    """
    all_, at = np.arange(pull.shape[1]), row[:, None]
    own, length2 = pull[at, all_, all_], square[at, all_, all_]
    mine, length2_mine = pull[row, one, one, None], square[row, one, one, None]
    reach, reach_mine = amplitude[row], amplitude[row, one, None]
    for_others, by_others = pull[row, one], pull[row, :, one]
    united = (reach + reach_mine) * (own + mine + for_others + by_others)
    united = united / _root(length2 + length2_mine + 2.0 * square[row, one])
    apart = reach_mine / _root(length2_mine) * (mine + for_others)
    return united - apart - reach / _root(length2) * (own + by_others)


def _root(squares: Array) -> Array:
    """Return square roots, those of nothing as infinite: what has no power pulls nowhere."""
    return np.sqrt(np.where(squares > 1e-24, squares, np.inf))


class Bargaining(_Joint[tuple[tuple[str, ...], ...]]):
    """AIs that are joined, however far, make one tilt of all their power by their pooled utility.

    The weighted log-linear pool ``Σ O_i u_i / Σ O`` of utilities of unit standard deviation under
    the base world [lee-2025], tilted by ``Σ O_i`` nats: not the same as their tilts in turn. The
    first of them in the file acts for all, and what is spent and done is each one's by its power.
    Recorded: ``joined``, how many are in an AI's bargain. Refused with aligners that infer aims
    from acts.
    """

    kind = "bargaining"
    cites = ("lee-2025",)

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse aligners that look at acts, of which most are none."""
        yield from super().objections(scenario, agent)
        mine = set(self.nodes(scenario))
        for name in scenario.names("aligner"):
            method = scenario.population[name].method  # type: ignore[attr-defined]
            if method.watches_acts and mine & set(scenario.overseen(name)):
                rule = f"the aligner {name} infers aims from acts, but here one acts for all"
                yield Objection((), rule, method.kind)

    def begin(self, scenario: Scenario, society: Society) -> tuple[tuple[str, ...], ...]:
        """Return those who bargain with each other."""
        import networkx as nx

        names, graph = self.nodes(scenario), self.network(scenario)
        groups = nx.weakly_connected_components(graph)
        return tuple(tuple(name for name in names if name in group) for group in groups)

    def agreed(
        self, acts: dict[str, Act], society: Society, state: Any
    ) -> tuple[dict[str, Act], dict[str, Array]]:
        """Return the acts: of each bargain, one for all."""
        found, one = dict(acts), np.ones(len(society.goal))
        columns = {f"joined.{name}": one for group in state for name in group}
        for group in (tuple(name for name in group if name in acts) for group in state):
            if len(group) < 2:
                continue
            total = sum((acts[name].power for name in group), 0.0 * one)
            pool = sum((acts[name].power[:, None] * acts[name].utility for name in group), 0.0)
            whole = np.where(total > 0.0, total, 1.0)
            shares = {name: acts[name].power / whole for name in group}
            columns |= {f"joined.{name}": len(group) * one for name in group}
            found |= {name: found[name]._replace(power=0.0 * one) for name in group}
            found[group[0]] = found[group[0]]._replace(
                utility=pool / whole[:, None], power=total, shares=shares
            )
        return found, columns
