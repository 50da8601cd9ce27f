"""The best action within a limit on something other than KL divergence, on discrete worlds.

Reverse KL, Rényi, χ² and Hellinger are one family. With ``x`` the utility scaled to [−1, 0] and
``w = q/p``, the optimum under the divergence of order α is

* α < 1: ``w ∝ (1 + s (0 − x))^(−1/(1−α))``: every state keeps some probability;
* α > 1: ``w ∝ (x − ν)₊^(1/(α−1))``: states below the level ν get none.

Dividing by the sum does what a second multiplier would, so one number is left to solve for. α = 0
is reverse KL, α = ½ Hellinger and α = 2 χ²: monotone functions of the Rényi divergence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from sumabm.types import Array

MEASURES = ("reverse-kl", "renyi", "chi2", "hellinger", "tv", "wasserstein")
"""The names that `optimum` takes."""

_Index: TypeAlias = NDArray[np.intp]
_Result = TypeVar("_Result", bound=tuple[Any, ...])

_ORDERS = {"reverse-kl": 0.0, "chi2": 2.0, "hellinger": 0.5}
_NORMAL = 1e-6  # how far from one the total probability may be
_ROUNDING = 1e-14  # a power short of a ceiling by less than this counts as enough
_TIE = 1e-290  # of the range: closer to the best than this is a tie
_SMALL = 0.25  # exponents below this go through a series
_TERMS = 15
_MOST_STATES = 20_000  # of a transport problem
_KEPT_STATES = 2_500  # up to here the ground costs fit in memory at once


class Optimum(NamedTuple):
    """What the best action within a limit did: each field has one entry per row.

    ``log_q (R, N)`` is the world after; ``multiplier (R,)`` the power that one more unit of
    utility would cost, ``dO/dgain`` (under KL it would be the tilt's β): 0 where nothing was
    done, inf where there is nothing left to buy; ``spent (R,)`` the measure's value; ``gain (R,)``
    the rise of ``E[u]``; ``saturated (R,)`` whether Q is on the best states only. Without a
    replicate axis in what was given there is none here.
    """

    log_q: Array
    multiplier: Array
    spent: Array
    gain: Array
    saturated: NDArray[np.bool_]


class Rows(NamedTuple):
    """A batch of discrete worlds with the utility brought to [−1, 0], every array contiguous.

    ``log_p (R, N)`` normalised; ``x (R, N)`` is ``(u − max)/range`` over the support, −1 off it;
    the range is ``span · 2**exponent``, each ``(R,)``; ``log_top (R,)`` is ``log P(argmax)`` and
    ``rest (R,)`` what it leaves of 1; ``power (R,)``. ``span`` is 0 where u is constant.
    """

    log_p: Array
    x: Array
    span: Array
    exponent: NDArray[np.int32]
    log_top: Array
    rest: Array
    power: Array

    def take(self, rows: _Index) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.log_p[rows],
            self.x[rows],
            self.span[rows],
            self.exponent[rows],
            self.log_top[rows],
            self.rest[rows],
            self.power[rows],
        )

    def in_units(self, scaled: Array) -> Array:
        """Return an amount ``(R,)`` of ``x`` as an amount of utility."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(self.span * scaled, self.exponent)


class _Moved(NamedTuple):
    """A solver's answer for the rows that were neither idle nor saturated, utility in ``x``."""

    log_q: Array
    log_multiplier: Array
    spent: Array
    gain: Array


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
        return without_axis(_transport(rows, _ground(ground, rows.x.shape[1])), *given)
    ceiling = _ceiling(rows, measure)
    idle = (rows.span == 0.0) | (rows.power <= 0.0)
    saturated = ~idle & (rows.power >= ceiling * (1.0 - _ROUNDING))
    live = np.flatnonzero(~idle & ~saturated)
    some = rows.take(live)
    moved = _move_variation(some) if measure == "tv" else _move_order(some, measure, order)
    return without_axis(_assemble(rows, saturated, ceiling, live, moved), *given)


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
    log_p, log_q = (np.ascontiguousarray(a) for a in np.broadcast_arrays(*_rows(log_p, log_q)))
    with np.errstate(invalid="ignore"):
        ell = log_q - log_p
    ell = np.where(np.isnan(ell), 0.0, ell)
    if measure == "tv":
        value = _variation(log_p, log_q, ell)
    elif order in (0.0, 1.0):
        value = mean_divergence(log_p, log_q, ell, order)
    else:
        value = _from_renyi(_renyi(log_p, log_q, ell, order), measure)
    return value.reshape(lead)


def _variation(log_p: Array, log_q: Array, ell: Array) -> Array:
    """Return ``½ Σ |q − p|``, each difference accurate where it is small."""
    p, small = np.exp(log_p), np.abs(ell) < _SMALL
    near = p * np.expm1(np.where(small, ell, 0.0))
    return 0.5 * np.abs(np.where(small, near, np.exp(log_q) - p)).sum(axis=-1)


# --- what the rules share -----------------------------------------------------------------------


def lay_out(log_p: Array, utility: Array, power: Array | float) -> Rows:
    """Return `Rows` of worlds and utilities: normalised, broadcast, free of scale.

    >>> lay_out(np.log([0.5, 0.5]), np.array([1e300, 3e300]), 1.0).x
    array([[-1.,  0.]])
    """
    log_p, utility = _rows(log_p, utility)
    limits = np.atleast_1d(np.asarray(power, dtype=np.float64))
    count = np.broadcast_shapes(log_p.shape[:1], utility.shape[:1], limits.shape)[0]
    shape = (count, np.broadcast_shapes(log_p.shape[1:], utility.shape[1:])[0])
    log_p = np.ascontiguousarray(np.broadcast_to(log_p, shape))
    possible = log_p > -np.inf
    _check(log_p, np.where(possible, utility, 0.0), limits)
    log_p = log_p - log_sum_exp(log_p)[:, None]
    # Powers of two scale exactly, and keep differences of huge utilities inside the float range.
    exponent = np.frexp(np.where(possible, np.abs(utility), 0.0).max(axis=-1))[1]
    with np.errstate(under="ignore"):
        scaled = np.ldexp(np.where(possible, utility, 0.0), -exponent[:, None])
    below = scaled - np.where(possible, scaled, -np.inf).max(axis=-1, keepdims=True)
    span = -np.where(possible, below, 0.0).min(axis=-1)
    with np.errstate(under="ignore"):
        x = np.where(possible, below / np.where(span > 0.0, span, 1.0)[:, None], -1.0)
    x = np.where(x > -_TIE, 0.0, x)
    rest = np.where(x < 0.0, np.exp(log_p), 0.0).sum(axis=-1)
    whole = log_sum_exp(np.where(x == 0.0, log_p, -np.inf))
    log_top = np.where(rest < 0.5, np.log1p(-np.minimum(rest, 0.5)), whole)
    return Rows(
        log_p,
        x,
        span,
        exponent,
        log_top,
        rest,
        np.ascontiguousarray(np.broadcast_to(limits, count)),
    )


def without_axis(result: _Result, *given: Array | float) -> _Result:
    """Return the fields without their replicate axis if nothing given had one.

    The arrays ``given`` end in their states' axis, but for the last, the power.
    """
    if any(np.ndim(array) > 1 for array in given[:-1]) or np.ndim(given[-1]) > 0:
        return result
    return type(result)(*(field[0] for field in result))


def log_sum_exp(terms: Array) -> Array:
    """Return ``log Σ exp`` over the last axis; −inf for rows of nothing but −inf.

    >>> log_sum_exp(np.array([[-1000.0, -1000.0]]))
    array([-999.30685282])
    """
    peak = terms.max(axis=-1)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore", under="ignore", over="ignore"):
        return peak + np.log(np.exp(terms - peak[..., None]).sum(axis=-1))


def mean_divergence(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return ``Σ p ψ(q/p)``, ``ψ(w) = (w^α − 1 − α(w − 1))/(α(α − 1))``, ``ell = log(q/p)``.

    α is ``order``: 1 gives ``KL(Q‖P)``, 0 ``KL(P‖Q)``. Every term is positive and ψ is summed as a
    series where w is near 1, so that a small divergence keeps its digits.

    >>> p = np.log(np.array([[0.5, 0.5]]))
    >>> ell = np.log1p(np.array([[1e-9, -1e-9]]))
    >>> mean_divergence(p, p + ell, ell, 2.0)
    array([5.e-19])
    """
    small = np.abs(ell) * max(1.0, order) < _SMALL
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        p = np.exp(log_p)
        near = p * _psi_near(np.where(small, ell, 0.0), order)
        far = _psi_far(log_p, log_q, ell, order)
    return np.where(small, near, far).sum(axis=-1)


def rise(rows: Rows, ell: Array) -> Array:
    """Return ``E_Q[x] − E_P[x]`` per row from ``ell = log(q/p)``, accurate when it is small."""
    with np.errstate(under="ignore"):
        p = np.exp(rows.log_p)
        q = np.exp(rows.log_p + ell)
        small = np.abs(ell) < _SMALL
        change = np.where(small, p * np.expm1(np.where(small, ell, 0.0)), q - p)
        # The changes sum to zero: measuring x from its mean keeps rounding out of the gain.
        centred = rows.x - (p * rows.x).sum(axis=-1, keepdims=True)
        return np.maximum((change * centred).sum(axis=-1), 0.0)


def conditioned(rows: Rows) -> Array:
    """Return log-probabilities of P given the best states, ties in proportion to P."""
    return np.where(rows.x == 0.0, rows.log_p - rows.log_top[:, None], -np.inf)


def rising_root(
    excess: Callable[[Array, _Index], Array], guess: Array, floor: Array | None = None
) -> Array:
    """Return the roots z of one rising function per row, each found without a look at the others.

    ``excess(z, rows)`` gives the function's values at ``z`` for the rows numbered ``rows``. The
    search brackets the root from ``guess (R,)`` by steps that double, never below ``floor``, and
    closes in by Chandrupatla's method. A row without a root gets the end where it would be.

    >>> rising_root(lambda z, rows: z**3 - np.array([8.0, 27.0])[rows], np.zeros(2))
    array([2., 3.])
    """
    least = np.full(guess.shape, -np.inf) if floor is None else floor
    start = np.maximum(guess, least)
    low, high = _bracket(excess, start, least)
    return _chandrupatla(excess, low, high)


class _End(NamedTuple):
    """Points and function values, one per row."""

    z: Array
    f: Array


def _bracket(
    excess: Callable[[Array, _Index], Array], start: Array, least: Array
) -> tuple[_End, _End]:
    """Return ends with the root between them (or equal ends where there is none)."""
    everywhere = np.arange(start.size)
    f = excess(start, everywhere)
    up = f < 0.0
    near, far = _End(start.copy(), f.copy()), _End(start.copy(), f.copy())
    active = np.flatnonzero(f != 0.0)
    for doubling in range(70):
        if active.size == 0:
            break
        near.z[active], near.f[active] = far.z[active], far.f[active]
        step = np.where(up[active], 1.0, -1.0) * 2.0**doubling
        z = np.maximum(far.z[active] + step, least[active])
        f = excess(z, active)
        far.z[active], far.f[active] = z, f
        open_ended = ((f < 0.0) == up[active]) & (f != 0.0) & (z > least[active])
        active = active[open_ended]
    # No change of sign: rounding has put the root beyond the last point looked at.
    missed = (near.f < 0.0) == (far.f < 0.0)
    near.z[missed], near.f[missed] = far.z[missed], far.f[missed]
    return near, far


def _chandrupatla(excess: Callable[[Array, _Index], Array], one: _End, other: _End) -> Array:
    """Return roots bracketed by two ends: inverse quadratic steps, or halving where those fail."""
    a, fa, b, fb = one.z.copy(), one.f.copy(), other.z.copy(), other.f.copy()
    root = np.where(np.abs(fa) < np.abs(fb), a, b)
    live = np.flatnonzero((a != b) & (np.minimum(np.abs(fa), np.abs(fb)) > 1e-15))
    a, fa, b, fb = a[live], fa[live], b[live], fb[live]
    share = np.full(live.size, 0.5)
    for _ in range(200):
        if live.size == 0:
            break
        z = a + share * (b - a)
        f = excess(z, live)
        same = (f < 0.0) == (fa < 0.0)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = z, f
        root[live] = np.where(np.abs(fa) < np.abs(fb), a, b)
        tolerance = (4.5e-16 * np.abs(root[live]) + 1e-18) / np.maximum(np.abs(b - a), 1e-18)
        tolerance = np.minimum(tolerance, 0.5)
        share = np.clip(_share(a, fa, b, fb, c, fc), tolerance, 1.0 - tolerance)
        wide = (tolerance < 0.5) & (np.abs(f) > 1e-15)
        live, share, a, fa, b, fb = live[wide], share[wide], a[wide], fa[wide], b[wide], fb[wide]
    return root


def _share(a: Array, fa: Array, b: Array, fb: Array, c: Array, fc: Array) -> Array:
    """Return how far to go from a to b: by inverse quadratic interpolation where it is safe."""
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        quadratic = fa / (fb - fa) * fc / (fb - fc)
        quadratic += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(safe & np.isfinite(quadratic), quadratic, 0.5)


# --- the family of orders -----------------------------------------------------------------------


class _Family(NamedTuple):
    """The candidates ``q/p ∝ (1 + distance · e^z)^(1/(α − 1))``, one ray per row.

    ``log_p`` and ``x`` as in `Rows`; ``log_distance (n, N)`` from the best state for α < 1 and
    from the worst ``kept`` state for α > 1; z is at least ``floor (n,)``.
    """

    log_p: Array
    x: Array
    log_distance: Array
    kept: NDArray[np.bool_]
    floor: Array

    def log_ratio(self, z: Array, order: float, rows: _Index | slice = slice(None)) -> Array:
        """Return ``log(q/p)`` for some of the rows, ``z`` being theirs."""
        z, x = z[:, None], self.x[rows]
        with np.errstate(under="ignore"):
            share = np.logaddexp(0.0, self.log_distance[rows] + z)
            if order > 1.0:
                best = np.where(x == 0.0, share, 0.0).max(axis=-1, keepdims=True)
                share = _log_shortfall(share, best, -x * np.exp(z - best))
        share = np.where(self.kept[rows], share / (order - 1.0), -np.inf)
        return _normalised(self.log_p[rows], share)


def _move_order(rows: Rows, measure: str, order: float) -> _Moved:
    """Solve for the optimum of a divergence of an order; every row has room to move."""
    target = _to_renyi(rows.power, measure)
    family = _cut(rows, order, target) if order > 1.0 else _whole(rows)

    def excess(z: Array, some: _Index) -> Array:
        ell = family.log_ratio(z, order, some)
        value = _value(rows.log_p[some], ell, order)
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(value) - np.log(target[some]), -2000.0)

    z = rising_root(excess, _guess(rows, order, target), family.floor)
    ell = family.log_ratio(z, order)
    value = _value(rows.log_p, ell, order)
    return _Moved(
        rows.log_p + ell,
        _log_multiplier(family, z, ell, value, measure, order),
        _from_renyi(value, measure),
        rise(rows, ell),
    )


def _whole(rows: Rows) -> _Family:
    """Return the family for α < 1."""
    with np.errstate(divide="ignore"):
        log_distance = np.log(-rows.x)
    kept = np.ones(rows.x.shape, dtype=np.bool_)
    return _Family(rows.log_p, rows.x, log_distance, kept, np.full(rows.power.shape, -np.inf))


def _cut(rows: Rows, order: float, target: Array) -> _Family:
    """Return the family for α > 1.

    The level ν lies between two neighbouring utilities; which two is found by halving. Measured
    from the upper one, not from the best state, ν keeps all its digits however close it comes:
    for large α the worst kept state's share is a high root of that distance.
    """
    levels = -np.sort(-rows.x, axis=-1)
    count = levels.shape[1]
    second = np.where(rows.x < 0.0, rows.x, -np.inf).max(axis=-1)
    kept_at = (levels >= second[:, None]).sum(axis=-1) - 1
    dropped_at = np.full(kept_at.shape, count)
    for _ in range(count.bit_length()):
        middle = (kept_at + dropped_at) // 2
        level = np.take_along_axis(levels, middle[:, None], axis=-1)
        keep = (_value(rows.log_p, _log_above(rows, level, order), order) > target) | (
            middle == kept_at
        )
        kept_at = np.where(keep, middle, kept_at)
        dropped_at = np.where(keep, dropped_at, middle)
    last = np.take_along_axis(levels, kept_at[:, None], axis=-1)
    after = np.take_along_axis(levels, np.minimum(kept_at + 1, count - 1)[:, None], axis=-1)
    gap = np.where(after < last, last - after, np.inf)[:, 0]
    kept = rows.x >= last
    with np.errstate(divide="ignore"):
        log_distance = np.log(np.where(kept, rows.x - last, 0.0))
    return _Family(rows.log_p, rows.x, log_distance, kept, -np.log(gap))


def _log_above(rows: Rows, level: Array, order: float) -> Array:
    """Return ``log(q/p)`` for ``q/p ∝ (x − level)₊^(1/(α − 1))``."""
    kept = rows.x > level
    level = np.minimum(level, -_TIE)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        share = np.log(np.where(kept, rows.x - level, 0.0))
        share = _log_shortfall(share, np.log(-level), rows.x / level)
    return _normalised(rows.log_p, np.where(kept, share / (order - 1.0), -np.inf))


def _log_shortfall(log_share: Array, log_best: Array, shortfall: Array) -> Array:
    """Return ``log(share/best) = log(1 − shortfall)``, by whichever has more digits."""
    near = shortfall < 0.5
    return np.where(near, np.log1p(-np.where(near, shortfall, 0.0)), log_share - log_best)


def _normalised(log_p: Array, log_share: Array) -> Array:
    """Return ``log(q/p)`` for ``q ∝ p · exp(log_share)``, accurate when it is small."""
    log_share = log_share - log_share.max(axis=-1, keepdims=True)
    with np.errstate(under="ignore"):
        less = (np.exp(log_p) * np.expm1(log_share)).sum(axis=-1)
    total = np.where(less > -0.5, np.log1p(np.maximum(less, -0.5)), log_sum_exp(log_p + log_share))
    return log_share - total[:, None]


def _value(log_p: Array, ell: Array, order: float) -> Array:
    """Return reverse KL for order 0, else the Rényi divergence of that order."""
    log_q = log_p + ell
    if order == 0.0:
        return mean_divergence(log_p, log_q, ell, 0.0)
    return _renyi(log_p, log_q, ell, order)


def _renyi(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return ``log(Σ q^α p^(1−α))/(α − 1)``: by a sum of small terms where it is itself small."""
    with np.errstate(over="ignore"):
        mean = order * (order - 1.0) * mean_divergence(log_p, log_q, ell, order)
    outside = np.where((log_q > -np.inf) & (order > 1.0), np.inf, -np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        terms = np.where(log_p > -np.inf, log_p + order * ell, outside)
        whole = log_sum_exp(terms) / (order - 1.0)
    whole = np.where((terms == np.inf).any(axis=-1), np.inf, whole)
    small = np.abs(mean) < 0.5
    return np.where(small, np.log1p(np.where(small, mean, 0.0)) / (order - 1.0), whole)


def _psi_near(ell: Array, order: float) -> Array:
    """Return ψ of `mean_divergence` for small ``ell``: ``Σ_k (1 + α + … + α^(k−2)) ell^k/k!``."""
    largest = max(1.0, order)  # the series runs in powers of largest·ell, which are below ¼
    coefficients, partial, factorial = [], 1.0, 2.0
    for k in range(2, _TERMS):
        coefficients.append(partial / factorial)
        partial = largest ** (1.0 - k) + (order / largest) * partial
        factorial *= k + 1.0
    scaled = largest * ell
    total = np.full(ell.shape, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * scaled + coefficient
    return total * ell * ell


def _psi_far(log_p: Array, log_q: Array, ell: Array, order: float) -> Array:
    """Return ``p ψ(q/p)`` of `mean_divergence`, in the form that is stable at each α."""
    p, q = np.exp(log_p), np.exp(log_q)
    if order < 0.5:
        return (_grown(log_p, p, ell, order) - (q - p)) / (order - 1.0)
    # Below −700 the exponent is clipped: what it multiplies vanishes.
    return (_grown(log_q, q, np.maximum(ell, -700.0), order - 1.0) - (q - p)) / order


def _grown(log_mass: Array, mass: Array, ell: Array, rate: float) -> Array:
    """Return ``mass · (exp(rate · ell) − 1)/rate``, 0 without mass; the limit at rate 0."""
    if rate == 0.0:
        return np.where(log_mass > -np.inf, mass * ell, 0.0)
    exponent = rate * ell
    # A mass below the floats may grow to an ordinary one: multiply as logarithms.
    grown = np.where(exponent > 30.0, np.exp(log_mass + exponent) - mass, mass * np.expm1(exponent))
    return np.where(log_mass > -np.inf, grown, 0.0) / rate


def _guess(rows: Rows, order: float, target: Array) -> Array:
    """Return where to start: exact for small power, and for large reverse KL."""
    p = np.exp(rows.log_p)
    mean = (p * rows.x).sum(axis=-1, keepdims=True)
    variance = np.maximum((p * (rows.x - mean) ** 2).sum(axis=-1), 1e-300)
    near = 0.5 * (np.log(target) - np.log(variance) + np.log(2.0 / (order or 1.0)))
    near += np.log(abs(order - 1.0))
    if order > 0.0:
        return near
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        logs = np.where(rows.x < 0.0, p * np.log(-rows.x), 0.0).sum(axis=-1)
        far = np.minimum((target - rows.log_top - logs) / rows.rest, 1e300)
    return np.where(target > rows.rest, far, near)


def _log_multiplier(
    family: _Family, z: Array, ell: Array, value: Array, measure: str, order: float
) -> Array:
    """Return ``log dO/dE[x]`` at the optimum, read off its first-order condition."""
    with np.errstate(under="ignore"):
        best = np.where(family.x == 0.0, family.log_distance, -np.inf).max(axis=-1)
        normaliser = np.logaddexp(0.0, best + z) - (order - 1.0) * ell.max(axis=-1)
    if measure == "reverse-kl":
        return z - normaliser
    slope = z + np.log(order / abs(order - 1.0)) - (order - 1.0) * value - normaliser
    if measure == "chi2":
        return slope + value
    return slope + np.log(0.5) - 0.5 * value if measure == "hellinger" else slope


# --- total variation ----------------------------------------------------------------------------


def _move_variation(rows: Rows) -> _Moved:
    """Move mass from the worst states to the best; every row has room to move."""
    p = np.exp(rows.log_p)
    ascending = np.argsort(rows.x, axis=-1, kind="stable")
    heap = np.cumsum(np.take_along_axis(p, ascending, axis=-1), axis=-1)
    at = np.minimum((heap <= rows.power[:, None]).sum(axis=-1), p.shape[1] - 1)
    level = np.take_along_axis(rows.x, np.take_along_axis(ascending, at[:, None], -1), -1)
    # Rounding of the heap must not reach into the best states themselves.
    level = np.minimum(level[:, 0], np.where(rows.x < 0.0, rows.x, -1.0).max(axis=-1))
    worse, tied = rows.x < level[:, None], rows.x == level[:, None]
    below, at_level = (np.where(who, p, 0.0).sum(axis=-1) for who in (worse, tied))
    taken = np.clip(rows.power - below, 0.0, at_level)
    share = taken / np.where(at_level > 0.0, at_level, 1.0)
    with np.errstate(divide="ignore"):
        log_kept = np.log1p(-share)
    more = np.logaddexp(0.0, np.log(rows.power) - rows.log_top)
    log_q = np.where(tied, rows.log_p + log_kept[:, None], rows.log_p)
    log_q = np.where(worse, -np.inf, log_q)
    return _Moved(
        np.where(rows.x == 0.0, log_q + more[:, None], log_q),
        -np.log(-level),
        below + taken,
        np.where(worse, -p * rows.x, 0.0).sum(axis=-1) - taken * level,
    )


# --- Wasserstein --------------------------------------------------------------------------------


class _Vertex(NamedTuple):
    """A deterministic plan: its cost and gain (in x), and the distribution it leads to."""

    cost: Array
    value: Array
    q: Array

    def take(self, rows: _Index) -> _Vertex:
        return _Vertex(self.cost[rows], self.value[rows], self.q[rows])

    def put(self, rows: _Index, other: _Vertex) -> None:
        for mine, theirs in zip(self, other, strict=True):
            mine[rows] = theirs


_Score: TypeAlias = Callable[[Array, Array, NDArray[np.bool_]], Array]
_Blocks: TypeAlias = Callable[[], Iterable[tuple[int, Array]]]


def _ground(ground: Array, count: int) -> Array:
    """Return the features as ``(N, k)``, checked."""
    features = np.asarray(ground, dtype=np.float64)
    features = features[:, None] if features.ndim == 1 else features
    if features.ndim != 2 or features.shape[0] != count:
        raise ValueError(
            f"ground must have shape (N,) or (N, k) with N = {count} states: got {ground.shape}"
        )
    if count > _MOST_STATES:
        raise ValueError(
            f'"wasserstein" compares all pairs of states: at most {_MOST_STATES} of them, '
            f"got {count}"
        )
    return features


def _transport(rows: Rows, ground: Array) -> Optimum:
    """Solve the linear programme over plans, rows in chunks whose size their number can't change.

    On the frontier of gain against cost (squared distance) the optimum at a budget lies between
    two vertices, plans that send each state to one place. They are closed in on by looking for
    the plan best at the slope of the chord between them; when none is above the chord, it *is*
    the frontier.
    """
    scale = np.frexp(np.abs(ground).max(initial=0.0))[1]
    with np.errstate(over="ignore", under="ignore"):
        ground, power = np.ldexp(ground, -scale), np.ldexp(rows.power, -scale)
    count = rows.x.shape[1]
    height = max(1, min(count, 2**18 // count))
    cached = list(_costs(ground, height)) if count <= _KEPT_STATES else None

    def blocks() -> Iterable[tuple[int, Array]]:
        return _costs(ground, height) if cached is None else cached

    chunk = max(1, 2**21 // (height * count))
    parts = [
        _transport_some(rows.take(some), power[some], blocks, int(scale))
        for some in np.split(np.arange(power.size), range(chunk, power.size, chunk))
    ]
    return Optimum(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def _costs(ground: Array, height: int) -> Iterator[tuple[int, Array]]:
    """Yield squared distances from one block of states after another to all states."""
    for start in range(0, len(ground), height):
        cost = np.zeros((min(height, len(ground) - start), len(ground)))
        for feature in ground.T:
            cost += (feature[start : start + height, None] - feature) ** 2
        yield start, cost


def _transport_some(rows: Rows, power: Array, blocks: _Blocks, scale: int) -> Optimum:
    """Return the optimum for a chunk of rows; ``power`` is in units of ``2**scale``."""
    least, most = _vertex(rows, blocks, _free), _vertex(rows, blocks, _nearest_best)
    idle = (rows.span == 0.0) | (rows.power <= 0.0)
    saturated = ~idle & (power >= np.sqrt(most.cost) * (1.0 - _ROUNDING))
    live = np.flatnonzero(~idle & ~saturated)
    low, high, limit = least.take(live), most.take(live), power[live]
    _close_in(rows.take(live), limit**2, blocks, low, high)
    run = high.cost - low.cost
    share = np.clip((limit**2 - low.cost) / run, 0.0, 1.0)
    with np.errstate(divide="ignore", under="ignore", over="ignore"):
        slope = 0.5 * run / np.maximum(high.value - low.value, 0.0) / limit
        moved = _Moved(
            np.log((1.0 - share)[:, None] * low.q + share[:, None] * high.q),
            np.log(slope) + scale * np.log(2.0),
            np.ldexp(np.sqrt(low.cost + share * run), scale),
            (1.0 - share) * low.value + share * high.value,
        )
        log_best, ceiling = np.log(most.q), np.ldexp(np.sqrt(most.cost), scale)
    return _assemble(rows, saturated, ceiling, live, moved, log_best)


def _close_in(rows: Rows, budget: Array, blocks: _Blocks, low: _Vertex, high: _Vertex) -> None:
    """Move two vertices of the frontier, in place, until the budget is on the edge they span."""
    active = np.arange(budget.size)
    for _ in range(500):
        if active.size == 0:
            return
        a, b = low.take(active), high.take(active)
        slope = np.clip((b.value - a.value) / (b.cost - a.cost), 0.0, 1e300)
        new = _vertex(rows.take(active), blocks, _at_slope(slope))
        above = (new.value - a.value) - slope * (new.cost - a.cost)
        size = new.value + a.value + slope * (new.cost + a.cost)
        found = (above > 1e-15 * size) & (new.cost > a.cost) & (new.cost < b.cost)
        within = new.cost <= budget[active]
        low.put(active[found & within], new.take(np.flatnonzero(found & within)))
        high.put(active[found & ~within], new.take(np.flatnonzero(found & ~within)))
        active = active[found]


def _free(gain: Array, cost: Array, best: NDArray[np.bool_]) -> Array:
    """Score moves by what they gain, of those that cost nothing."""
    return np.where(cost == 0.0, gain, -np.inf)


def _nearest_best(gain: Array, cost: Array, best: NDArray[np.bool_]) -> Array:
    """Score moves by what they save, of those to the best states."""
    return np.where(best, -cost, -np.inf)


def _at_slope(slope: Array) -> _Score:
    """Return the score ``gain − slope · cost``, one slope per row."""
    return lambda gain, cost, best: gain - slope[:, None, None] * cost


def _vertex(rows: Rows, blocks: _Blocks, score: _Score) -> _Vertex:
    """Return the plan that sends each state where its score is best, ties in proportion to P."""
    count, states = rows.x.shape
    p = np.exp(rows.log_p)
    weight = np.maximum(p, 1e-300).ravel()
    target = np.where(rows.log_p > -np.inf, rows.x, -np.inf)[:, None, :]
    cost, value, q = np.zeros(count), np.zeros(count), np.zeros(count * states)
    for start, ground in blocks():
        stop = start + len(ground)
        gain = target - rows.x[:, start:stop, None]
        scores = score(gain, ground, target == 0.0)
        chosen = (scores == scores.max(axis=-1, keepdims=True)) & (p[:, start:stop, None] > 0.0)
        row, source, to = np.nonzero(chosen)
        cell, pair = row * states + to, row * len(ground) + source
        total = np.bincount(pair, weight[cell], minlength=count * len(ground))
        mass = p[row, start + source] * (weight[cell] / total[pair])
        cost += np.bincount(row, mass * ground[source, to], minlength=count)
        value += np.bincount(row, mass * gain[row, source, to], minlength=count)
        q += np.bincount(cell, mass, minlength=count * states)
    return _Vertex(cost, value, q.reshape(count, states))


# --- in and out ---------------------------------------------------------------------------------


def _rows(log_p: Array, other: Array) -> tuple[Array, Array]:
    """Return both as float64 arrays with a row axis."""
    return (
        np.atleast_2d(np.asarray(log_p, dtype=np.float64)),
        np.atleast_2d(np.asarray(other, dtype=np.float64)),
    )


def _check(log_p: Array, utility: Array, power: Array) -> None:
    """Raise ValueError for worlds, utilities or powers that mean nothing."""
    with np.errstate(over="ignore"):
        wrong = ~(np.abs(np.exp(log_p).sum(axis=-1) - 1.0) <= _NORMAL)
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        total = np.exp(log_p[row]).sum()
        raise ValueError(f"row {row} of log_p has total probability {total}, not 1")
    broken = ~np.isfinite(utility).all(axis=-1)
    if broken.any():
        row = np.flatnonzero(broken)[0]
        raise ValueError(f"row {row} of the utility is not finite where the state is possible")
    if not (power >= 0.0).all():
        raise ValueError(f"power must be at least 0: got {power[~(power >= 0.0)][0]}")


def _order(measure: str, alpha: float | None) -> float:
    """Return the order α of a measure (0 where it has none); complain of what is wrong."""
    if measure not in MEASURES:
        allowed = ", ".join(repr(name) for name in MEASURES)
        raise ValueError(f"measure must be one of {allowed}: got {measure!r}")
    if (alpha is not None) != (measure == "renyi"):
        raise ValueError(
            'alpha is for the measure "renyi", which needs it: '
            f"got measure {measure!r} and alpha {alpha!r}"
        )
    if alpha is None:
        return _ORDERS.get(measure, 0.0)
    if alpha == 1.0:
        raise ValueError("Rényi divergence of alpha = 1 is KL divergence: use the KL tilt")
    if not 0.0 < alpha < np.inf:
        raise ValueError(f"alpha must be a finite number above 0: got {alpha!r}")
    return float(alpha)


def _ceiling(rows: Rows, measure: str) -> Array:
    """Return the price of P conditioned on the best states."""
    if measure == "reverse-kl":
        return np.full(rows.power.shape, np.inf)
    if measure == "tv":
        return rows.rest
    return _from_renyi(-rows.log_top, measure)


def _from_renyi(value: Array, measure: str) -> Array:
    """Return a measure's value, given the Rényi divergence of its order (else unchanged)."""
    with np.errstate(over="ignore"):
        if measure == "chi2":
            return np.expm1(value)
        return -np.expm1(-0.5 * value) if measure == "hellinger" else value


def _to_renyi(value: Array, measure: str) -> Array:
    """Invert `_from_renyi`."""
    if measure == "chi2":
        return np.log1p(value)
    return -2.0 * np.log1p(-value) if measure == "hellinger" else value


def _assemble(
    rows: Rows,
    saturated: NDArray[np.bool_],
    ceiling: Array,
    live: _Index,
    moved: _Moved,
    log_best: Array | None = None,
) -> Optimum:
    """Put together the rows that moved, those that are saturated and those that are idle."""
    full = saturated[:, None]
    log_q = np.where(full, conditioned(rows) if log_best is None else log_best, rows.log_p)
    spent = np.where(saturated, np.minimum(ceiling, rows.power), 0.0)
    with np.errstate(under="ignore"):
        most = -(np.exp(rows.log_p) * rows.x).sum(axis=-1)
    gain, scale = np.where(saturated, most, 0.0), np.where(saturated, np.inf, 0.0)
    log_q[live] = moved.log_q
    spent[live] = np.minimum(moved.spent, rows.power[live])
    gain[live] = moved.gain
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        units = np.log(rows.span[live]) + rows.exponent[live] * np.log(2.0)
        scale[live] = np.exp(moved.log_multiplier - units)
    return Optimum(log_q, scale, spent, rows.in_units(gain), saturated)
