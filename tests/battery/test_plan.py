"""Points, each a checked scenario, seeds, and chunks named by all that is in them."""

import json
from pathlib import Path

import numpy as np
import pytest

from sumabm import ScenarioError
from sumabm.battery import plan as planning
from sumabm.battery.plan import check, plan, timed_size

POWER = "agents.X.power"
FREE = {"utilities": "free"}


def chunks(battery):
    """Return the names of a battery's chunks by point and first replicate."""
    table = plan(battery).chunks
    where = zip(table["point"].tolist(), table["first"].tolist(), strict=True)
    return dict(zip(where, table["identity"].astype(str), strict=True))


def powers(*values, **more):
    return {"uncertainties": {POWER: list(values)}, "levers": {}, **more}


def test_a_plan(tiny):
    made = plan(tiny())
    assert made.columns[POWER].tolist() == [2.0, 2.0, 4.0, 4.0]
    assert made.columns["agents.W.method"].tolist() == ["budget", "bayesian"] * 2
    assert made.unit[POWER].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert json.loads(made.overrides[1]) == {POWER: 2.0, "agents.W.method": "bayesian"}
    assert made.seeds == [0] * 4
    assert made.size == 2
    assert made.chunks["point"].tolist() == np.repeat(range(4), 3).tolist()
    assert made.chunks["first"].tolist() == [0, 2, 4] * 4
    assert made.chunks["stop"].tolist() == [2, 4, 5] * 4
    assert len(set(made.chunks["identity"].astype(str))) == 12
    assert check(tiny()) == 4


def test_a_simplex_has_a_column_for_each_entry(tiny):
    made = plan(
        tiny(
            {"world": {"kind": "states", "probabilities": [0.2, 0.3, 0.5], **FREE}},
            uncertainties={"world.probabilities": {"kind": "simplex", "size": 3}},
            levers={},
            design={"kind": "random", "points": 2},
        )
    )
    vectors = np.stack([made.columns[f"world.probabilities[{i}]"] for i in range(3)], axis=1)
    np.testing.assert_allclose(vectors.sum(axis=1), 1.0)
    assert list(made.unit) == ["world.probabilities[0]", "world.probabilities[1]"]
    assert json.loads(made.overrides[1]) == {"world.probabilities": vectors[1].tolist()}


def test_a_column_that_would_be_taken_for_another_has_a_longer_name(tiny):
    made = plan(tiny(uncertainties={"harm": ["regret"]}, levers={"steps": [1, 2]}))
    assert list(made.columns) == ["scenario.harm", "steps"]
    assert list(made.unit) == ["scenario.harm", "steps"]
    assert json.loads(made.overrides[0]) == {"harm": "regret", "steps": 1}


# --- what is not valid -------------------------------------------------------------------------


def test_points_that_are_not_valid_are_told_by_number(tiny):
    with pytest.raises(ScenarioError) as caught:
        plan(tiny(**powers(1.0, -1.0, 2.0, -2.0)))
    [first] = str(caught.value).splitlines()
    assert first.startswith(f"battery tiny: point 1 ({POWER}=-1.0): {POWER}.value: ")
    assert first.endswith("greater than or equal to 0 (got -1.0) (and at 1 more)")


def test_a_derived_value_that_is_none_is_told_with_its_point(tiny):
    b = tiny(uncertainties={"xi": [1.0, 2.0]}, derived={POWER: "1 / (2 - xi)"}, levers={})
    with pytest.raises(ScenarioError) as caught:
        plan(b)
    assert str(caught.value) == (
        "battery tiny: point 1 (xi=2.0): '1 / (2 - xi)' has no value: float division by zero, "
        "xi = 2.0"
    )


def test_one_problem_is_told_once(tiny):
    with pytest.raises(ScenarioError) as caught:
        plan(tiny(**powers(*(-1.0 - k for k in range(500)))))
    [line] = str(caught.value).splitlines()
    assert line.startswith("battery tiny: point 0 (agents.X.power=-1.0")
    assert line.endswith("(and at 499 more)")


def test_very_many_chunks_are_refused(tiny):
    with pytest.raises(ScenarioError, match=r"replicates: makes \d+ chunks of 1; allowed: at most"):
        plan(tiny(replicates=2**32, chunk={"replicates": 1}))


def test_a_design_that_does_not_fit_is_told(tiny):
    with pytest.raises(ScenarioError, match=r"^battery tiny: design: levels: .*\d+ points"):
        plan(tiny(design={"kind": "grid", "levels": 1_000_000}))


