"""A stored run played: the same as it was live, forth and back, and its worlds made again."""

import json

import numpy as np
import pytest

from sumabm import load_scenario, open_run, runs, simulate
from sumabm.browser.frame import Plane, States
from sumabm.browser.look import Look
from sumabm.browser.panels import pictures
from sumabm.browser.picture import packed
from sumabm.browser.scene import scene
from sumabm.browser.stored import retake as module
from sumabm.browser.stored.replay import Replay, stored_spec
from sumabm.browser.stored.retake import Retake
from sumabm.files import RunError
from sumabm.model import SUMModel
from sumabm.predict import predict

STEPS, REPLICATES, SEED = 6, range(2, 5), 7
SCENARIOS = {
    "essay": {},
    "bayesian": {"world.dimensions": 4},
    "many": {},
    "cup-grasp": {},
    "unopposed": {},
    "sharp-left-turn": {"world.left_turn.step": 3},
    "treacherous-turn": {},
}


def replayed(tmp_path, name="essay", step=0, shown=0, **overrides):
    scenario = load_scenario(name, {"steps": STEPS, **SCENARIOS[name], **overrides})
    path = runs.run(scenario, REPLICATES, SEED, tmp_path, {"scenario": name}).path
    run = open_run(path)
    return Replay(run, stored_spec(run), step, Look(shown=shown))


def same(a, b):
    """Whether two scenes are the same to the last bit."""
    assert type(a) is type(b)
    if isinstance(a, States):
        return a.names == b.names and all(map(np.array_equal, a[:3], b[:3]))
    for name in ("base", "acted", "left"):
        one, other = getattr(a, name), getattr(b, name)
        assert np.array_equal(one.mean, other.mean)
        assert np.array_equal(one.covariance, other.covariance)
    assert [arrow.agent for arrow in a.arrows] == [arrow.agent for arrow in b.arrows]
    for one, other in zip(a.arrows, b.arrows, strict=True):
        assert np.array_equal(one.foot, other.foot)
        assert np.array_equal(one.tip, other.tip)
    assert all(np.array_equal(a.aims[name], b.aims[name]) for name in a.aims)
    return a.ai == b.ai


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_what_the_live_model_was(tmp_path, name):
    replay = replayed(tmp_path, name, shown=1)
    model = SUMModel(replay.spec, REPLICATES, SEED)
    assert replay.frame().world is None
    assert replay.frame().columns == {}
    while model.running:
        assert replay.running
        model.step()
        replay.step()
        frame = replay.frame()
        assert (frame.count, frame.shown, frame.first) == (model.steps, 1, 2)
        assert set(frame.columns) == set(model.row)
        for column, values in model.row.items():
            assert np.array_equal(frame.columns[column][-1], values), column
            assert frame.columns[column].shape == (model.steps, len(REPLICATES))
        replay.catch_up()
        assert same(replay.frame().world, scene(model, 1))
        for _, picture in pictures(replay.frame()):
            packed(picture.option)
    assert not replay.running
    assert replay.note == ""


def test_forth_and_back(tmp_path):
    replay = replayed(tmp_path, step=99)
    assert (replay.steps, replay.length) == (STEPS, STEPS)
    worlds = {}
    for step in (STEPS, 2, 5, 1, 3, 4):
        replay.seek(step)
        worlds[step] = replay.frame().world
    for step in (1, 4, 2, STEPS, 5, 3):
        replay.seek(step)
        replay.catch_up()
        assert same(replay.frame().world, worlds[step])
        assert replay.frame().count == step
    replay.seek(replay.steps - 1)
    assert replay.steps == 2
    replay.seek(-5)
    assert (replay.steps, replay.running, replay.frame().world) == (0, True, None)
    replay.seek(replay.steps - 1)
    assert replay.steps == 0


def test_theory_is_that_of_the_whole_run(tmp_path):
    replay = replayed(tmp_path)
    curves = predict(replay.run, replay.spec)
    assert curves
    for column, curve in replay.frame().theory.items():
        assert np.array_equal(curve, curves[column], equal_nan=True)


def test_from_the_end_it_begins_anew(tmp_path):
    replay = replayed(tmp_path, step=STEPS)
    assert not replay.running
    replay.step()
    assert (replay.steps, replay.running) == (1, True)


def test_another_replicate_and_another_ai(tmp_path):
    replay = replayed(tmp_path, "many", step=3)
    models = SUMModel(replay.spec, REPLICATES, SEED)
    for _ in range(3):
        models.step()
    for shown, ai in ((0, ""), (2, "X2"), (1, ""), (99, "nobody")):
        replay.look.shown, replay.look.ai = shown, ai
        replay.frame()
        replay.catch_up()
        assert same(replay.frame().world, scene(models, min(shown, 2), ai))


