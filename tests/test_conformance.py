"""Every component that ships passes the suite that ships for its room."""

from pathlib import Path

import pytest

from sumabm.aligners.bayesian import Bayesian
from sumabm.aligners.budget import Budget
from sumabm.aligners.none import NoAlignment
from sumabm.aligners.preference import Preference
from sumabm.aligners.probe import Probe
from sumabm.aligners.suspicious import Suspicious
from sumabm.behaviours.causal import ByNews, Hard, Soft
from sumabm.behaviours.conservative import Conservative
from sumabm.behaviours.cooperative import Cooperative
from sumabm.behaviours.honest import Honest
from sumabm.behaviours.leak_limited import LeakLimited
from sumabm.behaviours.off_switch import OffSwitch
from sumabm.behaviours.quantilizing import BestOfN, Quantilizing
from sumabm.behaviours.resisting import Resisting
from sumabm.behaviours.sandbagging import Sandbagging
from sumabm.behaviours.sandboxed import Sandboxed
from sumabm.behaviours.treacherous import Treacherous
from sumabm.catalogue import ROOMS
from sumabm.component import members
from sumabm.dynamics import Persist, Relax, Reset
from sumabm.graphs import (
    BarabasiAlbert,
    Chain,
    Complete,
    Edges,
    ErdosRenyi,
    File,
    Nobody,
    Ring,
    Star,
    Tree,
    WattsStrogatz,
)
from sumabm.harms import Fragile, Narrow, Orthogonal, Regret, UtilityLoss
from sumabm.laws import Exponential as ExponentialLaw
from sumabm.laws import GaussianLaw, Laplace, Pareto, StudentT
from sumabm.measures import (
    KL,
    ChiSquared,
    Hellinger,
    Renyi,
    ReverseKL,
    TotalVariation,
    Wasserstein,
)
from sumabm.origins.explorer import Explorer
from sumabm.origins.fixed import Fixed
from sumabm.origins.imitator import Imitator
from sumabm.origins.kin import Kin
from sumabm.origins.preference import PreferenceLearner
from sumabm.origins.reward_learner import RewardLearner
from sumabm.origins.subagents import Subagents
from sumabm.origins.table import TableUtility
from sumabm.oversight.arms_race import ArmsRace
from sumabm.oversight.coalitions import Bargaining, Coalitions
from sumabm.oversight.consensus import Collusion, Consensus
from sumabm.oversight.lending import Lending
from sumabm.oversight.manipulation import Manipulation
from sumabm.oversight.overseers import Overseers
from sumabm.power import Constant, Exponential
from sumabm.power.logistic import Logistic
from sumabm.power.recursive import Recursive
from sumabm.power.table import TablePower
from sumabm.responses import NoResponse, OwnUtility, Undo, UndoHarm
from sumabm.testing import (
    AlignerSuite,
    BehaviourSuite,
    DynamicsSuite,
    GraphSuite,
    HarmSuite,
    LawSuite,
    MeasureSuite,
    OriginSuite,
    PowerSuite,
    RelationSuite,
    ResponseSuite,
    WorldSuite,
)
from sumabm.worlds.bounded import Bounded
from sumabm.worlds.gaussian import Gaussian
from sumabm.worlds.goodhart import Goodhart
from sumabm.worlds.graphs import Causal, CausalFile, CausalRandom
from sumabm.worlds.left_turn import LeftTurn
from sumabm.worlds.states import Cloud, Grid, States, Table

