"""Entries that stand for several agents, aligners that serve some humans, prefixes of runs."""

import numpy as np
import pytest

import sumabm
from sumabm import Scenario, ScenarioError, load_scenario, open_run, runs, simulate, theory
from sumabm.battery.spec import Battery
from sumabm.roles import members

CROWD = """
scenario = "crowd"
steps = 4
world = { kind = "gaussian", dimensions = 5 }

[agents.X]
role = "ai"
power = 0.5
count = 3
behaviour = { kind = "conservative", share = 0.5 }

[agents.Z]
role = "ai"
power = { kind = "exponential", initial = 0.2, rate = 0.1 }

[agents.Y]
role = "human"
power = 0.25
count = 2

[agents.W]
role = "aligner"
method = "bayesian"
count = 2
oversees = ["X", "Z"]
"""
TALK = {"kind": "consensus", "graph": {"kind": "edges", "edges": [["X", "Z"], ["X1", "X2", 2.0]]}}


@pytest.fixture
def crowd(tmp_path):
    """A scenario file whose entries have counts."""
    path = tmp_path / "crowd.toml"
    path.write_text(CROWD, encoding="utf-8")
    return path


def written_out(scenario):
    """Return the same scenario without counts, every agent an entry of its own."""
    table = scenario.model_dump()
    ais = [["X1", "Z"], ["X2", "Z"], ["X3", "Z"], ["X1", "X2", 2.0]]
    table["relations"]["talk"]["graph"]["edges"] = ais
    table["agents"]["W"]["oversees"] = ["X1", "X2", "X3", "Z"]
    table["agents"] = {
        name: {**spec, "count": None}
        for entry, spec in table["agents"].items()
        for name in members(entry, spec["count"])
    }
    return Scenario.model_validate(table)


# --- the same as written out --------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sequential", "random"])
def test_an_entry_is_so_many_agents(crowd, activation):
    scenario = load_scenario(crowd, {"relations.talk": TALK, "activation": activation})
    plain = written_out(scenario)
    assert scenario.names("ai") == plain.names("ai") == ("X1", "X2", "X3", "Z")
    counted, apart = simulate(scenario, 4, 3), simulate(plain, 4, 3)
    assert list(counted.data_vars) == list(apart.data_vars)
    for name in counted.data_vars:
        np.testing.assert_array_equal(counted[name].values, apart[name].values, err_msg=name)
    assert counted.agent.values.tolist() == apart.agent.values.tolist()
    assert counted.role.values.tolist() == apart.role.values.tolist()
    assert not np.array_equal(
        counted["alignment"].sel(agent="X1"), counted["alignment"].sel(agent="X2")
    )
    assert counted.attrs["identity"] != apart.attrs["identity"]


def test_an_override_is_for_all_of_an_entry(crowd):
    run = simulate(crowd, 2, 1, overrides={"agents.X.power": 3.0})
    np.testing.assert_array_equal(run["power"].sel(agent=["X1", "X2", "X3"]), 3.0)
    assert not np.any(run["power"].sel(agent="Z") == 3.0)
    more = simulate(crowd, 2, 1, overrides={"agents.X.count": 5})
    assert more.agent.values.tolist()[:6] == ["X1", "X2", "X3", "X4", "X5", "Z"]
    first = simulate(crowd, 2, 1)
    np.testing.assert_array_equal(  # a newcomer changes no other's utility
        more["alignment"].sel(agent="X2").values[:, 0],
        first["alignment"].sel(agent="X2").values[:, 0],
    )


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"agents.X2": {"role": "ai", "power": 1.0}}, "two agents are named X2"),
        ({"agents.X.count": 0}, "greater than or equal to 1"),
        ({"agents.X.count": 2.5}, "integer"),
        ({"agents.X.count": 20_000}, "10000"),
        ({"agents.X.count": 9_999}, "at most 10000 agents"),
        ({"agents.W.oversees": ["X4"]}, "X4"),
        ({"agents.W.oversees": ["X", "X2"]}, "is named twice"),
        ({"agents.W.oversees": ["Y"]}, "Y"),
        ({"agents.W.serves": ["X"]}, "X"),
        ({"agents.W.serves": []}, "at least 1"),
        ({"agents.W.serves": ["Y", "Y1"]}, "is named twice"),
    ],
)
def test_what_no_count_can_be(crowd, overrides, words):
    with pytest.raises(ScenarioError, match=words):
        load_scenario(crowd, overrides)


