"""What an action reveals: the exhibit agrees with theory and a small run, not with the essay."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.reproduce.exhibits import information
from sumabm.reproduce.findings import AGREE

POWERS = [0.03, 1.0, 5.0, 10.0]
DIMENSIONS = [3, 10, 1000]


@pytest.fixture(scope="module")
def runs(drawn):
    points = [{"world.dimensions": d, "agents.X.power": o} for d in DIMENSIONS for o in POWERS]
    d, power = np.array([list(point.values()) for point in points]).T
    means = {
        "information": theory.action_information(d, power),
        "alignment": theory.action_alignment(d, power),
    }
    return drawn(points, **means).expand_dims(agent=["X"])


def made(runs):
    return information.make({"essay-information": runs})


def test_data_of_the_theory_agrees_and_the_essay_is_right_of_weak_actions_only(runs):
    found = made(runs)
    assert len(found.points) == 2 * len(POWERS) * len(DIMENSIONS)  # information and cosine
    assert max(point.z for point in found.points) < 1e-6
    assert [(claim.order, claim.verdict) for claim in found.claims] == [(60, "holds only if")]
    shares = [part for part in found.claims[0].measured if part.what.startswith("share")]
    assert min(part.mean for part in shares) < 0.5
    assert max(part.mean for part in shares) > 0.99


@pytest.mark.parametrize("law", [lambda d, o: o, lambda d, o: theory.information_bound(d, o)])
def test_data_of_another_law_fails(runs, law):
    nats = law(runs["world.dimensions"], runs["agents.X.power"])
    spread = np.linspace(0.99, 1.01, runs.sizes["replicate"])
    other = np.multiply.outer(np.asarray(nats), spread)[None]
    found = made(runs.assign(information=(("agent", "point", "replicate"), other)))
    assert found.claims[0].verdict == "fails"
    assert max(point.z for point in found.points) > AGREE


def test_a_simulation_agrees(simulated):
    runs = simulated("essay-information", replicates=60)
    found = made(runs)
    assert max(point.z for point in found.points) <= AGREE
    assert found.claims[0].verdict == "holds only if"


def test_its_panels_are_labelled_and_have_every_series(runs):
    nats, shares = made(runs).figure.axes
    assert "(nats)" in nats.get_xlabel()
    assert "information" in nats.get_ylabel()
    assert (shares.get_xlabel(), shares.get_ylabel()) == ("x = 2O/d", "information / O")
    told = [text.get_text() for text in nats.get_legend().get_texts()]
    assert sorted(told) == ["d = 10", "d = 1000", "d = 3", "essay"]


def test_the_table_sets_theory_beside_reference_values(runs):
    table = made(runs).table
    reference, here = (np.array(table[name], dtype=float) for name in ("reference", "theory"))
    radius = np.array(["radius" in what for what in table["quantity"]])
    assert np.abs(here - reference)[radius].max() < 2e-4
    assert np.abs(here - reference)[~radius].max() < 2e-12
    assert (radius.sum(), radius.size) == (3, 9)
