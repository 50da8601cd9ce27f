"""Causal worlds: linear-Gaussian structural causal models, whose mechanisms agents can cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from sumabm.display import html_table
from sumabm.streams import Draw
from sumabm.tilt import times
from sumabm.types import Array
from sumabm.worlds import Tilt, World, per_row
from sumabm.worlds.equations import equations, total_effects
from sumabm.worlds.gaussian import Covariance, GaussianWorld, shift_nats
from sumabm.worlds.normal import NormalWorld

if TYPE_CHECKING:
    import networkx as nx

Law: TypeAlias = GaussianWorld | NormalWorld
_NOTHING = 1e-12  # of a utility: what is left of one that the actuators cannot move


@dataclass(frozen=True, eq=False, slots=True)
class CausalWorld:
    """Replicates of ``s = Bs + ε``, ``ε ~ N(m_r, Ω)`` with Ω diagonal, on an acyclic graph.

    ``law`` is the law of s. With its d coordinates in causal order, ``names``, the lower triangular
    square root of its covariance is ``L Ω^½`` with ``L = (I − B)⁻¹``, so that the law holds the
    mechanisms: a utility's whitened coordinates are ``ω = Ω^½ w``, ``w = Lᵀv`` its causal effects,
    one for each noise. ``given`` has the place of each coordinate in the order in which nodes were
    given, ``frame`` the base world's covariance.

    Tilts shift means only, and leave the mechanisms; `sever` cuts some. A world on the way between
    two (`toward`, `relax`) need not obey the graph: its mechanisms are then its conditionals in
    causal order. KL divergence is always that of the joint law. [pearl-2009]

    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_edge("cause", "effect", weight=2.0)
    >>> world = CausalWorld.of(graph)
    >>> utility = world.linear(np.array([[0.0, 1.0]]))
    >>> world.tilt(world.by_noise(utility, world.nodes(["cause"])), 2.0).gain
    array([4.])
    """

    law: Law
    names: tuple[str, ...]
    given: NDArray[np.intp]
    frame: Covariance

    def _repr_html_(self) -> str:
        mean = np.atleast_2d(self.law.mean)
        facts = {"replicates": len(mean), "nodes in causal order": self.names, "mean": mean}
        return html_table("Causal world", facts)

    @classmethod
    def of(cls, graph: nx.DiGraph[str]) -> CausalWorld:
        """Return the world of a graph: edges with ``weight``, nodes with ``noise`` (Ω, or 1).

        One replicate, of mean 0. Raises ValueError for a graph that is not directed or has a cycle,
        a weight that is no finite number, a noise that is not positive, and a covariance that is
        beyond the float range.
        """
        names, weights, noise = equations(graph)
        given = {name: i for i, name in enumerate(graph)}
        frame = _covariance(weights, np.sqrt(noise))
        law = GaussianWorld(np.zeros((1, len(names))), frame)
        return cls(law, names, np.array([given[name] for name in names]), frame)

    def repeated(self, replicates: int) -> CausalWorld:
        """Return the base world ``N(0, LΩLᵀ)`` of so many replicates."""
        return replace(self, law=GaussianWorld(np.zeros((replicates, self.width)), self.frame))

    @property
    def root(self) -> Array:
        """``L Ω^½``, lower triangular, ``(R, d, d)`` or ``(1, d, d)`` where all have the same."""
        if isinstance(self.law, NormalWorld):
            return self.law.root
        return np.asarray(self.frame.root)[None]

    def nodes(self, names: Sequence[str]) -> NDArray[np.intp]:
        """Return the places of these nodes in causal order; KeyError for one that is not there."""
        places = {name: place for place, name in enumerate(self.names)}
        return np.sort(np.array([places[name] for name in names], dtype=np.intp))

    # --- what acts through some nodes only can do -------------------------------------------

    def by_noise(self, utility: Array, actuators: NDArray[np.intp]) -> Array:
        """Return ``Σ_A w_j ε_j``, ``(R, d)``: the part of u that the actuators' noise makes.

        Its tilt is the best soft intervention, which shifts their noise: it gains
        ``sqrt(2O Σ_A w_j² Ω_jj)`` of u. Nothing (0) where they have no effect on u.
        """
        white = self.law.whiten(utility)
        return self.law.colour(self._felt(white, white[..., actuators], actuators))

    def by_news(self, utility: Array, actuators: NDArray[np.intp]) -> Array:
        """Return the utility ``(R, d)`` whose tilt does what looks best by news of the actuators.

        The shift ``∝ C_A· v`` of their values has the best expectation of u given them. As an
        intervention it takes noise shifted by ``x = L_AA⁻¹ C_A· v``.
        """
        white = self.law.whiten(utility)
        own, values = self._moved(white, actuators)
        inner = np.ascontiguousarray(own[..., actuators])
        pushes = np.asarray(np.linalg.solve(inner, values[..., None])[..., 0], np.float64)
        return self.law.colour(self._felt(white, pushes, actuators))

    def news_spread(self, utility: Array, actuators: NDArray[np.intp]) -> Array:
        """Return ``sqrt(Var E[u | s_A])``, ``(R,)``: with O nats, by news, u rises sqrt(2O) of it.

        ``Var E[u | s_A] = (C_A· v)ᵀ C_AA⁻¹ (C_A· v)``.
        """
        own, values = self._moved(self.law.whiten(utility), actuators)
        among = np.einsum("rij,rkj->rik", own, own)
        return np.sqrt(np.vecdot(values, np.linalg.solve(among, values[..., None])[..., 0]))

    def severing(self, actuators: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return the least nats that cutting the actuators off costs, and the root it leaves.

        ``½ Σ_A Var_Q b_j / Ω_jj``, ``(R,)``: each has its own noise about the mean that it had,
        whatever its parents, whose part in it was ``b_j``. Q is the world after.
        """
        noise = np.diagonal(self.root, axis1=-2, axis2=-1)
        eye = np.eye(self.width)
        weights = eye - total_effects(eye - self.root / noise[..., None, :])
        rest = weights.copy()
        rest[..., actuators, :] = 0.0
        left = total_effects(rest) * noise[..., None, :]
        parts = weights[..., actuators, :] @ left / noise[..., actuators, None]
        return 0.5 * np.sum(np.square(parts), axis=(-1, -2)), left

    def sever(self, utility: Array, power: Array | float, actuators: NDArray[np.intp]) -> Tilt:
        """Return the best hard intervention within ``power``: ``s_j ~ N(m_j, Ω_jj)`` for A.

        Its cost ``½ Σ_A [(m_j − E_Q b_j)² + Var_Q b_j]/Ω_jj`` is that of a soft intervention that
        makes the same means, and the price ``c₀`` of `severing`: so the best one gains
        ``sqrt(2(O − c₀) Σ_A w_j² Ω_jj)``. Where O ≤ c₀, or the actuators have no effect on u,
        nothing is done and nothing is spent.
        """
        limit = per_row(power)
        price, left = self.severing(actuators)
        rows = len(self.law.mean)
        spare = np.broadcast_to(np.maximum(limit - price, 0.0), rows)
        soft = self.law.tilt(self.by_noise(utility, actuators), spare)
        acts = soft.spent > 0.0
        mean = cast("GaussianWorld", soft.world).mean  # means do not feel the cut
        root = np.where(acts[:, None, None], left, self.root)
        spent = np.where(acts, np.minimum(price + soft.spent, limit), 0.0)
        law = cast("World", NormalWorld(mean, root))
        return self._done(soft._replace(world=law, spent=spent))

    def _moved(self, white: Array, actuators: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return A's rows of the root, and ``C_A· v``: how the joint tilt moves s_A, row by row."""
        own = np.ascontiguousarray(self.root[..., actuators, :])
        return own, np.vecdot(own, white[..., None, :])

    def _felt(self, white: Array, pushes: Array, actuators: NDArray[np.intp]) -> Array:
        """Return whitened coordinates: ``pushes`` at A, or nothing where that is but rounding."""
        some = np.abs(pushes).max(axis=-1) > _NOTHING * np.abs(white).max(axis=-1)
        out = np.zeros_like(white)
        out[..., actuators] = np.where(some[..., None], pushes, 0.0)
        return out

    # --- what every world offers ------------------------------------------------------------

    @property
    def dimensions(self) -> int:
        """The number d of nodes."""
        return len(self.names)

    width = dimensions

    def linear(self, coefficients: Array) -> Array:
        """Return the utility with a coefficient for each node, in the order they were given."""
        return coefficients[..., self.given]

    def tilt(
        self,
        utility: Array,
        power: Array | float,
        measure: str = "kl",
        alpha: float | None = None,
    ) -> Tilt:
        """Return the best world for ``u = v·s`` within ``power``: see `GaussianWorld.tilt`.

        This is the evidential act: the joint law tilted, by whatever noise that takes.
        """
        limit = per_row(power)
        act = self.law.tilt(utility, shift_nats(limit, measure, alpha))
        return self._done(act._replace(spent=np.where(act.spent > 0.0, limit, 0.0)))

    def tilt_together(self, acts: list[tuple[Array, Array]]) -> list[Tilt]:
        """Return each agent's tilt of this world; means add up."""
        tilts = cast("Any", self.law).tilt_together(acts)
        world = self._done(tilts[0]).world
        return [tilt._replace(world=world) for tilt in tilts]

    def toward(self, other: CausalWorld, power: Array | float) -> Tilt:
        """Return the world closest to ``other`` within ``power`` nats of this one."""
        mine, theirs = self._alike(other)
        return self._done(mine.toward(theirs, power))

    def expect(self, utility: Array) -> Array:
        """Return ``E[u]``, ``(R,)``."""
        return self.law.expect(utility)

    def spread(self, utility: Array) -> Array:
        """Return the standard deviation of u, ``(R,)``."""
        return self.law.spread(utility)

    def nats_from(self, base: CausalWorld) -> Array:
        """Return ``KL(self‖base)`` of the joint laws in nats, ``(R,)``."""
        mine, theirs = self._alike(base)
        return cast("Array", mine.nats_from(theirs))

    def best_gain(self, utility: Array, nats: Array) -> Array:
        """Return ``G(K) = sqrt(2K Var u)``, the largest rise of ``E[u]`` in K nats, ``(R,)``."""
        return self.law.best_gain(utility, nats)

    def report(self, base: CausalWorld) -> dict[str, Array]:
        """Return nothing: the law is all there is."""
        return {}

    def relax(self, base: CausalWorld, share: float) -> CausalWorld:
        """Return ``∝ self^(1−share) · base^share``."""
        mine, theirs = self._alike(base)
        return replace(self, law=mine.relax(theirs, share))

    def shift(self, reference: CausalWorld) -> Array:
        """Return the displacement of the mean, whitened by the base world, ``(R, d)``."""
        return times(self.frame.inverse_root, self.law.mean - reference.law.mean)

    def look(self, reference: CausalWorld, draw: Draw, looks: int) -> Array:
        """Return the whitened mean of ``looks`` samples less ``reference``'s mean, ``(R, d)``."""
        normals = draw.normal(self.width) / np.sqrt(looks)
        seen = self.law.sample(normals[:, None, :])[:, 0, :]
        return times(self.frame.inverse_root, seen - reference.law.mean)

    def pick(self, worlds: list[CausalWorld], index: Array) -> CausalWorld:
        """Return the world whose replicate r is that of ``worlds[index[r]]``."""
        laws: list[Any] = [world.law for world in worlds]
        if any(isinstance(law, NormalWorld) for law in laws):
            laws = [_normal(law) for law in laws]
        return replace(self, law=laws[0].pick(laws, index))

    def whiten(self, utility: Array) -> Array:
        """Return ``Ω^½ Lᵀ v``, by this world's own mechanisms."""
        return self.law.whiten(utility)

    def colour(self, coordinates: Array) -> Array:
        """Return the v whose whitened coordinates are given."""
        return self.law.colour(coordinates)

    def _done(self, tilt: Tilt) -> Tilt:
        law = cast("Law", tilt.world)
        return tilt._replace(world=cast("World", replace(self, law=law)))

    def _alike(self, other: CausalWorld) -> tuple[Any, Any]:
        """Return both laws in one form: with a covariance each as soon as one has its own."""
        if isinstance(self.law, GaussianWorld) and isinstance(other.law, GaussianWorld):
            return self.law, other.law
        return _normal(self.law), _normal(other.law)


def _normal(law: Law) -> NormalWorld:
    if isinstance(law, NormalWorld):
        return law
    return NormalWorld(law.mean, np.asarray(law.covariance.root))


def _covariance(weights: Array, deviations: Array) -> Covariance:
    """Return ``LΩLᵀ`` with its square root ``LΩ^½``; raises ValueError beyond the float range."""
    with np.errstate(all="ignore"):
        root = total_effects(weights) * deviations
        matrix = root @ root.T
        inverse = (np.eye(len(deviations)) - weights) / deviations[:, None]
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(inverse))):
        raise ValueError("the covariance that the weights imply is beyond the float range")
    return Covariance(matrix, root, inverse)
