"""Action rules that are not optima: the quantilizer and the best of n draws, on discrete worlds.

Both depend on the order of the utilities alone, and share tied states in proportion to P. Nats
are exact for the discrete law.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.tilt._divergence import mean_divergence, rise
from sumabm.tilt._rising import rising_root
from sumabm.tilt._rows import ROUNDING, Rows, conditioned, lay_out, without_axis
from sumabm.types import Array

_TINY = 1e-290  # cumulative probabilities below it are summed as logarithms
_HALF = np.log(0.5)


class Rule(NamedTuple):
    """What a quantilizer did: each field has one entry per row.

    ``log_q (R, N)`` is the world after; ``fraction (R,)`` how much of P was kept; ``spent (R,)``
    ``KL(Q‖P)`` in nats; ``gain (R,)`` the rise of ``E[u]``. Without a replicate axis in what was
    given there is none here.
    """

    log_q: Array
    fraction: Array
    spent: Array
    gain: Array


class BestOf(NamedTuple):
    """What choosing the best of n draws did: each field has one entry per row.

    ``log_n (R,)`` is the logarithm of the number of draws, inf where only the best states are
    left; the other fields are those of `Rule`.
    """

    log_q: Array
    log_n: Array
    spent: Array
    gain: Array


class _Levels(NamedTuple):
    """Log-masses by utility, one entry per row and state: ``(R, N)`` each.

    ``below``: of the states with less utility; ``tied``: with as much; ``above``: with more.
    """

    below: Array
    tied: Array
    above: Array


def quantilize(log_p: Array, utility: Array, power: Array | float) -> Rule:
    """Condition P on its best fraction f, f such that ``KL(Q‖P) = O``.

    Without atoms ``KL = ln 1/f``. Where the cut splits an atom, or states tied with it, each of
    them keeps the same part of its probability; KL still falls in f, and is solved for exactly.
    Whatever costs c under P costs at most c/f under Q [taylor-2016].

    ``log_p`` is ``(N,)`` or ``(R, N)`` log-probabilities (−inf where impossible), ``utility``
    ``(N,)`` or ``(R, N)``, ``power`` a scalar or ``(R,)`` in nats, and may be inf. Limits: no
    power, or a constant utility, keeps all (f = 1); from ``−log P(best states)`` on P is
    conditioned on those, and no more is spent. Scale and offset of the utility are immaterial.

    Raises ValueError on a ``log_p`` not normalised to 1e-6, a utility not finite at a possible
    state, a power below 0.

    >>> r = quantilize(np.log([0.5, 0.4, 0.1]), np.array([0.0, 1.0, 2.0]), np.log(2.0))
    >>> np.exp(r.log_q).round(12), float(r.fraction.round(12))
    (array([0. , 0.8, 0.2]), 0.5)
    """
    rows = lay_out(log_p, utility, power)
    saturated = (rows.span > 0.0) & (rows.power >= -rows.log_top * (1.0 - ROUNDING))
    saturated &= rows.power > 0.0
    live = np.flatnonzero((rows.span > 0.0) & (rows.power > 0.0) & ~saturated)
    some = rows.take(live)
    levels = _levels(some)
    with_tied = _log_rest(levels.below, np.logaddexp(levels.above, levels.tied))
    enough = (with_tied >= -some.power[:, None]) & (some.x < 0.0)
    cut = _Cut.at_level(some, levels, np.where(enough, some.x, -1.0).max(axis=-1))

    def excess(z: Array, which: NDArray[np.intp]) -> Array:
        ell, _ = cut.take(which).log_ratio(_log_part(z))
        log_p = some.log_p[which]
        return _log_excess(mean_divergence(log_p, log_p + ell, ell, 1.0), some.power[which])

    z = rising_root(excess, np.zeros(live.size))
    ell, log_fraction = cut.log_ratio(_log_part(z))
    ratio, fraction = _spread(rows, live, ell), np.ones(saturated.size)
    fraction[saturated] = np.exp(rows.log_top[saturated])
    fraction[live] = np.exp(log_fraction)
    law = _law(rows, saturated, ratio)
    spent = np.minimum(law.spent, rows.power)
    return without_axis(Rule(law.log_q, fraction, spent, law.gain), log_p, utility, power)


def quantilize_fraction(log_p: Array, utility: Array, fraction: Array | float) -> Rule:
    """Condition P on its best fraction, and report the nats that takes.

    Like `quantilize`, with the ``fraction`` given, a scalar or ``(R,)`` in (0, 1]. A fraction
    below P(best states) is raised to it: with atoms shared in proportion to P the law is the same.

    Raises ValueError as `quantilize` does, and on a fraction outside (0, 1].

    >>> r = quantilize_fraction(np.log([0.5, 0.5]), np.array([0.0, 1.0]), 0.75)
    >>> np.exp(r.log_q).round(4), float(r.spent.round(4))
    (array([0.3333, 0.6667]), 0.0566)
    """
    kept = np.asarray(fraction, dtype=np.float64)
    if not ((kept > 0.0) & (kept <= 1.0)).all():
        raise ValueError(f"fraction must be in (0, 1]: got {fraction}")
    rows = lay_out(log_p, utility, kept)
    saturated = (rows.span > 0.0) & (np.log(rows.power) <= rows.log_top)
    live = np.flatnonzero((rows.span > 0.0) & (rows.power < 1.0) & ~saturated)
    some = rows.take(live)
    levels = _levels(some)
    with_tied = np.exp(_log_rest(levels.below, np.logaddexp(levels.above, levels.tied)))
    enough = (with_tied >= some.power[:, None]) & (some.x < 0.0)
    cut = _Cut.at_level(some, levels, np.where(enough, some.x, -1.0).max(axis=-1))
    part = np.clip((np.exp(cut.log_whole) - some.power) / np.exp(cut.log_tied), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        ell, _ = cut.log_ratio(np.log1p(-part))
    law = _law(rows, saturated, _spread(rows, live, ell))
    share = np.where(saturated, np.exp(rows.log_top), np.where(rows.span > 0.0, rows.power, 1.0))
    return without_axis(Rule(law.log_q, share, law.spent, law.gain), log_p, utility, kept)


def best_of_n(log_p: Array, utility: Array, n: Array | float) -> BestOf:
    """Return the law of the best of n independent draws from P.

    A level of utility has probability ``F^n − F₋^n``, F and F₋ the probabilities of at most that
    utility and of less; tied states share it in proportion to P. ``n`` is a scalar or ``(R,)``,
    any real number from 1; inf leaves the best states only. ``spent`` is the exact KL divergence,
    which `best_of_n_bound` bounds.

    Shapes and errors as in `quantilize`; raises ValueError on ``n < 1`` too.

    >>> b = best_of_n(np.log([0.5, 0.5]), np.array([0.0, 1.0]), 2)
    >>> np.exp(b.log_q).round(12), float(b.spent.round(12))
    (array([0.25, 0.75]), 0.130812035941)
    """
    draws = np.asarray(n, dtype=np.float64)
    if not (draws >= 1.0).all():
        raise ValueError(f"n must be at least 1: got {n}")
    rows = lay_out(log_p, utility, draws)
    saturated = (rows.span > 0.0) & np.isinf(rows.power)
    live = np.flatnonzero((rows.span > 0.0) & (rows.power > 1.0) & ~saturated)
    some = rows.take(live)
    ell = _Draws.of(some).log_ratio(np.log(some.power - 1.0))
    law = _law(rows, saturated, _spread(rows, live, ell))
    best = BestOf(law.log_q, np.log(rows.power), law.spent, law.gain)
    return without_axis(best, log_p, utility, draws)


def best_of_power(log_p: Array, utility: Array, power: Array | float) -> BestOf:
    """Return the law of the best of n draws from P, the real n such that ``KL(Q‖P) = O``.

    Shapes, units, limits and errors as in `quantilize`; ``log_n`` is 0 where nothing is done (no
    power or a constant utility) and inf where ``O ≥ −log P(best states)``.

    >>> b = best_of_power(np.log([0.5, 0.5]), np.array([0.0, 1.0]), 0.130812035941)
    >>> float(np.exp(b.log_n).round(9))
    2.0
    """
    rows = lay_out(log_p, utility, power)
    saturated = (rows.span > 0.0) & (rows.power >= -rows.log_top * (1.0 - ROUNDING))
    saturated &= rows.power > 0.0
    live = np.flatnonzero((rows.span > 0.0) & (rows.power > 0.0) & ~saturated)
    some = rows.take(live)
    draws = _Draws.of(some)

    def excess(z: Array, which: NDArray[np.intp]) -> Array:
        log_p, ell = some.log_p[which], draws.take(which).log_ratio(z)
        return _log_excess(mean_divergence(log_p, log_p + ell, ell, 1.0), some.power[which])

    z = rising_root(excess, np.log(np.expm1(np.minimum(some.power, 1.0))))
    log_n = np.where(saturated, np.inf, 0.0)
    log_n[live] = np.logaddexp(0.0, z)
    law = _law(rows, saturated, _spread(rows, live, draws.log_ratio(z)))
    best = BestOf(law.log_q, log_n, np.minimum(law.spent, rows.power), law.gain)
    return without_axis(best, log_p, utility, power)


def best_of_n_bound(n: Array | float) -> Array:
    """Return ``log n − (n − 1)/n``, the nats that the best of n draws takes without ties.

    With ties, so in every discrete world, it takes less [beirami-2024]. ``n ≥ 1``, any shape; exact
    to rounding down to n = 1.

    >>> float(best_of_n_bound(2.0).round(12))
    0.19314718056
    """
    draws = np.asarray(n, dtype=np.float64)
    ell = -np.log(draws).reshape(-1, 1)
    return mean_divergence(np.zeros_like(ell), ell, ell, 0.0).reshape(draws.shape)


# --- laws ---------------------------------------------------------------------------------------


class _Law(NamedTuple):
    """The parts that all rules report."""

    log_q: Array
    spent: Array
    gain: Array


def _spread(rows: Rows, live: NDArray[np.intp], ell: Array) -> Array:
    """Return ``log(q/p)`` of all rows: as given for the live ones, zero for the others."""
    ratio = np.zeros(rows.x.shape)
    ratio[live] = ell
    return ratio


def _law(rows: Rows, saturated: NDArray[np.bool_], ratio: Array) -> _Law:
    """Return what is reported, from ``log(q/p)``; saturated rows go to the best states."""
    possible = rows.log_p > -np.inf
    best = np.where(possible, np.where(rows.x == 0.0, -rows.log_top[:, None], -np.inf), 0.0)
    full = saturated[:, None]
    ratio = np.where(full, best, ratio)
    spent = mean_divergence(rows.log_p, rows.log_p + ratio, ratio, 1.0)
    log_q = np.where(full, conditioned(rows), rows.log_p + ratio)
    gain = rise(rows, ratio)
    return _Law(log_q, np.where(saturated, -rows.log_top, spent), rows.in_units(gain))


def _log_part(z: Array) -> Array:
    """Return a negative number that falls in z, with as many digits as z has at either end."""
    return -np.where(z > 0.0, 1.0 + z, np.exp(np.minimum(z, 0.0)))


def _log_excess(value: Array, target: Array) -> Array:
    """Return ``log(value/target)``, finite."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(value) - np.log(target), -2000.0)


