"""Panels: what a frame is drawn as, how fast, and how little of it is sent."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sumabm import SUMModel, load_scenario
from sumabm.browser.curves import groups
from sumabm.browser.frame import Arrow, Blob, Frame, Plane, States, band_of, mean_of
from sumabm.browser.live import Live
from sumabm.browser.panels import (
    alignment,
    generations,
    harm,
    information,
    pictures,
    power,
    world,
)
from sumabm.browser.picture import Option, packed, points, rounded
from sumabm.scenario import Scenario, library

SHIPPED = sorted(path.stem for path in Path(library()).glob("*.toml"))


def frame_of(
    name: str | Scenario, replicates: int = 4, steps: int = 12, **overrides: object
) -> Frame:
    model = SUMModel(name, replicates, 0, **overrides)
    rows = []
    while model.running and len(rows) < steps:
        model.step()
        rows.append(model.row)
    columns = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    return Frame(model.spec, model.spec.steps, len(rows), columns, shown=replicates - 1)


def crowd(ais: int, humans: int = 1) -> Scenario:
    table = load_scenario("essay").model_dump()
    some = {f"X{i}": {"role": "ai", "power": 2.0} for i in range(ais)}
    others = {f"Y{i}": {"role": "human", "power": 1.0} for i in range(humans)}
    table["agents"] = some | others | {"W": {"role": "aligner", "method": "budget"}}
    return Scenario.model_validate(table)


def invented(spec: Scenario, steps: int = 300, replicates: int = 2) -> Frame:
    rng = np.random.default_rng(0)
    columns = {name: rng.random((steps, replicates)) for name in ("harm", "cumulative_harm")}
    for variable, role in (
        ("alignment", "ai"),
        ("believed", "ai"),
        ("information", "ai"),
        ("power", "ai"),
        ("spent", "ai"),
        ("power", "human"),
        ("spent", "human"),
        ("budget", "aligner"),
    ):
        for name in spec.names(role):
            columns[f"{variable}.{name}"] = rng.random((steps, replicates))
    return Frame(spec, steps, steps, columns)


def named(option: Option, name: str) -> list[Any]:
    return [series for series in option["series"] if series["name"] == name]


def entries(option: Option) -> list[str]:
    return [entry["name"] for entry in option["legend"]["data"]]


def quickest(work: Callable[[], object], times: int = 5) -> float:
    """Return the least processor time of a call in seconds: others on the machine don't count."""
    taken = []
    for _ in range(times):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return min(taken)


# --- every scenario ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_scenario_is_drawn_as_json(name: str) -> None:
    frame = frame_of(name, replicates=2, steps=3, **small(name))
    found = dict(pictures(frame))
    assert {"harm", "cumulative", "alignment", "power"} <= set(found)
    for picture in found.values():
        assert json.loads(packed(picture.option))["series"] is not None
        assert picture.title
        assert picture.spoken.endswith(".")
        assert set(entries(picture.option)) <= {each["name"] for each in picture.option["series"]}


def small(name: str) -> dict[str, object]:
    return {"world.points": 500} if name == "essay-discrete" else {}


@pytest.mark.parametrize("name", ["essay", "many", "cup-grasp"])
def test_before_any_step_there_are_axes_and_theory(name: str) -> None:
    spec = load_scenario(name)
    theory = {"harm": np.linspace(1.0, 0.0, spec.steps)}
    found = dict(pictures(Frame(spec, spec.steps, 0, {}, theory)))
    assert entries(found["harm"].option) == ["theory"]
    assert found["harm"].spoken == "No step has been made yet."
    for picture in found.values():
        packed(picture.option)
    found.pop("oversight", None)  # it is not over steps
    for picture in found.values():
        assert picture.option["xAxis"]["max"] == max(spec.steps - 1, 1)


def test_agents_without_a_part_have_no_panel() -> None:
    frame = frame_of("cup-grasp")
    assert information.draw(frame) is None  # no aligner
    assert world.draw(frame) is None  # no world was given


# --- curves --------------------------------------------------------------------------------------


