"""Graphs of agents: generators, edges and files, and their statistics against known ones."""

import math

import networkx as nx
import numpy as np
import pytest

from sumabm import ScenarioError, graphs, load_scenario
from sumabm.component import members
from sumabm.graphs import (
    MOST_MEASURED,
    BarabasiAlbert,
    Chain,
    Complete,
    Edges,
    ErdosRenyi,
    File,
    Graph,
    Nobody,
    Ring,
    Star,
    Tree,
    WattsStrogatz,
    statistics,
    weights_of,
)

ENTRIES = {"X": ("X1", "X2", "X3")}


def of(name):
    """Return the agents that a name stands for."""
    return ENTRIES.get(name, ())


def names(n):
    return tuple(f"A{i}" for i in range(n))


def drawn(graph, n=6):
    return graph.on(names(n), of)


def pairs(graph):
    return {(a, b) for a, b in graph.edges}


# --- generators ---------------------------------------------------------------------------------

KNOWN = [
    (Complete(), nx.complete_graph(6)),
    (Star(), nx.star_graph(5)),
    (Ring(), nx.cycle_graph(6)),
    (Chain(), nx.path_graph(6)),
    (Tree(), nx.full_rary_tree(2, 6)),
    (Tree(children=3), nx.full_rary_tree(3, 6)),
    (Nobody(), nx.empty_graph(6)),
    (ErdosRenyi(probability=0.5, seed=3), nx.fast_gnp_random_graph(6, 0.5, seed=3)),
    (
        WattsStrogatz(neighbours=4, rewired=0.5, seed=1),
        nx.watts_strogatz_graph(6, 4, 0.5, seed=1),
    ),
    (BarabasiAlbert(edges=2, seed=1), nx.barabasi_albert_graph(6, 2, seed=1)),
]


@pytest.mark.parametrize(("graph", "known"), KNOWN, ids=lambda g: getattr(g, "kind", ""))
def test_edges_go_both_ways_by_file_order(graph, known):
    found = drawn(graph)
    expected = {(f"A{a}", f"A{b}") for a, b in known.to_directed().edges}
    assert pairs(found) == expected
    assert tuple(found) == names(6)
    assert {w for _, _, w in found.edges(data="weight")} <= {1.0}


def test_controls_of_the_generators():
    """The trees and random graphs differ among each other, or the test above says nothing."""
    found = [frozenset(pairs(drawn(graph))) for graph, _ in KNOWN]
    assert len(set(found)) == len(found)


def test_all_generators_are_known_here():
    kinds = {kind for kind, cls in members(Graph).items() if cls.__module__ == graphs.__name__}
    assert kinds == {graph.kind for graph, _ in KNOWN} | {"edges", "file"}


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_small_graphs(size):
    every = size * (size - 1)
    for graph, edges in [
        (Complete(), every),
        (Star(), 2 * max(size - 1, 0)),
        (Ring(), {0: 0, 1: 0, 2: 2, 3: 6}[size]),
        (Chain(), 2 * max(size - 1, 0)),
        (Tree(), 2 * max(size - 1, 0)),
        (Nobody(), 0),
        (ErdosRenyi(probability=1.0), every),
        (ErdosRenyi(probability=0.0), 0),
    ]:
        assert drawn(graph, size).number_of_edges() == edges, (graph.kind, size)


def test_random_graphs_are_by_their_seed():
    for make in (
        lambda seed: ErdosRenyi(probability=0.5, seed=seed),
        lambda seed: WattsStrogatz(neighbours=4, rewired=0.5, seed=seed),
        lambda seed: BarabasiAlbert(edges=2, seed=seed),
    ):
        assert pairs(drawn(make(1), 20)) == pairs(drawn(make(1), 20)) != pairs(drawn(make(2), 20))


def test_generators_that_have_no_graph():
    with pytest.raises(ValueError, match="9 neighbours need as many agents, got 6"):
        drawn(WattsStrogatz(neighbours=9, rewired=0.1))
    with pytest.raises(ValueError, match="6 edges need more agents than that, got 6"):
        drawn(BarabasiAlbert(edges=6))
    for bad in ({"neighbours": 1, "rewired": 0.1}, {"neighbours": 2, "rewired": 1.5}):
        with pytest.raises(ValueError, match=r"neighbours|rewired"):
            WattsStrogatz(**bad)
    with pytest.raises(ValueError, match="children"):
        Tree(children=0)


# --- edges written out ----------------------------------------------------------------------------


def test_edges_of_entries_are_of_all_their_agents():
    nodes = ("X1", "X2", "X3", "Z")
    found = Edges(edges=[["X", "Z"], ["Z", "X2", 2.5]]).on(nodes, of)
    assert set(found.edges(data="weight")) == {
        ("X1", "Z", 1.0),
        ("X2", "Z", 1.0),
        ("X3", "Z", 1.0),
        ("Z", "X2", 2.5),
    }
    among = Edges(edges=[["X", "X"]]).on(nodes, of)
    assert pairs(among) == {(a, b) for a in nodes[:3] for b in nodes[:3] if a != b}
    assert tuple(among) == nodes


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([["A0", "B"]], "B"),
        ([["A0", "A1"], ["A0", "A1", 2.0]], "from A0 to A1 is there twice"),
    ],
)
def test_edges_that_cannot_be(edges, words):
    with pytest.raises(ValueError, match=words):
        Edges(edges=edges).on(names(3), of)


