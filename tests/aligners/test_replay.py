"""Looks: new samples of an act tell more and harm no more; the same samples again tell nothing."""

import numpy as np
import pytest

import sumabm
from sumabm import theory


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def run(looks, replicates=1500, steps=21, **method):
    table = {"kind": "bayesian", "looks": looks, "edit_power": 1e6, **method}
    return sumabm.simulate(
        "replay", replicates, 3, steps=steps, overrides={"agents.W.method": table}
    )


def of_x(data, name):
    return data[name].sel(agent="X").values


@pytest.mark.parametrize("looks", [1, 4, 10])
def test_looks_are_worth_x_and_harm_counts_once(looks):
    data, powers = run(looks), np.full(21, 2.0)
    x = 2.0 * looks * np.arange(21) * 2.0 / 100
    residual = theory.residual(powers, 1.0)
    exact = theory.bayesian_expected_harm(100, x, residual)
    for time in (1, 5, 20):
        assert (
            z(of_x(data, "alignment")[:, time], float(theory.expected_alignment(100, x[time]))) < 4
        )
        assert z(data["harm"].values[:, time], exact[time]) < 4
    once = (
        theory.bayesian_expected_harm(100, x / looks, residual)[20] if looks > 1 else 2 * exact[20]
    )
    assert z(data["harm"].values[:, 20], once) > 4
    assert (data["spent"].sel(agent="X").values == 2.0).all()


def test_the_limit_of_many_dimensions():
    overrides = {"world.dimensions": 4000, "agents.X.power": 20.0}
    overrides["agents.W.method.edit_power"] = 1e9
    data = sumabm.simulate("replay", 40, 3, steps=11, overrides=overrides)
    x = 2.0 * 10 * 10 * 20.0 / 4000
    assert abs(of_x(data, "alignment")[:, 10].mean() - float(theory.bayesian_alignment(x))) < 0.005


@pytest.mark.parametrize("replays", [1, 9])
def test_counting_old_samples_again_tells_nothing_and_deceives(replays):
    honest, naive = run(1), run(1, replays=replays)
    np.testing.assert_allclose(of_x(naive, "alignment"), of_x(honest, "alignment"), atol=1e-9)
    np.testing.assert_allclose(naive["harm"], honest["harm"], atol=1e-9)
    for time in (5, 20):
        truth, believed = (of_x(naive, name)[:, time] for name in ("alignment", "believed"))
        expected = float(theory.replayed_alignment(2.0 * 2.0 * time / 100, replays))
        assert believed.mean() == pytest.approx(expected, abs=0.01)  # d → ∞
        assert z(truth - believed, 0.0) > 4
        assert z(of_x(honest, "alignment")[:, time] - of_x(honest, "believed")[:, time], 0.0) < 4


def test_replays_make_edits_dear():
    """Who is surer than it should be pays more nats for the same turn, and lags where they bind."""
    slow, fast = (
        sumabm.simulate("bayesian", 100, 1, steps=30, overrides={"agents.W.method.replays": r})
        for r in (20, 0)
    )
    assert of_x(slow, "alignment")[:, -1].mean() < of_x(fast, "alignment")[:, -1].mean() - 0.02


@pytest.mark.parametrize(
    "overrides",
    [
        {"world.dynamics": "persist"},
        {"agents.X.behaviour": {"kind": "sandboxed", "fraction": 0.5}},
        {"agents.W.method.watches": "outcome"},
    ],
)
def test_every_belief_can_be_naive(overrides):
    base = {**overrides, "agents.W.method.edit_power": 0.0}
    plain, naive = (
        sumabm.simulate(
            "bayesian", 20, 1, steps=9, overrides={**base, "agents.W.method.replays": r}
        )
        for r in (0, 4)
    )
    known = of_x(plain, "information")[:, -1].mean()
    assert of_x(naive, "information")[:, -1].mean() > 2.0 * known
