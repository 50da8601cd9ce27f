"""AIs that come to want the same, against dense matrices and the stationary weights."""

import networkx as nx
import numpy as np
import pytest

from sumabm import Scenario, SUMModel, theory

NAMES = [f"X{i}" for i in range(1, 7)]
DIRECTED = [("X1", "X2", 2.0), ("X2", "X3"), ("X3", "X1", 0.5), ("X3", "X4"), ("X4", "X5", 3.0)]
DIRECTED += [("X5", "X6"), ("X6", "X1", 0.25), ("X2", "X6", 4.0)]
WEIGHTED = [("X1", "X2", 5.0), ("X2", "X3", 1.0), ("X3", "X4", 0.5), ("X4", "X5", 2.0)]
WEIGHTED += [("X5", "X6", 1.0), ("X1", "X4", 3.0)]
BOTH = [edge for a, b, w in WEIGHTED for edge in ((a, b, w), (b, a, w))]
SMALL = {"kind": "watts-strogatz", "neighbours": 4, "rewired": 0.3, "seed": 2}
GRAPHS = {
    "complete": ("complete", nx.complete_graph(6)),
    "star": ("star", nx.star_graph(5)),
    "ring": ("ring", nx.cycle_graph(6)),
    "small world": (SMALL, nx.watts_strogatz_graph(6, 4, 0.3, seed=2)),
    "directed": ({"kind": "edges", "edges": DIRECTED}, DIRECTED),
    "weighted": ({"kind": "edges", "edges": BOTH}, BOTH),
}


def heeded(graph):
    """Return the shares ``(n, n)`` densely: row i what i heeds, of sum 1."""
    w = np.zeros((6, 6))
    if isinstance(graph, list):
        for a, b, *weight in graph:
            w[NAMES.index(b), NAMES.index(a)] = weight[0] if weight else 1.0
    else:
        w = nx.to_numpy_array(graph, nodelist=range(6))
    return w / w.sum(axis=1, keepdims=True)


def mixed(w, vectors, rate, steps):
    """Return the vectors after so many steps of ``v ← v + λ(w v − v)``."""
    power = np.linalg.matrix_power((1.0 - rate) * np.eye(len(w)) + rate * w, steps)
    return np.einsum("ij,jrw->irw", power, vectors)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def talking(graph, rate=0.2, **more):
    return {"talk": {"kind": "consensus", "graph": graph, "rate": rate, **more}}


@pytest.mark.parametrize("name", GRAPHS)
def test_aims_are_the_directions_of_vectors_that_mix(society, aims, stepped, name):
    table, graph = GRAPHS[name]
    scenario = society(6, talking(table), steps=40)
    start = aims(SUMModel(scenario, 3, 5))
    w = heeded(graph)
    for steps in (1, 3, 17):
        now = aims(stepped(scenario, steps))
        np.testing.assert_allclose(now, unit(mixed(w, start, 0.2, steps)), atol=1e-13)
        renormalised = start  # aims made unit at every step go elsewhere
        for _ in range(steps):
            renormalised = unit(mixed(w, renormalised, 0.2, 1))
        assert name == "ring" or steps == 1 or not np.allclose(now, renormalised, atol=1e-6)
        assert not np.allclose(now, unit(mixed(w, start, 0.21, steps)), atol=1e-6)
        if name in ("directed", "weighted"):
            transposed = w.T / w.T.sum(axis=1, keepdims=True)
            assert not np.allclose(now, unit(mixed(transposed, start, 0.2, steps)), atol=1e-6)


@pytest.mark.parametrize("name", GRAPHS)
def test_they_end_at_the_stationary_mean(society, aims, stepped, name):
    table, graph = GRAPHS[name]
    scenario = society(6, talking(table, 0.9), steps=400)
    start, w = aims(SUMModel(scenario, 3, 5)), heeded(graph)
    pi = theory.consensus_weights(w)
    end = aims(stepped(scenario, 400))
    limit = unit(np.einsum("j,jrw->rw", pi, start))
    assert np.vecdot(end, limit).min() > 1.0 - 1e-10
    np.testing.assert_allclose(pi @ w, pi, atol=1e-12)
    for wrong in (np.ones(6), theory.consensus_weights(w.T)):
        if not np.allclose(wrong / wrong.sum(), pi):
            other = unit(np.einsum("j,jrw->rw", wrong, start))
            assert np.vecdot(end, other).min() < 1.0 - 1e-4
    if name != "directed":  # edges go both ways: weights as their sums
        weights = nx.DiGraph()
        weights.add_weighted_edges_from(BOTH)
        plain = [graph.degree(i) for i in range(6)] if name != "weighted" else None
        degree = plain or [weights.in_degree(i, weight="weight") for i in NAMES]
        np.testing.assert_allclose(pi, np.array(degree) / sum(degree), atol=1e-12)


