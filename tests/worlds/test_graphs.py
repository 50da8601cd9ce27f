"""Causal worlds as scenarios name them: written out, in files, at random."""

import networkx as nx
import numpy as np
import pytest

from sumabm.scenario import Scenario, load_scenario
from sumabm.toml import ScenarioError
from sumabm.worlds.graphs import Causal, CausalRandom

EDGES = [["a", "b", 0.5], ["b", "c", -1.0], ["a", "c", 2]]
NOISE = {"a": 2.0, "c": 0.25}
COVARIANCE = [[2.0, 1.0, 3.0], [1.0, 1.5, 0.5], [3.0, 0.5, 5.75]]


def written():
    return Causal.model_validate({"edges": EDGES, "noise": NOISE})


def scenario(folder, world, agents=""):
    path = folder / "mine.toml"
    path.write_text(
        f'scenario = "mine"\nsteps = 2\nworld = {world}\n'
        f'[agents.X]\nrole = "ai"\npower = 1\n{agents}\n'
        '[agents.Y]\nrole = "human"\npower = 1\n'
    )
    return path


def test_a_graph_written_out():
    world = written().given
    assert world.names == ("a", "b", "c")
    np.testing.assert_allclose(world.frame.matrix, COVARIANCE)


def test_nodes_name_the_order_of_coefficients():
    spec = Causal.model_validate({"edges": EDGES, "noise": NOISE, "nodes": ["c", "b", "a"]})
    assert spec.given.names == ("a", "b", "c")
    np.testing.assert_allclose(spec.given.frame.matrix, COVARIANCE)
    np.testing.assert_array_equal(spec.given.linear(np.array([1.0, 2.0, 3.0])), [3.0, 2.0, 1.0])


def graph_file(folder, suffix):
    path = folder / f"graph{suffix}"
    if suffix == ".graphml":
        graph = nx.DiGraph()
        for cause, effect, weight in EDGES:
            graph.add_edge(cause, effect, weight=weight)
        nx.set_node_attributes(graph, NOISE, "noise")
        nx.write_graphml(graph, path)
    elif suffix == ".csv":
        path.write_text("source,target,weight\n" + "\n".join(f"{a},{b}, {w}" for a, b, w in EDGES))
    else:
        path.write_text("\n\n".join(f"{a}  {b}\t{w}" for a, b, w in EDGES))
    return path


@pytest.mark.parametrize("suffix", [".graphml", ".csv", ".edges"])
def test_a_graph_in_a_file(tmp_path, suffix):
    graph_file(tmp_path, suffix)
    world = f'{{ kind = "causal-file", file = "graph{suffix}", noise = 1.0 }}'
    agents = 'behaviour = { kind = "soft", actuators = ["b"] }'
    spec = load_scenario(scenario(tmp_path, world, agents))
    plain = Causal.model_validate({"edges": EDGES, "noise": NOISE if "ml" in suffix else 1.0})
    np.testing.assert_allclose(spec.world.given.frame.matrix, plain.given.frame.matrix)
    again = Scenario.model_validate(spec.model_dump())
    assert again == spec
    assert "sha256:" in spec.identity()
    identity = spec.identity()
    path = tmp_path / f"graph{suffix}"
    path.write_text(path.read_text().replace("0.5", "0.75"))
    assert load_scenario(scenario(tmp_path, world, agents)).identity() != identity


BAD = [
    ("graph.csv", "a,b\n", "edge 1 should be source, target, weight"),
    ("graph.csv", "a,b,1\na,b,2\n", "from a to b is there twice"),
    ("graph.csv", "a,b,__import__('os').getcwd()\n", "could not convert"),
    ("graph.csv", "a,b,nan\n", "finite number"),
    ("graph.csv", "a,b,1\nb,a,1\n", "no cycle, but has a -> b -> a"),
    ("graph.csv", "", "2 to 1000 nodes, got 0"),
    ("graph.csv", "a,a,1\n", "2 to 1000 nodes, got 1"),
    ("graph.edges", "a b {'weight':1} 2\n", "should be source, target, weight"),
    ("graph.edges", b"\xff\xfe\x00", "cannot be read as a graph"),
    ("graph.graphml", "no xml", "cannot be read as a graph"),
    ("graph.graphml", "<a/>", "cannot be read as a graph"),
    (
        "graph.graphml",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><graphml>&a;</graphml>',
        "document type is not read",
    ),
    (
        "graph.graphml",
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected">'
        '<node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>',
        "should be directed",
    ),
    (
        "graph.graphml",
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
        '<node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>',
        "weight a -> b should be a finite number, got None",
    ),
    ("graph.pickle", "", "should be a file of a graph"),
    ("graph.npy", "", "should be a file of a graph"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_a_bad_file_is_one_clear_message(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ScenarioError, match=message) as caught:
        load_scenario(scenario(tmp_path, f'{{ kind = "causal-file", file = "{name}" }}'))
    assert "world" in str(caught.value)


def test_a_file_that_is_not_there_or_too_large(tmp_path):
    world = '{ kind = "causal-file", file = "graph.csv" }'
    with pytest.raises(ScenarioError, match="there is no such file"):
        load_scenario(scenario(tmp_path, world))
    with (tmp_path / "graph.csv").open("wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(ScenarioError, match="larger than 10000000 bytes"):
        load_scenario(scenario(tmp_path, world))


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ({"edges": []}, "at least 1 item"),
        ({"edges": [["a", "b"]]}, "edges.0.2"),
        ({"edges": [["a", "b", 1.0], ["a", "b", 2.0]]}, "a -> b is there twice"),
        ({"edges": EDGES, "nodes": ["a", "b"]}, "c is not between nodes"),
        ({"edges": EDGES, "nodes": ["a", "b", "c", "a"]}, "named once"),
        ({"edges": EDGES, "noise": {"d": 1.0}}, "no node d"),
        ({"edges": EDGES, "noise": {"a": -1.0}}, "greater than 0"),
        ({"edges": EDGES, "noise": -1.0}, "greater than 0"),
    ],
)
def test_a_bad_graph_written_out(world, message):
    with pytest.raises(ScenarioError, match=message):
        load_scenario("causal", {"world": {"kind": "causal", **world}})


def test_a_random_graph_is_the_scenarios_own():
    one, same, other = (CausalRandom(dimensions=30, seed=seed).graph() for seed in (1, 1, 2))
    assert nx.utils.graphs_equal(one, same)
    assert not nx.utils.graphs_equal(one, other)
    assert nx.is_directed_acyclic_graph(one)


def test_a_random_graphs_weights():
    graph = CausalRandom(dimensions=300, probability=0.4, weight=1.5, seed=0).graph()
    pairs = 300 * 299 / 2
    share = graph.number_of_edges() / pairs
    assert abs(share - 0.4) < 4.0 * np.sqrt(0.24 / pairs)
    squares = np.array(
        [
            sum(graph.edges[c, n]["weight"] ** 2 for c in graph.predecessors(n))
            for n in graph
            if graph.in_degree(n) > 0
        ]
    )
    error = squares.std() / np.sqrt(len(squares))
    assert abs(squares.mean() - 1.5**2) < 4.0 * error


def test_no_edges_at_all_is_the_plain_gaussian():
    world = CausalRandom(dimensions=4, probability=0.0, noise=2.0).given
    np.testing.assert_allclose(world.frame.matrix, 2.0 * np.eye(4))


def test_specs_compare_by_their_parameters():
    one, other = written(), written()
    _ = one.given
    assert one == other
    assert one != CausalRandom(dimensions=3)
