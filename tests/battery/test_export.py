"""Other programs read an export, and the store itself, and find the same numbers."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import xarray as xr

from sumabm import open_battery
from sumabm.battery.export import export
from sumabm.battery.store import Store
from sumabm.files import RunError

POWER, METHOD = "agents.X.power", "agents.W.method"


@pytest.fixture(scope="module")
def kept(tiny, stored, tmp_path_factory):
    """Trajectories of all points but the last chunk; some replicates stop early."""
    b = tiny({"stop": {"alignment": 0.5}}, keep={"steps": 3})
    return stored(b, tmp_path_factory.mktemp("kept"), slice(11))


@pytest.fixture(scope="module")
def exported(kept, tmp_path_factory):
    """The paths of an export in each format."""
    folder = tmp_path_factory.mktemp("exported")
    paths = {suffix: folder / f"data{suffix}" for suffix in (".parquet", ".csv", ".nc")}
    for path in paths.values():
        export(kept, path)
    assert {path.name for path in folder.iterdir()} == {path.name for path in paths.values()}
    return paths


def rows(kept):
    """Return the rows that a table of the battery should have, from its chunks one by one."""
    parts, table = [], kept.table("points")
    for chunk in kept.chunks():
        if chunk.identity in kept.done():
            part = pq.read_table(kept.file(chunk.identity)).to_pandas()
            for name in (METHOD, POWER, "point"):
                part.insert(0, name, table[name][chunk.point])
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def agree(found, wanted):
    """Compare two tables of pandas, whatever they call their types of text."""
    assert list(found.columns) == list(wanted.columns)
    assert len(found) == len(wanted)
    for name in wanted:
        if wanted[name].dtype.kind in "fi":
            np.testing.assert_array_equal(found[name].to_numpy(float), wanted[name].to_numpy(float))
        else:
            assert found[name].tolist() == wanted[name].tolist()


def test_pandas(kept, exported):
    agree(pd.read_parquet(exported[".parquet"]), rows(kept))
    agree(pd.read_csv(exported[".csv"], engine="pyarrow"), rows(kept))


def test_polars(kept, exported):
    for frame in (pl.read_parquet(exported[".parquet"]), pl.read_csv(exported[".csv"])):
        agree(pd.DataFrame(frame.to_dict(as_series=False)), rows(kept))


def test_duckdb(kept, exported):
    for file in (exported[".parquet"], exported[".csv"]):
        found = duckdb.sql(f"SELECT * FROM '{file}'").fetchnumpy()
        agree(pd.DataFrame({name: np.ma.getdata(c) for name, c in found.items()}), rows(kept))


def test_xarray(kept, exported):
    with xr.open_dataset(exported[".nc"], engine="h5netcdf") as opened:
        ends = opened.load()
    xr.testing.assert_equal(ends, open_battery(kept))
    with xr.open_dataset(exported[".nc"], engine="h5netcdf", group="trajectories") as opened:
        found, wanted = opened.load(), open_battery(kept, trajectories=True)
    xr.testing.assert_equal(found, wanted)
    assert list(found.data_vars) == list(wanted.data_vars)
    assert found.attrs == wanted.attrs
    for name in wanted.variables:
        assert found[name].attrs == wanted[name].attrs
        if wanted[name].dtype.kind in "fib":
            assert found[name].dtype == wanted[name].dtype
            assert found[name].values.tobytes() == wanted[name].values.tobytes()


def test_a_table_is_the_labelled_arrays(kept, exported):
    data = open_battery(kept, trajectories=True)
    table = pd.read_parquet(exported[".parquet"])
    on_steps = table[table["step"] % 3 == 0]
    assert len(on_steps) == int(data.harm.notnull().sum())
    for row in on_steps.to_dict("records"):
        at = data.sel(point=row["point"], replicate=row["replicate"], step=row["step"])
        assert at.harm == row["harm"]
        assert at.alignment.sel(agent="X") == row["alignment.X"]
        assert (float(at[POWER]), at[METHOD].item()) == (row[POWER], row[METHOD])


def test_ends(tiny, stored, tmp_path):
    store = stored(tiny(), tmp_path)
    export(store, tmp_path / "ends.nc")
    with xr.open_dataset(tmp_path / "ends.nc", engine="h5netcdf") as opened:
        xr.testing.assert_equal(opened.load(), open_battery(store))
    export(store, tmp_path / "ends.parquet")
    assert len(pd.read_parquet(tmp_path / "ends.parquet")) == 20


SQL = """
    SELECT p."agents.X.power" AS power, avg(d.harm) AS harm, count(*) AS n
    FROM read_parquet('{runs}/chunks/*/*.parquet', filename = true, union_by_name = true) d
    JOIN '{battery}/chunks.parquet' c ON parse_filename(d.filename, true) = c.identity
    JOIN '{battery}/points.parquet' p USING (point)
    WHERE p."agents.W.method" = 'budget'
    GROUP BY power ORDER BY power
