"""Networks of subagents against the limit d → ∞, and exactly where they have exact values."""

import networkx as nx
import numpy as np
import pytest

import sumabm
from sumabm.model import SUMModel
from sumabm.origins.networks import Network, drawn_up, learnt, pooled, unit
from sumabm.origins.subagents import Subagents
from sumabm.scenario import Scenario, load_scenario
from sumabm.theory import networks as theory
from sumabm.toml import ScenarioError

PLACE = "agents.X.utility"
EDGES = [["a", "b", 0.5], ["b", "c", 1.0], ["a", "c", 2.0], ["a", "e", 1.0], ["f", "c", 0.25]]
LAYERS = {"graph": "layered", "subagents": 10, "width": 3}


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def alignment(utility, replicates, d, seed=3, steps=1, **others):
    overrides = {
        "world.dimensions": d,
        "agents.W.method": "none",
        PLACE: {"kind": "subagents", **utility},
        **others,
    }
    run = sumabm.simulate("subagents", replicates, seed=seed, steps=steps, overrides=overrides)
    return run["alignment"].sel(agent="X").values


def model_of(utility, replicates=5, seed=3, **others):
    overrides = {PLACE: {"kind": "subagents", **utility}, "agents.W.method": "none", **others}
    return SUMModel("subagents", replicates, seed, **overrides)


def random_network(seed):
    """Return a random network as a table, and its graph."""
    random = np.random.default_rng(seed)
    names = [f"n{i}" for i in range(12)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if random.random() < 0.3]
    edges = [[a, b, float(random.uniform(0.1, 2.0))] for a, b in pairs]
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(edges)
    cosines = {name: float(random.uniform(0.5, 1.0)) for name in graph}
    sinks = [name for name in graph if graph.out_degree(name) == 0]
    powers = {name: float(random.uniform(0.2, 3.0)) for name in sinks}
    return {"edges": edges, "fidelity": cosines, "powers": powers}, graph


# --- learnt at the start ---------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 20])
def test_one_subagent_learns_with_its_cosine_exactly(d):
    seen = alignment({"graph": "series", "subagents": 1, "fidelity": 0.7}, 20, d)
    np.testing.assert_allclose(seen, 0.7, rtol=1e-13)


@pytest.mark.parametrize("d", [2, 4, 1000])
def test_cosines_multiply_in_series_at_any_dimensions(d):
    names = ["s1", "s2", "s3", "s4"]
    cosines = dict(zip(names, [0.9, 0.6, 0.8, 0.95], strict=True))
    seen = alignment(
        {"graph": "series", "subagents": 4, "fidelity": cosines}, 4000 if d < 9 else 400, d
    )
    exact = float(theory.series_alignment(list(cosines.values())))
    assert exact == pytest.approx(0.9 * 0.6 * 0.8 * 0.95)
    assert z(seen, exact) < 4
    assert z(seen, exact / 0.9) > 4


@pytest.mark.parametrize(("n", "cosine"), [(2, 0.5), (8, 0.3), (20, 0.9)])
def test_parallel_ones_average(n, cosine):
    seen = alignment({"graph": "parallel", "subagents": n, "fidelity": cosine}, 150, 2000)
    limit = float(theory.parallel_alignment(n, cosine))
    assert limit == pytest.approx(cosine * np.sqrt(n) / np.sqrt(1 + (n - 1) * cosine**2))
    assert z(seen, limit) < 4
    assert z(seen, theory.parallel_alignment(n + 1, cosine)) > 4
    assert theory.network_alignment(drawn_up(n, n), cosine) == pytest.approx(limit, rel=1e-12)


def test_layers():
    seen = alignment({**LAYERS, "fidelity": 0.6}, 150, 2000)
    limit = theory.network_alignment(drawn_up(10, 3), 0.6)
    assert z(seen, limit) < 4
    assert z(seen, theory.network_alignment(drawn_up(9, 3), 0.6)) > 4
    assert z(seen, 0.6**4) > 4


