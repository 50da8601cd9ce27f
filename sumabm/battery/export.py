"""A battery's results as one file for other programs: Parquet, CSV or NetCDF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from sumabm.battery.plan import Progress
from sumabm.battery.results import open_battery, read_chunk
from sumabm.battery.store import Store
from sumabm.files import RunError, whole_file

FORMATS = (".parquet", ".csv", ".nc")


def export(store: Store, file: Path, progress: Progress | None = None) -> None:
    """Write what is done of a battery to ``file``, in the format that its suffix says.

    ``.parquet`` and ``.csv``: a row per replicate and kept step, with ``point``, the parameters,
    ``replicate``, ``step`` and the outcomes as columns, a chunk at a time. ``.nc``: the Dataset of
    `results.open_battery` and, where they were kept, that of trajectories as a group. The file is
    whole or not there. Raises RunError when it cannot be written, ValueError for another suffix.
    """
    if file.suffix not in FORMATS:
        raise ValueError(f"{file}: should end in one of {', '.join(FORMATS)}")
    try:
        with whole_file(file) as own:
            if file.suffix == ".nc":
                open_battery(store).to_netcdf(own, engine="h5netcdf")
                if store.battery.keep.every is not None:
                    steps = open_battery(store, trajectories=True)
                    steps.to_netcdf(own, mode="a", group="trajectories", engine="h5netcdf")
            else:
                _write_rows(store, own, file.suffix, progress)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{file}: cannot be written: {error}") from error


def _write_rows(store: Store, file: Path, suffix: str, progress: Progress | None) -> None:
    done, plan = store.done(), store.table("chunks")
    here = [i for i, identity in enumerate(plan["identity"]) if identity in done]
    schema = _schema(store, {str(plan["identity"][i]) for i in here})
    with _writer(file, suffix, schema) as writer:
        for number, table in enumerate(_tables(store, plan, here, schema)):
            writer.write_table(table)
            if progress is not None:
                progress(number + 1, len(here))


def _writer(file: Path, suffix: str, schema: pa.Schema) -> Any:
    if suffix == ".csv":
        return csv.CSVWriter(file, schema)
    return pq.ParquetWriter(file, schema, compression="zstd", compression_level=3)


def _schema(store: Store, identities: set[str]) -> pa.Schema:
    """Return the columns of all chunks together: components that differ record other things."""
    points = pa.table(store.table("points")).schema
    index = pa.schema([("replicate", pa.int64()), ("step", pa.int64())])
    schemas = {pq.read_schema(store.file(identity)).remove_metadata() for identity in identities}
    return pa.unify_schemas([points, index, *sorted(schemas, key=str)])


def _tables(
    store: Store, plan: dict[str, Any], rows: list[int], schema: pa.Schema
) -> Iterator[pa.Table]:
    points = pa.table(store.table("points"))
    for i in rows:
        columns = read_chunk(store, str(plan["identity"][i]))
        size = len(columns["replicate"])
        at = points.take(np.full(size, plan["point"][i]))
        known = {**{name: at[name] for name in at.column_names}, **columns}
        parts = [known.get(field.name, pa.nulls(size, field.type)) for field in schema]
        yield pa.table(parts, schema=schema)
