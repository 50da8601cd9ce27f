"""What one action reveals: the simulator and theory against published information and radii.

Battery `essay-information` at full size: nats per action and mean cosine within 4 standard errors
of LITERATURE item 1's values (Dytso, Al, Poor, Shamai 2018) and, at every point, of exact theory,
which keeps below (d/2) ln(1 + 2O/d) and O; largest radii at which a uniform direction is the most
informative input, d = 1, 2, 3, within 2e-4 of the published ones.
"""

from __future__ import annotations

import sys
import tempfile

import numpy as np
import xarray as xr

import sumabm
from sumabm import theory
from sumabm.reproduce.estimates import at, mean
from sumabm.reproduce.exhibits.information import RADII, REFERENCE, told_by
from sumabm.reproduce.findings import AGREE, distance

RADIUS = 2e-4
OUTCOMES = ("information", "alignment")


def reference_met(runs: xr.Dataset) -> bool:
    """Print simulated means beside reference values."""
    met = True
    for (d, power), expected in REFERENCE.items():
        for outcome, value in zip(OUTCOMES, expected, strict=True):
            values = at(runs, f"{outcome}.X", world__dimensions=d, agents__X__power=power)
            found = mean(values)
            z = distance(value, float(found.mean), float(found.error))
            met &= z <= AGREE
            told = f"{found.mean:.5f} ± {found.error:.5f}, reference {value:.12g}"
            print(f"{outcome}, d = {d}, O = {power:g}: {told}, z = {z:.2f} (limit {AGREE:g})")
            if outcome == "information":
                away = distance(power, float(found.mean), float(found.error))
                met &= away > AGREE
                print(f"  negative control, all O nats: z = {away:.0f} (exceeds {AGREE:g})")
    return met


def theory_met(runs: xr.Dataset) -> bool:
    """Print how far all simulated means are from exact theory, and check that its bounds hold."""
    dimensions = [int(d) for d in np.unique(runs["world.dimensions"].values)]
    points = [p for d in dimensions for outcome in OUTCOMES for p in told_by(runs, outcome, d)]
    worst = max(points, key=lambda point: point.z)
    print(f"{len(points)} points against exact theory: furthest z = {worst.z:.2f} ({worst.series})")
    d, power = (runs[name].values for name in ("world.dimensions", "agents.X.power"))
    bound = theory.information_bound(d, power)
    below = np.all(theory.action_information(d, power) <= bound) and np.all(bound <= power)
    return worst.z <= AGREE and bool(below)


def radii_met() -> bool:
    """Print the largest radii beside published ones."""
    met = True
    for d, published in RADII.items():
        radius = float(theory.largest_uniform_radius(d))
        met &= abs(radius - published) <= RADIUS
        away = f"{abs(radius - published):.1e} off (limit {RADIUS:g})"
        print(f"largest radius, d = {d}: {radius:.6f}, published {published}, {away}")
    return met


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = sumabm.run_battery("essay-information", out=folder)
        runs = sumabm.open_battery(store.path).load()
    return 0 if all([reference_met(runs), theory_met(runs), radii_met()]) else 1


if __name__ == "__main__":
    sys.exit(main())
