"""Files and folders that are whole or not there, and what is written in them.

Everything stored is first written under a name of its own and renamed when it is whole and on
disk: the final name means done, whoever is killed meanwhile.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RunError(RuntimeError):
    """What is stored cannot be read as a run or battery; or something cannot be stored, or run."""


DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError),
    *(OSError, TypeError, ValueError),
)
"""What reading a file can raise that is not what it claims to be."""


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write in that becomes ``path`` at the end, or vanishes.

    Raises FileExistsError at the end when ``path`` has come to be meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent / _own_name(path.name)
    folder.mkdir()
    try:
        yield folder
        for written in (*folder.rglob("*"), folder):
            _sync(written)
        try:
            folder.rename(path)
        except OSError as error:
            raise (FileExistsError if path.exists() else OSError)(str(error)) from error
        _sync(path.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def whole_file(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """Give a file to write that replaces ``path`` at the end, or vanishes.

    It is written in the folder ``beside`` (by default that of ``path``) of the same file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = (beside or path.parent) / _own_name(path.name)
    try:
        yield file
        _sync(file)
        file.rename(path)
        _sync(path.parent)
    finally:
        file.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove from a folder what processes of this machine left behind when they were killed."""
    for left in folder.glob(f"{_mark()}*"):
        pid = left.name.removeprefix(_mark()).partition("-")[0]
        if pid.isdecimal() and not _lives(int(pid)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def check_writable(folder: Path) -> Path:
    """Return ``folder``, or the nearest folder above it that there is.

    Raises RunError, before hours of work, when nothing can be stored there.
    """
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists())
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error}") from error
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise RunError(f"{folder}: cannot be written: {there} is not a folder open to you")
    return there


def write_parquet(
    columns: Mapping[str, NDArray[Any]], path: Path, facts: Mapping[str, str] = {}
) -> None:
    """Write columns as Parquet, each page with a checksum, and ``facts`` into its metadata.

    Bytes (dtype S) become text, all of it different. The same columns and facts give the same file
    with the same version of pyarrow.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: values.dtype.kind for name, values in columns.items()}
    table = pa.table(
        {n: pa.array(v).cast(pa.string()) if kinds[n] == "S" else v for n, v in columns.items()}
    )
    table = table.replace_schema_metadata(dict(facts)) if facts else table
    pq.write_table(table, path, **_how(kinds))


def write_pieces(pieces: Iterable[Mapping[str, NDArray[Any]]], path: Path) -> None:
    """Write columns of numbers that come in pieces as Parquet, a row group each.

    There is at least one piece, all have the same columns, and one at a time is in memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for piece in pieces:
            table = pa.table(dict(piece))
            if writer is None:
                kinds = {name: values.dtype.kind for name, values in piece.items()}
                writer = pq.ParquetWriter(path, table.schema, **_how(kinds))
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _how(kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return how Parquet is written, of columns whose kinds of dtype these are."""
    return {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": [name for name in kinds if kinds[name] not in "fS"],
        "column_encoding": {n: "BYTE_STREAM_SPLIT" for n in kinds if kinds[n] == "f"},
        "write_page_checksum": True,
    }


def write_json(table: Mapping[str, Any], path: Path) -> None:
    """Write a table as JSON that a person can read."""
    path.write_text(json.dumps(table, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own_name(name: str) -> str:
    """Return a name that no other process has; the token is there because pids come again."""
    return f"{_mark()}{os.getpid()}-{secrets.token_hex(4)}-{name}"


@functools.cache
def _mark() -> str:
    """Return how the unfinished work of processes whose pids we can see is named.

    No host name has an @; containers of one host name have pids, and so namespaces, of their own.
    """
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return f".writing-{socket.gethostname()}@{''.join(filter(str.isdigit, namespace))}-"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
