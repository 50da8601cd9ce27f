"""Harm over time: the exhibit agrees with theory and a small run, not with another law."""

import numpy as np
import pytest

from sumabm.reproduce import training
from sumabm.reproduce.exhibits import growth
from sumabm.reproduce.findings import AGREE

ALPHAS = [0.0, 0.5]


@pytest.fixture(scope="module")
def data(drawn, expected, simulated):
    def runs(scales):
        points = [{"xi": xi, "alpha": alpha} for xi in scales for alpha in ALPHAS]
        steps = [(training.dimensions(q["xi"], q["alpha"]), q["xi"]) for q in points]
        sums = {p: [expected(d, xi, p).sum() for d, xi in steps] for p in (1.0, 0.5)}
        return drawn(points, cumulative_harm=sums[1.0], cumulative_harm_amplitude=sums[0.5])

    times = {"uncertainties__g": [0.1, 0.3], "uncertainties__d": [8, 100], "replicates": 40}
    return {
        "essay-scaling": runs([0.5, 1.5, 2.0, 16.0]),
        "essay-scaling-far": runs([1024.0, 2304.0]),
        "essay-time": simulated("essay-time", **times),
    }


@pytest.fixture(scope="module")
def made(data):
    return growth.make(data)


def verdicts(found):
    return {claim.order: claim.verdict for claim in found.claims}


def test_the_simulation_agrees_at_every_point(made):
    assert max(point.z for point in made.points) < AGREE
    assert verdicts(made) == {140: "holds", 145: "holds only if"}


def test_one_ai_that_nobody_aligns_grows_by_the_formula_without_noise(data):
    run = growth.run_of(data["essay-time"], 100, 0.1, aligned=False)
    assert run.slope(50.0, 100.0).z == 0.0
    np.testing.assert_allclose(run.expected[run.xi <= 1.0], 0.0)
    assert run.slope(1.5, 2.0).mean > run.slope(50.0, 100.0).mean > 1.0


def test_runs_end_where_the_power_has_grown_to_its_end(data):
    for g in (0.1, 0.3):
        run = growth.run_of(data["essay-time"], 8, g, aligned=True)
        assert run.xi[-1] < 100.0 <= run.xi[-1] * np.exp(g) * (1.0 + 1e-9)
        assert np.isfinite(run.harm).all()


def test_its_panels_are_labelled(made):
    for axes in made.figure.axes:
        assert "since human level" in axes.get_xlabel()
        assert "(nats)" in axes.get_ylabel()


@pytest.mark.parametrize(
    ("name", "change", "order"),
    [
        ("essay-scaling-far", lambda runs: runs * runs["xi"] ** 0.1, 140),
        ("essay-time", lambda runs: runs * (1.0 + 0.01 * runs["step"]), 140),
        ("essay-time", lambda runs: runs * (1.0 + (runs["agents.W.method"] == "budget")), 145),
    ],
)
def test_data_of_another_law_fails(data, name, change, order):
    runs = data[name]
    harms = [key for key in runs.data_vars if "harm" in str(key)]
    other = {**data, name: runs.assign(change(runs[harms]).data_vars)}
    found = growth.make(other)
    assert max(point.z for point in found.points) > AGREE
    assert verdicts(found)[order] == "fails"
