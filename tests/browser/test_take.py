"""What is taken from a page is what is on screen."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from sumabm.browser import take
from sumabm.browser.live import Live
from sumabm.recorder import simulate
from sumabm.scenario import library, load_scenario, read_scenario

SCENARIOS = sorted(path.stem for path in library().glob("*.toml"))


@pytest.fixture(scope="module")
def live():
    live = Live(load_scenario("essay"), 3)
    live.forward(12, 60)
    return live


def test_tables_hold_the_run(live):
    run = simulate("essay", 3, steps=12)
    for table in (
        pd.read_csv(io.BytesIO(take.csv(live.data()))),
        pd.read_parquet(io.BytesIO(take.parquet(live.data()))),
    ):
        assert len(table) == 36
        np.testing.assert_allclose(table["harm"], run["harm"].values.ravel(), rtol=1e-15)
        alignment = run["alignment"].sel(agent="X").values.ravel()
        np.testing.assert_allclose(table["alignment.X"], alignment, rtol=1e-15)
        assert "alignment.Y" not in table


def test_figures_are_those_of_a_run(live):
    with zipfile.ZipFile(io.BytesIO(take.figures(live.data(), live.spec))) as archive:
        names = archive.namelist()
        assert {"harm.svg", "harm.png", "alignment.svg", "plane.svg"} <= set(names)
        assert archive.read("harm.svg").startswith(b"<?xml")
        assert archive.read("harm.png").startswith(b"\x89PNG")


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_scenario_comes_back_the_same(name):
    spec = load_scenario(name, {"steps": 7})
    assert read_scenario(take.toml(spec), "test", library()) == spec
