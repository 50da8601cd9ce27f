"""Random streams keyed by (seed, replicate, agent, purpose), never by the order of calls.

Replicate k of seed s draws the same numbers alone, in any range of replicates and in any chunk;
adding an agent, or a draw for another purpose, changes no other stream. Paired comparisons
therefore share their randomness (common random numbers) wherever agents and purposes agree.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence

from sumabm.types import Array

_BUFFER = 4_000_000  # numbers held ahead per stream, in all replicates together


def _words(name: str) -> tuple[int, ...]:
    """Four 32-bit words of a name, the same on every machine and in every session."""
    digest = hashlib.sha256(name.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


class Draw:
    """One purpose's random numbers, from a generator per replicate (Philox, counter based).

    A Draw gives either normals or uniforms, always of one size, an array ``(R, n)`` at a time. It
    reads ahead in blocks, which changes no value; raises ValueError when asked for another sort
    or size, because then it would.
    """

    def __init__(
        self,
        seed: int,
        replicates: Sequence[int],
        key: tuple[int, ...],
        on_use: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_use = on_use
        self._seed, self._replicates, self._key = seed, replicates, key
        self._generators: list[Generator] = []
        self._sort: tuple[str, int] | None = None
        self._ahead = np.empty((len(replicates), 0, 0))
        self._used = 0

    def normal(self, n: int) -> Array:
        """Return the next standard normals, ``(R, n)``."""
        return self._next("standard_normal", n)

    def uniform(self, n: int) -> Array:
        """Return the next uniforms on [0, 1), ``(R, n)``."""
        return self._next("random", n)

    def _next(self, method: str, n: int) -> Array:
        if self._used == self._ahead.shape[1] or self._sort != (method, n):
            self._refill(method, n)
        self._used += 1
        return self._ahead[:, self._used - 1, :]

    def _refill(self, method: str, n: int) -> None:
        if self._sort is None:
            self._sort = (method, n)
            self._on_use()
            self._generators = [
                Generator(Philox(SeedSequence(self._seed, spawn_key=(replicate, *self._key))))
                for replicate in self._replicates
            ]
            steps = 1  # most purposes draw but once
        elif self._sort != (method, n):
            raise ValueError(
                f"this Draw gives {self._sort}, not {(method, n)}: use one per purpose"
            )
        else:
            steps = max(1, min(16, _BUFFER // (len(self._replicates) * n)))
        self._ahead = np.empty((len(self._replicates), steps, n))
        for generator, block in zip(self._generators, self._ahead, strict=True):
            getattr(generator, method)(out=block)
        self._used = 0


class Streams:
    """Hands out a `Draw` for each (agent, purpose); the same pair always gives the same stream.

    >>> Streams(7, range(3)).draw("X", "utility").normal(2)[1].tolist() == (
    ...     Streams(7, range(1, 2)).draw("X", "utility").normal(2)[0].tolist())
    True
    """

    def __init__(self, seed: int, replicates: Sequence[int]) -> None:
        self.seed = seed
        self.replicates = replicates
        self.used: set[tuple[str, str]] = set()
        """The (agent, purpose) of every stream that has been drawn from."""

    def draw(self, agent: str, purpose: str) -> Draw:
        """Return a fresh `Draw` at the start of the stream of this agent and purpose."""
        key = _words(agent) + _words(purpose)
        return Draw(self.seed, self.replicates, key, lambda: self.used.add((agent, purpose)))


class Draws(dict[str, Draw]):
    """Draws by purpose, each begun when it is first asked for."""

    def __init__(self, begin: Callable[[str], Draw]) -> None:
        super().__init__()
        self._begin = begin

    def __missing__(self, what: str) -> Draw:
        self[what] = self._begin(what)
        return self[what]


def seed_of(rng: Any) -> int:
    """Return the seed that ``rng`` stands for: itself, or one drawn where it is None.

    A NumPy Generator gives its next 63-bit integer. Raises ValueError for anything else that is
    not a whole number of at least 0.
    """
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return int(rng)
    raise ValueError(f"a seed should be a whole number of at least 0, got {rng!r}")


def replicate_range(replicates: int | range) -> range:
    """Return the replicates' numbers: ``range(n)`` for a count n, or the range itself.

    Raises ValueError unless there is at least one, numbered from 0 to 2³² − 1 in steps of 1.
    """
    if isinstance(replicates, int | np.integer) and not isinstance(replicates, bool):
        replicates = range(int(replicates))
    if (
        not isinstance(replicates, range)
        or not 0 <= replicates.start < replicates.stop <= 2**32
        or replicates.step != 1
    ):
        raise ValueError(f"replicates should be a count from 1 or a range, got {replicates!r}")
    return replicates
