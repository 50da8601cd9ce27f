"""Gaussian worlds ``N(μ, C)``: a mean that agents push about and a covariance that stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.display import html_table
from sumabm.streams import Draw
from sumabm.tilt import LinearTilt, linear_tilt, linear_tilts, shift_within, stride_towards, times
from sumabm.types import Array
from sumabm.worlds import Tilt, WorldSpec, per_row
from sumabm.worlds.left_turn import LeftTurn

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


@dataclass(frozen=True, eq=False, slots=True)
class Covariance:
    """A covariance ``C = L Lᵀ`` with what agents need of it; None stands for the identity.

    ``matrix`` is None, ``(d,)`` variances or ``(d, d)``; ``root`` is L and ``inverse_root`` its
    inverse, in the same form. Build it with `Covariance.of`.
    """

    matrix: Array | None = None
    root: Array | None = None
    inverse_root: Array | None = None

    @classmethod
    def of(cls, matrix: Array | None) -> Self:
        """Return the covariance of a matrix; raises ValueError unless it is positive definite."""
        if matrix is None:
            return cls()
        if not np.all(np.isfinite(matrix)):
            raise ValueError("covariance must be finite")
        if matrix.ndim == 1:
            if not np.all(matrix > 0.0):
                raise ValueError("covariance must be positive: a variance is 0 or less")
            root = np.sqrt(matrix)
            return cls(matrix, root, 1.0 / root)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"covariance must be (d,) or (d, d), got shape {matrix.shape}")
        if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0.0):
            raise ValueError("covariance must be symmetric")
        try:
            root = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise ValueError("covariance must be positive definite") from None
        return cls(matrix, root, np.linalg.inv(root))


def _by_root(root: Array | None, rows: Array, *, transposed: bool = False) -> Array:
    return times(root.T if transposed and root is not None and root.ndim == 2 else root, rows)


class GaussianWorld:
    """Replicates of ``N(μ_r, C)`` with one covariance.

    ``mean`` is ``(R, d)`` (or ``(d,)`` for a single world); ``covariance`` None for the identity,
    ``(d,)`` variances or a ``(d, d)`` positive definite matrix. A utility is the coefficient
    vector v of ``u(s) = v·s``. Of the ``dimensions`` after the first so many, all by default, no
    utility takes notice until they come: see `whole`. Raises ValueError for a covariance that is
    none. A world is a value: its arrays are not to be changed, and what was found of it is kept.

    >>> world = GaussianWorld(np.zeros((1, 2)))
    >>> act = world.tilt(np.array([[1.0, 0.0]]), 2.0)
    >>> act.world.mean, act.spent, act.gain
    (array([[2., 0.]]), array([2.]), array([2.]))
    """

    __slots__ = ("_central", "_from", "covariance", "dimensions", "mean")

    def __init__(
        self,
        mean: Array,
        covariance: Array | Covariance | None = None,
        dimensions: int | None = None,
    ) -> None:
        self.mean = np.asarray(mean, dtype=np.float64)
        self.covariance = (
            covariance
            if isinstance(covariance, Covariance)
            else Covariance.of(None if covariance is None else np.asarray(covariance, np.float64))
        )
        matrix = self.covariance.matrix
        if matrix is not None and matrix.shape[-1] != self.mean.shape[-1]:
            raise ValueError(
                f"covariance has {matrix.shape[-1]} dimensions, the mean {self.mean.shape[-1]}"
            )
        self.dimensions = self.width if dimensions is None else dimensions
        self._central = not self.mean.any()
        self._from: tuple[GaussianWorld, Array] | None = None

    def _repr_html_(self) -> str:
        matrix = self.covariance.matrix
        facts: dict[str, object] = {
            "replicates": len(np.atleast_2d(self.mean)),
            "dimensions": self.dimensions,
        }
        facts |= {"mean": self.mean, "covariance": "identity" if matrix is None else matrix}
        return html_table("Gaussian world", facts)

    def _at(self, mean: Array) -> GaussianWorld:
        """Return the world with another mean, made here: its shape is right."""
        world = object.__new__(GaussianWorld)
        world.mean, world.covariance, world.dimensions = mean, self.covariance, self.dimensions
        world._central, world._from = False, None  # not asked: that costs a pass
        return world

    def _way(self, other: GaussianWorld) -> Array:
        """Return how far the mean is from another's ``(R, d)``."""
        return self.mean if other._central else self.mean - other.mean

    def _moved(self, shift: Array) -> GaussianWorld:
        return self._at(shift if self._central else self.mean + shift)

    def tilt(
        self,
        utility: Array,
        power: Array | float,
        measure: str = "kl",
        alpha: float | None = None,
    ) -> Tilt:
        """Return the best world for ``u = v·s`` within ``power`` nats: see `tilt.linear_tilt`.

        Under another ``measure`` it is the mean shift that costs ``power`` of it, which is the
        best act only for KL and Wasserstein-2: see `tilt.shifts.shift_within`. Raises ValueError
        for a power that is negative or not finite, or that no shift can spend, and for a utility of
        another width or not finite.
        """
        limit = per_row(power)
        nats = shift_nats(limit, measure, alpha)
        act = linear_tilt(self._utility(utility), nats, self.covariance.matrix)
        spent = act.spent if measure == "kl" else np.where(act.spent > 0.0, limit, 0.0)
        return Tilt(self._moved(act.shift), act.beta, spent, act.gain)

    def _utility(self, utility: Array) -> Array:
        """Return a utility as floats; ValueError unless its width is that of the states."""
        u = np.asarray(utility, dtype=np.float64)
        if u.shape[-1:] != self.mean.shape[-1:]:
            raise ValueError(
                f"utility must have a coefficient per dimension, {self.mean.shape[-1]}, "
                f"got shape {u.shape}"
            )
        return u

    def tilt_together(self, acts: list[tuple[Array, Array]]) -> list[Tilt]:
        """Return each agent's tilt of this world; linear tilts of a Gaussian simply add.

        ``acts`` are (utility, power); all returned Tilts hold the world that results from all.
        The joint KL divergence can exceed the sum of those spent: n copies spend n²O.
        """
        tilts, mean = list(self._tilts(acts)), self.mean
        for tilt in tilts:
            mean = mean + tilt.shift
        world = self._at(mean)
        return [Tilt(world, tilt.beta, tilt.spent, tilt.gain) for tilt in tilts]

    def tilts_in_turn(self, acts: list[tuple[Array, Array]]) -> Iterator[Tilt]:
        """Yield each agent's tilt of the world that the last one left: as `tilt`, one by one."""
        mean = self.mean
        for shift, beta, spent, gain in self._tilts(acts):
            mean = mean + shift
            yield Tilt(self._at(mean), beta, spent, gain)

    def _tilts(self, acts: list[tuple[Array, Array]]) -> Iterator[LinearTilt]:
        if not acts:
            return iter(())
        powers = np.broadcast_arrays(*(power for _, power in acts), self.mean[..., 0])[:-1]
        utilities = [self._utility(v) for v, _ in acts]
        return linear_tilts(utilities, per_row(np.stack(powers)), self.covariance.matrix)

    def toward(self, other: GaussianWorld, power: Array | float) -> Tilt:
        """Return the world closest to ``other`` within ``power`` nats of this one.

        It lies on the straight way of the means, all of it when ``KL(other‖self) ≤ power``; β is
        the share of the way, ``gain`` the rise of ``E[ln(other/self)]``. Covariances must be one.
        """
        distance2 = self._distance2(other)
        beta, spent = stride_towards(distance2, per_row(power))
        rest = (1.0 - beta)[..., None] * self._way(other)
        return Tilt(other._moved(rest), beta, spent, beta * distance2)

    def expect(self, utility: Array) -> Array:
        """Return ``E[u] = v·μ``, ``(R,)``: 0 in the base world, whatever the utility."""
        if self._central and self.mean.shape == utility.shape:
            return np.zeros(utility.shape[:-1])
        return np.vecdot(self.mean, utility)

    def spread(self, utility: Array) -> Array:
        """Return the standard deviation ``sqrt(vᵀCv)`` of u, ``(R,)``."""
        return np.sqrt(np.vecdot(utility, times(self.covariance.matrix, utility)))

    def nats_from(self, base: GaussianWorld) -> Array:
        """Return ``KL(self‖base) = ½ Δᵀ C⁻¹ Δ`` in nats, ``(R,)``, for worlds of one covariance."""
        return 0.5 * self._distance2(base)

    def best_gain(self, utility: Array, nats: Array) -> Array:
        """Return ``G(K) = sqrt(2K vᵀCv)``, the largest rise of ``E[u]`` within K nats, ``(R,)``."""
        return np.sqrt(2.0 * nats) * self.spread(utility)

    def report(self, base: GaussianWorld) -> dict[str, Array]:
        """Return nothing: mean and covariance are all there is."""
        return {}

    def relax(self, base: GaussianWorld, share: float) -> GaussianWorld:
        """Return ``∝ self^(1−share) · base^share``: its mean moves by ``share`` towards base's."""
        return base._moved((1.0 - share) * self._way(base))

    def sample(self, normals: Array) -> Array:
        """Return states ``μ + L z`` ``(R, n, d)`` from standard normals z of that shape."""
        return self.mean[..., None, :] + _by_root(self.covariance.root, normals)

    @property
    def width(self) -> int:
        """The dimensions of the states, those too that are yet to come."""
        return self.mean.shape[-1]

    def whole(self) -> GaussianWorld:
        """Return the world with all dimensions there."""
        return GaussianWorld(self.mean, self.covariance)

    def linear(self, coefficients: Array) -> Array:
        """Return the coefficients, which are the utility."""
        return coefficients

    def shift(self, reference: GaussianWorld) -> Array:
        """Return the whitened displacement ``L⁻¹(μ − μ_ref)`` of the mean, ``(R, d)``.

        It may be the mean itself, and is not to be changed.
        """
        return _by_root(self.covariance.inverse_root, self._way(reference))

    def look(self, reference: GaussianWorld, draw: Draw, looks: int) -> Array:
        """Return the whitened mean of ``looks`` samples less ``reference``'s mean, ``(R, d)``.

        ``L⁻¹(μ − μ_ref) + z/sqrt(n)``: the mean of n samples is sufficient for μ, so one normal
        vector per step stands for all n looks, exactly in law.
        """
        noise = draw.normal(self.width)
        seen = self.shift(reference) + (noise if looks == 1 else noise / np.sqrt(looks))
        seen[..., self.dimensions :] = 0.0  # what is yet to come shows nothing, not even noise
        return seen

    def pick(self, worlds: list[GaussianWorld], index: Array) -> GaussianWorld:
        """Return the world whose replicate r is that of ``worlds[index[r]]``."""
        if len(worlds) == 1:
            return worlds[0]
        means = np.stack(np.broadcast_arrays(*(world.mean for world in worlds)))
        return self._at(means[index.astype(np.intp), np.arange(means.shape[1])])

    def whiten(self, utility: Array) -> Array:
        """Return ``Lᵀv``, in which standard deviation is length and correlation the cosine."""
        return _by_root(self.covariance.root, utility, transposed=True)

    def colour(self, coordinates: Array) -> Array:
        """Return the v whose whitened coordinates are given: ``L⁻ᵀω``."""
        return _by_root(self.covariance.inverse_root, coordinates, transposed=True)

    def _distance2(self, other: GaussianWorld) -> Array:
        """Return ``Δᵀ C⁻¹ Δ``, kept for the world that was last asked for: a step asks again."""
        kept = self._from
        if kept is None or kept[0] is not other:
            white = self.shift(other)
            kept = self._from = other, np.vecdot(white, white)
        return kept[1]