"""


@pytest.fixture(scope="module")
def neighbours(tiny, stored, tmp_path_factory):
    """A battery in a pool with one that shares chunks and one that keeps other columns."""
    out = tmp_path_factory.mktemp("neighbours")
    stored(tiny(battery="other", keep={"outcomes": ["harm", "lost"]}), out)
    stored(tiny(battery="more", replicates=8), out)
    return stored(tiny(), out)


def means(store):
    data = open_battery(store)
    chosen = data.harm.mean("replicate").where(data[METHOD] == "budget", drop=True)
    return chosen[POWER].values, chosen.values


def test_duckdb_reads_the_store(neighbours):
    sql = SQL.format(runs=neighbours.path.parent, battery=neighbours.path)
    power, harm, n = zip(*duckdb.sql(sql).fetchall(), strict=True)
    expected = means(neighbours)
    assert list(power) == expected[0].tolist()
    np.testing.assert_allclose(harm, expected[1], rtol=1e-14)
    assert n == (5, 5)


def test_polars_reads_the_store(neighbours):
    plan = pl.scan_parquet(neighbours.path / "chunks.parquet")
    points = pl.scan_parquet(neighbours.path / "points.parquet")
    pool = neighbours.path.parent / "chunks"
    names = plan.select("identity").unique().collect()["identity"]
    files = [pool / name[:2] / f"{name}.parquet" for name in names]
    data = pl.scan_parquet(files, include_file_paths="file")
    found = (
        data.with_columns(identity=pl.col("file").str.extract(r"(\w+)\.parquet$"))
        .join(plan, on="identity")
        .join(points, on="point")
        .filter(pl.col(METHOD) == "budget")
        .group_by(POWER)
        .agg(pl.col("harm").mean())
        .sort(POWER)
        .collect()
    )
    expected = means(neighbours)
    assert found[POWER].to_list() == expected[0].tolist()
    np.testing.assert_allclose(found["harm"].to_numpy(), expected[1], rtol=1e-14)


def test_chunks_that_record_other_things_have_gaps(tiny, stored, tmp_path):
    discrete = {"kind": "states", "probabilities": [0.2, 0.3, 0.5], "utilities": "free"}
    gaussian = {"kind": "gaussian", "dimensions": 3}
    b = tiny(levers={}, uncertainties={"world": [gaussian, discrete]})
    store = stored(b, tmp_path)
    export(store, tmp_path / "data.parquet")
    table = pd.read_parquet(tmp_path / "data.parquet")
    assert table.groupby("world")["lost"].count().to_dict() == {"gaussian": 0, "states": 5}
    data = open_battery(store)
    assert data.lost.notnull().sum("replicate").values.tolist() == [0, 5]


def test_progress_and_nothing_done(tiny, kept, tmp_path):
    told = []
    export(kept, tmp_path / "a.csv", lambda done, total: told.append((done, total)))
    assert told == [(k, 11) for k in range(1, 12)]
    store = Store.create(tiny(), tmp_path, {})
    for suffix in (".parquet", ".csv", ".nc"):
        export(store, tmp_path / f"empty{suffix}")
    assert len(pd.read_parquet(tmp_path / "empty.parquet")) == 0


def test_other_suffixes_are_refused(kept, tmp_path):
    with pytest.raises(ValueError, match=r"should end in one of \.parquet, \.csv, \.nc"):
        export(kept, tmp_path / "data.xlsx")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".nc"])
def test_what_cannot_be_written_leaves_nothing(kept, tmp_path, monkeypatch, suffix):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match=r"cannot be written: .*No space left"):
        export(kept, tmp_path / f"data{suffix}")
    assert list(tmp_path.iterdir()) == []
