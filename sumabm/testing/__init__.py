"""Conformance suites that any component, ours or a user's, inherits in its tests.

Subclass the suite of your component's room in a test module and say what to test::

    from sumabm.testing import BehaviourSuite

    class TestMine(BehaviourSuite):
        component = Mine()

pytest then checks that the component keeps its room's promises: that it validates, survives a
round trip through a scenario file, declares its facts truly, respects power, and gives each
replicate the same results alone and in any ensemble.
"""

from sumabm.testing.suites import (
    AlignerSuite,
    BehaviourSuite,
    ComponentSuite,
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

__all__ = [
    "AlignerSuite",
    "BehaviourSuite",
    "ComponentSuite",
    "DynamicsSuite",
    "GraphSuite",
    "HarmSuite",
    "LawSuite",
    "MeasureSuite",
    "OriginSuite",
    "PowerSuite",
    "RelationSuite",
    "ResponseSuite",
    "WorldSuite",
]
