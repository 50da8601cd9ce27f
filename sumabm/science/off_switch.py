"""The off-switch game: what an AI gains for humans by letting them decide whether it acts.

An AI of power d/2 moves a Gaussian world by sqrt(d), so that its act is worth N(0, 1) to humans as
d → ∞ if its aim is random. A mean of 1 comes from a budget aligner's first step: its aim is von
Mises–Fisher then, and its act worth N(1, 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sumabm import sphere, theory
from sumabm.recorder import simulate
from sumabm.science.claims import Claim, Estimate
from sumabm.types import Array

TITLE = "The off-switch game"
D = 300
"""Dimensions: worths are normal up to 1/d."""
LEARNT = float(sphere.mean_cosine(D, np.sqrt(D)))
"""What κ = sqrt(d) makes of a cosine, so that μ = σ to order 1/d."""


def play(mean: int, behaviour: Any, replicates: int = 10_000) -> tuple[Array, NDArray[np.bool_]]:
    """Return what acts of worth N(``mean``, 1) were worth, and whether they were made, ``(R,)``.

    ``mean`` is 0 or 1.
    """
    changes = {
        "harm": "regret",
        "world": {"kind": "gaussian", "dimensions": D},
        "agents.X.power": D / 2,
        "agents.X.behaviour": behaviour,
        "agents.Y.power": float(sphere.nats(D, LEARNT)),  # what the aligner has to spend
        "agents.Y.response": "none",
    }
    run = simulate("essay", replicates, 11, 1 + mean, changes).isel(step=-1)
    return run["welfare_acted"].values, run["spent"].sel(agent="X").values > 0.0


def switch(noise: float, expects: float) -> dict[str, Any]:
    """Return the behaviour of an AI that expects a cosine of ``expects``; humans err by ``noise``.

    One that expects 0 always defers.
    """
    return {"kind": "off-switch", "human_noise": noise, "expects": expects}


def _deferred(mean: int, noise: float) -> Estimate:
    worth, _ = play(mean, switch(noise, 0.0))
    return Estimate.of(worth - max(mean, 0))


def _gain(mean: float, noise: float) -> float:
    return float(theory.deference_gain(mean, 1.0, noise))


def _claims() -> Iterator[Claim]:
    claim = partial(Claim, "hadfield-menell-2017")
    for mean, noise, gain in (
        (0, 0.0, "0.39894228040143"),
        (1, 0.0, "0.083315470587686"),
        (0, 1.0, "0.2066209641419"),
        (1, 1.0, "-0.1253219496915"),
    ):
        at = f"U ~ N({mean}, 1), noise {noise:g}"
        yield claim(f"gain by deferring, {at}: agents", gain, partial(_deferred, mean, noise))
        yield claim(f"gain by deferring, {at}: closed form", gain, partial(_gain, mean, noise))
    yield claim(
        "gain by deferring at σ² = 2|μ|b, U ~ N(1, 1)",
        "0",
        partial(_gain, 1.0, 0.5),
        tolerance=1e-12,
        because="rounding",
    )


CLAIMS = tuple(_claims())
