"""What theory says of a run, where a closed form exists: the curves drawn over the simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sumabm import theory
from sumabm.aligners.bayesian import Bayesian
from sumabm.aligners.probe import Probe
from sumabm.behaviours import Behaviour
from sumabm.behaviours.leak_limited import LeakLimited
from sumabm.behaviours.off_switch import OffSwitch
from sumabm.behaviours.resisting import Resisting
from sumabm.behaviours.treacherous import Treacherous
from sumabm.harms import Fragile, Harm, Narrow
from sumabm.origins.explorer import Explorer
from sumabm.origins.imitator import Imitator
from sumabm.origins.reward_learner import RewardLearner
from sumabm.origins.subagents import Subagents
from sumabm.roles import AISpec, AlignerSpec, HumanSpec
from sumabm.scenario import Scenario
from sumabm.theory.law import SHAPES, Shape
from sumabm.theory.training import expected_harm
from sumabm.types import Array
from sumabm.worlds.gaussian import Gaussian

_MOST = 64  # subagents: a theory of more takes longer than a simulation


def predict(run: xr.Dataset, spec: Scenario) -> dict[str, Array]:
    """Return theory's curves ``(T,)`` by column name, for those columns that have one.

    Alignment of AIs that learn from humans and that nobody oversees (exact). Alignment, belief and
    information of AIs with random utilities that a budget aligner alone tilts (exact:
    ``A_d(κ(D_t))``), a Bayesian aligner alone watches (d → ∞) or a probe alone reads, as far as
    edits don't bind. Alignment of networks of subagents and of their generations, until somebody
    edits them, and what an explorer knows of its reward (both d → ∞). Harm where one AI meets one
    human in a world that resets and a budget aligner or none (exact). Step by step from the powers
    and budgets of the run itself; missing (NaN) after the last step of a run that a power ended.
    None of a run of which some steps are left out.
    """
    if run.sizes["step"] <= run["step"].values[-1]:
        return {}
    whole, run = run.sizes["step"], run.isel(step=_ran(run))
    curves = _curves(run, spec)
    missing = np.full(whole - run.sizes["step"], np.nan)
    return {column: np.concatenate([curve, missing]) for column, curve in curves.items()}


def _ran(run: xr.Dataset) -> slice:
    """Return the steps up to the last one of which any replicate has a row."""
    there = np.flatnonzero(run["harm"].notnull().any("replicate").values)
    return slice(int(there[-1]) + 1 if there.size else 0)


def _curves(run: xr.Dataset, spec: Scenario) -> dict[str, Array]:
    curves: dict[str, Array] = {}
    if getattr(spec.world, "left_turn", None) is not None:  # not a law of one sphere
        return curves
    if spec.stop is not None:  # those that go on are not a fair sample of the law
        return curves
    if not all(_is_random(spec, name) for name in spec.names("human")):
        return curves
    if not all(_is_random(spec, name) or _learns(spec, name) for name in spec.names("ai")):
        return curves
    if not _goal_stays(run, spec) or not _on_their_own(spec):
        return curves
    for name in spec.names("ai"):
        curves |= _alignment(run, spec, name)
    return curves | _harm(run, spec)


def _goal_stays(run: xr.Dataset, spec: Scenario) -> bool:
    """Whether the humans' shares of power, and so v_Y, are the same at every step."""
    power = run["power"].sel(agent=list(spec.names("human"))).max("replicate").values
    total = power.sum(axis=-1, keepdims=True)
    shares = power / np.where(total > 0.0, total, 1.0)
    return bool(np.allclose(shares, shares[:1], rtol=1e-12, atol=0.0))


def _on_their_own(spec: Scenario) -> bool:
    """Whether nothing but who oversees whom binds agents, and aligners serve all humans."""
    served = all(spec.served(name) == spec.names("human") for name in spec.names("aligner"))
    return served and all(relation.kind == "oversight" for relation in spec.relations.values())


def _is_random(spec: Scenario, name: str) -> bool:
    agent = spec.population[name]
    assert isinstance(agent, AISpec | HumanSpec)
    return getattr(agent.utility, "direction", None) == "random"


