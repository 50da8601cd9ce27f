"""The pictures of the page on the idea, and the README's: ``python -m sitework.pictures`` in docs.

Each function simulates what it shows and returns a Figure. Dots are means over replicates with
bars of two standard errors, bands are two standard errors, dashed lines are theory.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython.display import SVG
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sumabm import DiscreteWorld, GaussianWorld, simulate, sphere, theory
from sumabm.figures import styled
from sumabm.figures.style import PALETTE

README = Path(__file__).parents[1] / "images" / "threshold.png"

_ALIGNED = 0.9  # the mean alignment at which training ends
_MARKERS = ("o", "s", "^")


def show(draw: Callable[[], Figure]) -> SVG:
    """Draw a picture in our style and return it as a page shows it."""
    file = BytesIO()
    with styled():
        draw().savefig(file, format="svg", metadata={"Date": None})
    return SVG(file.getvalue())


def style() -> None:
    """Make figures that a page draws with pyplot look like ours."""
    with styled():
        look = dict(mpl.rcParams)
    look |= {"figure.figsize": (6.0, 3.4)}
    mpl.rcParams.update({name: look[name] for name in look if not name.startswith("backend")})


def panels(count: int = 2, height: float = 2.9) -> tuple[Figure, list[Axes]]:
    """Return a figure of a page's width and its panels, side by side."""
    figure = Figure(figsize=(7.6, height))
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def tilts() -> Figure:
    """Return a Gaussian that is pushed, and a discrete world that is tilted."""
    figure, (left, right) = panels()
    s = np.linspace(-3.5, 6.0, 400)
    for nats, colour in zip((0.0, 0.5, 2.0), ("black", *PALETTE), strict=False):
        act = GaussianWorld(np.zeros((1, 1))).tilt(np.array([[1.0]]), nats)
        mean = float(act.world.mean[0, 0])
        density = np.exp(-0.5 * (s - mean) ** 2) / np.sqrt(2.0 * np.pi)
        left.plot(s, density, color=colour)
        told = f"{nats:g} nats" if nats else "before"
        side = {0.0: "right", 0.5: "center"}.get(nats, "left")
        at = {"right": mean - 0.3, "left": mean + 0.3}.get(side, mean)
        left.annotate(told, (at, 0.41), color=colour, ha=side)
    left.set(xlabel="state, along the utility (sd)", ylabel="probability density", ylim=(0, 0.46))
    utility = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    for i, (nats, colour) in enumerate(zip((0.0, 0.5, 1.0), ("0.55", *PALETTE), strict=False)):
        act = DiscreteWorld([0.3, 0.3, 0.2, 0.15, 0.05]).tilt(utility, nats)
        told = f"{nats:g} nat{'s' * (nats != 1.0)}" if nats else "before"
        x = utility + 0.27 * (i - 1)
        right.bar(x, act.world.probabilities, 0.25, color=colour, label=told)
    right.set(xlabel="utility of the state", ylabel="probability", ylim=(0, 0.56))
    right.legend(loc="upper left", ncols=3, columnspacing=1.0, handlelength=1.0)
    return figure


def gains() -> Figure:
    """Return what power buys, and what alignment costs."""
    figure, (left, right) = panels()
    nats = np.linspace(0.0, 6.0, 121)
    left.plot(nats, np.sqrt(2.0 * nats), color=PALETTE[0])
    left.annotate("Gaussian: √(2 O)", (2.1, 2.35), color=PALETTE[0], ha="right")
    utility = np.linspace(-1.0, 1.0, 10)
    world = DiscreteWorld(np.full(10, 0.1))
    gain = [float(world.tilt(utility, o).gain) / utility.std() for o in nats]
    left.plot(nats, gain, color=PALETTE[1])
    told = "ten states, equally likely: all\nthere is to gain, from ln 10 on"
    left.annotate(told, (6.0, gain[-1] - 0.1), color=PALETTE[1], ha="right", va="top")
    left.set(xlabel="power of the act (nats)", ylabel="gain in utility (sd)", ylim=(0, 3.6))
    left.margins(x=0.01)
    for number, d in enumerate((10, 100, 1000)):
        budget = np.geomspace(0.3, 3e3, 200)
        right.plot(budget, theory.alignment(d, budget), color=PALETTE[number])
        half = float(sphere.nats(d, 0.55))
        right.annotate(f"d = {d}  ", (half, 0.55), color=PALETTE[number], ha="right")
    right.set(xscale="log", xlabel="spent on re-aiming the AI (nats)", ylabel="mean alignment")
    right.set(xlim=(0.3, 3e3), ylim=(0.0, 1.0))
    return figure


