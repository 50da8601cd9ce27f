"""The causal accounting of KL divergence agrees with brute force on 1000 random graphs.

Every act (joint tilt, soft, by-news, hard; in the base world and in one cut and shifted before) is
priced by the general formula for two Gaussians, from moments that are solved for here; the hard one
also by theory's formula of mechanisms and against a general optimiser; and by Monte Carlo.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from sumabm import CausalWorld, theory
from sumabm.types import Array
from sumabm.worlds import Tilt

GRAPHS, OPTIMISED, SAMPLED, SAMPLES, POWER = 1000, 200, 20, 200_000, 4.0
CLOSE, OPTIMAL, ERRORS = 1e-8, 1e-6, 4.0


class Model:
    """A random graph and its equations, read from the graph and nothing of ours."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        size = int(rng.integers(2, 11))
        graph = nx.DiGraph()
        graph.add_nodes_from([f"s{i}" for i in rng.permutation(size)])
        for i, j in zip(*np.tril_indices(size, -1), strict=True):
            if rng.random() < 0.5:
                graph.add_edge(f"s{j}", f"s{i}", weight=float(rng.normal()))
        nx.set_node_attributes(graph, {n: float(rng.uniform(0.2, 2.0)) for n in graph}, "noise")
        self.world = CausalWorld.of(graph)
        names = list(self.world.names)
        self.weights = nx.to_numpy_array(graph, nodelist=names).T
        self.noise = np.array([graph.nodes[name]["noise"] for name in names])
        self.utility = rng.standard_normal((1, size))
        some = rng.choice(names, size=int(rng.integers(1, size + 1)), replace=False)
        self.actuators = self.world.nodes(list(some))

    def moments(self, shifts: Array, cut: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return mean and covariance where noises have means ``shifts`` and ``cut`` no causes."""
        left = self.weights.copy()
        left[cut] = 0.0
        total = np.linalg.solve(np.eye(len(left)) - left, np.eye(len(left)))
        return total @ shifts, total @ np.diag(self.noise) @ total.T

    def price(self, means: Array) -> tuple[float, Array]:
        """Return what theory says a hard intervention costs, and the means that it makes."""
        shifts = np.zeros(len(self.noise))
        shifts[self.actuators] = means
        mean, covariance = self.moments(shifts, self.actuators)
        rows = self.weights[self.actuators]
        spread = np.einsum("ai,ij,aj->a", rows, covariance, rows)
        squares = (means - rows @ mean) ** 2 + spread
        return float(0.5 * (squares / self.noise[self.actuators]).sum()), mean


def divergence(after: tuple[Array, Array], before: tuple[Array, Array]) -> float:
    """Return ``KL(after‖before)`` of two Gaussians by the general formula."""
    way, inverse = after[0] - before[0], np.linalg.inv(before[1])
    logs = np.linalg.slogdet(before[1])[1] - np.linalg.slogdet(after[1])[1]
    return float(0.5 * (np.trace(inverse @ after[1]) - len(way) + way @ inverse @ way + logs))


def law(world: CausalWorld) -> tuple[Array, Array]:
    root = world.root[0]
    return world.law.mean[0], root @ root.T


def acts(model: Model, world: CausalWorld) -> dict[str, Tilt]:
    v, nodes = model.utility, model.actuators
    return {
        "joint": world.tilt(v, POWER),
        "soft": world.tilt(world.by_noise(v, nodes), POWER),
        "by-news": world.tilt(world.by_news(v, nodes), POWER),
        "hard": world.sever(v, POWER, nodes),
    }


def accounting() -> tuple[float, float, float]:
    """Return the largest errors: of what is spent, of gains by closed form; and a wrong price's."""
    spent = gained = wrong = 0.0
    for seed in range(GRAPHS):
        model = Model(seed)
        base = model.world
        found = cast(Any, base.sever(model.utility[:, ::-1], 9.0, model.actuators[:1]).world)
        for world in (base, cast(Any, found.tilt(model.utility * 0.5 + 1.0, 0.7).world)):
            for act in acts(model, world).values():
                cost = divergence(law(cast(Any, act.world)), law(world))
                spent = max(spent, abs(cost - act.spent[0]) / POWER)
        given = (model.weights, model.noise, model.utility, POWER)
        through = (*given, cast("list[int]", model.actuators.tolist()))
        expected = {
            "joint": theory.evidential_gain(*given),
            "soft": theory.soft_gain(*through),
            "by-news": theory.news_gain(*through),
            "hard": theory.hard_gain(*through),
        }
        for kind, act in acts(model, base).items():
            rise = cast(Any, act.world).expect(model.utility)[0]
            gained = max(gained, abs(float(rise - expected[kind][0])))
        rows = model.weights[model.actuators]  # control: moments of the world before
        before = np.einsum("ai,ij,aj->a", rows, law(base)[1], rows)
        naive = float(0.5 * (before / model.noise[model.actuators]).sum())
        wrong = max(wrong, abs(naive - float(base.severing(model.actuators)[0][0])))
    return spent, gained, wrong


def optimum(model: Model, power: float) -> float:
    """Return the best gain of a hard intervention that a general optimiser finds."""
    found = cast(Any, optimize.minimize)(  # its stubs know no such options
        lambda means: float(-model.utility[0] @ model.price(means)[1]),
        np.zeros(len(model.actuators)),
        constraints={"type": "ineq", "fun": lambda means: power - model.price(means)[0]},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    return float(-found.fun)


def optimality() -> float:
    """Return by how much a general optimiser's hard interventions differ in gain at most."""
    worst = 0.0
    for seed in range(OPTIMISED):
        model = Model(seed)
        power = model.price(np.zeros(len(model.actuators)))[0] + 2.0
        best = float(model.world.sever(model.utility, power, model.actuators).gain[0])
        worst = max(worst, abs(best - optimum(model, power)) / best)
    return worst


def sampling() -> tuple[float, float]:
    """Return the largest z of Monte Carlo prices of hard acts, and that of prices 5 % too high."""
    worst, control = 0.0, 0.0
    for seed in range(SAMPLED):
        model = Model(seed)
        least, _ = model.price(np.zeros(len(model.actuators)))
        act = model.world.sever(model.utility, least + 2.0, model.actuators)
        after = cast(Any, act.world).law
        states = after.sample(model.rng.standard_normal((1, SAMPLES, len(model.noise))))[0]
        ratio = np.zeros(SAMPLES)
        for j in model.actuators:  # the only factors of the joint density that differ
            before = (states[:, j] - states @ model.weights[j]) ** 2
            ratio += (before - (states[:, j] - after.mean[0, j]) ** 2) / (2.0 * model.noise[j])
        error = ratio.std() / np.sqrt(SAMPLES)
        worst = max(worst, abs(ratio.mean() - act.spent[0]) / error)
        control = max(control, abs(ratio.mean() - 1.05 * act.spent[0]) / error)
    return float(worst), float(control)


def main() -> int:
    spent, gained, wrong = accounting()
    print(f"{GRAPHS} graphs, 8 acts each: spent off by {spent:.1e} of the power (limit {CLOSE})")
    print(f"gains off the closed forms by {gained:.1e} (limit {CLOSE})")
    print(f"  negative control, moments before the act: {wrong:.1e} nats (should exceed it)")
    optimal = optimality()
    print(f"{OPTIMISED} hard acts: an optimiser's gain differs by {optimal:.1e} (limit {OPTIMAL})")
    z, control = sampling()
    print(f"{SAMPLED} prices by {SAMPLES} samples: largest z {z:.2f} (limit {ERRORS})")
    print(f"  negative control, prices 5 % too high: {control:.1f} (should exceed it)")
    good = spent <= CLOSE and gained <= CLOSE < wrong
    return 0 if good and optimal <= OPTIMAL and z <= ERRORS < control else 1


if __name__ == "__main__":
    sys.exit(main())
