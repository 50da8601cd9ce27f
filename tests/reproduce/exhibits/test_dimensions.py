"""How harm grows with dimensions: the exhibit agrees with a small run, and not with another law."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.reproduce.exhibits import dimensions
from sumabm.reproduce.findings import AGREE
from sumabm.reproduce.training import ALIGNED, left_harm

OUTCOMES = ("cumulative_harm", "cumulative_harm_amplitude")


@pytest.fixture(scope="module")
def data(simulated):
    return {
        "essay-dimensions": simulated(
            "essay-dimensions", replicates=40, uncertainties__d=[60, 200, 600]
        ),
        "essay-steps": simulated("essay-steps", replicates=100, uncertainties__n=[4, 16, 64]),
    }


@pytest.fixture(scope="module")
def made(data):
    return dimensions.make(data)


def verdicts(found):
    return {claim.order: claim.verdict for claim in found.claims}


def test_the_simulation_agrees_at_every_point(made):
    assert len(made.points) == 3 * 3 + 2 * 3  # kinds by dimensions, powers by steps
    assert max(point.z for point in made.points) <= AGREE
    assert all(point.error > 0.0 for point in made.points)


def test_its_claims_hold(made):
    assert verdicts(made) == {70: "holds", 100: "holds"}


def test_its_panels_are_labelled(made):
    grown, stepped = made.figure.axes
    assert (grown.get_xlabel(), stepped.get_xlabel()) == ("dimensions $d$", "steps $n$")
    assert grown.get_ylabel() == "harm (nats)"
    assert "integral" in stepped.get_ylabel()


@pytest.mark.parametrize("power", [-0.5, 0.1, 1.0])
def test_harm_of_another_power_of_dimensions_fails(data, power):
    runs = data["essay-dimensions"]
    scale = (runs["d"] / 200.0) ** power
    other = runs.assign({name: runs[name] * scale for name in OUTCOMES})
    found = dimensions.make({**data, "essay-dimensions": other})
    assert verdicts(found) == {70: "fails", 100: "fails"}
    assert max(point.z for point in found.points) > AGREE


def test_harm_without_the_humans_in_place_of_what_is_left_fails(data):
    runs = data["essay-dimensions"]
    double = runs.assign(cumulative_harm=4.0 * runs["cumulative_harm"])
    found = dimensions.make({**data, "essay-dimensions": double})
    assert verdicts(found) == {70: "holds", 100: "fails"}  # proportional, but another harm


def test_sums_that_tend_to_another_integral_fail(data):
    runs = data["essay-steps"]
    other = runs.assign(cumulative_harm=1.5 * runs["cumulative_harm"])
    found = dimensions.make({**data, "essay-steps": other})
    assert verdicts(found) == {70: "holds", 100: "fails"}


def test_exact_sums_tend_to_the_integral():
    for p in (0.5, 1.0):
        whole = float(theory.training_harm(100, 4.0, 1.0, ALIGNED, p=p))
        gaps = [float(left_harm(100, 4.0, p, n)) / whole - 1.0 for n in (64, 256, 1024)]
        assert np.all(np.diff(np.log(gaps)) / np.log(4.0) == pytest.approx(-1.0, abs=0.06))
        assert gaps[-1] < 0.005