def test_one_of_an_entry_is_overseen_by_name(crowd):
    scenario = load_scenario(crowd, {"agents.W.oversees": ["X2"], "agents.W.method": "budget"})
    run = simulate(scenario, 3, 1)["alignment"]
    moved = [not np.array_equal(own[:, 0], own[:, -1]) for own in run.values.transpose(2, 0, 1)]
    assert moved[:4] == [False, True, False, False]


# --- stored runs and batteries ------------------------------------------------------------------


def test_a_run_of_counts_is_stored(tmp_path, crowd):
    scenario = load_scenario(crowd, {"relations.talk": TALK})
    kept = runs.run(scenario, range(2, 5), 7, tmp_path / "store", {"scenario": "crowd"})
    opened, simulated = open_run(kept.path), simulate(scenario, range(2, 5), 7)
    assert set(opened.data_vars) == set(simulated.data_vars)
    for name in simulated.data_vars:
        np.testing.assert_array_equal(opened[name].values, simulated[name].values, err_msg=name)


def test_a_battery_varies_a_count(tmp_path, own_engine, crowd):
    changes = {"agents.W.method": "budget", "agents.Y.count": None, "agents.X.behaviour": "honest"}
    table = {
        "battery": "counts",
        "scenario": load_scenario(crowd, changes),
        "replicates": 5,
        "uncertainties": {"agents.X.count": [1, 2, 4]},
        "levers": {"relations": {"kind": "choice", "values": [{}, {"talk": {
            "kind": "consensus", "graph": "complete"}}], "labels": ["none", "talk"]}},
        "design": {"kind": "grid"},
    }  # fmt: skip
    done = sumabm.run_battery(Battery.model_validate(table), own_engine, tmp_path / "store")
    assert done.complete
    data = done.open()
    counts = data["agents.X.count"].values
    assert sorted(set(counts.tolist())) == [1, 2, 4]
    for point, count in enumerate(counts):
        own = data["alignment"].isel(point=point)
        there = [name for name in own.agent.values if not np.isnan(own.sel(agent=name)).all()]
        assert sorted(there) == [*(f"X{i}" for i in range(1, count + 1)), "Z"]
    joint = data["joint_spent"].mean("replicate")
    assert (joint.values[counts == 4] > joint.values[counts == 1]).all()
    one = load_scenario(crowd, {**changes, "agents.X.count": 4})
    alone = simulate(one, 5, int(data.attrs["seed"]))
    plain = [p for p in range(len(counts)) if counts[p] == 4]
    found = [data["harm"].isel(point=p).values for p in plain]
    assert any(np.array_equal(own, alone["harm"].values[:, -1]) for own in found)


# --- aligners that serve some humans --------------------------------------------------------------


def served(serves, **changes):
    return Scenario.model_validate({
        "scenario": "served",
        "steps": 6,
        "world": {"kind": "gaussian", "dimensions": 10},
        "agents": {
            "X": {"role": "ai", "power": 2.0},
            "Y": {"role": "human", "power": 1.0},
            "Z": {"role": "human", "power": 0.5},
            "W": {"role": "aligner", "method": "budget", "serves": serves},
        },
    }).replace(changes)  # fmt: skip


@pytest.mark.parametrize(("who", "nats"), [("Y", 1.0), ("Z", 0.5)])
def test_an_aligner_aligns_to_whom_it_serves(who, nats):
    """Mean A_d(κ(D)) with that human's utility, on that human's nats; with the other's, none."""
    model = sumabm.SUMModel(served([who]), 600, 4)
    for _ in range(5):
        model.step()
    for name, human in model.humans.items():
        found = np.vecdot(model.ais["X"].subject.aim, human.aim)
        error = found.std(ddof=1) / np.sqrt(found.size)
        expected = float(theory.alignment(10, 5 * nats)) if name == who else 0.0
        assert abs(found.mean() - expected) < 4 * error
        assert abs(found.mean() - float(theory.alignment(10, 5 * 1.5))) > 4 * error
    np.testing.assert_allclose(model.row["spent.W"], nats)


