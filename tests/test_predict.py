"""Theory's curves for a run: present where there is a closed form, absent where there is none."""

import numpy as np
import pytest

import sumabm
from sumabm.columns import parts
from sumabm.predict import predict
from sumabm.summary import summarise


def curves(scenario, replicates=300, **overrides):
    overrides = {key.replace("__", "."): value for key, value in overrides.items()}
    spec = sumabm.load_scenario(scenario, overrides)
    run = sumabm.simulate(spec, replicates, seed=6, steps=40)
    return run, predict(run, spec)


def worst(run, column, curve):
    name, agent, place = parts(column)
    values = (run[name].sel(agent=agent) if agent else run[name]).values
    values = values[..., int(place)] if place else values
    error = values.std(axis=0, ddof=1) / np.sqrt(values.shape[0])
    spread = error > 1e-12
    return np.max(np.abs(values.mean(axis=0) - curve)[spread] / error[spread], initial=0.0)


@pytest.mark.parametrize("scenario", ["imitator", "reward-learner"])
def test_what_is_learnt_from_humans_is_predicted(scenario):
    run, found = curves(scenario)
    assert set(found) == {"alignment.X"}
    assert worst(run, "alignment.X", found["alignment.X"]) < 4
    run, found = curves(scenario, agents__W={"role": "aligner", "method": "budget"})
    assert found == {}


def test_what_a_probe_reads_is_predicted():
    free = {"kind": "probe", "noise": 5.0, "edit_power": 1000.0}  # edits don't bind
    run, found = curves("probe", agents__W__method=free)
    assert set(found) == {"information.X"}
    # with more noise the first edit, which knows least, is within its nats too
    run, found = curves("probe", world__dimensions=1000, agents__W__method__noise=60.0)
    for column in ("alignment.X", "information.X"):
        assert worst(run, column, found[column]) < 4, column


def test_what_subagents_hand_down_is_predicted():
    run, found = curves("goal-discovery", world__dimensions=2000, replicates=100)
    names = {f"generation_alignment.X.{place}" for place in range(3)}
    assert set(found) == {"alignment.X", *names}
    for column in found:
        assert worst(run, column, found[column]) < 4, column
        assert worst(run, column, np.append(0.0, found[column][:-1])) > 4, column
    edited, found = curves("subagents", world__dimensions=2000, replicates=100)
    assert set(found) == {*names, "generation_alignment.X.3"}
    for column in found:  # edits begin after the first row
        assert np.isnan(found[column][1:]).all()
        assert worst(edited.isel(step=[0]), column, found[column][:1]) < 4, column
        if not column.endswith("0"):
            assert worst(edited.isel(step=[0]), column, 1.05 * found[column][:1]) > 4, column


def test_there_is_no_theory_of_a_crowd_of_subagents():
    many = {"kind": "subagents", "graph": "parallel", "subagents": 65}
    _, found = curves("goal-discovery", replicates=2, agents__X__utility=many)
    assert found == {}


def test_what_an_explorer_learns_is_predicted():
    run, found = curves("explorer", world__dimensions=200, replicates=100)
    assert set(found) == {"learnt.X"}
    assert worst(run, "learnt.X", found["learnt.X"]) < 4
    assert worst(run, "learnt.X", np.append(0.0, found["learnt.X"][:-1])) > 4
    for changes in (
        {"world__dynamics": "persist"},
        {"agents__V": {"role": "ai", "power": 1.0}},
        {"agents__X__behaviour": {"kind": "sandboxed", "fraction": 0.5}},
    ):
        assert "learnt.X" not in curves("explorer", replicates=2, **changes)[1]


@pytest.mark.parametrize("scenario", ["essay", "unopposed"])
def test_curves_pass_through_the_simulation(scenario):
    run, found = curves(scenario)
    assert {"alignment.X", "harm", "cumulative_harm", "harm_amplitude"} <= set(found)
    for column, curve in found.items():
        assert worst(run, column, curve) < 4, column


@pytest.mark.parametrize(
    "power",
    [
        {"kind": "exponential", "initial": 0.8, "rate": 0.03},
        {"kind": "logistic", "initial": 0.3, "capacity": 5.0, "rate": 0.2},
        {"kind": "recursive", "initial": 0.5, "rate": 0.04, "exponent": 2.0},
        {"kind": "recursive", "initial": 0.5, "rate": 0.1, "exponent": 0.5},
        {"kind": "table", "values": [0.5, 3.0, 9.0, 1.0, 2.0], "beyond": "hold"},
    ],
    ids=lambda power: power["kind"],
)
def test_curves_follow_growing_power(power):
    run, found = curves("essay", agents__X__power=power)
    assert worst(run, "cumulative_harm", 1.1 * found["cumulative_harm"]) > 6
    for column, curve in found.items():
        assert worst(run, column, curve) < 4, column


