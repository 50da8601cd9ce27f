"""Closed forms: what the simulator must agree with. Knows nothing of the simulator.

Powers and budgets are nats, ``p`` is the power of harm that is summed: ½ for amplitudes, 1 for
nats. ``measure`` names the harm: "regret", "orthogonal" or "utility-loss". Arguments broadcast.

* `law`: the alignment of random utilities, before and after optimisation: `cosine_density`,
  `alignment`, `mean_power`.
* `cost`: nats that an alignment costs: `alignment_cost`, its limit, `cost_per_dimension`.
* `training`: harm until the AI is aligned: `training_harm`, step by step `expected_harm` and
  `left_sum`; the powers and dimensions at which it gets intolerable: `residual`,
  `threshold_power`, `power_ratio`, `intolerable_dimensions`; `fragility_factor`.
* `scaling`: harm as AI power grows: `scaled_harm`, `harm_slope`, `local_slope`.
* `information`: what one action reveals: `action_information`, `action_alignment`,
  `information_bound`, `largest_uniform_radius`.
* `looking`: the Bayesian aligner: `bayesian_alignment`, `bayesian_information`,
  `expected_alignment`, `looked_nats`, `bayesian_expected_harm`, `bayesian_training_harm`.
"""

from sumabm.theory.cost import alignment_cost, alignment_cost_limit, cost_per_dimension
from sumabm.theory.information import (
    action_alignment,
    action_information,
    information_bound,
    largest_uniform_radius,
)
from sumabm.theory.law import alignment, cosine_density, mean_power
from sumabm.theory.looking import (
    bayesian_alignment,
    bayesian_expected_harm,
    bayesian_information,
    bayesian_training_harm,
    expected_alignment,
    looked_nats,
)
from sumabm.theory.scaling import harm_slope, local_slope, scaled_harm
from sumabm.theory.training import (
    expected_harm,
    fragility_factor,
    intolerable_dimensions,
    left_sum,
    power_ratio,
    residual,
    threshold_power,
    training_harm,
)

__all__ = [
    "action_alignment",
    "action_information",
    "alignment",
    "alignment_cost",
    "alignment_cost_limit",
    "bayesian_alignment",
    "bayesian_expected_harm",
    "bayesian_information",
    "bayesian_training_harm",
    "cosine_density",
    "cost_per_dimension",
    "expected_alignment",
    "expected_harm",
    "fragility_factor",
    "harm_slope",
    "information_bound",
    "intolerable_dimensions",
    "largest_uniform_radius",
    "left_sum",
    "local_slope",
    "looked_nats",
    "mean_power",
    "power_ratio",
    "residual",
    "scaled_harm",
    "threshold_power",
    "training_harm",
]
