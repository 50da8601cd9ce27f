"""Harm in training counted otherwise than the essay does, from the same runs, and expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from sumabm import sphere, theory
from sumabm.reproduce.estimates import at
from sumabm.types import Array


class Choice(NamedTuple):
    """A way to count harm: the essay's but for what is given."""

    name: str
    response: str = "undo"
    measure: str = "regret"
    p: float = 1.0
    variable: float = 1.0
    fragility: float = 1.0
    cap: bool = True


ESSAY = Choice("as in the essay")
VARIABLES = (
    Choice("integrated over √D", variable=0.5),
    Choice("integrated over D²", variable=2.0),
)
FRAGILE = tuple(
    Choice(f"fragility {name}", fragility=m) for name, m in (("√φ", 0.5), ("φ²", 2.0), ("φ³", 3.0))
)
RESPONSES = (
    Choice("humans do nothing", response="none"),
    Choice("humans act on their own utility", response="own-utility"),
    Choice("humans undo what harms them", response="undo-harm"),
)
CHOICES = (
    ESSAY,
    Choice("amplitudes, p = ½", p=0.5),
    *VARIABLES,
    *FRAGILE,
    Choice("no cap on what is learnt", cap=False),
    *RESPONSES,
    Choice("orthogonal part of the act", measure="orthogonal"),
    Choice("loss of utility", measure="utility-loss"),
)
"""What the essay chooses, and other choices, one at a time."""


class Harms(NamedTuple):
    """Harm in training at a ratio of powers: that of each run, and its expectation."""

    runs: Array  # (replicate,)
    told: float


AMPLITUDES: dict[str, Callable[[Array, float], Array]] = {
    "own-utility": lambda c, a: np.sqrt(a * a + 1.0 + 2.0 * a * c) - (a * c + 1.0),
    "undo-harm": lambda c, a: (1.0 - c) * np.where(c < 0.0, max(a - 1.0, 0.0), a),
}
"""Regret that a response leaves at alignment c, ``a = sqrt(O_X/O_Y)``, where O_Y is 1 nat."""

_HALF, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_COSINES = np.concatenate([0.5 * (_HALF - 1.0), 0.5 * (_HALF + 1.0)])  # there may be a jump at 0


def trained(data: Mapping[str, xr.Dataset], choice: Choice, d: int, ratio: float) -> Harms:
    """Return ``Σ h^p ΔV``, ``V = (D/ι)^w``, over training, and its expectation; O_Y is 1 nat.

    Runs have powers that make training last 256 steps; harm is in units of their O_Y.
    """
    where: dict[str, object] = {"d": d, "ratio": ratio}
    if choice.cap:
        where |= {"agents__Y__response": choice.response, "scenario__harm": choice.measure}
    runs = data["essay-choices" if choice.cap else "essay-uncapped"]
    budgets = at(runs, "budget.W", **where)[:, 0]  # the same in every replicate
    edit = budgets[1]
    human = edit / (min(ratio, 1.0) if choice.cap else ratio)
    variable = (np.append(budgets, budgets[-1] + edit) * human / edit) ** choice.variable
    harms = at(runs, "harm_amplitude", **where) / np.sqrt(human)
    amplitude = np.sqrt(ratio)
    if choice.response == "undo":
        amplitude = float(theory.residual(ratio, 1.0))
    if choice.fragility != 1.0 and amplitude > 0.0:
        harms = amplitude * (harms / amplitude) ** choice.fragility
    per_step = harms ** (2.0 * choice.p)
    told = _expected(choice, d, budgets, amplitude) @ np.diff(variable)
    return Harms(np.diff(variable) @ per_step, float(told))


def _expected(choice: Choice, d: int, budgets: Array, amplitude: float) -> Array:
    """Return the expected ``h^p`` of each step: of an amplitude, or of humans who act on it."""
    if choice.response not in AMPLITUDES:
        amplitudes = np.full(budgets.size, amplitude)
        m = choice.fragility
        return theory.expected_harm(d, budgets, amplitudes, choice.measure, choice.p, m)
    kappa = np.asarray(sphere.concentration(d, nats=budgets))[:, None]
    log_density = 0.5 * (d - 3.0) * np.log1p(-(_COSINES**2)) + kappa * _COSINES
    weights = np.exp(log_density - log_density.max(axis=1, keepdims=True)) * np.tile(_WEIGHTS, 2)
    harm = AMPLITUDES[choice.response](_COSINES, amplitude) ** (2.0 * choice.p)
    return np.asarray((weights * harm).sum(axis=1) / weights.sum(axis=1))
