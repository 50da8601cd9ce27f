"""Other choices than the essay's: the exhibit agrees with its theory, and not with another law."""

import numpy as np
import pytest
import xarray as xr

import sumabm
from sumabm import sphere, theory
from sumabm.reproduce import counting
from sumabm.reproduce.exhibits import choices
from sumabm.reproduce.findings import AGREE

RATIOS = [0.5, 1.0, 1.92, 2.0833333333333335, 1024.0, 1936.0]
QUANTILES = (np.arange(64) + 0.5) / 64
SHAPES = {
    "regret": lambda c: 1.0 - c,
    "orthogonal": lambda c: np.sqrt(1.0 - c * c),
    "utility-loss": lambda c: np.maximum(-c, 0.0),
}
RULES = [("undo", harm) for harm in SHAPES]
RULES += [(response, "regret") for response in ("none", "own-utility", "undo-harm")]


def course(d, ratio, cap):
    """Return O_Y, the budget before each step, and cosines at fixed quantiles."""
    whole = float(sphere.nats(d, 0.9)) / 256
    human, edit = (whole, whole * min(ratio, 1.0)) if cap else (whole / ratio, whole)
    budgets = edit * np.arange(256)
    kappa = sphere.concentration(d, nats=budgets)
    return human, budgets, sphere.cosine_quantile(d, kappa[:, None], QUANTILES)


def amplitudes(response, harm, cosines, ratio):
    if response in counting.AMPLITUDES:
        return counting.AMPLITUDES[response](cosines, np.sqrt(ratio))
    left = np.sqrt(ratio) if response == "none" else float(theory.residual(ratio, 1.0))
    return SHAPES[harm](cosines) * left


def battery(rules, cap):
    points, harms, budgets = [], [], []
    for ratio in RATIOS:
        for d in (100, 1000):
            human, spent, cosines = course(d, ratio, cap)
            for response, harm in rules:
                points.append((ratio, d, response, harm))
                harms.append(np.sqrt(human) * amplitudes(response, harm, cosines, ratio))
                budgets.append(np.repeat(spent[:, None], QUANTILES.size, axis=1))
    names = ("ratio", "d", "agents.Y.response", "scenario.harm")
    columns = zip(names, zip(*points, strict=True), strict=True)
    coordinates = {name: ("point", list(column)) for name, column in columns}
    dims = ("point", "step", "replicate")
    kept = {"harm_amplitude": (dims, np.array(harms)), "budget": (dims, np.array(budgets))}
    data = xr.Dataset(kept, coordinates)
    return data.assign(budget=data["budget"].expand_dims(agent=["W"]))


@pytest.fixture(scope="module")
def data():
    capped = battery(RULES, cap=True)
    return {"essay-choices": capped, "essay-uncapped": battery(RULES[:1], cap=False)}


@pytest.fixture(scope="module")
def found(data):
    return choices.make(data)


def test_data_of_the_theory_agrees(found):
    assert len(found.points) == 4 * len(counting.CHOICES)
    assert max(point.z for point in found.points) <= AGREE
    assert [(claim.order, claim.verdict) for claim in found.claims] == [
        (160, "holds only if"),
        (170, "holds only if"),
        (180, "holds only if"),
    ]


def test_which_predictions_survive(found):
    dead = {
        (name, column)
        for column in choices.PREDICTIONS
        for name, cell in zip(found.table["choice"], found.table[column], strict=True)
        if cell.startswith("no")
    }
    growth, below, near, far = choices.PREDICTIONS
    responses = [choice.name for choice in counting.RESPONSES]
    assert dead == {
        ("integrated over √D", growth),
        ("integrated over D²", growth),
        ("loss of utility", growth),
        ("no cap on what is learnt", far),
        *((name, column) for name in responses for column in (below, near)),
    }


def test_harm_in_training_is_the_integral_as_theory_has_it(data):
    for choice in counting.CHOICES:
        if choice.response != "undo" or choice.measure == "utility-loss":
            continue
        told = counting.trained(data, choice, 1000, 1024.0).told
        whole = theory.training_harm(
            1000,
            1024.0,
            1.0,
            0.9,
            choice.measure,
            choice.p,
            fragility=choice.fragility,
            variable=choice.variable,
            cap=choice.cap,
        )
        assert abs(told / float(whole) - 1.0) < 0.12  # a left sum of 256 steps


@pytest.mark.parametrize("response", ["own-utility", "undo-harm"])
@pytest.mark.parametrize("ratio", [0.5, 4.0])
def test_what_a_response_leaves_is_what_the_simulator_leaves(response, ratio):
    powers = {"agents.X.power": ratio, "agents.Y.power": 1.0, "agents.Y.response": response}
    run = sumabm.simulate("essay", 50, overrides={"world.dimensions": 10, "steps": 4, **powers})
    cosines = run["alignment"].sel(agent="X").values
    left = counting.AMPLITUDES[response](cosines, np.sqrt(ratio))
    np.testing.assert_allclose(run["harm_amplitude"].values, left, rtol=1e-9, atol=1e-12)


def test_data_of_another_law_fails(data):
    capped = data["essay-choices"]
    ratio = capped["ratio"]
    other = capped["harm_amplitude"] + 0.1 * np.sqrt(ratio)  # harm below the threshold too
    made = choices.make({**data, "essay-choices": capped.assign(harm_amplitude=other)})
    assert {claim.verdict for claim in made.claims} == {"fails"}
    assert max(point.z for point in made.points) > AGREE


def test_its_panels_share_labelled_rows(found):
    first, *others = found.figure.axes
    names = [label.get_text() for label in first.get_yticklabels()]
    assert names == [choice.name for choice in counting.CHOICES]
    assert all(axes.get_xlabel() for axes in (first, *others))
