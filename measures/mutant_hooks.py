"""What `mutants` hooks into: pytest, to time and choose tests, and the import of a mutant."""

from __future__ import annotations

import ast
import importlib.util
import signal
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from measures.mutations import Mutant


class Watch:
    """Notes how long each test takes, what it needs included."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a phase of a test took."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


class Chosen:
    """Runs the tests chosen in the order given, each up to some CPU time, and names the killer."""

    def __init__(self, tests: Sequence[str], seconds: dict[str, float], killer: Path) -> None:
        self.tests, self.seconds, self.killer = tests, seconds, killer

    def pytest_sessionstart(self) -> None:
        """Spare Hypothesis the search for the smallest failure."""
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "mutants", phases=phases, derandomize=True, deadline=None
        )
        hypothesis.settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests chosen, in their order."""
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[test] for test in self.tests]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note whose turn it is, and start its clock."""
        self.killer.write_text(nodeid)
        signal.setitimer(signal.ITIMER_VIRTUAL, 5.0 + 5.0 * self.seconds[nodeid])


class Finder:
    """Finds the mutant where its module is asked for."""

    def __init__(self, mutant: Mutant, tree: Path) -> None:
        self.mutant, self.tree = mutant, tree

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Return how to load the mutant if it is its module that is asked for."""
        if name != self.mutant.module:
            return None
        path = str(self.tree / self.mutant.file)
        loader = Loader(name, path, self.mutant.make())
        return importlib.util.spec_from_file_location(name, path, loader=loader)


class Loader(SourceFileLoader):
    """Loads a module from its syntax tree."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        """Return the tree's code."""
        return compile(self.tree, self.path, "exec", dont_inherit=True)