def _levels(rows: Rows) -> _Levels:
    """Return masses below, at and above each state's utility, with no subtraction."""
    count, states = rows.x.shape
    order = np.argsort(rows.x, axis=-1, kind="stable")
    log_p = np.take_along_axis(rows.log_p, order, axis=-1)
    x = np.take_along_axis(rows.x, order, axis=-1)
    first = np.ones((count, states), dtype=np.bool_)
    first[:, 1:] = x[:, 1:] != x[:, :-1]
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, count * states))
    tied = _sum_runs(log_p.ravel(), starts, sizes)
    below, above = np.full((2, count, states), -np.inf)
    below[:, 1:] = _accumulate(log_p)[:, :-1]
    above[:, :-1] = _accumulate(log_p[:, ::-1])[:, ::-1][:, 1:]
    runs = (below.ravel()[starts], tied, above.ravel()[starts + sizes - 1])
    result = []
    for run in runs:
        by_state = np.empty((count, states))
        np.put_along_axis(by_state, order, np.repeat(run, sizes).reshape(count, states), axis=-1)
        result.append(by_state)
    return _Levels(*result)


def _sum_runs(log_p: Array, starts: NDArray[np.intp], sizes: NDArray[np.intp]) -> Array:
    """Return the log-masses of runs of neighbours."""
    if starts.size == 0:
        return np.zeros(0)
    peak = np.maximum.reduceat(log_p, starts)
    with np.errstate(divide="ignore", under="ignore"):
        total = np.add.reduceat(np.exp(log_p - np.repeat(peak, sizes)), starts)
        return peak + np.log(total)


