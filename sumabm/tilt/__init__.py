"""Pure array functions: the power-limited tilt and its kin. Imports nothing of ours but a type.

Every function takes and gives arrays with a leading replicate axis and does each row by itself,
bit for bit the same alone or among ten thousand.
"""

from sumabm.tilt.gaussian import LinearTilt, linear_tilt, stride_towards, times

__all__ = ["LinearTilt", "linear_tilt", "stride_towards", "times"]
