"""Arms races [richardson-1960] against powers of matrices and their closed end."""

import networkx as nx
import numpy as np
import pytest

import sumabm
from sumabm import ScenarioError, theory

EDGES = [("X1", "X2", 2.0), ("X2", "X1", 0.5), ("Y", "X1", 1.0), ("X3", "Y", 0.25), ("X2", "X3")]
NAMES = ("X1", "X2", "X3", "Y")
START = np.array([0.5, 1.0, 0.25, 2.0])
WEIGHTS = np.zeros((4, 4))
for _a, _b, *_w in EDGES:
    WEIGHTS[NAMES.index(_b), NAMES.index(_a)] = _w[0] if _w else 1.0


def race(society, steps, edges=EDGES, **fields):
    table = {"kind": "arms-race", "graph": {"kind": "edges", "edges": edges}, **fields}
    powers = {f"agents.{name}.power": power for name, power in zip(NAMES, START, strict=True)}
    return society(3, {"race": table}, steps=steps, method="budget").replace(powers)


def powers(run, names=NAMES):
    values = run["power"].sel(agent=list(names)).values  # (R, T, n)
    assert (values == values[:1]).all()
    return values[0]


@pytest.mark.parametrize(
    ("k", "f", "g"), [(0.1, 0.3, 0.2), (0.4, 0.0, 0.0), (0.2, 1.0, 0.5), (0.0, 0.5, 0.1)]
)
def test_the_race_is_a_power_of_a_matrix(society, k, f, g):
    run = sumabm.simulate(race(society, 12, reaction=k, fatigue=f, grievance=g), 2, 1)
    found = powers(run)
    step = np.block([[(1 - f) * np.eye(4) + k * WEIGHTS, np.full((4, 1), g)], [np.eye(5)[4:]]])
    for t in range(12):
        expected = (np.linalg.matrix_power(step, t) @ [*START, 1.0])[:4]
        np.testing.assert_allclose(found[t], expected, rtol=1e-12)
    np.testing.assert_allclose(found, theory.arms_race(START, WEIGHTS, k, f, g, 11), rtol=1e-12)
    if k:
        wrong = theory.arms_race(START, WEIGHTS.T, k, f, g, 11)
        assert not np.allclose(found, wrong, rtol=1e-3)
    acted = run["spent"].sel(agent="X1").values[0]
    np.testing.assert_allclose(acted, found[:, 0], rtol=1e-12)  # with what it has, it acts


def test_it_ends_where_fatigue_outweighs_reaction(society):
    k, f, g = 0.2, 0.4, 0.1
    assert k * np.abs(np.linalg.eigvals(WEIGHTS)).max() < f
    found = powers(sumabm.simulate(race(society, 200, reaction=k, fatigue=f, grievance=g), 1, 1))
    end = theory.arms_race_end(WEIGHTS, k, f, g)
    np.testing.assert_allclose(found[-1], end, rtol=1e-10)
    assert not np.allclose(end, theory.arms_race_end(WEIGHTS.T, k, f, g), rtol=1e-2)


def test_else_it_goes_on_at_the_rate_of_the_largest_root(society):
    k, f = 0.6, 0.1
    root = np.abs(np.linalg.eigvals(WEIGHTS)).max()
    found = powers(sumabm.simulate(race(society, 300, reaction=k, fatigue=f, grievance=0.1), 1, 1))
    np.testing.assert_allclose(found[-1, 0] / found[-3, 0], (1 + k * root - f) ** 2, rtol=1e-6)
    assert abs((1 + k * root - f) ** 2 - (1 + k * root) ** 2) > 0.1
    with pytest.raises(ValueError, match="no end"):
        theory.arms_race_end(WEIGHTS, k, f, 0.1)


def test_a_treaty_holds(society):
    fields = {"reaction": 0.6, "grievance": 0.1}
    found = powers(sumabm.simulate(race(society, 40, **fields, limit=3.0), 1, 1))
    free = powers(sumabm.simulate(race(society, 40, **fields), 1, 1))
    assert found.max() == 3.0 < free.max()
    below = (free <= 3.0).all(axis=1)
    np.testing.assert_array_equal(found[below], free[below])
    assert below.sum() >= 2


