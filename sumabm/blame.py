"""Whose doing the harm is: each AI's share of what all of them did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sumabm.harms import Harm
from sumabm.types import Array
from sumabm.view import View
from sumabm.worlds import World

_STRIDE = 1e-5  # of the displacement: halves the digits of a central difference


def blame(harm: Harm, utility: Array, view: View) -> Array:
    """Return ``A ∇A (R, w)``: its product with what an AI did is its share of the harm, in nats.

    A harm amplitude A that depends on a Gaussian world through the length of its whitened
    displacement δ, and its component along the utility, is homogeneous in δ: if ``δ = Σ δ_i``, then
    ``A = Σ ∇A · δ_i``, and ``A ∇A · δ_i`` is the Aumann–Shapley share of ``A²``
    [aumann-shapley-1974], what an AI's part of a joint rise of all parts adds. It is negative for
    an AI that does good. What humans do by themselves is no AI's.
    """
    away = view.world.shift(view.base)
    size = np.sqrt(np.vecdot(away, away))
    there = np.where(size > 0.0, size, 1.0)[:, None]
    along = away / there
    aim = view.base.whiten(utility)
    across = aim - np.vecdot(aim, along)[:, None] * along
    length = np.sqrt(np.vecdot(across, across))[:, None]
    across = np.where(length > _STRIDE, across / np.where(length > 0.0, length, 1.0), 0.0)
    amplitude = harm.amplitude(utility, view)
    slopes = (
        _slope(harm, utility, view, direction, _STRIDE * size)[:, None] * direction
        for direction in (along, across)
    )
    return np.asarray(amplitude[:, None] * sum(slopes))


def _slope(harm: Harm, utility: Array, view: View, direction: Array, stride: Array) -> Array:
    """Return the harm amplitude's derivative ``(R,)`` along a unit ``direction (R, w)``."""
    way = view.base.colour(direction)
    worlds: list[World] = [
        view.world.tilt(sign * way, 0.5 * stride**2).world for sign in (1.0, -1.0)
    ]
    up, down = (harm.amplitude(utility, replace(view, world=world)) for world in worlds)
    return (up - down) / np.where(stride > 0.0, 2.0 * stride, 1.0)
