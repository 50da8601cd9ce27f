"""What an exhibit finds: the essay's claims beside theory and simulation, points and a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import xarray as xr
from matplotlib.figure import Figure

AGREE = 4.0
"""Standard errors within which a simulation agrees with theory."""
_ROUNDING = 1e-9  # relative: of what has no standard error because it does not vary

Verdict = Literal["holds", "holds only if", "fails"]


class Point(NamedTuple):
    """A simulated mean and its standard error, with what theory says of just that mean."""

    series: str
    x: float
    theory: float
    mean: float
    error: float

    @property
    def z(self) -> float:
        """Return how many standard errors the simulation is from theory; 0 but for rounding."""
        return distance(self.theory, self.mean, self.error)


class Measured(NamedTuple):
    """A number that a claim rests on: in theory, and as simulated."""

    what: str
    theory: float
    mean: float
    error: float
    unit: str = ""

    @property
    def z(self) -> float:
        """Return how many standard errors the simulation is from theory; 0 but for rounding."""
        return distance(self.theory, self.mean, self.error)


class Claim(NamedTuple):
    """A claim of the essay, in our words, and what became of it.

    ``order`` is its place in the essay. ``because`` says why, and of one that ``holds only if``,
    under which condition; ``caveat`` what the essay itself says against it.
    """

    order: int
    says: str
    measured: tuple[Measured, ...]
    verdict: Verdict
    because: str
    caveat: str = ""


class Findings(NamedTuple):
    """An exhibit as it is shown: a figure, the points behind it, claims, and a table perhaps.

    Captions and claims are plain text. The figure is None of one that is on file.
    """

    figure: Figure | None
    caption: str
    alt: str
    x: str
    y: str
    points: Sequence[Point]
    claims: Sequence[Claim] = ()
    table: Mapping[str, Sequence[str]] = {}
    table_caption: str = ""


class Exhibit(Protocol):
    """What a module of `exhibits` has: the file is named after the idea.

    ``LETTER`` is that of its figure, ``STUDIES`` are names of shipped batteries; those that it
    shares with others are run once.
    """

    LETTER: str
    TITLE: str
    STUDIES: tuple[str, ...]

    def make(self, data: Mapping[str, xr.Dataset]) -> Findings:
        """Return what the opened batteries, by name, say."""
        ...


def distance(theory: float, mean: float, error: float) -> float:
    """Return ``|mean − theory| / error``; where there is no error, 0 if they are equal, else ∞.

    >>> distance(1.0, 1.2, 0.1), distance(2.0, 2.0, 0.0), distance(2.0, 2.1, 0.0)
    (2.0, 0.0, inf)
    """
    gap = abs(mean - theory)
    if gap <= _ROUNDING * max(abs(theory), abs(mean)):
        return 0.0
    return round(gap / error, 12) if error > 0.0 else math.inf


def agreed(parts: Iterable[Point | Measured]) -> Verdict:
    """Return "holds" if the simulation agrees with theory in all of them, else "fails"."""
    return "holds" if all(part.z <= AGREE for part in parts) else "fails"