pytestmark = pytest.mark.no_cover  # what a component should do, its own tests say
TABLE = Path(__file__).parent / "reference" / "states.csv"
FRIENDS = Path(__file__).parent / "reference" / "friends.edges"
GRAPH = Path(__file__).parent / "reference" / "graph.graphml"
FULL = [
    [2.0, 0.5, 0, 0, 0],
    [0.5, 1, 0, 0, 0],
    [0, 0, 1, 0.2, 0],
    [0, 0, 0.2, 3, 0],
    [0, 0, 0, 0, 1],
]
LEARNERS = [
    Imitator(samples=3),
    RewardLearner(looks=2),
    Subagents(edges=[("a", "b", 0.5), ("a", "c")], powers={"b": 2.0}, fidelity={"a": 0.5}),
    Subagents(graph="layered", subagents=5, width=2, discovery=0.3),
    Explorer(),
    Explorer(noise=0.1, looks=3),
    PreferenceLearner(pairs=2),
]
SWITCHES = [OffSwitch(), OffSwitch(human_noise=0.5, expects=0.4)]
JOINT = [
    Coalitions(graph=Star()),
    Coalitions(graph=Complete(), cost=0.5, among=["X", "X3"]),
    Bargaining(graph=Edges(edges=[("X", "X2")])),
]
RELATIONS = [
    *JOINT,
    Overseers(graph=Ring(), budget="equal", split="equal"),
    Overseers(graph=Edges(edges=[("W", "X", 2.0), ("W", "X2")]), split="weight"),
    Consensus(graph=Chain(), rate=0.5),
    Collusion(graph=Tree(), rate=0.2),
    ArmsRace(graph=Edges(edges=[("X", "X2"), ("X2", "Y", 0.5)]), reaction=0.1, fatigue=0.05),
]
LYING = Manipulation(graph=Edges(edges=[("X", "W2"), ("X2", "W2")]), power=Constant(value=0.5))
READERS = {
    "agents.W.method": "none",
    "agents.W2": {"role": "aligner", "method": "bayesian", "oversees": ["X2", "X3"]},
}
LENDING = Lending(graph=Edges(edges=[("X", "W2")]), share=0.5, looks=2)
GRAPHS = [
    *(Complete(), Star(), Ring(), Chain(), Tree(children=3), Nobody()),
    ErdosRenyi(probability=0.5, seed=3),
    WattsStrogatz(neighbours=2, rewired=0.5),
    BarabasiAlbert(edges=1),
    Edges(edges=[("X", "X2"), ("X3", "X2", 0.5)]),
    File(file=str(FRIENDS)),
]
LAYERS = {"kind": "subagents", "graph": "layered", "subagents": 5, "width": 3}
RATED = [Preference(), Preference(pairs=3, rationality=1e6)]
PROBES = [Probe(noise=1.0), Probe(noise=5.0, edit_power=Constant(value=0.25))]
CASES = [
    (PowerSuite, [Constant(value=2.0), Constant(value=0.0), Exponential(initial=0.5, rate=0.1)]),
    (PowerSuite, [Logistic(initial=0.1, capacity=3.0, rate=1.0), Recursive(initial=1.0, rate=0.1)]),
    (PowerSuite, [Recursive(initial=1.0, rate=0.1, exponent=2.0)]),
    (PowerSuite, [TablePower(values=[1.0, 0.0, 3.0], beyond="hold")]),
    (OriginSuite, [Fixed(), Fixed(direction=[1.0, 0.0, -1e-200, 0.0, 3.0])]),
    (OriginSuite, LEARNERS),
    (OriginSuite, [Kin(family="ais", likeness=0.4), Kin(family="ais", likeness=1.0)]),
    (BehaviourSuite, [Honest(), Conservative(share=0.5)]),
    (BehaviourSuite, SWITCHES),
    (RelationSuite, RELATIONS),
    (GraphSuite, GRAPHS),
    (MeasureSuite, [KL(), ReverseKL(), Renyi(alpha=2.0), Renyi(alpha=0.5), ChiSquared()]),
    (MeasureSuite, [Hellinger(), TotalVariation(), Wasserstein()]),
    (ResponseSuite, [Undo(), UndoHarm(), OwnUtility(), NoResponse()]),
    (AlignerSuite, [Budget(), Budget(cap=False), Bayesian(looks=3), Bayesian(watches="outcome")]),
    (AlignerSuite, [Bayesian(edit_power=Constant(value=0.25)), NoAlignment(), *PROBES, *RATED]),
    (HarmSuite, [Regret(), Orthogonal(), UtilityLoss(), Fragile(exponent=2.0), Narrow(width=0.5)]),
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
LEARNT = {"kind": "reward-learner", "looks": 50}
DISCRETE = [
    (BehaviourSuite, [Quantilizing(), BestOfN()], {**GRID, **ALONE}),
    (MeasureSuite, [KL(), ReverseKL(), Renyi(alpha=2.0), Renyi(alpha=0.5), ChiSquared()], GRID),
    (MeasureSuite, [Hellinger(), TotalVariation(), Wasserstein()], GRID),
    (AlignerSuite, [Budget(), Bayesian(looks=3), NoAlignment(), *PROBES, *RATED], GRID),
    (AlignerSuite, [Budget(), Bayesian(looks=3), *PROBES, *RATED], FREE),
    (ResponseSuite, [Undo(), UndoHarm(), OwnUtility(), NoResponse()], GRID),
    (HarmSuite, [Regret(), Orthogonal(), UtilityLoss()], FREE),
    (HarmSuite, [Fragile(exponent=2.0), Narrow(width=0.5)], FREE),
    (DynamicsSuite, [Reset(), Persist(), Relax(rate=0.3)], GRID),
    (OriginSuite, [Fixed(), Fixed(direction=[1.0, 0.0, -1e-200, 0.0, 3.0])], GRID),
    (OriginSuite, [Fixed(), TableUtility(values=[3.0, 1.0, 4.0, 1.0, 5.0, 9.0])], FREE),
    (OriginSuite, [*LEARNERS, Kin(family="ais", likeness=0.4)], GRID),
    (OriginSuite, [*LEARNERS, Kin(family="ais", likeness=0.4)], FREE),
    (OriginSuite, [Explorer(reward=TableUtility(values=[3.0, 1.0, 4.0, 1.0, 5.0, 9.0]))], FREE),
    (BehaviourSuite, [Cooperative(certainty=0.8)], {"agents.X.utility": LEARNT}),
    (BehaviourSuite, SWITCHES, GRID),
    (BehaviourSuite, SWITCHES, FREE),
    (BehaviourSuite, [OffSwitch(human_noise=0.3)], {"agents.X.utility": LEARNT}),
    (RelationSuite, RELATIONS, GRID),
    (RelationSuite, JOINT, FREE),
    (RelationSuite, JOINT, {"activation": "random"}),
    (RelationSuite, JOINT, {"activation": "simultaneous"}),
    (AlignerSuite, [Probe(noise=1.0, reads="parts")], {"agents.X.utility": LAYERS}),
    (RelationSuite, [LYING], {"agents.W2.method": "bayesian", "agents.W.method": "none"}),
    (RelationSuite, [LENDING], READERS),
    (WorldSuite, [Cloud(points=600, dimensions=5), Grid(steps=3, dimensions=5)], {}),
    (WorldSuite, [States(probabilities=[0.1] * 10, utilities="free")], {}),
    (WorldSuite, [Goodhart(error=StudentT(), panels=4, correlation=-0.3, level=2.0)], {}),
    (WorldSuite, [Bounded(shape="ball", points=512, dimensions=5)], {}),
    (
        WorldSuite,
        [Bounded(shape=name, points=500, dimensions=3) for name in ("box", "simplex")],
        {},
    ),
    (LawSuite, [GaussianLaw(), StudentT(df=1.5), Laplace(), ExponentialLaw(), Pareto()], {}),
    (WorldSuite, [Table(file=str(TABLE), features=["a", "b", "c", "d", "e"])], {}),
]
CAUSAL = {"world": {"kind": "causal-random", "dimensions": 5, "probability": 0.7}}
THROUGH = ["n2", "n4"]
EDGES = [("c", "a", 0.5), ("c", "b", -1.0), ("a", "b", 2.0), ("b", "d", 0.3), ("e", "d", 1.0)]
CAUSES = [
    (BehaviourSuite, [Soft(actuators=THROUGH), Soft(actuators=0.4), ByNews(actuators=0.4)], CAUSAL),
    (BehaviourSuite, [Hard(actuators=THROUGH)], {**CAUSAL, **ALONE, "agents.X.power": 4.0}),
    (BehaviourSuite, [Hard(actuators=THROUGH)], {**CAUSAL, **ALONE, "agents.X.power": 0.01}),
    (AlignerSuite, [Budget(), Bayesian(looks=3), NoAlignment(), *PROBES, *RATED], CAUSAL),
    (BehaviourSuite, SWITCHES, CAUSAL),
    (RelationSuite, JOINT, CAUSAL),
    (MeasureSuite, [ReverseKL(), ChiSquared(), Hellinger(), Wasserstein()], CAUSAL),
    (ResponseSuite, [Undo(), UndoHarm(), OwnUtility(), NoResponse()], CAUSAL),
    (HarmSuite, [Regret(), Orthogonal(), UtilityLoss()], CAUSAL),
    (DynamicsSuite, [Reset(), Persist(), Relax(rate=0.3)], {**CAUSAL, **ALONE}),
    (OriginSuite, [Fixed(), Fixed(direction=[1.0, 0.0, -1e-200, 0.0, 3.0])], CAUSAL),
    (OriginSuite, LEARNERS, CAUSAL),
    (WorldSuite, [Causal(edges=EDGES, noise={"a": 0.2, "d": 3.0})], {}),
    (WorldSuite, [CausalFile(file=str(GRAPH)), CausalRandom(dimensions=5)], {}),
]
MASKS = [
    Treacherous(ratio=3.0, release=3),
    Treacherous(release=2, knows_audits=2),
    Sandbagging(share=0.3, ratio=5.0),
    LeakLimited(leak=0.5),
]
DOUBTS = [
    Suspicious(looks=3, audit_every=2),
    Suspicious(audit_rate=0.4, edit_power=Constant(value=0.25)),
]
AUDITED = {"agents.W.method": {"kind": "suspicious", "audit_rate": 0.5}}
TURNCOAT = {"agents.X.behaviour": {"kind": "treacherous", "release": 3}}
DECEPTION = [
    (BehaviourSuite, [*MASKS, Resisting(share=0.5)], {}),
    (BehaviourSuite, [*MASKS, Resisting(share=0.5)], AUDITED),
    (BehaviourSuite, MASKS, {**GRID, **AUDITED}),
    (AlignerSuite, DOUBTS, TURNCOAT),
    (AlignerSuite, PROBES, TURNCOAT),
    (AlignerSuite, [Suspicious(turn_rate=0.0, audit_every=1)], {**TURNCOAT, **FREE}),
]
TURN = LeftTurn(step=2, dimensions=2, ai_first=1)
TURNS = {"world": {"kind": "gaussian", "dimensions": 3, "left_turn": TURN.model_dump()}}
SEES = {"agents.W.method": "bayesian"}
COPY = {"agents.X.behaviour": {"kind": "sandboxed", "fraction": 0.5, "release": 4}}
PARTIAL = [
    (BehaviourSuite, [Sandboxed(fraction=0.5), Sandboxed(fraction=0.6, fidelity=0.8)], SEES),
    (BehaviourSuite, [Sandboxed(fraction=1.0, inner=Conservative(share=0.5), release=3)], {}),
    (AlignerSuite, [Bayesian(looks=3), Bayesian(edits="confined", replays=1), NoAlignment()], COPY),
    (AlignerSuite, PROBES, COPY),
    (OriginSuite, LEARNERS, SEES),
    (AlignerSuite, [Budget(), Bayesian(edits="confined", looks=3), NoAlignment()], TURNS),
    (WorldSuite, [Gaussian(dimensions=3, left_turn=TURN)], {}),
    (WorldSuite, [Gaussian(dimensions=3, left_turn=TURN, covariance=FULL)], {}),
]
CASES = [(*case, {}) for case in CASES] + DISCRETE + CAUSES + PARTIAL + DECEPTION

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