def shift_nats(limit: Array, measure: str, alpha: float | None) -> Array:
    """Return the nats of the mean shift that costs ``limit`` by a measure; see `tilt.shifts`.

    Raises ValueError where no shift costs so much.
    """
    if measure == "kl":
        return limit
    nats = 0.5 * np.square(shift_within(limit, measure, alpha))
    if not np.all(nats < np.inf):
        raise ValueError(f"no mean shift costs {limit.max()} by {measure}: use less power")
    return nats


class Gaussian(WorldSpec):
    """A Gaussian world in d dimensions, centred on the origin.

    Before a left turn it has ``dimensions``, afterwards those of ``left_turn`` too; a covariance,
    and coefficients of utilities, are for all of them.
    """

    kind = "gaussian"
    cites = ("essay",)

    dimensions: Annotated[
        int, Field(ge=2, le=10_000_000, description="dimensions of the state space")
    ]
    covariance: Annotated[
        Literal["identity"] | list[float] | list[list[float]],
        Field(description="'identity', d variances, or a d × d positive definite matrix"),
    ] = "identity"
    left_turn: Annotated[
        LeftTurn | None,
        Field(description="dimensions that appear: at which step, how many, ai_first"),
    ] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a covariance of the wrong shape or not positive definite."""
        if self.left_turn is not None:
            yield from self._bare(scenario)
        if self.covariance == "identity":
            return
        rows = len(self.covariance)
        widths = {len(row) for row in self.covariance if isinstance(row, list)}
        if rows != self.sphere or widths - {rows}:
            rule = f"should be {self.sphere} variances or a square matrix of that size"
            yield Objection(("covariance",), rule, f"{rows} rows of {sorted(widths) or 'numbers'}")
            return
        try:
            Covariance.of(np.asarray(self.covariance, np.float64))
        except ValueError as error:
            yield Objection(("covariance",), str(error), self.covariance)

    def _bare(self, scenario: Scenario) -> Iterator[Objection]:
        """Refuse utilities that have nothing in the old or in the new dimensions."""
        for name, agent in scenario.agents.items():
            given = getattr(getattr(agent, "utility", None), "direction", "random")
            if given == "random" or len(given) != self.sphere:
                continue
            if not any(given[: self.dimensions]) or not any(given[self.dimensions :]):
                rule = f"{name}'s direction should be all zeros neither before the turn nor after"
                yield Objection(("left_turn",), rule, given)

    @property
    def coefficients(self) -> int:
        """One per dimension, old and new."""
        return self.sphere

    @property
    def sphere(self) -> int:
        """The dimensions, old and new."""
        return self.dimensions + (0 if self.left_turn is None else self.left_turn.dimensions)

    def build(self, replicates: int) -> GaussianWorld:
        """Return ``N(0, C)`` in every replicate."""
        matrix = None if self.covariance == "identity" else np.asarray(self.covariance, np.float64)
        return GaussianWorld(np.zeros((replicates, self.sphere)), matrix, self.dimensions)
