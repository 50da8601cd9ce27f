"""The powers and dimensions at which harm gets intolerable: round trips and edges."""

import numpy as np
import pytest

from sumabm import theory


def test_threshold_power_of_several_humans():
    assert float(theory.threshold_power([1.0, 1.0, 1.0])) == pytest.approx(9.0)
    rng = np.random.default_rng(3)
    humans = rng.exponential(size=(5, 2, 4))
    limits = theory.threshold_power(humans)
    assert limits.shape == (5, 2)
    for powers, limit in zip(humans.reshape(-1, 4), limits.ravel(), strict=True):
        left = np.sqrt(limit)
        for power in powers:  # undoing in turn
            assert left**2 > power * (1.0 - 1e-9)
            left -= np.sqrt(power)
        assert abs(left) < 1e-9
    assert float(theory.threshold_power(2.5)) == pytest.approx(2.5)
    assert theory.threshold_power([0.0, 0.0]) == 0.0


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("measure", ["regret", "orthogonal"])
@pytest.mark.parametrize("p", [0.5, 0.75, 1.0])
def test_power_ratio_takes_harm_back(exact, measure, p):
    ratios, humans = np.array([1.0, 1.0001, 2.0, 50.0, 1e6]), np.array([[0.1], [1.0], [7.0]])
    more = {"exact": exact, "fragility": 1.5}
    harm = theory.training_harm(40, ratios * humans, humans, 0.8, measure, p, **more)
    found = theory.power_ratio(harm, 40, 0.8, humans, measure, p, **more)
    np.testing.assert_allclose(found, np.broadcast_to(ratios, (3, 5)), rtol=1e-11)
    twice = theory.power_ratio(2.0 * harm[:, 1:], 40, 0.8, humans, measure, p, **more)
    assert np.all(twice > ratios[1:])


def test_power_ratio_at_its_edges():
    assert theory.power_ratio(0.0, 10, 0.9) == 1.0
    assert theory.power_ratio(1.0, 10, 0.0) == np.inf
    assert theory.power_ratio(0.0, 10, 0.0) == 1.0
    assert theory.power_ratio(1.0, 10, 0.9, measure="utility-loss", exact=False) == np.inf
    with pytest.raises(ValueError, match=r"power_human must be above 0; got 0.0"):
        theory.power_ratio(1.0, 10, 0.9, 0.0)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("measure", ["regret", "orthogonal"])
@pytest.mark.parametrize("p", [0.5, 1.0])
def test_intolerable_dimensions_takes_harm_back(exact, measure, p):
    d, thresholds = np.array([2.0, 2.001, 10.7, 1e3, 1e8]), np.array([[0.2], [0.9], [0.9999]])
    more = {"measure": measure, "p": p, "exact": exact, "fragility": 0.9}
    harm = theory.training_harm(d, 3.0, 0.7, thresholds, **more)
    found = theory.intolerable_dimensions(harm, 3.0, 0.7, thresholds, **more)
    np.testing.assert_allclose(found, np.broadcast_to(d, (3, 5)), rtol=1e-10)
    assert float(theory.intolerable_dimensions(harm[1, 2], 3.0, 0.7, 0.9, **more)) == pytest.approx(
        10.7, rel=1e-10
    )


def test_regret_of_fragile_ais_dips_with_the_first_dimensions():
    harm = theory.training_harm(np.array([2.0, 2.5, 5.0, 9.0]), 3.0, 1.0, 0.9, fragility=1.5)
    assert harm[1] < harm[0] < harm[2]
    found = theory.intolerable_dimensions(harm[1:], 3.0, 1.0, 0.9, fragility=1.5)
    np.testing.assert_allclose(found, [2.0, 5.0, 9.0], rtol=1e-10)


@pytest.mark.parametrize("exact", [True, False])
def test_intolerable_dimensions_at_their_edges(exact):
    def found(*arguments):
        return float(theory.intolerable_dimensions(*arguments, exact=exact))

    assert found(1e-9, 3.0, 1.0, 0.9) == 2.0  # there already
    assert found(1.0, 1.0, 1.0, 0.9) == np.inf
    assert found(1.0, 0.5, 1.0, 0.9) == np.inf
    assert found(1.0, 3.0, 1.0, 0.0) == np.inf
    assert found(1.0, 3.0, 0.0, 0.9) == 2.0  # training never ends
    assert found(1.0, 3.0, 0.0, 0.0) == np.inf
    if exact:
        assert found(1e30, 3.0, 1.0, 0.9) == np.inf
    with pytest.raises(ValueError, match="got 'utility-loss'"):
        theory.intolerable_dimensions(1.0, 3.0, 1.0, 0.9, "utility-loss", exact=exact)
    with pytest.raises(ValueError, match=r"harm must be above 0; got 0.0"):
        theory.intolerable_dimensions(0.0, 3.0, 1.0, 0.9, exact=exact)
