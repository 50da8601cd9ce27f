"""An aligner that looks against the essay's budget: theory and a small run agree."""

import numpy as np
import pytest

from sumabm import theory
from sumabm.reproduce import courses
from sumabm.reproduce.exhibits import observer
from sumabm.reproduce.findings import AGREE


@pytest.fixture(scope="module")
def runs(simulated):
    return simulated("essay-observer", replicates=40, uncertainties__d=[30, 60])


@pytest.fixture(scope="module")
def found(runs):
    return observer.make({"essay-observer": runs})


def test_a_simulation_agrees_and_takes_more_than_the_essays_nats(found):
    assert max(point.z for point in found.points) <= AGREE
    series = {point.series.split(",")[0] for point in found.points}
    assert series == {"alignment", "information", "harm", "nats of action over the essay's"}
    (claim,) = found.claims
    assert claim.order == 190
    assert claim.verdict != "holds"
    late = [part for part in claim.measured if "c = 0.9" in part.what and "nats of" in part.what]
    assert all(part.z <= AGREE and part.mean > 2.0 for part in late)


def test_the_essays_budget_taken_for_an_aligner_that_looks_fails(runs):
    labels = runs["agents.W.method"].values.copy()
    budget, free = labels == courses.BUDGET.label, labels == courses.FREE.label
    labels[budget], labels[free] = courses.FREE.label, courses.BUDGET.label
    swapped = runs.assign_coords({"agents.W.method": ("point", labels)})
    other = observer.make({"essay-observer": swapped})
    assert max(point.z for point in other.points) > AGREE
    assert other.claims[0].verdict == "fails"


def test_weak_edits_lag(found):
    nats = {head: column[-2] for head, column in found.table.items()}  # until c = 0.9, most d
    assert (nats["what it takes"], nats["c"]) == ("nats of action", "0.9")
    free, weak = (nats[f"looks, {how}, simulated"] for how in ("free edits", "edits of 0.03 nats"))
    assert weak.startswith("—") or float(weak.split()[0]) > float(free.split()[0])


def test_its_panels_are_labelled_and_every_aligner_is_in_the_legend(found):
    for axes in found.figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    (legend,) = found.figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[:-1] == [kind.name for kind in courses.KINDS]


def test_the_capped_essay_is_ahead_of_looking_from_alignment_0_85_on():
    c = np.array([0.84, 0.85])
    looked, capped = theory.looked_nats(1e6, c), 2.0 * theory.alignment_cost_limit(1e6, c)
    assert ((looked > capped) == [False, True]).all()


def test_expected_harm_by_a_spline_is_that_of_every_step():
    nats = courses.LOOKED * np.arange(130.0)
    told = courses.expected(100, courses.FREE, nats)
    amplitude = float(theory.residual(courses.LOOKED, courses.HELD))
    steps = theory.bayesian_expected_harm(100, 2.0 * nats / 100, amplitude)
    np.testing.assert_allclose(np.diff(told.harm), steps[:-1], rtol=1e-6)


def test_a_threshold_is_reached_between_steps_with_the_errors_of_both_means():
    time, ahead = np.arange(11.0), np.linspace(-0.1, 0.1, 21)[:, None]
    level = time / 10.0 + ahead
    course = courses.Course(courses.LOOKED * time, level, 3.0 * time + 0.0 * ahead, level)
    nats, harm = courses.reached(course, 0.55)
    error = 10.0 * ahead.std(ddof=1) / np.sqrt(21)  # in steps
    np.testing.assert_allclose([nats.mean, nats.error], [11.0, courses.LOOKED * error])
    np.testing.assert_allclose([harm.mean, harm.error], [16.5, 3.0 * error])
    never, _ = courses.reached(course, 1.01)
    assert np.isnan(never.mean)
