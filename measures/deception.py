"""Who is fooled by a treacherous AI: the Bayesian aligner, the suspicious one, one that audits.

Run from the repository root: ``python measures/deception.py``. Exits 1 unless, under a long mask,
the naive aligner expects more than 0.95 where true alignment is 0 within 4 standard errors, its
correction after the turn follows the closed form, the auditing aligner's belief is true within 0.02
before and after the turn and its harm after the turn is less than a tenth; within 4 standard errors
at the turn if it reckons with mimics for ever, which is what it then has seen (reckoning with a
turn it is right on average over turns, not given one). Negative controls: the closed form without
the mask, and the naive belief as if it were true.
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sumabm
from sumabm import theory
from sumabm.types import Array

MASKED, STEPS, REPLICATES = 600, 1200, 200
ALIGNERS: dict[str, object] = {
    "naive": "bayesian",
    "suspicious": "suspicious",
    "audited": {"kind": "suspicious", "audit_every": 5},
    "audited, for ever": {"kind": "suspicious", "audit_every": 5, "turn_rate": 0.0},
}


def errors(sample: Array, expected: float = 0.0) -> float:
    """Return how many standard errors the sample's mean is off."""
    return float((sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size)))


def of(run: xr.Dataset, variable: str, step: int) -> Array:
    """Return a variable of the AI at a step."""
    return np.asarray(run[variable].sel(agent="X", step=step).values)


def fooled() -> bool:
    """Compare aligners in the essay's world: if what they believe holds, and what it costs."""
    met, harm = True, {}
    for name, method in ALIGNERS.items():
        overrides = {"agents.X.behaviour.release": MASKED, "agents.W.method": method}
        run = sumabm.simulate("treacherous-turn", REPLICATES, steps=STEPS, overrides=overrides)
        harm[name] = float(run["harm"].values[:, MASKED:].sum(axis=1).mean())
        print(f"{name}: harm after the turn {harm[name]:.3f}")
        for step in (50, MASKED, MASKED + 50, STEPS - 1):
            true, believed = of(run, "alignment", step), of(run, "believed", step)
            gap = errors(believed - true)
            print(
                f"  step {step}: true {true.mean():+.3f}, believed {believed.mean():+.3f}, "
                f"{gap:+.1f} standard errors off"
            )
            if name == "naive" and step == MASKED:
                met &= bool(believed.mean() > 0.95 and abs(errors(true)) < 4 and abs(gap) > 4)
            if name.startswith("audited"):
                met &= abs(float((believed - true).mean())) < 0.02
            if name == "audited, for ever" and step == MASKED:
                met &= abs(gap) < 4
    return met and harm["audited"] < 0.1 * harm["naive"]


def corrected() -> bool:
    """Compare the naive aligner's correction with the closed form, in many dimensions."""
    d, power, masked = 2000, 5.0, 200
    overrides = {
        "world.dimensions": d,
        "agents.X.power": power,
        "agents.X.behaviour.release": masked,
        "agents.W.method.edit_power": 1e9,
    }
    run = sumabm.simulate("treacherous-turn", 40, 3, steps=2 * masked + 1, overrides=overrides)
    x0, met = 2.0 * masked * power / d, True
    for time in (50, 100, 200):
        x, seen = 2.0 * time * power / d, of(run, "alignment", masked + time)
        form, without = theory.unmasked_alignment(x, x0), theory.bayesian_alignment(x)
        z, control = errors(seen, float(form)), errors(seen, float(without))
        print(
            f"x = {x:g} after x0 = {x0:g}: {seen.mean():.4f}, theory {form:.4f} ({z:+.1f} standard "
            f"errors), negative control without the mask {without:.4f} ({control:+.1f})"
        )
        met &= abs(z) < 4 < abs(control)
    return met


def main() -> int:
    return 0 if fooled() & corrected() else 1


if __name__ == "__main__":
    sys.exit(main())
