"""What aligners with a von Mises–Fisher belief on an AI's aim share: its price, edit and news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sumabm import sphere
from sumabm.aligners import Belief, Edit
from sumabm.aligners.blocks import direction
from sumabm.component import Objection
from sumabm.power import Power
from sumabm.turns import Rotation
from sumabm.types import Array
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


def affordable(ai: str, view: View, edit_power: Power | None) -> Array | float:
    """Return the nats of edit that ``ai`` gets this step: ι, unless an edit power is given."""
    return view.budget[ai] if edit_power is None else edit_power.nats(view.step)


def rotate(eta: Array, view: View, nats: Array | float) -> Edit:
    """Return the rotation of the belief's mean m towards v_Y that ``nats`` afford.

    By the largest δ up to their angle with ``κ A_d(κ)(1 − cos δ) ≤ nats``, the KL divergence of
    the rotated belief from ``eta (R, w)``; none where η = 0.
    """
    mean, kappa = direction(eta)
    price = kappa * sphere.mean_cosine(view.base.dimensions, kappa)
    whole = Rotation.onto(mean, view.goal)
    return Edit(*whole.within(price, nats))


def known(eta: Array, view: View) -> Belief:
    """Return ``KL(posterior‖prior) = D_d(κ)`` and the expected cosine ``A_d(κ) m·v_Y``."""
    d = view.base.dimensions
    kappa = np.sqrt(np.vecdot(eta, eta))
    along = np.vecdot(eta, view.goal) / np.where(kappa > 0.0, kappa, 1.0)
    cosine = sphere.mean_cosine(d, kappa) * along
    return Belief(np.asarray(sphere.nats(d, kappa=kappa)), cosine)


def not_followed(
    scenario: Scenario, agent: str | None, ais: tuple[str, ...]
) -> Iterator[Objection]:
    """Refuse aligners that nudge any of these AIs: a nudge does not tell where it turns."""
    for other in scenario.names("aligner"):
        if not scenario.population[other].method.nudges:  # type: ignore[attr-defined]
            continue
        if followed := sorted(set(scenario.overseen(other)) & set(ais)):
            listed = ", ".join(followed)
            rule = f"cannot follow the edits that the aligner {other} makes to {listed}"
            yield Objection((), rule, agent)
