"""What the server was started with, for the pages that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Config:
    """The folder of runs, and a scenario file of the user's, if one was named."""

    runs: Path = Path("runs")
    scenario: Path | None = None

    @property
    def data(self) -> list[Path]:
        """Folders in which a user's scenario may have data files, besides ours."""
        return [] if self.scenario is None else [self.scenario.parent]


config = Config()
"""Of this process: one server, one folder."""
