"""Mutated files, and what reads them: every outcome is a success or the project's own error.

``FUZZERS`` read scenarios, batteries, stored runs and stored batteries, and data files; each
`Fuzzer.once` mutates a good file by a seeded generator and reads it. A sample is a test
(test_fuzz.py), a hundred thousand cases are a measure (measures/fuzz.py).
"""

import contextlib
import copy
import json
import math
import random
import shutil
import signal
import tomllib
import traceback
import warnings
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from sumabm import load_battery, load_scenario, open_battery, open_run, runs
from sumabm.battery.store import Store
from sumabm.battery.verify import verify
from sumabm.battery.work import work
from sumabm.catalogue import ROOMS
from sumabm.component import members
from sumabm.data import read_array, read_columns, read_graph
from sumabm.files import RunError, checksum
from sumabm.scenario import library, read_scenario
from sumabm.toml import ScenarioError, override_value

SECONDS = 5.0
"""What no case may take."""

REFERENCE = Path(__file__).parent / "reference"
KINDS = sorted({kind for room in ROOMS.values() for kind in members(room)})
TEXTS = ["", "x" * 9000, "\x00", "𝕏‮é\u0301", "../../up", "/", "__class__", "{}", "nan", "1e999"]
TEXTS += [
    "None",
    "X",
    "X1",
    "kind",
    "agents.X.power",
    "9" * 5000,
    "a.b.c",
    "essay",
    "\\",
    "*" * 300,
]
NUMBERS = [-1, 0, 1, 2, 7, 2**31, 2**63 - 1, -(2**63), 1e308, -1e308, 5e-324, 0.5, -0.0, 1 + 1e-15]
NUMBERS += [math.inf, -math.inf, math.nan, True, False]
TOKENS = [b"\x00", b"\xff\xfe", "é𝕏‮".encode(), b'"""', b"'''", b"[", b"]]", b"{" * 40, b"." * 100]
TOKENS += [
    b" = ",
    b"nan",
    b"1e999",
    b"-0",
    b"9" * 4400,
    b"\\u0000",
    b"1979-05-27",
    b"0x" + b"f" * 99,
]
TOKENS += [
    b"true",
    b"\n[a.b]\n",
    b"\n[[agents]]\n",
    b"\r",
    b"#",
    b"[" * 2000,
    b"a." * 3000,
    b"null",
]


class TooLongError(BaseException):
    """A case took too long; no handler of errors takes it for one."""


def odd_value(draw, deep=2):
    """Return a value that few fields take."""
    sort = draw.randrange(8)
    if sort == 0:
        return draw.choice(TEXTS)
    if sort == 1:
        return draw.choice(NUMBERS)
    if sort == 2:
        return draw.choice(KINDS)
    if sort == 3:
        return {"kind": draw.choice(KINDS)}
    if sort == 4:
        return draw.randrange(-10, 10**6) if draw.random() < 0.5 else draw.gauss(0.0, 100.0)
    if sort == 5 and deep:
        return [odd_value(draw, deep - 1) for _ in range(draw.randrange(4))]
    if sort == 6 and deep:
        return {draw.choice(TEXTS[4:]): odd_value(draw, deep - 1) for _ in range(draw.randrange(3))}
    nested = 1.0
    for _ in range(draw.choice([1, 5, 40])):
        nested = [nested] if draw.random() < 0.5 else {"kind": nested}
    return nested


def changed_table(table, draw):
    """Return a table with one to three entries removed, renamed, moved or replaced."""
    table = copy.deepcopy(table)
    for _ in range(draw.choice([1, 1, 2, 3])):
        places = [(table, key) for key in table]
        for parent, key in places:
            inner = parent[key]
            keys = range(len(inner)) if isinstance(inner, list) else ()
            places += [(inner, key) for key in (inner if isinstance(inner, dict) else keys)][:200]
        if not places:
            return table
        parent, key = draw.choice(places)
        how = draw.randrange(6)
        if how == 0:
            del parent[key]
        elif how == 1 and isinstance(parent, dict):
            parent[draw.choice([*TEXTS, *map(str, parent)])] = parent.pop(key)
        elif how == 2:
            other, name = draw.choice(places)
            with contextlib.suppress(LookupError):
                parent[key] = copy.deepcopy(other[name])
        else:
            parent[key] = odd_value(draw)
    return table


