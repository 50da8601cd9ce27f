"""The one array type that every room speaks."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
"""float64; in shapes, ``R`` is the replicate axis and ``d`` the dimensions."""
