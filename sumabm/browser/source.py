"""Which scenario an address means: a shipped one, the user's own file or one that came along."""

from __future__ import annotations

from collections.abc import Iterator
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


def base_of(address: Address) -> Scenario:
    """Return the scenario of an address before its overrides; raises ScenarioError.

    One that came along may name the data files of shipped scenarios, and no others.
    """
    if address.text:
        return read_scenario(address.text, "the scenario of this page", library())
    if config.scenario is not None and address.scenario == config.scenario.name:
        return load_scenario(config.scenario)
    if address.scenario not in names():
        problem = unknown("scenario", address.scenario[:80], names()).message()
        raise ScenarioError("the address", [problem])
    return load_scenario(address.scenario)


def scenario_of(address: Address) -> Scenario:
    """Return the scenario of an address; raises ScenarioError.

    Overrides may name the data files of shipped scenarios and those that the scenario names itself.
    """
    base = base_of(address)
    if not address.overrides:
        return base
    return base.replace(address.overrides, library(), fence=[library(), *_files(base.model_dump())])


def _files(value: object) -> Iterator[Path]:
    """Yield the files that a scenario's table names: they are there as absolute paths."""
    if isinstance(value, str) and Path(value).is_absolute():
        yield Path(value)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _files(entry)
