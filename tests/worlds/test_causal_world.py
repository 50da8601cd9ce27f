"""Causal worlds: their law by sampling the equations, the price of every act by brute force."""

import networkx as nx
import numpy as np
import pytest
from scipy import optimize

from sumabm import CausalWorld, GaussianWorld
from sumabm.streams import Streams
from sumabm.worlds.graphs import CausalRandom

ROWS, POWER = 4, 3.0
DAGS = range(12)


def dag(seed, extra=()):
    """Return a random graph of 3 to 7 nodes, given in no order, with an eye to paths within A."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 8))
    graph = nx.DiGraph()
    graph.add_nodes_from([f"s{i}" for i in rng.permutation(size)])
    for name in graph:
        graph.nodes[name]["noise"] = float(rng.uniform(0.2, 2.0))
    for i in range(size):
        for j in range(i):
            if rng.random() < 0.6:
                graph.add_edge(f"s{j}", f"s{i}", weight=float(rng.normal()))
    return graph


def case(seed):
    """Return a world of several rows, utilities and actuators."""
    world = CausalWorld.of(dag(seed)).repeated(ROWS)
    rng = np.random.default_rng(100 + seed)
    chosen = rng.choice(world.names, size=int(rng.integers(1, world.width)), replace=False)
    return world, rng.standard_normal((ROWS, world.width)), world.nodes(list(chosen))


def model_of(graph, names):
    """Return B and Ω, in the order of names."""
    weights = nx.to_numpy_array(graph, nodelist=names).T
    return weights, np.array([graph.nodes[name]["noise"] for name in names])


def moments(world, row=0):
    """Return mean and covariance of the joint law."""
    root = np.broadcast_to(world.root, (len(world.law.mean), *world.root.shape[1:]))[row]
    return world.law.mean[row], root @ root.T


def kl(after, before, row=0):
    """Return the KL divergence of two joint Gaussians by the general formula."""
    (m, C), (n, D) = moments(after, row), moments(before, row)
    inverse = np.linalg.inv(D)
    logs = np.linalg.slogdet(D)[1] - np.linalg.slogdet(C)[1]
    return 0.5 * (np.trace(inverse @ C) - len(m) + (m - n) @ inverse @ (m - n) + logs)


def acts(world, utility, actuators, power=POWER):
    return {
        "evidential": world.tilt(utility, power),
        "soft": world.tilt(world.by_noise(utility, actuators), power),
        "by-news": world.tilt(world.by_news(utility, actuators), power),
        "hard": world.sever(utility, power, actuators),
    }


# --- the law ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", DAGS)
def test_the_law_is_that_of_the_equations(seed):
    graph = dag(seed)
    world = CausalWorld.of(graph)
    weights, noise = model_of(graph, world.names)
    total = np.linalg.inv(np.eye(world.width) - weights)
    np.testing.assert_allclose(moments(world)[1], total @ np.diag(noise) @ total.T, atol=1e-12)
    assert not np.triu(weights).any(), "names should be in causal order"


def test_the_law_by_sampling_each_equation():
    graph = dag(3)
    world = CausalWorld.of(graph)
    rng, n = np.random.default_rng(0), 200_000
    values = {}
    for name in nx.topological_sort(graph):
        values[name] = rng.normal(0.0, np.sqrt(graph.nodes[name]["noise"]), n)
        for cause in graph.predecessors(name):
            values[name] = values[name] + graph.edges[cause, name]["weight"] * values[cause]
    sample = np.stack([values[name] for name in world.names], axis=-1)
    products = sample[:, :, None] * sample[:, None, :]
    error = products.std(axis=0) / np.sqrt(n)
    assert np.all(np.abs(products.mean(axis=0) - moments(world)[1]) < 4.0 * error)


def test_coefficients_are_in_the_order_that_nodes_were_given_in():
    graph = nx.DiGraph()
    graph.add_nodes_from(["late", "early"])
    graph.add_edge("early", "late", weight=2.0)
    world = CausalWorld.of(graph)
    assert world.names == ("early", "late")
    np.testing.assert_array_equal(world.linear(np.array([5.0, 7.0])), [7.0, 5.0])
    assert world.nodes(["late", "early"]).tolist() == [0, 1]


def test_an_order_given_that_is_causal_stays():
    names = ["b", "a", "d", "c"]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edge("b", "c", weight=1.0)
    assert list(CausalWorld.of(graph).names) == names


@pytest.mark.parametrize("seed", DAGS)
def test_the_evidential_act_is_the_gaussian_worlds_tilt_to_the_bit(seed):
    world, utility, _ = case(seed)
    gaussian = GaussianWorld(world.law.mean, world.frame)
    mine, theirs = world.tilt(utility, POWER), gaussian.tilt(utility, POWER)
    np.testing.assert_array_equal(mine.world.law.mean, theirs.world.mean)
    np.testing.assert_array_equal(mine.gain, theirs.gain)


# --- what acts cost ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", DAGS)
def test_what_is_spent_is_the_divergence_of_the_joint_law(seed):
    world, utility, actuators = case(seed)
    for kind, act in acts(world, utility, actuators).items():
        for row in range(ROWS):
            cost = kl(act.world, world, row)
            np.testing.assert_allclose(act.spent[row], cost, rtol=1e-9, atol=1e-12, err_msg=kind)
        np.testing.assert_allclose(act.world.nats_from(world), act.spent, rtol=1e-9, atol=1e-12)
        assert np.all(act.spent <= POWER)


@pytest.mark.parametrize("seed", DAGS)
def test_what_is_spent_in_a_world_already_cut_and_shifted(seed):
    world, utility, actuators = case(seed)
    found = world.sever(utility, 50.0, actuators[-1:]).world.tilt(utility[::-1].copy(), 0.4).world
    for kind, act in acts(found, utility, actuators).items():
        for row in range(ROWS):
            cost = kl(act.world, found, row)
            np.testing.assert_allclose(act.spent[row], cost, rtol=1e-9, atol=1e-12, err_msg=kind)


def test_cost_by_monte_carlo():
    world, utility, actuators = case(5)
    graph = dag(5)
    weights, noise = model_of(graph, world.names)
    act = world.sever(utility, 20.0, actuators)
    assert act.spent[0] > 0.0
    normals = np.random.default_rng(0).standard_normal((ROWS, 100_000, world.width))
    states, m = act.world.law.sample(normals)[0], act.world.law.mean[0]
    parts = states @ weights.T
    ratio = np.zeros(len(states))
    for j in actuators:  # the only factors of the joint density that differ
        before, after = (states[:, j] - parts[:, j]) ** 2, (states[:, j] - m[j]) ** 2
        ratio += (before - after) / (2.0 * noise[j])
    error = ratio.std() / np.sqrt(len(ratio))
    assert abs(ratio.mean() - act.spent[0]) < 4.0 * error
    assert abs(ratio.mean() - act.spent[0] * 1.05) > 4.0 * error  # negative control


def priced(world, weights, noise, actuators, means):
    """Return cost and E[s] of a hard intervention, by theory's formula with moments under Q."""
    cut = weights.copy()
    cut[actuators] = 0.0
    total = np.linalg.inv(np.eye(len(noise)) - cut)
    shifts = np.zeros(len(noise))
    shifts[actuators] = means
    expected = total @ shifts
    covariance = total @ np.diag(noise) @ total.T
    parts, spread = weights @ expected, np.diag(weights @ covariance @ weights.T)
    each = ((means - parts[actuators]) ** 2 + spread[actuators]) / noise[actuators]
    return 0.5 * each.sum(), expected