@pytest.mark.parametrize("edge", [["A0"], ["A0", "A1", 0.0], ["A0", "A1", -1.0], ["A0", 1], [1, 2]])
def test_what_is_no_edge(edge):
    with pytest.raises(ValueError, match="edges"):
        Edges(edges=[edge])


def test_weights_are_by_whom_they_reach():
    graph = Edges(edges=[["A0", "A1", 2.0], ["A2", "A0", 3.0]]).on(names(3), of)
    expected = np.array([[0.0, 0.0, 3.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(weights_of(graph, names(3)).toarray(), expected)
    swapped = weights_of(graph, ("A2", "A1", "A0")).toarray()
    np.testing.assert_array_equal(swapped, expected[::-1, ::-1])


# --- files --------------------------------------------------------------------------------------


def filed(path):
    """Return a scenario of consensus on a file's graph, read from beside the scenario's file."""
    scenario = path.parent / "scenario.toml"
    scenario.write_text(
        f"""
        scenario = "filed"
        steps = 1
        world = {{ kind = "gaussian", dimensions = 3 }}
        agents.X = {{ role = "ai", power = 1.0, count = 3 }}
        agents.Y = {{ role = "human", power = 1.0 }}
        relations.talk = {{ kind = "consensus", graph = {{ kind = "file", file = "{path.name}" }} }}
        """,
        encoding="utf-8",
    )
    return load_scenario(scenario)


def network(path):
    scenario = filed(path)
    return set(scenario.relations["talk"].network(scenario).edges(data="weight"))


def test_edge_lists(tmp_path):
    expected = {("X1", "X2", 2.0), ("X3", "X1", 0.5)}
    for name, text in [
        ("g.csv", "source,target,weight\nX1,X2,2\nX3, X1 ,0.5\n"),
        ("h.csv", "X1,X2,2\nX3,X1,0.5"),
        ("g.edges", "X1 X2 2\n\nX3\tX1  0.5\n"),
    ]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert network(tmp_path / name) == expected
    (tmp_path / "entry.csv").write_text("X,X,0.25\n", encoding="utf-8")
    assert len(network(tmp_path / "entry.csv")) == 6


def test_graphml(tmp_path):
    directed = nx.DiGraph()
    directed.add_edge("X1", "X2", weight=2.0)
    directed.add_edge("X2", "X3")
    nx.write_graphml(directed, tmp_path / "d.graphml")
    assert network(tmp_path / "d.graphml") == {("X1", "X2", 2.0), ("X2", "X3", 1.0)}
    both = nx.Graph()
    both.add_edge("X1", "X2", weight=3.0)
    nx.write_graphml(both, tmp_path / "u.graphml")
    assert network(tmp_path / "u.graphml") == {("X1", "X2", 3.0), ("X2", "X1", 3.0)}
    nodes = ("X1", "X2", "X3")
    assert pairs(File(file=str(tmp_path / "u.graphml")).on(nodes, of)) == {
        ("X1", "X2"),
        ("X2", "X1"),
    }


def test_undirected_graphml_joins_entries(tmp_path):
    """An edge of an entry with itself, or with another, is one of each of them, both ways, once."""
    both = nx.Graph()
    both.add_edge("X", "X", weight=2.0)
    nx.write_graphml(both, tmp_path / "u.graphml")
    assert len(network(tmp_path / "u.graphml")) == 6


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "X1,X2\n", "should be source, target, weight"),
        ("a.csv", "X1,X2,heavy\n", "could not convert"),
        ("a.csv", "X1,X2,1\nX1,X2,2\n", "is there twice"),
        ("a.csv", "X1,X2,-1\n", "positive number"),
        ("a.csv", "X1,X2,nan\n", "positive number"),
        ("a.csv", "X1,X2,inf\n", "positive number"),
        ("a.csv", "X1,X9,1\n", "X9"),
        ("a.csv", "X1,Y,1\n", "Y"),
        ("a.graphml", "<graphml", "cannot be read as a graph"),
        ("a.graphml", '<!DOCTYPE x [<!ENTITY a "b">]><graphml/>', "document type"),
        ("a.graphml", '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"/>', "graph"),
        ("a.txt", "", "should be a file of a graph"),
    ],
)
def test_files_that_hold_no_such_graph(tmp_path, name, text, words):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=words) as caught:
        filed(tmp_path / name)
    assert "relations.talk.graph" in str(caught.value)


def test_weights_of_graphml_are_numbers(tmp_path):
    for weight in ("heavy", True, 0.0):
        graph = nx.DiGraph()
        graph.add_edge("X1", "X2", weight=weight)
        nx.write_graphml(graph, tmp_path / "w.graphml")
        with pytest.raises(ScenarioError, match="positive number"):
            filed(tmp_path / "w.graphml")


