"""Coalitions that pay, against a plain reference; bargains, against the log-linear pool."""

import itertools

import numpy as np
import pytest

import sumabm
from sumabm import DiscreteWorld, Scenario, ScenarioError, SUMModel
from sumabm.oversight.coalitions import parties

O = 0.5  # noqa: E741
A = np.sqrt(2 * O)


def pair(society, rho, cost, relation="coalition", **changes):
    """Return two AIs of cosine ρ in a plane."""
    first, second = [1.0, 0.0, 0.0], [rho, np.sqrt(1 - rho * rho), 0.0]
    ais = {
        "X1": {"utility": {"kind": "fixed", "direction": first}},
        "X2": {"utility": {"kind": "fixed", "direction": second}},
    }
    table = {"kind": relation, "graph": "complete"}
    if relation == "coalition":
        table["cost"] = cost
    return society(ais, {"club": table}, d=3, steps=1).replace(changes)


def gain(rho):
    return 4 * A * (np.sqrt((1 + rho) / 2) - (1 + rho) / 2)


# --- coalitions of two --------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [-0.9, -0.5, 0.0, 0.4, 0.95])
@pytest.mark.parametrize("activation", ["sequential", "simultaneous", "random"])
def test_a_pair_forms_where_it_pays(society, stepped, rho, activation):
    for factor, formed in ((1 - 1e-9, True), (1 + 1e-9, False)):
        scenario = pair(society, rho, gain(rho) * factor, activation=activation)
        row = stepped(scenario, 1).row
        expected = 4 * O if formed else 2 * O * (1 + rho)
        np.testing.assert_allclose(row["joint_spent"], expected, rtol=1e-12)
        np.testing.assert_array_equal(row["joined.X1"], 2.0 if formed else 1.0)
        np.testing.assert_allclose([row["spent.X1"], row["spent.X2"]], O)


def test_the_gain_is_what_the_members_get(society, stepped):
    """Their expected utilities in the simulated world, summed, with and without the coalition."""
    for rho in (-0.5, 0.2):
        together = stepped(pair(society, rho, 0.0), 1).row
        apart = stepped(pair(society, rho, 100.0), 1).row
        rise = sum(
            together[f"utility_acted.{x}"] - apart[f"utility_acted.{x}"] for x in ("X1", "X2")
        )
        np.testing.assert_allclose(rise, gain(rho), rtol=1e-12)
    grid = np.linspace(-1, 1, 2001)
    assert grid[np.argmax(gain(grid))] == pytest.approx(-0.5)


@pytest.mark.parametrize("rho", [1.0, -1.0])
def test_copies_and_opposites_gain_nothing(society, stepped, rho):
    row = stepped(pair(society, rho, 0.0), 1).row
    np.testing.assert_array_equal(row["joined.X1"], 1.0)
    np.testing.assert_allclose(row["joint_spent"], 2 * O * (1 + rho), atol=1e-12)


def test_who_joins_nobody_acts_as_it_did(society, stepped):
    """To the last bit: with too high a cost, and without edges."""
    plain = stepped(society(4, steps=4), 4).row
    for graph, cost in (("complete", 1e6), ("empty", 0.0)):
        table = {"kind": "coalition", "graph": graph, "cost": cost}
        row = stepped(society(4, {"club": table}, steps=4), 4).row
        for name, values in plain.items():
            np.testing.assert_array_equal(row[name], values, err_msg=name)
    free = {"kind": "coalition", "graph": "complete"}
    assert not np.array_equal(
        stepped(society(4, {"club": free}, steps=4), 4).row["harm"], plain["harm"]
    )


# --- coalitions of many: against the plainest way to say it ---------------------------------------


def reference(aims, powers, near, cost):
    """Return the coalitions as a set of frozensets: greedy unions, each by brute force."""

    def worth(blocks, members):
        """Return what these blocks' acts are worth to the members, summed."""
        wish = sum(aims[i] for i in members)
        total = 0.0
        for block in blocks:
            pool = sum(powers[i] * aims[i] for i in block)
            length = np.linalg.norm(pool)
            if length > 0.0:
                total += sum(np.sqrt(2 * powers[i]) for i in block) * (pool / length) @ wish
        return total

    blocks = [frozenset([i]) for i in range(len(aims))]
    while True:
        best, which = cost + 1e-12 * np.sqrt(2 * powers).sum(), None
        for a, b in itertools.combinations(blocks, 2):
            if not any(near[i, j] for i in a for j in b):
                continue
            rise = worth([a | b], a | b) - worth([a, b], a | b)
            if rise > best:
                best, which = rise, (a, b)
        if which is None:
            return set(blocks)
        blocks = [block for block in blocks if block not in which] + [which[0] | which[1]]


def blocks_of(party):
    return {frozenset(np.flatnonzero(party == name).tolist()) for name in set(party.tolist())}