def step() -> Figure:
    """Return one step in the plane of both utilities, and how harm falls with alignment."""
    figure, (left, right) = panels(height=3.2)
    power, human, c = 4.0, 1.0, 0.4
    aim = np.array([[c, np.sqrt(1.0 - c * c)]])
    base = GaussianWorld(np.zeros((1, 2)))
    acted = base.tilt(aim, power).world
    after = acted.toward(base, human).world
    turn = np.linspace(0.0, 2.0 * np.pi, 200)
    for world, colour in ((base, "black"), (acted, PALETTE[1]), (after, PALETTE[0])):
        x, y = world.mean[0]
        left.plot(x + np.cos(turn), y + np.sin(turn), color=colour, linewidth=1.0)
    for tail, head, colour in ((base, acted, PALETTE[1]), (acted, after, PALETTE[0])):
        aside = np.array([0.12, -0.05]) * (head is after)
        ends = tuple(head.mean[0] + aside), tuple(tail.mean[0] + aside)
        left.annotate("", *ends, arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.8})
    left.annotate("", (2.6, 0.0), (0.0, 0.0), arrowprops={"arrowstyle": "->", "color": "0.45"})
    left.annotate("what humans\nwant", (2.7, 0.0), color="0.35", va="center")
    left.annotate("the AI acts,\n4 nats", acted.mean[0] + [1.1, 0.5], color=PALETTE[1])
    left.annotate("humans undo,\n1 nat", after.mean[0] + [-1.15, 0.4], color=PALETTE[0], ha="right")
    left.annotate("the world\nbefore", (-1.1, -0.6), ha="right", va="center")
    left.set(xlabel="state (sd)", ylabel="state (sd)", xlim=(-3.8, 5.6), ylim=(-1.3, 4.0))
    left.set_aspect("equal")
    alignment = np.linspace(-1.0, 1.0, 101)
    for number, ratio in enumerate((1.0, 2.0, 4.0)):
        harm = ((1.0 - alignment) * theory.residual(ratio, 1.0)) ** 2
        right.plot(alignment, harm, color=PALETTE[number])
        told = f"AI of {ratio:g} nat" + (": none" if ratio == 1.0 else "s")
        at = {1.0: (-0.9, 0.08), 2.0: (-0.9, 0.75), 4.0: (-0.7, 3.0)}[ratio]
        right.annotate(told, at, color=PALETTE[number])
    right.set(
        xlabel="alignment (cosine)", ylabel="harm of a step (nats)", xlim=(-1, 1), ylim=(0, 4)
    )
    right.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0])
    return figure


def threshold(replicates: int = 100) -> Figure:
    """Return harm while an AI is being aligned, and all of it over the AI's power."""
    figure, (left, right) = panels(height=3.3)
    _while_aligned(left, replicates)
    _until_aligned(right, replicates)
    return figure


def _while_aligned(axes: Axes, replicates: int) -> None:
    steps = np.arange(100)
    for power, colour in zip((4.0, 3.0, 2.0, 1.0), PALETTE, strict=False):
        run = simulate("essay", replicates, steps=100, overrides={"agents.X.power": power})
        mean = run.harm.mean("replicate").values
        error = run.harm.std("replicate", ddof=1).values / np.sqrt(replicates)
        axes.fill_between(steps, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.3, lw=0)
        told = f"AI of {power:g} nat" + (": no harm" if power == 1.0 else "s")
        axes.plot(steps, mean, color=colour, label=told, linewidth=2.0)
        left_over = np.full(100, theory.residual(power, 1.0))
        expected = theory.expected_harm(100, steps.astype(float), left_over)
        axes.plot(steps, expected, color="black", linestyle="--", linewidth=1.0)
    axes.plot([], [], color="black", linestyle="--", linewidth=1.0, label="theory")
    axes.legend(loc="upper right")
    axes.set(xlabel="step (humans of 1 nat, d = 100)", ylabel="harm of a step (nats)")
    axes.set(xlim=(0, 99), ylim=(-0.02, 1.1))


def _until_aligned(axes: Axes, replicates: int) -> None:
    """Draw total harm: simulated means on the left sum that is exact for just these runs."""
    ratio, shown = np.linspace(0.0, 4.0, 201), (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
    for number, d in enumerate((30, 100, 300)):
        steps = int(np.ceil(sphere.nats(d, _ALIGNED)))  # of one nat
        unit = theory.left_sum(d, np.arange(steps, dtype=float), np.ones(steps))[-1]
        expected = unit * theory.residual(ratio, 1.0) ** 2
        axes.plot(ratio, expected, "--", color="black", linewidth=1.0)
        where = {"world.dimensions": d, "steps": steps}
        totals = np.array(
            [
                simulate("essay", replicates, overrides={**where, "agents.X.power": power})
                .cumulative_harm.isel(step=-1)
                .values
                for power in shown
            ]
        )
        error = 2.0 * totals.std(axis=1, ddof=1) / np.sqrt(replicates)
        look: dict[str, Any] = {
            "color": PALETTE[number],
            "marker": _MARKERS[number],
            "linestyle": "none",
        }
        axes.errorbar(shown, totals.mean(axis=1), error, markersize=4, capsize=2, **look)
        top = totals.mean(axis=1)[-1]
        axes.annotate(f"d = {d}", (3.9, top), color=PALETTE[number], ha="right", va="bottom")
    axes.axvspan(0.0, 1.0, color="black", alpha=0.07, linewidth=0)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.annotate(
        "no harm:\nhumans\nundo all", (0.5, 0.5), ha="center", xycoords=("data", "axes fraction")
    )
    axes.annotate("threshold", (1.05, 0.93), xycoords=("data", "axes fraction"))
    axes.set(xlabel="power of the AI over the humans'", ylabel="harm until alignment 0.9 (nats)")
    axes.set(xlim=(0.0, 4.15), ylim=(-1.0, None))


def main() -> None:
    """Draw the README's picture."""
    with styled():
        figure = threshold(200)
        figure.set_size_inches(8.0, 3.4)
        figure.savefig(README)


if __name__ == "__main__":
    main()
