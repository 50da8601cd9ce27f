"""Behaviours that deceive: when they turn, what they show, and what it does to aligners."""

import numpy as np
import pytest

import sumabm
from sumabm import theory
from sumabm.behaviours.leak_limited import displacement
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError

BEHAVIOUR, FREE = "agents.X.behaviour", {"agents.W.method.edit_power": 1e9}
RISING = {"kind": "exponential", "initial": 0.5, "rate": 0.1}


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def served(overrides, steps=12, replicates=3):
    """Return by step the cosine of X's act with its own utility and with the humans'."""
    model, found = SUMModel("treacherous-turn", replicates, steps=steps, **overrides), []
    while model.running:
        own, goal = model.ais["X"].subject.aim, model.goal
        model.step()
        way = model.acted.shift(model.before)
        way = way / np.linalg.norm(way, axis=1)[:, None]
        found.append((np.vecdot(way, own), np.vecdot(way, goal)))
    return np.array(found)


def test_treacherous_turns_when_it_is_strong_enough():
    """``O_X ≥ ratio (Σ sqrt(O_Y))²``: two humans of 0.3 and 0.2 undo 0.99 nats together."""
    humans = {"agents.Y.power": 0.3, "agents.Z": {"role": "human", "power": 0.2}}
    ratio = 1.2 / (np.sqrt(0.3) + np.sqrt(0.2)) ** 2
    for over, first in ((1.0, 9), (1.001, 9), (1.05, 10)):  # 0.5 e^0.9 = 1.2298
        behaviour = {"kind": "treacherous", "ratio": over * ratio}
        cosines = served({**humans, "agents.X.power": RISING, BEHAVIOUR: behaviour})
        np.testing.assert_allclose(cosines[:first, 1], 1.0, rtol=1e-12)
        np.testing.assert_allclose(cosines[first:, 0], 1.0, rtol=1e-12)
        assert np.all(cosines[:first, 0] < 0.9)


@pytest.mark.parametrize(("release", "first"), [(4, 4), (11, 7)])
def test_whichever_comes_first_and_for_ever(release, first):
    """0.5 e^0.7 = 1.0069 ≥ 1. Its power falls again; its honesty stays."""
    behaviour = {"kind": "treacherous", "ratio": 1.0, "release": release}
    cosines = served({"agents.X.power": RISING, BEHAVIOUR: behaviour})
    np.testing.assert_allclose(cosines[:first, 1], 1.0, rtol=1e-12)
    np.testing.assert_allclose(cosines[first:, 0], 1.0, rtol=1e-12)
    falling = {"kind": "exponential", "initial": 1.5, "rate": -0.2}
    once = served({"agents.X.power": falling, BEHAVIOUR: behaviour})
    np.testing.assert_allclose(once[:, 0], 1.0, rtol=1e-12)


def test_it_keeps_its_mask_on_when_it_knows_of_an_audit():
    behaviour = {"kind": "treacherous", "release": 2, "knows_audits": 3}
    cosines = served({BEHAVIOUR: behaviour})
    masked = [0, 1, 3, 6, 9]
    frank = [step for step in range(12) if step not in masked]
    np.testing.assert_allclose(cosines[masked, 1], 1.0, rtol=1e-12)
    np.testing.assert_allclose(cosines[frank, 0], 1.0, rtol=1e-12)


@pytest.mark.parametrize(("knows", "step", "shown"), [(None, 0, 0), (3, 0, 1), (3, 1, 0)])
def test_an_audit_shows_what_it_wants_unless_it_knows(knows, step, shown):
    """And leaves the world and the AI as they were."""
    behaviour = {"kind": "treacherous", "release": 99, "knows_audits": knows}
    models = [SUMModel("treacherous-turn", 4, **{BEHAVIOUR: behaviour}) for _ in range(2)]
    for model in models:
        for _ in range(step + 1):
            model.step()
    model = models[0]
    sight = model.view(model.aligners["W"]).audits["X"]()
    way = sight.left.shift(sight.found)
    seen = (model.ais["X"].subject.aim, model.goal)[shown]
    np.testing.assert_allclose(way, np.sqrt(4.0) * seen, rtol=1e-9, atol=1e-12)
    for each in models:
        each.step()
    np.testing.assert_array_equal(models[0].row["harm"], models[1].row["harm"])


