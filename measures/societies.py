"""Closed forms of societies and learnt utilities, met by the simulator within 4 standard errors.

Copies and strangers, AIs of a given likeness, imitators and reward learners, subagents in series
and in parallel, consensus to the stationary average. Beside each a wrong formula, which must fail.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import xarray as xr

from sumabm import SUMModel, simulate, theory
from sumabm.types import Array

MOST, EXACT = 4.0, 1e-9
ALONE = {"agents.W": {"role": "aligner", "method": "none"}}
Row = tuple[str, Array, float, float]


def run(name: str, replicates: int, steps: int, **overrides: object) -> xr.Dataset:
    return simulate(name, replicates, 20261121, steps, overrides)


def effective_power(n: int = 5, power: float = 0.5, d: int = 100) -> Iterator[Row]:
    """Yield what n AIs do to the world together, nats, by their likeness."""
    for likeness in (1.0, 0.0, 0.4):
        kin = {"kind": "kin", "family": "ais", "likeness": likeness}
        ais = {"role": "ai", "count": n, "power": power, "utility": kin}
        spent = run("unopposed", 2000, 1, **{"agents.X": ais, "world.dimensions": d})
        law = power * (n + n * (n - 1) * likeness)
        told = f"{n} AIs of {power:g} nats, mean cosine {likeness:g}: joint nats"
        yield told, spent["joint_spent"].values[:, 0], law, 1.05 * law


def learners(d: int = 100) -> Iterator[Row]:
    """Yield the alignment of those that learn from humans, exact at finite d."""
    for name, step in (("imitator", 0), ("reward-learner", 40)):
        changes = {**ALONE, "world.dimensions": d}
        found = run(name, 2000, step + 1, **changes)
        origin = SUMModel(name).ais["X"].spec.utility
        power = float(found["power"].sel(agent="Y").values[0, 0])
        looks = getattr(origin, "samples", None) or step * getattr(origin, "looks", 0)
        x = 2.0 * looks * power / d
        law = float(theory.expected_alignment(d, x))
        sample = found["alignment"].sel(agent="X").values[:, step]
        yield f"{name}, x = {x:g}: alignment", sample, law, float(np.sqrt(x / (1.0 + 2.0 * x)))


def subagents(n: int = 4, c: float = 0.7, d: int = 2000) -> Iterator[Row]:
    """Yield the alignment of networks of n subagents, as d → ∞."""
    laws = {"series": c**n, "parallel": c * n**0.5 / (1.0 + (n - 1) * c * c) ** 0.5}
    for graph, law in laws.items():
        origin = {"kind": "subagents", "graph": graph, "subagents": n, "fidelity": c}
        changes = {**ALONE, "agents.X.utility": origin, "world.dimensions": d}
        sample = run("subagents", 400, 1, **changes)["alignment"].sel(agent="X").values[:, 0]
        yield f"{n} subagents of {c:g} in {graph}: alignment", sample, law, c


def consensus() -> float:
    """Return the worst ``1 − cosine`` of AIs that have talked with their stationary average."""
    worst = 0.0
    small = {"kind": "watts-strogatz", "neighbours": 4, "rewired": 0.3}
    for graph in ("complete", "star", "ring", small):
        ais = {"role": "ai", "count": 8, "power": 0.1}
        talk = {"kind": "consensus", "graph": graph, "rate": 0.5}
        changes = {"agents.X": ais, "relations.talk": talk, "steps": 2000}
        model = SUMModel("unopposed", 20, 1, **changes)
        first = np.stack([ai.subject.aim for ai in model.ais.values()])
        network = model.spec.relations["talk"].network(model.spec)
        degree = np.array([network.in_degree(name) for name in model.ais], dtype=float)
        for _ in range(1500):
            model.step()
        end = np.einsum("i,ird->rd", degree, first)
        end /= np.linalg.norm(end, axis=-1, keepdims=True)
        last = np.stack([ai.subject.aim for ai in model.ais.values()])
        worst = max(worst, float((1.0 - np.vecdot(last, end)).max()))
    return worst


def main() -> int:
    short = False
    for told, sample, law, wrong in (*effective_power(), *learners(), *subagents()):
        mean, error = float(sample.mean()), float(sample.std(ddof=1)) / sample.size**0.5
        error = max(error, EXACT * law)  # some are exact in every replicate
        z, off = abs(mean - law) / error, abs(mean - wrong) / error
        print(f"{told} {mean:.5g}, theory {law:.5g}: {z:.1f} s.e.; a wrong formula {off:.0f}")
        short |= z >= MOST or off < MOST
    worst = consensus()
    print(f"consensus on four graphs: {worst:.2g} off the stationary average (limit {EXACT:g})")
    return int(short or worst > EXACT)


if __name__ == "__main__":
    sys.exit(main())