def test_layers_by_hand():
    """Three of cosine c hand down their mean, of alignment A; two more learn it: c A, averaged."""
    c = 0.6
    mean = theory.parallel_alignment(3, c)
    two = c * mean * np.sqrt(2) / np.sqrt(1 + c**2)
    assert theory.network_alignment(drawn_up(5, 3), c) == pytest.approx(float(two), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_any_network(seed):
    utility, graph = random_network(seed)
    cosines, powers = utility["fidelity"], utility["powers"]
    seen = alignment(utility, 300, 1500)
    assert z(seen, theory.network_alignment(graph, cosines, powers)) < 4
    deaf = {**cosines, next(iter(graph)): 0.3}
    assert z(seen, theory.network_alignment(graph, deaf, powers)) > 4


def test_weights_and_powers_count():
    """Negative controls: without the weights of edges, or of sinks, the limit is another."""
    utility = {"edges": EDGES, "fidelity": {"a": 0.4, "b": 0.9, "c": 0.9, "e": 0.3, "f": 0.95}}
    utility["powers"] = {"c": 3.0, "e": 1.0}
    seen = alignment(utility, 300, 1500)
    weighted, plain = nx.DiGraph(), nx.DiGraph()
    weighted.add_weighted_edges_from(EDGES)
    plain.add_edges_from(edge[:2] for edge in EDGES)
    given = utility["fidelity"], utility["powers"]
    assert z(seen, theory.network_alignment(weighted, *given)) < 4
    assert z(seen, theory.network_alignment(plain, *given)) > 4
    assert z(seen, theory.network_alignment(weighted, given[0])) > 4


@pytest.mark.parametrize("fidelity", [0.0, 1.0])
def test_the_ends_of_fidelity(fidelity):
    seen = alignment({**LAYERS, "fidelity": fidelity}, 200, 500)
    if fidelity == 1.0:
        np.testing.assert_allclose(seen, 1.0, rtol=1e-13)
    else:
        assert z(seen, 0.0) < 4


def test_generations():
    utility, graph = random_network(5)
    model = model_of(utility, 300, **{"world.dimensions": 1500})
    origin, network = model.ais["X"].spec.utility, model.ais["X"].spec.utility.network
    seen = origin.generations(model.ais["X"]._learnt, model.goal)
    each = theory.subagent_alignments(graph, utility["fidelity"])
    by_networkx = list(nx.topological_generations(graph))
    assert seen.shape == (300, len(by_networkx))
    for g, generation in enumerate(by_networkx):
        assert {
            n for n, own in zip(network.names, network.generation, strict=True) if own == g
        } == (set(generation))
        expected = np.mean([each[name] for name in generation])
        if g == 0:  # each has its cosine exactly
            np.testing.assert_allclose(seen[:, 0], expected, rtol=1e-12)
            continue
        assert z(seen[:, g], expected) < 4
        assert z(seen[:, g], expected * 1.05) > 4


# --- discovered during the run ---------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_discovery_by_one_subagent(rate):
    utility = {"graph": "series", "subagents": 1, "fidelity": 0.8, "discovery": rate}
    seen = alignment(utility, 200, 2000, steps=31)
    left = (1.0 - rate) ** np.arange(31)
    limit = 0.8 * (1.0 - left) / np.sqrt(left**2 + (1.0 - left) ** 2)
    np.testing.assert_allclose(theory.discovered_alignment(0.8, rate, np.arange(31)), limit)
    for time in (0, 1, 5, 30):
        if rate == 1.0 and time > 0:
            np.testing.assert_allclose(seen[:, time], 0.8, rtol=1e-12)
            continue
        assert z(seen[:, time], limit[time]) < 4, time
    if rate < 1.0:
        assert z(seen[:, 5], limit[6]) > 4
        assert z(seen[:, 5], 0.8 * (1.0 - left[5])) > 4


def test_discovery_is_exact_given_where_it_began():
    """At any d: ``v(T) = (1 − λ)^T v_0 + (1 − (1 − λ)^T) v*``, with the v_0 and v* that were."""
    utility = {"graph": "series", "subagents": 1, "fidelity": 0.8, "discovery": 0.25}
    model = model_of(utility, **{"world.dimensions": 4, "steps": 12})
    state = model.ais["X"]._learnt
    first, aim = state.goals[0], learnt(model.goal, state.errors[0], 0.8)
    while model.running:
        model.step()
    left = 0.75**12
    np.testing.assert_allclose(
        model.ais["X"].subject.aim, unit(left * first + (1 - left) * aim), atol=1e-13
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_discovery_in_a_network(seed):
    utility, graph = random_network(seed)
    seen = alignment({**utility, "discovery": 0.3}, 100, 1500, steps=16)
    given = graph, utility["fidelity"]
    limit = theory.discovery_alignment(*given, 0.3, 15, utility["powers"])
    for time in (0, 1, 4, 15):
        assert z(seen[:, time], limit[time]) < 4, time
    assert z(seen[:, 4], limit[5]) > 4
    ends = theory.discovery_alignment(*given, 0.3, 400, utility["powers"])[-1]
    assert ends == pytest.approx(theory.network_alignment(*given, utility["powers"]), rel=1e-9)


def test_discovery_by_each_subagent():
    utility, graph = random_network(3)
    overrides = {PLACE: {"kind": "subagents", **utility, "discovery": 0.3}}
    overrides |= {"world.dimensions": 1500, "agents.W.method": "none"}
    run = sumabm.simulate("subagents", 100, seed=3, steps=12, overrides=overrides)
    each = theory.discovery_alignments(graph, utility["fidelity"], 0.3, 11)
    for g, generation in enumerate(nx.topological_generations(graph)):
        seen = run["generation_alignment"].sel(agent="X", generation=g).values
        limit = np.mean([each[name] for name in generation], axis=0)
        for time in (0, 2, 6, 11):
            assert z(seen[:, time], limit[time]) < 4, (g, time)
        assert z(seen[:, 6], limit[7]) > 4, g


def test_goals_come_down_a_generation_a_step():
    model = model_of({"graph": "series", "subagents": 5, "fidelity": 1.0, "discovery": 1.0})
    origin = model.ais["X"].spec.utility
    for step in range(6):
        seen = origin.generations(model.ais["X"]._learnt, model.goal)
        np.testing.assert_allclose(seen[:, :step], 1.0, rtol=1e-12)
        assert (np.abs(seen[:, step:]) < 0.5).all()
        model.step()


def test_what_is_discovered_in_the_end_is_what_is_learnt_at_once():
    """The same errors are made either way, so that runs can be compared pairwise."""
    at_once = alignment({**LAYERS, "fidelity": 0.6}, 5, 50)[:, 0]
    found = alignment({**LAYERS, "fidelity": 0.6, "discovery": 0.9}, 5, 50, steps=60)[:, -1]
    np.testing.assert_allclose(found, at_once, rtol=1e-9)


# --- edits, worlds, replicates ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["budget", "bayesian"])
def test_edits_carry_all_goals_along(method):
    utility = {**LAYERS, "fidelity": 0.6}
    model = model_of(utility, **{"agents.W.method": method, "world.dimensions": 30})
    ai = model.ais["X"]
    origin, before = ai.spec.utility, ai._learnt.goals
    first = origin.generations(ai._learnt, model.goal)
    for _ in range(40):
        model.step()
    after = ai._learnt.goals
    np.testing.assert_allclose(origin._pool(after), ai.subject.aim, atol=1e-10)
    for one, other in ((0, 5), (2, 9)):
        angle = np.vecdot(before[one], before[other])
        np.testing.assert_allclose(np.vecdot(after[one], after[other]), angle, atol=1e-10)
    assert origin.generations(ai._learnt, model.goal).mean() > first.mean() + 0.05


def test_edits_fade_as_it_goes_on_learning():
    model = model_of({**LAYERS, "discovery": 0.2}, 50, **{"agents.W.method": "budget"})
    for _ in range(40):
        model.step()
    edited = model.row["alignment.X"].mean()
    ai = model.ais["X"]
    for _ in range(60):
        ai.learn(model.view(ai))
    faded = np.vecdot(ai.subject.aim, model.goal).mean()
    assert edited > faded + 0.05
    plain = alignment({**LAYERS}, 50, 100)[:, 0].mean()
    assert faded == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("discovery", [None, 0.5])
@pytest.mark.parametrize(
    "world",
    [
        {"kind": "grid", "steps": 3, "dimensions": 2},
        {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.0, 0.2, 0.3, 0.4]},
        {"kind": "gaussian", "dimensions": 3, "covariance": [1.0, 4.0, 0.25]},
        {"kind": "causal-random", "dimensions": 4},
    ],
)
def test_in_every_sort_of_world(world, discovery):
    """Also in two dimensions, where an error can only be to the left or to the right."""
    utility = {"kind": "subagents", **LAYERS, "fidelity": 0.5}
    if discovery is not None:
        utility["discovery"] = discovery
    overrides = {"world": world, PLACE: utility, "agents.W.method": "budget"}
    model = SUMModel("subagents", 50, 4, **overrides)
    for _ in range(4):
        model.step()
        aim = model.ais["X"].subject.aim
        np.testing.assert_allclose(np.vecdot(aim, aim), 1.0, rtol=1e-9)
        np.testing.assert_allclose(model.base.whiten(model.base.colour(aim)), aim, atol=1e-9)


def test_a_series_in_a_world_of_tables():
    """The sphere has less dimensions than coordinates; cosines multiply all the same."""
    world = {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.2, 0.3, 0.4]}
    utility = {"kind": "subagents", "graph": "series", "subagents": 3, "fidelity": 0.8}
    run = sumabm.simulate(
        "subagents", 4000, 5, 1, {"world": world, PLACE: utility, "agents.W.method": "none"}
    )
    seen = run["alignment"].sel(agent="X").values
    assert z(seen, 0.8**3) < 4
    assert z(seen, 0.8**2) > 4