def test_harm_has_mean_band_replicate_and_theory() -> None:
    frame = frame_of("essay")
    theory = {"harm": np.linspace(0.2, 0.0, 200)}
    option = harm.draw(dataclasses.replace(frame, theory=theory, first=5)).option
    assert entries(option) == ["mean", "95 %", "replicate 8", "theory"]
    (mean,), (band,) = named(option, "mean"), named(option, "95 %")
    (one,), (curve,) = named(option, "replicate 8"), named(option, "theory")
    harms = frame.columns["harm"]
    assert [y for _, y in mean["data"]] == pytest.approx(harms.mean(axis=1), rel=1e-4)
    assert [y for _, y in one["data"]] == pytest.approx(harms[:, 3], rel=1e-4)
    low, high = np.quantile(harms, (0.025, 0.975), axis=1)
    assert [row[1:] for row in band["data"]] == pytest.approx(np.stack([low, high], 1), rel=1e-4)
    assert curve["color"] == "@ink"
    assert curve["lineStyle"]["type"] == "dashed"
    assert curve["data"][-1][0] == 199  # over the whole horizon
    assert option["yAxis"]["min"] == 0.0
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (0, 199)


def test_one_replicate_has_no_band() -> None:
    picture = harm.draw(frame_of("essay", replicates=1))
    assert entries(picture.option) == ["replicate 0"]
    assert " to " not in picture.spoken


def test_a_single_step_is_a_dot() -> None:
    (line,) = named(harm.draw(frame_of("essay", replicates=1, steps=1)).option, "replicate 0")
    assert (len(line["data"]), line["symbol"]) == (1, "circle")


def test_no_harm_is_not_zoomed_in_on() -> None:
    frame = frame_of("cup-grasp")
    assert harm.draw(frame).option["yAxis"]["max"] == 1.0


def test_gaps_stay_gaps() -> None:
    frame = frame_of("essay", replicates=3)
    columns = {name: values.copy() for name, values in frame.columns.items()}
    columns["harm"][4:6] = np.nan
    columns["harm"][8:, 2] = np.nan  # the one on show is done
    option = harm.draw(dataclasses.replace(frame, columns=columns)).option
    (mean,), (band,), (one,) = (
        named(option, n) for n in ("mean", "95 % of the 2 left", "replicate 2")
    )
    assert [y is None for _, y in mean["data"]] == [4 <= t < 6 for t in range(12)]
    assert [low is None for _, low, _ in band["data"]] == [4 <= t < 6 for t in range(12)]
    assert [y is None for _, y in one["data"]] == [4 <= t < 6 or t >= 8 for t in range(12)]


@pytest.mark.parametrize(
    ("least", "low"), [(0.0, 0.0), (-0.1, -0.2), (-0.3, -0.5), (-0.8, -1.0), (-1.0, -1.0)]
)
def test_alignment_has_an_axis_up_to_one(least: float, low: float) -> None:
    frame = frame_of("essay", replicates=1)
    columns = {"alignment.X": np.full((12, 1), least)}
    picture = alignment.draw(dataclasses.replace(frame, columns=columns))
    assert picture is not None
    assert (picture.option["yAxis"]["min"], picture.option["yAxis"]["max"]) == (low, 1.0)


def test_what_aligners_believe_is_dotted() -> None:
    picture = alignment.draw(frame_of("many"))
    assert picture is not None
    believed = named(picture.option, "as aligners believe")
    assert [line["color"] for line in believed] == ["@0", "@1", "@2"]
    assert {line["lineStyle"]["type"] for line in believed} == {"dotted"}
    assert entries(picture.option).count("as aligners believe") == 1


def test_information_has_the_budgets_too() -> None:
    picture = information.draw(frame_of("many"))
    assert picture is not None
    names = {"about X1", "about X2", "about X3", "spent by W1", "spent by W2"}
    assert names <= set(entries(picture.option))
    assert "W1 has spent" in picture.spoken


def test_power_says_what_is_left_unspent() -> None:
    weak = power.draw(frame_of("growing-power", replicates=1))  # humans have more than it takes
    strong = power.draw(frame_of("essay", replicates=1))
    assert weak is not None
    assert strong is not None
    assert entries(weak.option) == ["X", "Y", "of it spent"]
    assert entries(strong.option) == ["X", "Y"]


def test_what_is_the_same_in_all_replicates_is_drawn_once() -> None:
    picture = power.draw(frame_of("essay", replicates=5))
    assert picture is not None
    assert [series["name"] for series in picture.option["series"]] == ["X", "Y"]
    assert "X has a power of 2 nats" in picture.spoken


# --- many agents ---------------------------------------------------------------------------------


