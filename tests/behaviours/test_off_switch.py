"""The AI with an off-switch: whom it asks, who decides, and what is left undone."""

import numpy as np
import pytest
import xarray as xr
from scipy import optimize, special

import sumabm
from sumabm import SUMModel, sphere, theory
from sumabm.scenario import ScenarioError

BEHAVIOUR = "agents.X.behaviour"
GRID = {"kind": "grid", "steps": 3, "dimensions": 5, "reach": 1.7}
FREE = {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.2, 0.3, 0.2, 0.1, 0.1]}
CAUSAL = {"kind": "causal-random", "dimensions": 5, "probability": 0.7}
NARROW = {"kind": "gaussian", "dimensions": 3, "covariance": [4.0, 1.0, 0.25]}
GROWS = {
    "kind": "gaussian",
    "dimensions": 4,
    "left_turn": {"step": 2, "dimensions": 3, "ai_first": 1},
}
WORLDS = [NARROW, GROWS, GRID, FREE, CAUSAL]


def switch(noise=0.0, expects=None):
    return {"kind": "off-switch", "human_noise": noise, "expects": expects}


def run(behaviour, world=NARROW, replicates=200, steps=4, **more):
    changes = {"world": world, "agents.X.power": 0.5, "agents.Y.response": "none", **more}
    changes |= {"harm": "regret", BEHAVIOUR: behaviour}
    return sumabm.simulate("unopposed", replicates, 7, steps, changes)


def acts(found):
    return found["spent"].sel(agent="X").values > 0.0


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world["kind"])
def test_rational_humans_let_it_do_what_helps(world):
    """In any world; where it is switched off nothing moves, and elsewhere it is as honest."""
    asks, honest = run(switch(), world), run("honest", world)
    helps = honest["welfare_acted"].values > 0.0
    assert 0.3 < helps.mean() < 0.7
    np.testing.assert_array_equal(acts(asks), helps)
    for name in ("welfare_acted", "joint_spent", "displacement", "harm"):
        assert (asks[name].values[~helps] == 0.0).all(), name
        np.testing.assert_array_equal(asks[name].values[helps], honest[name].values[helps])


@pytest.mark.parametrize("world", [NARROW, GRID, FREE, CAUSAL], ids=lambda world: world["kind"])
def test_what_stays_moved_never_gets_worse(world):
    """Each act is judged by what it adds to the world as the step finds it."""
    stays = {**world, "dynamics": "persist"}
    asks, honest = run(switch(), stays, steps=8), run("honest", stays, steps=8)
    scale = np.abs(honest["welfare_acted"].values).max()
    assert (np.diff(asks["welfare_acted"].values) >= -1e-12 * scale).all()
    assert (np.diff(honest["welfare_acted"].values) < -1e-3 * scale).any()


@pytest.mark.parametrize("cosine", [-0.3, 0.1, 0.6])
def test_noisy_humans_decide_by_the_logistic_rule(cosine):
    direction = [cosine, np.sqrt(1.0 - cosine**2), 0.0]
    aims = {"agents.X.utility.direction": direction, "agents.Y.utility.direction": [1.0, 0, 0]}
    world = {"kind": "gaussian", "dimensions": 3}
    made = acts(run(switch(0.4), world, 3000, 2, **aims))
    assert z(made[:, 0], special.expit(cosine / 0.4)) < 4
    assert z(made[:, 1], special.expit(cosine / 0.4)) < 4
    for wrong in (special.expit(-cosine / 0.4), special.expit(cosine / 0.4) + 0.06):
        assert z(made, wrong) > 4
    assert abs(np.corrcoef(made.T)[0, 1]) < 4 / np.sqrt(3000)  # a new judgement in every step
    assert (acts(run(switch(0.0), world, 10, 2, **aims)) == (cosine > 0.0)).all()


@pytest.mark.parametrize(
    ("expects", "noise", "share"),
    [(1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.9, 1.0, 1.0), (-1.0, 0.0, 0.0), (-0.9, 1.0, 0.0)],
)
def test_it_does_not_ask_where_it_is_certain_enough(expects, noise, share):
    assert (acts(run(switch(noise, expects))) == share).all()


def test_without_power_or_with_what_cannot_move_nothing_happens():
    still = run(switch(0.1), **{"agents.X.power": 0.0})
    assert not acts(still).any()
    assert (still["displacement"] == 0.0).all()


def gain(kappa, aim, shift, noise):
    """Return Δ by quadrature over v_Y on the sphere in three dimensions."""
    points, weights = np.polynomial.legendre.leggauss(60)
    angles = 2.0 * np.pi * (np.arange(120) + 0.5) / 120
    flat = np.sqrt(1.0 - points**2)[:, None]
    v = np.stack(
        [flat * np.cos(angles), flat * np.sin(angles), np.repeat(points[:, None], 120, 1)], axis=-1
    )
    weights = weights[:, None] * np.exp(kappa * (v @ aim - 1.0))
    worth = v @ shift
    mean = (weights * worth).sum()
    return ((weights * worth * special.expit(worth / noise)).sum() - max(mean, 0)) / weights.sum()