def test_goals_that_cancel_leave_the_first():
    one = unit(np.random.default_rng(0).standard_normal((4, 3)))
    np.testing.assert_allclose(pooled([one, -one], [1.0, 1.0]), one)
    np.testing.assert_allclose(pooled([3.0 * one, -one], [0.5, 1.0]), -one)


def test_humans_who_come_and_go_move_what_is_learnt_later():
    """The sources are told v_Y as it is now; without discovery, as it was at the start."""
    others = {
        "agents.Z": {"role": "human", "power": {"kind": "table", "values": [0.0, 9.0]}},
        "agents.Z.power.beyond": "hold",
    }
    fixed, moving = (
        alignment(
            {"graph": "series", "subagents": 1, "fidelity": 1.0, **more}, 5, 50, 3, 8, **others
        )
        for more in ({}, {"discovery": 1.0})
    )
    np.testing.assert_allclose(fixed[:, 0], 1.0, rtol=1e-12)
    assert (fixed[:, 7] < 0.5).all()
    np.testing.assert_allclose(moving[:, 7], 1.0, rtol=1e-12)


@pytest.mark.parametrize("discovery", [{}, {"discovery": 0.3}])
def test_a_replicate_does_not_depend_on_its_company(discovery):
    utility = {**random_network(1)[0], **discovery}
    together = alignment(utility, 6, 7, steps=5)
    alone = alignment(utility, range(4, 5), 7, steps=5)
    np.testing.assert_array_equal(alone[0], together[4])