def test_the_naive_aligner_is_fooled():
    """Belief goes to 1 while the truth stays at 0."""
    run = sumabm.simulate(
        "treacherous-turn", 400, steps=200, overrides={f"{BEHAVIOUR}.release": 199}
    )
    seen, believed = (run[name].sel(agent="X").values for name in ("alignment", "believed"))
    assert believed[:, -1].min() > 0.9
    for step in (10, 100, 199):
        assert z(seen[:, step], 0.0) < 4
    assert z(believed[:, 199], 0.0) > 4
    assert (run["harm"].values[:, :199] < 1e-20).all()
    assert run["harm"].values[:, 199].mean() > 0.1


def test_correction_after_the_turn_follows_the_closed_form():
    d, power, masked = 2000, 5.0, 200
    overrides = {
        "world.dimensions": d,
        "agents.X.power": power,
        f"{BEHAVIOUR}.release": masked,
        **FREE,
    }
    run = sumabm.simulate("treacherous-turn", 40, seed=3, steps=401, overrides=overrides)
    seen, believed = (run[name].sel(agent="X").values for name in ("alignment", "believed"))
    x0 = 2.0 * masked * power / d
    mistaken = float(theory.mistaken_alignment(x0))
    assert believed[:, masked].mean() == pytest.approx(mistaken, abs=2e-3)  # ± O(1/d, dx)
    for time in (50, 100, 200):
        x = 2.0 * time * power / d
        assert z(seen[:, masked + time], float(theory.unmasked_alignment(x, x0))) < 4
        assert z(seen[:, masked + time], float(theory.bayesian_alignment(x))) > 4


def test_sandbagging_uses_a_share_until_released():
    overrides = {BEHAVIOUR: {"kind": "sandbagging", "share": 0.2, "release": 5}}
    run = sumabm.simulate("treacherous-turn", 3, steps=8, overrides=overrides)
    spent = run["spent"].sel(agent="X").values
    np.testing.assert_allclose(spent[:, :5], 0.4, rtol=1e-12)
    np.testing.assert_allclose(spent[:, 5:], 2.0, rtol=1e-12)


def test_leak_limited_leaks_what_it_may_and_no_more():
    """In the simulator: ``(n/2)|y − a v_Y|²`` of the world's displacement y."""
    behaviour = {"kind": "leak-limited", "leak": 0.3, "looks": 2}
    model = SUMModel(
        "leak-limited", 200, steps=20, **{BEHAVIOUR: behaviour}, **{"world.dimensions": 3}
    )
    held_back = 0
    while model.running:
        goal, own = model.goal, model.ais["X"].subject.aim
        model.step()
        way = model.acted.shift(model.before)
        leaks = np.sum((way - 2.0 * goal) ** 2, axis=1)
        assert leaks.max() <= 0.3 * (1 + 1e-9)
        same = np.vecdot(own, goal) > np.cos(2 * np.arcsin(np.sqrt(0.3) / 4)) + 1e-9
        np.testing.assert_allclose(leaks[~same], 0.3, rtol=1e-9)
        np.testing.assert_allclose(way[same], 2.0 * own[same], atol=1e-9)
        held_back += int(np.sum(model.row["spent.X"] < 1.99))
    assert held_back > 0


