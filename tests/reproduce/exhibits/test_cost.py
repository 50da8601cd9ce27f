"""What alignment costs: the exhibit agrees with a small run, and not with another law."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.reproduce.estimates import Estimate, crossing
from sumabm.reproduce.exhibits import cost
from sumabm.reproduce.findings import AGREE

DIMENSIONS = [3, 30, 100]
MANY = 1000


@pytest.fixture(scope="module")
def data(simulated):
    return {
        "essay-cost": simulated("essay-cost", replicates=60, uncertainties__d=DIMENSIONS),
        "essay-cost-high": simulated("essay-cost-high", uncertainties__d=[MANY]),
    }


@pytest.fixture(scope="module")
def made(data):
    return cost.make(data)


def test_the_simulation_agrees_at_every_point(made):
    assert {point.series for point in made.points} == {"d = 3", "d = 30", "d = 100", "d = 1,000"}
    assert len(made.points) == 40
    assert max(point.z for point in made.points) <= AGREE
    assert all(point.error > 0.0 for point in made.points)


def test_its_claim_holds(made):
    (claim,) = made.claims
    assert (claim.order, claim.verdict) == (40, "holds")
    assert [part.theory for part in claim.measured] == pytest.approx(
        theory.alignment_cost(np.array([*DIMENSIONS, MANY]), 0.9)
    )


def test_its_panel_is_labelled(made):
    (axes,) = made.figure.axes
    assert "divergence" in axes.get_xlabel()
    assert axes.get_ylabel().endswith("(nats)")
    assert [text.get_text() for text in axes.texts][-1] == "d = 1,000"


def test_a_cost_that_does_not_depend_on_dimensions_fails(data):
    runs = data["essay-cost"]
    one = runs["alignment"].isel(point=0)  # at d = 3, where budgets are smallest
    same = runs.assign(
        alignment=one.broadcast_like(runs["alignment"]),
        budget=runs["budget"].isel(point=0).broadcast_like(runs["budget"]),
    )
    found = cost.make({**data, "essay-cost": same})
    assert found.claims[0].verdict == "fails"
    assert max(point.z for point in found.points) > AGREE


def test_required_nats_come_out_of_exact_alignments(data):
    exact = data["essay-cost"].copy()
    for d in DIMENSIONS:
        at_d = exact["d"] == d
        budget = exact["budget"].sel(agent="W").isel(point=int(np.flatnonzero(at_d)[0]))
        means = budget.copy(data=theory.alignment(d, budget.values))
        exact["alignment"] = exact["alignment"].where(~at_d, means)
        for threshold in (0.5, 0.7, 0.99):
            nats, error = cost.required(exact, d, threshold)
            assert nats == pytest.approx(float(theory.alignment_cost(d, threshold)), rel=1e-4)
            assert error == pytest.approx(0.0, abs=1e-12)


def test_the_error_of_a_crossing_is_what_crossings_vary_by():
    rng = np.random.default_rng(0)
    x, slope, noise = np.linspace(0.0, 10.0, 41), 2.0, 0.05
    shared = noise * rng.standard_normal((4000, 1))  # by replicate, as in paths
    found = [
        crossing(x, Estimate(slope * x + shift, np.full(x.size, noise)), 7.3) for shift in shared
    ]
    places, errors = np.array(found).T
    np.testing.assert_allclose(errors, noise / slope)
    assert places.mean() == pytest.approx(7.3 / slope, abs=4 * noise / slope / 4000**0.5)
    assert places.std() == pytest.approx(noise / slope, rel=0.05)


@pytest.mark.parametrize("level", [-1.0, 0.0, 5.0])
def test_a_level_that_is_not_come_up_to_is_said(level):
    y = Estimate(np.array([0.0, 1.0, 2.0]), np.ones(3))
    with pytest.raises(ValueError, match=f"come up to {level:g}"):
        crossing(np.arange(3.0), y, level)
