"""A thousand agents in a thousand dimensions, ten replicates, on one core: steps per second.

AIs, aligners that spend a budget on the AIs near them in a small-world graph, and ten humans who
undo. Every step has all its variables recorded, harm by AI among them.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import statistics
import sys
import time

from sumabm import SUMModel
from sumabm.scenario import Scenario

LEAST, STEPS, AGENTS = 10.0, 40, 1000


def scenario(ais: int, humans: int = 10) -> Scenario:
    """Return a society of so many AIs, and aligners for the rest of the thousand."""
    graph = {"kind": "watts-strogatz", "neighbours": 4, "rewired": 0.1}
    return Scenario.model_validate(
        {
            "scenario": "many-agents",
            "steps": STEPS + 1,
            "world": {"kind": "gaussian", "dimensions": 1000},
            "agents": {
                "X": {"role": "ai", "count": ais, "power": 2.0 / ais},
                "Y": {"role": "human", "count": humans, "power": 1.0 / humans},
                "W": {"role": "aligner", "count": AGENTS - ais - humans, "method": "budget"},
            },
            "relations": {"watch": {"kind": "oversight", "graph": graph}},
        }
    )


def speed(ais: int) -> float:
    """Return steps per second, the median of many."""
    model = SUMModel(scenario(ais), 10, 1)
    assert len(model.spec.population) == AGENTS
    model.step()
    taken = []
    for _ in range(STEPS):
        began = time.perf_counter()
        model.step()
        taken.append(time.perf_counter() - began)
    return 1.0 / statistics.median(taken)


def main() -> int:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    slow = False
    for ais in (495, 900):
        found = speed(ais)
        judged = ais == 495
        limit = f", at least {LEAST:g}" if judged else ""
        print(f"{ais} AIs, {AGENTS - ais - 10} aligners: {found:.1f} steps per second{limit}")
        slow |= judged and found < LEAST
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
