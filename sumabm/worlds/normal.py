"""Normal worlds ``N(μ_r, C_r)``: a mean and a covariance of each replicate's own.

Here agents may care about spread as well as about place: a utility is linear, ``u = v·s``, or a
`Quadratic`. `sumabm.worlds.gaussian` is the cheaper world of linear utilities alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from sumabm.display import html_table
from sumabm.tilt import linear_tilt
from sumabm.tilt.quadratic import (
    QuadraticTilt,
    lower_root,
    normalise,
    quadratic_tilt,
    shape_nats,
)
from sumabm.types import Array
from sumabm.worlds import Tilt, World, per_row

_ROUNDING = 1e-12
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False, slots=True)
class Quadratic:
    """The utility ``u(s) = v·s − ½ sᵀAs`` of a normal world.

    ``v`` is ``(d,)`` or ``(R, d)``; ``A`` ``(d, d)`` or ``(R, d, d)``, symmetric to 1e-12 of its
    largest entry, of any signature: positive directions prefer less variance, negative ones more.
    Raises ValueError for other shapes, an A that is not symmetric, or values not finite.

    >>> Quadratic(np.zeros(2), np.eye(3))
    Traceback (most recent call last):
        ...
    ValueError: A must be (2, 2) or (R, 2, 2) to go with v (2,), got (3, 3)
    """

    v: Array
    A: Array

    def __post_init__(self) -> None:
        v, A = np.asarray(self.v, dtype=np.float64), np.asarray(self.A, dtype=np.float64)
        if v.ndim not in (1, 2) or v.shape[-1] == 0:
            raise ValueError(f"v must be (d,) or (R, d), got {v.shape}")
        d = v.shape[-1]
        if A.ndim not in (2, 3) or A.shape[-2:] != (d, d):
            shapes = f"({d}, {d}) or (R, {d}, {d}) to go with v {v.shape}"
            raise ValueError(f"A must be {shapes}, got {A.shape}")
        if not (np.all(np.isfinite(v)) and np.all(np.isfinite(A))):
            raise ValueError("v and A must be finite")
        half = 0.5 * A
        other = np.swapaxes(half, -1, -2)
        largest = np.abs(half).max(axis=(-1, -2), initial=0.0, keepdims=True)
        if not np.all(np.abs(half - other) <= _ROUNDING * largest):
            raise ValueError("A must be symmetric")
        object.__setattr__(self, "v", _locked(v))
        object.__setattr__(self, "A", _locked(half + other))


Utility: TypeAlias = Array | Quadratic
"""What agents of a normal world want: the v of ``v·s``, or a `Quadratic`."""


@dataclass(frozen=True, eq=False, slots=True)
class NormalWorld:
    """Replicates of ``N(μ_r, L_r L_rᵀ)``, each with its own mean and covariance.

    ``mean`` is ``(R, d)`` (or ``(d,)``), ``root`` any square root L of the covariance,
    ``(R, d, d)`` or ``(d, d)`` for all; one row of either serves all rows of the other. L is kept
    as the Cholesky factor, lower triangular with a diagonal of 0 or more. A 0 there, a direction
    without any spread, is allowed; only KL divergences to such a base, and ways to or from it, are
    refused. Raises ValueError for shapes that do not fit and values that are not finite.

    >>> world = NormalWorld.of(np.zeros((1, 1)))
    >>> act = world.tilt(Quadratic(np.zeros(1), np.eye(1)), np.log(2.0) - 0.375)
    >>> act.world.covariance.round(12), act.world.nats_from(world).round(6)
    (array([[[0.25]]]), array([0.318147]))
    """

    mean: Array
    root: Array

    def __post_init__(self) -> None:
        mean = np.atleast_2d(np.asarray(self.mean, dtype=np.float64))
        root = np.asarray(self.root, dtype=np.float64)
        d = mean.shape[-1]
        if mean.ndim != 2 or d == 0:
            raise ValueError(f"mean must be (d,) or (R, d), got {np.shape(self.mean)}")
        if root.ndim not in (2, 3) or root.shape[-2:] != (d, d):
            raise ValueError(f"root must be ({d}, {d}) or (R, {d}, {d}), got {root.shape}")
        if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(root))):
            raise ValueError("mean and root must be finite")
        rows = np.broadcast_shapes(mean.shape[:1], root.shape[:-2])
        root = np.broadcast_to(root, (*rows, d, d))
        diagonal = np.diagonal(root, axis1=-2, axis2=-1)
        other = np.any(np.triu(root, 1) != 0.0, axis=(-1, -2)) | np.any(diagonal < 0.0, axis=-1)
        if other.any():
            root = root.copy()
            root[other] = lower_root(root[other])
        object.__setattr__(self, "mean", _locked(np.broadcast_to(mean, (*rows, d))))
        object.__setattr__(self, "root", _locked(root))

    def _repr_html_(self) -> str:
        rows, d = self.mean.shape
        facts = {"replicates": rows, "dimensions": d, "mean": self.mean}
        return html_table("Normal world", facts | {"covariance": self.covariance})

    @classmethod
    def of(cls, mean: Array, covariance: Array | None = None) -> NormalWorld:
        """Return ``N(mean, covariance)``; None is the identity, ``(d, d)`` serves all replicates.

        Raises ValueError for a covariance that is not symmetric and positive definite.
        """
        if covariance is None:
            return cls(mean, np.eye(np.shape(mean)[-1]))
        matrix = np.asarray(covariance, dtype=np.float64)
        if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
            raise ValueError(f"covariance must be (d, d) or (R, d, d), got {matrix.shape}")
        if not np.allclose(matrix, np.swapaxes(matrix, -1, -2), rtol=_ROUNDING, atol=0.0):
            raise ValueError("covariance must be finite and symmetric")
        try:
            return cls(mean, np.asarray(np.linalg.cholesky(matrix), dtype=np.float64))
        except np.linalg.LinAlgError:
            raise ValueError("covariance must be positive definite") from None

    @property
    def covariance(self) -> Array:
        """The covariances ``L Lᵀ``, ``(R, d, d)``."""
        return self.root @ np.swapaxes(self.root, -1, -2)

    def tilt(self, utility: Utility, power: Array | float) -> Tilt:
        """Return the best world for ``utility`` within ``power`` nats of this one.

        See `tilt.linear_tilt` and `tilt.quadratic.quadratic_tilt`; ``spent`` falls short of the
        power only where u is constant. Raises ValueError for a power that is negative or not
        finite, and for a utility of other dimensions.
        """
        act = self._act(utility, per_row(power))
        return _done(NormalWorld(act.mean, act.root), act.beta, act.spent, act.gain)

    def tilt_together(self, acts: Sequence[tuple[Utility, Array | float]]) -> list[Tilt]:
        """Return the tilts of agents that act at once, each solved against this world.

        ``acts`` are (utility, power). Natural parameters add: every Tilt holds the world
        ``∝ P exp(Σ β_i u_i)``, of precision ``C⁻¹ + Σ β_i A_i``; the rest is each agent's own. The
        joint KL divergence can exceed the sum of those spent.

        Raises ValueError, naming acts and replicates, where spreaders together leave no proper
        distribution (a precision not positive definite), though each alone would; and where a
        multiplier leaves the float range (powers of some hundred nats per curved axis).
        """
        done = [self._act(utility, per_row(power)) for utility, power in acts]
        alone = len(done) == 1
        world = NormalWorld(done[0].mean, done[0].root) if alone else self._summed(done)
        return [_done(world, act.beta, act.spent, act.gain) for act in done]

    def toward(self, other: NormalWorld, power: Array | float) -> Tilt:
        """Return the world closest to ``other`` within ``power`` nats of this one.

        The verb with the quadratic utility ``ln(other/self)``, stopped at ``other``: the geometric
        path ``∝ self^{1−β} other^β`` with the largest β ≤ 1 at which ``KL(·‖self) ≤ power``. Where
        ``KL(other‖self) ≤ power``, to 1e-12 of it, the result is ``other`` exactly, β is 1, and the
        rest of the power is not spent. ``gain`` is the rise of ``E[ln(other/self)]``. Raises
        ValueError for a bad power, or if either world is without spread in some direction.
        """
        nats = per_row(power)
        push, bend = self._way(other)
        cost = other.nats_from(self)
        enough = cost <= nats * (1.0 + _ROUNDING)
        limited = np.where(enough, 0.0, nats)
        act = quadratic_tilt(np.zeros_like(push), None, push, bend, limited)
        there = enough[:, None]
        mean = np.where(there, other.mean, self.mean + _times(self.root, act.mean))
        root = np.where(there[..., None], other.root, np.tril(self.root @ act.root))
        return _done(
            NormalWorld(mean, root),
            np.where(enough, 1.0, np.minimum(act.beta, 1.0)),
            np.where(enough, np.minimum(cost, nats), nats),
            np.where(enough, cost + self.nats_from(other), act.gain),
        )

    def expect(self, utility: Utility) -> Array:
        """Return ``E[u] = v·μ − ½ μᵀAμ − ½ tr(AC)``, ``(R,)``."""
        (v, A), exponent = self._unit(utility)
        trace = np.sum(self.root * (A @ self.root), axis=(-1, -2))
        value = np.vecdot(self.mean, v - 0.5 * _times(A, self.mean)) - 0.5 * trace
        return np.ldexp(value, exponent)

    def spread(self, utility: Utility) -> Array:
        """Return the standard deviation of u, ``(R,)``.

        ``Var[u] = |Lᵀ(v − Aμ)|² + ½ tr((LᵀAL)²)``.
        """
        view = self._view(utility)
        variance = np.vecdot(view.push, view.push) + 0.5 * np.sum(view.bend**2, axis=(-1, -2))
        return np.ldexp(np.sqrt(variance), view.exponent)

    def nats_from(self, base: NormalWorld) -> Array:
        """Return ``KL(self‖base)`` in nats, ``(R,)``, accurate for worlds near and far.

        With lower triangular ``E = L_b⁻¹(L − L_b)`` and ``δ = L_b⁻¹(μ − μ_b)`` it is ``½ (|δ|² +
        Σ_{i>j} E_ij² + Σ_i [(1 + E_ii)² − 1 − 2 ln(1 + E_ii)])``, a sum of terms of one sign.
        inf where this world has a direction without spread; ValueError if ``base`` has one.
        """
        excess, delta = _seen_from(base, self)
        own = np.diagonal(excess, axis1=-2, axis2=-1)
        with np.errstate(divide="ignore"):
            far = _log_diagonal(self.root) - _log_diagonal(base.root)
            stretch = -2.0 * np.where(np.abs(own) < 0.5, np.log1p(np.maximum(own, -0.5)), far)
        with np.errstate(over="ignore"):
            shear = np.sum(np.tril(excess, -1) ** 2, axis=(-1, -2))
            return 0.5 * (np.vecdot(delta, delta) + shear + np.sum(shape_nats(stretch), axis=-1))

    def best_gain(self, utility: Utility, nats: Array | float) -> Array:
        """Return ``G(K)``, the largest rise of ``E[u]`` within K nats, ``(R,)``."""
        return self.tilt(utility, nats).gain

    def relax(self, base: NormalWorld, share: float) -> NormalWorld:
        """Return ``∝ self^(1−share) · base^share``, for a share in [0, 1]; at 1 it is ``base``."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share must lie in [0, 1], got {share}")
        push, bend = self._way(base)
        if share in (0.0, 1.0):
            return base if share else self
        return self._moved(share * push, *np.linalg.eigh(np.eye(push.shape[-1]) + share * bend))

    def sample(self, normals: Array) -> Array:
        """Return states ``μ + L z`` ``(R, n, d)`` from standard normals z of that shape."""
        return self.mean[:, None, :] + np.einsum("rij,rnj->rni", self.root, normals)

    def shift(self, reference: NormalWorld) -> Array:
        """Return ``L⁻¹(μ − μ_ref)``, ``(R, d)``, whitened by this world's own L."""
        return _solved(self.root, self.mean - reference.mean)

    def pick(self, worlds: Sequence[NormalWorld], index: Array) -> NormalWorld:
        """Return the world whose replicate r is that of ``worlds[index[r]]``."""
        means = np.stack(np.broadcast_arrays(*(world.mean for world in worlds)))
        roots = np.stack(np.broadcast_arrays(*(world.root for world in worlds)))
        at = index.astype(np.intp), np.arange(means.shape[1])
        return NormalWorld(means[at], roots[at])

    def whiten(self, utility: Array) -> Array:
        """Return ``Lᵀv`` of a linear utility: standard deviation is length, correlation cosine."""
        return _times(np.swapaxes(self.root, -1, -2), utility)

    def colour(self, coordinates: Array) -> Array:
        """Return the v whose whitened coordinates are given: ``L⁻ᵀω``."""
        reverse = np.swapaxes(self.root, -1, -2)[..., ::-1, ::-1]  # lower triangular again
        return _solved(reverse, coordinates[..., ::-1])[..., ::-1]

    def _act(self, utility: Utility, nats: Array) -> _Act:
        view = self._view(utility)
        tilt: QuadraticTilt
        if isinstance(utility, Quadratic):
            (v, A), _ = self._unit(utility)
            tilt = quadratic_tilt(self.mean, self.root, v, A, nats)
        else:
            flat = linear_tilt(view.push, nats)
            mean = self.mean + _times(self.root, flat.shift)
            tilt = QuadraticTilt(mean, self.root, flat.beta, flat.spent, flat.gain)
        with np.errstate(over="ignore", invalid="ignore"):
            return _Act(
                tilt.beta[:, None] * view.push,
                tilt.beta[:, None, None] * view.bend,
                tilt.mean,
                tilt.root,
                np.ldexp(tilt.beta, -view.exponent),
                tilt.spent,
                np.ldexp(tilt.gain, view.exponent),
            )

    def _unit(self, utility: Utility) -> tuple[list[Array], NDArray[np.int64]]:
        """Return v ``(R, d)`` and A ``(R, d, d)`` divided by ``2^k``, near 1, and k."""
        d = self.mean.shape[-1]
        if isinstance(utility, Quadratic):
            v, A = utility.v, utility.A
        else:
            v, A = np.asarray(utility, dtype=np.float64), np.zeros((d, d))
        if v.shape[-1:] != (d,):
            raise ValueError(f"utility has shape {v.shape}, the world {d} dimensions")
        rows = np.broadcast_shapes(v.shape[:-1], A.shape[:-2], (1,))
        return normalise(np.broadcast_to(v, (*rows, d)), np.broadcast_to(A, (*rows, d, d)))

    def _view(self, utility: Utility) -> _View:
        """Return ``u(μ + Lz)·2^−k``, less its constant, as ``w·z − ½ zᵀBz``: w, B and k."""
        (v, A), exponent = self._unit(utility)
        turned = np.swapaxes(self.root, -1, -2)
        push = _times(turned, v - _times(A, self.mean))
        return _View(push, turned @ (A @ self.root), exponent)

    def _summed(self, acts: Sequence[_Act]) -> NormalWorld:
        """Return ``∝ self · exp(Σ β_i u_i)``, or raise ValueError naming who made it improper."""
        for i, act in enumerate(acts):
            if not (np.all(np.isfinite(act.push)) and np.all(np.isfinite(act.bend))):
                raise ValueError(f"act {i} has a multiplier beyond the float range: less power")
        d = self.mean.shape[-1]
        push = sum((act.push for act in acts), np.zeros(self.mean.shape))
        bend = sum((act.bend for act in acts), np.zeros((*self.mean.shape, d)))
        size = sum((np.abs(act.bend).max(axis=(-1, -2)) for act in acts), np.ones(1))
        precision, directions = np.linalg.eigh(np.eye(d) + 0.5 * (bend + np.swapaxes(bend, -1, -2)))
        improper = np.flatnonzero(precision[:, 0] <= d * _EPS * size)
        if improper.size:
            raise ValueError(_who(acts, improper, precision[:, 0], directions[:, :, 0]))
        world = self._moved(push, precision, directions)
        bent = np.any(bend != 0.0, axis=(-1, -2))[:, None]
        mean = np.where(bent, world.mean, self.mean + _times(self.root, push))
        return NormalWorld(mean, np.where(bent[..., None], world.root, self.root))

    def _moved(self, push: Array, precision: Array, directions: Array) -> NormalWorld:
        """Return the world whose density in z is ``∝ exp(w·z − ½ zᵀMz)``, M by its eigensystem."""
        along = _times(np.swapaxes(directions, -1, -2), push) / precision
        sides = directions / np.sqrt(precision)[:, None, :]
        mean = self.mean + _times(self.root, _times(directions, along))
        return NormalWorld(mean, lower_root(self.root @ sides))

    def _way(self, other: NormalWorld) -> tuple[Array, Array]:
        """Return w and B of the utility ``ln(other/self) = w·z − ½ zᵀBz`` + constant."""
        excess, delta = _seen_from(other, self)
        turned = np.swapaxes(excess, -1, -2)
        push = -(_times(turned, delta) + delta)
        return push, excess + turned + turned @ excess


