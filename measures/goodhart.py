"""LITERATURE item 2 through worlds and agents, number by number: published, found, difference.

The tilt to 1e-9; conditioning to 1e-7, at t₃'s infinite tail cut at 1e4; the dependent error and
the box against integrals that the simulator does not use. Each has a negative control.
"""

from __future__ import annotations

import sys

import numpy as np

import sumabm
from sumabm import DiscreteWorld, theory

T3 = {"kind": "student-t", "df": 3.0}


def act(
    power: float, error: dict[str, object], behaviour: str = "honest", **world: object
) -> float:
    """Return E[V] in sd after one act of an AI that wants V + X."""
    changes = {
        "world": {"kind": "goodhart", "error": error, "panels": 32, **world},
        "agents.X.behaviour": behaviour,
        "agents.X.power": power,
        "steps": 1,
    }
    return float(sumabm.simulate("goodhart-gaussian", overrides=changes)["welfare"].item())


def check(what: str, found: float, published: float, limit: float) -> bool:
    off = abs(found - published)
    print(f"{what:58s} {published:15.10f} {found:15.10f} {off:8.1e}  (limit {limit:g})")
    return off <= limit


def tilts() -> list[bool]:
    good = [
        check(f"tilt at 1 nat, t3 cut at {cut:g}", act(1.0, {**T3, "cut": cut}), expected, 1e-9)
        for cut, expected in ((10.0, 0.5590257833), (100.0, 0.1249969202))
    ]
    exponential = {"kind": "exponential", "cut": 700.0}
    good.append(check("tilt at 1 nat, Exp(1)", act(1.0, exponential), 0.646849483353, 1e-9))
    gains = [act(power, exponential) for power in (3.0, 10.0, 20.0)]
    print(f"  its ceiling: {', '.join(f'{gain:.4f}' for gain in gains)} at 3, 10, 20 nats, below 1")
    good.append(max(gains) < 1.0)
    for power, s in ((1.0, 1.0), (3.0, 2.0)):
        expected = float(theory.proxy_gain(power, s))
        found = act(power, {"kind": "gaussian", "scale": s})
        good.append(check(f"tilt, {power:g} nats, N(0, {s:g}²)", found, expected, 1e-9))
    return good


def conditioned() -> list[bool]:
    """Power is that of the world's own states beyond the level: no cut falls inside one."""
    good = []
    cases: list[tuple[dict[str, object], float, float]] = [
        ({**T3, "cut": 1e4}, 2.0, 0.914845986957),
        ({**T3, "cut": 1e4}, 4.0, 0.772140560854),
        ({"kind": "gaussian"}, 2.0, 1.319483757),
        ({"kind": "gaussian"}, 4.0, 2.209080403),
        ({"kind": "laplace"}, 2.0, 0.9418315743),
        ({"kind": "laplace"}, 4.0, 0.9996113361),
    ]
    for error, level, expected in cases:
        spec = sumabm.load_scenario(
            "goodhart-gaussian",
            {"world": {"kind": "goodhart", "error": error, "panels": 32, "level": 1.0}},
        )
        base = spec.world.build(1)
        assert isinstance(base, DiscreteWorld)
        proxy = base.linear(np.array([1.0, 1.0]))
        power = -float(np.log(base.probabilities[proxy >= level].sum()))
        found = act(power, error, "quantilizing", level=1.0)
        what = f"E[V | V + X >= {level:g}], {error['kind']}, {power:.4f} nats"
        good.append(check(what, found, expected, 1e-7))
    return good


def rises_and_falls() -> list[bool]:
    heavy, powers = {**T3, "cut": 30.0}, (0.1, 1.0, 3.0, 9.2, 22.0)
    print(f"\nE[V] at {powers} nats, t3 cut at 30")
    curves = {}
    for name, behaviour, rho in (
        ("tilt", "honest", 0.0),
        ("quantilizer", "quantilizing", 0.0),
        ("best of n", "best-of-n", 0.0),
        ("tilt, correlation -0.3", "honest", -0.3),
    ):
        gains = [act(power, heavy, behaviour, panels=16, correlation=rho) for power in powers]
        curves[name] = np.diff(gains)
        print(f"  {name:24s}", *(f"{gain:8.4f}" for gain in gains))
    falls = [bool(np.any(steps < 0.0)) for steps in curves.values()]
    print(f"  falls somewhere: {falls} (should be only the last three)")
    return [falls == [False, True, True, True]]


def box() -> list[bool]:
    run = sumabm.simulate("goodhart-constrained", overrides={"world.points": 2**16})
    u, v = np.array([1.0, 0.1]), np.array([1.0, -0.3])
    mean, nats = theory.box_tilt(u, np.geomspace(0.01, 1e4, 100_001))
    power = run["power"].sel(agent="X").values[0]
    exact = np.interp(power, nats, mean @ v)
    found = run["welfare"].values[0] * np.sqrt(v @ v / 3.0)
    off = float(np.abs(found - exact).max())
    print(f"\nbox: E[V] {' '.join(f'{value:.3f}' for value in found)}")
    print(f"  largest difference from the exact integrals {off:.1e} (limit 1e-3)")
    wrong = float(np.abs(found - np.interp(power, nats, mean @ u)).max())
    print(f"  negative control, another utility: {wrong:.2f} (should exceed the limit)")
    return [off <= 1e-3 < wrong, bool(found.argmax() < found.size - 1)]


def main() -> int:
    print(f"{'':58s} {'published':>15s} {'found':>15s} {'off':>8s}")
    good = [*tilts(), *conditioned()]
    off = abs(act(1.01, {**T3, "cut": 10.0}) - 0.5590257833)
    print(f"  negative control, 1 % more power: off by {off:.1e} (should exceed the limit)")
    good += [off > 1e-7, *rises_and_falls(), *box()]
    print(f"{sum(good)} of {len(good)} hold")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
