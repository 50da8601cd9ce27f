"""The benchmark suite: ratios in one run on one thread, as a table, a figure and JSON.

``python benchmarks/suite.py`` prints the table and writes all three to ``build/bench``;
``python benchmarks/suite.py --keep`` also keeps the JSON as ``benchmarks/results/VERSION.json``.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import ensembles, picture, sphere, starting, tilt
from benchmarks.timing import Case, ratio

ROOT = Path(__file__).resolve().parents[1]
OUT, KEPT = ROOT / "build" / "bench", ROOT / "benchmarks" / "results"
PACKAGES = ("sumabm", "numpy", "scipy", "mesa", "cvxpy", "clarabel")


def cases() -> Iterator[Case]:
    """Yield all there is to compare, group by group."""
    groups = (
        tilt.cases,
        ensembles.essay,
        ensembles.bayesian,
        ensembles.single,
        starting.cases,
        sphere.cases,
    )
    for group in groups:
        yield from group()


def measured() -> list[dict[str, Any]]:
    """Return a row per case: its ratio, what is asked of it, how often it was repeated."""
    rows = []
    for case in cases():
        found = ratio(case)
        print(f"{case.name} / {case.beside}: {found.median:.3g}", file=sys.stderr, flush=True)
        row = {"group": case.group, "name": case.name, "beside": case.beside}
        rows.append({**row, **found._asdict(), "most": case.most, "repeats": case.repeats})
    return rows


def facts() -> dict[str, Any]:
    """Return the versions and the processor; nothing that tells whose machine it is."""
    versions = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    return {"versions": versions, "processor": processor(), "threads": 1}


def processor() -> str:
    """Return the processor's name, or else its architecture."""
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| sumabm | beside | time ratio | quartiles | asked |", "|---|---|---:|---:|---:|"]
    for row in rows:
        asked = "" if row["most"] is None else f"≤ {row['most']:.3g}"
        spread = f"{row['lower']:.3g} – {row['upper']:.3g}"
        cells = (row["name"], row["beside"], f"{row['median']:.3g}", spread, asked)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare sumabm with its peers and limits.")
    parser.add_argument("--keep", action="store_true", help="keep the results for this version")
    keep = parser.parse_args().keep
    found = {**facts(), "ratios": measured()}
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    (OUT / "ratios.json").write_text(text, encoding="utf-8")
    shown = table(found["ratios"])
    (OUT / "ratios.md").write_text(shown + "\n", encoding="utf-8")
    picture.draw(found["ratios"], OUT)
    if keep:
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{version('sumabm')}.json").write_text(text, encoding="utf-8")
    print(shown)


if __name__ == "__main__":
    main()
