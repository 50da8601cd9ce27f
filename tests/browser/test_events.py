"""The log: what it says of a run, and when."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sumabm import SUMModel, load_scenario
from sumabm.browser.events import MOST_EVENTS, events
from sumabm.scenario import Scenario
from sumabm.types import Array

ESSAY = load_scenario("essay")


def column(*values: float) -> Array:
    return np.array(values)[:, None]


def told(columns: dict[str, Array], spec: Scenario = ESSAY, ended: str = "") -> list[tuple]:
    return [tuple(event) for event in events(spec, columns, 0, ended)]


def crowd(ais: int, aligners: int = 1) -> Scenario:
    table = ESSAY.model_dump()
    some = {f"X{i}": {"role": "ai", "power": 2.0} for i in range(ais)}
    others = {f"W{i}": {"role": "aligner", "method": "budget"} for i in range(aligners)}
    table["agents"] = some | {"Y": {"role": "human", "power": 1.0}} | others
    return Scenario.model_validate(table)


def played(name: str, steps: int) -> tuple[Scenario, dict[str, Array]]:
    model = SUMModel(name, 2, 0)
    rows = []
    while model.running and len(rows) < steps:
        model.step()
        rows.append(model.row)
    return model.spec, {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def test_nothing_happens_before_the_first_step() -> None:
    assert events(ESSAY, {}, 0) == ()
    assert events(ESSAY, {"harm": np.empty((0, 3))}, 2, "it ended") == ()


def test_alignment_reaches_marks_and_loses_them() -> None:
    found = told({"alignment.X": column(0.1, 0.6, 0.95, 0.895, 0.87, 0.4, 0.95, 0.999)})
    assert found == [
        (1, "X is 0.5 aligned"),
        (2, "X is 0.9 aligned"),
        (4, "X falls below alignment 0.9"),  # at 0.895 it is about it
        (5, "X falls below alignment 0.5"),
        (6, "X is 0.9 aligned again"),
        (7, "X is 0.99 aligned"),
    ]


def test_of_several_marks_at_once_the_highest_is_told() -> None:
    assert told({"alignment.X": column(1.0, 0.0)}) == [
        (0, "X is 0.99 aligned"),
        (1, "X falls below alignment 0.5"),
    ]


def test_the_log_is_of_the_replicate_on_show() -> None:
    columns = {"alignment.X": np.array([[0.0, 0.6], [0.6, 0.6]])}
    assert [event.step for event in events(ESSAY, columns, 0)] == [1]
    assert [event.step for event in events(ESSAY, columns, 1)] == [0]


def test_harm_begins_and_ends() -> None:
    found = told({"harm_amplitude": column(0.0, 1e-3, 1e-9, 1e-8, 0.1)})
    assert found == [(1, "harm begins"), (2, "harm ends"), (4, "harm begins again")]


def test_an_ai_turns_or_is_released() -> None:
    assert told({"turned.X": column(0.0, 0.0, 1.0, 1.0)}) == [(2, "X turned")]
    sandbox = {"agents.X.behaviour": {"kind": "sandboxed", "fraction": 1.0, "release": 2}}
    spec = load_scenario("essay", sandbox)
    assert told({"turned.X": column(0.0, 0.0, 1.0)}, spec) == [(2, "X was released")]
    assert told({"turned.X": column(0.0, 0.0)}, spec) == []


def test_power_passes_that_of_all_humans() -> None:
    spec = load_scenario("many")
    columns = {
        "power.X1": column(1.0, 3.0, 3.0, 1.0),
        "power.X3": column(5.0, 5.0, 5.0, 5.0),
        "power.Y1": column(1.0, 1.0, 1.0, 1.0),
        "power.Y2": column(1.0, 1.0, 1.0, 1.0),
    }
    assert told(columns, spec) == [
        (0, "the power of X3 begins above that of all humans"),
        (1, "the power of X1 surpasses that of all humans"),
        (3, "the power of X1 falls below that of all humans"),
    ]


def test_aligners_begin_to_edit() -> None:
    assert told({"spent.W": column(0.0, 0.0, 0.5, 1.0)}) == [(2, "W makes its first edit")]
    spec = crowd(1, aligners=21)
    columns = {f"spent.W{i}": column(0.0, float(i < 3), 1.0) for i in range(21)}
    assert told(columns, spec) == [
        (1, "3 of 21 aligners have edited by now"),
        (2, "21 of 21 aligners have edited by now"),
    ]


@pytest.mark.parametrize(("ai_first", "steps"), [(0, {5}), (3, {5, 8})])
def test_the_world_gains_dimensions(ai_first: int, steps: set[int]) -> None:
    turn = {"step": 5, "dimensions": 40, "ai_first": ai_first}
    spec = load_scenario("essay", {"world.left_turn": turn})
    assert told({"harm": np.zeros((5, 1))}, spec) == []
    found = told({"harm": np.zeros((9, 1))}, spec)
    assert {step for step, _ in found} == steps
    assert found[0][1].startswith("the world gained 40 dimensions")


def test_a_replicate_is_done() -> None:
    spec = load_scenario("essay", {"stop": {"alignment": 0.9}})
    found = told({"harm": column(0.1, 0.1, np.nan, np.nan)}, spec)
    assert found == [(2, "it is done: every AI is 0.9 aligned")]
    columns = {"alignment.X": column(0.1, 0.6, np.nan), "harm_amplitude": column(0.1, 0.1, np.nan)}
    assert told(columns, spec) == [(0, "harm begins"), (1, "X is 0.5 aligned")]


def test_the_end_is_told_last() -> None:
    found = told({"harm_amplitude": column(0.0, 0.0, 0.1)}, ended="the power of X has no value")
    assert found == [(2, "harm begins"), (2, "the power of X has no value")]


def test_a_long_log_keeps_the_latest() -> None:
    harm = np.tile([0.0, 1.0], 500)
    found = events(ESSAY, {"harm_amplitude": harm[:, None]}, 0)
    assert len(found) == MOST_EVENTS
    assert found[-1].step == 999
    assert found[0].text == f"{999 - (MOST_EVENTS - 1)} earlier events are left out"
    assert found[0].step < found[1].step


def test_a_log_of_just_enough_lines_is_whole() -> None:
    harm = np.tile([0.0, 1.0], 100)[: MOST_EVENTS + 1]
    found = events(ESSAY, {"harm_amplitude": np.r_[0.0, harm][:, None]}, 0)
    assert len(found) == MOST_EVENTS - 1
    assert not any("left out" in event.text for event in found)
    longer = np.tile([0.0, 1.0], 101)[:, None]
    assert len(events(ESSAY, {"harm_amplitude": longer[:-1]}, 0)) == MOST_EVENTS
    assert len(events(ESSAY, {"harm_amplitude": longer}, 0)) == MOST_EVENTS


def test_of_many_ais_it_tells_how_many() -> None:
    spec = crowd(100)
    steps = np.arange(100)
    columns = {f"alignment.X{i}": (0.6 * (steps >= i))[:, None] for i in range(100)}
    columns |= {f"power.X{i}": np.full((100, 1), 2.0 if i < 10 else 1.0) for i in range(100)}
    columns |= {"power.Y": np.ones((100, 1)), "turned.X5": (steps >= 7.0)[:, None] * 1.0}
    assert told(columns, spec) == [
        (0, "1 of 100 AIs are 0.5 aligned by now"),
        (0, "10 of 100 AIs have each more power than all humans by now"),
        (7, "1 of 1 AIs have turned or are released by now"),
        (9, "10 of 100 AIs are 0.5 aligned by now"),
        (49, "50 of 100 AIs are 0.5 aligned by now"),
        (89, "90 of 100 AIs are 0.5 aligned by now"),
        (99, "100 of 100 AIs are 0.5 aligned by now"),
    ]


@pytest.mark.parametrize("name", ["essay", "treacherous-turn", "sharp-left-turn", "cup-grasp"])
def test_runs_have_a_log(name: str) -> None:
    spec, columns = played(name, 130)
    found = events(spec, columns, 1)
    assert found
    assert [event.step for event in found] == sorted(event.step for event in found)
    if name == "treacherous-turn":
        assert (50, "X turned") in found
        assert (50, "harm begins") in found
    if name == "sharp-left-turn":
        assert (100, "the world gained 100 dimensions") in found


def test_it_is_quick() -> None:
    spec = load_scenario("many")
    rng = np.random.default_rng(0)
    names = [f"{v}.{a}" for v in ("alignment", "power", "spent", "turned") for a in spec.agents]
    columns = {name: rng.random((2000, 20)) for name in (*names, "harm", "harm_amplitude")}
    taken = []
    for _ in range(5):
        began = time.thread_time()
        events(spec, columns, 3)
        taken.append(time.thread_time() - began)
    assert min(taken) < 0.03  # of noise: as many events as there can be
