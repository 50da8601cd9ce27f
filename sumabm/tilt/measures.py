"""The best action within a limit on something other than KL divergence, on discrete worlds.

`orders` solves for reverse KL, Rényi, χ² and Hellinger, `variation` for total variation and
`transport` for the Wasserstein distance.
"""

from __future__ import annotations

import numpy as np

from sumabm.tilt._divergence import from_renyi, mean_divergence, renyi
from sumabm.tilt._outcome import Optimum, assemble
from sumabm.tilt._rows import ROUNDING, Rows, as_rows, lay_out, without_axis
from sumabm.tilt.orders import move_order
from sumabm.tilt.shifts import check_measure
from sumabm.tilt.transport import transport
from sumabm.tilt.variation import move_variation, variation
from sumabm.types import Array

MEASURES = ("reverse-kl", "renyi", "chi2", "hellinger", "tv", "wasserstein")
"""The names that `optimum` takes."""

_ORDERS = {"reverse-kl": 0.0, "chi2": 2.0, "hellinger": 0.5}


def optimum(
    log_p: Array,
    utility: Array,
    power: Array | float,
    measure: str,
    *,
    alpha: float | None = None,
    ground: Array | None = None,
) -> Optimum:
    """Move P to the Q with the largest ``E_Q[u]`` subject to ``D(Q, P) ≤ O``.

    ``D`` by name: ``"reverse-kl"`` ``KL(P‖Q)``; ``"renyi"`` ``log(Σ q^α p^(1−α))/(α − 1)``, needs
    ``alpha``; ``"chi2"`` ``Σ (q − p)²/p``; ``"hellinger"`` ``1 − Σ sqrt(pq)``; ``"tv"``
    ``½ Σ |q − p|``; ``"wasserstein"`` the Wasserstein-2 distance, needs ``ground (N, k)``, the
    states' features, between which distance is Euclidean, and is in their units.

    ``log_p`` is ``(N,)`` or ``(R, N)`` log-probabilities (−inf where impossible), ``utility``
    ``(N,)`` or ``(R, N)``, ``power`` a scalar or ``(R,)``, and may be inf. A factor or constant
    in u is immaterial, from 1e-300 to 1e300. Impossible states stay so, their utility is not read;
    tied states share in proportion to P; within 1e-290 of the range of the best is a tie.

    A power that binds is spent to 1e-12 of itself (``α · 1e-13`` for large α); less exactly below
    1e-24 in worlds whose best states are rarer still. Reverse KL can't be spent on states whose
    probability, below 1e-300, a float does not hold.

    Limits: no power, or a constant utility, is the identity and spends nothing. Power at or above
    the price of P conditioned on the best states buys just that (reverse KL: at no finite power;
    Wasserstein: every state's mass goes to the nearest of the best states, which is cheaper).
    Under ``"wasserstein"`` states of equal features are swapped for free once there is any power;
    it takes O(N²) time, memory in blocks, and probabilities below 1e-300 may become zero.

    Raises ValueError on an unknown measure; an ``alpha`` that is missing, not wanted, 1 (KL: use
    the tilt) or not in (0, ∞); a ``ground`` that is missing, not wanted or of a wrong shape; more
    than 20 000 states with ``"wasserstein"``; a ``log_p`` not normalised to 1e-6, a utility not
    finite at a possible state, a power below 0.

    >>> best = optimum(np.log([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 3.0]), 0.1, "tv")
    >>> np.exp(best.log_q).round(12), float(best.spent), float(best.gain.round(12))
    (array([0.4, 0.3, 0.3]), 0.1, 0.3)
    """
    order, given = _order(measure, alpha), (log_p, utility, power)
    rows = lay_out(log_p, utility, power)
    if (ground is not None) != (measure == "wasserstein"):
        raise ValueError(
            'ground features are for the measure "wasserstein", which needs them: '
            f"got measure {measure!r} and ground {'missing' if ground is None else 'given'}"
        )
    if ground is not None:
        return without_axis(transport(rows, ground), *given)
    ceiling = _ceiling(rows, measure)
    idle = (rows.span == 0.0) | (rows.power <= 0.0)
    saturated = ~idle & (rows.power >= ceiling * (1.0 - ROUNDING))
    live = np.flatnonzero(~idle & ~saturated)
    some = rows.take(live)
    moved = move_variation(some) if measure == "tv" else move_order(some, measure, order)
    return without_axis(assemble(rows, saturated, ceiling, live, moved), *given)


def price(
    log_q: Array,
    log_p: Array,
    measure: str,
    *,
    alpha: float | None = None,
) -> Array:
    """Return ``D(Q, P)``, one entry per row, for the measures of `optimum` and ``"kl"``.

    ``log_q`` and ``log_p`` are ``(N,)`` or ``(R, N)`` normalised log-probabilities. The result is
    inf where the measure is: Q outside P for KL, χ² and Rényi α > 1, P outside Q for reverse KL.
    Good to rounding of the logarithms, that is to about ``1e-15/sqrt(D)`` relative for small D.

    Raises ValueError on ``"wasserstein"``, whose price is a transport problem of its own, and on
    an unknown measure or a wrong ``alpha``.

    >>> half, bent = np.log([0.5, 0.5]), np.log([0.75, 0.25])
    >>> float(price(bent, half, "chi2").round(12)), float(price(bent, half, "tv").round(12))
    (0.25, 0.25)
    """
    if measure == "wasserstein":
        raise ValueError('the price by "wasserstein" of a given distribution is not offered')
    order = 1.0 if measure == "kl" and alpha is None else _order(measure, alpha)
    lead = np.broadcast_shapes(np.shape(log_p)[:-1], np.shape(log_q)[:-1])
    log_p, log_q = (np.ascontiguousarray(a) for a in np.broadcast_arrays(*as_rows(log_p, log_q)))
    with np.errstate(invalid="ignore"):
        ell = log_q - log_p
    ell = np.where(np.isnan(ell), 0.0, ell)
    if measure == "tv":
        value = variation(log_p, log_q, ell)
    elif order in (0.0, 1.0):
        value = mean_divergence(log_p, log_q, ell, order)
    else:
        value = from_renyi(renyi(log_p, log_q, ell, order), measure)
    return value.reshape(lead)


def _order(measure: str, alpha: float | None) -> float:
    """Return the order α of a measure, 0 where it has none, once it is checked."""
    check_measure(measure, alpha, MEASURES)
    return _ORDERS.get(measure, 0.0) if alpha is None else float(alpha)


def _ceiling(rows: Rows, measure: str) -> Array:
    """Return the price of P conditioned on the best states."""
    if measure == "reverse-kl":
        return np.full(rows.power.shape, np.inf)
    if measure == "tv":
        return rows.rest
    return from_renyi(-rows.log_top, measure)


__all__ = ["MEASURES", "Optimum", "optimum", "price"]
