"""Every component that ships passes the suite that ships for its room."""

from sumabm.aligners.bayesian import Bayesian
from sumabm.aligners.budget import Budget
from sumabm.aligners.none import NoAlignment
from sumabm.behaviours.honest import Honest
from sumabm.catalogue import ROOMS
from sumabm.component import members
from sumabm.dynamics import Persist, Relax, Reset
from sumabm.harms import Orthogonal, Regret, UtilityLoss
from sumabm.origins.fixed import Fixed
from sumabm.power import Constant, Exponential
from sumabm.responses import NoResponse, OwnUtility, Undo, UndoHarm
from sumabm.testing import (
    AlignerSuite,
    BehaviourSuite,
    ComponentSuite,
    DynamicsSuite,
    HarmSuite,
    OriginSuite,
    PowerSuite,
    ResponseSuite,
    WorldSuite,
)
from sumabm.worlds.gaussian import Gaussian

FULL = [
    [2.0, 0.5, 0, 0, 0],
    [0.5, 1, 0, 0, 0],
    [0, 0, 1, 0.2, 0],
    [0, 0, 0.2, 3, 0],
    [0, 0, 0, 0, 1],
]
CASES = [
    (PowerSuite, [Constant(value=2.0), Constant(value=0.0), Exponential(initial=0.5, rate=0.1)]),
    (OriginSuite, [Fixed(), Fixed(direction=[1.0, 0.0, -1e-200, 0.0, 3.0])]),
    (BehaviourSuite, [Honest()]),
    (ResponseSuite, [Undo(), UndoHarm(), OwnUtility(), NoResponse()]),
    (AlignerSuite, [Budget(), Budget(cap=False), Bayesian(looks=3), Bayesian(watches="outcome")]),
    (AlignerSuite, [Bayesian(edit_power=Constant(value=0.25)), NoAlignment()]),
    (HarmSuite, [Regret(), Orthogonal(), UtilityLoss()]),
    (DynamicsSuite, [Reset(), Persist(), Relax(rate=0.3)]),
    (WorldSuite, [Gaussian(dimensions=5), Gaussian(dimensions=5, covariance=[1.0, 2, 3, 4, 0.5])]),
    (WorldSuite, [Gaussian(dimensions=5, covariance=FULL)]),
]

for suite, components in CASES:
    for number, component in enumerate(components):
        name = f"Test{type(component).__name__}{suite.__name__}{number}{len(globals())}"
        globals()[name] = type(name, (suite,), {"component": component})
del suite


def test_no_shipped_component_is_left_out():
    tested = {type(component) for _, components in CASES for component in components}
    shipped = {
        kind
        for room in ROOMS.values()
        for kind in members(room).values()
        if kind.__module__.startswith("sumabm.")
    }
    assert shipped == tested


def test_the_suite_catches_a_liar():
    """Negative control: a behaviour that overspends and draws in secret fails the suite."""
    from typing import ClassVar

    import pytest

    from sumabm.behaviours import Act, Behaviour

    class Liar(Behaviour[None]):
        """Acts with twice its power, on a whim."""

        kind: ClassVar[str] = "liar-of-the-conformance-tests"

        def act(self, me, view, state, draw):
            return Act(view.utility[me] + draw.normal(5), 2.0 * view.power[me]), None

    class Suite(ComponentSuite):
        place = "agents.X.behaviour"
        component = Liar()

    with pytest.raises(AssertionError):
        Suite().test_runs()
    with pytest.raises(AssertionError):
        Suite().test_draws_only_if_it_says_so()
    del Liar, Suite
