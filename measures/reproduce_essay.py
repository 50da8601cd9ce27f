"""The essay from a fresh clone: times, every point within 4 standard errors, the slopes, the page.

Quick under 2 minutes, full under 30, the same again without running anything; slopes of required
nats within 0.5 % of −½ ln(1 − c²); harm ∝ d with an exponent of 1.00 ± 0.02; zero harm in the lag;
local slopes at ξ = 1.5, 2 and 4 within 0.05 of p √ξ/(√ξ − 1) + α, and far ones of p + α where the
formula is; a page that refers to nothing outside its folder.
"""

from __future__ import annotations

import csv
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUICK, FULL, AGAIN = 120.0, 1800.0, 30.0  # seconds
Row = dict[str, str]


def reproduce(clone: Path, *words: str) -> float:
    """Run the command in a clone; return the seconds it took."""
    environment = {**os.environ, "PYTHONPATH": str(clone)}
    began = time.perf_counter()
    command = [sys.executable, "-m", "sumabm", "reproduce", *words]
    subprocess.run(command, cwd=clone, check=True, env=environment)
    return time.perf_counter() - began


def rows(file: Path) -> list[Row]:
    """Return a table's rows by column."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def points_agree(folder: Path) -> bool:
    """Print how far simulated points are from theory."""
    every = [
        (float(row["z"]), file.stem, row)
        for file in sorted((folder / "tables").glob("*.csv"))
        if file.stem != "claims"
        for row in rows(file)
    ]
    worst = max(every, key=lambda each: each[0])
    off = [each for each in every if each[0] > 4.0]
    told = f"the furthest {worst[0]:.2f} ({worst[1]}: {worst[2]['series']})"
    print(f"{len(every) - len(off)} of {len(every)} points within 4 standard errors, {told}")
    for z, name, row in off:
        print(f"  {name}: {row['series']}: z = {z:.2f}")
    return not off


def slopes_fit(claims: list[Row]) -> bool:
    """Print required nats per dimension and exponents of harm in d, with their limits."""
    good = True
    for row in claims:
        found, expected = float(row["simulation"]), float(row["theory"])
        if row["order"] == "50":
            away = abs(found / expected - 1.0)
            good &= away <= 0.005
            print(f"{row['quantity']}: {found:.5f}, {100 * away:.2f} % off (limit 0.5 %)")
        elif row["order"] in ("70", "100") and row["quantity"].startswith("exponent"):
            good &= abs(found - 1.0) <= 0.02
            print(f"{row['quantity']}: {found:.4f} (limit 1.00 ± 0.02)")
        elif row["order"] == "110":
            good &= abs(found) < 1e-12
            print(f"{row['quantity']}: {found:g} (limit 0)")
    return good


def local_slopes_fit(claims: list[Row]) -> bool:
    """Print local slopes of harm over ξ beside the formula, and beside p + α where that is near."""
    seen: set[tuple[float, float, float]] = set()
    good = True
    for row in claims:
        told = re.match(r"slope at ξ = ([\d.]+), α = ([\d.]+), p = ([\d.]+)", row["quantity"])
        if row["order"] not in ("120", "130") or not told:
            continue
        xi, alpha, p = map(float, told.groups())
        if row["order"] == "120" and xi not in (1.5, 2.0, 4.0):
            continue
        formula = p * math.sqrt(xi) / (math.sqrt(xi) - 1.0) + alpha
        limits = [formula] + [p + alpha] * (abs(formula - p - alpha) <= 0.05)
        away = max(abs(float(row["simulation"]) - limit) for limit in limits)
        good &= away <= 0.05
        seen.add((xi, alpha, p))
        print(f"slope at ξ = {xi:g}, α = {alpha:g}, p = {p:g}: {away:.3f} off (limit 0.05)")
    whole = {(xi, alpha) for xi in (1.5, 2.0, 4.0) for alpha in (0.0, 0.5, 1.0)}
    return good and whole <= {(xi, alpha) for xi, alpha, p in seen if p == 1.0}


def page_stands_alone(page: Path) -> bool:
    """Print the page's size, and whether it refers to anything that is not in its folder."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'(?:src|href)="([^"]*)"|url\(([^)]*)\)', text)
    outside = [
        a or b
        for a, b in found
        if not (a or b).startswith(("data:", "#")) and not (page.parent / (a or b)).is_file()
    ]
    print(f"page of {len(text) / 1e6:.1f} MB, {len(outside)} references to anything outside")
    return not outside and "<script" not in text


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "sumabm"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        quick = reproduce(clone, "--quick")
        full, again = reproduce(clone), reproduce(clone)
        made = clone / "runs" / "reproduction"
        claims = rows(made / "tables" / "claims.csv")
        met = [
            points_agree(made),
            slopes_fit(claims),
            local_slopes_fit(claims),
            page_stands_alone(made / "index.html"),
        ]
    print(f"quick {quick:.0f} s (limit {QUICK:g}), full {full:.0f} s (limit {FULL:g})")
    print(f"again, with nothing to run, {again:.0f} s (limit {AGAIN:g})")
    return 0 if all(met) and quick <= QUICK and full <= FULL and again <= AGAIN else 1


if __name__ == "__main__":
    sys.exit(main())