def test_curves_follow_an_ai_that_holds_back():
    behaviour = {"kind": "conservative", "share": 0.8}
    run, found = curves("essay", agents__X__behaviour=behaviour)
    assert run["harm"].values[:, 0].mean() > 0
    for column, curve in found.items():
        assert worst(run, column, curve) < 4, column


def test_two_budget_aligners_spend_together():
    run, found = curves("essay", agents__V={"role": "aligner", "method": "budget"})
    assert run["information"].sel(agent="X").values[0, -1] == pytest.approx(2 * 39)
    for column, curve in found.items():
        assert worst(run, column, curve) < 4, column


def test_the_bayesian_limit_is_near():
    run, found = curves("bayesian", world__dimensions=1000, agents__X__power=5.0)
    assert set(found) == {"alignment.X", "information.X"}
    seen = run["alignment"].sel(agent="X").mean("replicate").values
    assert np.abs(seen - found["alignment.X"])[20:].max() < 0.01


@pytest.mark.parametrize(
    ("overrides", "gone"),
    [
        ({"stop": {"alignment": 0.5}}, {"alignment.X", "harm"}),
        ({"agents__X__utility__direction": [1.0] + [0.0] * 99}, {"alignment.X", "harm"}),
        ({"world__dynamics": "persist"}, {"harm"}),
        ({"agents__Y__response": "own-utility"}, {"harm"}),
        ({"agents__Z": {"role": "human", "power": 1.0}}, {"harm"}),
        ({"agents__V": {"role": "ai", "power": 1.0}}, {"harm"}),
        ({"agents__V": {"role": "aligner", "method": "none"}}, set()),
    ],
)
def test_no_curve_where_there_is_no_closed_form(overrides, gone):
    _, found = curves("essay", replicates=2, **overrides)
    assert gone & set(found) == set()
    if not gone:
        assert "harm" in found


def test_aligners_of_two_minds_have_no_curve():
    """A Bayesian aligner beside another one: no closed form for what both know."""
    other = {"role": "aligner", "method": "bayesian"}
    _, found = curves("bayesian", replicates=2, agents__V=other)
    assert "alignment.X" not in found


@pytest.mark.parametrize(
    "overrides",
    [
        {"world__dynamics": "persist"},
        {"agents__W__method__watches": "outcome"},
        {"activation": "simultaneous", "agents__V": {"role": "ai", "power": 1.0}},
    ],
)
def test_no_bayesian_curve_where_acts_are_not_seen_by_themselves(overrides):
    _, found = curves("bayesian", replicates=2, **overrides)
    assert "alignment.X" not in found


def test_summary_has_mean_error_and_theory():
    run, found = curves("essay")
    lines = {line.quantity: line for line in summarise(run, found)}
    line = lines["cumulative_harm"]
    ends = run["cumulative_harm"].values[:, -1]
    assert line.mean == ends.mean()
    assert line.standard_error == pytest.approx(ends.std(ddof=1) / np.sqrt(300))
    assert abs(line.mean - line.theory) < 4 * line.standard_error
    assert line.unit == "nats"
    assert lines["budget.W"].theory is None


def test_summary_of_one_replicate_has_no_error():
    run, found = curves("essay", replicates=1)
    assert all(line.standard_error is None for line in summarise(run, found))


def test_summary_takes_each_replicate_where_it_stopped():
    run, found = curves("essay", replicates=50, stop={"alignment": 0.5})
    line = next(x for x in summarise(run, found) if x.quantity == "alignment.X")
    assert 0.4 < line.mean < 0.5
    run, found = curves("essay", replicates=2, stop={"alignment": -0.99})
    assert summarise(run, found) == []


def test_no_curve_when_the_goal_moves_or_edits_are_given():
    growing = {"kind": "exponential", "initial": 1.0, "rate": 0.1}
    _, found = curves("essay", replicates=2, agents__Z={"role": "human", "power": growing})
    assert found == {}
    _, found = curves("essay", replicates=2, agents__Z={"role": "human", "power": 2.0})
    assert "alignment.X" in found
    _, found = curves("bayesian", replicates=2, agents__W__method__edit_power=0.5)
    assert set(found) == {"information.X"}


def test_curves_of_an_ai_that_resists_and_of_one_that_deceives():
    run, found = curves("resisting")
    assert {"alignment.X", "cumulative_harm"} <= set(found)
    for column, curve in found.items():
        assert worst(run, column, curve) < 4, column
    for behaviour in (
        {"kind": "treacherous", "release": 9},
        {"kind": "leak-limited", "leak": 0.1},
        {"kind": "sandboxed", "fraction": 1.0, "inner": {"kind": "leak-limited", "leak": 0.1}},
    ):
        assert set(curves("essay", 3, agents__X__behaviour=behaviour)[1]) <= {"alignment.X"}
