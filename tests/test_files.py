"""Files and folders that are whole or not there."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sumabm.files import (
    RunError,
    _mark,
    check_writable,
    checksum,
    sweep,
    whole_file,
    whole_folder,
    write_json,
    write_parquet,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as own:
        own.write_text("half")
        assert not path.exists()
        assert own.parent == path.parent
        own.write_text("whole")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.txt"]
    with whole_file(path) as own:
        own.write_text("another")
    assert path.read_text() == "another"


def test_a_file_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def half():
        with whole_file(path) as own:
            own.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_can_be_written_beside_its_folder(tmp_path):
    with whole_file(tmp_path / "deep" / "a.txt", beside=tmp_path) as own:
        assert own.parent == tmp_path
        own.write_text("whole")
        assert names(tmp_path / "deep") == []
    assert (tmp_path / "deep" / "a.txt").read_text() == "whole"
    assert names(tmp_path) == ["deep"]


def test_a_file_that_nobody_wrote_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_a_folder_is_there_when_it_is_whole(tmp_path):
    with whole_folder(tmp_path / "out" / "a") as own:
        (own / "deep").mkdir()
        (own / "deep" / "b.txt").write_text("whole")
        assert not (tmp_path / "out" / "a").exists()
    assert (tmp_path / "out" / "a" / "deep" / "b.txt").read_text() == "whole"
    assert names(tmp_path / "out") == ["a"]


def test_who_comes_second_is_told_and_leaves_nothing(tmp_path):
    def late():
        with whole_folder(tmp_path / "a") as own:
            (own / "b.txt").write_text("second")
            with whole_folder(tmp_path / "a") as other:
                (other / "b.txt").write_text("first")

    with pytest.raises(FileExistsError):
        late()
    assert (tmp_path / "a" / "b.txt").read_text() == "first"
    assert names(tmp_path) == ["a"]


def test_what_killed_processes_left_is_removed(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    mark = _mark()
    assert mark.startswith(f".writing-{socket.gethostname()}@")
    left, folder = tmp_path / f"{mark}{dead}-00-a.txt", tmp_path / f"{mark}{dead}-00-b"
    left.write_text("half")
    folder.mkdir()
    (folder / "c.txt").write_text("half")
    kept = [f"{mark}{os.getpid()}-00-a", f".writing-elsewhere@{dead}-00-a", f"{mark}x-00-a", "a"]
    for name in kept:
        (tmp_path / name).write_text("")
    sweep(tmp_path)
    assert names(tmp_path) == sorted(kept)
    sweep(tmp_path / "nowhere")


def test_where_nothing_can_be_written(tmp_path, monkeypatch):
    check_writable(tmp_path)
    check_writable(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "deep"):
        with pytest.raises(RunError, match=r"cannot be written: .*file is not a folder open to"):
            check_writable(out)
    with pytest.raises(RunError, match="cannot be written: "):
        check_writable(tmp_path / ("x" * 300))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(RunError, match="is not a folder open to you"):
        check_writable(tmp_path)


def test_parquet_comes_back_with_its_facts_and_a_checksum_a_page(tmp_path):
    columns = {
        "whole": np.arange(5),
        "real": np.array([0.0, -0.0, np.nan, np.inf, 5e-324]),
        "text": np.array(["a", "b", "a", "b", "ü"], dtype=object),
    }
    write_parquet(columns, tmp_path / "a.parquet", {"sumabm": "é"})
    table = pq.read_table(tmp_path / "a.parquet", page_checksum_verification=True)
    assert table.schema.metadata[b"sumabm"].decode() == "é"
    for name, values in columns.items():
        if values.dtype.kind == "O":
            assert table[name].to_pylist() == values.tolist()
        else:
            assert table[name].to_numpy().tobytes() == values.tobytes()
    write_parquet(columns, tmp_path / "b.parquet", {"sumabm": "é"})
    assert checksum(tmp_path / "a.parquet") == checksum(tmp_path / "b.parquet")
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    flipped = 0
    for position in range(4, 200):
        data[position] ^= 1
        (tmp_path / "c.parquet").write_bytes(data)
        data[position] ^= 1
        try:
            pq.read_table(tmp_path / "c.parquet", page_checksum_verification=True)
        except (OSError, pa.ArrowException):
            flipped += 1
    assert flipped > 100


def test_json(tmp_path):
    write_json({"a": [1, 0.1]}, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"a": [1, 0.1]}
    assert text.endswith("}\n")
    with pytest.raises(ValueError, match="Out of range"):
        write_json({"a": float("nan")}, tmp_path / "b.json")