def _learns(spec: Scenario, ai: str) -> bool:
    return _ai(spec, ai).utility.learns


def _ai(spec: Scenario, name: str) -> AISpec:
    agent = spec.population[name]
    assert isinstance(agent, AISpec)
    return agent


def _inner(behaviour: Behaviour[Any]) -> Behaviour[Any]:
    return getattr(behaviour, "inner", behaviour)  # that of a sandbox


def _taken(spec: Scenario, ai: str) -> float:
    """Return the share of its edits that an AI lets be."""
    inner = _inner(_ai(spec, ai).behaviour)
    return 1.0 - inner.share if isinstance(inner, Resisting) else 1.0


def _overseers(spec: Scenario, ai: str) -> list[AlignerSpec]:
    found = []
    for name in spec.names("aligner"):
        agent = spec.population[name]
        if isinstance(agent, AlignerSpec) and ai in spec.overseen(name):
            found.append(agent)
    return [agent for agent in found if agent.method.kind != "none"]


def _steps(run: xr.Dataset, variable: str, agent: str) -> Array:
    """Return a variable that theory takes as given: the same in all replicates that go on."""
    values = run[variable].sel(agent=agent)
    return np.asarray(values.max("replicate").values, dtype=np.float64)


def _alignment(run: xr.Dataset, spec: Scenario, ai: str) -> dict[str, Array]:
    d, overseers = spec.world.sphere, _overseers(spec, ai)
    if _learns(spec, ai):
        return _learnt(run, spec, ai, edited=bool(overseers))
    if not overseers:
        flat = np.zeros(run.sizes["step"])
        return {f"alignment.{ai}": flat}
    if all(overseer.method.kind == "budget" for overseer in overseers):
        mean = theory.alignment(d, _taken(spec, ai) * _steps(run, "information", ai))
        return {f"alignment.{ai}": mean}
    method = overseers[0].method
    if len(overseers) == 1 and isinstance(method, Probe):
        return _probed(run, spec, ai, method)
    if len(overseers) > 1 or not isinstance(method, Bayesian) or not _sees_each_act(spec, method):
        return {}
    if _ai(spec, ai).behaviour.kind != "honest":  # it takes the AI to use all of its power
        return {}
    seen = 2.0 * method.looks * _steps(run, "power", ai) / d
    x = np.cumsum(seen) - seen  # row t holds the alignment before the look of step t
    if method.replays > 0:  # what it takes for information is none
        return {}
    known = {f"information.{ai}": theory.bayesian_information(d, x)}
    if method.edit_power is not None:  # that edits don't bind is then anyone's guess
        return known
    return {f"alignment.{ai}": theory.bayesian_alignment(x), **known}


def _probed(run: xr.Dataset, spec: Scenario, ai: str, method: Probe) -> dict[str, Array]:
    """Return the curves of an AI whose aim is read, whatever it does: readings are its looks."""
    x = np.arange(run.sizes["step"]) / method.noise**2  # row t holds what t readings gave
    known = {f"information.{ai}": theory.bayesian_information(spec.world.sphere, x)}
    if method.edit_power is not None or _taken(spec, ai) < 1.0:
        return known
    mean = np.asarray(theory.expected_alignment(spec.world.sphere, x))
    return {f"alignment.{ai}": mean, **known}


def _learnt(run: xr.Dataset, spec: Scenario, ai: str, *, edited: bool) -> dict[str, Array]:
    """Return what an AI has learnt; of what humans show it, its exact mean alignment."""
    origin, d = _ai(spec, ai).utility, spec.world.sphere
    if isinstance(origin, Subagents):
        return _network(run, origin, ai, edited=edited)
    if isinstance(origin, Explorer):
        return _explored(run, spec, origin, ai)
    if edited or not isinstance(spec.world, Gaussian):
        return {}
    shown = np.sum([_steps(run, "power", human) for human in spec.names("human")], axis=0)
    if isinstance(origin, Imitator):
        x = np.full(run.sizes["step"], 2.0 * origin.samples * shown[0] / d)
    elif isinstance(origin, RewardLearner):
        seen = 2.0 * origin.looks * shown / d
        x = np.cumsum(seen) - seen
    else:
        return {}
    return {f"alignment.{ai}": np.asarray(theory.expected_alignment(d, x))}


