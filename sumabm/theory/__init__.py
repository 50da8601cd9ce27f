"""Closed forms: what the simulator must agree with. Knows nothing of the simulator.

Powers and budgets are nats, ``p`` is the power of harm that is summed: ½ for amplitudes, 1 for
nats. ``measure`` names the harm: "regret", "orthogonal" or "utility-loss".
"""

from sumabm.theory.law import alignment, mean_power
from sumabm.theory.looking import bayesian_alignment, bayesian_information
from sumabm.theory.training import left_sum, residual, training_harm

__all__ = [
    "alignment",
    "bayesian_alignment",
    "bayesian_information",
    "left_sum",
    "mean_power",
    "residual",
    "training_harm",
]
