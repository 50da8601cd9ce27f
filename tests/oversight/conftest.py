"""Small societies: AIs X1, X2, …, a human Y, an aligner W, and the relations under test."""

import numpy as np
import pytest

from sumabm import Scenario, SUMModel


@pytest.fixture(scope="session")
def society():
    """Return what makes a scenario of n AIs, or of those by name; ``more`` is of other agents."""

    def make(ais=3, relations=None, d=6, steps=5, method="none", more=None, **changes):
        entries = {f"X{i}": {} for i in range(1, ais + 1)} if isinstance(ais, int) else ais
        others = {"Y": {"role": "human", "power": 0.5, "response": "undo"}}
        if method:
            others["W"] = {"role": "aligner", "method": method}
        for name, own in (more or {}).items():
            others[name] = {**others.get(name, {}), **own}
        scenario = Scenario.model_validate({
            "scenario": "society",
            "steps": steps,
            "world": {"kind": "gaussian", "dimensions": d},
            "agents": {
                **{name: {"role": "ai", "power": 0.5, **own} for name, own in entries.items()},
                **others,
            },
            "relations": relations or {},
        })  # fmt: skip
        return scenario.replace(changes)

    return make


@pytest.fixture(scope="session")
def aims():
    """Return what gives the aims ``(n, R, w)`` of a model's AIs."""
    return lambda model: np.stack([ai.subject.aim for ai in model.ais.values()])


@pytest.fixture(scope="session")
def stepped():
    """Return what makes a model of a scenario and takes so many steps."""

    def run(scenario, steps, replicates=3, seed=5):
        model = SUMModel(scenario, replicates, seed)
        for _ in range(steps):
            model.step()
        return model

    return run
