"""Where the rows of a run go: kept in memory, or through a file to be read by replicate."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sumabm.files import RunError
from sumabm.types import Array

WHOLE = 2**26
"""Bytes of rows up to which a run that is stored is kept in memory until it is over."""

BLOCK = 2**24
"""Bytes of the pieces in which a longer one goes through a file."""

_MOST_SHOWN = 1000  # steps of a sample


class Rows(Protocol):
    """Takes the rows of a run, arrays ``(R,)`` by column, step after step from 0 on."""

    def put(self, step: int, row: Mapping[str, Array]) -> None:
        """Take the row of a step; steps come in order, and none is left out."""
        ...


class Held:
    """Rows in memory: ``columns`` has arrays ``(T, R)``, missing (NaN) where no row came."""

    def __init__(self, names: Collection[str], steps: int, replicates: int) -> None:
        self.columns = {name: np.full((steps, replicates), np.nan) for name in names}

    def put(self, step: int, row: Mapping[str, Array]) -> None:
        """Take the row of a step."""
        for name, values in row.items():
            self.columns[name][step] = values


class Last:
    """Each replicate's own last row, which is an earlier one where it stopped.

    ``row`` has arrays ``(R,)``, ``step (R,)`` is where it is from: −1 where a replicate has none.
    """

    def __init__(self, replicates: int) -> None:
        self.row: dict[str, Array] = {}
        self.step: NDArray[np.int64] = np.full(replicates, -1)

    def put(self, step: int, row: Mapping[str, Array], there: NDArray[np.bool_]) -> None:
        """Take the row of a step, of the replicates that have one."""
        whole = not self.row or bool(there.all())
        self.row = {n: v if whole else np.where(there, v, self.row[n]) for n, v in row.items()}
        self.step = np.where(there, step, self.step)


class Piece(NamedTuple):
    """Rows of some replicates and steps, counted from 0: arrays ``(steps, replicates)``."""

    replicates: range
    steps: range
    columns: dict[str, Array]


class Streamed:
    """Rows on their way through a file that has no name: it is gone whenever this process is.

    They come by step and are read by replicate. Blocks of steps are turned in memory, so that the
    file is written once from end to end, and a piece of it read from a few places. Memory is a
    small multiple of `BLOCK` and of a row, whatever the steps. Raises RunError, naming ``folder``,
    where nothing more can be written.
    """

    def __init__(self, names: Collection[str], steps: int, replicates: int, folder: Path) -> None:
        self.names, self.steps, self.replicates = tuple(names), steps, replicates
        self.last = Last(replicates)
        self._folder = folder
        self._span = max(1, BLOCK // (8 * len(self.names) * replicates))  # steps of a block
        self._filled = self._blocks = 0
        self._over = False
        # both are written to now, so that memory does not grow later
        self._block = np.full((len(self.names), self._span, replicates), np.nan)
        self._turned = np.full((replicates, len(self.names), self._span), np.nan)
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # as long as this lives
        except OSError as error:
            raise RunError(f"{folder}: cannot be written: {error}") from error

    def put(self, step: int, row: Mapping[str, Array]) -> None:
        """Take the row of a step, with the columns of the first; none after rows were read."""
        if self._over or row.keys() != set(self.names):
            raise ValueError("a stream takes rows of the same columns, until it is read")
        for place, name in enumerate(self.names):
            self._block[place, self._filled] = row[name]
        self._filled += 1
        self.last.put(step, row, ~np.isnan(row["harm"]))
        if self._filled == self._span:
            self._write()

    def _write(self) -> None:
        self._turned[...] = self._block.transpose(2, 0, 1)
        try:
            self._file.seek(self._blocks * self._turned.nbytes)
            self._file.write(self._turned.data.cast("B"))
            self._file.flush()
        except OSError as error:
            raise RunError(f"{self._folder}: cannot be written: {error}") from error
        self._blocks, self._filled = self._blocks + 1, 0
        self._block.fill(np.nan)

    def close(self) -> None:
        """Give the file's place on the disk back."""
        self._file.close()

    def pieces(self, first: int | None = None) -> Iterator[Piece]:
        """Yield all rows by replicate and step, of the ``first`` replicates or of all of them.

        A piece has all steps of some replicates, or some of one. Rows that never came are missing.
        """
        self._over = True
        if self._filled:
            self._write()
        among = self.replicates if first is None else first
        width = 8 * len(self.names)
        group = max(1, BLOCK // (width * self.steps))
        span = self.steps
        if width * span > BLOCK:
            span = max(1, BLOCK // (width * self._span)) * self._span
        for low in range(0, among, group):
            for start in range(0, self.steps, span):
                replicates = range(low, min(low + group, among))
                steps = range(start, min(start + span, self.steps))
                yield Piece(replicates, steps, self._read(replicates, steps))

    def _read(self, replicates: range, steps: range) -> dict[str, Array]:
        """Return rows; ``steps`` start where a block does."""
        found = np.full((len(self.names), len(steps), len(replicates)), np.nan)
        part = np.empty((len(replicates), len(self.names), self._span))
        for start in range(0, len(steps), self._span):
            block = (steps.start + start) // self._span
            if block >= self._blocks:
                break
            self._file.seek(block * self._turned.nbytes + replicates.start * part[0].nbytes)
            self._file.readinto(part.data.cast("B"))
            count = min(self._span, len(steps) - start)
            found[:, start : start + count] = part[:, :, :count].transpose(1, 2, 0)
        return dict(zip(self.names, found, strict=True))

    def sample(self) -> tuple[NDArray[np.int64], dict[str, Array]]:
        """Return rows to draw from: their steps, and arrays ``(steps, replicates)``.

        They take half of `WHOLE` or so: of the first replicates, every k-th step, the last and
        those at which one of these replicates has its last row.
        """
        room = max(1, WHOLE // (16 * len(self.names)))
        most = min(self.steps, _MOST_SHOWN, max(1, int(room**0.5)))
        first = min(self.replicates, max(1, room // most))
        ends = self.last.step[:first]
        every = np.arange(0, self.steps, -(-self.steps // most))
        steps = np.unique(np.concatenate([every, [self.steps - 1], ends[ends >= 0]]))
        found = {name: np.empty((steps.size, first)) for name in self.names}
        for piece in self.pieces(first):
            of = np.flatnonzero((steps >= piece.steps.start) & (steps < piece.steps.stop))
            for name, values in piece.columns.items():
                chosen = values[steps[of] - piece.steps.start]
                found[name][of, piece.replicates.start : piece.replicates.stop] = chosen
        return steps, found
