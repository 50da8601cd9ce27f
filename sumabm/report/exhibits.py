"""The sections of a battery's report that have figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm.analysis import columns, flips, morris, sobol
from sumabm.battery.results import open_battery
from sumabm.figures.flip import draw_flips
from sumabm.report import figures
from sumabm.report.effects import Mask, at, average, groups, map_axes
from sumabm.report.material import Material
from sumabm.report.text import listed, number, plus_minus
from sumabm.types import Array

Section = dict[str, Any]

_MOST_CURVES, _MOST_PANELS = 6, 6
_MOST_VALUES = 300_000_000  # of trajectories in memory at once


def maps(material: Material) -> Section:
    """Return figures of the outcomes over the parameters, as the design lets them be drawn."""
    results, order = material.results, material.order
    axes = map_axes(results.points, order) if order else []
    drawn = []
    for outcome, means in results.mean.items():
        if not order or np.isnan(means).all():
            continue
        if axes:
            drawn.append(_map(material, outcome, axes))
        elif len(order) == 1:
            told = f"Mean {outcome} over {order[0]}, ± 2 standard errors over replicates"
            figure = figures.draw_line(results, outcome, order[0])
            drawn.append(_drawn(figure, told, "", _spoken(material, outcome)))
        else:
            drawn.append(_scatter(material, outcome, order[:_MOST_PANELS]))
    return {"title": "Heat maps" if axes else "Outcomes over parameters", "figures": drawn}


def trajectories(material: Material) -> Section | None:
    """Return figures of the outcomes over steps; None where only the end was kept."""
    battery, results = material.store.battery, material.results
    every = battery.keep.every
    if every is None or not results.mean:
        return None
    rows = material.data.sizes["point"] * battery.replicates * len(results.mean)
    if rows * (battery.scenario.steps // every + 1) > _MOST_VALUES:
        return {"figures": [], "reason": "Left out: there are too many to be read at once."}
    data = open_battery(material.store, list(results.mean), trajectories=True)
    legend, every_part = _curves(material)
    parts = every_part[:_MOST_CURVES]
    drawn = []
    for outcome, values in columns(data, results.mean).items():
        array = values.transpose("point", "replicate", "step").values
        curves = [(name, average(array[mask])) for name, mask in parts]
        title = results.title(outcome)
        figure = figures.draw_trajectories(data["step"].values, curves, title, legend)
        told = f"Mean {outcome} over steps, ± 2 standard errors over replicates"
        several = len(curves) > 1 and legend != "point"
        note = f"By {legend}, averaged over all else that varies." if several else ""
        if len(parts) < len(every_part):
            note += f" The first {len(parts)} of {len(every_part)} values."
        spoken = "; ".join(f"{name}: {_ends(curve)}" for name, curve in curves)
        drawn.append(_drawn(figure, told, note, f"From first to last step: {spoken}."))
    return {"figures": drawn, "reason": ""}


def flip(material: Material) -> Section | None:
    """Return where the outcome flips along the battery's crux; None where it names none."""
    asked = material.store.battery.flip
    if asked is None:
        return None
    try:
        found = flips(material.data, **asked.model_dump(exclude={"label"}))
    except ValueError as error:  # incomplete, say
        return {"figure": None, "sentences": [], "reason": str(error)}
    units = f" ({found.attrs['units']})" if found.attrs["units"] else ""
    crux, by = asked.label or asked.over, asked.by or ""
    figure = draw_flips(found, *(figures.plain(text) for text in (crux, asked.outcome + units, by)))
    told = f"{asked.outcome} over the crux, and the share of replicates {asked.worse} the limit"
    note = "Lines: medians; bands: the central 90 %, and 95 % intervals of shares."
    sentences = [_flip_told(found.isel(curve=i)) for i in range(found.sizes["curve"])]
    return {
        "crux": crux,
        "sentences": sentences,
        "figure": _drawn(figure, told, note, " ".join(sentences)),
        "reason": "",
    }


def _flip_told(curve: xr.Dataset) -> str:
    """Return in a sentence where a curve flips, its limit and the interval."""
    about = curve.attrs
    of = f"With {about['by']} = {curve['curve'].item()}, the" if about["by"] else "The"
    median = f"{of} median {about['outcome']}"
    limit = f"{number(about['limit'])} {about['units']}".strip()
    if not int(curve["crossings"]):
        return f"{median} does not flip within the range: it is {curve['told'].item()} {limit}."
    at, low, high = (number(float(curve[name]), 3) for name in ("flip", "flip_low", "flip_high"))
    side = "from {} on" if curve["worse_after"] else "up to {}"
    told = f"{median} is {about['worse']} {limit} {side.format(f'{at} [{low}, {high}]')}."
    many = int(curve["crossings"])
    return f"{told} It crosses that limit {many} times; this is the first." if many > 1 else told


def sensitivity(material: Material) -> Section | None:
    """Return Sobol' indices or Morris's measures by outcome; None where the design has neither."""
    kinds: dict[str, Callable[[Material, str], Section]]
    kinds = {"saltelli": _sobol, "morris": _morris}
    kind = material.store.battery.design.kind
    if kind not in kinds:
        return None
    missing = int((~material.data["complete"].values).sum())
    if missing:
        total = material.data.sizes["point"]
        reason = f"Left out: {missing} of {total} points are incomplete, and all are needed."
        return {"kind": kind, "parts": [], "reason": reason}
    parts: list[Section] = []
    for outcome in material.results.mean:
        try:
            parts.append(kinds[kind](material, outcome))
        except ValueError as error:  # missing at some points, say, though they are all there
            parts.append({"outcome": outcome, "reason": str(error)})
    return {"kind": kind, "parts": parts, "reason": ""}


