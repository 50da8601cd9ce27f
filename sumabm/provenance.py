"""What a run should say of how it came about: code, versions, machine."""

from __future__ import annotations

import datetime
import functools
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from sumabm.component import Component
from sumabm.scenario import Scenario

_PACKAGES = ("sumabm", "mesa", "numpy", "scipy", "pyarrow", "pydantic", "xarray")


def provenance(scenario: Scenario) -> dict[str, Any]:
    """Return a manifest's entries on commit, versions, machine, time and literature."""
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        **platform_facts(),
        "cites": citations(scenario),
    }


@functools.cache
def platform_facts() -> dict[str, Any]:
    """Return versions and machine: where they are equal, so is every bit of a result."""
    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {"system": platform.system(), "processor": platform.machine(), **_dispatch()},
    }


def citations(scenario: Scenario) -> list[str]:
    """Return the bibliography keys of the components that a scenario uses."""
    parts: list[Component] = [part for _, _, part in scenario.components()]
    return sorted({key for part in parts for key in part.cites})


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _dispatch() -> dict[str, Any]:
    """Return what changes the last bit of results between machines: SIMD level and BLAS."""
    config: dict[str, Any] = np.show_config(mode="dicts")  # type: ignore[assignment]
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "simd": config.get("SIMD Extensions", {}).get("found", []),
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
    }


def _commit() -> dict[str, Any] | None:
    """Return the commit of the checkout that runs and whether it is dirty; None outside one."""
    here = Path(__file__).resolve().parent
    if not (here.parent / ".git").exists():
        return None
    try:
        return {"id": _git(here, "rev-parse", "HEAD"), "dirty": bool(_git(here, "status", "-s"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(here: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(here), *words], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()
