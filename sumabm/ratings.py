"""What can be learnt of a utility from noisy ratings of pairs of outcomes (Bradley–Terry).

Outcomes are whitened states s of the base world; the human's utility is ``u(s) = v_Y·s``, of unit
standard deviation. Of a pair (s, s') she prefers s with probability ``σ(β (u(s) − u(s')))``,
``σ(a) = 1/(1 + e^−a)``. All that is kept of a pair is the *preferred difference*
``x = ±(s − s')``, from the outcome that she rejected to the one that she preferred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import Field
from scipy.special import erfcx, expit, log_ndtr, ndtr

from sumabm.component import Objection
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.worlds import World

if TYPE_CHECKING:
    from sumabm.scenario import Scenario

WIDEST = 500
"""The most dimensions of utilities of which a belief, d² numbers per replicate, is kept."""

Pairs = Annotated[
    int, Field(ge=1, le=10_000, description="pairs of outcomes that humans rate per step")
]
Rationality = Annotated[
    float,
    Field(
        gt=0.0,
        le=1e6,
        description="β: log odds of preferring an outcome, per standard deviation of utility that "
        "it is better by; small β is noise, large β an oracle",
        json_schema_extra={"unit": "1/sd"},
    ),
]


def too_wide(scenario: Scenario, kind: str) -> Iterator[Objection]:
    """Refuse utilities of more dimensions than a belief is kept of."""
    if (scenario.world.known_sphere or 0) > WIDEST:
        rule = f"keeps a covariance matrix: utilities should have {WIDEST} dimensions at most"
        yield Objection((), rule, kind)


def ask(base: World, goal: Array, pairs: int, rationality: float, draw: Draw) -> Array:
    """Return the preferred differences x ``(R, pairs, w)`` of so many pairs sampled from ``base``.

    Plays the humans, whose utility ``goal (R, w)`` is v_Y: the answers are all that is seen of it.
    ``draw`` gives ``pairs · (2w + 1)`` normals a call.
    """
    w = base.width
    normals = draw.normal(pairs * (2 * w + 1))
    preferred = np.empty((len(normals), pairs, w))
    for i in range(pairs):
        own = normals[:, i * (2 * w + 1) : (i + 1) * (2 * w + 1)]
        one = base.look(base, _Dealt(own[:, :w]), 1)
        other = base.look(base, _Dealt(own[:, w:-1]), 1)
        x = one - other
        likes_one = ndtr(own[:, -1]) < expit(rationality * np.vecdot(goal, x))
        preferred[:, i] = np.where(likes_one[:, None], x, -x)
    return preferred


class _Dealt(Draw):
    """Normals ``(R, n)`` that were drawn before; a uniform is the normal's probability."""

    def __init__(self, normals: Array) -> None:
        self._normals = normals

    def _next(self, method: str, n: int) -> Array:
        part = self._normals[:, :n]
        return part if method == "standard_normal" else ndtr(part)


