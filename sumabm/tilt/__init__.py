"""Pure array functions: the power-limited tilt and its kin. Imports nothing of ours but a type.

Every function takes and gives arrays with a leading replicate axis and does each row by itself,
bit for bit the same alone or among ten thousand.
"""

from sumabm.tilt.discrete import deviation, discrete_tilt, expect, joint_tilt, kl, stride
from sumabm.tilt.gaussian import LinearTilt, linear_tilt, linear_tilts, stride_towards, times
from sumabm.tilt.measures import optimum, price
from sumabm.tilt.rules import best_of_n, best_of_power, quantilize, quantilize_fraction
from sumabm.tilt.shifts import shift_price, shift_within

__all__ = [
    "LinearTilt",
    "best_of_n",
    "best_of_power",
    "deviation",
    "discrete_tilt",
    "expect",
    "joint_tilt",
    "kl",
    "linear_tilt",
    "linear_tilts",
    "optimum",
    "price",
    "quantilize",
    "quantilize_fraction",
    "shift_price",
    "shift_within",
    "stride",
    "stride_towards",
    "times",
]
