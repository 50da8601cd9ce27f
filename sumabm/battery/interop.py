"""Batteries in the terms of other packages: SALib, the EMA Workbench and ArviZ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import loguniform, randint, rv_discrete, uniform

from sumabm.battery.designs import problem
from sumabm.battery.parameters import Parameter
from sumabm.battery.parameters.choice import Choice
from sumabm.battery.parameters.ranges import Continuous, Integer
from sumabm.battery.plan import point_seed
from sumabm.battery.spec import Battery
from sumabm.model import SUMModel
from sumabm.recorder import record


def salib_problem(battery: Battery) -> dict[str, Any]:
    """Return SALib's problem of a battery's parameters, uncertainties first: on the unit cube.

    Its names are the coordinates of ``unit`` in the results; `designs.from_unit` makes SALib's
    samples points. Raises ValueError where there is no parameter.
    """
    return problem(battery.parameters)


def ema_model(battery: Battery) -> Any:
    """Return an ``ema_workbench.Model`` that runs a battery's points in this process.

    Ranges are real and integer parameters with the battery's distributions, choices are
    categorical by their labels, and of a simplex the unit coordinates ``name[i]`` are real ones.
    The outcomes are the means over replicates of what is kept, each replicate at its own last step;
    NaN where no replicate began. Raises ImportError where the EMA Workbench is not installed.
    """
    ema = _optional("ema_workbench", "'sumabm[discovery]'")
    model = ema.Model(battery.battery.replace("-", ""), function=partial(_means, battery))
    model.uncertainties = _ema_parameters(ema, battery.uncertainties)
    model.levers = _ema_parameters(ema, battery.levers)
    probe = SUMModel(battery.scenario.replace({"steps": 1, "stop": None}))
    columns = record(probe, None, battery.keep.outcomes).keys() - {"replicate", "step"}
    model.outcomes = [ema.ScalarOutcome(column) for column in sorted(columns)]
    return model


def to_arviz(data: xr.Dataset, point: int = 0) -> Any:
    """Return a point of `results.open_battery`'s Dataset as an ``arviz.InferenceData``.

    Its replicates, which are independent, are the draws of one chain of the posterior group.
    Raises ImportError without ArviZ, KeyError without the point, ValueError unless it is complete.
    """
    az = _optional("arviz", "'arviz<1'")
    chosen = data.drop_dims("coordinate", errors="ignore").sel(point=point)
    if not chosen["complete"]:
        raise ValueError(f"point {point}: is not complete; go on with the battery first")
    return az.InferenceData(posterior=chosen.rename(replicate="draw").expand_dims("chain"))


def _optional(package: str, what: str) -> Any:
    """Import a package that the others do without; raises ImportError with how to get it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they tell of their next versions, or of other packages
        try:
            return import_module(package)
        except ImportError as error:
            raise ImportError(f"needs {package}: pip install {what}") from error


class _LogInteger(rv_discrete):
    """The distribution of an `Integer` on the log scale, between its support's ends."""

    def _cdf(self, x: Any, *args: Any) -> Any:
        low, high = self.a - 0.5, self.b + 0.5
        return np.log((x + 0.5) / low) / np.log(high / low)


def _ema_parameters(ema: Any, parameters: Mapping[str, Parameter]) -> list[Any]:
    found: list[Any] = []
    for name, each in parameters.items():
        match each:
            case Continuous(low=low, high=high, scale=scale):
                reals = loguniform(low, high) if scale == "log" else uniform(low, high - low)
                found.append(ema.RealParameter.from_dist(name, reals, pff=False))
            case Integer(low=low, high=high, scale=scale):
                whole = _LogInteger(a=low, b=high)() if scale == "log" else randint(low, high + 1)
                found.append(ema.IntegerParameter.from_dist(name, whole, pff=False))
            case Choice(names=names):  # EMA takes none of one value: there is nothing to vary
                found += [ema.CategoricalParameter(name, names)] if len(names) > 1 else []
            case _:
                found += [ema.RealParameter(axis, 0.0, 1.0) for axis in _axes(name, each)]
    return found


def _axes(name: str, parameter: Parameter) -> list[str]:
    """Return what EMA calls the unit coordinates of a parameter that it has no sort for."""
    return [f"{name}[{i}]" for i in range(parameter.coordinates)]


def _means(battery: Battery, /, **given: Any) -> dict[str, float]:
    """Return the means of a point's outcomes over its replicates, by column."""
    values: dict[str, Any] = {}
    for name, each in battery.parameters.items():
        if name in given and isinstance(each, Choice):
            values[name] = each.values[each.names.index(given[name])]
        elif name in given:
            values[name] = np.asarray(given[name]).item()
        else:
            unit = [given.get(axis, 0.5) for axis in _axes(name, each)]
            values[name] = each.at(np.array([unit]))[0]
    scenario = battery.scenario.replace(battery.overrides(values))
    model = SUMModel(scenario, battery.replicates, point_seed(battery, scenario))
    columns = record(model, None, battery.keep.outcomes)
    return {name: float(each.mean()) if each.size else np.nan for name, each in columns.items()}
