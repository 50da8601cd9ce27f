"""A new origin as a user would write it: `sumabm new`, one file, one entry point, no change to us.

In a fresh virtual environment with the wheels of sumabm and of the new package: it is in `sumabm
list`, validates in a scenario file, runs, passes the shipped conformance suite and is a choice
among the browser's controls.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTROLS = """
from sumabm import load_scenario
from sumabm.browser.parameters.controls import controls
found = {c.path: c for c in controls(load_scenario("essay"))}
print("half-hearted" in found["agents.X.utility.kind"].choices)
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bin_ = folder / "venv" / "bin"

        def run(*command: str) -> str:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                print(done.stdout[-2000:], done.stderr[-2000:])
            done.check_returncode()
            return done.stdout

        run(sys.executable, "-m", "venv", str(folder / "venv"))
        run(str(bin_ / "pip"), "install", "--quiet", f"{ROOT}[browser]", "pytest")
        sumabm, python = str(bin_ / "sumabm"), str(bin_ / "python")
        run(sumabm, "new", "origin", "half-hearted")
        package = folder / "sumabm-half-hearted"
        run(str(bin_ / "pip"), "install", "--quiet", str(package))
        listed = json.loads(run(sumabm, "list", "--json"))["components"]["utility"]
        scenario = (ROOT / "scenarios" / "essay.toml").read_text(encoding="utf-8")
        mine = folder / "mine.toml"
        plain = '{ kind = "fixed", direction = "random" }'
        mine.write_text(scenario.replace(plain, '{ kind = "half-hearted", own = 0.3 }', 1))
        verdicts = {
            "listed": any(entry["kind"] == "half-hearted" for entry in listed),
            "valid": "valid" in run(sumabm, "validate", "mine.toml"),
            "runs": "stored" in run(sumabm, "run", "mine.toml", "--replicates", "3"),
            "conforms": "passed" in run(python, "-m", "pytest", "-q", str(package)),
            "a choice in the browser": run(python, "-c", CONTROLS).strip() == "True",
        }
    for what, met in verdicts.items():
        print(f"{what}: {'yes' if met else 'NO'}")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
