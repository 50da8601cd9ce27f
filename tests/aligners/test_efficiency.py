"""The budget aligner that can use only a share of what acts reveal."""

import numpy as np
import pytest

from sumabm import ScenarioError, load_scenario, simulate, theory
from sumabm.predict import predict

PATH = "agents.W.method.efficiency"


def test_alignment_is_that_of_the_share_of_the_nats_that_is_used():
    spec = load_scenario("essay", {PATH: 0.25, "world.dimensions": 30, "steps": 41})
    run = simulate(spec, 400)
    c = run["alignment"].sel(agent="X").values
    steps = [10, 20, 40]
    error = c[:, steps].std(axis=0, ddof=1) / np.sqrt(len(c))
    nats = np.array(steps, dtype=float)  # a nat a step: the humans' power
    z = (c[:, steps].mean(axis=0) - theory.alignment(30, 0.25 * nats)) / error
    assert (np.abs(z) < 4.0).all(), z
    wrong = (c[:, steps].mean(axis=0) - theory.alignment(30, nats)) / error
    assert (np.abs(wrong) > 4.0).all()
    np.testing.assert_allclose(run["budget"].sel(agent="W")[0, steps], 0.25 * nats)
    np.testing.assert_allclose(
        predict(run, spec)["alignment.X"][steps], theory.alignment(30, 0.25 * nats)
    )


def test_full_efficiency_is_the_essays_and_changes_no_number():
    runs = [simulate("essay", 3, steps=5, overrides=given) for given in ({}, {PATH: 1.0})]
    np.testing.assert_array_equal(runs[0]["alignment"], runs[1]["alignment"])


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_an_act_reveals_no_more_than_its_nats(share):
    with pytest.raises(ScenarioError, match=r"agents\.W\.method\.efficiency: input should be"):
        load_scenario("essay", {PATH: share})
