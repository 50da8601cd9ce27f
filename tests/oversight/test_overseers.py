"""Who oversees whom on a graph, and what of the humans' power each aligner spends on each AI."""

import numpy as np
import pytest

import sumabm
from sumabm import Scenario, ScenarioError

POWERS = [0.5, 1.0, 2.0, 0.25, 0.75]
BUDGET = {"role": "aligner", "method": "budget"}


def watched(n, m, graph, human=1.0, relations=None, **fields):
    """Return a scenario of AIs X1 … Xn and aligners W1 … Wm on a graph."""
    table = {"kind": "oversight", "graph": graph, **fields}
    return Scenario.model_validate({
        "scenario": "watched",
        "steps": 3,
        "world": {"kind": "gaussian", "dimensions": 8},
        "agents": {
            **{f"X{i + 1}": {"role": "ai", "power": POWERS[i % 5]} for i in range(n)},
            "Y": {"role": "human", "power": human, "response": "undo"},
            "W": {**BUDGET, "count": m},
        },
        "relations": {"watch": table} if relations is None else relations,
    })  # fmt: skip


def seen(scenario):
    return [{int(ai[1:]) for ai in scenario.overseen(name)} for name in scenario.names("aligner")]


def edges(*pairs):
    return {"kind": "edges", "edges": [list(pair) for pair in pairs]}


# --- who sees whom ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "m", "graph", "expected"),
    [
        (4, 4, "empty", [{1}, {2}, {3}, {4}]),
        (4, 4, "ring", [{4, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 1}]),
        (4, 4, "chain", [{1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4}]),
        (4, 4, "star", [{1, 2, 3, 4}, {1, 2}, {1, 3}, {1, 4}]),
        (4, 2, "complete", [{1, 2, 3, 4}] * 2),
        (5, 2, "ring", [{5, 1, 2}, {1, 2, 3}]),
        (2, 5, "empty", [{1}, {2}, {1}, {2}, {1}]),
        (3, 1, "empty", [{1}]),
        (5, 3, "tree", [{1, 2, 3}, {1, 2, 4, 5}, {1, 3}]),
        (3, 2, edges(["W1", "X3"], ["W2", "X1"], ["W2", "X2"]), [{3}, {1, 2}]),
        (3, 3, edges(["W", "X1"]), [{1}] * 3),
        (3, 2, edges(["W2", "X1"]), [set(), {1}]),
    ],
)
def test_who_sees_whom(n, m, graph, expected):
    scenario = watched(n, m, graph)
    assert seen(scenario) == expected
    run = sumabm.simulate(scenario, 4, 1)
    last, first = run["alignment"].values[:, -1, :n], run["alignment"].values[:, 0, :n]
    edited = {i + 1 for i in range(n) if not np.array_equal(last[:, i], first[:, i])}
    assert edited == set().union(*expected)


def test_aims_of_those_unseen_stay_and_all_are_seen_without_it():
    assert seen(watched(3, 2, None, relations={})) == [{1, 2, 3}] * 2


# --- what they spend ----------------------------------------------------------------------------


def spent(scenario):
    """Return the nats that each aligner spends in a step, and those that each AI gets."""
    model = sumabm.SUMModel(scenario, 2, 1)
    model.step()
    aligners = [model.row[f"spent.{name}"][0] for name in model.aligners]
    return aligners, [ai.subject.nats[0] for ai in model.ais.values()]


@pytest.mark.parametrize("human", [0.3, 1.0, 50.0])
@pytest.mark.parametrize("budget", ["each", "equal"])
@pytest.mark.parametrize("split", ["power", "equal", "weight"])
@pytest.mark.parametrize("graph", ["ring", "star", "weights"])
def test_budgets_and_splits(human, budget, split, graph):
    weights = {("W1", "X1"): 3.0, ("W1", "X2"): 1.0, ("W3", "X2"): 0.5, ("W3", "X4"): 2.5}
    table = edges(*((a, b, w) for (a, b), w in weights.items())) if graph == "weights" else graph
    scenario = watched(4, 3, table, human, budget=budget, split=split)
    powers = np.array(POWERS[:4])
    busy = [name for name in ("W1", "W2", "W3") if scenario.overseen(name)]
    assert len(busy) == (2 if graph == "weights" else 3)
    aligners, ais = spent(scenario)
    total = np.zeros(4)
    for name, found in zip(("W1", "W2", "W3"), aligners, strict=True):
        places = [int(ai[1:]) - 1 for ai in scenario.overseen(name)]
        part = human / len(busy) if budget == "equal" else human
        iota = min(powers[places].sum(), part) if places else 0.0
        assert found == pytest.approx(iota, rel=1e-12)
        if split == "power":
            over = powers[places] / powers[places].sum()
        else:
            own = [
                weights[name, f"X{i + 1}"] if graph == "weights" and split == "weight" else 1.0
                for i in places
            ]
            over = np.array(own) / sum(own)
        total[places] += iota * over
    np.testing.assert_allclose(ais, total, rtol=1e-12)
    if budget == "equal":
        assert sum(aligners) <= human * (1 + 1e-12)
    elif human == 0.3:
        assert sum(aligners) > human * 1.9  # each spends all of it