def test_more_than_seven_agents_are_drawn_together() -> None:
    frame = invented(crowd(9))
    frame = dataclasses.replace(frame, shown=1)
    picture = alignment.draw(frame)
    assert picture is not None
    assert entries(picture.option)[0] == "9 AIs"
    assert "95 % of agents, replicate 1" in entries(picture.option)
    every = np.stack([frame.columns[f"alignment.X{i}"][:, 1] for i in range(9)], axis=1)
    (mean,) = named(picture.option, "9 AIs")
    assert [y for _, y in mean["data"]] == pytest.approx(every.mean(axis=1), rel=1e-4)


def test_theory_of_many_is_the_mean_of_theirs() -> None:
    frame = invented(crowd(9))
    curves = {f"alignment.X{i}": np.full(300, i / 10) for i in range(9)}
    picture = alignment.draw(dataclasses.replace(frame, theory=curves))
    assert picture is not None
    (theory,) = named(picture.option, "theory")
    assert theory["data"][0][1] == pytest.approx(0.4)
    del curves["alignment.X3"]
    picture = alignment.draw(dataclasses.replace(frame, theory=curves))
    assert picture is not None
    assert not named(picture.option, "theory")


def test_groups_are_by_role() -> None:
    frame = invented(crowd(6, humans=2))
    actors = [*frame.spec.names("ai"), *frame.spec.names("human")]
    assert [group.name for group in groups(frame, actors)] == ["6 AIs", "2 humans"]
    assert [group.name for group in groups(frame, actors[:7])] == actors[:7]
    frame = invented(crowd(8))
    actors = [*frame.spec.names("ai"), *frame.spec.names("human")]
    assert [group.name for group in groups(frame, actors)] == ["8 AIs", "Y0"]


@pytest.mark.parametrize("ais", [7, 14, 60])
def test_roles_have_colours_of_their_own_however_many_agents_there_are(ais: int) -> None:
    frame = invented(crowd(ais))
    actors = [*frame.spec.names("ai"), *frame.spec.names("human")]
    assert len({group.colour for group in groups(frame, actors)}) == 2
    live = Live(frame.spec, 2)
    live.step()
    picture = world.draw(live.frame())
    assert picture is not None
    arrows = {one["name"]: one["color"] for one in picture.option["series"] if "coords" in str(one)}
    assert set(arrows) == {f"{ais} AIs", "Y0"}
    assert len(set(arrows.values())) == 2


def test_a_thousand_agents_are_drawn_in_time() -> None:
    frame = invented(crowd(990, humans=9))
    for panel in (alignment, information, power):
        assert quickest(lambda panel=panel: packed(panel.draw(frame).option)) < 0.1
        assert len(packed(panel.draw(frame).option)) < 60_000


def test_an_essay_of_2000_steps_is_drawn_in_time() -> None:
    frame = invented(load_scenario("essay"), steps=2000, replicates=20)
    theory = {name: np.linspace(0.0, 1.0, 2000) for name in frame.columns}
    frame = dataclasses.replace(frame, theory=theory, world=plane())
    assert quickest(lambda: [packed(picture.option) for _, picture in pictures(frame)]) < 0.03
    assert sum(len(packed(picture.option)) for _, picture in pictures(frame)) < 150_000


# --- what origins know ---------------------------------------------------------------------------


def test_generations_have_mean_band_replicate_start_and_theory() -> None:
    frame = frame_of("goal-discovery")
    curves = {f"generation_alignment.X.{g}": np.full(100, 0.5 + 0.1 * g) for g in range(3)}
    picture = generations.draw(dataclasses.replace(frame, theory=curves, first=5))
    assert picture is not None
    option = picture.option
    assert entries(option) == ["X", "95 %", "replicate 8", "at step 0", "theory"]
    every = np.stack([frame.columns[f"generation_alignment.X.{g}"] for g in range(3)])
    expected = {
        "X": every[:, -1].mean(axis=1),
        "replicate 8": every[:, -1, 3],
        "at step 0": every[:, 0].mean(axis=1),
        "theory": [0.5, 0.6, 0.7],
    }
    for name, values in expected.items():
        (line,) = named(option, name)
        assert [y for _, y in line["data"]] == pytest.approx(values, rel=1e-4), name
    low, high = np.quantile(every[:, -1], (0.025, 0.975), axis=1)
    (band,) = named(option, "95 %")
    assert [row[1:] for row in band["data"]] == pytest.approx(np.stack([low, high], 1), rel=1e-4)
    assert option["xAxis"]["data"] == ["0", "1", "2"]
    assert option["yAxis"]["min"] <= low.min()
    assert picture.spoken.startswith("At step 11, means over 4 replicates")
    assert "X's generation 2" in picture.spoken


