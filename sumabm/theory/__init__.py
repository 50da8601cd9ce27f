"""Closed forms: what the simulator must agree with. Knows nothing of the simulator.

Powers and budgets are nats, ``p`` is the power of harm that is summed: ½ for amplitudes, 1 for
nats. ``measure`` names the harm: "regret", "orthogonal" or "utility-loss"; or is its shape, as
`narrow_shape` gives one. Arguments broadcast.

* `law`: the alignment of random utilities, before and after optimisation: `cosine_density`,
  `alignment`, `mean_power`.
* `cost`: nats that an alignment costs: `alignment_cost`, its limit, `cost_per_dimension`.
* `training`: harm until the AI is aligned: `training_harm`, step by step `expected_harm` and
  `left_sum`; the powers and dimensions at which it gets intolerable: `residual`,
  `threshold_power`, `power_ratio`, `intolerable_dimensions`; `fragility_factor`.
* `fragility`: what humans bear of it: `narrow_shape`, `narrow_factor`, `narrowed_dimensions`.
* `scaling`: harm as AI power grows: `scaled_harm`, `harm_slope`, `local_slope`.
* `information`: what one action reveals: `action_information`, `action_alignment`,
  `information_bound`, `largest_uniform_radius`.
* `looking`: the Bayesian aligner: `bayesian_alignment`, `bayesian_information`,
  `expected_alignment`, `looked_nats`, `bayesian_expected_harm`, `bayesian_training_harm`.
* `dimensions`: what some dimensions tell of all, and what new ones undo: `mean_length`,
  `sandbox_alignment`, `sandbox_expected_alignment`, `left_turn_alignment`, `left_turn_spread`;
  looks counted twice: `replayed_alignment`.
* `deception`: the aligner deceived: `masked_concentration`, `mistaken_alignment`,
  `unmasked_alignment`, `resisted_alignment`, `resisted_looking`.
* `goodhart`: what a tilt by a proxy is worth: `proxy_alignment`, `proxy_gain`, `ball_gain`,
  `box_tilt`.
* `causal`: acting through some nodes of a causal model: `causal_covariance`, `causal_effects`;
  what it gains: `evidential_gain`, `soft_gain`, `actuator_share`, `severing_cost`, `hard_gain`,
  `news_belief`, `news_gain`.
* `learning`: an AI that learns what humans want, and waits until it is certain: `certain_share`,
  `cooperative_expected_harm`; or what its actions earn: `explored_alignment`.
* `networks`: subagents that hand goals down: `series_alignment`, `parallel_alignment`,
  `subagent_alignments`, `network_alignment`; discovered as it runs: `discovered_alignment`,
  `discovery_alignment`, `discovery_alignments`.
* `off_switch`: what an AI gains by letting humans decide: `deference_gain`, exact at finite d
  `aim_deference_gain`.
* `preference`: what ratings of pairs tell: `pair_information`, `pair_precision`,
  `preference_alignment`.
* `society`: many agents: `effective_power`, `consensus_weights`; their `arms_race`, and the
  `arms_race_end` that it has.
"""

from sumabm.theory.causal import (
    actuator_share,
    causal_covariance,
    causal_effects,
    evidential_gain,
    hard_gain,
    news_belief,
    news_gain,
    severing_cost,
    soft_gain,
)
from sumabm.theory.cost import alignment_cost, alignment_cost_limit, cost_per_dimension
from sumabm.theory.deception import (
    masked_concentration,
    mistaken_alignment,
    resisted_alignment,
    resisted_looking,
    unmasked_alignment,
)
from sumabm.theory.dimensions import (
    left_turn_alignment,
    left_turn_spread,
    mean_length,
    replayed_alignment,
    sandbox_alignment,
    sandbox_expected_alignment,
)
from sumabm.theory.fragility import narrow_factor, narrow_shape, narrowed_dimensions
from sumabm.theory.goodhart import ball_gain, box_tilt, proxy_alignment, proxy_gain
from sumabm.theory.information import (
    action_alignment,
    action_information,
    information_bound,
    largest_uniform_radius,
)
from sumabm.theory.law import alignment, cosine_density, mean_power
from sumabm.theory.learning import (
    certain_share,
    cooperative_expected_harm,
    explored_alignment,
)
from sumabm.theory.looking import (
    bayesian_alignment,
    bayesian_expected_harm,
    bayesian_information,
    bayesian_training_harm,
    expected_alignment,
    looked_nats,
)
from sumabm.theory.networks import (
    discovered_alignment,
    discovery_alignment,
    discovery_alignments,
    network_alignment,
    parallel_alignment,
    series_alignment,
    subagent_alignments,
)
from sumabm.theory.off_switch import aim_deference_gain, deference_gain
from sumabm.theory.preference import pair_information, pair_precision, preference_alignment
from sumabm.theory.scaling import harm_slope, local_slope, scaled_harm
from sumabm.theory.society import (
    arms_race,
    arms_race_end,
    consensus_weights,
    effective_power,
)
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
    "actuator_share",
    "aim_deference_gain",
    "alignment",
    "alignment_cost",
    "alignment_cost_limit",
    "arms_race",
    "arms_race_end",
    "ball_gain",
    "bayesian_alignment",
    "bayesian_expected_harm",
    "bayesian_information",
    "bayesian_training_harm",
    "box_tilt",
    "causal_covariance",
    "causal_effects",
    "certain_share",
    "consensus_weights",
    "cooperative_expected_harm",
    "cosine_density",
    "cost_per_dimension",
    "deference_gain",
    "discovered_alignment",
    "discovery_alignment",
    "discovery_alignments",
    "effective_power",
    "evidential_gain",
    "expected_alignment",
    "expected_harm",
    "explored_alignment",
    "fragility_factor",
    "hard_gain",
    "harm_slope",
    "information_bound",
    "intolerable_dimensions",
    "largest_uniform_radius",
    "left_sum",
    "left_turn_alignment",
    "left_turn_spread",
    "local_slope",
    "looked_nats",
    "masked_concentration",
    "mean_length",
    "mean_power",
    "mistaken_alignment",
    "narrow_factor",
    "narrow_shape",
    "narrowed_dimensions",
    "network_alignment",
    "news_belief",
    "news_gain",
    "pair_information",
    "pair_precision",
    "parallel_alignment",
    "power_ratio",
    "preference_alignment",
    "proxy_alignment",
    "proxy_gain",
    "replayed_alignment",
    "residual",
    "resisted_alignment",
    "resisted_looking",
    "sandbox_alignment",
    "sandbox_expected_alignment",
    "scaled_harm",
    "series_alignment",
    "severing_cost",
    "soft_gain",
    "subagent_alignments",
    "threshold_power",
    "training_harm",
    "unmasked_alignment",
]
