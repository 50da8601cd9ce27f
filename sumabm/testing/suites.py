"""One suite per room: pytest classes with no dependency but pytest's way of finding tests."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import xarray as xr

from sumabm.columns import parts
from sumabm.component import Component, members
from sumabm.model import SUMModel
from sumabm.recorder import VARIABLES, simulate
from sumabm.scenario import Scenario
from sumabm.streams import Streams
from sumabm.types import Array
from sumabm.worlds import World

REPLICATES, STEPS = 5, 6
_TOLERANCE = 1e-12


class ComponentSuite:
    """What holds for every component: put it in ``component``; ``place`` is its dotted path.

    ``overrides`` changes the scenario it is tried in (one AI X, one human Y, one aligner W, in five
    dimensions), by dotted path, for components that need partners.
    """

    component: ClassVar[Component]
    place: ClassVar[str]
    overrides: ClassVar[dict[str, object]] = {}

    def scenario(self) -> Scenario:
        """Return the scenario with the component in its place."""
        plain = Scenario.model_validate(
            {
                "scenario": "conformance",
                "steps": STEPS,
                "world": {"kind": "gaussian", "dimensions": 5},
                "agents": {
                    "X": {"role": "ai", "power": 2.0},
                    "Y": {"role": "human", "power": 0.5},
                    "W": {"role": "aligner", "method": "budget"},
                },
            }
        )
        return plain.replace({**self.overrides, self.place: self.component.model_dump()})

    def run(self, replicates: int | range = REPLICATES, seed: int = 1) -> xr.Dataset:
        """Return a short run of that scenario."""
        return simulate(self.scenario(), replicates, seed)

    def test_is_a_member_of_its_room(self) -> None:
        """Its kind finds it, and its docstring says what it is."""
        room = next(base for base in type(self.component).__mro__[1:] if "kind" not in vars(base))
        assert members(room)[self.component.kind] is type(self.component)
        assert (type(self.component).__doc__ or "").strip()
        for name, field in type(self.component).model_fields.items():
            assert field.description, f"the field {name} has no description"

    def test_survives_a_round_trip(self) -> None:
        """A scenario written out and read again is the same scenario."""
        scenario = self.scenario()
        again = Scenario.model_validate(scenario.model_dump())
        assert again == scenario
        assert again.identity() == scenario.identity()

    def test_runs(self) -> None:
        """Every number that should be there is finite, and power is respected."""
        run = self.run()
        steps = [run[name].values for name in run if run[name].dims == ("replicate", "step")]
        assert all(np.isfinite(values).all() for values in steps)
        acted = run.sel(agent=["X", "Y"])
        assert bool((acted["spent"] <= acted["power"] * (1.0 + _TOLERANCE)).all())

    def test_replicates_do_not_depend_on_company(self) -> None:
        """Replicate k is the same, bit for bit, alone, in a range and in any ensemble."""
        ensemble = self.run(REPLICATES)
        for replicates in (range(3, 4), range(1, 4)):
            some = self.run(replicates).drop_dims("state", errors="ignore")  # of the first one
            same = ensemble.sel(replicate=list(replicates)).drop_dims("state", errors="ignore")
            xr.testing.assert_equal(some, same)


class DrawingSuite(ComponentSuite):
    """For a component that is handed a `Draw`: an agent's origin, behaviour or method."""

    def test_draws_only_if_it_says_so(self) -> None:
        """A component that does not declare itself stochastic draws no random numbers."""
        model = SUMModel(self.scenario(), REPLICATES, 1)
        while model.running:
            model.step()
        _, agent, slot = self.place.split(".")
        drew = any(who == agent and why.split()[0] == slot for who, why in model.streams.used)
        assert type(self.component).stochastic or not drew


class RelationSuite(ComponentSuite):
    """For a `Relation`: of three AIs, a human and two aligners."""

    place = "relations.R"
    overrides: ClassVar[dict[str, object]] = {
        "agents.X2": {"role": "ai", "power": 1.0},
        "agents.X3": {"role": "ai", "power": 0.5},
        "agents.W2": {"role": "aligner", "method": "budget"},
    }

    def test_says_who_acts_on_whom(self) -> None:
        """Its graph has agents of its roles alone."""
        scenario = self.scenario()
        relation = scenario.relations["R"]
        graph = relation.network(scenario)
        roles = {name: agent.kind for name, agent in scenario.population.items()}
        for acting, acted_on in graph.edges:
            assert roles[acting] in relation.roles[0]
            assert roles[acted_on] in relation.roles[1]


