"""Datasets as runs and batteries have them, made by hand."""

import json

import numpy as np
import pytest
import xarray as xr

ROLES = {"X": "ai", "Y": "human"}


def labelled(values, agents, dims):
    """Return variables and coordinates of arrays by name; of ``alignment`` by agent."""
    some = next(iter(values.values()))
    dims = dims[: some.ndim]
    data = {name: (dims, array, {"units": "nats"}) for name, array in values.items()}
    coords = {name: np.arange(n) for name, n in zip(dims, some.shape, strict=True)}
    if agents:
        coords["agent"] = list(agents)
        coords["role"] = ("agent", [ROLES[name] for name in agents])
        data["alignment"] = ((*dims, "agent"), np.stack(list(agents.values()), axis=-1))
    return data, coords


@pytest.fixture(scope="session")
def run_data():
    def make(values, agents=None, seed="7", first=0):
        """Return a run's Dataset of arrays ``(replicate, step)``."""
        data, coords = labelled(values, agents, ("replicate", "step"))
        coords["replicate"] = coords["replicate"] + first
        return xr.Dataset(data, coords, {"seed": seed, "identity": "0", "scenario": "{}"})

    return make


@pytest.fixture(scope="session")
def battery_data():
    def make(
        values, parameters=None, levers=(), agents=None, design=None, unit=None, paired=True, **more
    ):
        """Return a battery's Dataset of arrays ``(point, replicate[, step])``."""
        data, coords = labelled(values, agents, ("point", "replicate", "step"))
        points = len(coords["point"])
        for name, column in (parameters or {}).items():
            role = {"role": "lever" if name in levers else "uncertainty"}
            coords[name] = ("point", column, role)
        coords["complete"] = ("point", more.get("complete", np.ones(points, dtype=bool)))
        coords["seed"] = ("point", np.array(more.get("seeds", ["7"] * points)))
        if unit is not None:
            data["unit"] = (("point", "coordinate"), np.column_stack(list(unit.values())))
            coords["coordinate"] = list(unit)
        table = {"design": design or {"kind": "grid"}, "paired": paired}
        return xr.Dataset(data, coords, {"battery": json.dumps(table), "seed": "7"})

    return make
