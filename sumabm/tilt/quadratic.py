"""Tilts of a Gaussian world by a quadratic utility: the one verb with curvature.

Whitened about the mean and turned onto the eigenvectors of the utility's curvature, the world is
``N(0, I)``, the utility ``w·z − ½ Σ λ_i z_i²`` and its tilt a shift and a stretch along each axis.
With ``L = max(0, −min λ)`` the multiplier lives on ``0 ≤ β < 1/L``. Everything is written in

    y = ln( β / (1 − L β) ),   1 + β λ_i = (1 + (L + λ_i) e^y) / (1 + L e^y),

which takes that interval, bounded or not, to the whole line, and needs no subtraction near its
ends. In y the logarithm of the KL divergence rises with a slope between 0 and 2, for any utility:
that is what the root finding rests on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sumabm.types import Array

_EPS = float(np.finfo(np.float64).eps)
_NO_POWER = 1e-40  # below it the leading order is exact in floats, and KL itself may be denormal
_LAST_STEP = 1e-10  # a Newton step this small leaves an error of its square
_MATCHED = 1e-14
_STEPS = 200
_SERIES = 0.5
_FACTORS = np.cumprod(np.r_[0.5, 1.0 / np.arange(3.0, 17.0)]) * (-1.0) ** np.arange(15)


class QuadraticTilt(NamedTuple):
    """What a tilt of ``N(μ, C)`` by ``u = v·s − ½ sᵀAs`` did: one entry per row.

    ``mean (R, d)`` and ``root (R, d, d)`` give the new world ``N(mean, root rootᵀ)``; ``beta (R,)``
    is the multiplier; ``spent (R,)`` the KL divergence in nats; ``gain (R,)`` the rise of ``E[u]``.
    """

    mean: Array
    root: Array
    beta: Array
    spent: Array
    gain: Array


class _Axes(NamedTuple):
    """``u·2^−exponent`` in whitened eigen-coordinates ``s = μ + L V z``: rows of w and λ."""

    push: Array
    bend: Array
    vectors: Array
    exponent: NDArray[np.int64]

    def rows(self, index: NDArray[np.intp]) -> _Axes:
        push, bend, vectors, exponent = self
        return _Axes(push[index], bend[index], vectors[index], exponent[index])


class _State(NamedTuple):
    """The world at one y: ``E[z_i]``, ``ln(1 + βλ_i)``, KL and its slope in y."""

    shift: Array
    stretch: Array
    nats: Array
    slope: Array


def shape_nats(stretch: Array) -> Array:
    """Return ``l + e^{−l} − 1``, twice the nats of changing a variance by the factor ``e^{−l}``.

    Accurate to a few units in the last place for any l, by its series near 0.

    >>> shape_nats(np.array([0.0, 1e-9, 2.0]))
    array([0.00000000e+00, 5.00000000e-19, 1.13533528e+00])
    """
    series = np.zeros_like(stretch)
    near = np.clip(stretch, -_SERIES, _SERIES)
    for factor in _FACTORS[::-1]:
        series = series * near + factor
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(
            np.abs(stretch) <= _SERIES, series * near * near, stretch + np.expm1(-stretch)
        )


def normalise(*parts: Array) -> tuple[list[Array], NDArray[np.int64]]:
    """Return arrays ``(R, …)`` divided by ``2^k``, and k ``(R,)``: the largest entry is in [½, 1).

    A power of two, so that nothing is rounded. Rows of zeros get k = 0.

    >>> normalise(np.array([[3.0, 0.0]]), np.array([[8.0]]))
    ([array([[0.1875, 0.    ]]), array([[0.5]])], array([4]))
    """
    rows = [part.reshape(len(part), -1) for part in parts]
    largest = np.max([np.abs(row).max(axis=-1) for row in rows], axis=0)
    exponent = np.frexp(largest)[1].astype(np.int64)
    scaled = [
        np.ldexp(row, -exponent[:, None]).reshape(part.shape)
        for row, part in zip(rows, parts, strict=True)
    ]
    return scaled, exponent


def lower_root(root: Array) -> Array:
    """Return the Cholesky factor of ``root rootᵀ`` for each of ``root (R, d, d)``.

    Lower triangular with a diagonal of 0 or more, by a QR factorisation that never forms the
    covariance: columns of very different length, longest first, keep their own accuracy.

    >>> lower_root(np.array([[[0.0, 2.0], [3.0, 0.0]]]))
    array([[[2., 0.],
            [0., 3.]]])
    """
    upper = np.linalg.qr(np.swapaxes(root, -1, -2), mode="r")
    signs = np.where(np.diagonal(upper, axis1=-2, axis2=-1) < 0.0, -1.0, 1.0)
    lower: Array = np.ascontiguousarray(np.swapaxes(upper * signs[..., None], -1, -2)) + 0.0
    return lower


def quadratic_tilt(
    mean: Array, root: Array | None, v: Array, A: Array, power: Array | float
) -> QuadraticTilt:
    """Move ``N(μ, C)`` by the tilt that gains it most ``u = v·s − ½ sᵀAs`` within KL divergence O.

    The optimum of ``max E_Q[u]`` subject to ``KL(Q‖P) ≤ O`` is ``Q = N(μ', C')`` with
    ``C'⁻¹ = C⁻¹ + βA`` and ``μ' = C'(C⁻¹μ + βv)``, β ≥ 0 the root of ``KL(Q‖P) = O``, where in
    whitened eigen-coordinates (module docstring) and with ``x_i = βλ_i``

        KL = ½ Σ [ ln(1+x_i) − x_i/(1+x_i) + (β w_i/(1+x_i))² ].

    ``mean`` is ``(R, d)``; ``root`` any L with ``C = L Lᵀ``, ``(d, d)`` or ``(R, d, d)``, None for
    the identity; ``v`` ``(d,)`` or ``(R, d)``; ``A`` symmetric of any signature, ``(d, d)`` or
    ``(R, d, d)``; ``power`` a scalar or ``(R,)`` in nats. Of those each may have one row for all.
    The new root is a Cholesky factor, unless C did not change: then it is the one given.

    Limits: a utility constant under the world or no power moves nothing and spends nothing; else
    all power is spent. The scale of u is immaterial from 1e-300 to 1e300 (β itself may then
    overflow to inf). Along curved axes a power of hundreds of nats shrinks standard deviations
    like ``e^{−O/rank}``, down to 0. An eigenvalue that rounding cannot tell from 0 counts as 0.
    Neither the symmetry of A nor the power is checked here: the worlds do.

    >>> t = quadratic_tilt(np.zeros((1, 1)), None, np.zeros(1), np.eye(1), np.log(2.0) - 0.375)
    >>> t.beta.round(12), (t.root**2).round(12), t.gain.round(12)
    (array([3.]), array([[[0.25]]]), array([0.375]))
    """
    mean, root, v, A, nats = _rows(mean, root, v, A, power)
    axes = _axes(mean, root, v, A)
    variance = np.sum(axes.push**2 + 0.5 * axes.bend**2, axis=-1)
    moved = (variance > 0.0) & (nats > 0.0)
    y = np.full(len(mean), -np.inf)  # where β = 0
    index = np.flatnonzero(moved)
    y[index] = _solve(axes.rows(index), variance[index], nats[index])
    state = _at(y, axes)
    gain = np.sum(
        0.5 * axes.push * state.shift * (1.0 + np.exp(-state.stretch))
        - 0.5 * axes.bend * np.expm1(-state.stretch),
        axis=-1,
    )
    with np.errstate(over="ignore"):
        half = np.exp(-0.5 * _ln_sum(y, _depth(axes)))  # sqrt(β): β may overflow
        beta = np.ldexp(half, -axes.exponent) * half
        gain = np.ldexp(gain, axes.exponent)
    way = _apply(root, _apply(axes.vectors, state.shift))
    new = _stretched(root, axes.vectors, state.stretch)
    return QuadraticTilt(mean + way, new, beta, np.where(moved, nats, 0.0), gain)


def _rows(
    mean: Array, root: Array | None, v: Array, A: Array, power: Array | float
) -> tuple[Array, Array, Array, Array, Array]:
    """Return all arguments with every row written out, contiguous: (R, d), (R, d, d), …, (R,)."""
    d = mean.shape[-1]
    square = np.eye(d) if root is None else root
    nats = np.asarray(power, dtype=np.float64)
    rows = np.broadcast_shapes(
        mean.shape[:-1], square.shape[:-2], v.shape[:-1], A.shape[:-2], nats.shape, (1,)
    )
    shapes = (*rows, d), (*rows, d, d), (*rows, d), (*rows, d, d), rows
    given = (mean, square, v, A, nats)
    # one layout whatever was given: a sum's order of terms follows the memory
    whole = [
        np.ascontiguousarray(np.broadcast_to(g, s)) for g, s in zip(given, shapes, strict=True)
    ]
    return whole[0], whole[1], whole[2], whole[3], whole[4]


def _apply(matrices: Array, vectors: Array) -> Array:
    return np.ascontiguousarray(np.einsum("rij,rj->ri", matrices, vectors))


def _axes(mean: Array, root: Array, v: Array, A: Array) -> _Axes:
    """Return the utility in whitened eigen-coordinates, its largest number between ½ and 1."""
    (v, A), outer = normalise(v, A)
    transposed = np.ascontiguousarray(np.swapaxes(root, -1, -2))
    curvature = transposed @ (A @ root)
    bend, vectors = np.linalg.eigh(0.5 * (curvature + np.swapaxes(curvature, -1, -2)))
    turned = np.ascontiguousarray(np.swapaxes(vectors, -1, -2))
    push = _apply(turned, _apply(transposed, v - _apply(A, mean)))
    fuzz = np.abs(transposed) @ (np.abs(A) @ np.abs(root))
    blur = _apply(np.abs(transposed), np.abs(v) + _apply(np.abs(A), np.abs(mean)))
    bend, push = _without_rounding(bend, push, curvature, fuzz, blur)
    (bend, push), inner = normalise(bend, push)
    return _Axes(push, bend, vectors, outer + inner)


def _without_rounding(
    bend: Array, push: Array, curvature: Array, fuzz: Array, blur: Array
) -> tuple[Array, Array]:
    """Return λ and w with what cannot be told from 0 set to 0, in flat directions.

    A singular A has eigenvalues that rounding leaves at ±1e-17, and a push along them as small.
    A great power would take such a false slope for the only one left to climb. A diagonal
    curvature, whose eigenvalues are its own entries, is exact and stays as it is.
    """
    d = bend.shape[-1]
    inexact = np.any(curvature * (1.0 - np.eye(d)) != 0.0, axis=(-1, -2))
    size = np.sqrt(np.sum(fuzz**2, axis=(-1, -2)))  # 8 times: measured, at most 2.3 for d ≤ 60
    flat = np.abs(bend) <= np.where(inexact, 8.0 * _EPS * size, -1.0)[:, None]
    bend = np.where(flat, 0.0, bend)
    # rounding turns a flat direction towards another by about eps·size/λ, and sees its push there
    with np.errstate(over="ignore", invalid="ignore"):
        curved = np.where(flat | (bend == 0.0), np.inf, np.abs(bend))
        leak = np.sum(np.abs(push) / curved, axis=-1)
        blind = 8.0 * _EPS * (leak * size + d * blur.max(axis=-1))
    return bend, np.where(flat & (np.abs(push) <= blind[:, None]), 0.0, push)


def _stretched(root: Array, vectors: Array, stretch: Array) -> Array:
    """Return the root of the new covariance ``L V diag(e^{−l}) Vᵀ Lᵀ``; the old one where l = 0."""
    changed = np.any(stretch != 0.0, axis=-1)
    new = root.copy()
    if changed.any():
        sides = vectors[changed] * np.exp(-0.5 * stretch[changed])[:, None, :]
        new[changed] = lower_root(root[changed] @ sides)
    return new


def _ln(a: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(a)


def _ln_sum(y: Array, a: Array) -> Array:
    """Return ``ln(e^{−y} + a)``; of a = L it is −ln β."""
    return np.logaddexp(-y, _ln(a))


def _depth(axes: _Axes) -> Array:
    """Return L, ``(R,)``: minus the least eigenvalue, or 0 if none is negative."""
    return np.maximum(0.0, -axes.bend.min(axis=-1))


def _at(y: Array, axes: _Axes) -> _State:
    """Return the world at y. By logarithms throughout: β and λ may lie 1e600 apart.

    With ``p = L + λ`` and ``q = 1/(1 + p e^y) = (1 − Lβ)/(1 + βλ)``: ``E[z] = w/(e^{−y} + p)``,
    and ``dKL/dy = Σ q E[z]² + ½ (1 − Lβ) (1 − 1/(1 + βλ))²``.
    """
    depth = _depth(axes)[:, None]
    y = y[:, None]
    bound = _ln_sum(y, depth)
    climb = _ln_sum(y, depth + axes.bend)
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.sign(axes.bend) * np.exp(_ln(np.abs(axes.bend)) - bound)
        stretch = np.where(
            np.abs(x) < _SERIES, np.log1p(np.clip(x, -_SERIES, _SERIES)), climb - bound
        )
        shift = np.sign(axes.push) * np.exp(_ln(np.abs(axes.push)) - climb)
        nats = np.sum(0.5 * shape_nats(stretch) + 0.5 * shift**2, axis=-1)
        turn = np.expm1(-stretch) * np.exp(-0.5 * (y + bound))
        slope = np.sum(shift**2 * np.exp(-y - climb) + 0.5 * turn**2, axis=-1)
    return _State(shift, stretch, nats, slope)


def _bracket(axes: _Axes, variance: Array, nats: Array) -> tuple[Array, Array]:
    """Return y below and above the root.

    Below: ``KL ≤ ½ Var_P[u] e^{2y}``, for the slope of ln KL is 2 at −∞ and never more. Above: of
    the axes with λ = −L the shift alone costs ``½ w² e^{2y}``, and the stretch of an axis of
    extreme λ alone ``½ (l + e^{−l} − 1)``, at least ``½ l²/(2 + l)`` where λ > 0 and, with
    ``z = L e^y``, ``¼ z²/(1 + z)`` where λ = −L < 0.
    """
    depth, steepest = _depth(axes), axes.bend.max(axis=-1)
    low = 0.5 * (np.log(2.0 * nats) - np.log(variance))
    flat = np.where(axes.bend == -depth[:, None], np.abs(axes.push), 0.0).max(axis=-1)
    by_shift = 0.5 * np.log(2.0 * nats) - _ln(flat)
    with np.errstate(over="ignore"):
        root = np.sqrt(nats)
        widening = np.log(2.0) + np.log(nats + root * np.sqrt(nats + 1.0)) - _ln(depth)
        stretch = nats + root * np.sqrt(nats + 4.0)
        narrowing = stretch + np.log(-np.expm1(-stretch)) - _ln(np.maximum(steepest, 0.0))
    by_stretch = np.where(depth > 0.0, widening, narrowing)
    high = np.minimum(by_shift, by_stretch)
    slack = 1e-12 * (1.0 + np.abs(low))
    return low - slack, np.maximum(high, low) + slack


def _solve(axes: _Axes, variance: Array, nats: Array) -> Array:
    """Return the y of each row at which KL is ``nats``: Newton on ln KL, kept in a bracket.

    Every row stops by itself, so that its steps do not depend on the others.
    """
    low, high = _bracket(axes, variance, nats)
    y = 0.5 * (np.log(2.0 * nats) - np.log(variance))
    before = np.full_like(y, np.inf)
    busy = np.flatnonzero(nats >= _NO_POWER)
    for _ in range(_STEPS):
        if busy.size == 0:
            break
        here = y[busy]
        state = _at(here, axes.rows(busy))
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            excess = np.log(state.nats / nats[busy])
            newton = here - excess * state.nats / state.slope
        below = excess < 0.0
        # slope at most 2: the root is at least half the excess away (which may have overflowed)
        edge = here - 0.5 * np.where(np.isfinite(excess), excess, 0.0)
        low[busy] = np.where(below, np.maximum(low[busy], edge), low[busy])
        high[busy] = np.where(below, high[busy], np.minimum(high[busy], edge))
        there = _next(here, newton, low[busy], high[busy], below)
        reach = 1.0 + np.abs(here)
        done = np.abs(excess) <= _MATCHED
        done |= (there == newton) & (np.abs(there - here) <= _LAST_STEP * reach)
        done |= high[busy] - low[busy] <= 4.0 * _EPS * reach
        lame = ~done & (np.abs(excess) > 0.5 * before[busy])
        y[busy] = np.where(lame, 0.5 * low[busy] + 0.5 * high[busy], there)
        before[busy] = np.abs(excess)
        busy = busy[~done]
    return y


def _next(here: Array, newton: Array, low: Array, high: Array, below: NDArray[np.bool_]) -> Array:
    """Return Newton's point, or the middle of the bracket where it shoots out of the far end."""
    beyond = np.where(below, newton > high, newton < low) | ~np.isfinite(newton)
    return np.where(beyond, 0.5 * low + 0.5 * high, np.clip(newton, low, high))