class GraphSuite(ComponentSuite):
    """For a `Graph`: of three AIs who tell each other what they want."""

    place = "relations.R.graph"
    overrides: ClassVar[dict[str, object]] = {
        **RelationSuite.overrides,
        "relations.R": {"kind": "consensus", "graph": "complete"},
    }

    def test_is_the_same_every_time(self) -> None:
        """It joins agents of those it is given, none to itself, by edges with a weight."""
        scenario = self.scenario()
        names = scenario.names("ai")
        graph, again = (scenario.relations["R"].network(scenario) for _ in range(2))
        assert set(graph) == set(names)
        assert list(graph.edges(data=True)) == list(again.edges(data=True))
        assert all(a != b and weight > 0.0 for a, b, weight in graph.edges(data="weight"))


class PowerSuite(ComponentSuite):
    """For a `Power`: an AI's."""

    place = "agents.X.power"
    component: ClassVar[Any]

    def test_is_nats(self) -> None:
        """It is finite and not negative at every step."""
        nats = np.array([self.component.nats(step) for step in range(STEPS)])
        assert np.all((nats >= 0.0) & (nats < np.inf))


class OriginSuite(DrawingSuite):
    """For an `Origin`: of an AI's utility."""

    place = "agents.X.utility"

    def test_gives_a_utility(self) -> None:
        """The utility has the right shape and unit spread under the base world."""
        model = SUMModel(self.scenario(), REPLICATES, 1)
        utility = model.ais["X"].utility
        assert utility.shape[0] == REPLICATES
        assert model.ais["X"].subject.aim.shape == (REPLICATES, model.base.width)
        np.testing.assert_allclose(model.base.spread(utility), 1.0, rtol=_TOLERANCE)

    def test_reports_what_is_recorded(self) -> None:
        """What it says that it knows are variables of AIs, by replicate."""
        model = SUMModel(self.scenario(), REPLICATES, 1)
        for column, values in model.ais["X"].report().items():
            variable, _, place = parts(column)
            assert "ai" in VARIABLES[variable].roles, f"{variable} is recorded of no AI"
            assert bool(place) == bool(VARIABLES[variable].dim), f"{column}: has it places?"
            assert values.shape == (REPLICATES,)


class BehaviourSuite(DrawingSuite):
    """For a `Behaviour`."""

    place = "agents.X.behaviour"


class MeasureSuite(ComponentSuite):
    """For a `Measure`: of an AI's acts, in a world with features."""

    place = "agents.X.behaviour.measure"
    overrides: ClassVar[dict[str, object]] = {"agents.X.power": 0.5, "agents.W.method": "none"}

    def test_more_power_gains_more(self) -> None:
        """What the AI gains for itself rises with its power."""
        gains = [
            simulate(self.scenario().replace({"agents.X.power": power}), REPLICATES, 1)
            for power in (0.1, 0.5, 0.9)
        ]
        own = [run["utility_acted"].sel(agent="X").values.min() for run in gains]
        assert own[0] < own[1] < own[2]


class ResponseSuite(ComponentSuite):
    """For a `Response`."""

    place = "agents.Y.response"

    def test_without_power_changes_nothing(self) -> None:
        """A human without power leaves the world as the AIs made it."""
        run = simulate(self.scenario().replace({"agents.Y.power": 0.0}), REPLICATES, 1)
        xr.testing.assert_equal(run["displacement"], run["joint_spent"].rename("displacement"))


class AlignerSuite(DrawingSuite):
    """For an `AlignerMethod`."""

    place = "agents.W.method"

    def test_sees_no_utility(self) -> None:
        """Its view holds no utility of anyone."""
        model = SUMModel(self.scenario(), REPLICATES, 1)
        assert model.view(model.aligners["W"]).utility == {}

    def test_keeps_utilities_of_unit_length(self) -> None:
        """Its edits turn utilities; they don't stretch them."""
        model = SUMModel(self.scenario(), REPLICATES, 1)
        while model.running:
            model.step()
            aim = model.ais["X"].subject.aim
            np.testing.assert_allclose(np.vecdot(aim, aim), 1.0, rtol=1e-9)

    def test_beliefs_are_beliefs(self) -> None:
        """Information is nats; the alignment it expects is a cosine."""
        run = self.run()
        information = run["information"].sel(agent="X").values
        assert np.all(information >= 0.0)
        if "believed" in run:
            assert np.all(np.abs(run["believed"].sel(agent="X").values) <= 1.0 + _TOLERANCE)