def test_parallel_edges_are_refused(tmp_path):
    graph = nx.MultiDiGraph()
    graph.add_edge("X1", "X2", weight=1.0)
    graph.add_edge("X1", "X2", weight=2.0)
    nx.write_graphml(graph, tmp_path / "m.graphml")
    with pytest.raises(ScenarioError, match="is there twice"):
        filed(tmp_path / "m.graphml")


def test_a_file_is_identified_by_what_it_holds(tmp_path):
    (tmp_path / "a.csv").write_text("X1,X2,1\n", encoding="utf-8")
    first = filed(tmp_path / "a.csv").identity()
    (tmp_path / "b.csv").write_text("X1,X2,1\n", encoding="utf-8")
    assert filed(tmp_path / "b.csv").identity() == first
    (tmp_path / "b.csv").write_text("X1,X2,2\n", encoding="utf-8")
    assert filed(tmp_path / "b.csv").identity() != first


# --- statistics -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known",
    [
        nx.karate_club_graph(),
        nx.complete_graph(7),
        nx.star_graph(6),
        nx.cycle_graph(9),
        nx.path_graph(5),
        nx.petersen_graph(),
        nx.watts_strogatz_graph(30, 4, 0.3, seed=1),
        nx.disjoint_union(nx.cycle_graph(5), nx.path_graph(3)),
    ],
)
def test_statistics_are_networkx(known):
    plain = nx.Graph(known.edges)
    plain.add_nodes_from(known)
    directed = nx.DiGraph()
    directed.add_nodes_from(f"A{i}" for i in known)
    directed.add_edges_from(((f"A{a}", f"A{b}") for a, b in plain.to_directed().edges), weight=7.0)
    found = statistics(directed)
    parts = sorted(nx.connected_components(plain), key=len)
    assert found["agents"] == len(plain)
    assert found["edges"] == 2 * plain.number_of_edges()
    assert found["degree"] == pytest.approx(np.mean([d for _, d in plain.degree]))
    assert found["density"] == pytest.approx(nx.density(plain))
    assert found["clustering"] == pytest.approx(nx.average_clustering(plain))
    assert found["components"] == len(parts)
    largest = plain.subgraph(parts[-1])
    assert found["distance"] == pytest.approx(nx.average_shortest_path_length(largest))
    laplacian = nx.laplacian_matrix(plain, weight=None).toarray().astype(float)
    assert found["connectivity"] == pytest.approx(np.linalg.eigvalsh(laplacian)[1], abs=1e-9)
    assert (found["connectivity"] > 1e-9) == (len(parts) == 1)


def test_known_values():
    karate = statistics(nx.karate_club_graph().to_directed())
    assert karate["clustering"] == pytest.approx(0.5706, abs=1e-4)
    assert karate["distance"] == pytest.approx(2.4082, abs=1e-4)
    assert karate["connectivity"] == pytest.approx(0.46853, abs=1e-5)
    ring = statistics(drawn(Ring(), 12))
    assert ring["connectivity"] == pytest.approx(2 - 2 * math.cos(math.tau / 12))
    assert ring["distance"] == pytest.approx(36 / 11)
    assert statistics(drawn(Complete(), 5))["connectivity"] == pytest.approx(5.0)
    assert statistics(drawn(Star(), 5))["connectivity"] == pytest.approx(1.0)


def test_directions_count_as_edges_and_not_as_neighbours():
    one = Edges(edges=[["A0", "A1"], ["A1", "A2"], ["A2", "A1"]]).on(names(3), of)
    found = statistics(one)
    assert (found["edges"], found["degree"], found["components"]) == (3.0, 4 / 3, 1.0)


def test_statistics_of_hardly_any_graph():
    none, one = statistics(drawn(Nobody(), 0)), statistics(drawn(Nobody(), 1))
    assert (none["agents"], none["components"], none["connectivity"]) == (0.0, 0.0, 0.0)
    assert math.isnan(none["distance"])
    assert math.isnan(none["clustering"])
    assert (one["agents"], one["components"]) == (1.0, 1.0)
    assert math.isnan(one["distance"])
    assert math.isnan(one["connectivity"])
    parts = statistics(drawn(Nobody(), 4))
    assert (parts["components"], parts["connectivity"]) == (4.0, 0.0)
    assert math.isnan(parts["distance"])


def test_large_graphs_are_not_measured_by_distance():
    found = statistics(drawn(Star(), MOST_MEASURED + 1))
    assert math.isnan(found["distance"])
    assert math.isnan(found["connectivity"])
    assert found["degree"] == pytest.approx(2 * MOST_MEASURED / (MOST_MEASURED + 1))
    assert statistics(drawn(Nobody(), MOST_MEASURED + 1))["connectivity"] == 0.0


def test_a_graph_of_names_has_no_other_size():
    with pytest.raises(TypeError, match="no other size"):
        Edges(edges=[["A0", "A1"]]).drawn(3)
