"""The root of a rising function, for many rows at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sumabm.tilt._rows import Index
from sumabm.types import Array


def rising_root(
    excess: Callable[[Array, Index], Array], guess: Array, floor: Array | None = None
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
    excess: Callable[[Array, Index], Array], start: Array, least: Array
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


def _chandrupatla(excess: Callable[[Array, Index], Array], one: _End, other: _End) -> Array:
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
