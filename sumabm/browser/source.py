"""Which scenario an address means: a shipped one, the user's own file or one that came along."""

from __future__ import annotations

from pathlib import Path

from sumabm.browser.address import Address
from sumabm.browser.config import config
from sumabm.component import unknown
from sumabm.scenario import Scenario, library, load_scenario, read_scenario
from sumabm.toml import ScenarioError


def names() -> list[str]:
    """Return the scenarios that a page offers: the user's file, if one was named, and ours."""
    shipped = sorted(path.stem for path in library().glob("*.toml"))
    return [config.scenario.name, *shipped] if config.scenario is not None else shipped


def base_of(address: Address) -> tuple[Scenario, Path]:
    """Return the scenario of an address before its overrides, and the folder of its data files.

    A data file outside that folder is refused. Raises ScenarioError.
    """
    if address.text:
        return read_scenario(address.text, "the scenario of this page", library()), library()
    if config.scenario is not None and address.scenario == config.scenario.name:
        return load_scenario(config.scenario), config.scenario.parent
    if address.scenario not in names():
        problem = unknown("scenario", address.scenario[:80], names()).message()
        raise ScenarioError("the address", [problem])
    return load_scenario(address.scenario), library()


def scenario_of(address: Address) -> Scenario:
    """Return the scenario of an address; raises ScenarioError."""
    base, folder = base_of(address)
    return base.replace(address.overrides, folder, fence=folder) if address.overrides else base
