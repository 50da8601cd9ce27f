"""Tiny batteries."""

import pytest

from sumabm import load_scenario
from sumabm.battery.spec import Battery
from sumabm.battery.store import Store
from sumabm.battery.work import work


@pytest.fixture(scope="session")
def tiny():
    """Return what makes a battery of 4 points, 5 replicates each, in chunks of 2."""
    scenario = load_scenario("essay", {"world.dimensions": 3, "steps": 4})

    def make(changes=(), **fields):
        table = {
            "battery": "tiny",
            "scenario": scenario.replace(dict(changes)),
            "replicates": 5,
            "uncertainties": {"agents.X.power": {"kind": "continuous", "low": 2.0, "high": 4.0}},
            "levers": {"agents.W.method": ["budget", "bayesian"]},
            "design": {"kind": "grid", "levels": 2},
            "chunk": {"replicates": 2},
        }
        return Battery.model_validate(table | fields)

    return make


@pytest.fixture(scope="session")
def stored():
    """Return what plans a battery under a folder, and computes those chunks that are named."""

    def make(battery, out, which=slice(None)):
        store = Store.create(battery, out, {"from": "a test"})
        store.ready()
        for chunk in list(store.chunks())[which]:
            work(str(store.path), 60.0, chunk)
        return store

    return make
