"""Random streams keyed by (seed, replicate, agent, purpose), never by the order of calls.

Replicate k of seed s draws the same numbers alone, in any range of replicates and in any chunk;
adding an agent, or a draw for another purpose, changes no other stream. Paired comparisons
therefore share their randomness (common random numbers) wherever agents and purposes agree.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from numpy.typing import NDArray

from sumabm.types import Array

_BUFFER = 4_000_000  # numbers held ahead per stream, in all replicates together
_MANY = 16  # replicates whose keys are quicker found together than one by one
_WORD = 0xFFFFFFFF
_ANY = SeedSequence(0)  # of generators that are given their state
_START = Philox(_ANY).state


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
        generators: Iterable[Generator] = self._generators
        if self._sort is None:
            self._sort = (method, n)
            self._on_use()
            generators = _one_by_one(self._keys())
            steps = 1  # most purposes draw but once
        elif self._sort != (method, n):
            raise ValueError(
                f"this Draw gives {self._sort}, not {(method, n)}: use one per purpose"
            )
        else:
            steps = max(1, min(16, _BUFFER // max(1, len(self._replicates) * n)))
        if not self._generators and self._used:
            generators = self._generators = [_begun(Philox(_ANY), key) for key in self._keys()]
            first = np.empty(n)
            for generator in generators:
                getattr(generator, method)(out=first)  # given already
        self._ahead = np.empty((len(self._replicates), steps, n))
        for generator, block in zip(generators, self._ahead, strict=True):
            getattr(generator, method)(out=block)
        self._used = 0

    def _keys(self) -> NDArray[np.uint64]:
        return philox_keys(self._seed, self._replicates, self._key)


def _one_by_one(keys: NDArray[np.uint64]) -> Iterator[Generator]:
    """Yield a generator for each key, until the next one is asked for: they are one and the same.

    To make one takes several times as long as to draw a hundred normals.
    """
    bits = Philox(_ANY)
    return (_begun(bits, key) for key in keys)


def _begun(bits: Philox, key: NDArray[np.uint64]) -> Generator:
    """Return the generator at the start of the stream of a key ``(2,)``, on ``bits``."""
    bits.state = {**_START, "state": {"counter": np.zeros(4, np.uint64), "key": key}}
    return Generator(bits)


def philox_keys(seed: int, replicates: Sequence[int], key: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return ``(R, 2)``: the keys of ``Philox(SeedSequence(seed, spawn_key=(replicate, *key)))``.

    What NumPy's SeedSequence does, which never changes, for all of many replicates at once.
    """
    if len(replicates) < _MANY:
        each = (SeedSequence(seed, spawn_key=(replicate, *key)) for replicate in replicates)
        return np.stack([one.generate_state(2, np.uint64) for one in each])
    words = [seed >> shift & _WORD for shift in range(0, max(seed.bit_length(), 1), 32)]
    words += [0] * (4 - len(words))
    entropy = [np.atleast_1d(np.uint32(word)) for word in (*words, 0, *key)]
    entropy[len(words)] = np.asarray(replicates, dtype=np.uint32)
    mixed, places = _Hash(0x43B0D7E5, 0x931E8875), range(4)
    pool = [mixed(word) for word in entropy[:4]]
    for source in places:
        for place in places:
            if source != place:
                pool[place] = _mix(pool[place], mixed(pool[source]))
    for word in entropy[4:]:
        for place in places:
            pool[place] = _mix(pool[place], mixed(word))
    given = _Hash(0x8B51F9DD, 0x58F38DED)
    low, high, *rest = (given(word).astype(np.uint64) for word in pool)
    return np.stack([low | high << np.uint64(32), rest[0] | rest[1] << np.uint64(32)], axis=-1)


class _Hash:
    """A multiplicative hash of words, whose constant changes with every use."""

    def __init__(self, start: int, factor: int) -> None:
        self._constant, self._factor = start, factor

    def __call__(self, words: NDArray[np.uint32]) -> NDArray[np.uint32]:
        before, self._constant = self._constant, self._constant * self._factor & _WORD
        words = (words ^ np.uint32(before)) * np.uint32(self._constant)
        return words ^ words >> np.uint32(16)


def _mix(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> NDArray[np.uint32]:
    mixed = x * np.uint32(0xCA01F9DD) - y * np.uint32(0x4973F715)
    return mixed ^ mixed >> np.uint32(16)


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