# --- graphs ----------------------------------------------------------------------------------


def test_graphs_by_name():
    assert list(drawn_up(3, 1).edges) == [("s1", "s2"), ("s2", "s3")]
    assert not drawn_up(3, 3).edges
    assert len(drawn_up(3, 3)) == 3
    assert set(drawn_up(3, 2).edges) == {("s1", "s3"), ("s2", "s3")}


def test_a_network_has_parents_first():
    network = Network.of(nx.DiGraph([("z", "a"), ("a", "m"), ("z", "m"), ("b", "m")]))
    assert network.names == ("z", "a", "b", "m")
    assert network.parents == ((), (0,), (), (0, 1, 2))
    assert network.sinks == (3,)
    assert network.generation == (0, 1, 0, 2)


@pytest.mark.parametrize("suffix", [".graphml", ".csv", ".edges"])
def test_a_graph_in_a_file(tmp_path, suffix):
    path = tmp_path / f"graph{suffix}"
    if suffix == ".graphml":
        graph = nx.DiGraph()
        graph.add_weighted_edges_from(EDGES)
        nx.write_graphml(graph, path)
    else:
        comma = ", " if suffix == ".csv" else " "
        path.write_text("\n".join(comma.join(map(str, edge)) for edge in EDGES))
    (of_file, of_edges) = (
        Subagents.model_validate(table) for table in ({"file": str(path)}, {"edges": EDGES})
    )
    for field in ("names", "parents", "weights", "sinks", "generation"):
        assert getattr(of_file.network, field) == getattr(of_edges.network, field)
    spec = load_scenario("subagents", {PLACE: {"kind": "subagents", "file": str(path)}})
    assert Scenario.model_validate(spec.model_dump()) == spec
    assert "sha256:" in spec.identity()


def test_graphml_needs_no_weights(tmp_path):
    path = tmp_path / "graph.graphml"
    nx.write_graphml(nx.DiGraph([("a", "b"), ("a", "c")]), path)
    assert Subagents.model_validate({"file": str(path)}).network.weights == ((), (1.0,), (1.0,))


