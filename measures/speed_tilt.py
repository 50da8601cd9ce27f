"""A tilt costs a few softmaxes of its array, and a fraction of what a user would write instead.

Right to 1e-12 of its power; on one thread; ratios within each repeat of one run.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import tilt
from benchmarks.timing import judged

ERROR = 1e-12


def main() -> int:
    error = tilt.worst_error()
    print(f"nats spent differ from the power by {error:.2g} of it at most (limit {ERROR:g})")
    return int(judged(tilt.cases()) or error > ERROR)


if __name__ == "__main__":
    sys.exit(main())
