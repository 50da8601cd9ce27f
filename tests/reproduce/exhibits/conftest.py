"""Data for exhibits: drawn from theory, or of shipped batteries run small in this process."""

import numpy as np
import pytest
import xarray as xr

import sumabm
from sumabm import sphere, theory


@pytest.fixture(scope="session")
def simulated(tmp_path_factory, here):
    """Return what runs a shipped battery under overrides and opens it, steps too if kept."""
    out = tmp_path_factory.mktemp("runs")

    def run(name, **overrides):
        changes = {key.replace("__", "."): value for key, value in overrides.items()}
        path = sumabm.run_battery(name, engine=here, out=out, overrides=changes).path
        kept = sumabm.load_battery(name).keep.every is not None
        return sumabm.open_battery(path, trajectories=kept)

    return run


@pytest.fixture(scope="session")
def expected():
    """Return what gives, for every step of the essay's training, theory's mean of amplitude^2p."""

    def steps(d, ratio, p=1.0, cap=True):
        whole = float(sphere.nats(d, 0.9))
        human = whole / 256 if cap else whole / 256 / ratio
        iota = min(ratio, 1.0) * human if cap else ratio * human
        count = int(np.ceil(256 / min(1.0, ratio))) if cap else 256
        residual = np.full(count, float(theory.residual(ratio * human, human)))
        return theory.expected_harm(d, iota * np.arange(count), residual, p=p)

    return steps


@pytest.fixture(scope="session")
def drawn():
    """Return what builds a battery's data: points' parameters, and outcomes of the given means."""
    spread = np.linspace(0.8, 1.2, 25)

    def make(points, **means):
        coordinates = {name: ("point", [point[name] for point in points]) for name in points[0]}
        outcomes = {}
        for name, values in means.items():
            several = np.multiply.outer(np.asarray(values, dtype=float), spread)
            dims = ("point", "step", "replicate") if several.ndim == 3 else ("point", "replicate")
            outcomes[name] = (dims, several)
        return xr.Dataset(outcomes, coordinates)

    return make