def _map(material: Material, outcome: str, axes: Sequence[str]) -> Section:
    told = f"Mean {outcome} over {axes[0]} and {axes[1]}"
    told += f", a panel for each value of {axes[2]}" if len(axes) > 2 else ""
    others = [name for name in material.results.varied if name not in axes]
    notes = [f"Averaged over {listed(others)}."] if others else []
    if np.isnan(material.results.mean[outcome]).any():
        notes.append("Averages are of what is there; grey: nothing.")
    figure = figures.draw_map(material.results, outcome, axes)
    return _drawn(figure, told, " ".join(notes), _spoken(material, outcome))


def _scatter(material: Material, outcome: str, names: Sequence[str]) -> Section:
    told = f"Mean {outcome} at every point over {listed(names)}"
    note = "Orange: averages over bins or labels, ± 2 standard errors over points."
    if left := [name for name in material.order if name not in names]:
        note += f" Left out, as they do less: {listed(left)}."
    figure = figures.draw_scatter(material.results, outcome, names)
    return _drawn(figure, told, note, _spoken(material, outcome))


def _spoken(material: Material, outcome: str) -> str:
    """Return what a figure over the parameters shows, for those who do not see it."""
    means = material.results.mean[outcome]
    places = (int(np.nanargmin(means)), int(np.nanargmax(means)))
    least, most = (f"{number(means[i])} ({at(material.results, i)})" for i in places)
    return f"From {least} to {most}."


def _drawn(figure: Figure, caption: str, note: str, spoken: str) -> Section:
    width = round(figure.get_figwidth() * 96)  # pixels to an inch in CSS
    uri, alt = figures.as_uri(figures.as_svg(figure)), f"{caption}. {spoken}"
    return {"uri": uri, "alt": alt, "caption": f"{caption}. {note}".strip(), "width": width}


def _ends(curve: Array) -> str:
    """Return a curve's mean at its first and last steps, ``(replicate, step)``."""
    mean = average(curve)
    there = mean[~np.isnan(mean)]
    return f"{number(float(there[0]))} to {number(float(there[-1]))}" if there.size else "nothing"


def _curves(material: Material) -> tuple[str, list[tuple[str, Mask]]]:
    """Return what tells curves apart and the points of each: single ones where they are few."""
    results, order = material.results, material.order
    count = material.data.sizes["point"]
    if count <= _MOST_CURVES:
        rows = np.eye(count, dtype=bool)
        return "point", [(at(results, i) or "all", rows[i]) for i in range(count)]
    if not order:
        return "", [("all", np.ones(count, dtype=bool))]
    levers = [name for name in order if material.data[name].attrs["role"] == "lever"]
    name = (levers or order)[0]
    return name, groups(results.points[name], _MOST_CURVES)


def _sobol(material: Material, outcome: str) -> Section:
    found = _sorted(sobol(material.data, outcome), "total_order")
    caption = f"Sobol' indices of {outcome}, with 95 % confidence intervals"
    rows = [
        [name, *(_with_margin(found, key, i) for key in ("first_order", "total_order"))]
        for i, name in enumerate(found["parameter"].values.tolist())
    ]
    note = str(found.attrs.get("note", ""))
    figure = None if note else figures.draw_sobol(found)
    head = ["parameter", "first order", "total"]
    return _indices(found, caption, (head, rows), figure, note)


def _morris(material: Material, outcome: str) -> Section:
    found = _sorted(morris(material.data, outcome), "mu_star")
    caption = f"Morris's measures of {outcome}, μ* with 95 % confidence intervals"
    rows = [
        [str(i + 1), name, _with_margin(found, "mu_star", i)]
        + [number(float(found[key].values[i])) for key in ("mu", "sigma")]
        for i, name in enumerate(found["parameter"].values.tolist())
    ]
    figure = figures.draw_morris(found, material.results.title(outcome))
    head = ["number", "parameter", "μ*", "μ", "σ"]
    return _indices(found, caption, (head, rows), figure, "The figure has their numbers.")


def _sorted(found: xr.Dataset, key: str) -> xr.Dataset:
    sizes = np.nan_to_num(found[key].values)
    return found.isel(parameter=np.argsort(-sizes, kind="stable"))


def _with_margin(found: xr.Dataset, key: str, i: int) -> str:
    return plus_minus(float(found[key].values[i]), float(found[f"{key}_margin"].values[i]))


def _indices(
    found: xr.Dataset,
    caption: str,
    table: tuple[list[str], list[list[str]]],
    figure: Figure | None,
    note: str,
) -> Section:
    """Return an outcome's table and figure with the share of replicate noise beside them."""
    noise = float(found["noise"].values)
    share = "is not known" if np.isnan(noise) else f"is {number(100.0 * noise, 2)} %"
    most = " at most, as seeds are paired" if found.attrs["paired"] else ""
    spoken = "; ".join(" ".join(row) for row in table[1][:_MOST_PANELS])
    return {
        "outcome": found.attrs["outcome"],
        "caption": caption,
        "head": table[0],
        "rows": table[1],
        "note": f"Replicate noise {share} of the variance over points{most}. {note}".strip(),
        "figure": None if figure is None else _drawn(figure, caption, "", spoken),
    }