class HarmSuite(ComponentSuite):
    """For a `Harm`."""

    place = "harm"

    def test_is_not_negative_and_nothing_at_base(self) -> None:
        """Harm is at least 0, and exactly nothing where nobody has power."""
        assert bool((self.run()["harm"] >= 0.0).all())
        still = self.scenario().replace({"agents.X.power": 0.0, "agents.Y.power": 0.0})
        assert bool((simulate(still, REPLICATES, 1)["harm"] == 0.0).all())


class DynamicsSuite(ComponentSuite):
    """For a `Dynamics`."""

    place = "world.dynamics"
    component: ClassVar[Any]

    def test_the_base_world_stays(self) -> None:
        """A world in which nothing happened is still the base world."""
        base = SUMModel(self.scenario(), REPLICATES, 1).base
        settled = self.component.settle(base, base)
        np.testing.assert_allclose(settled.nats_from(base), 0.0, atol=1e-30)


class LawSuite(ComponentSuite):
    """For a `Law`: of the error in a Goodhart world."""

    place = "world.error"
    component: ClassVar[Any]
    overrides: ClassVar[dict[str, object]] = {"world": {"kind": "goodhart", "error": "gaussian"}}

    def test_is_a_law(self) -> None:
        """Its density is not negative, and the normal scores of its values rise."""
        x = self.component.edges(32)
        assert np.all(np.diff(x) > 0.0)
        assert np.all(self.component.density(x) >= 0.0)
        assert np.all(np.diff(self.component.scores(x)[1:-1]) > 0.0)

    def test_scores_are_of_its_density(self) -> None:
        """Where scores are from −1 to 1, a value's density is its score's, times the slope."""
        x = self.component.edges(4096)
        middle, scores = 0.5 * (x[1:] + x[:-1]), self.component.scores(x)
        slope, score = np.diff(scores) / np.diff(x), self.component.scores(middle)
        ratio = self.component.density(middle) / (slope * np.exp(-0.5 * score**2))
        ratio = ratio[np.abs(score) < 1.0]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


class WorldSuite(ComponentSuite):
    """For a `WorldSpec` of five dimensions."""

    place = "world"
    component: ClassVar[Any]

    def _try(self) -> tuple[World, Array]:
        """Return the base world and a random utility."""
        base: World = self.component.build(REPLICATES)
        normals = Streams(2, range(REPLICATES)).draw("", "").normal(base.width)
        return base, base.colour(normals)

    def test_tilt_spends_its_power(self) -> None:
        """The KL divergence of a tilted world is what was spent, and the gain is what E[u] rose."""
        base, utility = self._try()
        tilt = base.tilt(utility, 0.7)
        np.testing.assert_allclose(tilt.world.nats_from(base), tilt.spent, rtol=1e-9)
        assert np.all(tilt.spent <= 0.7 * (1.0 + _TOLERANCE))
        rise = tilt.world.expect(utility) - base.expect(utility)
        np.testing.assert_allclose(rise, tilt.gain, rtol=1e-9)

    def test_no_power_is_the_identity(self) -> None:
        """A tilt of no power changes nothing."""
        base, utility = self._try()
        still = base.tilt(utility, 0.0).world
        np.testing.assert_allclose(still.nats_from(base), 0.0, atol=1e-30)

    def test_utility_scale_is_immaterial(self) -> None:
        """A positive factor on the utility changes nothing."""
        base, utility = self._try()
        one, other = (base.tilt(k * utility, 0.7).world.expect(utility) for k in (1.0, 1e3))
        np.testing.assert_allclose(one, other, rtol=1e-9)

    def test_undo_comes_home(self) -> None:
        """With power enough, `toward` lands on its target."""
        base, utility = self._try()
        moved = base.tilt(utility, 0.7).world
        home = moved.toward(base, 100.0).world
        np.testing.assert_allclose(home.nats_from(base), 0.0, atol=1e-12)

    def test_whitening_has_an_inverse(self) -> None:
        """`colour` undoes `whiten`, and whitened length is the standard deviation."""
        base, utility = self._try()
        white = base.whiten(utility)
        np.testing.assert_allclose(base.whiten(base.colour(white)), white, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(np.sqrt(np.vecdot(white, white)), base.spread(utility))