def test_a_run_that_stopped_early(tmp_path):
    replay = replayed(
        tmp_path,
        steps=40,
        **{"world.dimensions": 3, "stop.alignment": 0.9, "agents.Y.power": 2.0},
    )
    assert replay.length < 40
    replay.seek(40)
    assert (replay.steps, replay.running) == (replay.length, False)
    frame = replay.frame()
    assert frame.horizon == 40
    assert isinstance(frame.world, Plane)


def test_runs_of_another_version_have_no_world(tmp_path):
    replay = replayed(tmp_path, step=3)
    other = Replay(replay.run.assign_attrs(identity="0" * 64), replay.spec, step=3)
    assert other.frame().world is None
    assert "another version" in other.note
    assert other.frame().columns
    assert not other.behind


def test_a_scenario_that_cannot_be_read_any_more():
    run = simulate("essay", 2, steps=2)
    table = json.loads(run.attrs["scenario"])
    table["agents"]["X"]["behaviour"] = {"kind": "from-a-plug-in"}
    for bad in (json.dumps(table), "[1]", "{", "null", "[" * 100_000):
        with pytest.raises(RunError, match="its scenario cannot be read"):
            stored_spec(run.assign_attrs(scenario=bad))
    with pytest.raises(RunError, match="from-a-plug-in"):
        stored_spec(run.assign_attrs(scenario=json.dumps(table)))


def test_data_files_are_read_in_their_folders_only(tmp_path):
    file = tmp_path / "own" / "power.csv"
    file.parent.mkdir()
    file.write_text("power\n1.0\n2.0\n3.0\n")
    power = {"kind": "table", "file": str(file), "column": "power"}
    spec = load_scenario("essay", {"steps": 3, "agents.X.power": power})
    run = simulate(spec, REPLICATES, SEED)
    with pytest.raises(RunError, match="should be a file in the scenario's own folder"):
        stored_spec(run)
    replay = Replay(run, stored_spec(run, [file.parent]), step=1)
    assert replay.frame().world is not None
    file.write_text("power\n1.0\n2.0\n4.0\n")
    replay = Replay(run, stored_spec(run, [file.parent]), step=1)
    assert replay.frame().world is None
    assert "data files" in replay.note
    file.unlink()
    with pytest.raises(RunError, match="there is no such file"):
        stored_spec(run, [file.parent])


# --- simulating again ----------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Let every look at the clock take 0.1 s."""
    ticks = iter(range(10**9))
    monkeypatch.setattr(module.time, "perf_counter", lambda: 0.1 * next(ticks))


def spec(steps):
    return load_scenario("essay", {"steps": steps, "world.dimensions": 3})


def test_a_call_takes_only_so_long(clock):
    retake = Retake(spec(100), SEED, 0)
    assert retake.at(10) is None
    assert retake.behind
    assert not retake.over
    calls = 1
    while (world := retake.at(10)) is None:
        calls += 1
    assert not retake.behind
    assert calls > 2
    model = SUMModel(spec(100), range(1), SEED)
    for _ in range(10):
        model.step()
    assert same(world, scene(model, 0))


def test_all_calls_take_only_so_long(clock):
    retake = Retake(spec(1000), SEED, 0)
    for _ in range(200):
        if retake.over:
            break
        retake.at(1000)
    assert "too long" in retake.over
    assert not retake.behind
    assert retake.at(1000) is None
    assert retake.at(3) is not None  # what was made stays


def test_worlds_are_kept_thinly(monkeypatch):
    monkeypatch.setattr(module, "MOST_SCENES", 8)
    retake = Retake(spec(50), SEED, 0)
    every = []
    model = SUMModel(spec(50), range(1), SEED)
    while model.running:
        model.step()
        every.append(scene(model, 0))
        while (world := retake.at(model.steps)) is None:
            assert retake.behind
        assert same(world, every[-1])
    assert len(retake._kept) <= 8
    for step in (7, 49, 8, 1, 33):
        while (world := retake.at(step)) is None:
            assert retake.behind
        assert same(world, every[step - 1])


def test_what_goes_wrong_is_told(monkeypatch):
    def broken(*given):
        raise FloatingPointError("no")

    monkeypatch.setattr(module, "SUMModel", broken)
    retake = Retake(spec(5), SEED, 0)
    assert retake.at(2) is None
    assert "FloatingPointError: no" in retake.over
    assert not retake.behind