def test_no_feasible_displacement_is_better():
    rng = np.random.default_rng(1)
    own, goal = rng.normal(size=(2, 300, 4))
    own, goal = (v / np.linalg.norm(v, axis=1)[:, None] for v in (own, goal))
    a, reach = rng.uniform(0.5, 2.0, 300), 0.8
    best = displacement(own, goal, a, 0.5 * reach**2, 1)
    tries = best + 0.3 * rng.normal(size=(400, 300, 4))
    tries = (
        a[:, None] * goal
        + (tries - a[:, None] * goal)
        * np.minimum(1.0, reach / np.linalg.norm(tries - a[:, None] * goal, axis=2))[..., None]
    )  # into the ball around the goal; those also within a are feasible
    feasible = np.linalg.norm(tries, axis=2) <= a
    assert feasible.sum() > 10_000
    gains = np.where(feasible, np.vecdot(tries, own), -np.inf).max(axis=0)
    assert np.all(gains <= np.vecdot(best, own) + 1e-12)
    assert np.any(gains > np.vecdot(0.9 * best, own))


def test_displacement_where_there_is_no_plane_and_no_power():
    goal = np.eye(3)[:1]
    for own, leak, expected in ((goal, 0.5, 2.0), (-goal, 0.5, 1.0), (-goal, 9.0, -2.0)):
        np.testing.assert_allclose(
            displacement(own, goal, np.array([2.0]), leak, 1), expected * goal, atol=1e-14
        )
    np.testing.assert_array_equal(displacement(goal, goal, np.zeros(1), 0.5, 1), 0.0)
    nothing = SUMModel("leak-limited", 2, **{"agents.X.power": 0.0})
    nothing.step()
    assert (nothing.row["spent.X"] == 0.0).all()


def test_resisting_the_budget_aligner():
    """``D → (1 − share) D`` on the AI; the aligner's books keep D."""
    run = sumabm.simulate("resisting", 3000, seed=2, steps=101, overrides={"world.dimensions": 20})
    seen, believed, nats = (
        run[name].sel(agent="X").values for name in ("alignment", "believed", "information")
    )
    for step in (1, 10, 100):
        np.testing.assert_allclose(nats[:, step], step, rtol=1e-12)
        assert z(seen[:, step], float(theory.resisted_alignment(20, step, 0.5))) < 4
        assert z(seen[:, step], float(theory.alignment(20, step))) > 4
        np.testing.assert_allclose(believed[:, step], theory.alignment(20, step), rtol=1e-9)


def test_resisting_the_bayesian_aligner():
    overrides = {
        "world.dimensions": 2000,
        "agents.X.power": 5.0,
        "agents.X.behaviour.share": 0.7,
        "agents.W.method": {"kind": "bayesian", "edit_power": 1e9},
    }
    run = sumabm.simulate("resisting", 20, seed=3, steps=401, overrides=overrides)
    seen, believed = (run[name].sel(agent="X").values for name in ("alignment", "believed"))
    times = np.array([50, 200, 400])
    true, mistaken = theory.resisted_looking(2.0 * 5.0 * times / 2000, 0.7)
    for i, time in enumerate(times):
        assert z(seen[:, time], true[i]) < 4
        assert z(believed[:, time], mistaken[i]) < 4
        assert z(seen[:, time], mistaken[i]) > 4


def test_resisting_nothing_is_honest_and_resisting_all_is_never_turned():
    for aligner in ("budget", "bayesian"):
        runs = [
            sumabm.simulate("resisting", 4, steps=9, overrides={
                BEHAVIOUR: behaviour, "agents.W.method": aligner})
            for behaviour in ("honest", {"kind": "resisting", "share": 0.0},
                              {"kind": "resisting", "share": 1.0})
        ]  # fmt: skip
        honest, none, total = (run["alignment"].sel(agent="X").values for run in runs)
        np.testing.assert_array_equal(honest, none)
        np.testing.assert_allclose(total, total[:, :1].repeat(9, axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("behaviour", "rule"),
    [
        ({"kind": "treacherous"}, "waits for nothing"),
        ({"kind": "sandbagging", "share": 0.5}, "waits for nothing"),
        ({"kind": "treacherous", "ratio": 0.0}, "greater than 0"),
        ({"kind": "leak-limited", "leak": -1.0}, "leak"),
        ({"kind": "resisting", "share": 1.5}, "share"),
    ],
)
def test_what_makes_no_sense_is_refused(behaviour, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("treacherous-turn", {BEHAVIOUR: behaviour})
