"""Where harm begins: the exhibit agrees with theory and a small run, not with another law."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.reproduce.exhibits import threshold
from sumabm.reproduce.findings import AGREE
from sumabm.reproduce.training import ALIGNED, left_harm

RATIOS = [0.5, 1.0, 1.1, 1.25, 2.0, 4.0, 8.0, 16.0]
DIMENSIONS = [10, 100]


@pytest.fixture(scope="module")
def runs(drawn, expected):
    points = [{"ratio": r, "d": d} for r in RATIOS for d in DIMENSIONS]
    sums = {p: [expected(q["d"], q["ratio"], p).sum() for q in points] for p in (1.0, 0.5)}
    return drawn(points, cumulative_harm=sums[1.0], cumulative_harm_amplitude=sums[0.5])


def made(runs):
    return threshold.make({"essay-threshold": runs})


def test_data_of_the_theory_agrees_at_every_point(runs):
    found = made(runs)
    assert len(found.points) == 2 * len(RATIOS) * len(DIMENSIONS)  # nats and amplitudes
    assert max(point.z for point in found.points) == 0.0
    assert all(point.mean == 0.0 for point in found.points if point.x <= 1.0)
    assert [(claim.order, claim.verdict) for claim in found.claims] == [
        (80, "holds"),
        (90, "holds"),
    ]


def test_a_simulation_agrees(simulated):
    small = {"uncertainties__ratio": [1.0, 4.0], "uncertainties__d": [10], "replicates": 40}
    runs = simulated("essay-threshold", **small)
    for p in (1.0, 0.5):
        _, theory_says, found = threshold.harms(runs, 10, p)
        assert found.mean[0] == theory_says[0] == 0.0
        assert abs(found.mean[1] - theory_says[1]) < AGREE * found.error[1]


def test_its_panels_are_labelled(runs):
    for axes in made(runs).figure.axes:
        assert "O_X / O_Y" in axes.get_xlabel()
        assert "(nats)" in axes.get_ylabel()


@pytest.mark.parametrize(
    ("outcome", "law", "order"),
    [
        ("cumulative_harm", lambda r: (np.sqrt(r) - 1.0) ** 2, 90),  # no threshold
        ("cumulative_harm", lambda r: np.maximum(r - 1.0, 0.0), 90),
        ("cumulative_harm_amplitude", lambda r: np.sqrt(np.maximum(r - 1.0, 0.0)), 80),
    ],
)
def test_data_of_another_law_fails(runs, outcome, law, order):
    spread = np.linspace(0.9, 1.1, runs.sizes["replicate"])
    other = runs.assign({outcome: (("point", "replicate"), np.outer(law(runs["ratio"]), spread))})
    found = made(other)
    assert {claim.order: claim.verdict for claim in found.claims}[order] == "fails"
    assert max(point.z for point in found.points) > AGREE


def test_harm_in_steps_tends_to_the_integral_from_above():
    ratio = np.array([0.5, 1.0, 2.0, 9.0])
    for p in (0.5, 1.0):
        whole = theory.training_harm(100, ratio, 1.0, ALIGNED, p=p)
        np.testing.assert_array_equal(left_harm(100, ratio[:2], p), 0.0)
        share = left_harm(100, ratio[2:], p) / whole[2:]
        assert np.all((share > 1.0) & (share < 1.02))
