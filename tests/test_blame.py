"""Whose doing the harm is: shares that add up, and are Aumann–Shapley's integral."""

import numpy as np
import pytest

import sumabm
from sumabm import Scenario, SUMModel

HARMS = [
    "regret",
    "orthogonal",
    "utility-loss",
    {"kind": "fragile", "exponent": 2.0},
    {"kind": "narrow", "width": 0.4},
]
COVARIANCE = [[2.0, 0.5, 0.0, 0.0], [0.5, 1.0, 0.3, 0.0], [0, 0.3, 1.5, 0.0], [0, 0, 0, 0.2]]
POWERS = {"A": 0.7, "B": 0.2, "C": 1.5}


def scene(harm="regret", humans=None, ais=POWERS, d=4, **changes):
    """Return a scenario of AIs A, B, C and a human Y."""
    humans = humans or {"Y": {"power": 0.1, "response": "undo"}}
    return Scenario.model_validate({
        "scenario": "blame",
        "steps": 3,
        "harm": harm,
        "world": {"kind": "gaussian", "dimensions": d, "covariance": "identity"},
        "agents": {
            **{
                name: {"role": "ai", **(own if isinstance(own, dict) else {"power": own})}
                for name, own in ais.items()
            },
            **{name: {"role": "human", **own} for name, own in humans.items()},
        },
    }).replace(changes)  # fmt: skip


def stepped(scenario, replicates=20, seed=3):
    model = SUMModel(scenario, replicates, seed)
    model.step()
    return model


def shares(model):
    return {name: model.row[f"harm_by.{name}"] for name in model.ais}


def adds_up(model, rtol=1e-7):
    """Assert that the shares sum to the harm, to what central differences leave."""
    harm, total = model.row["harm"], sum(shares(model).values())
    scale = np.maximum(model.row["displacement"], harm)
    np.testing.assert_array_less(abs(total - harm), rtol * scale + 1e-15)
    assert harm.max() > 1e-3


# --- they add up --------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
@pytest.mark.parametrize("response", ["undo", "none", "undo-harm"])
def test_shares_sum_to_the_harm(harm, activation, response):
    changes = {"activation": activation, "agents.Y.response": response}
    model = stepped(scene(harm, **changes))
    adds_up(model)
    own = shares(model)
    assert max(abs(own["A"] - own["B"]).max(), abs(own["B"] - own["C"]).max()) > 1e-3
    with pytest.raises(AssertionError):  # a share left out
        np.testing.assert_allclose(own["A"] + own["C"], model.row["harm"], rtol=1e-3)


@pytest.mark.parametrize("harm", HARMS)
def test_with_two_humans_and_a_correlated_world(harm):
    humans = {
        "Y": {"power": 0.1, "response": "undo"},
        "Z": {"power": 0.4, "response": "undo"},
    }
    adds_up(stepped(scene(harm, humans, **{"world.covariance": COVARIANCE})))


@pytest.mark.parametrize("kind", ["coalition", "bargaining"])
@pytest.mark.parametrize("activation", ["sequential", "random", "simultaneous"])
def test_with_those_who_act_as_one(kind, activation):
    table = {"club": {"kind": kind, "graph": "complete"}}
    adds_up(stepped(scene(relations=table, activation=activation)))


def test_who_tilts_a_copy_has_no_share():
    boxed = {"kind": "sandboxed", "fraction": 0.5, "inner": "honest"}
    model = stepped(scene(ais={**POWERS, "B": {"power": 2.0, "behaviour": boxed}}))
    adds_up(model)
    np.testing.assert_array_equal(shares(model)["B"], 0.0)


def test_where_all_is_undone_there_is_nothing_to_share():
    model = stepped(scene(humans={"Y": {"power": 100.0, "response": "undo"}}))
    np.testing.assert_array_equal(model.row["harm"], 0.0)
    for share in shares(model).values():
        np.testing.assert_array_equal(share, 0.0)


# --- they are Aumann's and Shapley's --------------------------------------------------------------


