"""What an act gains: the power-limited tilt of a Gaussian world, and what does not change it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from sumabm.reproduce.drawing import curve, dots, legend, panels
from sumabm.reproduce.estimates import Estimate, at, mean, points
from sumabm.reproduce.findings import Claim, Findings, Measured, agreed

LETTER = "k"
TITLE = "An act of power O gains √(2O) standard deviations"
STUDIES = ("essay-action", "essay-rescaling")

_ORIGINAL = "u"


def make(data: Mapping[str, xr.Dataset]) -> Findings:
    """Return gains over power, and over utilities that differ by a factor and a constant."""
    acts = data["essay-action"]
    power = acts["agents.X.power"].values
    gain, spent = (mean(at(acts, f"{name}")) for name in ("utility_acted.X", "joint_spent"))
    expected = np.sqrt(2.0 * power)
    gains = points("gain (sd)", power, expected, gain)
    nats = points("KL divergence (nats)", power, power, spent)
    figure, (axes,) = panels()
    x = np.geomspace(power.min(), power.max(), 100)
    curve(axes, x, np.sqrt(2.0 * x), 0)
    dots(axes, gains, 0, "gain in own utility (sd)")
    curve(axes, x, x, 1, linestyle="--")
    dots(axes, nats, 1, "KL divergence (nats)")
    axes.set(xlabel="power O (nats)", ylabel="gain, divergence", xscale="log", yscale="log")
    legend(axes, "lines: theory; points: simulated", 2)
    told = tuple(
        Measured(f"gain at O = {o:g}", float(np.sqrt(2.0 * o)), *_row(gain, power == o), "sd")
        for o in (0.1, 1.0, 10.0)
    )
    same = _rescaled(data["essay-rescaling"])
    return Findings(
        figure,
        "What one act on a Gaussian world gains the AI, in standard deviations of its utility, and "
        "the KL divergence that it spends, over its power.",
        "Two straight lines in logarithms, of slopes one half and one.",
        "power O (nats)",
        "gain (sd) or divergence (nats)",
        [*gains, *nats],
        (
            Claim(
                10,
                "The best act within KL divergence O tilts the world by exp(βu); of a Gaussian "
                "world it shifts the mean and gains √(2O) standard deviations of the AI's utility.",
                told,
                agreed(told),
                "Exact: the tilt has no noise.",
                "The essay doubts that KL divergence is the most natural measure of power. Other "
                "measures are in the simulator (scenario power-measures); a Gaussian act then is a "
                "mean shift of another price, so the threshold stays where powers are equal.",
            ),
            Claim(
                20,
                "A positive factor or a constant added to a utility changes nothing that its agent "
                "does.",
                same,
                agreed(same),
                "Simulated in a discrete world, where utilities are tables.",
            ),
        ),
    )


def _row(estimate: Estimate, here: np.ndarray) -> tuple[float, float]:
    return float(estimate.mean[here][0]), float(estimate.error[here][0])


def _rescaled(data: xr.Dataset) -> tuple[Measured, ...]:
    """Return the gain (sd) with each utility, which should be that with the original."""
    labels = [str(label) for label in data["agents.X.utility"].values]
    gains = {name: at(data, "utility_acted.X", agents__X__utility=name)[0] for name in labels}
    return tuple(
        Measured(f"gain with {name} in place of u", float(gains[_ORIGINAL]), float(gain), 0.0, "sd")
        for name, gain in gains.items()
        if name != _ORIGINAL
    )
