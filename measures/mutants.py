"""500 mutants of tilt/, sphere/, aligners/ and harms.py: the tests kill 90 % of them or more.

A fixed sample of the changes of `mutations`, from each module in proportion to how many it has.
Each is imported in place of its module, in a process forked where all else is loaded; then the
tests that run its line, quickest first, and after them those that run the module at all. One that
exhausts a test's time is killed. Those that change nothing that a caller could see are listed, each
with the reason, in mutants_equivalent.toml: they don't count.

`mutants.py [PREFIX …]`: only modules that start so. `--again`: only mutants that no earlier call
killed, as after an interruption or with more tests.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import coverage
import pytest

if TYPE_CHECKING:
    from measures.mutant_hooks import Chosen, Finder, Watch
    from measures.mutations import Mutant, mutants_of
else:
    from mutant_hooks import Chosen, Finder, Watch
    from mutations import Mutant, mutants_of

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
TREE = Path(f"/tmp/sumabm-mutants-{os.getuid()}")
"""A copy of the tree, outside the repository: there the tests run."""
SAMPLE, AT_LEAST = 500, 0.9
MEMORY = 8 << 30
ENOUGH = 60.0
"""Seconds of tests, as timed while lines are watched, that a mutant has to survive."""
TARGETS = {
    "sumabm/tilt": ("tests/tilt", "sumabm/tilt"),
    "sumabm/sphere": ("tests/test_sphere", "sumabm/sphere"),
    "sumabm/aligners": (
        "tests/aligners",
        "tests/behaviours/test_sandboxed",
        "tests/worlds/test_left_turn",
    ),
    "sumabm/harms.py": ("tests/test_harms.py",),
}
"""What is mutated, and where its own tests are: these come first."""
TESTS = (
    "test_sphere.py test_sphere_tables.py test_harms.py test_turns.py tilt properties aligners "
    "worlds behaviours origins oversight power theory reference test_society.py test_power.py "
    "test_laws.py test_scenario.py test_dynamics.py test_component.py"
)
PYTEST = ["-q", "-n0", "-x", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning"]


def main() -> int:
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("modules", nargs="*", metavar="PREFIX")
    words.add_argument("--again", action="store_true", help="only those that no call killed")
    given = words.parse_args()
    began = time.perf_counter()
    enter_copy()
    tests = Tests.learned()
    excused = {entry["name"]: entry["reason"] for entry in listed()}
    chosen = [
        mutant for mutant in sampled() if mutant.module.startswith(tuple(given.modules or [""]))
    ]
    check_unchanged(chosen, tests)
    stored = WORK / "outcomes.json"
    known = json.loads(stored.read_text()) if given.again and stored.exists() else {}
    for i, mutant in enumerate(chosen):
        if mutant.name in excused or known.get(mutant.name, ["survived"])[0] != "survived":
            continue
        known[mutant.name] = outcome(mutant, tests)
        stored.write_text(json.dumps(known, indent=0))
        print(f"{i + 1}/{len(chosen)} {mutant.name} {' '.join(known[mutant.name])}", flush=True)
    enough = report(chosen, known, excused)
    print(f"{time.perf_counter() - began:.0f} s")
    return 0 if enough else 1


def enter_copy() -> None:
    """Make the copy and go on in it."""
    shutil.rmtree(TREE, ignore_errors=True)
    for name in ("sumabm", "tests", "scenarios", "docs"):
        shutil.copytree(ROOT / name, TREE / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, TREE)
    WORK.mkdir(parents=True, exist_ok=True)
    os.chdir(TREE)
    sys.path.insert(0, str(TREE))
    os.environ |= {"PYTHONPATH": str(TREE), "OPENBLAS_NUM_THREADS": "1"}


def listed() -> list[dict[str, str]]:
    """Return the mutants that change nothing that a caller could see."""
    entries = tomllib.loads((ROOT / "measures" / "mutants_equivalent.toml").read_text())
    found: list[dict[str, str]] = entries["equivalent"]
    return found


def sampled() -> list[Mutant]:
    """Return the sample: of each module's mutants the first by rank, by largest remainders."""
    files = [path for name in TARGETS for path in sorted(Path(name).glob("*.py")) or [Path(name)]]
    all_of = {path: mutants_of(path, path.read_text()) for path in files}
    whole = sum(map(len, all_of.values()))
    shares = {path: SAMPLE * len(mutants) / whole for path, mutants in all_of.items()}
    rest = SAMPLE - sum(map(int, shares.values()))
    up = set(sorted(files, key=lambda path: shares[path] % 1.0, reverse=True)[:rest])
    return [m for path in files for m in all_of[path][: int(shares[path]) + (path in up)]]


