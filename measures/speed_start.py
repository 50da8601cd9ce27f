"""Imports, the command's help and a first run beside the libraries they need.

On one thread; ratios within each repeat of one run.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import starting
from benchmarks.timing import judged

if __name__ == "__main__":
    sys.exit(judged(starting.cases()))