def test_mean_alignment_follows_the_nats_each_ai_gets():
    """Two aligners on two AIs, one edge of weight 3 and one of 1: A_d(κ) of their own budgets."""
    table = edges(["W1", "X1", 3.0], ["W1", "X2", 1.0])
    scenario = watched(2, 1, table, 1.0, split="weight").replace({"steps": 9})
    run = sumabm.simulate(scenario, 800, 3)
    for place, share in ((0, 0.75), (1, 0.25)):
        found = run["alignment"].values[:, -1, place]
        error = found.std(ddof=1) / np.sqrt(len(found))
        assert abs(found.mean() - sumabm.theory.alignment(8, 8 * share)) < 4 * error
        assert abs(found.mean() - sumabm.theory.alignment(8, 8 * 0.5)) > 4 * error


# --- entries with a count, and words for what is wrong ------------------------------------------


def test_edges_name_entries_with_a_count():
    scenario = Scenario.model_validate({
        "scenario": "crowd",
        "steps": 2,
        "world": {"kind": "gaussian", "dimensions": 3},
        "agents": {
            "X": {"role": "ai", "power": 1.0, "count": 3},
            "Z": {"role": "ai", "power": 1.0},
            "Y": {"role": "human", "power": 1.0},
            "W": {**BUDGET, "count": 2},
        },
        "relations": {
            "watch": {"kind": "oversight", "graph": edges(["W1", "X"], ["W2", "X2"], ["W2", "Z"])}
        },
    })  # fmt: skip
    assert scenario.overseen("W1") == ("X1", "X2", "X3")
    assert scenario.overseen("W2") == ("X2", "Z")
    both = scenario.replace({"relations.watch.graph": edges(["W", "X"])})
    assert both.overseen("W1") == both.overseen("W2") == ("X1", "X2", "X3")
    with pytest.raises(ScenarioError, match="from W1 to X2 is there twice"):
        scenario.replace({"relations.watch.graph": edges(["W1", "X"], ["W1", "X2"])})


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (edges(["W1", "V"]), r"no V .*W2"),
        (edges(["W1", "Y"]), r"no Y can have edges here"),
        (edges(["X1", "W1"]), "edges should lead from aligner to ai, got X1 to W1"),
        (edges(["X1", "X2"]), "edges should lead from aligner to ai, got X1 to X2"),
        (edges(["W1", "X1"], ["W1", "X1"]), "from W1 to X1 is there twice"),
        (edges(["W1", "X1", 0.0]), "a positive number"),
        ({"kind": "edges", "edges": []}, "at least 1"),
        ({"kind": "watts-strogatz", "neighbours": 9, "rewired": 0.0}, "neighbours need"),
        ({"kind": "barabasi-albert", "edges": 3}, "edges need more agents"),
        ("lattice", "lattice"),
    ],
)
def test_what_is_no_such_graph(graph, words):
    scenario = watched(3, 2, "ring")
    with pytest.raises(ScenarioError, match=words) as caught:
        scenario.replace({"relations.watch.graph": graph})
    assert "relations.watch.graph" in str(caught.value)


def test_oversight_is_said_once():
    scenario = watched(3, 2, "ring")
    with pytest.raises(ScenarioError, match="W says itself whom it oversees"):
        scenario.replace({"agents.W.oversees": ["X1"]})
    with pytest.raises(ScenarioError, match="one relation of this kind"):
        scenario.replace({"relations.more": {"kind": "oversight", "graph": "star"}})
    assert seen(scenario.replace({"relations": {}, "agents.W.oversees": ["X1"]})) == [{1}, {1}]


def test_a_generated_graph_is_the_same_in_all_replicates_and_by_its_seed():
    graph = {"kind": "erdos-renyi", "probability": 0.5, "seed": 3}
    first = seen(watched(5, 5, graph))
    assert first == seen(watched(5, 5, graph))
    assert first != seen(watched(5, 5, {**graph, "seed": 4}))
    assert all(i + 1 in own for i, own in enumerate(first))