def test_mean_alignment_of_the_end(society):
    """E[cos] of ``∝ Σ π_i v_i`` where v_1 has cosine c with v_Y and the others are random, d large.

    On a star with the aligned one in the middle, π_1 = ½ and the others share ½.
    """
    d, n, c = 400, 5, 0.6
    direction = [c, np.sqrt(1 - c * c), *[0.0] * (d - 2)]
    ais = {
        f"X{i}": {"utility": {"kind": "fixed", "direction": direction}} if i == 1 else {}
        for i in range(1, n + 1)
    }
    scenario = society(ais, talking("star", 0.6), d=d, steps=60).replace(
        {"agents.Y.utility": {"kind": "fixed", "direction": [1.0, *[0.0] * (d - 1)]}}
    )
    model = SUMModel(scenario, 200, 3)
    while model.running:
        model.step()
    found = np.vecdot(model.ais["X3"].subject.aim, model.goal)
    error = found.std(ddof=1) / np.sqrt(len(found))
    expected = 0.5 * c / np.sqrt(0.25 + 0.25 / (n - 1))
    assert abs(found.mean() - expected) < 4 * error + 1 / d  # 1/d: the closed form is d → ∞
    assert abs(found.mean() - c / np.sqrt(n)) > 10 * error


def test_parts_end_apart(society, aims, stepped):
    """Two pairs and one alone: each pair at its mean, and who hears nobody to the last bit."""
    edges = [("X1", "X2"), ("X2", "X1"), ("X3", "X4"), ("X4", "X3")]
    scenario = society(5, talking({"kind": "edges", "edges": edges}, 0.3), steps=200)
    start, end = aims(SUMModel(scenario, 3, 5)), aims(stepped(scenario, 200))
    for pair in ([0, 1], [2, 3]):
        np.testing.assert_allclose(end[pair], np.stack([unit(start[pair].sum(0))] * 2), atol=1e-10)
    assert not np.allclose(end[0], unit(start[:4].sum(0)), atol=1e-2)
    np.testing.assert_array_equal(end[4], start[4])


def test_no_edge_changes_no_bit(society, stepped):
    for method in ("budget", "bayesian", "none"):
        alone = stepped(society(3, method=method), 5)
        edgeless = stepped(society(3, talking("empty"), method=method), 5)
        joined = stepped(society(3, talking("complete"), method=method), 5)
        for name, values in alone.row.items():
            np.testing.assert_array_equal(edgeless.row[name], values, err_msg=name)
        assert not np.array_equal(joined.row["alignment.X1"], alone.row["alignment.X1"])


@pytest.mark.parametrize("method", ["budget", "bayesian", {"kind": "probe", "noise": 1.0}])
def test_edits_turn_and_lengths_stay(society, stepped, method):
    """An edit turns the vector: with one rate, lengths after a step are those without the edit."""
    edited = stepped(society(4, talking("complete"), method=method), 0, 20)
    edited.step()
    state = edited._bonds._states["talk"]
    plain = stepped(society(4, talking("complete")), 1, 20)
    assert not np.allclose(edited.row["spent.W"], 0.0)
    assert not np.allclose(state.lengths, plain._bonds._states["talk"].lengths, atol=1e-6)
    # the vectors were turned before they mixed: lengths are of the mean of the turned unit aims
    again = SUMModel(edited.spec, 20, 5)
    for phase in ("act", "align"):
        again.steps = 1
        getattr(again, phase)()
    turned = np.stack([ai.subject.aim for ai in again.ais.values()])
    w = (np.ones((4, 4)) - np.eye(4)) / 3
    np.testing.assert_allclose(
        state.lengths, np.linalg.norm(mixed(w, turned, 0.2, 1), axis=-1), rtol=1e-12
    )
    while edited.running:
        edited.step()
    for ai in edited.ais.values():
        np.testing.assert_allclose(np.linalg.norm(ai.subject.aim, axis=-1), 1.0, rtol=1e-12)
        assert np.isfinite(ai.subject.nats).all()