def changed_bytes(data, draw):
    """Return bytes with bits flipped, or cut, doubled, shuffled or with a token in them."""
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        size = len(data)
        at = draw.randrange(size + 1)
        span = draw.choice([1, 1, 4, 16, 200])
        how = draw.randrange(7)
        if how == 0 and size:
            for _ in range(draw.choice([1, 2, 8])):
                data[draw.randrange(size)] ^= 1 << draw.randrange(8)
        elif how == 1:
            del data[at:]
        elif how == 2:
            del data[at : at + span]
        elif how == 3:
            data[at:at] = data[at : at + span] * draw.choice([1, 2, 30])
        elif how == 4:
            data[at : at + span] = draw.randbytes(span)
        elif how == 5:
            other = draw.randrange(size + 1)
            data[at:at] = data[other : other + span]
        else:
            data[at:at] = draw.choice(TOKENS)
    return bytes(data)


class Fuzzer:
    """Reads mutated files of one sort in a folder of its own; ``errors`` are what it may raise."""

    errors = (ScenarioError,)
    weight = 1

    def __init__(self, folder):
        self.folder = folder

    def once(self, draw):
        """Mutate and read once."""
        raise NotImplementedError


def toml_of(table, draw):
    """Return a table as TOML, or random bytes of it where TOML has no such value."""
    try:
        return tomli_w.dumps(table).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, AttributeError, RecursionError):
        return changed_bytes(repr(table).encode("utf-8", "surrogatepass"), draw)


class Scenarios(Fuzzer):
    """Scenario files: their bytes, and their tables."""

    weight = 20

    def __init__(self, folder):
        super().__init__(folder)
        files = [path for path in sorted(library().glob("*.toml")) if path.stem not in SLOW]
        self.texts = [path.read_bytes() for path in files]
        self.tables = [tomllib.loads(text.decode()) for text in self.texts]
        shutil.copytree(library() / "data", folder / "data")

    def once(self, draw):
        n = draw.randrange(len(self.texts))
        if draw.random() < 0.4:
            data = changed_bytes(self.texts[n], draw)
        else:
            table = changed_table(self.tables[n], draw)
            if draw.random() < 0.1:
                table["made"] = date(2026, 1, 1)
            data = toml_of(table, draw)
        if draw.random() < 0.5:
            file = self.folder / "scenario.toml"
            file.write_bytes(data)
            return load_scenario(file)
        return read_scenario(data.decode("utf-8", "replace"), "sent", self.folder)


SLOW = {"many"}
"""Scenarios of so many agents that a case takes too long."""


class Overrides(Fuzzer):
    """Overrides by dotted path, as the command line takes them."""

    weight = 16

    def __init__(self, folder):
        super().__init__(folder)
        names = ("essay", "bayesian", "cup-grasp", "causal", "overseers")
        self.scenarios = [load_scenario(name) for name in names]

    def once(self, draw):
        scenario = draw.choice(self.scenarios)
        table, keys = scenario.model_dump(), []
        while isinstance(table, dict) and table and (draw.random() < 0.8 or not keys):
            keys.append(draw.choice(list(table)))
            table = table[keys[-1]]
        if draw.random() < 0.2:
            keys.insert(draw.randrange(len(keys) + 1), draw.choice(TEXTS))
        value = odd_value(draw) if draw.random() < 0.7 else override_value(draw.choice(TEXTS))
        return scenario.replace({".".join(keys): value}, self.folder, [self.folder])


class Batteries(Fuzzer):
    """Battery files: their bytes, and their tables."""

    weight = 4

    def __init__(self, folder):
        super().__init__(folder)
        files = sorted((library() / "batteries").glob("*.toml"))
        self.texts = [file.read_bytes() for file in files]
        self.tables = [tomllib.loads(text.decode()) for text in self.texts]

    def once(self, draw):
        n = draw.randrange(len(self.texts))
        by_bytes = draw.random() < 0.4
        table = self.tables[n]
        data = (
            changed_bytes(self.texts[n], draw)
            if by_bytes
            else toml_of(changed_table(table, draw), draw)
        )
        file = self.folder / "battery.toml"
        file.write_bytes(data)
        return load_battery(file)