def test_progress(tiny):
    told = []
    plan(tiny(), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


# --- what names a chunk ------------------------------------------------------------------------


def test_names_and_limits_do_not_name_a_chunk(tiny):
    other = tiny(
        {"description": "x", "tags": ["y"], "scenario": "other"},
        battery="b",
        description="x",
        tags=["z"],
        chunk={"replicates": 2, "limit": 9.0},
    )
    assert chunks(other) == chunks(tiny())


def test_other_points_do_not_name_a_chunk(tiny):
    three, two = chunks(tiny(**powers(2.0, 3.0, 4.0))), chunks(tiny(**powers(4.0, 2.0)))
    for first in (0, 2, 4):
        assert two[0, first] == three[2, first]
        assert two[1, first] == three[0, first]
    swapped = chunks(tiny(**powers(2.0, 4.0), paired=True, description="?"))
    assert set(swapped.values()) == set(two.values()) < set(three.values())


def test_how_a_scenario_is_come_to_does_not_name_a_chunk(tiny):
    by_path = chunks(tiny(**powers(2.0)))
    assert chunks(tiny({POWER: 2.0}, uncertainties={}, levers={})) == by_path
    derived = tiny(uncertainties={"xi": [1.0]}, levers={}, derived={POWER: "2 * xi"})
    assert chunks(derived) == by_path
    assert chunks(tiny({POWER: 9.0}, **powers(2.0))) == by_path
    as_lever = tiny(uncertainties={}, levers={POWER: [2.0]}, design="one-at-a-time")
    assert chunks(as_lever) == by_path


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"steps": 5}, {}),
        ({"agents.Y.power": 2.0}, {}),
        ({}, {"seed": 1}),
        ({}, {"keep": {"steps": "all"}}),
        ({}, {"keep": {"steps": 2}}),
        ({}, {"keep": {"outcomes": ["harm"]}}),
        ({}, {"chunk": {"replicates": 3}}),
        ({}, {"paired": False}),
    ],
)
def test_what_changes_the_data_names_other_chunks(tiny, changes, fields):
    before, after = chunks(tiny()), chunks(tiny(changes, **fields))
    assert not set(before.values()) & set(after.values())


def test_the_order_of_outcomes_does_not_name_a_chunk(tiny):
    names = ["harm", "alignment"]
    both = [chunks(tiny(keep={"outcomes": n})) for n in (names, names[::-1], [*names, "harm"])]
    assert both[0] == both[1] == both[2]


def test_more_replicates_keep_the_chunks_that_are_whole(tiny):
    few, many = chunks(tiny()), chunks(tiny(replicates=8))
    shared = set(few.values()) & set(many.values())
    assert shared == {few[point, first] for point in range(4) for first in (0, 2)}
    assert few[0, 4] != many[0, 4]  # 4:5 and 4:6


def test_equal_points_are_one_chunk(tiny):
    b = tiny(uncertainties={"xi": [1.0, 2.0]}, levers={}, derived={POWER: "0 * xi + 2"})
    names = chunks(b)
    assert [names[0, first] for first in (0, 2, 4)] == [names[1, first] for first in (0, 2, 4)]


# --- seeds -------------------------------------------------------------------------------------


def test_paired_points_share_the_seed(tiny):
    assert plan(tiny(seed=9)).seeds == [9] * 4


def test_points_that_are_not_paired_have_seeds_of_their_own(tiny):
    some = plan(tiny(**powers(2.0, 3.0, 4.0), paired=False)).seeds
    assert len(set(some)) == 3
    assert all(0 <= seed < 2**63 for seed in some)
    assert plan(tiny(**powers(4.0, 2.0), paired=False)).seeds == [some[2], some[0]]
    assert not set(some) & set(plan(tiny(**powers(2.0, 3.0, 4.0), paired=False, seed=1)).seeds)
    twins = {"uncertainties": {"xi": [1.0, 2.0]}, "levers": {}, "derived": {POWER: "0 * xi + 2"}}
    first, second = plan(tiny(**twins, paired=False)).seeds
    assert first == second == some[0]


@pytest.mark.parametrize("kind", ["random", "latin-hypercube", "sobol", "saltelli", "morris"])
def test_seeds_of_any_size(tiny, kind):
    count = {"trajectories": 2} if kind == "morris" else {"points": 2}
    for seed in (0, 2**32, 2**63, 10**30):
        made = plan(tiny(seed=seed, design={"kind": kind, **count}))
        assert made.seeds[0] == seed


# --- how large chunks are ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixed", "each", "seconds", "size"),
    [
        (0.0, 1e-3, 2.0, 256),  # 4 steps: 500 replicates take 2 s
        (0.02, 1e-3, 2.0, 256),  # 480
        (0.25, 1e-3, 2.0, 512),  # 250, but then half the time is overhead: 1000
        (0.0, 1e-3, 1e9, 2048),  # as large as chunks get
        (0.0, 1e-3, 1e-3, 1),  # not even one
        (0.0, 0.0, 2.0, 2048),
    ],
)
def test_chunks_are_a_power_of_two_that_takes_the_time_asked_for(
    tiny, monkeypatch, fixed, each, seconds, size
):
    times = {tried: fixed + each * tried for tried in (1, 16, 256)}
    monkeypatch.setattr(planning, "_timings", lambda found, most: [(s, times) for s in found])
    b = tiny(replicates=5000, chunk={"seconds": seconds})
    assert timed_size([b.scenario] * 5, b) == size
    assert plan(b).size == size


def test_chunks_are_timed_really(tiny):
    b = tiny({"steps": 2}, replicates=100, chunk={"seconds": 0.01})
    size = plan(b).size
    assert 1 <= size <= 2048
    assert size & (size - 1) == 0
    assert plan(tiny(replicates=10, chunk={})).size == 16  # not worth a timing


def test_points_that_cannot_be_timed_do_not_matter(tiny, monkeypatch):
    """What fails, or takes its time with few replicates, is not waited for with many."""
    monkeypatch.setattr(planning, "_PATIENCE", 0.0)
    slow = planning._seconds_per_step(100, Path(), (0, tiny({"steps": 2}).scenario))
    assert list(slow) == [1]
    b = tiny(replicates=100, chunk={"seconds": 1e-9})
    monkeypatch.setattr(planning, "_timings", lambda found, most: [])
    assert plan(b).size == 1
    assert timed_size([], b) == 1
