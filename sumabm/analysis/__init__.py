"""Analysis: what the runs of a battery say, each number with its uncertainty.

All take the labelled arrays that `sumabm.simulate`, `sumabm.open_run` and
`sumabm.battery.results.open_battery` return.
"""

from __future__ import annotations

from sumabm.analysis.comparison import compare
from sumabm.analysis.discovery import Among, Between, Box, discover
from sumabm.analysis.flips import flips
from sumabm.analysis.grids import to_grid
from sumabm.analysis.outcomes import column, columns
from sumabm.analysis.sensitivity import morris, sobol
from sumabm.analysis.statistics import statistics
from sumabm.analysis.threshold import Threshold, find_threshold, scenario_threshold
from sumabm.recorder import end_values

__all__ = [
    "Among",
    "Between",
    "Box",
    "Threshold",
    "column",
    "columns",
    "compare",
    "discover",
    "end_values",
    "find_threshold",
    "flips",
    "morris",
    "scenario_threshold",
    "sobol",
    "statistics",
    "to_grid",
]
