"""Data files that a scenario names: found beside it, bounded, read as numbers and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, PlainSerializer, SerializationInfo, ValidationInfo
from pydantic_core import PydanticCustomError

from sumabm.types import Array

MAX_BYTES = 4_000_000_000
SUFFIXES = (".csv", ".parquet", ".npy")


def _found(name: str, info: ValidationInfo) -> str:
    """Return the absolute path of a file named relative to the scenario's folder.

    What was stored is taken as it is: its file may be gone, and what was made of it is still there.
    """
    if (info.context or {}).get("stored"):
        return name
    folder = Path((info.context or {}).get("folder") or ".")
    path = (folder / name).resolve()
    if path.suffix not in SUFFIXES:
        rule = f"should be a file of numbers: {', '.join(SUFFIXES)}"
        raise PydanticCustomError("data_file", "{rule}", {"rule": rule})
    try:
        size = path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError):
        size = -1
    if size < 0 or size > MAX_BYTES:
        rule = "there is no such file" if size < 0 else f"is larger than {MAX_BYTES} bytes"
        raise PydanticCustomError("data_file", "{rule}", {"rule": f"{rule} ({path})"})
    return str(path)


def _by_content(path: str, info: SerializationInfo) -> str:
    """Return the path; for an identity, the SHA-256 of what the file holds."""
    if not (info.context or {}).get("identity"):
        return path
    with Path(path).open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


DataFile = Annotated[str, AfterValidator(_found), PlainSerializer(_by_content)]
"""A file named relative to the scenario; kept as an absolute path, identified by its contents."""


def read_columns(path: str, columns: list[str]) -> Array:
    """Return columns of a CSV or Parquet table as ``(rows, columns)`` floats.

    Raises ValueError naming the file when a column is missing, not numeric or has gaps.
    """
    import pyarrow as pa  # here, because most scenarios name no table

    try:
        table = _table(path)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{path}: cannot be read as a table: {error}") from None
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise ValueError(f"{path}: has no column {missing[0]!r}; it has {table.column_names}")
    parts = []
    for name in columns:
        try:
            values = table[name].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False)
        except (pa.ArrowException, TypeError) as error:
            raise ValueError(f"{path}: column {name!r} is not numbers: {error}") from None
        parts.append(np.asarray(values, dtype=np.float64))
        if not np.all(np.isfinite(parts[-1])):
            raise ValueError(f"{path}: column {name!r} has gaps, or numbers that are not finite")
    return np.stack(parts, axis=-1)


def _table(path: str) -> Any:
    from pyarrow import csv, parquet

    return parquet.read_table(path) if path.endswith(".parquet") else csv.read_csv(path)


def read_array(path: str) -> Array:
    """Return a NumPy array of numbers; raises ValueError for a file that holds anything else."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read as an array: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise ValueError(f"{path}: does not hold an array of numbers")
    return array.astype(np.float64)