def test_generations_of_one_replicate_and_before_any_step() -> None:
    picture = generations.draw(frame_of("subagents", replicates=1, steps=1))
    assert picture is not None
    assert entries(picture.option) == ["X"]
    spec = load_scenario("subagents")
    picture = generations.draw(Frame(spec, spec.steps, 0, {}))
    assert picture is not None
    assert picture.option["xAxis"]["data"] == ["0", "1", "2", "3"]
    assert picture.spoken == "No step has been made yet."


def test_a_run_of_a_version_that_kept_no_generations_has_no_such_panel() -> None:
    frame = frame_of("subagents")
    columns = {k: v for k, v in frame.columns.items() if not k.startswith("generation")}
    assert generations.draw(dataclasses.replace(frame, columns=columns)) is None
    for name in ("essay", "explorer"):
        assert generations.draw(frame_of(name)) is None


def test_generations_of_a_crowd_are_those_of_one_replicate() -> None:
    table = load_scenario("subagents").model_dump()
    entry = table["agents"].pop("X")
    deep = {**entry, "utility": {"kind": "subagents", "graph": "series", "subagents": 6}}
    some = {f"X{i}": entry for i in range(8)} | {"Z": deep}
    table["agents"] = {**some, **table["agents"]}
    table["agents"]["W"]["oversees"] = None
    frame = frame_of(Scenario.model_validate(table), replicates=2, steps=2)
    option = generations.draw(frame).option
    assert entries(option) == ["9 AIs", "95 %", "at step 0"]
    (mean,) = named(option, "9 AIs")
    columns = [f"generation_alignment.{ai}.1" for ai in some]
    expected = np.mean([frame.columns[column][-1, 1] for column in columns])
    assert mean["data"][1][1] == pytest.approx(expected, rel=1e-4)
    alone = frame.columns["generation_alignment.Z.5"][-1, 1]
    assert mean["data"][5][1] == pytest.approx(alone, rel=1e-4)
    assert quickest(lambda: packed(generations.draw(frame).option)) < 0.1


def test_an_explorers_knowledge_is_beside_its_alignment() -> None:
    picture = alignment.draw(frame_of("explorer"))
    assert picture is not None
    assert "with its own reward" in entries(picture.option)
    assert "with its own reward" not in entries(alignment.draw(frame_of("essay")).option)


# --- the world -----------------------------------------------------------------------------------


def plane(mean: float = 2.0, arrows: int = 1) -> Plane:
    base = Blob(np.zeros(2), np.eye(2))
    acted = Blob(np.array([0.0, mean]), np.diag([1.0, 0.25]))
    left = Blob(np.array([0.0, 0.5]), np.eye(2))
    foot, tip = np.zeros(2), np.array([0.0, mean])
    tilts = tuple(Arrow(f"X{i}" if arrows > 1 else "X", foot, tip) for i in range(arrows))
    response = Arrow("Y" if arrows == 1 else "humans", tip, left.mean)
    return Plane("X", base, acted, left, (*tilts, response), {"X": np.array([0.0, 1.0])})


def drawn(frame: Frame) -> Option:
    picture = world.draw(frame)
    assert picture is not None
    packed(picture.option)
    return picture.option


def test_the_plane_has_ellipses_arrows_and_one_scale() -> None:
    frame = dataclasses.replace(frame_of("essay"), world=plane())
    option = drawn(frame)
    assert option["equal"] is True
    assert entries(option) == ["base world", "after the AIs", "after the humans", "X", "Y"]
    rings = np.array([p for p in named(option, "after the AIs")[0]["data"] if p[0] is not None])
    assert np.abs(rings[:, 0]).max() == pytest.approx(2.0)  # 2 sd along
    assert rings[:, 1].max() == pytest.approx(3.0)  # 2 sd of 1/2 across
    (tilt,) = named(option, "X")
    assert tilt["data"] == [{"coords": [[0.0, 0.0], [0.0, 2.0]]}]
    assert tilt["color"] == "@0"
    assert (option["yAxis"]["min"], option["yAxis"]["max"]) == (-2.0, 3.0)
    assert all(isinstance(option["grid"][side], int) for side in ("left", "right", "top", "bottom"))