@pytest.mark.parametrize(
    ("utility", "message"),
    [
        ({}, "needs one of graph, edges and file"),
        ({"graph": "series", "subagents": 2, "edges": EDGES}, "needs one of graph, edges"),
        ({"graph": "series"}, r"subagents: is missing"),
        ({"graph": "layered", "subagents": 4}, r"width: is missing"),
        ({"graph": "series", "subagents": 4, "width": 2}, r"width: is for a graph that is layered"),
        ({"edges": EDGES, "subagents": 4}, r"subagents: is for a graph that is named"),
        ({"graph": "series", "subagents": 0}, "greater than or equal to 1"),
        ({"graph": "series", "subagents": 1001}, "less than or equal to 1000"),
        ({"edges": []}, "at least 1 item"),
        ({"edges": [["a"]]}, "edges"),
        ({"edges": [["a", "b", 0.0]]}, "greater than 0"),
        ({"edges": [["a", "b"], ["a", "b", 2.0]]}, "a -> b is there twice"),
        ({"edges": [["a", "b"], ["b", "c"], ["c", "a"]]}, "no cycle, but has a -> b -> c -> a"),
        ({"edges": [["a", "a"]]}, "no cycle"),
        ({"edges": [[f"a{i}", f"a{i + 1}"] for i in range(1000)]}, "1 to 1000 subagents, got 1001"),
        ({"edges": EDGES, "fidelity": {"x": 0.5}}, r"fidelity\.x: there is no such subagent"),
        ({"edges": EDGES, "fidelity": {"a": 1.5}}, "less than or equal to 1"),
        ({"edges": EDGES, "fidelity": -0.5}, "greater than or equal to 0"),
        ({"edges": EDGES, "powers": {"a": 1.0}}, r"powers\.a: should be .* hands nothing on"),
        ({"edges": EDGES, "powers": {"c": 0.0}}, "greater than 0"),
        ({"edges": EDGES, "discovery": 0.0}, "greater than 0"),
    ],
)
def test_what_is_no_network_is_refused(utility, message):
    with pytest.raises(ScenarioError, match=message):
        load_scenario("subagents", {PLACE: {"kind": "subagents", **utility}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,1\nb,a,1\n", "no cycle, but has a -> b -> a"),
        ("a,b,-1\n", "a -> b should be positive, got -1"),
        ("a,b,0\n", "a -> b should be positive, got 0"),
        ("a,b,inf\n", "finite number"),
        ("", "1 to 1000 subagents, got 0"),
    ],
)
def test_a_file_that_holds_no_network_is_refused(tmp_path, content, message):
    path = tmp_path / "graph.csv"
    path.write_text(content)
    with pytest.raises(ScenarioError, match=message):
        load_scenario("subagents", {PLACE: {"kind": "subagents", "file": str(path)}})


def test_what_does_not_suit_it_is_refused():
    table = {"kind": "subagents", "edges": EDGES}
    line = {"kind": "grid", "steps": 3, "dimensions": 1}
    with pytest.raises(ScenarioError, match="needs 2 dimensions or more"):
        load_scenario("subagents", {"world": line, PLACE: table})
    with pytest.raises(ScenarioError, match="is for AIs"):
        load_scenario("subagents", {"agents.Y.utility": table})
    bad = {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.2]}
    with pytest.raises(ScenarioError, match="probabilities"):
        load_scenario("subagents", {"world": bad, PLACE: table})


def test_origins_compare_by_their_parameters():
    one, other = (Subagents.model_validate({"edges": EDGES}) for _ in range(2))
    _ = one.network
    assert one == other
    assert one != Subagents.model_validate({"edges": EDGES, "fidelity": 0.5})


@pytest.mark.parametrize(
    "call",
    [
        lambda: theory.series_alignment([0.5, 1.5]),
        lambda: theory.parallel_alignment(0, 0.5),
        lambda: theory.discovered_alignment(0.5, 0.0, 1),
        lambda: theory.subagent_alignments(nx.DiGraph([("a", "b"), ("b", "a")]), 0.5),
        lambda: theory.subagent_alignments(nx.Graph([("a", "b")]), 0.5),
        lambda: theory.network_alignment(nx.DiGraph([("a", "b")]), {"a": -0.5}),
        lambda: theory.network_alignment(nx.DiGraph([("a", "b")]), 0.5, {"b": 0.0}),
        lambda: theory.discovery_alignment(nx.DiGraph([("a", "b")]), 0.5, 2.0, 3),
    ],
)
def test_theory_refuses_what_is_out_of_range(call):
    with pytest.raises(ValueError, match=r"must|should"):
        call()
