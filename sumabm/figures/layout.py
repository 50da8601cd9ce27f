"""Where agents stand in pictures of who acts on whom, and which lines join them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.networks import OVERSIGHT, networks
from sumabm.scenario import Scenario
from sumabm.types import Array

if TYPE_CHECKING:
    import networkx as nx

ROLES = ("human", "aligner", "ai")
"""From top to bottom."""

_ROUND = 60  # AIs that act on each other stand on a ring, as long as there are no more
_ACROSS = 40  # agents in a single row
_RING, _GAP = 6.0, 1.5  # rows that a ring is as high as, and that are left between bands
_BENDS = (0.0, 0.15, -0.15, 0.3, -0.3)
_GOLDEN = (5.0**0.5 - 1.0) / 2.0  # of a row: multiples of it are spread most evenly


class Bond(NamedTuple):
    """A relation as it is drawn: its name, its kind, and who is joined, by place in ``names``.

    ``pairs (m, 2)`` has those who act first, and a pair that act on each other once; ``one_way
    (m,)`` says which do not. ``bend`` is how far its lines curve to the left, in their lengths: two
    relations of one pair of agents differ.
    """

    name: str
    kind: str
    pairs: NDArray[np.intp]
    one_way: NDArray[np.bool_]
    bend: float = 0.0

    @property
    def title(self) -> str:
        """What it is called: its name, and its kind where that is another word."""
        return self.name if self.name == self.kind else f"{self.name} ({self.kind})"


class Layout(NamedTuple):
    """Agents by name, their roles, where they stand ``(n, 2)`` in the unit square, and their bonds.

    ``left`` is how many agents there are beside them.
    """

    names: tuple[str, ...]
    roles: tuple[str, ...]
    places: Array
    bonds: tuple[Bond, ...]
    left: int


def laid_out(scenario: Scenario, most: int) -> Layout | None:
    """Return the agents and what joins them, or None where no two have anything to tell apart.

    Humans stand above, then aligners, then AIs: in rows, in file order to and fro, or on a ring
    where there are up to 60 that act on each other. Of more than ``most`` agents each entry of the
    scenario has its first ones, in proportion; an agent alone is always there.
    """
    found = networks(scenario)
    if not found:
        return None
    kinds = {name: relation.kind for name, relation in scenario.relations.items()}
    shown = [name for role in ROLES for name in _some(scenario, role, most)]
    places = {name: place for place, name in enumerate(shown)}
    order = sorted(found, key=lambda name: kinds.get(name, OVERSIGHT) != OVERSIGHT)
    roles = tuple(scenario.population[name].kind for name in shown)
    bonds = _bent([_bond(n, kinds.get(n, OVERSIGHT), found[n], places) for n in order], roles)
    is_ai = np.array([role == "ai" for role in roles])
    mutual = any(bool(is_ai[bond.pairs].all(axis=1).any()) for bond in bonds)
    where = _placed(roles, mutual)
    return Layout(tuple(shown), roles, where, tuple(bonds), len(scenario.population) - len(shown))


def _some(scenario: Scenario, role: str, most: int) -> list[str]:
    """Return the first agents of each entry of a role, so that all are about ``most`` at most."""
    share = min(most / len(scenario.population), 1.0)
    found: list[str] = []
    for entry, spec in scenario.agents.items():
        if spec.kind == role:
            members = scenario.members(entry)
            found += members[: max(int(share * len(members)), 1)]
    return found[:most]


def _bond(name: str, kind: str, graph: nx.DiGraph[str], places: Mapping[str, int]) -> Bond:
    edges = [(places[a], places[b]) for a, b in graph.edges if a in places and b in places]
    there = set(edges)
    once = [(a, b) for a, b in edges if a < b or (b, a) not in there]
    one_way = np.array([(b, a) not in there for a, b in once], dtype=bool)
    return Bond(name, kind, np.array(once, dtype=np.intp).reshape(-1, 2), one_way)


def _bent(bonds: Sequence[Bond], roles: Sequence[str]) -> list[Bond]:
    """Return the relations, each bent unlike those before it that join the same roles."""
    before: Counter[frozenset[str]] = Counter()
    found = []
    for bond in bonds:
        joined = frozenset(roles[place] for place in bond.pairs[:1].ravel().tolist())
        found.append(bond._replace(bend=_BENDS[before[joined] % len(_BENDS)]))
        before[joined] += 1
    return found


def _placed(roles: Sequence[str], mutual: bool) -> Array:
    """Return where agents of these roles stand, ``(n, 2)``: a band of rows for each role."""
    counts = [roles.count(role) for role in ROLES]
    is_ring = mutual and 2 < counts[-1] <= _ROUND
    heights = [float(_rows(count)) for count in counts]
    heights[-1] = _RING if is_ring else heights[-1]
    total = sum(heights) + _GAP * (sum(count > 0 for count in counts) - 1)
    found, top = [], 1.0
    for role, count, height in zip(ROLES, counts, heights, strict=True):
        if count:
            band = (top - height / total, top)
            is_ai = role == "ai"
            found.append(
                _ring(count, *band) if is_ring and is_ai else _grid(count, *band, mutual and is_ai)
            )
            top = band[0] - _GAP / total
    return np.concatenate(found)


def _rows(count: int) -> int:
    """Return in how many rows so many agents stand: one, or half as many as there are in each."""
    return min(count, 1) if count <= _ACROSS else round(np.sqrt(count / 2.0))


def _ring(count: int, low: float, high: float) -> Array:
    """Return places on an ellipse, clockwise from its top."""
    angle = 2.0 * np.pi * np.arange(count) / count
    across, up = 0.5 + 0.46 * np.sin(angle), 0.5 * (low + high + (high - low) * np.cos(angle))
    return np.stack([across, up], axis=1)


def _grid(count: int, low: float, high: float, scattered: bool) -> Array:
    """Return places in rows, to and fro; ``scattered`` off them, so that lines are told apart."""
    rows = _rows(count)
    across = -(-count // rows)
    row, column = np.divmod(np.arange(count), across)
    column = np.where(row % 2, across - 1 - column, column)
    off = 0.6 * (np.arange(count) * _GOLDEN % 1.0 - 0.5) * (scattered and rows > 1)
    return np.stack(
        [(column + 0.5) / across, high - (row + 0.5 + off) * (high - low) / rows], axis=1
    )
