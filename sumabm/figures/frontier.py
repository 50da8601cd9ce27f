"""The utility frontier: the most that an agent can gain for its nats, with where the world is."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from sumabm.figures.style import colour, panels
from sumabm.tilt import discrete_tilt
from sumabm.types import Array

_POINTS = 60


def draw(run: xr.Dataset, curves: dict[str, Array]) -> Figure | None:
    """Return the figure, or None for a run without states: the first replicate's last step.

    A curve per agent: the largest rise of its expected utility that so many nats from the base
    world can buy; on it, or below, where the world is after the AIs acted (filled) and after the
    humans responded (open).
    """
    if "state_utility" not in run:
        return None
    acted = np.flatnonzero(~np.isnan(run["displacement"].values[0]))
    if acted.size == 0:
        return None
    figure, (panel,) = panels(1)
    last = run.isel(replicate=0, step=acted[-1])
    with np.errstate(divide="ignore"):
        log_base = np.log(run["state_base"].values)
    seen = [float(last[name]) for name in ("displacement", "joint_spent")]
    nats = 1.3 * max(*seen, 0.1) * np.linspace(0.0, 1.0, _POINTS) ** 2
    for agent in run["agent"].values[run["role"].values != "aligner"]:
        table = np.broadcast_to(
            run["state_utility"].sel(agent=agent).values, (_POINTS, log_base.size)
        )
        gain = discrete_tilt(log_base, table, nats).gain
        color, one = colour(run, str(agent)), last.sel(agent=agent)
        panel.plot(nats, gain, color=color, label=f"{agent}: most")
        panel.plot(seen[1], float(one["utility_acted"]), "o", color=color, label=f"{agent}: acted")
        panel.plot(
            seen[0],
            float(one["utility"]),
            "o",
            color=color,
            markerfacecolor="none",
            label=f"{agent}: responded",
        )
    panel.set_xlabel("displacement of the world (nats)")
    panel.set_ylabel("expected own utility above base (sd)")
    panel.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2)
    return figure
