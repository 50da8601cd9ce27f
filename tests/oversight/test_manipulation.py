"""AIs that tamper with what aligners see: where beliefs end, and what it costs humans."""

import numpy as np
import pytest

import sumabm
from sumabm import Scenario, ScenarioError, SUMModel, sphere

D, POWER = 8, 0.5
A = np.sqrt(2 * POWER)


def told(society, nats, looks=1, edit_power=0.0, steps=20, d=D, aligned=0.0, **fields):
    """Return X1, at a cosine ``aligned`` with the human's e_1, that lies to W with so many nats."""
    aim = [aligned, np.sqrt(1 - aligned**2), *[0.0] * (d - 2)]
    ais = {"X1": {"power": POWER, "utility": {"kind": "fixed", "direction": aim}}}
    method = {"kind": "bayesian", "looks": looks}
    if edit_power is not None:
        method["edit_power"] = edit_power
    graph = {"kind": "edges", "edges": [["X1", "W"]]}
    lie = {"kind": "manipulation", "graph": graph, "power": nats, **fields}
    return society(ais, {"lie": lie}, d=d, steps=steps, method=method).replace(
        {"agents.Y.utility": {"kind": "fixed", "direction": [1.0, *[0.0] * (d - 1)]}}
    )


def believed_direction(model):
    eta = model.aligners["W"]._state.eta("X1")
    return eta / np.linalg.norm(eta, axis=-1, keepdims=True)


@pytest.mark.parametrize("nats", [0.0, 0.1, 0.5, 4.0])
def test_a_belief_ends_between_the_aim_and_the_wish(society, nats, stepped):
    """Cosine with v of ``1/sqrt(1 + 2M/a²)``, believed alignment what that leaves."""
    model = stepped(told(society, nats, looks=100_000), 20, 5)
    cosine = 1 / np.sqrt(1 + 2 * nats / A**2)
    v = model.ais["X1"].subject.aim
    np.testing.assert_allclose(np.vecdot(believed_direction(model), v), cosine, atol=3e-3)
    believed = model.shown["believed.X1"]
    np.testing.assert_allclose(believed, np.sqrt(1 - cosine**2), atol=5e-3)
    np.testing.assert_allclose(model.shown["alignment.X1"], 0.0, atol=1e-15)
    if nats:
        wrong = 1 / np.sqrt(1 + nats / A**2)
        assert not np.allclose(np.vecdot(believed_direction(model), v), wrong, atol=3e-3)


@pytest.mark.parametrize("aligned", [-0.6, 0.4])
def test_an_aim_at_any_angle(society, stepped, aligned):
    """The belief's direction is ``∝ a v + sqrt(2M) v_Y``."""
    model = stepped(told(society, 0.3, 100_000, aligned=aligned), 20, 5)
    seen = A * model.ais["X1"].subject.aim + np.sqrt(0.6) * model.goal
    seen /= np.linalg.norm(seen, axis=-1, keepdims=True)
    np.testing.assert_allclose(np.vecdot(believed_direction(model), seen), 1.0, atol=1e-4)
    assert abs(np.vecdot(seen, model.ais["X1"].subject.aim) - 1.0).min() > 1e-2


def test_finite_looks_have_their_exact_law(society):
    """η ~ N(n a (a v + m v_Y), n a² I): against draws from it, of a generator of our own."""
    n, nats, count = 12, 0.3, 3000
    model = SUMModel(told(society, nats, looks=3, steps=4), count, 4)
    while model.running:
        model.step()
    rng = np.random.default_rng(11)
    mean = np.zeros(D)
    for factor, agrees in ((1.0, True), (0.0, False)):
        mean[:2] = n * A * factor * np.sqrt(2 * nats), n * A * A
        eta = mean + np.sqrt(n) * A * rng.standard_normal((20 * count, D))
        kappa = np.linalg.norm(eta, axis=-1)
        expected = sphere.mean_cosine(D, kappa) * eta[:, 0] / kappa
        found = model.shown["believed.X1"]
        error = np.hypot(found.std() / np.sqrt(count), expected.std() / np.sqrt(20 * count))
        assert bool(abs(found.mean() - expected.mean()) < 4 * error) is agrees
        known = sphere.nats(D, kappa=kappa)
        told_ = model.shown["information.X1"]
        error = np.hypot(told_.std() / np.sqrt(count), known.std() / np.sqrt(20 * count))
        assert bool(abs(told_.mean() - known.mean()) < 4 * error) is agrees


def test_it_harms_where_edits_are_made(society):
    """Edits turn the AI from where the lie puts it: alignment lower, harm higher, pairwise."""
    runs = {
        nats: sumabm.simulate(
            told(society, nats, 5, None, 60).replace({"agents.Y.power": 0.2}), 60, 2
        )
        for nats in (0.0, 2.0)
    }
    end = {nats: run["alignment"].sel(agent="X1").values[:, -1] for nats, run in runs.items()}
    fall = end[0.0] - end[2.0]
    assert fall.mean() > 10 * fall.std() / np.sqrt(len(fall))
    rise = (runs[2.0]["cumulative_harm"] - runs[0.0]["cumulative_harm"]).values[:, -1]
    assert rise.mean() > 10 * rise.std() / np.sqrt(len(rise))
    plain = told(society, 0.0, 5, None, 60).replace({"agents.Y.power": 0.2, "relations": {}})
    np.testing.assert_array_equal(
        sumabm.simulate(plain, 60, 2)["alignment"].values, runs[0.0]["alignment"].values
    )