def changed_json(data, draw):
    """Return JSON with bytes or entries changed."""
    if draw.random() < 0.4:
        return changed_bytes(data, draw)
    table = changed_table(json.loads(data), draw)
    if draw.random() < 0.1:
        table["\ud800"] = "\udfff"
    return json.dumps(table).encode()


def changed_parquet(data, draw):
    """Return a Parquet file with bytes, columns, types or rows changed."""
    if draw.random() < 0.4:
        return changed_bytes(data, draw)
    table = pq.read_table(pa.BufferReader(data))
    name = draw.choice(table.column_names)
    at = table.column_names.index(name)
    n = table.num_rows
    columns = [
        lambda: pa.array(["x"] * n),
        lambda: pa.array([None] * n, pa.float64()),
        lambda: pa.array([[1.0]] * n),
        lambda: pa.array(np.full(n, draw.choice([np.nan, np.inf, -1.0, 1e300]))),
        lambda: pa.array(np.full(n, draw.choice([-1, 0, 2**62, 10**9]))),
        lambda: pa.array([b"\xff"] * n),
        lambda: pa.array([date(2026, 1, 1)] * n),
    ]
    how = draw.randrange(5)
    if how == 0:
        table = table.drop_columns([name])
    elif how == 1:
        table = table.slice(draw.randrange(n + 1), draw.randrange(n + 1))
    elif how == 2:
        table = table.set_column(at, draw.choice(["", "harm.Q", "x.y.z", name]), table[name])
    elif how == 3:
        table = table.replace_schema_metadata({"sumabm": changed_json(b'{"identity": "a"}', draw)})
    else:
        table = table.set_column(at, name, draw.choice(columns)())
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def swapped(file, data):
    """Give a file other contents for a while."""

    @contextlib.contextmanager
    def hold():
        before = file.read_bytes()
        file.write_bytes(data)
        try:
            yield
        finally:
            file.write_bytes(before)

    return hold()


class Runs(Fuzzer):
    """A stored run: its manifest and its data, whose checksums may be made to fit."""

    errors = (RunError,)
    weight = 2

    def __init__(self, folder):
        super().__init__(folder)
        scenario = load_scenario("bayesian", {"steps": 3, "world.dimensions": 4})
        self.path = runs.run(scenario, range(2), 0, folder, {}).path
        self.manifest = (self.path / "manifest.json").read_bytes()
        self.files = sorted(json.loads(self.manifest)["files"])

    def once(self, draw):
        before = set(self.path.iterdir())
        with contextlib.ExitStack() as stack:
            manifest = self.manifest
            if draw.random() < 0.6:
                manifest = changed_json(manifest, draw)
            else:
                file = self.path / draw.choice(self.files)
                data = changed_parquet(file.read_bytes(), draw)
                stack.enter_context(swapped(file, data))
                if draw.random() < 0.8:
                    table = json.loads(manifest)
                    table["files"][file.name] = checksum(file)
                    manifest = json.dumps(table).encode()
            stack.enter_context(swapped(self.path / "manifest.json", manifest))
            try:
                return open_run(self.path)
            finally:
                assert set(self.path.iterdir()) == before


class StoredBatteries(Fuzzer):
    """A stored battery: its manifest, its tables, a chunk and a failure."""

    errors = (RunError,)
    weight = 1

    def __init__(self, folder):
        super().__init__(folder)
        changes = {"scenario.steps": 2, "replicates": 2, "chunk.replicates": 1, "keep.steps": 1}
        changes |= {'levers."agents.W.method"': ["budget", "none"], "scenario.world.dimensions": 4}
        changes |= {"uncertainties": {"agents.X.power": [1.0, 2.0]}}
        store = Store.create(load_battery("aligners", changes), folder, {})
        store.ready()
        for chunk in store.chunks():
            work(str(store.path), store.battery.chunk.limit, chunk)
        self.path = store.path
        chunk = next(store.chunks())
        store.note_failure(chunk, {"error": "it broke", "traceback": "", "crashes": 0})
        self.files = [path for path in sorted(self.path.rglob("*")) if path.is_file()]
        self.files += [store.file(chunk.identity)] * 2

    def once(self, draw):
        file = draw.choice([*self.files, self.path / "battery.json"])
        change = changed_parquet if file.suffix == ".parquet" else changed_json
        what = draw.randrange(3)
        with swapped(file, change(file.read_bytes(), draw)):
            store = Store.open(self.path)
            if what == 0:
                return open_battery(store, trajectories=draw.random() < 0.5)
            if what == 1:
                return verify(store, sample=0)
            return store.failures(), list(store.chunks()), store.battery