def test_serving_all_is_serving_none_by_name():
    whole, none = simulate(served(["Y", "Z"]), 4, 1), simulate(served(None), 4, 1)
    for name in whole.data_vars:
        np.testing.assert_array_equal(whole[name].values, none[name].values)
    one = simulate(served(["Y"]), 4, 1)
    assert not np.array_equal(one["alignment"].values, none["alignment"].values)


def test_serving_an_entry():
    crowd = served(["Y"], **{"agents.Y.count": 2})
    assert crowd.served("W") == ("Y1", "Y2")
    model = sumabm.SUMModel(crowd, 3, 4)
    mean = model.humans["Y1"].aim + model.humans["Y2"].aim
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    goal = model.view(model.aligners["W"]).goal
    np.testing.assert_allclose(goal, mean, atol=1e-14)
    assert not np.allclose(goal, model.goal, atol=1e-3)


@pytest.mark.parametrize("method", ["bayesian", {"kind": "probe", "noise": 1.0}])
def test_other_aligners_serve_too(method):
    run = sumabm.SUMModel(served(["Z"], **{"agents.W.method": method, "steps": 60}), 60, 4)
    while run.running:
        run.step()
    aim = run.ais["X"].subject.aim
    assert np.vecdot(aim, run.humans["Z"].aim).mean() > 0.9
    assert abs(np.vecdot(aim, run.humans["Y"].aim).mean()) < 0.2


# --- prefixes -------------------------------------------------------------------------------------

RELATIONS = {
    "watch": {"kind": "oversight", "graph": "ring", "budget": "equal", "split": "equal"},
    "talk": {"kind": "consensus", "graph": {"kind": "erdos-renyi", "probability": 0.6}},
    "pact": {"kind": "collusion", "graph": "chain", "among": ["X"]},
    "lies": {"kind": "manipulation", "graph": "star", "power": 0.2, "about": ["X2", "Z"]},
    "loan": {
        "kind": "lending",
        "graph": {"kind": "edges", "edges": [["Z", "W1"]]},
        "share": 0.5,
        "looks": 2,
    },
    "race": {
        "kind": "arms-race",
        "graph": {"kind": "edges", "edges": [["X", "X"]]},
        "reaction": 0.01,
        "fatigue": 0.1,
    },
    "club": {"kind": "coalition", "graph": "chain", "cost": 0.6},
}


def test_a_replicate_is_the_same_in_any_ensemble(crowd):
    """To the last bit, with all relations at once."""
    changes = {f"relations.{name}": table for name, table in RELATIONS.items()}
    changes |= {"agents.W.oversees": None, "agents.X.count": 4, "steps": 6}
    changes["relations.watch.graph"] = {"kind": "edges", "edges": [["W1", "X"], ["W2", "Z"]]}
    scenario = load_scenario(crowd, changes)
    whole = simulate(scenario, 9, 5)
    assert len(set(whole["joined"].values[:, 0, 0].tolist())) > 1
    for part in (range(1), range(4, 5), range(2, 7)):
        some = simulate(scenario, part, 5)
        for name in whole.data_vars:
            mine = whole[name].sel(replicate=list(part)).values
            np.testing.assert_array_equal(some[name].values, mine, err_msg=name)
    other = simulate(scenario, 9, 6)
    assert not np.array_equal(other["harm"].values, whole["harm"].values)


@pytest.mark.parametrize("kind", ["bargaining", "coalition"])
def test_so_it_is_where_ais_act_as_one(crowd, kind):
    changes = {"agents.W.method": "budget", "agents.X.count": 6, "relations.club": {
        "kind": kind, "graph": "complete"}}  # fmt: skip
    scenario = load_scenario(crowd, changes)
    whole, one = simulate(scenario, 7, 5), simulate(scenario, range(3, 4), 5)
    for name in whole.data_vars:
        np.testing.assert_array_equal(one[name].values, whole[name].values[3:4], err_msg=name)


def test_more_agents_than_there_may_be_are_refused_before_they_are_named():
    """A small file could else name a hundred million."""
    crowd = {"role": "ai", "count": 10_000, "power": 1.0}
    overrides = {f"agents.Z{i}x": crowd for i in range(200)}
    with pytest.raises(ScenarioError, match=r"at most 10000 agents \(got 2000003\)"):
        sumabm.load_scenario("essay", overrides)