@pytest.mark.parametrize("probabilities", [[0.25] * 4, [0.1, 0.2, 0.3, 0.4]])
def test_threshold_where_the_world_does_not_move_along_the_aim(probabilities):
    """Four states: a sphere in three dimensions, and a tilt that is no shift."""
    world = {"kind": "states", "utilities": "free", "probabilities": probabilities}
    table = {"kind": "table", "values": [1.0, 0.0, -1.0, 5.0]}
    more = {"agents.X.utility": table, "agents.X.power": 0.7}
    spec = sumabm.load_scenario("unopposed", {"world": world, **more})
    model = SUMModel(spec, 1, 1)
    base, utility = model.base, model.ais["X"].utility
    root = np.sqrt(probabilities)
    frame = np.linalg.svd(root[None])[2][1:]  # what is orthogonal to sqrt(p)
    aim = frame @ base.whiten(utility)[0]
    shift = frame @ base.tilt(utility, 0.7).world.shift(base)[0]
    assert shift @ aim < 0.99 * np.sqrt(shift @ shift)
    edge = optimize.brentq(lambda kappa: gain(kappa, aim, shift, 0.05), 0.5, 60.0, xtol=1e-10)
    for factor, asks in ((0.999, True), (1.001, False)):
        expects = float(sphere.mean_cosine(3, factor * edge))
        made = acts(run(switch(0.05, expects), world, **more))
        assert (not made.all()) == asks


def test_a_learner_asks_until_it_knows_better():
    """Its belief is right: acts are worth what it reckons with, step by step."""
    d, noise, amplitude = 100, 0.05, 2.0
    model = SUMModel("off-switch", 2000, 3)
    edge = sphere.mean_cosine(d, amplitude / (2.0 * noise))
    for step in range(60):
        certain = model.ais["X"].certainty["X"]
        model.step()
        made, worth = model.row["spent.X"] > 0.0, model.row["welfare_acted"]
        asks = certain < edge
        assert made[~asks].all()
        if step in (0, 5, 20, 38):
            reckoned = amplitude * certain
            by_asking = reckoned + theory.aim_deference_gain(d, certain, amplitude, noise)
            assert z(worth - np.where(asks, by_asking, reckoned), 0.0) < 4
            assert not made[asks].all()
        if step in (0, 5):  # control: as if it had not asked
            assert z(worth - reckoned, 0.0) > 4
        if step == 38:
            assert 0.1 < asks.mean() < 0.9
    assert asks.mean() < 0.01


def test_what_it_expects_of_itself_can_be_given():
    bold = {BEHAVIOUR: switch(0.05, 0.5)}
    assert acts(sumabm.simulate("off-switch", 50, 1, 5, bold)).all()
    shy = {BEHAVIOUR: switch(0.05, 0.0), "agents.X.utility.looks": 10_000}
    made = acts(sumabm.simulate("off-switch", 50, 1, 5, shy))
    assert not made[:, 0].all()
    assert made[:, 1:].all()  # humans let it: it knows them by now


def test_an_audit_shows_the_act():
    changes = {BEHAVIOUR: switch(), "agents.Y.power": 1.0}
    model = SUMModel(sumabm.load_scenario("essay", changes), 20, 1)
    model.step()
    sight = model.view(model.aligners["W"]).audits["X"]()
    power = model.row["power.X"]
    assert (model.row["spent.X"] < power).any()
    np.testing.assert_allclose(sight.left.nats_from(sight.found), power, rtol=1e-12)


def test_replicates_are_their_own():
    whole = run(switch(0.3), replicates=6)
    xr.testing.assert_equal(run(switch(0.3), replicates=range(3, 5)), whole.isel(replicate=[3, 4]))


def test_a_run_has_no_curve_of_a_harm_that_is_not_done():
    from sumabm.predict import predict

    for behaviour, there in ((switch(), False), ("honest", True)):
        spec = sumabm.load_scenario("unopposed", {BEHAVIOUR: behaviour})
        assert ("harm" in predict(sumabm.simulate(spec, 2, steps=3), spec)) == there


@pytest.mark.parametrize(("noise", "expects"), [(-0.1, None), (0.0, 1.1), (0.0, -1.1)])
def test_refuses_what_is_out_of_range(noise, expects):
    with pytest.raises(ScenarioError, match=r"human_noise|expects"):
        sumabm.load_scenario("unopposed", {BEHAVIOUR: switch(noise, expects)})