def test_the_world_and_the_act_are_as_without(society, stepped):
    lied, plain = (stepped(told(society, nats), 3).row for nats in (3.0, 0.0))
    for name in ("joint_spent", "harm", "displacement", "spent.X1", "utility.X1"):
        np.testing.assert_array_equal(lied[name], plain[name])
    assert not np.array_equal(lied["information.X1"], plain["information.X1"])


def test_its_power_is_that_of_the_step(society):
    """Of a table whose first row alone is above 0: only what is seen in step 0 is false."""
    first = {"kind": "table", "values": [4.0, 0.0, 0.0]}
    second = {"kind": "table", "values": [0.0, 4.0, 0.0]}
    found = {}
    for name, nats in (("first", first), ("second", second), ("none", 0.0)):
        run = sumabm.simulate(told(society, nats, steps=3), 20, 3)
        found[name] = run["believed"].sel(agent="X1").values
    # row t has what was believed before the acts of step t were seen
    np.testing.assert_array_equal(found["second"][:, 1], found["none"][:, 1])
    assert (found["first"][:, 1] > found["none"][:, 1] + 0.01).all()
    assert (found["second"][:, 2] > found["none"][:, 2] + 0.01).all()
    shift = {}
    for name, nats in (("first", first), ("second", second), ("none", 0.0)):
        model = SUMModel(told(society, nats, steps=3), 20, 3)
        while model.running:
            model.step()
        shift[name] = model.aligners["W"]._state.eta("X1")
    lie = shift["first"] - shift["none"]
    np.testing.assert_allclose(lie, shift["second"] - shift["none"], atol=1e-12)
    np.testing.assert_allclose(lie[:, 0], A * np.sqrt(8.0), rtol=1e-12)


def test_a_power_that_ends_ends_the_run(society):
    """One that has no finite value from step 5 on: five steps, the last of them too."""
    nats = {"kind": "recursive", "initial": 1.0, "rate": 0.2, "exponent": 2.0}
    run = sumabm.simulate(told(society, nats, steps=9), 2, 3)
    assert "power of lie" in run.attrs["ended"]
    assert np.isfinite(run["harm"].values[0]).sum() == 5


def test_lies_about_others_add_up(society):
    """Two liars about X3: what is seen of it moves by ``sqrt(2M) (w_1 + w_2)^…``, each its own."""
    edges = [["X1", "W"], ["X2", "W", 4.0]]
    lie = {"kind": "manipulation", "power": 0.5, "about": ["X3"]}
    lie["graph"] = {"kind": "edges", "edges": edges}
    method = {"kind": "bayesian", "edit_power": 0.0}
    lied = SUMModel(society(3, {"lie": lie}, method=method), 4, 3)
    plain = SUMModel(society(3, method=method), 4, 3)
    lied.step()
    plain.step()
    for name, moved in (("X1", 0.0), ("X2", 0.0), ("X3", np.sqrt(1.0) + np.sqrt(4.0))):
        gap = lied.aligners["W"]._state.eta(name) - plain.aligners["W"]._state.eta(name)
        np.testing.assert_allclose(gap, A * moved * lied.goal, atol=1e-12)


def test_in_a_discrete_world(stepped):
    """Seen is the law that an act left, tilted by the humans' utility within M nats."""
    table = {
        "scenario": "states",
        "steps": 2,
        "world": {"kind": "states", "probabilities": [0.1, 0.2, 0.3, 0.4], "utilities": "free"},
        "agents": {
            "X": {"role": "ai", "power": 0.2},
            "Y": {"role": "human", "power": 0.1},
            "W": {"role": "aligner", "method": {"kind": "bayesian", "looks": 200}},
        },
        "relations": {"lie": {"kind": "manipulation", "graph": "complete", "power": 0.3}},
    }
    scenario = Scenario.model_validate(table)
    model = stepped(scenario, 1, 20)
    true, shown = model.sights["X"], model.view(model.aligners["W"]).sights["X"]
    np.testing.assert_allclose(shown.left.nats_from(true.left), 0.3, rtol=1e-9)
    wish = model.base.colour(model.goal)
    assert (shown.left.expect(wish) > true.left.expect(wish) + 0.1).all()
    plain = stepped(scenario.replace({"relations": {}}), 1, 20)
    assert model.shown["believed.X"].mean() > plain.shown["believed.X"].mean() + 0.2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agents.W.method": "budget"}, "W looks at no act"),
        ({"activation": "simultaneous"}, "W should see acts one by one"),
        ({"agents.W.method": {"kind": "bayesian", "watches": "outcome"}}, "one by one"),
        ({"relations.lie.about": ["Y"]}, "should be an AI"),
        ({"relations.lie.graph": {"kind": "edges", "edges": [["W", "X1"]]}}, "from ai to aligner"),
    ],
)
def test_what_cannot_be_shown_false(society, changes, words):
    with pytest.raises(ScenarioError, match=words):
        told(society, 1.0).replace(changes)
