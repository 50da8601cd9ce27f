"""Required optimisation is linear in d: the exhibit agrees with a small run, not another law."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.reproduce.estimates import Estimate, line
from sumabm.reproduce.exhibits import required
from sumabm.reproduce.findings import AGREE


@pytest.fixture(scope="module")
def data(simulated):
    return {
        "essay-cost": simulated("essay-cost", replicates=60, uncertainties__d=[3, 30, 100]),
        "essay-cost-high": simulated("essay-cost-high", uncertainties__d=[1000]),
    }


@pytest.fixture(scope="module")
def made(data):
    return required.make(data)


def test_the_simulation_agrees_at_every_point(made):
    assert len(made.points) == 4 * 4  # thresholds and dimensions
    assert max(point.z for point in made.points) <= AGREE


def test_its_claim_holds_with_a_slope_for_every_threshold(made):
    (claim,) = made.claims
    assert (claim.order, claim.verdict) == (50, "holds")
    assert [slope.theory for slope in claim.measured] == pytest.approx(
        [-0.5 * np.log1p(-(c**2)) for c in (0.5, 0.7, 0.9, 0.99)]
    )
    assert {len(column) for column in made.table.values()} == {4}


def test_its_panels_are_labelled(made):
    for axes in made.figure.axes:
        assert axes.get_xlabel() == "dimensions $d$"
        assert axes.get_ylabel().endswith("(nats)")


@pytest.mark.parametrize("power", [0.5, 0.95, 2.0])
def test_costs_of_another_power_of_dimensions_fail(data, power):
    other = {
        name: runs.assign(budget=runs["budget"] * (runs["d"] / 30.0) ** (power - 1.0))
        for name, runs in data.items()
    }
    found = required.make(other)
    assert found.claims[0].verdict == "fails"
    assert max(point.z for point in found.points) > AGREE


def test_what_is_not_linear_does_not_change_the_slope():
    d = np.array([30.0, 100, 300, 1000, 3000, 1e4, 1e5, 1e6])
    for c in (0.5, 0.7, 0.9, 0.99):
        exact = Estimate(theory.alignment_cost(d, c), np.sqrt(d))  # errors are ∝ √d
        slope, _ = line(d, exact)
        assert slope == pytest.approx(float(theory.cost_per_dimension(c)), rel=1e-5)