def test_opposites_that_cancel_stay_as_they_were(society, aims, stepped):
    ais = {
        f"X{i}": {"utility": {"kind": "fixed", "direction": [s, 0.0]}}
        for i, s in ((1, 1.0), (2, -1.0))
    }
    scenario = society(ais, talking("complete", 0.5), d=2, steps=9)
    start, end = aims(SUMModel(scenario, 3, 5)), aims(stepped(scenario, 9))
    np.testing.assert_array_equal(end, start)


def test_only_those_among(society, aims, stepped):
    scenario = society(5, talking("complete", among=["X2", "X4"]), steps=100)
    start, end = aims(SUMModel(scenario, 3, 5)), aims(stepped(scenario, 100))
    np.testing.assert_array_equal(end[[0, 2, 4]], start[[0, 2, 4]])
    np.testing.assert_allclose(end[1], unit(start[1] + start[3]), atol=1e-8)


def test_in_a_discrete_world(aims, stepped):
    """Whitened coordinates mix there too, and aims keep unit standard deviation."""
    scenario = Scenario.model_validate({
        "scenario": "states",
        "steps": 3,
        "world": {"kind": "states", "probabilities": [0.1, 0.2, 0.3, 0.4], "utilities": "free"},
        "agents": {
            "X": {"role": "ai", "power": 0.1, "count": 3},
            "Y": {"role": "human", "power": 0.1},
        },
        "relations": talking("complete"),
    })  # fmt: skip
    start, model = aims(SUMModel(scenario, 3, 5)), stepped(scenario, 3)
    w = (np.ones((3, 3)) - np.eye(3)) / 2
    np.testing.assert_allclose(aims(model), unit(mixed(w, start, 0.2, 3)), atol=1e-13)
    for ai in model.ais.values():
        np.testing.assert_allclose(model.base.spread(ai.utility), 1.0, rtol=1e-12)


# --- collusion ----------------------------------------------------------------------------------


def colluding(graph, rate=0.3, **more):
    return {"pact": {"kind": "collusion", "graph": graph, "rate": rate, **more}}


@pytest.mark.parametrize("name", ["complete", "star", "weighted", "directed"])
def test_colluders_go_back_to_the_pact(society, aims, stepped, name):
    """``v(t) = m + (1 − λ)^t (v(0) − m)``, m the mean of one's own first aim and those heard."""
    table, graph = GRAPHS[name]
    scenario = society(6, colluding(table), steps=60)
    start = aims(SUMModel(scenario, 3, 5))
    if isinstance(graph, list):
        w = np.zeros((6, 6))
        for a, b, *weight in graph:
            w[NAMES.index(b), NAMES.index(a)] = weight[0] if weight else 1.0
    else:
        w = nx.to_numpy_array(graph, nodelist=range(6))
    pact = np.eye(6) + w
    mean = np.einsum("ij,jrw->irw", pact / pact.sum(axis=1, keepdims=True), start)
    for t in (1, 4, 60):
        now = aims(stepped(scenario, t))
        np.testing.assert_allclose(now, unit(mean + 0.7**t * (start - mean)), atol=1e-12)
        if t < 60:
            assert not np.allclose(now, unit(mean + 0.7 ** (t + 1) * (start - mean)), atol=1e-6)


def test_colluders_who_all_tell_all_end_as_copies(society, stepped):
    """n² O nats of joint effect, as copies do, and not n O."""
    n = 5
    scenario = society(n, colluding("complete"), steps=120)
    first, last = stepped(scenario, 1, 50), stepped(scenario, 120, 50)
    copies = float(theory.effective_power(np.full(n, 0.5), 1.0))
    assert copies == pytest.approx(n * n * 0.5)
    np.testing.assert_allclose(last.row["joint_spent"], copies, rtol=1e-10)
    assert abs(first.row["joint_spent"].mean() - copies) > 5.0


def test_edits_fade(society, stepped):
    """A budget aligner that has stopped: colluders are back where they were; others are not."""
    power = {"kind": "table", "values": [4.0, 4.0, 0.0], "beyond": "hold"}
    changes = {"agents.Y.power": power, "steps": 34}
    pacts = society(4, colluding("complete", 0.6), method="budget").replace(changes)
    free = society(4, method="budget").replace(changes)
    never = stepped(society(4, colluding("complete", 0.6), steps=34), 34, 30)
    pact, edited = stepped(pacts, 34, 30), stepped(free, 34, 30)
    np.testing.assert_allclose(pact.shown["alignment.X1"], never.shown["alignment.X1"], atol=1e-10)
    gain = edited.shown["alignment.X1"] - pact.shown["alignment.X1"]
    assert gain.mean() > 0.3
