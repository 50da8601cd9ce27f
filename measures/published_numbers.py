"""Published numbers through worlds and agents: all agree, in less than a minute on one core."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 60.0  # seconds


def main() -> int:
    command = [sys.executable, "-m", "sumabm", "validate-science"]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **one})
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime  # whatever else the machine does
    print(f"{seconds:.0f} s on one core; at most {LIMIT:.0f}")
    return done.returncode or int(seconds > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