class _View(NamedTuple):
    push: Array
    bend: Array
    exponent: NDArray[np.int64]


class _Act(NamedTuple):
    """One agent's tilt: ``β w`` and ``β B`` (see `NormalWorld._view`), then as `QuadraticTilt`."""

    push: Array
    bend: Array
    mean: Array
    root: Array
    beta: Array
    spent: Array
    gain: Array


def _done(world: NormalWorld, beta: Array, spent: Array, gain: Array) -> Tilt:
    # the protocol's other half concerns aligners, whose utilities are linear
    return Tilt(cast("World", world), beta, spent, gain)


def _locked(array: Array) -> Array:
    """Return a copy that cannot be written to: worlds are values."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.setflags(write=False)
    return copy


def _times(matrices: Array, vectors: Array) -> Array:
    """Return the product in each row, in one memory layout: a sum's order follows the layout."""
    rows = np.broadcast_shapes(matrices.shape[:-2], vectors.shape[:-1])
    whole = np.ascontiguousarray(np.broadcast_to(matrices, (*rows, *matrices.shape[-2:])))
    each = np.ascontiguousarray(np.broadcast_to(vectors, (*rows, vectors.shape[-1])))
    return np.einsum("...ij,...j->...i", whole, each)


def _solved(lower: Array, right: Array) -> Array:
    """Return ``lower⁻¹ right`` for ``right (R, d)`` or ``(R, d, k)``, by forward substitution.

    Raises ValueError where there is no inverse.
    """
    pivots = np.diagonal(lower, axis1=-2, axis2=-1)
    if not np.all(pivots > 0.0):
        raise ValueError("a world is without spread in some direction, and has no density there")
    columns = right[..., None] if right.ndim == 2 else right
    rows = np.broadcast_shapes(lower.shape[:1], columns.shape[:1])
    out = np.zeros((*rows, *columns.shape[1:]))
    for i in range(lower.shape[-1]):
        known = np.einsum("rj,rjk->rk", lower[:, i, :i], out[:, :i])
        out[:, i] = (columns[:, i] - known) / pivots[:, i, None]
    return out[..., 0] if right.ndim == 2 else out


def _seen_from(base: NormalWorld, world: NormalWorld) -> tuple[Array, Array]:
    """Return ``L_b⁻¹(L − L_b)`` and ``L_b⁻¹(μ − μ_b)``: small, and exact, for worlds nearby."""
    return (
        _solved(base.root, world.root - base.root),
        _solved(base.root, world.mean - base.mean),
    )


def _log_diagonal(lower: Array) -> Array:
    return np.log(np.ascontiguousarray(np.diagonal(lower, axis1=-2, axis2=-1)))


def _who(acts: Sequence[_Act], rows: NDArray[np.intp], least: Array, direction: Array) -> str:
    """Say which acts lower the precision along the direction where nothing is left of it."""
    guilty: set[int] = set()
    for i, act in enumerate(acts):
        bend = np.broadcast_to(act.bend, (len(least), *act.bend.shape[-2:]))
        lowered = np.einsum("ri,rij,rj->r", direction, bend, direction)
        if np.any(lowered[rows] < 0.0):
            guilty.add(i)
    first = int(rows[0])
    return (
        f"acts {sorted(guilty)} together leave no proper distribution: a precision of 1 falls to "
        f"{least[first]:.3g} in replicate {first} ({rows.size} of {len(least)} replicates)"
    )
