"""Data files that a scenario names: found beside it, bounded, read as numbers or as a graph."""

from __future__ import annotations

import csv
import hashlib
import io
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, PlainSerializer, SerializationInfo, ValidationInfo
from pydantic_core import PydanticCustomError

from sumabm.types import Array

if TYPE_CHECKING:
    import networkx as nx

MAX_BYTES = 4_000_000_000
MAX_GRAPH = 10_000_000
SUFFIXES = (".csv", ".parquet", ".npy")
GRAPHS = (".graphml", ".csv", ".edges")


def _finder(of: str, suffixes: tuple[str, ...], most: int) -> Callable[[str, ValidationInfo], str]:
    """Return what finds a file of up to ``most`` bytes, named relative to the scenario's folder.

    It gives the absolute path, which may not lie outside the folders (or be none of the
    files) given as the ``fence``. What was
    stored is taken as it is: its file may be gone, and what was made of it is still there.
    """

    def found(name: str, info: ValidationInfo) -> str:
        if (info.context or {}).get("stored"):
            return name
        folder = Path((info.context or {}).get("folder") or ".")
        fence = (info.context or {}).get("fence")
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError) as error:
            rule = f"is no name of a file: {error}"
            raise PydanticCustomError("data_file", "{rule}", {"rule": rule}) from None
        if fence is not None and not any(path.is_relative_to(part.resolve()) for part in fence):
            rule = "should be a file in the scenario's own folder, or one that it names"
            raise PydanticCustomError("data_file", "{rule}", {"rule": rule})
        if path.suffix not in suffixes:
            rule = f"should be a file of {of}: {', '.join(suffixes)}"
            raise PydanticCustomError("data_file", "{rule}", {"rule": rule})
        try:
            size = path.stat().st_size if path.is_file() else -1
        except (OSError, ValueError):
            size = -1
        if size < 0 or size > most:
            rule = "there is no such file" if size < 0 else f"is larger than {most} bytes"
            rule += f" ({path})" * (fence is None)  # a stranger need not know where things lie
            raise PydanticCustomError("data_file", "{rule}", {"rule": rule})
        return str(path)

    return found


def _by_content(path: str, info: SerializationInfo) -> str:
    """Return the path; for an identity, the SHA-256 of what the file holds."""
    if not (info.context or {}).get("identity"):
        return path
    with Path(path).open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


_numbers = AfterValidator(_finder("numbers", SUFFIXES, MAX_BYTES))
_graph = AfterValidator(_finder("a graph", GRAPHS, MAX_GRAPH))

DataFile = Annotated[str, _numbers, PlainSerializer(_by_content)]
"""A file named relative to the scenario; kept as an absolute path, identified by its contents."""

GraphFile = Annotated[str, _graph, PlainSerializer(_by_content)]
"""A `DataFile` that holds a graph: see `read_graph`."""


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


def read_series(path: str, column: str | None) -> Array:
    """Return the array of a NumPy file, or a column ``(rows,)`` of a CSV or Parquet table.

    Raises ValueError naming the file as `read_columns` and `read_array` do, or for want of a
    column's name.
    """
    if path.endswith(".npy"):
        return read_array(path)
    if column is None:
        raise ValueError("name the column of the file")
    return read_columns(path, [column])[:, 0]


def _table(path: str) -> Any:
    from pyarrow import csv, parquet

    return parquet.read_table(path) if path.endswith(".parquet") else csv.read_csv(path)


def read_array(path: str) -> Array:
    """Return a NumPy array of numbers; raises ValueError for a file that holds anything else."""
    try:
        array = np.load(path, allow_pickle=False)
    except (*_UNREADABLE, ArithmeticError, EOFError, MemoryError, tokenize.TokenError) as error:
        raise ValueError(f"{path}: cannot be read as an array: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise ValueError(f"{path}: does not hold an array of numbers")
    return array.astype(np.float64)


_UNREADABLE = (OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError)


def read_graph(path: str) -> nx.DiGraph[str]:
    """Return the graph of a GraphML file or an edge list, its nodes' names as text.

    Edges have a ``weight``; nodes may have the number ``noise`` (GraphML only). An edge list has a
    line per edge, source, target and weight, all directed: parted by commas in ``.csv`` (a first
    line ``source,target,weight`` is a header), by blanks in ``.edges``. Raises ValueError naming
    the file for anything else; nothing in it is ever run, and XML entities are refused.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return _graphml(text) if path.endswith(".graphml") else _edge_list(text, path)
    except (*_UNREADABLE, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as a graph: {error}") from None


def _graphml(text: str) -> nx.DiGraph[str]:
    import networkx as nx  # here, because most scenarios name no graph

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("XML with a document type is not read")
    try:
        return nx.read_graphml(io.BytesIO(text.encode()))
    except nx.NetworkXException as error:
        raise ValueError(str(error)) from None


def _edge_list(text: str, path: str) -> nx.DiGraph[str]:
    import networkx as nx

    lines = [line for line in text.splitlines() if line.strip()]
    rows = list(csv.reader(lines)) if path.endswith(".csv") else [line.split() for line in lines]
    graph = nx.DiGraph()
    for number, row in enumerate(rows, 1):
        parts = [part.strip() for part in row]
        if number == 1 and parts == ["source", "target", "weight"]:
            continue
        if len(parts) != 3 or not parts[0] or not parts[1]:
            raise ValueError(f"edge {number} should be source, target, weight, got {row}")
        if graph.has_edge(parts[0], parts[1]):
            raise ValueError(f"the edge from {parts[0]} to {parts[1]} is there twice")
        graph.add_edge(parts[0], parts[1], weight=float(parts[2]))
    return graph