def drawn(seed, rows=8):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 7)), int(rng.integers(2, 5))
    aims = rng.normal(size=(rows, n, d))
    aims /= np.linalg.norm(aims, axis=-1, keepdims=True)
    powers = rng.uniform(0.01, 2.0, (rows, n)) * 10.0 ** rng.integers(-8, 9)
    powers[rng.uniform(size=powers.shape) < 0.1] = 0.0
    powers[rng.uniform(size=powers.shape) < 0.1] *= 1e-5
    near = np.triu(rng.uniform(size=(n, n)) < 0.6, 1)
    cost = float(rng.choice([0.0, 0.3])) * np.sqrt(powers.max())
    return aims, powers, near | near.T, cost


@pytest.mark.parametrize("seed", range(25))
def test_parties_are_those_of_the_plain_reference(seed):
    aims, powers, near, cost = drawn(seed)
    found = parties(aims, powers, near, cost)
    for row, party in enumerate(found):
        assert blocks_of(party) == reference(aims[row], powers[row], near, cost)
    for row in range(len(aims)):  # each replicate by itself
        alone = parties(aims[row : row + 1], powers[row : row + 1], near, cost)[0]
        assert blocks_of(alone) == blocks_of(found[row])


def test_they_are_neither_all_nor_none():
    sizes = [len(block) for s in range(25) for p in parties(*drawn(s)) for block in blocks_of(p)]
    assert sizes.count(1) > 50
    assert sum(size > 2 for size in sizes) > 50
    aims, powers, near, cost = drawn(3)
    assert any(
        blocks_of(p) != reference(a, o, near, 10 * cost + 1.0)
        for p, a, o in zip(parties(aims, powers, near, cost), aims, powers, strict=True)
    )


@pytest.mark.parametrize("scale", [1e-30, 1e-13, 1.0, 1e60])
def test_units_of_power_do_not_matter(scale):
    aims, powers, near, _ = drawn(1)
    powers = powers / powers.max()
    expected = [blocks_of(p) for p in parties(aims, powers, near, 0.1)]
    found = parties(aims, scale * powers, near, 0.1 * np.sqrt(scale))
    assert [blocks_of(p) for p in found] == expected


def test_the_powerless_join_nobody():
    aims, _, _, _ = drawn(2)
    n = aims.shape[1]
    every = ~np.eye(n, dtype=bool)
    powers = np.ones(aims.shape[:2])
    powers[:, 0] = 0.0
    assert all((np.sum(p == p[0]) == 1) for p in parties(aims, powers, every, 0.0))
    np.testing.assert_array_equal(
        parties(aims, 0.0 * powers, every, 0.0), np.tile(np.arange(n), (len(aims), 1))
    )


def test_members_act_on_the_pool(society, stepped, aims):
    """Of all coalitions, in the simulator: the world is where the pools push it."""
    table = {"kind": "coalition", "graph": "complete"}
    scenario = society(5, {"club": table}, d=4, steps=1, **{"agents.X2.power": 2.0})
    first, model = SUMModel(scenario, 20, 5), stepped(scenario, 1, 20)
    wants = aims(first).transpose(1, 0, 2)
    powers = np.array([0.5, 2.0, 0.5, 0.5, 0.5])
    sizes = set()
    for row in range(20):
        shift = np.zeros(4)
        for block in reference(wants[row], powers, ~np.eye(5, dtype=bool), 0.0):
            pool = sum(powers[i] * wants[row, i] for i in block)
            reach = sum(np.sqrt(2 * powers[i]) for i in block)
            shift += reach * pool / np.linalg.norm(pool)
            for i in block:
                assert model.row[f"joined.X{i + 1}"][row] == len(block)
            sizes.add(len(block))
        np.testing.assert_allclose(model.acted.mean[row], shift, atol=1e-12)
    assert len(sizes) > 1
    assert not np.allclose(model.row["joint_spent"], powers.sum(), rtol=0.2)