def _accumulate(log_p: Array) -> Array:
    """Return cumulative log-masses: logarithms of sums, or sums of logarithms if those vanish."""
    log_p = np.ascontiguousarray(log_p)
    with np.errstate(divide="ignore", under="ignore"):
        total = np.cumsum(np.exp(log_p), axis=-1)
        plain = np.log(total)
        lost = total < _TINY
        return (
            np.where(lost, np.logaddexp.accumulate(log_p, axis=-1), plain) if lost.any() else plain
        )


def _log_rest(log_taken: Array, log_left: Array) -> Array:
    """Return the log of a mass and of 1 − it at once: by the smaller of the two."""
    small = log_taken < _HALF
    with np.errstate(under="ignore"):
        return np.where(small, np.log1p(-np.exp(np.where(small, log_taken, -1.0))), log_left)


class _Cut(NamedTuple):
    """The level at which a quantilizer cuts: ``(n,)`` log-masses, and who is above and at it."""

    better: NDArray[np.bool_]
    at: NDArray[np.bool_]
    log_above: Array
    log_tied: Array
    log_whole: Array

    @classmethod
    def at_level(cls, rows: Rows, levels: _Levels, level: Array) -> _Cut:
        """Return the cut at a level of x, one per row."""
        at = rows.x == level[:, None]
        place = np.argmax(at, axis=-1)[:, None]
        below, tied, above = (np.take_along_axis(a, place, -1)[:, 0] for a in levels)
        whole = _log_rest(below, np.logaddexp(above, tied))
        return cls(rows.x > level[:, None], at, above, tied, whole)

    def take(self, rows: NDArray[np.intp]) -> _Cut:
        """Return some of the rows."""
        return _Cut(
            self.better[rows],
            self.at[rows],
            self.log_above[rows],
            self.log_tied[rows],
            self.log_whole[rows],
        )

    def log_ratio(self, log_part: Array) -> tuple[Array, Array]:
        """Return ``log(q/p)`` and the log of the fraction, if the level keeps ``exp(log_part)``."""
        with np.errstate(under="ignore"):
            most = log_part > -0.5
            lost = np.exp(self.log_tied - self.log_whole) * np.expm1(np.where(most, log_part, 0.0))
            kept = np.logaddexp(self.log_above, self.log_tied + log_part)
        log_fraction = np.where(most, self.log_whole + np.log1p(lost), kept)
        ell = np.where(self.better, -log_fraction[:, None], -np.inf)
        at = (log_part - log_fraction)[:, None]
        return np.where(self.at, at, ell), log_fraction


