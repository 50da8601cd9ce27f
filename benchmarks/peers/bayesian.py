"""The scenario `bayesian` in plain Mesa: an aligner that samples each act and rotates the AI."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.essay import mean_cosine, spent
from benchmarks.peers.society import Aligner, Society
from sumabm.types import Array


class BayesianAligner(Aligner):
    """Believes a von Mises–Fisher law of the AI's utility, ``eta`` its mean times κ."""

    def __init__(self, model: Society) -> None:
        super().__init__(model)
        self.eta = np.zeros(model.dimensions)

    def step(self) -> None:
        """Look at the act, then turn the AI by what ``min(O_X, O_Y)`` nats afford."""
        model = self.model
        amplitude = np.sqrt(2.0 * model.ai.power)
        seen = model.mean + model.rng.standard_normal(model.dimensions)
        self.eta = self.eta + amplitude * seen
        goal = model.human.utility
        kappa = float(np.linalg.norm(self.eta))
        mean = self.eta / kappa
        price = kappa * mean_cosine(model.dimensions, kappa)
        along = goal @ mean
        across = goal - along * mean
        sine = np.linalg.norm(across)
        across = across / sine
        nats = min(model.ai.power, model.human.power)
        affordable = np.arccos(max(1.0 - nats / price, -1.0))
        angle = min(np.arctan2(sine, along), affordable)
        self.spent = price * (1.0 - np.cos(angle))
        self.eta = turned(self.eta, mean, across, angle)
        model.ai.utility = turned(model.ai.utility, mean, across, angle)
        self.information = spent(model.dimensions, kappa)
        self.believed = price / kappa**2 * (self.eta @ goal)


class Bayesian(Society):
    """One replicate of `bayesian`."""

    aligner_class = BayesianAligner


def turned(vector: Array, first: Array, second: Array, angle: float) -> Array:
    """Return a vector turned by an angle from ``first`` to ``second``, which are orthonormal."""
    along, across = vector @ first, vector @ second
    cosine, sine = np.cos(angle), np.sin(angle)
    to_first = (cosine - 1.0) * along - sine * across
    to_second = (cosine - 1.0) * across + sine * along
    return np.asarray(vector + to_first * first + to_second * second)