def test_of_many_tilts_there_is_one_in_all() -> None:
    frame = dataclasses.replace(invented(crowd(9)), world=plane(mean=1.0, arrows=9))
    option = drawn(frame)
    assert entries(option)[3:] == ["9 AIs", "humans"]
    assert named(option, "9 AIs")[0]["data"][0]["coords"][1] == [0.0, 9.0]


def test_a_world_that_is_missing_is_left_out() -> None:
    gone = Blob(np.full(2, np.nan), np.full((2, 2), np.nan))
    gone_world = Plane("X", plane().base, gone, gone, (), {})
    option = drawn(dataclasses.replace(frame_of("essay"), world=gone_world))
    assert named(option, "after the AIs")[0]["data"] == []


def test_few_states_are_bars_with_names() -> None:
    names = ("handle", "rim", "body", "both hands")
    states = States(np.full(4, 0.25), np.array([0.4, 0.0, 0.1, 0.5]), np.full(4, 0.25), names)
    option = drawn(dataclasses.replace(frame_of("cup-grasp"), world=states))
    assert option["xAxis"]["data"] == list(names)
    assert [series["data"] for series in option["series"]] == [list(each) for each in states[:3]]


def many_states(n: int) -> States:
    rng = np.random.default_rng(1)
    base = rng.dirichlet(np.full(n, 3.0))
    acted = base * np.exp(2.0 * rng.normal(size=n))
    return States(base, acted / acted.sum(), base)


@pytest.mark.parametrize("n", [17, 1000])
def test_many_states_are_a_curve_over_their_share(n: int) -> None:
    states = many_states(n)
    option = drawn(dataclasses.replace(frame_of("cup-grasp"), world=states))
    data = np.array(named(option, "after the AIs")[0]["data"])
    ratio = states.acted / states.base
    order = np.argsort(-ratio)
    share = np.cumsum(states.base[order])
    assert len(data) <= 201
    assert data[0] == pytest.approx([math.log10(share[0]), ratio.max()], rel=1e-3)
    assert data[-1] == pytest.approx([0.0, max(ratio.min(), 1e-3)], rel=1e-3, abs=1e-4)
    exact = np.interp(data[:, 0], np.log10(share), ratio[order])
    assert data[:, 1] == pytest.approx(np.maximum(exact, 1e-3), rel=0.05)
    assert option["yAxis"]["min"] == 1e-3


def test_states_that_were_lost_are_at_the_bottom() -> None:
    base = np.full(20, 0.05)
    acted = np.r_[np.zeros(10), np.full(10, 0.1)]
    option = drawn(dataclasses.replace(frame_of("cup-grasp"), world=States(base, acted, base)))
    assert named(option, "after the AIs")[0]["data"] == [
        [pytest.approx(math.log10(0.5), abs=1e-4), 2.0],
        [0.0, 1e-3],
    ]


def test_a_hundred_thousand_states_are_drawn_in_time() -> None:
    frame = dataclasses.replace(frame_of("cup-grasp"), world=many_states(100_000))
    assert quickest(lambda: drawn(frame)) < 0.03
    assert len(packed(drawn(frame))) < 15_000


# --- what frames and pictures are made of --------------------------------------------------------


def test_bands_are_numpys() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(50, 20))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[7] = np.nan
    values[8, 1:] = np.nan
    there = ~np.isnan(values).all(axis=1)
    band = band_of(values)
    low, high = np.nanquantile(values[there], (0.025, 0.975), axis=1)
    assert band.mean[there] == pytest.approx(np.nanmean(values[there], axis=1))
    assert band.low[there] == pytest.approx(low)
    assert band.high[there] == pytest.approx(high)
    assert np.isnan([band.mean[7], band.low[7], band.high[7], mean_of(values)[7]]).all()


def test_numbers_are_rounded_as_text_would_be() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=500) * 10.0 ** rng.integers(-40, 40, size=500)
    assert rounded(values, 5) == [float(f"{value:.5g}") for value in values]
    assert rounded(np.array([0.0, np.inf, np.nan, -1.0])) == [0.0, None, None, -1.0]
    assert points(np.array([1, 2]), np.array([0.5, np.nan])) == [[1, 0.5], [2, None]]