class _Draws(NamedTuple):
    """What the law of the best of n needs of each state: ``(n, N)`` logarithms.

    ``log_less``: of ``−log F``; ``log_step``: of ``log(F/F₋)``; ``log_odds``: of ``F₋/M``, with M
    the mass of the level.
    """

    log_less: Array
    log_step: Array
    log_odds: Array

    @classmethod
    def of(cls, rows: Rows) -> _Draws:
        """Return them for every state."""
        below, tied, above = _levels(rows)
        log_f = _log_rest(above, np.logaddexp(below, tied))
        possible = rows.log_p > -np.inf
        with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
            # −log F is the mass above, once that is too small to be seen in F.
            log_less = np.where(above < -37.0, above, np.log(np.abs(log_f)))
            part = tied - log_f
            thin = np.where(part < -37.0, part, np.log(-np.log1p(-np.exp(np.minimum(part, 0.0)))))
            thick = np.log(np.abs(log_f - below))
            log_step = np.where(part < _HALF, thin, thick)
            log_odds = below - tied
        fields = (np.where(possible, f, -np.inf) for f in (log_less, log_step, log_odds))
        return cls(*fields)

    def take(self, rows: NDArray[np.intp]) -> _Draws:
        """Return some of the rows."""
        return _Draws(*(field[rows] for field in self))

    def log_ratio(self, log_more: Array) -> Array:
        """Return ``log(q/p)`` for n = 1 + exp(log_more) draws.

        ``q/p = (F^n − F₋^n)/M = F^(n−1) (1 + (F₋/M)(1 − (F₋/F)^(n−1)))``: no cancellation as n → 1.
        """
        log_more = log_more[:, None]
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            lead = -np.exp(np.minimum(log_more + self.log_less, 690.0))
            log_drop = log_more + self.log_step
            wide = np.log(-np.expm1(-np.exp(np.clip(log_drop, -37.0, 690.0))))
            drop = np.where(log_drop < -37.0, log_drop, wide)
            return lead + np.logaddexp(0.0, self.log_odds + drop)


__all__ = [
    "BestOf",
    "Rule",
    "best_of_n",
    "best_of_n_bound",
    "best_of_power",
    "quantilize",
    "quantilize_fraction",
]