def test_who_has_no_rival_has_its_own_power(society):
    """X3, which grows by itself."""
    grows = {"kind": "exponential", "initial": 1.0, "rate": 0.1}
    spec = race(society, 5, [("X1", "Y"), ("Y", "X1")], reaction=0.5).replace(
        {"agents.X3.power": grows}
    )
    found = powers(sumabm.simulate(spec, 1, 1))
    np.testing.assert_allclose(found[:, 2], np.exp(0.1 * np.arange(5)))
    pair = theory.arms_race([START[0], START[3]], [[0, 1], [1, 0]], 0.5, 0.0, 0.0, 4)
    np.testing.assert_allclose(found[:, [0, 3]], pair)


def test_humans_who_race_weigh_in_the_budget(society):
    """ι = min(Σ O_AI, Σ O_human) with the powers of the step."""
    run = sumabm.simulate(race(society, 8, reaction=0.3, fatigue=0.5, grievance=0.2), 1, 1)
    found = powers(run)
    iota = np.minimum(found[:, :3].sum(axis=1), found[:, 3])
    np.testing.assert_allclose(run["spent"].sel(agent="W").values[0], iota, rtol=1e-12)
    assert not np.allclose(iota, min(START[:3].sum(), START[3]), rtol=0.05)


def test_on_a_generated_graph(society):
    table = {"kind": "arms-race", "graph": "ring", "reaction": 0.1, "fatigue": 0.3}
    run = sumabm.simulate(society(4, {"race": table}, steps=9, **{"agents.X2.power": 3.0}), 1, 1)
    w = nx.to_numpy_array(nx.cycle_graph(5))
    expected = theory.arms_race([0.5, 3.0, 0.5, 0.5, 0.5], w, 0.1, 0.3, 0.0, 8)
    np.testing.assert_allclose(powers(run, ("X1", "X2", "X3", "X4", "Y")), expected, rtol=1e-12)


def test_there_is_one_race(society):
    table = {"kind": "arms-race", "graph": "ring", "reaction": 0.1}
    with pytest.raises(ValueError, match="one relation of this kind"):
        society(2, {"a": table, "b": table})
    with pytest.raises(ScenarioError, match="graph: no W can have edges here"):
        race(society, 5, reaction=0.1).replace(
            {"relations.race.graph": {"kind": "edges", "edges": [["X1", "W"]]}}
        )


# --- the closed forms ---------------------------------------------------------------------------


def test_the_end_is_where_nothing_changes():
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = int(rng.integers(1, 7))
        w, g = rng.uniform(size=(n, n)), rng.uniform(size=n)
        np.fill_diagonal(w, 0.0)
        f = float(rng.uniform(0.2, 1.0))
        k = 0.9 * f / max(np.abs(np.linalg.eigvals(w)).max(), 1e-3)
        end = theory.arms_race_end(w, k, f, g)
        np.testing.assert_allclose(theory.arms_race(end, w, k, f, g, 3), [end] * 4, rtol=1e-9)
        far = theory.arms_race(rng.uniform(0, 9, n), w, k, f, g, 1000)
        np.testing.assert_allclose(far[-1], end, rtol=1e-4)
    self_heeding = w + 5.0 * np.eye(n)
    np.testing.assert_allclose(theory.arms_race_end(self_heeding, k, f, g), end)


def test_races_that_cannot_be():
    square = [[0.0, 1.0], [1.0, 0.0]]
    for bad, words in [
        (([1.0, 1.0], [[0.0, 1.0]], 1, 0, 0, 1), "weights must be finite"),
        (([1.0, 1.0], [[0.0, -1.0], [1.0, 0.0]], 1, 0, 0, 1), "weights must be 0 or more"),
        (([1.0], square, 1, 0, 0, 1), "powers must be finite"),
        (([1.0, -1.0], square, 1, 0, 0, 1), "powers must be 0 or more"),
        (([1.0, 1.0], square, -1, 0, 0, 1), "reaction must be 0 or more"),
        (([1.0, 1.0], square, np.inf, 0, 0, 1), "reaction must be finite"),
        (([1.0, 1.0], square, 1, 1.5, 0, 1), "fatigue"),
        (([1.0, 1.0], square, 1, 0, [1.0, 1.0, 1.0], 1), "grievance must be finite"),
        (([1.0, 1.0], square, 1, 0, np.inf, 1), "grievance must be finite"),
    ]:
        with pytest.raises(ValueError, match=words):
            theory.arms_race(*bad)
    with pytest.raises(ValueError, match="no end"):
        theory.arms_race_end(square, 0.3, 0.3, 0.0)
    assert theory.arms_race_end(square, 0.3 - 1e-9, 0.3, 0.0).tolist() == [0.0, 0.0]