class Manifests(Fuzzer):
    """The manifests of a stored run and a stored battery, alone."""

    errors = (RunError,)
    weight = 10

    def __init__(self, folder):
        super().__init__(folder)
        scenario = load_scenario("essay", {"steps": 1})
        table = {"format": 1, "identity": "a", "scenario": scenario.model_dump(), "seed": 0}
        self.run = json.dumps(table | {"replicates": [0, 1], "files": {}}).encode()
        battery = load_battery("phase-diagram")
        table = {"format": 1, "identity": "a", "code": "b", "battery": battery.model_dump()}
        self.battery = json.dumps(table | {"points": 1, "chunks": 1}).encode()

    def once(self, draw):
        if draw.random() < 0.7:
            (self.folder / "manifest.json").write_bytes(changed_json(self.run, draw))
            return runs.read_manifest(self.folder)
        (self.folder / "battery.json").write_bytes(changed_json(self.battery, draw))
        return Store.open(self.folder).battery


class DataFiles(Fuzzer):
    """Data files that a scenario names; what is wrong with them is a ValueError."""

    errors = (ValueError,)
    weight = 10

    def __init__(self, folder):
        super().__init__(folder)
        np.save(folder / "a.npy", np.arange(12.0).reshape(3, 4))
        pq.write_table(pa.table({"p": [0.5, 0.5], "x": [1.0, 2.0]}), folder / "t.parquet")
        names = ("states.csv", "friends.edges", "graph.graphml")
        files = [*(REFERENCE / name for name in names), folder / "a.npy", folder / "t.parquet"]
        self.sources = {file.suffix: file.read_bytes() for file in files}

    def once(self, draw):
        suffix = draw.choice(sorted(self.sources))
        change = changed_parquet if suffix == ".parquet" else changed_bytes
        file = self.folder / f"data{suffix}"
        file.write_bytes(change(self.sources[suffix], draw))
        if suffix in (".edges", ".graphml"):
            return read_graph(str(file))
        if suffix == ".npy":
            return read_array(str(file))
        if suffix == ".csv" and draw.random() < 0.3:
            return read_graph(str(file))
        return read_columns(str(file), ["p", "x"])


FUZZERS = (Scenarios, Overrides, Batteries, Manifests, Runs, StoredBatteries, DataFiles)


def fuzz(folder, cases, seed=0, first=0):
    """Run cases from ``first`` on; return how each sort ended, and what went wrong.

    Case n of a seed is the same whatever comes before it.
    """
    fuzzers = []
    for kind in FUZZERS:
        (folder / kind.__name__).mkdir()
        fuzzers.append(kind(folder / kind.__name__))
    counts, wrong = Counter(), []
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        for number in range(first, first + cases):
            draw = random.Random(f"{seed}/{number}")
            [fuzzer] = draw.choices(fuzzers, [each.weight for each in fuzzers])
            name = type(fuzzer).__name__
            ended = _ended(fuzzer, draw)
            counts[name, ended.partition(":")[0]] += 1
            if ended not in ("read", "refused"):
                wrong.append(f"case {number}, {name}: {ended}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    return counts, wrong


def _ended(fuzzer, draw):
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fuzzer.once(draw)
    except fuzzer.errors as error:
        return "refused" if str(error) else "silent: refused without a word"
    except TooLongError:
        return "hung: " + traceback.format_exc()[-1500:]
    except Exception:
        return "broke: " + traceback.format_exc()[-1800:]
    return "read"


def _ring(number, frame):
    raise TooLongError
