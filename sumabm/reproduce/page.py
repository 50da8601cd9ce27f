"""The reproduction's page: the essay's claims line by line, then the figures they rest on."""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from sumabm.files import RunError, whole_file
from sumabm.identity import code_digest
from sumabm.provenance import provenance
from sumabm.report.figures import as_uri
from sumabm.report.page import write_page
from sumabm.report.text import number, plus_minus
from sumabm.reproduce.findings import AGREE, Claim, Measured, Point
from sumabm.reproduce.made import Made
from sumabm.scenario import load_scenario

_LEFT_OUT = (
    "sandboxes, or offline training, that limit where an AI acts while it is aligned",
    "repeated looks at the same act",
    "AIs that know that they are being optimised, and act strategically or deceptively",
    "a sharp left turn, in which an AI comes to act in more dimensions",
    "Goodhart's law proper: targets that part under strong optimisation",
    "causal models, with severed correlations",
)


class Setting(NamedTuple):
    """How a reproduction is asked for."""

    quick: bool = False
    seed: int | None = None

    @property
    def folder(self) -> str:
        """Return the name of its folder."""
        seed = "" if self.seed is None else f"-s{self.seed}"
        return f"reproduction{'-quick' if self.quick else ''}{seed}"

    def command(self, only: str | None = None) -> str:
        """Return the command that makes it, or one exhibit of it."""
        words = ["sumabm", "reproduce", *(["--quick"] if self.quick else [])]
        words += [] if self.seed is None else ["--seed", str(self.seed)]
        return shlex.join(words + ([] if only is None else ["--only", only]))


def write_reproduction(
    folder: Path, made: Sequence[Made], left: Sequence[str], setting: Setting
) -> Path:
    """Write ``index.html`` and ``tables/claims.csv`` and return where the page is.

    ``left`` are exhibits that are not there. Raises RunError when they cannot be written.
    """
    claims = [(claim, part) for part in made for claim in part.findings.claims]
    claims.sort(key=lambda pair: pair[0].order)
    try:
        with whole_file(folder / "tables" / "claims.csv") as own:
            _write_claims(own, claims)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error}") from error
    contents = {
        "setting": setting,
        "left": [(name, setting.command(name)) for name in left],
        "verdicts": _verdicts([claim.verdict for claim, _ in claims]),
        "agreement": _agreement(made),
        "claims": [_claim(claim, part, setting) for claim, part in claims],
        "exhibits": [_exhibit(part, folder, setting) for part in made],
        "left_out": _LEFT_OUT,
        "agree": f"{AGREE:g}",
        "provenance": _provenance(),
        "zipped": lambda table: zip(*table.values(), strict=True),
        "formula": _formula,
    }
    write_page(folder / "index.html", "essay.html", contents, "reproduce")
    return folder / "index.html"


def _verdicts(found: Sequence[str]) -> list[tuple[str, str]]:
    """Return how many claims have each verdict, as (verdict, words)."""
    words = {"holds": "hold", "holds only if": "hold only under a condition", "fails": "fail"}
    counts = Counter(found)
    return [(verdict, f"{counts[verdict]} {told}") for verdict, told in words.items()]


def _agreement(made: Sequence[Made]) -> dict[str, Any]:
    every = [point.z for part in made for point in part.findings.points]
    return {
        "points": len(every),
        "within": sum(z <= AGREE for z in every),
        "exact": sum(z == 0.0 for z in every),
        "worst": number(max(every, default=0.0), 2),
    }


def _claim(claim: Claim, part: Made, setting: Setting) -> dict[str, Any]:
    return {
        "says": claim.says,
        "because": claim.because,
        "caveat": claim.caveat,
        "verdict": claim.verdict,
        "numbers": [_measured(each) for each in claim.measured],
        "exhibit": part.name,
        "letter": part.letter,
        "command": setting.command(part.name),
        "sources": [f"{study['folder']}, seed {study['seed']}" for study in part.studies],
    }


def _measured(part: Measured) -> dict[str, Any]:
    unit = f" {part.unit}" if part.unit else ""
    return {
        "what": part.what,
        "theory": number(part.theory, 5) + unit,
        "simulation": plus_minus(part.mean, part.error) + unit,
        "z": _distance(part.z),
        "off": part.z > AGREE,
    }


def _exhibit(part: Made, folder: Path, setting: Setting) -> dict[str, Any]:
    found = part.findings
    off = [point for point in found.points if point.z > AGREE]
    worst = max((point.z for point in found.points), default=0.0)
    return {
        "name": part.name,
        "letter": part.letter,
        "title": part.title,
        "identity": part.identity[:8],
        "uri": as_uri((folder / "figures" / f"{part.name}.svg").read_bytes()),
        "width": round(part.width * 96),  # pixels to an inch in CSS
        "alt": found.alt,
        "caption": found.caption,
        "axes": (found.x, found.y),
        "points": [
            (
                p.series,
                number(p.x),
                number(p.theory, 5),
                plus_minus(p.mean, p.error),
                _distance(p.z),
            )
            for p in found.points
        ],
        "off": [(p.series, number(p.x), _distance(p.z)) for p in off],
        "worst": _distance(worst),
        "table": found.table,
        "table_caption": found.table_caption,
        "studies": part.studies,
        "files": sorted(part.files),
        "command": setting.command(part.name),
    }


def _texts(point: Point) -> tuple[str, str, str]:
    return number(point.theory, 5), plus_minus(point.mean, point.error), _distance(point.z)


def _formula(text: str) -> Markup:
    """Return a text as HTML, with the names of powers as formulas have them."""
    return Markup(re.sub(r"O_([XY])", r"O<sub>\1</sub>", str(escape(text))))


def _distance(z: float) -> str:
    return "exact" if z == 0.0 else number(z, 2)


def _write_claims(file: Path, claims: Sequence[tuple[Claim, Made]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        heads = ["order", "claim", "verdict", "quantity", "unit", "theory", "simulation"]
        writer.writerow([*heads, "standard error", "z", "exhibit", "identity", "batteries"])
        for claim, part in claims:
            sources = " ".join(f"{s['folder']}:seed={s['seed']}" for s in part.studies)
            for m in claim.measured:
                row = [claim.order, claim.says, claim.verdict, m.what, m.unit, m.theory, m.mean]
                writer.writerow([*row, m.error, m.z, part.name, part.identity, sources])


def _provenance() -> Mapping[str, str]:
    facts = provenance(load_scenario("essay"))
    commit = facts["commit"]
    told = f"{commit['id']}{', with changes' if commit['dirty'] else ''}" if commit else "unknown"
    found = {"numeric code": code_digest(), "commit": told, "page written": facts["created"]}
    for part in ("versions", "machine"):
        for name, value in facts[part].items():
            found[name] = " ".join(value) if isinstance(value, list) else str(value)
    return found
