"""Small batteries, computed here and now."""

import pytest

from sumabm.battery.spec import Battery
from sumabm.battery.store import Store
from sumabm.battery.work import work
from sumabm.scenario import load_scenario

SCENARIO = load_scenario("essay", {"steps": 5, "world.dimensions": 4}).model_dump()
GIVEN = {"battery": "my battery.toml", "set": ["replicates=4"]}


@pytest.fixture(scope="session")
def stored(tmp_path_factory):
    def make(run=lambda chunk: True, given=GIVEN, **table):
        """Return a battery's store with those chunks done that ``run`` picks."""
        table = {"replicates": 4, "chunk": {"replicates": 2}, "battery": "small", **table}
        battery = Battery.model_validate({"scenario": SCENARIO, **table})
        store = Store.create(battery, tmp_path_factory.mktemp("runs"), given)
        store.ready()
        for chunk in store.chunks():
            if run(chunk):
                work(str(store.path), 60.0, chunk)
        return store

    return make


POWERS = {"kind": "continuous", "low": 0.5, "high": 4.0, "levels": 3}
GRID = {
    "uncertainties": {"agents.X.power": POWERS, "world.dimensions": [3, 6]},
    "levers": {"agents.W.method": ["none", "budget"]},
    "keep": {"steps": 2},
}


@pytest.fixture(scope="session")
def grid(stored):
    return stored(**GRID)


@pytest.fixture(scope="session")
def partial(stored):
    """A battery of which point 1 has failed and point 2 is half done."""
    hostile = "<script>alert('x')</script>"
    store = stored(
        lambda chunk: chunk.point != 1 and (chunk.point, chunk.first) != (2, 2),
        description=f"{hostile} & $x_1$",
        tags=[hostile],
        **GRID,
    )
    for chunk in store.chunks():
        if chunk.point == 1:
            error = {"error": f"ValueError: {hostile}\nand more", "traceback": f"{hostile}\ud800"}
            store.note_failure(chunk, {**error, "crashes": 0, "when": "2020-01-01T00:00:00"})
    return store
