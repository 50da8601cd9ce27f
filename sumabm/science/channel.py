"""What one observed action reveals: the vector Gaussian channel of bounded amplitude.

An AI of power O whose utility is uniform on the sphere acts on N(0, I_d), and one sample of the
world is seen: their channel at amplitude ``sqrt(2O)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

from sumabm import theory
from sumabm.recorder import simulate
from sumabm.science.claims import Claim, Estimate

TITLE = "What one observed action reveals"
_REPLICATES = 20_000
_LIMIT = 10**9  # dimensions in place of infinitely many


@cache
def _looked(d: int, power: float) -> dict[str, Estimate]:
    """Return what a Bayesian aligner has of one act: ``information`` and ``alignment``.

    With edits that cost it nothing it turns the AI from where it believes it to be onto humans'
    utility: the alignment after that is the cosine of its estimate with the truth.
    """
    free = {"kind": "bayesian", "edit_power": 1e6}
    changes = {"world.dimensions": d, "agents.X.power": power, "agents.W.method": free}
    run = simulate("bayesian", _REPLICATES, 4, 2, changes).sel(agent="X").isel(step=1)
    return {name: Estimate.of(run[name].values) for name in ("information", "alignment")}


def _by_aligner(d: int, power: float, name: str) -> Estimate:
    return _looked(d, power)[name]


def _radius(d: int) -> float:
    return float(theory.largest_uniform_radius(d))


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "dytso-2018")
    for d, power, nats, cosine in (
        (3, 1.0, "0.760999623373", "0.628904145185"),
        (10, 1.0, "0.911440398194", "0.403365699157"),
        (10, 5.0, "3.44807122533", "0.711001336194"),
    ):
        at, seen = f"d = {d}, O = {power:g}", partial(_by_aligner, d, power)
        told = partial(theory.action_information, d, power)
        yield claim(f"I(v; s), {at}: an aligner's belief", nats, partial(seen, "information"))
        yield claim(f"I(v; s), {at}: by quadrature", nats, told)
        told = partial(theory.action_alignment, d, power)
        yield claim(f"cosine of estimate, {at}: an aligner's", cosine, partial(seen, "alignment"))
        yield claim(f"cosine of estimate, {at}: by quadrature", cosine, told)
    for d, radius, more in (
        (1, "1.66592407", "1.665925641271"),
        (2, "2.45351034", "2.453389957970"),
        (3, "3.06515589", "3.065107731648"),
    ):
        what, ours = f"largest R at which the sphere tells most, d = {d}", partial(_radius, d)
        yield claim(what, radius, ours, "published", 2e-4, "their Monte Carlo")
        yield claim(f"{what}, in 25 digits", more, ours)
    yield claim("that R over sqrt(d), d → ∞", "1.860935682", lambda: _radius(_LIMIT) / _LIMIT**0.5)


CLAIMS = tuple(_claims())
