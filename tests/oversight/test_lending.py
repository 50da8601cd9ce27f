"""Nested oversight: what AIs lend to aligners, and where the AIs that these edit then end."""

import numpy as np
import pytest

import sumabm
from sumabm import ScenarioError, SUMModel, theory

D, HUMAN = 6, 1.0


def nested(society, c=0.5, power=HUMAN, d=D, method="budget", steps=4, human=HUMAN, **fields):
    """Return X1 that lends to W, which aligns X2 to the human's e_1; X1 has a cosine of c."""
    lender = [c, np.sqrt(1 - c * c), *[0.0] * (d - 2)]
    ais = {"X1": {"power": power, "utility": {"kind": "fixed", "direction": lender}}}
    ais["X2"] = {"power": 5.0}
    graph = {"kind": "edges", "edges": [["X1", "W"]]}
    more = {
        "W": {"oversees": ["X2"]},
        "Y": {"power": human, "utility": {"kind": "fixed", "direction": [1.0, *[0.0] * (d - 1)]}},
    }
    loan = {"kind": "lending", "graph": graph, **fields}
    return society(ais, {"loan": loan}, d, steps, method, more)


def aim_of(model):
    return model.view(model.aligners["W"]).goal


@pytest.mark.parametrize("c", [-0.3, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_aim_is_that_of_all_whose_power_it_is(society, c, share):
    """``∝ O_human v_Y + L v_1``, exactly, and ι = min(Σ O_AI, O_human + L)."""
    power = 2.0
    scenario = nested(society, c, power, share=share)
    model = SUMModel(scenario, 3, 5)
    lent = share * power
    pull = HUMAN * model.goal + lent * model.ais["X1"].subject.aim
    expected = pull / np.linalg.norm(pull, axis=-1, keepdims=True)
    np.testing.assert_allclose(aim_of(model), expected, atol=1e-15)
    if c < 1.0:
        assert not np.allclose(aim_of(model), model.goal, atol=1e-2)
    model.step()
    np.testing.assert_allclose(model.row["spent.W"], min(5.0, HUMAN + lent), rtol=1e-12)
    np.testing.assert_allclose(model.row["spent.X1"], (1 - share) * power, rtol=1e-12)
    np.testing.assert_allclose(model.row["power.X1"], power)
    assert not np.allclose(model.row["spent.W"], HUMAN)


def test_the_budget_is_capped_by_the_ais_that_it_sees(society):
    model = SUMModel(nested(society, power=50.0), 2, 5)
    model.step()
    np.testing.assert_allclose(model.row["spent.W"], 5.0)


@pytest.mark.parametrize("c", [0.0, 0.5, 0.9])
def test_edits_end_halfway_to_a_lender_of_the_humans_power(society, c):
    """At a cosine of ``sqrt((1 + c)/2)`` with v_Y, once so many nats are spent."""
    powers = {"agents.X1.power": 10.0, "agents.X2.power": 100.0, "agents.Y.power": 10.0}
    scenario = nested(society, c, steps=8).replace(powers)
    end = sumabm.simulate(scenario, 5, 3)["alignment"].sel(agent="X2").values[:, -1]
    np.testing.assert_allclose(end, np.sqrt((1 + c) / 2), atol=1e-6)
    alone = scenario.replace({"relations": {}})
    np.testing.assert_allclose(
        sumabm.simulate(alone, 5, 3)["alignment"].sel(agent="X2").values[:, -1], 1.0, atol=1e-6
    )


def test_alignment_with_the_aim_is_that_of_the_nats(society):
    """Mean cosine A_d(κ(D)) with the aim that it edits to, D = (O_human + L) t."""
    model = SUMModel(nested(society, 0.5, 0.2, human=0.3), 600, 3)
    aim = aim_of(model)
    for _ in range(4):
        model.step()
    found = np.vecdot(model.ais["X2"].subject.aim, aim)
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - theory.alignment(D, 4 * 0.5)) < 4 * error
    assert abs(found.mean() - theory.alignment(D, 4 * 0.3)) > 4 * error
    np.testing.assert_allclose(model.shown["believed.X2"], theory.alignment(D, 4 * 0.5), rtol=1e-9)


def test_lent_power_does_not_act(society, stepped):
    """A lender of all its power leaves the world as if it were not there."""
    scenario = nested(society, method="none", steps=1)
    lent = stepped(scenario, 1).row
    np.testing.assert_allclose(lent["joint_spent"], lent["spent.X2"], rtol=1e-12)
    kept = stepped(scenario.replace({"relations": {}}), 1).row
    assert not np.allclose(kept["joint_spent"], lent["joint_spent"], rtol=0.05)
    np.testing.assert_allclose(lent["harm_by.X1"], 0.0, atol=1e-15)


def test_looks_add(society):
    """Information is that of n + m looks, replicate by replicate; in the mean, its closed form."""
    weak = {"kind": "bayesian", "looks": 2, "edit_power": 0.0}
    strong = {**weak, "looks": 5}
    small = {"agents.X2.power": 0.05}
    lent = nested(society, method=weak, looks=3).replace(small)
    plain = nested(society, method=strong).replace(small)
    found, same, less = (
        sumabm.simulate(spec, 400, 3)["information"].sel(agent="X2").values[:, -1]
        for spec in (lent, plain, nested(society, method=weak).replace(small))
    )
    np.testing.assert_array_equal(found, same)
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - theory.action_information(D, 5 * 3 * 0.05)) < 4 * error
    assert abs(found.mean() - theory.action_information(D, 2 * 3 * 0.05)) > 4 * error
    assert found.mean() - less.mean() > 4 * error


def test_more_lenders(society):
    """Shares go by the weights of the edges; looks come from each lender."""
    ais = {f"X{i}": {} for i in range(1, 5)}
    edges = [["X1", "W", 3.0], ["X1", "V", 1.0], ["X2", "W"]]
    table = {"kind": "lending", "graph": {"kind": "edges", "edges": edges}, "share": 0.5}
    reads = {"kind": "probe", "noise": 1e-3}
    more = {
        "V": {"role": "aligner", "method": reads, "oversees": ["X4"]},
        "W": {"oversees": ["X3"]},
    }
    powers = {"agents.X1.power": 4.0, "agents.X3.power": 9.0, "agents.X4.power": 9.0}
    scenario = society(ais, {"loan": {**table, "looks": 2}}, method=reads, more=more, **powers)
    model = SUMModel(scenario, 2, 5)
    model.step()
    lent = {"W": 0.75 * 2.0 + 0.25, "V": 0.25 * 2.0}
    for name, ai in (("W", "X3"), ("V", "X4")):
        budget = model.view(model.aligners[name]).budget[ai]
        np.testing.assert_allclose(budget, 0.5 + lent[name])
    looks = [model.view(model.aligners[name]).looks for name in ("W", "V")]
    assert looks == [4, 2]


def test_humans_without_power_leave_the_aim_to_the_lender(society):
    model = SUMModel(nested(society, 0.5, human=0.0), 2, 5)
    np.testing.assert_allclose(aim_of(model), model.ais["X1"].subject.aim, atol=1e-15)


def test_a_lender_does_not_align_itself(society):
    with pytest.raises(ScenarioError, match="X1 should not help W, which oversees it"):
        nested(society).replace({"agents.W.oversees": ["X1", "X2"]})
    loan = nested(society).relations["loan"].model_dump()
    with pytest.raises(ScenarioError, match="one relation of this kind"):
        nested(society).replace({"relations.again": loan})
