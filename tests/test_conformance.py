"""Every component that ships passes the suite that ships for its room."""

from pathlib import Path

from sumabm.aligners.bayesian import Bayesian
from sumabm.aligners.budget import Budget
from sumabm.aligners.none import NoAlignment
from sumabm.behaviours.conservative import Conservative
from sumabm.behaviours.honest import Honest
from sumabm.behaviours.quantilizing import BestOfN, Quantilizing
from sumabm.catalogue import ROOMS
from sumabm.component import members
from sumabm.dynamics import Persist, Relax, Reset
from sumabm.harms import Orthogonal, Regret, UtilityLoss
from sumabm.measures import (
    KL,
    ChiSquared,
    Hellinger,
    Renyi,
    ReverseKL,
    TotalVariation,
    Wasserstein,
)
from sumabm.origins.fixed import Fixed
from sumabm.origins.table import TableUtility
from sumabm.power import Constant, Exponential
from sumabm.responses import NoResponse, OwnUtility, Undo, UndoHarm
from sumabm.testing import (
    AlignerSuite,
    BehaviourSuite,
    DynamicsSuite,
    HarmSuite,
    MeasureSuite,
    OriginSuite,
    PowerSuite,
    ResponseSuite,
    WorldSuite,
)
from sumabm.worlds.gaussian import Gaussian
from sumabm.worlds.states import Cloud, Grid, States, Table

TABLE = Path(__file__).parent / "reference" / "states.csv"
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
    (BehaviourSuite, [Honest(), Conservative(share=0.5)]),
    (MeasureSuite, [KL(), ReverseKL(), Renyi(alpha=2.0), Renyi(alpha=0.5), ChiSquared()]),
    (MeasureSuite, [Hellinger(), TotalVariation(), Wasserstein()]),
    (ResponseSuite, [Undo(), UndoHarm(), OwnUtility(), NoResponse()]),
    (AlignerSuite, [Budget(), Budget(cap=False), Bayesian(looks=3), Bayesian(watches="outcome")]),
    (AlignerSuite, [Bayesian(edit_power=Constant(value=0.25)), NoAlignment()]),
    (HarmSuite, [Regret(), Orthogonal(), UtilityLoss()]),
    (DynamicsSuite, [Reset(), Persist(), Relax(rate=0.3)]),
    (WorldSuite, [Gaussian(dimensions=5), Gaussian(dimensions=5, covariance=[1.0, 2, 3, 4, 0.5])]),
    (WorldSuite, [Gaussian(dimensions=5, covariance=FULL)]),
]

GRID = {"world": {"kind": "grid", "steps": 3, "dimensions": 5, "reach": 1.7}}
FREE = {
    "world": {
        "kind": "states",
        "utilities": "free",
        "probabilities": [0.1, 0.2, 0.3, 0.2, 0.1, 0.1],
    },
}
ALONE = {"agents.W.method": "none"}
DISCRETE = [
    (BehaviourSuite, [Quantilizing(), BestOfN()], {**GRID, **ALONE}),
    (MeasureSuite, [KL(), ReverseKL(), Renyi(alpha=2.0), Renyi(alpha=0.5), ChiSquared()], GRID),
    (MeasureSuite, [Hellinger(), TotalVariation(), Wasserstein()], GRID),
    (AlignerSuite, [Budget(), Bayesian(looks=3), NoAlignment()], GRID),
    (AlignerSuite, [Budget(), Bayesian(looks=3)], FREE),
    (ResponseSuite, [Undo(), UndoHarm(), OwnUtility(), NoResponse()], GRID),
    (HarmSuite, [Regret(), Orthogonal(), UtilityLoss()], FREE),
    (DynamicsSuite, [Reset(), Persist(), Relax(rate=0.3)], GRID),
    (OriginSuite, [Fixed(), Fixed(direction=[1.0, 0.0, -1e-200, 0.0, 3.0])], GRID),
    (OriginSuite, [Fixed(), TableUtility(values=[3.0, 1.0, 4.0, 1.0, 5.0, 9.0])], FREE),
    (WorldSuite, [Cloud(points=600, dimensions=5), Grid(steps=3, dimensions=5)], {}),
    (WorldSuite, [States(probabilities=[0.1] * 10, utilities="free")], {}),
    (WorldSuite, [Table(file=str(TABLE), features=["a", "b", "c", "d", "e"])], {}),
]
CASES = [(*case, {}) for case in CASES] + DISCRETE

for suite, components, overrides in CASES:
    for number, component in enumerate(components):
        name = f"Test{type(component).__name__}{suite.__name__}{number}{len(globals())}"
        globals()[name] = type(
            name, (suite,), {"component": component, "overrides": {**suite.overrides, **overrides}}
        )
del suite


def test_no_shipped_component_is_left_out():
    tested = {type(component) for _, components, _ in CASES for component in components}
    shipped = {
        kind
        for name, room in ROOMS.items()
        if name not in ("parameter", "design")  # of batteries: tests/battery has them
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

    class Suite(BehaviourSuite):
        component = Liar()

    with pytest.raises(AssertionError):
        Suite().test_runs()
    with pytest.raises(AssertionError):
        Suite().test_draws_only_if_it_says_so()
    del Liar, Suite
