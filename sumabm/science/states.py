"""Worlds of one quantity: states and their probabilities, as a quadrature or as equal bins."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from sumabm.laws import Law, Panels
from sumabm.types import Array
from sumabm.worlds.discrete import DiscreteWorld


def on_panels(law: Law, edges: Array) -> tuple[Array, DiscreteWorld]:
    """Return states ``(N,)`` and their world: panels between ``edges``, means by quadrature."""
    panels = Panels.between(edges)
    states = panels.nodes.ravel()
    mass = panels.weights.ravel() * law.density(states)
    return states, DiscreteWorld(mass / mass.sum())


def normal_bins(count: int) -> tuple[Array, DiscreteWorld]:
    """Return the means ``(count,)`` of equally likely bins of N(0, 1), and their world."""
    edges = ndtri(np.arange(count + 1) / count)
    density = np.exp(-0.5 * edges**2) / np.sqrt(2.0 * np.pi)
    return -np.diff(density) * count, DiscreteWorld(np.full(count, 1.0 / count))
