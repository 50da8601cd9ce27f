"""A step of a single run beside one of a Mesa model that does nothing.

On one thread; ratios within each repeat of one run.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import ensembles
from benchmarks.timing import judged

if __name__ == "__main__":
    sys.exit(judged(ensembles.single()))