def _network(run: xr.Dataset, origin: Subagents, ai: str, *, edited: bool) -> dict[str, Array]:
    """Return the limits d → ∞ of what subagents hand down; edited, of the first row alone."""
    network, steps = origin.network, run.sizes["step"]
    if len(network.names) > _MOST:
        return {}
    given, rate, rows = (origin.digraph(), origin.fidelity), origin.discovery, np.zeros(steps)
    if rate is None:
        each = {name: rows + c for name, c in theory.subagent_alignments(*given).items()}
        aim = rows + theory.network_alignment(*given, origin.powers)
    else:
        each = theory.discovery_alignments(*given, rate, steps)
        aim = theory.discovery_alignment(*given, rate, steps, origin.powers)[:steps]
    curves = {} if edited else {f"alignment.{ai}": aim}
    for place in range(max(network.generation) + 1):
        of = [n for n, own in zip(network.names, network.generation, strict=True) if own == place]
        curve = np.mean([each[name][:steps] for name in of], axis=0)
        curve[1 if edited else steps :] = np.nan
        curves[f"generation_alignment.{ai}.{place}"] = curve
    return curves


def _explored(run: xr.Dataset, spec: Scenario, origin: Explorer, ai: str) -> dict[str, Array]:
    """Return how far an AI knows its reward, which edits turn with its aim."""
    alone = len(spec.names("ai")) == 1 and spec.world.dynamics.memory == 0.0
    if not alone or _ai(spec, ai).behaviour.kind != "honest":  # what it sees is more than its act
        return {}
    x = np.arange(run.sizes["step"]) * origin.looks / spec.world.sphere
    return {f"learnt.{ai}": theory.explored_alignment(x, origin.noise)}


def _sees_each_act(spec: Scenario, method: Bayesian) -> bool:
    together = spec.activation == "simultaneous" and len(spec.names("ai")) > 1
    return method.watches == "acts" and spec.world.dynamics.memory == 0.0 and not together


def _harm(run: xr.Dataset, spec: Scenario) -> dict[str, Array]:
    ais, humans = spec.names("ai"), spec.names("human")
    if len(ais) != 1 or len(humans) != 1 or not isinstance(spec.world, Gaussian):
        return {}
    if _learns(spec, ais[0]):
        return {}
    if spec.world.dynamics.memory > 0.0:
        return {}
    behaviour = _ai(spec, ais[0]).behaviour
    if not behaviour.tilts or isinstance(_inner(behaviour), Treacherous | LeakLimited | OffSwitch):
        return {}  # what it does does not go by its own utility alone
    human = spec.population[humans[0]]
    assert isinstance(human, HumanSpec)
    shape, fragility = _shape(spec.harm)
    if human.response.kind not in ("undo", "none") or shape is None:
        return {}
    if any(overseer.method.kind != "budget" for overseer in _overseers(spec, ais[0])):
        return {}
    rectified = _steps(run, "power", humans[0]) if human.response.kind == "undo" else 0.0
    amplitudes = theory.residual(_steps(run, "spent", ais[0]), rectified)
    budgets = _taken(spec, ais[0]) * _steps(run, "information", ais[0])
    curves: dict[str, Array] = {}
    for name, p in (("harm", 1.0), ("harm_amplitude", 0.5)):
        curve = expected_harm(spec.world.sphere, budgets, amplitudes, shape, p, fragility)
        curves |= {name: curve, f"cumulative_{name}": np.cumsum(curve)}
    return curves


def _shape(harm: Harm) -> tuple[str | Shape | None, float]:
    """Return a measure's harm at each alignment, and the power it is taken to; None if unknown."""
    if isinstance(harm, Fragile):
        return "regret", harm.exponent
    if isinstance(harm, Narrow):
        return theory.narrow_shape(harm.width), 1.0
    return harm.kind if harm.kind in SHAPES else None, 1.0
