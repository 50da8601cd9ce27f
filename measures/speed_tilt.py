"""A tilt costs a few softmaxes of its array, and a fraction of what a user would write instead.

Right to 1e-12 of its power; on one thread; ratios within each repeat of one run.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import tilt
from benchmarks.peers import tilts
from benchmarks.timing import judged
from sumabm.tilt.discrete import discrete_tilt

ERROR, CONIC = 1e-12, 1e-4


def main() -> int:
    error = tilt.worst_error()
    print(f"nats spent differ from the power by {error:.2g} of it at most (limit {ERROR:g})")
    log_p, utility = tilt.tables((50,))
    ours = np.exp(discrete_tilt(log_p, utility, 0.5).log_q)
    away = float(np.abs(tilts.by_cvxpy(log_p, utility, 0.5) - ours).max())
    print(f"Clarabel's probabilities differ by {away:.2g} at most (limit {CONIC:g})")
    return int(judged(tilt.cases()) or error > ERROR or away > CONIC)


if __name__ == "__main__":
    sys.exit(main())
