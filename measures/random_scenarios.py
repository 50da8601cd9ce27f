"""500 random valid scenarios, 20 steps each: no error, no NaN, no power limit broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests" / "test_random_scenarios.py"


def main() -> int:
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "--no-header", str(TESTS)])
    print("500 random scenarios run" if done.returncode == 0 else "random scenarios fail")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