def forked(call: Callable[[], int]) -> int:
    """Call in a process of its own, silent; return its exit code, less than 0 for a signal."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        out = os.open(WORK / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1), os.dup2(out, 2)
        code = int(call())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        with suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


class Tests(NamedTuple):
    """How long each test takes, and which run a file's lines."""

    seconds: dict[str, float]
    lines: coverage.CoverageData

    @classmethod
    def learned(cls) -> Tests:
        """Run the tests once as they are, unless an earlier call did; load what they load."""
        seen = WORK / "tests.json"
        sources = [
            path for name in ("sumabm", "tests") for path in sorted(Path(name).rglob("*.py"))
        ]
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        learned = json.loads(seen.read_text()) if seen.exists() else {}
        if learned.get("digest") != digest:
            code = forked(lambda: watch(digest))
            if code:
                sys.exit(f"the tests fail as they are: see {WORK / 'output.txt'}")
            learned = json.loads(seen.read_text())
        for name in learned["loaded"]:
            with suppress(Exception):
                importlib.import_module(name)
        lines = coverage.CoverageData(str(WORK / "lines"))
        lines.read()
        return cls(learned["seconds"], lines)

    def of(self, mutant: Mutant) -> list[list[str]]:
        """Return the target's own tests that run the mutant's line, quickest first, then the rest.

        The rest: others that run the line, then those that run its module, until it is `ENOUGH`.
        """
        path = str(TREE / mutant.file)
        by_line = {
            line: {test.partition("|")[0] for test in tests} & self.seconds.keys()
            for line, tests in self.lines.contexts_by_lineno(path).items()
        }
        near = {test for n in range(mutant.line, mutant.last + 1) for test in by_line.get(n, ())}
        file = mutant.file.as_posix()
        homes = next(homes for target, homes in TARGETS.items() if file.startswith(target))
        first: list[str] = []
        then: list[str] = []
        left = ENOUGH
        for test in sorted(
            set().union(*by_line.values()),
            key=lambda test: (test not in near, not test.startswith(homes), self.seconds[test]),
        ):
            left -= self.seconds[test]
            if left > 0.0:
                (first if test in near and test.startswith(homes) else then).append(test)
        return [tests for tests in (first, then) if tests]


def watch(digest: str) -> int:
    """Run the tests, noting their times and the lines of the targets that they run."""
    os.environ["COVERAGE_FILE"] = str(WORK / "lines")
    cover = [f"--cov={name.removesuffix('.py').replace('/', '.')}" for name in TARGETS]
    cover += ["--cov-context=test", "--cov-report=", "--cov-fail-under=0"]
    plugin = Watch()
    paths = [f"tests/{name}" for name in TESTS.split()] + list(TARGETS)
    code = int(pytest.main([*PYTEST, *cover, *paths], plugins=[plugin]))
    ours = ("sumabm", "tests", "test_", "conftest", "__main__", "mutant", "mutations")
    loaded = [name for name in sys.modules if not name.startswith(ours)]
    learned = {"digest": digest, "seconds": plugin.seconds, "loaded": loaded}
    if code == 0:
        (WORK / "tests.json").write_text(json.dumps(learned))
    return code


def outcome(mutant: Mutant, tests: Tests) -> list[str]:
    """Return killed, out of time or survived, and by or despite which tests."""
    killer, rounds = WORK / "killer.txt", tests.of(mutant)
    for some in rounds:
        killer.write_text("import")
        chosen = Chosen(some, tests.seconds, killer)
        code = forked(partial(face, mutant, chosen))
        if code in (4, 5):
            raise RuntimeError(f"no tests ran: see {WORK / 'output.txt'}")
        if code:
            how = "out of time" if code == -signal.SIGVTALRM else "killed"
            return [how, killer.read_text()]
    return ["survived", f"{sum(map(len, rounds))} tests"]


def check_unchanged(chosen: list[Mutant], tests: Tests) -> None:
    """Refuse to go on where a module that is as it was, put in its own place, fails the tests."""
    for target in TARGETS:
        for mutant in [m for m in chosen if m.file.as_posix().startswith(target)][:1]:
            same = mutant._replace(make=partial(ast.parse, mutant.file.read_text()))
            if (found := outcome(same, tests))[0] != "survived":
                sys.exit(f"{mutant.module} as it is: {found}; see {WORK / 'output.txt'}")


def face(mutant: Mutant, chosen: Chosen) -> int:
    """Import a mutant in place of its module and run the tests chosen, to the first that fails."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_VIRTUAL, 60.0)
    sys.meta_path.insert(0, Finder(mutant, TREE))
    importlib.import_module(mutant.module)
    files = dict.fromkeys(test.partition("::")[0] for test in chosen.tests)
    return int(pytest.main([*PYTEST, *files], plugins=[chosen]))


def report(chosen: list[Mutant], known: dict[str, list[str]], excused: dict[str, str]) -> bool:
    """Print outcomes by module and who survived; return whether enough were killed."""
    columns = ("killed", "out of time", "survived", "equivalent")
    counts: dict[str, Counter[str]] = {}
    for mutant in chosen:
        how = "equivalent" if mutant.name in excused else known[mutant.name][0]
        counts.setdefault(mutant.module, Counter())[how] += 1
        if how == "survived":
            print(f"\n{mutant.file}:{mutant.line} {mutant.name}")
            print(f"- {mutant.before}\n+ {mutant.after}")
    print(f"\n{'':32}" + "".join(f"{column:>12}" for column in columns))
    whole = sum(counts.values(), Counter[str]())
    for module, row in [*counts.items(), ("all", whole)]:
        print(f"{module:32}" + "".join(f"{row[column]:12}" for column in columns))
    dead = whole["killed"] + whole["out of time"]
    share = dead / max(dead + whole["survived"], 1)
    print(f"{100 * share:.1f} % killed of those that are not equivalent")
    return share >= AT_LEAST


if __name__ == "__main__":
    sys.exit(main())