@dataclass(frozen=True, eq=False, slots=True)
class RatingBelief:
    """A Gaussian belief about v_Y: ``mean (R, w)`` and ``covariance (R, w, w)``.

    At first ``N(0, I/d)``. A pair tells something along ``x`` alone, where the posterior's first
    two moments are matched exactly (assumed-density filtering): exact for the first pair, and
    its alignment within some 1 % of the exact posterior's as d → ∞. It is better calibrated than
    Laplace's rule (mode and curvature there), which in 100 dimensions at β = 2 expects an alignment
    that is up to 0.08 too low; this one up to 0.004. As v_Y has unit length, which it does not
    know, it is a little too modest: by some 0.2/d to 0.4/d, in 2 dimensions by up to 0.09.
    """

    mean: Array
    covariance: Array

    @classmethod
    def prior(cls, rows: int, base: World) -> Self:
        """Return the belief before any pair was rated."""
        w = base.width
        covariance = np.broadcast_to(np.eye(w) / base.dimensions, (rows, w, w))
        return cls(np.zeros((rows, w)), covariance)

    def told(self, preferred: Array, rationality: float) -> Self:
        """Return the belief after the pairs of preferred differences ``(R, pairs, w)``.

        With ``x·v ~ N(μ, τ²)``, ``Z = E σ(β x·v)`` and Cx the covariance along x,
        ``m ← m + (ln Z)' Cx`` and ``C ← C + (ln Z)'' Cx Cxᵀ``, derivatives in μ.
        """
        mean, covariance = self.mean, self.covariance.copy()
        for x in np.moveaxis(preferred, 1, 0):
            along = np.vecdot(covariance, x[:, None, :])
            variance = np.maximum(np.vecdot(x, along), 0.0)
            slope, bend = log_odds_moments(np.vecdot(mean, x), variance, rationality)
            mean = mean + slope[:, None] * along
            covariance -= (bend[:, None] * along)[:, :, None] * along[:, None, :]
        return type(self)(mean, covariance)

    def direction(self, otherwise: Array) -> Array:
        """Return the mean's direction ``(R, w)``, or ``otherwise (R, w)`` where it has none."""
        length = np.sqrt(np.vecdot(self.mean, self.mean))[:, None]
        some = length > 0.0
        return np.where(some, self.mean / np.where(some, length, 1.0), otherwise)

    def certainty(self, dimensions: int) -> Array:
        """Return ``|m| / sqrt(|m|² + tr C)``, the expected cosine of the mean with v_Y, ``(R,)``.

        ``E[m·v/(|m||v|)]`` with ``E|v|²`` for ``|v|²``: right to leading order in 1/d. ``tr C`` is
        over the ``dimensions`` that utilities fill; the others keep their ``1/d`` each.
        """
        rest = (self.mean.shape[-1] - dimensions) / dimensions
        square = np.vecdot(self.mean, self.mean)
        spread = np.einsum("rii->r", self.covariance) - rest
        return np.sqrt(square / (square + np.maximum(spread, 0.0)))


def log_odds_moments(mean: Array, variance: Array, rationality: float) -> tuple[Array, Array]:
    """Return ``(ln Z)'`` and ``−(ln Z)''`` in ``mean (R,)``, ``Z = E σ(β a)``, ``a ~ N(mean, ·)``.

    The logistic law is a mixture of normal ones, so ``Z = Σ w_k Φ(t_k · mean)`` with
    ``t_k = (β⁻²/s_k² + variance)^(−½)``: relative error 1e-12 at any β. Units 1/sd and 1/sd².
    """
    t = 1.0 / np.sqrt((1.0 / (rationality * _SLOPES)) ** 2 + variance[:, None])
    z = t * mean[:, None]
    log_share = _LOG_WEIGHTS + log_ndtr(z)
    share = np.exp(log_share - log_share.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    hazard = np.sqrt(2.0 / np.pi) / erfcx(-z / np.sqrt(2.0))  # φ/Φ, to all digits far out too
    slopes = t * hazard
    slope = (share * slopes).sum(axis=-1)
    within = (share * t * t * hazard * (hazard + z)).sum(axis=-1)
    between = (share * (slopes - slope[:, None]) ** 2).sum(axis=-1)
    return slope, np.maximum(within - between, 0.0)


def _mixture(n: int) -> tuple[Array, Array]:
    """Return log weights and slopes s, ``σ(a) = Σ w Φ(s a)``: the trapezoidal rule in ln k.

    A logistic variable is 2k times a normal one, k of the limit law of Kolmogorov's statistic,
    whose density has a series that converges fast above 1 and another below.
    """
    log_k = np.linspace(np.log(0.16), np.log(4.6), n)
    k, j = np.exp(log_k), np.arange(1.0, 9.0)[:, None]
    above = -8.0 * k * ((-1.0) ** j * j**2 * np.exp(-2.0 * (j * k) ** 2)).sum(axis=0)
    far = ((2.0 * j - 1.0) * np.pi / k) ** 2 / 8.0
    below = np.sqrt(2.0 * np.pi) / k**2 * ((2.0 * far - 1.0) * np.exp(-far)).sum(axis=0)
    weights = k * np.where(k < 1.0, below, above)
    return np.log(weights / weights.sum()), 0.5 / k


_LOG_WEIGHTS, _SLOPES = _mixture(32)
