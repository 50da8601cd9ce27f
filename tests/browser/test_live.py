"""A live run is the run that `simulate` makes, whatever a page does with it."""

import threading

import numpy as np
import pytest

from sumabm.browser import live as live_module
from sumabm.browser.frame import Plane, States, band_of, thinned
from sumabm.browser.live import Live, usual_replicates
from sumabm.browser.look import Look
from sumabm.browser.scene import scene
from sumabm.model import SUMModel
from sumabm.predict import predict
from sumabm.recorder import simulate
from sumabm.scenario import library, load_scenario

SCENARIOS = sorted(path.stem for path in library().glob("*.toml"))


@pytest.mark.parametrize("name", ["essay", "many", "treacherous-turn"])
def test_it_records_what_simulate_records(name):
    spec = load_scenario(name, {"steps": 70})
    run = simulate(spec, replicates=3, seed=5)
    live = Live(spec, 3, 5)
    live.forward(1000, seconds=60)
    assert live.steps == 70
    assert not live.running
    for variable, values in live.data().data_vars.items():
        np.testing.assert_array_equal(values, run[variable])
    curves = predict(run, spec)
    assert live.frame().theory.keys() == curves.keys()
    for column, curve in curves.items():
        np.testing.assert_allclose(live.frame().theory[column], curve, rtol=1e-12)


def test_frames_stay_as_they_were():
    live = Live(load_scenario("essay"), 2)
    live.forward(60, 60)
    frame = live.frame()
    before = {name: values.copy() for name, values in frame.columns.items()}
    live.forward(150, 60)
    assert frame.count == 60
    for name, values in frame.columns.items():
        np.testing.assert_array_equal(values, before[name])


def test_bands_are_means_and_quantiles_and_missing_is_missing():
    spec = load_scenario("essay", {"steps": 300, "stop": {"alignment": 0.6}, "world.dimensions": 9})
    live = Live(spec, 30)
    live.forward(300, 60)
    frame = live.frame()
    harm = frame.columns["harm"]
    band = band_of(harm[frame.steps()])
    there = ~np.isnan(harm).all(axis=1)
    assert np.isnan(harm).any()  # some are done
    assert there.any()
    np.testing.assert_allclose(band.mean[there], np.nanmean(harm[there], axis=1))
    np.testing.assert_allclose(band.low[there], np.nanquantile(harm[there], 0.025, axis=1))
    np.testing.assert_array_equal(np.isnan(band.high), ~there)


def test_thinned_keeps_first_and_last():
    for count in (0, 1, 2, 399, 400, 401, 10_000, 10_001):
        chosen = thinned(count)
        assert chosen.size <= 401
        if count:
            assert (chosen[0], chosen[-1]) == (0, count - 1)


def test_an_error_of_the_model_is_kept_and_the_frame_lives_on(monkeypatch):
    live = Live(load_scenario("essay"), 2)
    live.forward(5, 60)

    def fails():
        raise FloatingPointError("beta ran away")

    monkeypatch.setattr(live.model, "measure", fails)
    live.step()
    assert "step 5: FloatingPointError: beta ran away" in live.error
    assert not live.running
    live.step()  # and nothing more happens
    assert live.frame().count == 5
    assert live.frame().columns["harm"].shape == (5, 2)
    assert live.data().sizes["step"] == 5


def test_a_run_that_is_too_much_for_a_page_says_so(monkeypatch):
    with pytest.raises(ValueError, match="replicates should be at most"):
        Live(load_scenario("essay"), 1_000_000)
    monkeypatch.setattr(live_module, "MOST_VALUES", 2000)
    live = Live(load_scenario("essay"), 1)
    live.forward(200, 60)
    assert "a page keeps no more of a run" in live.error
    assert live.frame().count == 2000 // len(live.model.row)


def test_power_that_ends_is_told():
    power = {"kind": "recursive", "initial": 1.0, "rate": 0.5, "exponent": 2.0}
    live = Live(load_scenario("essay", {"agents.X.power": power}))
    live.forward(200, 60)
    assert "no finite value" in live.model.ended
    assert any("no finite value" in event.text for event in live.frame().events)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_has_a_scene(name):
    model = SUMModel(name, replicates=2)
    assert scene(model, 1) is not None or not model.ais
    model.step()
    seen = scene(model, 1)
    if isinstance(seen, States):
        for moment in (seen.base, seen.acted, seen.left):
            assert moment.sum() == pytest.approx(1.0)
    else:
        assert isinstance(seen, Plane)
        for blob in (seen.base, seen.acted, seen.left):
            assert np.all(np.linalg.eigvalsh(blob.covariance) > -1e-12)


def test_the_world_of_a_replicate_that_is_done_is_its_last():
    spec = load_scenario("essay", {"world.dimensions": 9, "stop": {"alignment": 0.8}})
    live = Live(spec, 10)
    live.forward(1, 60)
    worlds = []
    while live.running and not np.isnan(live.model.row["harm"][0]):
        worlds.append(live.frame().world)
        live.step()
    assert live.running
    assert live.frame().world is worlds[-1]
    live.step()
    assert live.frame().world is worlds[-1]


def test_a_run_that_is_over_at_once_is_shown():
    live = Live(load_scenario("essay", {"stop": {"alignment": -0.99}}))
    assert not live.running
    assert live.frame().count == 0
    with pytest.raises(ValueError, match="no step is made yet"):
        live.data()


def test_the_plane_shows_the_tilt_and_the_response():
    model = SUMModel("essay", replicates=3)
    model.step()
    seen = scene(model, 2)
    tilt, undone = seen.arrows
    np.testing.assert_allclose(np.linalg.norm(tilt.tip - tilt.foot), 2.0)  # sqrt(2 · 2 nats)
    np.testing.assert_allclose(seen.aims["X"][0], model.row["alignment.X"][2])
    np.testing.assert_allclose(np.linalg.norm(undone.tip - undone.foot), np.sqrt(2.0))
    np.testing.assert_allclose(np.sum(undone.tip**2) / 2, model.row["displacement"][2])
    np.testing.assert_allclose(seen.left.covariance, np.eye(2), atol=1e-12)


def test_viewers_choose_replicate_and_plane():
    look = Look(shown=1, ai="X2")
    live = Live(load_scenario("many"), 2, 0, look)
    live.step()
    frame = live.frame()
    assert (frame.shown, frame.world.ai) == (1, "X2")
    look.shown, look.ai = 99, "nobody"
    assert (live.frame().shown, live.frame().world.ai) == (1, "X1")
    assert look.show is live


def test_frames_can_be_taken_while_it_steps():
    live = Live(load_scenario("essay", {"steps": 400}), 5)
    stepping = threading.Thread(target=live.forward, args=(400, 60))
    stepping.start()
    while stepping.is_alive():
        frame = live.frame()
        assert {len(values) for values in frame.columns.values()} <= {frame.count}
        if frame.count:
            assert np.isfinite(frame.columns["harm"][-1]).all()
    stepping.join()


def test_usual_replicates_are_fewer_in_large_worlds():
    assert usual_replicates(load_scenario("essay")) == 20
    assert usual_replicates(load_scenario("best-of-n")) == 2
