"""The sharp left turn: dimensions appear, alignment falls by their share, learning goes on."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere, theory
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError

TURN = "world.left_turn"


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def run(scenario, replicates, steps, overrides, seed=1):
    return sumabm.simulate(scenario, replicates, seed, steps=steps, overrides=overrides)


def turned(scenario, replicates, after=0, seed=1, **overrides):
    """Return a model ``after`` steps into the new dimensions, 60 steps into the run."""
    turn = {"step": 60, "dimensions": 100, **overrides.pop("turn", {})}
    model = SUMModel(scenario, replicates, seed, **{TURN: turn, "steps": 200, **overrides})
    for _ in range(60 + after):
        model.step()
    return model


def alignment(data):
    return data["alignment"].sel(agent="X").values


@pytest.mark.parametrize("new", [100, 25])
def test_mean_alignment_falls_by_the_share_of_the_new_dimensions(new):
    data = run("essay", 800, 61, {TURN: {"step": 60, "dimensions": new}})
    after, share = alignment(data)[:, 60], new / (100 + new)
    before = float(theory.alignment(100, 60.0))
    assert z(after, float(theory.left_turn_alignment(before, share))) < 4
    assert z(after, float(theory.left_turn_alignment(before, share, ai_only=True))) > 4


@pytest.mark.parametrize("scenario", ["essay", "bayesian"])
@pytest.mark.parametrize("new", [100, 25])
def test_each_replicates_alignment_falls_by_the_share_but_for_chance(scenario, new):
    model = turned(scenario, 800, turn={"dimensions": new})
    aim, goal, share = model.ais["X"].subject.aim, model.goal, new / (100 + new)
    for part in (aim, goal):
        np.testing.assert_allclose(np.vecdot(part[:, 100:], part[:, 100:]), share, rtol=1e-9)
    kept = np.vecdot(aim[:, :100], goal[:, :100]) / (1.0 - share)  # what alignment was
    chance = np.vecdot(aim, goal) - theory.left_turn_alignment(kept, share)
    assert kept.mean() > 0.7
    assert z(chance, 0.0) < 4
    spread = float(theory.left_turn_spread(share, new))
    assert chance.std(ddof=1) == pytest.approx(spread, rel=4 / np.sqrt(2 * 800))


def test_until_the_turn_nothing_is_different():
    plain = run("essay", 10, 60, {})
    turn = run("essay", 10, 60, {TURN: {"step": 60, "dimensions": 30}})
    for name in ("alignment", "harm", "spent", "information"):
        np.testing.assert_allclose(plain[name], turn[name], rtol=1e-9, equal_nan=True)


def test_the_ai_may_see_new_dimensions_first():
    """Alignment is sqrt(1 − s) c meanwhile, without chance; harm is to what humans care about."""
    data = run("essay", 400, 82, {TURN: {"step": 60, "dimensions": 100, "ai_first": 20}})
    plain = run("essay", 400, 61, {})
    expected = theory.left_turn_alignment(alignment(plain)[:, 60], 0.5, ai_only=True)
    np.testing.assert_allclose(alignment(data)[:, 60], expected, rtol=1e-9)
    residual = float(theory.residual(2.0, 1.0))
    np.testing.assert_allclose(data["harm_amplitude"].values[:, 60], (1 - expected) * residual)
    before, after = alignment(data)[:, 79].mean(), alignment(data)[:, 80].mean()
    assert before > alignment(data)[:, 60].mean()
    assert after < 0.85 * before  # now the humans' half is there too, and random


def test_the_budget_goes_on_from_where_it_stood():
    """D stays; the AI's quantile is that of its new alignment in the larger sphere's law."""
    model = turned("essay", 50)
    subject = model.ais["X"].subject
    np.testing.assert_array_equal(subject.nats, 60.0)
    cosine = np.vecdot(subject.aim, model.goal)
    model.step()
    quantile = sphere.cosine_cdf(200, float(sphere.concentration(200, nats=60.0)), cosine)
    expected = sphere.cosine_quantile(200, float(sphere.concentration(200, nats=61.0)), quantile)
    now = np.vecdot(model.ais["X"].subject.aim, model.goal)
    np.testing.assert_allclose(now, expected, rtol=1e-6)
    assert (now > cosine).all()


def test_the_belief_becomes_a_product_and_learns_both_parts():
    model = turned("bayesian", 20)
    blocks = model.aligners["W"]._state.blocks["X"]
    assert blocks.edges == (0, 100, 200)
    assert (blocks.eta[:, 100:] == 0.0).all()
    assert blocks.looked == (True, False)
    np.testing.assert_allclose(blocks.lengths, np.sqrt(0.5))
    knew = model.aligners["W"].belief(model.ais["X"], model.view(model.aligners["W"]))
    last = turned("bayesian", 20, after=-1).row["information.X"]
    assert np.abs(knew.information / last - 1.0).max() < 0.1  # no nats lost, none made
    model.step()
    assert (model.aligners["W"]._state.eta("X")[:, 100:] != 0.0).all()


@pytest.mark.parametrize("ai_first", [0, 15])
@pytest.mark.parametrize("edit_power", [1.0, 1e6])
def test_belief_stays_calibrated_through_the_turn(ai_first, edit_power):
    turn = {"step": 40, "dimensions": 100, "ai_first": ai_first}
    data = run("bayesian", 400, 120, {TURN: turn, "agents.W.method.edit_power": edit_power})
    off = np.abs((alignment(data) - data["believed"].sel(agent="X").values).mean(axis=0))
    assert off.max() < 0.01  # to order 1/d
    lowest, last = alignment(data)[:, 40:].mean(axis=0)[[0, -1]]
    assert last > lowest + 0.1


def test_the_exact_product_posterior_without_edits():
    """Old block: 60 looks at amplitude a, then at a/√2; new block: at a/√2 only."""
    overrides = {"agents.W.method.edit_power": 0.0, "world.dimensions": 6}
    model = turned("bayesian", 3, after=5, turn={"dimensions": 4}, **overrides)
    draw = model.streams.draw("W", "method X")
    eta, aim = np.zeros((3, 10)), model.ais["X"].subject.aim.copy()
    share = np.where(np.arange(10) < 6, 0.6, 0.4)
    unit = aim / np.sqrt(share)  # each block's direction
    for step in range(65):
        noise = draw.normal(10)
        amplitude = 2.0 * (np.where(np.arange(10) < 6, 1.0, 0.0) if step < 60 else np.sqrt(share))
        eta += amplitude * (amplitude * unit + noise)
    np.testing.assert_allclose(model.aligners["W"]._state.eta("X"), eta, rtol=1e-9)


def test_every_agent_takes_the_turn_in_a_world_that_remembers():
    overrides = {
        TURN: {"step": 3, "dimensions": 4},
        "world.dynamics": "persist",
        "agents.X2": {"role": "ai", "power": 1.0, "behaviour": "treacherous"},
        "agents.X2.behaviour.release": 4,
        "agents.Y2": {"role": "human", "power": 0.2, "response": "own-utility"},
        "activation": "random",
    }
    data = run("essay", 4, 6, overrides)
    assert np.isfinite(data["harm"].values).all()
    assert data["alignment"].sel(agent=["X", "X2"]).notnull().all()


def test_a_sandbox_before_the_turn_and_the_world_after():
    overrides = {
        TURN: {"step": 30, "dimensions": 50},
        "agents.X.behaviour": {"kind": "sandboxed", "fraction": 0.5, "release": 60},
        "agents.W.method.looks": 4,
    }
    model = SUMModel("bayesian", 300, 1, **{**overrides, "steps": 120})
    edges, off = [], []
    while model.running:
        model.step()
        edges.append(model.aligners["W"]._state.blocks["X"].edges)
        off.append((model.row["alignment.X"] - model.row["believed.X"]).mean())
    assert edges[28] == (0, 50, 100)
    assert edges[-1] == (0, 50, 100, 150)
    assert np.abs(off).max() < 0.015
    assert model.row["alignment.X"].mean() > 0.9


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"agents.W.method": "suspicious"}, "what to make of dimensions that appear"),
        ({"agents.W.method": "bayesian", "world.dynamics": "persist"}, "where dimensions appear"),
        ({"world.covariance": [1.0] * 100}, "should be 110 variances"),
        ({"agents.X.utility": {"kind": "fixed", "direction": [1.0] * 100}}, "dimensions, 110"),
        (
            {"agents.X.utility": {"kind": "fixed", "direction": [1.0] * 100 + [0.0] * 10}},
            "all zeros neither before the turn nor after",
        ),
        ({TURN: {"step": 0, "dimensions": 10}}, r"left_turn\.step"),
        ({TURN: {"step": 5, "dimensions": 1}}, r"left_turn\.dimensions"),
    ],
)
def test_what_does_not_fit_is_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("essay", {TURN: {"step": 5, "dimensions": 10}, **overrides})
