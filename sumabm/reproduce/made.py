"""Exhibits on file: a figure, a table of its points, and what was found, kept while they hold."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sumabm.battery.spec import Battery
from sumabm.files import DAMAGE, RunError, checksum, whole_file
from sumabm.identity import code_digest, rooms_digest
from sumabm.report.figures import as_svg
from sumabm.reproduce.findings import Claim, Exhibit, Findings, Measured, Point

_ROOMS = ("analysis", "battery", "figures", "report", "reproduce", "theory")
"""Whose sources make an exhibit of its batteries, besides those that make the numbers."""


@dataclass(frozen=True)
class Made:
    """An exhibit that is on file."""

    name: str
    letter: str
    title: str
    identity: str
    findings: Findings
    width: float  # inches
    studies: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]  # checksums


def identity(exhibit: str, batteries: Mapping[str, Battery]) -> str:
    """Return the SHA-256 of all that an exhibit depends on: batteries, theory, its own sources."""
    parts = [exhibit, rooms_digest(_ROOMS), code_digest()]
    parts += [f"{name} {battery.identity()}" for name, battery in sorted(batteries.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def keep(
    folder: Path,
    name: str,
    exhibit: Exhibit,
    whole: str,
    findings: Findings,
    studies: Sequence[Mapping[str, Any]],
) -> Made:
    """Write an exhibit's files into ``folder`` and return it; ``whole`` is its identity.

    Raises RunError when they cannot be written.
    """
    assert findings.figure is not None
    figure, seeds = findings.figure, {part["name"]: part["seed"] for part in studies}
    try:
        with whole_file(folder / "figures" / f"{name}.svg") as own:
            own.write_bytes(as_svg(figure))
        with whole_file(folder / "figures" / f"{name}.pdf") as own:
            figure.savefig(own, format="pdf", metadata={"CreationDate": None})
        with whole_file(folder / "tables" / f"{name}.csv") as own:
            _write_points(own, findings, whole, seeds)
        names = [f"figures/{name}.svg", f"figures/{name}.pdf", f"tables/{name}.csv"]
        made = Made(
            name,
            exhibit.LETTER,
            exhibit.TITLE,
            whole,
            findings._replace(figure=None),
            figure.get_figwidth(),
            studies,
            {file: checksum(folder / file) for file in names},
        )
        with whole_file(folder / "exhibits" / f"{name}.json") as own:
            own.write_text(json.dumps(_plain(made), ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error}") from error
    return made


def recall(folder: Path, name: str, whole: str) -> Made | None:
    """Return the exhibit of that identity that ``folder`` has, or None if it must be made."""
    try:
        table = json.loads((folder / "exhibits" / f"{name}.json").read_text(encoding="utf-8"))
        found = Made(**{**table, "findings": _findings(table["findings"])})
        there = all(checksum(folder / file) == known for file, known in found.files.items())
        return found if found.identity == whole and there else None
    except DAMAGE:
        return None


def _plain(made: Made) -> dict[str, Any]:
    table = asdict(made)
    claims = [
        {**claim._asdict(), "measured": [part._asdict() for part in claim.measured]}
        for claim in made.findings.claims
    ]
    points = [list(point) for point in made.findings.points]
    table["findings"] = {**made.findings._asdict(), "claims": claims, "points": points}
    return table


def _findings(table: Mapping[str, Any]) -> Findings:
    claims = tuple(
        Claim(**{**claim, "measured": tuple(Measured(**part) for part in claim["measured"])})
        for claim in table["claims"]
    )
    points = [Point(*row) for row in table["points"]]
    return Findings(**{**table, "claims": claims, "points": points})


def _write_points(file: Path, findings: Findings, whole: str, seeds: Mapping[str, int]) -> None:
    """Write points as CSV, headed by a comment that says where they come from."""
    told = ", ".join(f"{name} seed {seed}" for name, seed in seeds.items())
    with file.open("w", encoding="utf-8", newline="") as opened:
        opened.write(f"# exhibit {whole}; {told}\n")
        writer = csv.writer(opened)
        writer.writerow(["series", findings.x, "theory", "simulation", "standard error", "z"])
        for point in findings.points:
            writer.writerow([*point, point.z])
