"""sumabm: the simulator of Statistical Utility Mechanics.

The world is a probability distribution; an agent with power O moves it by the tilt that gains the
agent most utility within KL divergence O. These are the public names; everything else may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sumabm import analysis, sphere, theory
    from sumabm.analysis import compare
    from sumabm.battery.results import open_battery
    from sumabm.battery.run import run_battery
    from sumabm.battery.spec import load_battery
    from sumabm.model import SUMModel
    from sumabm.recorder import simulate
    from sumabm.runs import open_run
    from sumabm.scenario import Scenario, load_scenario
    from sumabm.toml import ScenarioError
    from sumabm.worlds.causal import CausalWorld
    from sumabm.worlds.discrete import DiscreteWorld
    from sumabm.worlds.gaussian import GaussianWorld
    from sumabm.worlds.normal import NormalWorld, Quadratic

__version__ = "0.1.0"

_HOMES = {
    "CausalWorld": "sumabm.worlds.causal",
    "DiscreteWorld": "sumabm.worlds.discrete",
    "GaussianWorld": "sumabm.worlds.gaussian",
    "NormalWorld": "sumabm.worlds.normal",
    "Quadratic": "sumabm.worlds.normal",
    "SUMModel": "sumabm.model",
    "Scenario": "sumabm.scenario",
    "ScenarioError": "sumabm.toml",
    "analysis": "",
    "compare": "sumabm.analysis",
    "load_battery": "sumabm.battery.spec",
    "load_scenario": "sumabm.scenario",
    "open_battery": "sumabm.battery.results",
    "open_run": "sumabm.runs",
    "run_battery": "sumabm.battery.run",
    "simulate": "sumabm.recorder",
    "sphere": "",
    "theory": "",
}

__all__ = [
    "CausalWorld",
    "DiscreteWorld",
    "GaussianWorld",
    "NormalWorld",
    "Quadratic",
    "SUMModel",
    "Scenario",
    "ScenarioError",
    "analysis",
    "compare",
    "load_battery",
    "load_scenario",
    "open_battery",
    "open_run",
    "run_battery",
    "simulate",
    "sphere",
    "theory",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import sumabm`` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sumabm' has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(import_module(home), name) if home else import_module(f"sumabm.{name}")


def __dir__() -> list[str]:
    return sorted((*__all__, "__version__"))
