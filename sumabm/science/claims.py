"""A published number beside ours: what is claimed, how close the two should be, what was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, SupportsFloat

import numpy as np

from sumabm.bibliography import cited
from sumabm.types import Array

ERRORS = 4.0
"""Standard errors within which a simulated number agrees."""

_ROUNDING = 1e-13

Origin = Literal["published", "recomputed"]


class Estimate(NamedTuple):
    """A number that we found, and its standard error if it was simulated."""

    value: float
    error: float = 0.0

    @classmethod
    def of(cls, sample: Array) -> Estimate:
        """Return the mean of a sample ``(R,)``, R ≥ 2, and its standard error."""
        return cls(float(sample.mean()), float(sample.std(ddof=1) / np.sqrt(sample.size)))


@dataclass(frozen=True)
class Claim:
    """A number that others have published, or that follows from what they have published.

    ``source`` is a bibliography key. ``published`` holds the digits as they are given, and with
    ``error`` their standard error. ``ours`` computes the number by worlds, tilts, agents or
    aligners. ``origin`` says whether the digits are the source's own, or were recomputed in high
    precision, apart from this project, from what the source defines.

    The two agree within ``tolerance``, by default a unit of the last digit given and 1e-13 at
    least; ``because`` says why another is asked. If either has a standard error, they agree within
    four of both together.
    """

    source: str
    quantity: str
    published: str
    ours: Callable[[], Estimate | SupportsFloat]
    origin: Origin = "recomputed"
    tolerance: float | None = None
    because: str = "digits given"
    error: float = 0.0

    @property
    def decimals(self) -> int:
        """The number of decimals given."""
        return len(self.published.partition(".")[2])


class Item(Protocol):
    """What a module of numbers has; it is named after the idea."""

    TITLE: str
    CLAIMS: tuple[Claim, ...]


class Checked(NamedTuple):
    """A claim and the number that we found."""

    item: str
    claim: Claim
    ours: Estimate
    seconds: float

    @property
    def tolerance(self) -> float:
        """How far apart the two numbers may be."""
        if self.ours.error or self.claim.error:
            return ERRORS * float(np.hypot(self.ours.error, self.claim.error))
        given = self.claim.tolerance
        return max(10.0**-self.claim.decimals, _ROUNDING) if given is None else given

    @property
    def because(self) -> str:
        """Why they may be that far apart."""
        simulated = self.ours.error or self.claim.error
        return f"{ERRORS:g} s.e." if simulated else self.claim.because

    @property
    def difference(self) -> float:
        """Ours less the published number."""
        return self.ours.value - float(self.claim.published)

    @property
    def source(self) -> str:
        """Authors and year."""
        return cited(self.claim.source)

    @property
    def agrees(self) -> bool:
        """Whether ours is the published number."""
        return self.would_agree(float(self.claim.published))

    def would_agree(self, number: float) -> bool:
        """Return whether ours would be taken for ``number``: wrong ones should be refused."""
        return bool(abs(self.ours.value - number) <= self.tolerance)


def check(item: str, claim: Claim) -> Checked:
    """Compute our number."""
    began = time.perf_counter()
    found = claim.ours()
    ours = found if isinstance(found, Estimate) else Estimate(float(found))
    return Checked(item, claim, ours, time.perf_counter() - began)
