"""Checking a store: no byte of a chunk changes unseen, and a sample is computed again."""

import json
import random
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sumabm.battery import verify as verifying
from sumabm.battery.store import FACTS, Store
from sumabm.battery.verify import TOLERANCE, read_whole, verify
from sumabm.battery.work import digest
from sumabm.files import RunError, write_parquet


@pytest.fixture(scope="module")
def sound(tiny, stored, tmp_path_factory):
    battery = tiny(keep={"outcomes": ["harm", "alignment"]})
    return stored(battery, tmp_path_factory.mktemp("sound"))


@pytest.fixture
def kept(sound, tmp_path):
    """A copy of a stored battery, to be tampered with."""
    shutil.copytree(sound.path.parent, tmp_path, dirs_exist_ok=True)
    return Store.open(tmp_path / sound.path.name)


def first_file(store):
    return store.file(next(store.chunks()).identity)


def forge(file, change, **facts):
    """Change a chunk's columns, and sign them as if they had been stored so."""
    told, columns = read_whole(file)
    told = {**told, **facts}
    del told["digest"]
    columns = {name: values.copy() for name, values in columns.items()}
    change(columns)
    told["digest"] = digest(told, columns)
    write_parquet(columns, file, {FACTS: json.dumps(told)})


def test_all_is_well(kept):
    told = []
    found = verify(kept, 3, progress=lambda done, total: told.append((done, total)))
    assert found == (12, 0, 3, "the same, bit for bit", [])
    assert told == [(k, 12) for k in range(1, 13)]
    assert verify(kept, 99).recomputed == 12
    assert verify(kept, 0)[:3] == (12, 0, 0)


def test_what_is_not_done_is_no_problem(kept):
    first_file(kept).unlink()
    assert verify(kept, 99)[:3] == (11, 1, 11)


def test_the_sample_is_drawn(kept, monkeypatch):
    drawn = []
    difference = verifying._difference

    def noted(store, chunk):
        drawn[-1].append(chunk.identity)
        return difference(store, chunk)

    monkeypatch.setattr(verifying, "_difference", noted)
    for seed in (1, 1, 2):
        drawn.append([])
        verify(kept, 3, seed)
    assert drawn[0] == drawn[1] != drawn[2]


def test_no_byte_changes_unseen(kept):
    file = first_file(kept)
    sound, told = file.read_bytes(), read_whole(file)
    chunk = next(kept.chunks())
    rng = random.Random(5)
    seen = 0
    for position in rng.sample(range(len(sound)), 500):
        data = bytearray(sound)
        data[position] ^= 1 << rng.randrange(8)
        file.write_bytes(data)
        if verifying._damage(file, chunk) is not None:
            seen += 1
            continue
        facts, columns = read_whole(file)
        assert facts == told[0]
        assert columns.keys() == told[1].keys()
        assert all(columns[name].tobytes() == told[1][name].tobytes() for name in columns)
    assert seen > 150


@pytest.mark.parametrize("size", [0, 4, 100, -1, -8])
def test_a_file_that_is_cut_short_is_seen(kept, size):
    file = first_file(kept)
    file.write_bytes(file.read_bytes()[:size])
    found = verify(kept)
    assert found.checked == 11
    [problem] = found.problems
    assert problem.startswith(f"{file}: cannot be read: ")
    assert "\n" not in problem


def test_a_file_of_another_name_is_seen(kept):
    first, second = list(kept.chunks())[:2]
    shutil.copy(kept.file(second.identity), kept.file(first.identity))
    assert verify(kept).problems == [
        f"{kept.file(first.identity)}: holds another chunk, {second.identity}"
    ]


def test_other_data_is_seen(kept):
    file = first_file(kept)
    table = pq.read_table(file)
    harm = table["harm"].to_numpy() * (1.0 + 2e-16)
    pq.write_table(table.set_column(table.column_names.index("harm"), "harm", pa.array(harm)), file)
    assert verify(kept).problems == [f"{file}: its data is not what was stored"]


def test_a_file_without_facts_is_seen(kept):
    pq.write_table(pa.table({"harm": [1.0]}), first_file(kept))
    [problem] = verify(kept).problems
    assert "cannot be read" in problem


def double(columns):
    columns["harm"] *= 2.0


def scratch(columns):
    columns["harm"][0] = np.nextafter(columns["harm"][0], 9.0)


def gap(columns):
    columns["harm"][0] = np.nan


def drop(columns):
    del columns["harm"]


def shorten(columns):
    for name in columns:
        columns[name] = columns[name][:1]


@pytest.mark.parametrize("change", [double, scratch, gap, drop, shorten])
def test_a_forgery_is_seen_when_computed_again(kept, change):
    file = first_file(kept)
    forge(file, change)
    assert verify(kept, 0).problems == []
    found = verify(kept, 99)
    [problem] = found.problems
    off = {double: "1", gap: "inf", drop: "inf", shorten: "inf"}.get(change, "")
    assert problem.startswith(f"{file}: computed again it is off by {off}")
    assert found.worst.endswith(" off")


def test_other_platforms_are_within_a_tolerance(kept):
    elsewhere = {"platform": {"versions": {}, "machine": {}}}
    forge(first_file(kept), scratch, **elsewhere)
    found = verify(kept, 99)
    assert found.problems == []
    off = float(found.worst.removeprefix("at most ").removesuffix(" off"))
    assert 0.0 < off < TOLERANCE
    forge(first_file(kept), double, **elsewhere)
    assert len(verify(kept, 99).problems) == 1


def test_nothing_is_computed_again_by_another_simulator(kept, monkeypatch):
    monkeypatch.setattr(verifying, "code_digest", lambda: "of tomorrow")
    found = verify(kept)
    assert (found.checked, found.recomputed) == (12, 0)
    assert found.problems == [
        f"{kept.path}: the simulator has changed since: nothing computed again"
    ]


def test_another_plug_in_is_told(kept, monkeypatch):
    monkeypatch.setattr("sumabm.identity.foreign_sources", lambda parts: {"a": "b"})
    with pytest.raises(RunError, match="was planned with other sources"):
        verify(kept)
