"""Discrete worlds: probabilities over states that agents tilt, exactly at any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sumabm.display import html_table
from sumabm.streams import Draw
from sumabm.tilt import (
    best_of_power,
    deviation,
    discrete_tilt,
    expect,
    joint_tilt,
    kl,
    optimum,
    quantilize,
    stride,
)
from sumabm.types import Array
from sumabm.worlds import Tilt, per_row

_SUM_TOLERANCE = 1e-6
_LOST = -1e5  # a state whose log-probability falls below this is lost: nothing could tell


class Frame(Protocol):
    """Whitened coordinates of utilities over the states of a base world."""

    @property
    def dimensions(self) -> int:
        """The dimensions of the sphere of utilities."""
        ...

    @property
    def width(self) -> int:
        """The number of coordinates."""
        ...

    def whiten(self, utility: Array) -> Array:
        """Return coordinates ``(…, w)`` of utilities ``(…, N)``."""
        ...

    def colour(self, coordinates: Array) -> Array:
        """Return utilities ``(…, N)`` of coordinates ``(…, w)``."""
        ...

    def mean(self, probabilities: Array) -> Array:
        """Return the mean coordinates ``(…, w)`` of distributions ``(…, N)`` of states."""
        ...


@dataclass(frozen=True, eq=False)
class LinearFrame:
    """Utilities linear in the states' features: a sphere in as many dimensions as features.

    ``basis (N, d)`` are functions of the state, centred and orthonormal under the base world
    ``probabilities (N,)``. What of a utility is not linear in the features is not seen.
    """

    probabilities: Array
    basis: Array

    @classmethod
    def of(cls, probabilities: Array, features: Array) -> LinearFrame:
        """Return the frame of features ``(N, d)``; raises ValueError if they are dependent."""
        centred = features - probabilities @ features
        covariance = np.einsum("ni,nj->ij", probabilities[:, None] * centred, centred)
        try:
            root = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise ValueError("features must be linearly independent under the base world") from None
        return cls(probabilities, np.einsum("ij,nj->ni", np.linalg.inv(root), centred))

    @property
    def dimensions(self) -> int:
        """The number of features."""
        return self.basis.shape[1]

    width = dimensions

    def whiten(self, utility: Array) -> Array:
        """Return the covariances with the basis."""
        return np.einsum("...n,nd->...d", self.probabilities * utility, self.basis)

    def colour(self, coordinates: Array) -> Array:
        """Return the combination of the basis."""
        return np.einsum("nd,...d->...n", self.basis, coordinates)

    def mean(self, probabilities: Array) -> Array:
        """Return the means of the basis."""
        return np.einsum("...n,nd->...d", probabilities, self.basis)


@dataclass(frozen=True, eq=False)
class FreeFrame:
    """Utilities are any table over N supported states: a sphere in N − 1 dimensions.

    Coordinates are ``sqrt(p)(u − E u)``, orthogonal to ``sqrt(p)``; states that the base world
    cannot reach have none.
    """

    probabilities: Array

    @property
    def dimensions(self) -> int:
        """One less than the supported states."""
        return int(np.count_nonzero(self.probabilities > 0.0)) - 1

    @property
    def width(self) -> int:
        """The number of states."""
        return self.probabilities.shape[-1]

    @cached_property
    def _root(self) -> Array:
        return np.sqrt(self.probabilities)

    def whiten(self, utility: Array) -> Array:
        """Return ``sqrt(p)(u − E u)``."""
        there = np.where(self._root > 0.0, utility, 0.0)
        mean = np.vecdot(there, self.probabilities)
        return self._root * (there - mean[..., None])

    def colour(self, coordinates: Array) -> Array:
        """Return ``ω/sqrt(p)``, and 0 where p is."""
        root = self._root
        return np.where(root > 0.0, coordinates / np.where(root > 0.0, root, 1.0), 0.0)

    def mean(self, probabilities: Array) -> Array:
        """Return ``q/sqrt(p) − sqrt(p)``."""
        return self.colour(probabilities) - self._root


class DiscreteWorld:
    """Replicates of a distribution over N states.

    ``probabilities`` is ``(N,)``, or ``(R, N)`` a row per replicate: not negative, of sum 1 to
    1e-6 (then normalised). ``features (N, d)`` describe the states; with them utilities live on
    the sphere of linear ones, without on that of all tables. A utility is a table ``(N,)`` or
    ``(R, N)``; powers are nats. Raises ValueError for probabilities that are none.

    >>> world = DiscreteWorld([0.25, 0.25, 0.25, 0.25])
    >>> act = world.tilt([3.0, 0.02, 1.0, 3.1], 0.6931471805599453)
    >>> round(float(act.spent), 12), act.world.probabilities.round(3)
    (0.69314718056, array([0.428, 0.   , 0.001, 0.571]))
    """

    def __init__(
        self,
        probabilities: Array | Sequence[float] | Sequence[Sequence[float]],
        features: Array | Sequence[Sequence[float]] | None = None,
    ) -> None:
        p = np.asarray(probabilities, dtype=np.float64)
        if p.ndim not in (1, 2) or p.size == 0:
            raise ValueError(f"probabilities must be (N,) or (R, N), got shape {p.shape}")
        total = p.sum(axis=-1, keepdims=True)
        if not np.all(p >= 0.0) or not np.all(np.abs(total - 1.0) <= _SUM_TOLERANCE):
            raise ValueError("probabilities must not be negative and must sum to 1")
        frame: Frame = FreeFrame(p / total)
        if features is not None:
            table = np.asarray(features, dtype=np.float64)
            if p.ndim != 1 or table.ndim != 2 or len(table) != p.size:
                raise ValueError(f"features must be ({p.shape[-1]}, d), got shape {table.shape}")
            if not np.all(np.abs(table) < 1e150):
                raise ValueError("features must be finite, and smaller than 1e150")
            frame = LinearFrame.of(p / total, table)
        with np.errstate(divide="ignore"):
            self._set(np.log(p / total), frame, None if features is None else table)

    def _repr_html_(self) -> str:
        p = np.atleast_2d(self.probabilities)
        facts = {"replicates": len(p), "states": p.shape[-1], "probabilities": p}
        return html_table("Discrete world", facts)

    @classmethod
    def pool(
        cls, worlds: Sequence[DiscreteWorld], weights: Sequence[float] | Array
    ) -> DiscreteWorld:
        """Return the log-linear pool ``∝ Π p_i^{w_i}``: weighted natural parameters add.

        A state that any world of positive weight excludes is excluded. Raises ValueError when
        nothing is left, or worlds and weights differ in number.
        """
        if len(worlds) != len(weights) or not worlds:
            raise ValueError(f"{len(worlds)} worlds need as many weights, got {len(weights)}")
        total = np.zeros(())
        for world, weight in zip(worlds, weights, strict=True):
            total = total + (weight * world.log_probabilities if weight else 0.0)
        return worlds[0]._at(_normalised(total))

    def _set(self, log_p: Array, frame: Frame, features: Array | None) -> None:
        self.log_probabilities = log_p
        self.frame = frame
        self.features = features

    def _at(self, log_p: Array) -> DiscreteWorld:
        if np.any(beyond := (log_p < _LOST) & (log_p > -np.inf)):
            log_p = np.where(beyond, -np.inf, log_p)
        world = object.__new__(DiscreteWorld)
        world._set(log_p, self.frame, self.features)
        return world

    @property
    def probabilities(self) -> Array:
        """The probabilities, ``(N,)`` or ``(R, N)``."""
        return np.exp(self.log_probabilities)

    @property
    def dimensions(self) -> int:
        """The dimensions of the sphere that utilities fill."""
        return self.frame.dimensions

    @property
    def width(self) -> int:
        """The number of whitened coordinates."""
        return self.frame.width

    def linear(self, coefficients: Array) -> Array:
        """Return the table of ``v · features``; raises ValueError for a world without features."""
        if self.features is None:
            raise ValueError("this world has no features: its utilities are tables")
        return np.einsum("nd,...d->...n", self.features, coefficients)

    def whiten(self, utility: Array) -> Array:
        """Return whitened coordinates under the base world that this one came from."""
        return self.frame.whiten(np.asarray(utility, np.float64))

    def colour(self, coordinates: Array) -> Array:
        """Return the table of whitened coordinates."""
        return self.frame.colour(coordinates)

    # --- acts -------------------------------------------------------------------------------

    def tilt(
        self,
        utility: Array | Sequence[float],
        power: Array | float,
        measure: str = "kl",
        alpha: float | None = None,
    ) -> Tilt:
        """Return the world best for ``utility`` within ``power`` of this one, in any measure.

        ``measure``: "kl" (nats), "reverse-kl", "renyi" (with ``alpha``), "chi2", "hellinger" (its
        square), "tv", "wasserstein" (over the features). See `tilt.discrete.discrete_tilt` and
        `tilt.measures.optimum` for limits: constant utilities, ties, saturation, no power.
        """
        u = np.asarray(utility, dtype=np.float64)
        if measure == "kl":
            act = discrete_tilt(self.log_probabilities, u, per_row(power))
            return Tilt(self._at(act.log_q), act.beta, act.spent, act.gain)
        ground = self.features if measure == "wasserstein" else None
        limit = per_row(power)
        best = optimum(self.log_probabilities, u, limit, measure, alpha=alpha, ground=ground)
        return Tilt(self._at(best.log_q), best.multiplier, best.spent, best.gain)

    def tilt_together(self, acts: list[tuple[Array, Array]]) -> list[Tilt]:
        """Return the tilts of agents that act at once: ``Q ∝ P exp(Σ β_i u_i)``.

        Each β_i is solved against this world; ``spent`` is each agent's own KL divergence.
        """
        if not acts:
            return []
        utilities, powers = [u for u, _ in acts], [per_row(power) for _, power in acts]
        log_q, shares = joint_tilt(self.log_probabilities, utilities, powers)
        world = self._at(log_q)
        return [Tilt(world, share.beta, share.spent, share.gain) for share in shares]

    def quantilize(self, utility: Array, power: Array | float) -> Tilt:
        """Return this world conditioned on the best share of it that ``power`` nats can buy."""
        rule = quantilize(self.log_probabilities, utility, per_row(power))
        return Tilt(self._at(rule.log_q), rule.fraction, rule.spent, rule.gain)

    def best_of(self, utility: Array, power: Array | float) -> Tilt:
        """Return the law of the best of n draws, n such that it costs ``power`` nats; β is n."""
        rule = best_of_power(self.log_probabilities, utility, per_row(power))
        with np.errstate(over="ignore"):
            return Tilt(self._at(rule.log_q), np.exp(rule.log_n), rule.spent, rule.gain)

    def toward(self, other: DiscreteWorld, power: Array | float) -> Tilt:
        """Return the furthest world on the geometric path to ``other`` within ``power`` nats.

        States that this world has lost cannot be brought back. β is the share of the way.
        """
        act = stride(self.log_probabilities, other.log_probabilities, per_row(power))
        return Tilt(self._at(act.log_q), act.beta, act.spent, act.gain)

    # --- what can be asked ------------------------------------------------------------------

    def expect(self, utility: Array) -> Array:
        """Return ``E[u]``, ``(R,)``."""
        return expect(self.log_probabilities, np.asarray(utility, np.float64))

    def spread(self, utility: Array) -> Array:
        """Return the standard deviation of u, ``(R,)``."""
        return deviation(self.log_probabilities, np.asarray(utility, np.float64))

    def nats_from(self, base: DiscreteWorld) -> Array:
        """Return ``KL(self‖base)`` in nats, ``(R,)``."""
        return kl(self.log_probabilities, base.log_probabilities)

    def best_gain(self, utility: Array, nats: Array) -> Array:
        """Return the largest rise of ``E[u]`` within ``nats``, ``(R,)``: the utility frontier."""
        return discrete_tilt(self.log_probabilities, utility, nats).gain

    def report(self, base: DiscreteWorld) -> dict[str, Array]:
        """Return ``lost (R,)``: the probability under ``base`` of states that this world lost.

        A saturated act deletes states, and nothing brings them back while the world persists.
        """
        gone = np.isneginf(self.log_probabilities)
        return {"lost": np.where(gone, base.probabilities, 0.0).sum(axis=-1)}

    def relax(self, base: DiscreteWorld, share: float) -> DiscreteWorld:
        """Return ``∝ self^(1−share) · base^share``; states that it has lost stay lost."""
        if share in (0.0, 1.0):
            return base if share else self
        log_q = (1.0 - share) * self.log_probabilities + share * base.log_probabilities
        return self._at(_normalised(log_q))

    def shift(self, reference: DiscreteWorld) -> Array:
        """Return the whitened displacement of the mean from ``reference``'s, ``(R, w)``."""
        return self.frame.mean(self.probabilities) - self.frame.mean(reference.probabilities)

    def look(self, reference: DiscreteWorld, draw: Draw, looks: int) -> Array:
        """Return the whitened mean of ``looks`` sampled states less ``reference``'s, ``(R, w)``."""
        seen = self.sample(draw, looks)
        rows, size = seen.shape[0], self.probabilities.shape[-1]
        counts = np.zeros((rows, size))
        for one in seen.T:
            counts[np.arange(rows), one] += 1.0 / looks
        return self.frame.mean(counts) - self.frame.mean(reference.probabilities)

    def sample(self, draw: Draw, looks: int) -> NDArray[np.intp]:
        """Return the numbers of sampled states, ``(R, looks)``, by inversion of uniforms."""
        total = np.cumsum(self.probabilities, axis=-1)
        where = draw.uniform(looks)
        total = np.broadcast_to(total, (len(where), total.shape[-1]))
        where = where * total[:, -1:]
        low: NDArray[np.intp] = np.zeros(where.shape, dtype=np.intp)
        high: NDArray[np.intp] = np.full(where.shape, total.shape[-1] - 1, dtype=np.intp)
        while np.any(low < high):  # bisection: the first state whose cumulative exceeds it
            middle = (low + high) // 2
            beyond = np.take_along_axis(total, middle, axis=-1) > where
            low, high = np.where(beyond, low, middle + 1), np.where(beyond, middle, high)
        return low

    def pick(self, worlds: list[DiscreteWorld], index: Array) -> DiscreteWorld:
        """Return the world whose replicate r is that of ``worlds[index[r]]``."""
        if len(worlds) == 1:
            return worlds[0]
        shape = (len(index), self.log_probabilities.shape[-1])
        rows = np.stack([np.broadcast_to(world.log_probabilities, shape) for world in worlds])
        return self._at(rows[index.astype(np.intp), np.arange(shape[0])])


def _normalised(log_q: Array) -> Array:
    top = log_q.max(axis=-1, keepdims=True)
    if not np.all(np.isfinite(top)):
        raise ValueError("these worlds have no state in common")
    return log_q - (top + np.log(np.exp(log_q - top).sum(axis=-1, keepdims=True)))
