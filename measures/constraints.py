"""constraints.txt anew: the exact version of every package that this environment needs for sumabm.

`make constraints` writes it from the environment that the tests ran in, so that
``pip install --constraint constraints.txt sumabm`` gives exactly these. It names no registry.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("browser", "cluster", "discovery")
"""What users install; the tools of developers may be any."""
HEAD = """\
# Exact versions of all that sumabm needs, its extras for users included: `make constraints`.
# Made on Python {python}. pip install --constraint constraints.txt sumabm
"""


def direct() -> list[str]:
    """Return what pyproject.toml asks for, with the extras of users."""
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = facts["optional-dependencies"]
    return [*facts["dependencies"], *(text for name in EXTRAS for text in extras[name])]


def needed(requirements: list[str]) -> dict[str, str]:
    """Return the versions that are installed of these requirements and of what they need."""
    found: dict[str, str] = {}
    waiting, asked = [Requirement(text) for text in requirements], set()
    while waiting:
        need = waiting.pop()
        if str(need) in asked:
            continue
        asked.add(str(need))
        here = distribution(need.name)
        found[canonicalize_name(need.name)] = here.version
        for further in map(Requirement, here.requires or ()):
            marker = further.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in ("", *need.extras)):
                waiting.append(further)
    return found


def main() -> int:
    python = ".".join(map(str, sys.version_info[:2]))
    lines = [f"{name}=={version}" for name, version in sorted(needed(direct()).items())]
    text = HEAD.format(python=python) + "\n".join(lines) + "\n"
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
