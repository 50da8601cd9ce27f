"""The command line.

Only typer is imported to start; the simulator, rich and matplotlib come when a command needs them.
"""

from __future__ import annotations

from sumabm.cli import (
    analyses,
    batteries,
    browsing,
    citing,
    describing,
    making,
    reproduction,
    science,
    single,
)
from sumabm.cli.app import MisuseError, app, stop

__all__ = [
    "analyses",
    "app",
    "batteries",
    "browsing",
    "citing",
    "describing",
    "main",
    "making",
    "reproduction",
    "science",
    "single",
]


def main() -> None:
    """Run the command line; bad input exits with 2, an interruption with 130, others with 1."""
    try:
        app()
    except Exception as error:
        from sumabm.files import RunError
        from sumabm.toml import ScenarioError

        if isinstance(error, ScenarioError | MisuseError):
            stop(str(error), 2)
        if isinstance(error, RunError):
            stop(str(error), 1)
        if isinstance(error, MemoryError):
            stop(f"not enough memory: {error}", 1)
        raise
