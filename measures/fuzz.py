"""100 000 mutated files through every reader: success or the project's own error, within 5 s each.

Scenarios, overrides, batteries, manifests, stored runs and batteries, data files: bytes, structure,
types, huge numbers, odd texts, deep nesting, damaged Parquet with checksums that fit. Under 6
minutes of one core. Arguments: how many cases, and the seed.
"""

from __future__ import annotations

import runpy
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEMORY = Path("/dev/shm")
CASES, MINUTES = 100_000, 6.0


def main(arguments: list[str]) -> int:
    cases = int(arguments[0]) if arguments else CASES
    seed = int(arguments[1]) if len(arguments) > 1 else 0
    fuzzing: dict[str, Any] = runpy.run_path(str(ROOT / "tests" / "fuzzing.py"))
    began, spent = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        counts, wrong = fuzzing["fuzz"](Path(folder), cases, seed)
    minutes, core = (time.perf_counter() - began) / 60, (time.process_time() - spent) / 60
    for (reader, ended), number in sorted(counts.items()):
        print(f"{reader:16} {ended:8} {number:7}")
    print(f"{cases} cases in {minutes:.1f} min, {core:.1f} min of one core (limit {MINUTES:g})")
    for case in wrong[:20]:
        print(f"WRONG: {case}")
    print(f"{len(wrong)} ended in another way than success or the project's own error")
    return 1 if wrong or core > MINUTES else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
