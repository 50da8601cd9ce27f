"""What makes two runs the same run: all that changes results, and nothing else."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from sumabm.component import foreign_sources
from sumabm.scenario import Scenario

_NOT_NUMERIC = (
    *(
        "analysis",
        "atlas",
        "battery",
        "bibliography",
        "browser",
        "catalogue",
        "cli",
        "collector",
        "display",
        "figures",
        "files",
        "identity",
        "making",
    ),
    *("predict", "progress", "provenance", "report", "reproduce", "runs", "scenarios", "summary"),
    *("schema", "science", "testing", "theory", "toml"),
)
"""Rooms that show, store or check results but do not make them."""


@functools.cache
def code_digest() -> str:
    """Return the SHA-256 of the sources that make the numbers, hex."""
    return _digest(lambda room: room not in _NOT_NUMERIC)


@functools.cache
def rooms_digest(rooms: tuple[str, ...]) -> str:
    """Return the SHA-256 of the sources of these rooms, hex."""
    return _digest(lambda room: room in rooms)


def _digest(chosen: Callable[[str], bool]) -> str:
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        if chosen(path.relative_to(package).parts[0].removesuffix(".py")):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def run_identity(
    scenario: Scenario, seed: int, replicates: range, kept: Mapping[str, object] = {}
) -> str:
    """Return the SHA-256 of all that changes a run's results, hex.

    The resolved scenario without its name, description and tags, the seed, the replicates, the
    sources of the numeric rooms and of any plug-in component; for part of a run, what is kept.
    """
    parts = {
        "scenario": scenario.identity(),
        "seed": seed,
        "replicates": [replicates.start, replicates.stop],
        "code": code_digest(),
        "plug-ins": foreign_sources(type(part) for _, _, part in scenario.components()),
        **kept,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
