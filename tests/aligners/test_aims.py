"""What is known of an aim, from next to nothing to all of it, against the sphere in three."""

from types import SimpleNamespace

import numpy as np
import pytest

from sumabm.aligners.aims import known
from sumabm.aligners.suspicious import HONEST, MIMIC, TURNED, Suspicious


@pytest.mark.parametrize("kappa", [0.0, 1e-9, 0.01, 0.7, 1.0, 20.0])
def test_the_expected_alignment_is_langevins_function_along_the_goal(kappa):
    """In three dimensions ``A(κ) = coth κ − 1/κ``, times the cosine of mean and goal."""
    goal = np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    mean = np.array([[1.0, 0.0, 0.0]] * 3)
    view = SimpleNamespace(base=SimpleNamespace(dimensions=3), goal=goal)
    langevin = 1.0 / np.tanh(kappa) - 1.0 / kappa if kappa > 1e-3 else kappa / 3.0
    found = known(kappa * mean, view)
    np.testing.assert_allclose(found.alignment, langevin * goal[:, 0], rtol=1e-8)
    nats = kappa * langevin - np.log(np.sinh(kappa) / kappa) if kappa > 1e-3 else kappa**2 / 6.0
    np.testing.assert_allclose(found.information, nats, rtol=1e-4)


def test_suspicion_is_the_probability_of_a_mimic_at_first():
    view = SimpleNamespace(goal=np.zeros((4, 3)))
    before = Suspicious(suspicion=0.3).start(("X", "Z"), view)
    for ai in ("X", "Z"):
        np.testing.assert_allclose(before[ai].probabilities[HONEST], np.full(4, 0.7), rtol=1e-15)
        np.testing.assert_allclose(before[ai].probabilities[MIMIC], np.full(4, 0.3), rtol=1e-15)
        assert (before[ai].probabilities[TURNED] == 0.0).all()
        assert (before[ai].etas == 0.0).all()


def test_a_mimic_that_never_turns_is_believed_as_before():
    before = Suspicious(suspicion=0.3).start(("X",), SimpleNamespace(goal=np.zeros((4, 3))))["X"]
    later = before.waited(3, 0.0)
    np.testing.assert_array_equal(later.probabilities, before.probabilities)
    turned = before.waited(3, 0.25).probabilities[TURNED]
    np.testing.assert_allclose(turned, np.full(4, 0.3 / 4.0), rtol=1e-14)
