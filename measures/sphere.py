"""Worst relative error of the sphere's functions on the reference table, and their speed.

Run from the repository root: ``python measures/sphere.py``. Exits 1 when an error exceeds 1e-12 or
a time its multiple of numpy.exp's (300 for mean_cosine and nats, 1000 for the inverses).
"""

import json
import runpy
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sumabm import sphere

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-12
LIMITS = {
    "mean_cosine": 300.0,
    "divergence": 300.0,
    "nats (kappa)": 300.0,
    "nats (cosine)": 300.0,
    "concentration (cosine)": 1000.0,
    "concentration (nats)": 1000.0,
    "cosine_from_nats": 1000.0,
    "divergence_from_nats": 1000.0,
}


def worst_errors() -> dict[str, tuple[float, str]]:
    """Return the worst relative error of each function, in c or 1 - c whichever is smaller."""
    rows = json.loads((ROOT / "tests/reference/sphere_reference.json").read_text())["rows"]
    errors: dict[str, tuple[float, str]] = {}
    for row in rows:
        d, c, phi, kappa, nats = (float(row[k]) for k in ("d", "c", "phi", "kappa", "nats"))
        near = phi < c
        given = {"divergence": phi} if near else {"cosine": c}
        mean = sphere.divergence if near else sphere.mean_cosine
        back = sphere.divergence_from_nats if near else sphere.cosine_from_nats
        found = {
            "mean_cosine / divergence": (mean(d, kappa), phi if near else c),
            "nats (kappa)": (sphere.nats(d, kappa=kappa), nats),
            "nats (cosine / divergence)": (sphere.nats(d, **given), nats),
            "concentration (cosine / divergence)": (sphere.concentration(d, **given), kappa),
            "concentration (nats)": (sphere.concentration(d, nats=nats), kappa),
            "cosine / divergence_from_nats": (back(d, nats), phi if near else c),
        }
        for name, (value, expected) in found.items():
            error = float(np.abs(value / expected - 1.0))
            if error >= errors.get(name, (0.0, ""))[0]:
                errors[name] = error, f"d = {row['d']}, c = {row['c']}"
    return errors


def main() -> int:
    failed = False
    print(f"{'worst relative error':40}{'':>10}  at")
    for name, (error, place) in worst_errors().items():
        failed |= not error <= TOLERANCE
        print(f"{name:40}{error:10.1e}  {place}")
    benchmark = runpy.run_path(str(ROOT / "benchmarks/sphere.py"))
    print(f"\n{'time':40}{'x exp':>10}  limit")
    for name, (_, ratio) in benchmark["ratios"]().items():
        if name in LIMITS:
            failed |= ratio > LIMITS[name]
            print(f"{name:40}{ratio:10.0f}  {LIMITS[name]:.0f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
