"""Powers from a table: the rows it has, the files it reads, the tables it refuses."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sumabm
from sumabm.power.table import TablePower
from sumabm.toml import ScenarioError

ROWS = [0.5, 4.0, 0.0, 1.0]


def spec(steps=4, folder=None, **table):
    base = sumabm.load_scenario("essay", {"steps": steps, "world.dimensions": 5})
    return base.replace({"agents.X.power": {"kind": "table", **table}}, *([folder] * bool(folder)))


@pytest.fixture
def files(tmp_path):
    """The same powers in every format, beside the scenario."""
    lines = ["year,nats", *(f"{2000 + i},{nats}" for i, nats in enumerate(ROWS))]
    (tmp_path / "p.csv").write_text("\n".join(lines), encoding="utf-8")
    pq.write_table(pa.table({"nats": ROWS}), tmp_path / "p.parquet")
    np.save(tmp_path / "p.npy", np.array(ROWS))
    return tmp_path


def power_of(scenario):
    return sumabm.simulate(scenario, 2)["power"].sel(agent="X").values


def test_each_step_has_its_row():
    run = sumabm.simulate(spec(values=ROWS), 2)
    for name in ("power", "spent"):
        np.testing.assert_array_equal(run[name].sel(agent="X").values, [ROWS, ROWS])
    np.testing.assert_array_equal(power_of(spec(2, values=ROWS)), [ROWS[:2]] * 2)


def test_the_last_row_is_held_where_that_is_said():
    assert power_of(spec(6, values=ROWS, beyond="hold"))[0].tolist() == [*ROWS, 1.0, 1.0]
    with pytest.raises(ScenarioError, match="too few rows for 5 steps; beyond = 'hold'"):
        spec(5, values=ROWS)


@pytest.mark.parametrize("name", ["p.csv", "p.parquet", "p.npy"])
def test_files_hold_powers_too(files, name):
    column = {} if name == "p.npy" else {"column": "nats"}
    scenario = spec(folder=files, file=name, **column)
    np.testing.assert_array_equal(power_of(scenario), [ROWS, ROWS])
    assert scenario.agents["X"].power.most(4) == 4.0


def test_a_file_is_known_by_what_it_holds(files):
    one = spec(folder=files, file="p.csv", column="nats").identity()
    (files / "q.csv").write_bytes((files / "p.csv").read_bytes())
    assert spec(folder=files, file="q.csv", column="nats").identity() == one
    (files / "q.csv").write_text("nats\n1\n2\n3\n4\n", encoding="utf-8")
    assert spec(folder=files, file="q.csv", column="nats").identity() != one


def test_most_is_of_the_rows_in_use():
    power = TablePower(values=ROWS, beyond="hold")
    assert [power.most(n) for n in (1, 2, 9)] == [0.5, 4.0, 4.0]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "needs either values or a file"),
        ({"values": ROWS, "file": "p.npy"}, "needs either values or a file"),
        ({"values": []}, "should be one power per step"),
        ({"values": [1.0, 1.0, -0.5, 1.0]}, "row 2 is not"),
        ({"values": [1.0, 2e100, 1.0, 1.0]}, "from 0 to 1e\\+100 nats; row 1 is not"),
        ({"values": [1.0, float("nan"), 1.0, 1.0]}, "finite"),
        ({"values": ROWS, "beyond": "repeat"}, "'refuse' or 'hold'"),
        ({"file": "none.csv", "column": "nats"}, "there is no such file"),
        ({"file": "p.csv"}, "name the column"),
        ({"file": "p.csv", "column": "watts"}, "has no column 'watts'"),
        ({"file": "square.npy"}, r"should be one power per step"),
    ],
)
def test_tables_that_are_none_are_refused(files, table, words):
    np.save(files / "square.npy", np.ones((4, 4)))
    with pytest.raises(ScenarioError, match=words) as caught:
        spec(folder=files, **table)
    assert "agents.X.power" in str(caught.value)
    tv = {"agents.X.behaviour": {"kind": "honest", "measure": "tv"}, "agents.W.method": "none"}
    broken = tv | {"agents.X.power": {"kind": "table", **table}}
    with pytest.raises(ScenarioError, match=words):  # nor does a measure stumble over it
        sumabm.load_scenario("essay", {"steps": 4}).replace(broken, files)