def amplitude(kind, shift, y):
    """Return the harm amplitude of a whitened displacement, from the formulas."""
    size, along = np.linalg.norm(shift), shift @ y
    regret = (size - along) / np.sqrt(2)
    match kind:
        case "regret":
            return regret
        case "orthogonal":
            return np.sqrt(max(size**2 - along**2, 0.0) / 2)
        case "utility-loss":
            return max(-along, 0.0) / np.sqrt(2)
        case {"kind": "fragile"}:
            whole = size / np.sqrt(2)
            return (regret / whole) ** 2 * whole if whole else 0.0
        case _:
            across2 = size**2 - along**2
            return (np.sqrt(along**2 + across2 / 0.16) - along) / np.sqrt(2)


def integral(kind, parts, y, exact=True):
    """Return ``∫ ∂F/∂t_i (t, …, t) dt`` of the harm ``F(t) = A(Σ t_i δ_i)²``, numerically.

    By Gauss–Legendre, each partial derivative by Richardson's extrapolation of differences.
    """
    nodes, weights = np.polynomial.legendre.leggauss(8)
    found = np.zeros(len(parts))
    for node, weight in zip(0.5 * (nodes + 1), 0.5 * weights, strict=True):
        for i in range(len(parts)):

            def rise(h, i=i, node=node):
                t = np.full(len(parts), node)
                up, down = t.copy(), t.copy()
                up[i], down[i] = node + h, node - h
                ends = [amplitude(kind, s @ parts, y) ** 2 for s in (up, down)]
                return (ends[0] - ends[1]) / (2 * h)

            found[i] += weight * (4 * rise(1e-4) - rise(2e-4)) / 3
    return found


@pytest.mark.parametrize("kind", HARMS, ids=str)
def test_shares_are_the_integral(kind):
    model = stepped(scene(kind), 6)
    own = np.stack(list(shares(model).values()), axis=1)
    y = model.humans["Y"].aim
    left = np.sqrt(model.row["displacement"] / model.row["joint_spent"])
    assert (left < 1.0).all()
    parts = np.stack(
        [np.sqrt(2 * POWERS[name]) * ai.subject.aim for name, ai in model.ais.items()], axis=1
    )
    for row in range(6):
        expected = integral(kind, left[row] * parts[row], y[row])
        np.testing.assert_allclose(own[row], expected, rtol=1e-5, atol=1e-6)
    undone = [integral(kind, parts[row], y[row]) for row in range(6)]  # were nothing undone
    assert not np.allclose(own, undone, rtol=1e-2)
    powers = np.array(list(POWERS.values()))
    even = model.row["harm"][:, None] * powers / powers.sum()
    assert not np.allclose(own, even, rtol=1e-1)


def test_who_is_aligned_among_others_undoes_harm():
    y = {"kind": "fixed", "direction": [1.0, 0.0, 0.0, 0.0]}
    against = {"kind": "fixed", "direction": [-1.0, 0.0, 1.0, 0.0]}
    human = {"Y": {"power": 0.1, "response": "none", "utility": y}}
    good = {"power": 0.3, "utility": y}
    ais = {"A": good, "B": {"power": 1.0, "utility": against}}
    own = shares(stepped(scene(humans=human, ais=ais)))
    assert (own["A"] < -0.05).all()
    assert (own["B"] > 0.1).all()
    swapped = shares(stepped(scene(humans=human, ais={"B": ais["B"], "A": good})))
    for name in own:
        np.testing.assert_allclose(own[name], swapped[name], rtol=1e-9)


def test_copies_share_equally():
    utility = {"kind": "kin", "family": "ais", "likeness": 1.0}
    ais = {name: {"power": 0.5, "utility": utility} for name in "ABCD"}
    model = stepped(scene(ais=ais))
    for share in shares(model).values():
        np.testing.assert_allclose(share, model.row["harm"] / 4, rtol=1e-8)
    loud = stepped(scene(ais={**ais, "A": {"power": 2.0, "utility": utility}}))
    own = shares(loud)
    np.testing.assert_allclose(own["A"], 2 * own["B"], rtol=1e-8)  # by amplitude, not by nats


def test_it_is_recorded_where_there_are_several():
    run = sumabm.simulate(scene(), 4, 1)
    shared = run["harm_by"].sel(agent=["A", "B", "C"]).sum("agent")
    np.testing.assert_allclose(shared, run["harm"], rtol=1e-6)
    assert "harm_by" not in sumabm.simulate("essay", 2, 1, 3)