@pytest.mark.parametrize("seed", DAGS)
def test_a_hard_intervention_is_the_best_that_a_general_optimiser_finds(seed):
    world, utility, actuators = case(seed)
    weights, noise = model_of(dag(seed), world.names)
    least = float(world.severing(actuators)[0][0])
    power, v = least + 1.5, utility[0]
    act = world.sever(utility, power, actuators)
    found = optimize.minimize(
        lambda means: -v @ priced(world, weights, noise, actuators, means)[1],
        np.zeros(len(actuators)),
        constraints={
            "type": "ineq",
            "fun": lambda means: power - priced(world, weights, noise, actuators, means)[0],
        },
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    np.testing.assert_allclose(act.gain[0], -found.fun, rtol=1e-6)
    cost, expected = priced(world, weights, noise, actuators, act.world.law.mean[0][actuators])
    np.testing.assert_allclose(cost, act.spent[0], rtol=1e-9)
    np.testing.assert_allclose(expected, act.world.law.mean[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(priced(world, weights, noise, actuators, 0.0)[0], least, rtol=1e-9)


@pytest.mark.parametrize("seed", DAGS)
def test_what_is_cut_no_longer_depends_on_its_causes(seed):
    world, utility, actuators = case(seed)
    act = world.sever(utility, 1e3, actuators)
    weights, noise = model_of(dag(seed), world.names)
    for row in range(ROWS):
        root = act.world.root[row]
        left = np.eye(world.width) - np.diag(np.diag(root)) @ np.linalg.inv(root)
        np.testing.assert_allclose(left[actuators], 0.0, atol=1e-12)
        others = np.setdiff1d(np.arange(world.width), actuators)
        np.testing.assert_allclose(left[others], weights[others], atol=1e-10)
        np.testing.assert_allclose(np.diag(root) ** 2, noise, rtol=1e-10)


def test_power_that_does_not_reach_the_cut_does_nothing():
    world, utility, actuators = case(1)
    least = float(world.severing(actuators)[0][0])
    assert least > 0.1
    act = world.sever(utility, np.array([0.0, 0.5 * least, least, 2.0 * least]), actuators)
    np.testing.assert_array_equal(act.spent[:3], 0.0)
    np.testing.assert_array_equal(act.gain[:3], 0.0)
    np.testing.assert_array_equal(act.world.nats_from(world)[:3], 0.0)
    np.testing.assert_allclose(act.spent[3], 2.0 * least)


def test_actuators_without_effect_do_nothing():
    graph = nx.DiGraph([("fire", "smoke", {"weight": 1.0}), ("fire", "harm", {"weight": -2.0})])
    world = CausalWorld.of(graph).repeated(2)
    utility = world.colour(world.whiten(world.linear(np.array([[0.0, 0.0, 1.0]]))))  # rounded
    smoke = world.nodes(["smoke"])
    assert np.all(world.tilt(world.by_noise(utility, smoke), 1.0).spent == 0.0)
    assert np.all(world.sever(utility, 9.0, smoke).spent == 0.0)
    news = world.tilt(world.by_news(utility, smoke), 1.0).world
    assert np.all(world.news_spread(utility, smoke) > 1.0)
    np.testing.assert_allclose(news.expect(utility), 0.0, atol=1e-12)


@pytest.mark.parametrize("seed", DAGS)
def test_by_news_moves_its_actuators_the_way_that_looks_best(seed):
    world, utility, actuators = case(seed)
    act = world.tilt(world.by_news(utility, actuators), POWER)
    covariance = moments(world)[1]
    for row in range(ROWS):
        wished = covariance[actuators] @ utility[row]
        moved = act.world.law.mean[row][actuators]
        np.testing.assert_allclose(moved / np.linalg.norm(moved), wished / np.linalg.norm(wished))


@pytest.mark.parametrize("seed", DAGS)
def test_nothing_that_no_actuator_causes_is_moved(seed):
    world, utility, actuators = case(seed)
    graph = dag(seed)
    names = {world.names[j] for j in actuators}
    below = names.union(*(nx.descendants(graph, name) for name in names))
    outside = [i for i, name in enumerate(world.names) if name not in below]
    done = acts(world, utility, actuators)
    for kind in ("soft", "by-news", "hard"):
        np.testing.assert_allclose(done[kind].world.law.mean[:, outside], 0.0, atol=1e-12)
    if outside:  # negative control: the joint tilt does move them
        assert np.abs(done["evidential"].world.law.mean[:, outside]).max() > 1e-3


def test_no_soft_intervention_at_random_is_better():
    world, utility, actuators = case(7)
    best = acts(world, utility, actuators)["soft"].gain
    rng = np.random.default_rng(0)
    for _ in range(300):
        pushes = np.zeros((ROWS, world.width))
        pushes[:, actuators] = rng.standard_normal((ROWS, len(actuators)))
        other = world.tilt(world.colour(pushes), POWER).world
        assert np.all(other.expect(utility) <= best * (1.0 + 1e-12))


# --- the way back, looks, replicates ----------------------------------------------------------


@pytest.mark.parametrize("seed", DAGS)
def test_a_cut_can_be_undone(seed):
    world, utility, actuators = case(seed)
    cut = world.sever(utility, 50.0, actuators).world
    home = cut.toward(world, 1e3)
    np.testing.assert_allclose(home.world.nats_from(world), 0.0, atol=1e-12)
    np.testing.assert_allclose(home.world.root, np.broadcast_to(world.root, cut.root.shape))
    some = cut.toward(world, 0.1)
    np.testing.assert_allclose([kl(some.world, cut, r) for r in range(ROWS)], 0.1, rtol=1e-6)
    assert np.all(some.world.nats_from(world) < cut.nats_from(world))
    half = cut.relax(world, 0.5)
    assert np.all(half.nats_from(world) < cut.nats_from(world))


def test_a_world_half_way_home_has_mechanisms_still():
    world, utility, actuators = case(2)
    half = world.sever(utility, 50.0, actuators).world.toward(world, 0.5).world
    act = half.sever(utility, 50.0, actuators)
    np.testing.assert_allclose(act.spent, 50.0)
    np.testing.assert_allclose(kl(act.world, half), 50.0, rtol=1e-9)


def test_looks_have_the_law_of_samples():
    world, utility, actuators = case(4)
    rows, n = 20_000, 3
    many = world.repeated(rows)
    left = many.sever(np.repeat(utility[:1], rows, axis=0), 30.0, actuators).world
    seen = left.look(many, Streams(1, range(rows)).draw("W", "look"), n)
    shift = left.shift(many)[0]
    error = seen.std(axis=0) / np.sqrt(rows)
    assert np.all(np.abs(seen.mean(axis=0) - shift) < 4.0 * error)
    base = np.asarray(world.frame.inverse_root)
    expected = base @ moments(left)[1] @ base.T / n
    centred = seen - shift
    products = centred[:, :, None] * centred[:, None, :]
    spread = products.std(axis=0) / np.sqrt(rows)
    assert np.all(np.abs(products.mean(axis=0) - expected) < 4.0 * spread)


@pytest.mark.parametrize("seed", DAGS)
def test_rows_do_not_depend_on_their_company(seed):
    world, utility, actuators = case(seed)
    power = np.array([0.01, 0.5, 3.0, 40.0])
    for kind, act in acts(world, utility, actuators, power).items():
        for row in range(ROWS):
            one = CausalWorld.of(dag(seed)).repeated(1)
            alone = acts(one, utility[row : row + 1], actuators, power[row : row + 1])[kind]
            np.testing.assert_array_equal(act.world.law.mean[row], alone.world.law.mean[0])
            np.testing.assert_array_equal(act.spent[row], alone.spent[0])
    spread = world.news_spread(utility, actuators)
    assert spread[2] == CausalWorld.of(dag(seed)).news_spread(utility[2:3], actuators)[0]


def test_pick_takes_each_row_from_its_world():
    world, utility, actuators = case(0)
    cut, shifted = world.sever(utility, 50.0, actuators).world, world.tilt(utility, 1.0).world
    picked = world.pick([shifted, cut], np.array([0.0, 1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(picked.law.mean[1], cut.law.mean[1])
    np.testing.assert_array_equal(picked.root[1], cut.root[1])
    np.testing.assert_array_equal(picked.law.mean[2], shifted.law.mean[2])
    np.testing.assert_array_equal(picked.root[2], world.root[0])


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edges", "noise", "message"),
    [
        ([("a", "b", 1.0), ("b", "a", 1.0)], 1.0, "no cycle, but has a -> b -> a"),
        ([("a", "a", 1.0)], 1.0, "no cycle"),
        ([("a", "b", np.nan)], 1.0, "weight a -> b should be a finite number, got nan"),
        ([("a", "b", "2")], 1.0, "weight a -> b should be a finite number, got '2'"),
        ([("a", "b", None)], 1.0, "weight a -> b"),
        ([("a", "b", 1.0)], 0.0, "noise should be positive: a"),
        ([("a", "b", 1.0)], np.inf, "noise a should be a finite number"),
        ([("a", "b", 1e200), ("b", "c", 1e200)], 1.0, "beyond the float range"),
    ],
)
def test_bad_graphs_are_refused(edges, noise, message):
    graph = nx.DiGraph()
    for cause, effect, weight in edges:
        graph.add_edge(cause, effect, weight=weight)
    graph.nodes["a"]["noise"] = noise
    with pytest.raises(ValueError, match=message):
        CausalWorld.of(graph)


def test_graphs_without_direction_are_refused():
    for graph in (nx.Graph([("a", "b")]), nx.MultiDiGraph([("a", "b"), ("a", "b")])):
        with pytest.raises(ValueError, match="should be directed"):
            CausalWorld.of(graph)


def test_nodes_that_are_not_there_are_refused():
    with pytest.raises(KeyError):
        CausalRandom(dimensions=3).given.nodes(["n4"])
