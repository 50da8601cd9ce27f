"""Harm over scale: the exhibit agrees with theory and small runs, not with another law."""

import numpy as np
import pytest

from sumabm.reproduce import training
from sumabm.reproduce.exhibits import scaling
from sumabm.reproduce.findings import AGREE

ALPHAS = [0.0, 1.0]
SCALES = {
    "essay-scaling": [0.5, 1.0, 1.1, 1.25, 4.0],
    "essay-slopes": [1.44, 1.5625, 1.96, 2.0408163265306123, 3.8416, 4.164931278633902],
    "essay-scaling-far": [64.0, 1024.0, 2304.0],
}
RATIOS = [0.5, 2.0, 1024.0, 1936.0]


@pytest.fixture(scope="module")
def data(drawn, expected):
    def runs(scales):
        points = [{"xi": xi, "alpha": alpha} for xi in scales for alpha in ALPHAS]
        steps = [(training.dimensions(q["xi"], q["alpha"]), q["xi"]) for q in points]
        sums = {p: [expected(d, xi, p).sum() for d, xi in steps] for p in (1.0, 0.5)}
        return drawn(points, cumulative_harm=sums[1.0], cumulative_harm_amplitude=sums[0.5])

    free = [{"ratio": ratio, "d": 1000} for ratio in RATIOS]
    amplitudes = [expected(1000, ratio, 1.0, cap=False) ** 0.5 for ratio in RATIOS]
    uncapped = drawn(free, harm_amplitude=amplitudes)
    squares = (uncapped["harm_amplitude"] ** 2).mean("replicate").sum("step")
    uncapped *= np.sqrt(np.sum(amplitudes[2] ** 2) / squares.values[2])  # E[a²] is what counts
    return {name: runs(scales) for name, scales in SCALES.items()} | {"essay-uncapped": uncapped}


@pytest.fixture(scope="module")
def made(data):
    return scaling.make(data)


def verdicts(found):
    return {claim.order: claim.verdict for claim in found.claims}


def test_data_of_the_theory_agrees_at_every_point(made):
    assert max(point.z for point in made.points) < 1e-6
    assert verdicts(made) == {110: "holds", 120: "holds", 130: "holds", 150: "holds only if"}


def test_slopes_come_near_the_formula_in_whole_dimensions(data):
    for name in ("essay-slopes", "essay-scaling-far"):
        for slope in training.slopes(data[name], ALPHAS, last=name.endswith("far")):
            assert abs(slope.mean - slope.formula) < 0.02
            assert slope.mean == pytest.approx(slope.theory)


def test_a_simulation_agrees_and_paired_slopes_of_one_d_have_no_noise(simulated):
    near = {"uncertainties__xi": [1.44, 1.5625], "uncertainties__alpha": [0.0]}
    runs = simulated("essay-slopes", **near, replicates=20)
    for slope in training.slopes(runs, [0.0]):
        assert slope.measured().z == 0.0
    for p in training.UNITS:
        assert all(point.z < AGREE for point in training.harms(runs, 0.0, p))


def test_far_scales_may_lack_an_exponent(data):
    far = data["essay-scaling-far"]
    some = {**data, "essay-scaling-far": far.sel(point=far["alpha"].values == 0.0)}
    assert verdicts(scaling.make(some))[130] == "holds"


def test_its_panels_are_labelled_and_its_phases_named(made):
    for axes in made.figure.axes:
        assert "O_X / O_Y" in axes.get_xlabel()
        assert axes.get_ylabel()
        assert "lag" in {text.get_text() for text in axes.texts}


@pytest.mark.parametrize(
    ("name", "change", "order"),
    [
        ("essay-scaling", lambda runs: runs + 1.0, 110),
        ("essay-slopes", lambda runs: runs * runs["xi"] ** 0.1, 120),
        ("essay-scaling-far", lambda runs: runs * runs["xi"] ** 0.1, 130),
        ("essay-scaling-far", lambda runs: runs / runs["xi"], 150),  # levels off with the cap
        ("essay-uncapped", lambda runs: runs * np.sqrt(runs["ratio"]), 150),  # and not without
    ],
)
def test_data_of_another_law_fails(data, name, change, order):
    found = scaling.make({**data, name: change(data[name])})
    assert verdicts(found)[order] == "fails"
    assert max(point.z for point in found.points) > AGREE
