"""Rerun every measure: `make measures`. Exits non-zero when one falls short.

`fresh_clone` (clones, installs, tests) comes last; name scripts to run only those.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_MEASURES = {"constraints", "matrix", "mutant_hooks", "mutations", "oldest", "plugin", "run_all"}


def main(chosen: list[str]) -> int:
    names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_MEASURES)
    names.sort(key=lambda name: name == "fresh_clone")
    failed = []
    for name in chosen or names:
        print(f"== {name}", flush=True)
        began = time.perf_counter()
        done = subprocess.run([sys.executable, str(HERE / f"{name}.py")], cwd=HERE.parent)
        verdict = "met" if done.returncode == 0 else "FALLS SHORT"
        print(f"-- {name}: {verdict} ({time.perf_counter() - began:.0f} s)\n", flush=True)
        if done.returncode != 0:
            failed.append(name)
    print("all measures met" if not failed else f"fall short: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