# --- bargains -----------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
def test_a_bargain_is_one_act_of_all_their_power(society, stepped, aims, activation):
    """``Σ O`` nats by the pool p ∝ Σ O_i v_i: each gains sqrt(2 Σ O) p̂ · v_i."""
    table = {"kind": "bargaining", "graph": "ring"}
    scenario = society(4, {"deal": table}, steps=1, activation=activation)
    scenario = scenario.replace({"agents.X3.power": 2.0})
    first, row = SUMModel(scenario, 9, 5), stepped(scenario, 1, 9).row
    wants, powers = aims(first), np.array([0.5, 0.5, 2.0, 0.5])
    pool = np.einsum("i,irw->rw", powers, wants)
    pool /= np.linalg.norm(pool, axis=-1, keepdims=True)
    np.testing.assert_allclose(row["joint_spent"], powers.sum(), rtol=1e-12)
    for i, want in enumerate(wants, 1):
        gained = np.sqrt(2 * powers.sum()) * np.vecdot(pool, want)
        np.testing.assert_allclose(row[f"utility_acted.X{i}"], gained, rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(row[f"joined.X{i}"], 4.0)
        own = powers[i - 1]  # what is spent and done is each one's by its power
        np.testing.assert_allclose(row[f"spent.X{i}"], own, rtol=1e-12)
        share = row["harm"] * own / powers.sum()
        np.testing.assert_allclose(row[f"harm_by.X{i}"], share, rtol=1e-6, atol=1e-12)
    plain = stepped(scenario.replace({"relations": {}}), 1, 9).row
    assert not np.allclose(plain["joint_spent"], row["joint_spent"], rtol=0.02)
    assert not np.allclose(plain["utility_acted.X1"], row["utility_acted.X1"], rtol=0.02)


def test_bargains_are_of_those_joined(society, stepped):
    edges = [["X1", "X2"], ["X4", "X3"]]
    table = {"kind": "bargaining", "graph": {"kind": "edges", "edges": edges}}
    row = stepped(society(5, {"deal": table}, steps=1), 1).row
    assert [row[f"joined.X{i}"][0] for i in range(1, 6)] == [2, 2, 2, 2, 1]
    whole = {"kind": "bargaining", "graph": "chain"}
    assert not np.allclose(
        row["harm"], stepped(society(5, {"deal": whole}, steps=1), 1).row["harm"]
    )


def test_a_bargain_in_a_discrete_world_is_a_tilt_by_the_log_linear_pool():
    base = np.array([0.4, 0.3, 0.2, 0.1])
    tables = {"A": [1.0, 0.0, 2.0, -1.0], "B": [0.0, 1.0, 0.5, 3.0], "C": [3.0, -1.0, 0.0, 0.0]}
    powers = {"A": 0.1, "B": 0.3, "C": 0.05}
    scenario = Scenario.model_validate({
        "scenario": "deal",
        "steps": 1,
        "world": {"kind": "states", "probabilities": base.tolist(), "utilities": "free"},
        "agents": {
            **{
                name: {
                    "role": "ai",
                    "power": powers[name],
                    "utility": {"kind": "table", "values": values},
                }
                for name, values in tables.items()
            },
            "Y": {"role": "human", "power": 0.0, "response": "none"},
        },
        "relations": {"deal": {"kind": "bargaining", "graph": "complete"}},
    })  # fmt: skip
    model = SUMModel(scenario)
    model.step()
    unit = {}
    for name, values in tables.items():
        u = np.array(values)
        unit[name] = (u - base @ u) / np.sqrt(base @ (u - base @ u) ** 2)
    pool = sum(powers[name] * unit[name] for name in tables) / sum(powers.values())
    act = DiscreteWorld(base).tilt(pool, sum(powers.values()))
    found = np.ravel(model.acted.probabilities)
    np.testing.assert_allclose(found, np.ravel(act.world.probabilities), rtol=1e-9)
    # the pool of what each would do on its own with a sharpness β_i ∝ O_i: natural parameters add
    each = [
        DiscreteWorld(p / p.sum())
        for p in (base * np.exp(float(act.beta) * unit[name]) for name in tables)
    ]
    weights = np.array(list(powers.values())) / sum(powers.values())
    pooled = DiscreteWorld.pool(each, weights).probabilities
    np.testing.assert_allclose(found, np.ravel(pooled), rtol=1e-9)
    turns = SUMModel(scenario.replace({"relations": {}}))
    turns.step()
    assert not np.allclose(np.ravel(turns.acted.probabilities), found, rtol=0.05)
    np.testing.assert_allclose(model.row["joint_spent"], 0.45, rtol=1e-10)


def test_those_whose_acts_show_nothing_are_refused(society):
    deal = {"deal": {"kind": "bargaining", "graph": "complete"}}
    society(3, deal, method="budget")
    with pytest.raises(ValueError, match="infers aims from acts"):
        society(3, deal, method="bayesian")
    club = {"club": {"kind": "coalition", "graph": "complete"}}
    society(3, club, method="bayesian")
    boxed = {"agents.X1.behaviour": {"kind": "sandboxed", "fraction": 0.5, "fidelity": 1.0}}
    for relations in (deal, club):
        with pytest.raises(ScenarioError, match="X1 cannot join"):
            society(3, relations, method=None).replace(boxed)


def test_both_run_to_the_end_with_edits(society):
    for kind in ("coalition", "bargaining"):
        scenario = society(4, {"club": {"kind": kind, "graph": "ring"}}, method="budget", steps=30)
        run = sumabm.simulate(scenario, 10, 2)
        rise = run["alignment"].values[..., :4]
        assert (rise[:, -1] - rise[:, 0]).mean() > 0.3
        assert np.isfinite(run["harm"].values).all()
