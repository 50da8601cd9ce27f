"""The model: a Mesa model whose every quantity has a replicate axis, and the step as a list."""

from __future__ import annotations

import operator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mesa
import numpy as np

from sumabm import acting
from sumabm.agents import AI, Actor, Aligner, Human, SUMAgent, mean_aim, shares_of, turn_all
from sumabm.behaviours import Act
from sumabm.blame import blame
from sumabm.bonds import Bonds
from sumabm.collector import Means
from sumabm.display import html_table
from sumabm.roles import AISpec, AlignerSpec, HumanSpec
from sumabm.scenario import Scenario, load_scenario
from sumabm.streams import Streams, replicate_range, seed_of
from sumabm.toml import ScenarioError
from sumabm.turns import Turn, merged
from sumabm.types import Array
from sumabm.view import Sight, Sights, View
from sumabm.worlds import World
from sumabm.worlds.gaussian import GaussianWorld

_TOTALS = ("harm", "harm_amplitude")


class SUMModel(mesa.Model):
    """A scenario at work: AIs tilt the world, aligners re-aim them, humans rectify.

    ``scenario`` is a `Scenario`, a file or a shipped scenario's name; ``replicates`` a count or a
    range; ``rng`` the seed (None draws one, kept as ``seed``); keyword arguments are overrides by
    dotted path, ``**{"agents.X.power": 3}``. The validated scenario is ``spec``.

    ``base`` is the world at the very start, ``before`` as the last step found it, ``acted`` after
    its AIs acted, ``left`` after its humans responded, ``world`` as the next step finds it;
    ``utilities`` are those that agents acted on, ``sights`` what each AI did.

    ``row`` holds the last step's variables by column name, each ``(R,)``: see `recorder`. A model
    stops ``running`` after the scenario's steps, when every replicate is done or before a power has
    no finite value; then ``ended`` says which power and when, and is empty otherwise. A replicate
    that is done is missing (NaN) from then on.

    Mesa's own tools work on it: ``datacollector`` has the means over replicates, first before any
    step and then after each, ``mesa.batch_run`` takes dotted names. It grows with every step: set
    ``collects`` to False, and it stays as it is, and so does what a model takes in memory.

    Raises ScenarioError for a scenario or override that is not valid, ValueError for replicates or
    a seed that are none.

    >>> model = SUMModel("essay", replicates=3)
    >>> model.step()
    >>> model.row["harm"].shape
    (3,)
    """

    PHASES = ("act", "align", "respond", "align_late", "measure", "settle", "prepare")
    """The order of a step; `prepare` readies the next, so that what a model shows is current."""

    _bonds: Bonds
    _next: dict[str, Array]
    _order: dict[str, Array]
    _power: dict[str, Array]
    _done: acting.Done
    _turns: list[tuple[str, Turn]]
    _weighed: list[Array]
    _weights: list[Array]
    shown: dict[str, Array]
    sights: Sights
    utilities: dict[str, Array]

    def __init__(
        self,
        scenario: str | Path | Scenario = "essay",
        replicates: int | range = 1,
        rng: Any = 0,
        **kwargs: Any,
    ) -> None:
        self.seed = seed_of(rng)
        super().__init__(rng=self.seed)
        self.spec = load_scenario(scenario, kwargs)
        self.replicates = replicate_range(replicates)
        self.streams = Streams(self.seed, self.replicates)
        self.base: World = self.spec.world.build(len(self.replicates))
        self.world: World
        self.world = self.before = self.acted = self.left = self.base
        self.ais: dict[str, AI] = {}
        self.humans: dict[str, Human] = {}
        self.aligners: dict[str, Aligner] = {}
        self.ended = ""
        self._last, self._end = self.spec.last_step()
        self._populate()
        self.alive = np.ones(len(self.replicates), dtype=bool)
        self.row: dict[str, Array] = {}
        self._totals = dict.fromkeys(_TOTALS, self._zero)
        self._budgets = dict.fromkeys(self.aligners, self._zero)
        self._earlier: dict[str, Array] = {}
        self._order_draw = self.streams.draw("", "order")
        self._begin()
        self.datacollector = Means(self.shown)
        self.collects = True
        self.datacollector.collect(self)

    def _repr_html_(self) -> str:
        facts = {"steps": f"{self.steps} of {self.spec.steps}", "seed": self.seed}
        facts |= {"replicates": self.replicates, "running": self.running}
        agents = {name: agent.kind for name, agent in self.spec.population.items()}
        facts |= {"agents": [f"{name} ({role})" for name, role in agents.items()]}
        return html_table(f"Model of {self.spec.scenario}", facts | {"ended": self.ended or None})

    def step(self) -> None:
        """Advance all replicates by one step: the phases in order."""
        for phase in self.PHASES:
            getattr(self, phase)()
        if self.collects:
            self.datacollector.collect(self)

    # --- the phases -------------------------------------------------------------------------

    def act(self) -> None:
        """AIs decide on the world as the step finds it, then tilt it in the order of activation.

        Those in a sandbox tilt copies of it, as the step finds it, and leave it alone.
        """
        self.before = self.world
        self.sights, self._order, self._turns = Sights((), dict), {}, []
        self._kept, self._added = self._zero + 1.0, np.zeros((1, 1))
        self.utilities = {a.name: a.utility for a in (*self.ais.values(), *self.humans.values())}
        acts = {name: ai.act(self.view(ai)) for name, ai in self.ais.items()}
        said = {name: act.foreseen for name, act in acts.items() if act.foreseen is not None}
        self._next |= {f"foreseen.{name}": gain for name, gain in said.items()}
        turned = {name: ai.turned for name, ai in self.ais.items() if ai.turned is not None}
        self._next |= {f"turned.{name}": where.astype(float) for name, where in turned.items()}
        acts, told = self._bonds.agreed(acts)
        self._next |= told
        apart = {name: acts.pop(name) for name, act in tuple(acts.items()) if act.within}
        self._done = self._made(acts)
        self.world = self.acted = self._done.world
        shown = {name: _shown(self.before, act) for name, act in apart.items()}
        done = self._done.sights
        self.sights = Sights(self.ais, lambda: {**done, **shown}) if shown else done
        self._order = {name: self._done.place.get(name, self._zero) for name in self.ais}
        for name in self.ais:
            self._next[f"spent.{name}"] = self._done.spent.get(name, self._zero)
            self._next[f"order.{name}"] = self._order[name]
        self._next["joint_spent"] = self.world.nats_from(self.before)
        self._note_gains("_acted")

    def _made(self, acts: dict[str, Act]) -> acting.Done:
        if self.spec.activation == "simultaneous":
            return acting.together(self.world, acts)
        if self.spec.activation == "random" and len(acts) > 1:
            drawn = self._order_draw.uniform(len(self.ais))  # for those in a sandbox too
            mine = np.array([name in acts for name in self.ais])
            return acting.in_random_order(self.world, acts, drawn[:, mine])
        return acting.in_turn(self.world, acts)

    def align(self) -> None:
        """Aligners watch what each AI did, then edit one after the other; edits are public."""
        self._align([a for a in self.aligners.values() if not a.spec.method.late])

    def align_late(self) -> None:
        """Aligners that see the world only after the humans' response look and edit now."""
        self._align([a for a in self.aligners.values() if a.spec.method.late])

    def _align(self, aligners: list[Aligner]) -> None:
        """All look before any edits; who has not looked yet hears of edits after it has."""
        for aligner in aligners:
            if aligner.looks:
                aligner.look(self.view(aligner))
        hear = [a for a in self.aligners.values() if a.hears]
        edits: dict[str, list[Turn]] = {}
        for aligner in aligners:
            for ai, turn in self._turns if aligner in hear else ():
                aligner.turned(ai, turn)
        for aligner in aligners:
            name, spent = aligner.name, self._zero
            for ai, edit in aligner.edit(self.view(aligner)).items():
                edits.setdefault(ai, []).append(edit.turn)
                spent = spent + edit.spent
                self._turns.append((ai, edit.turn))
                for other in hear:
                    if other.spec.method.late <= aligner.spec.method.late:
                        other.turned(ai, edit.turn)
            self._next[f"spent.{name}"] = spent
            self._budgets[name] = self._budgets[name] + spent
        turn_all({self.ais[ai]: merged(turns) for ai, turns in edits.items()})

    def respond(self) -> None:
        """Humans respond one after the other, in file order."""
        for name, human in self.humans.items():
            tilt = human.respond(self.view(human))
            self._next[f"spent.{name}"] = self._zero if tilt is None else tilt.spent
            if tilt is None:
                continue
            if human.spec.response.rectifies:
                self._kept = self._kept * (1.0 - tilt.beta)
                self._added = self._added * (1.0 - tilt.beta)[:, None]
            else:
                self._added = self._added + tilt.world.shift(self.world)
            self.world = tilt.world

    def measure(self) -> None:
        """Measure harm to each human and, power-weighted, to all; and where the world is."""
        self.left = self.world
        amplitudes = {
            name: self.spec.harm.amplitude(human.utility, self.view(human))
            for name, human in self.humans.items()
        }
        for name, amplitude in amplitudes.items():
            self._next[f"harm_to.{name}"] = amplitude**2
        now = {"harm": self._zero, "harm_amplitude": self._zero}
        for weight, amplitude in zip(self._weights, amplitudes.values(), strict=True):
            now["harm"] = now["harm"] + weight * amplitude**2
            now["harm_amplitude"] = now["harm_amplitude"] + weight * amplitude
        self._note_blame()
        for name, value in now.items():
            self._totals[name] = self._totals[name] + np.where(self.alive, value, 0.0)
            self._next |= {name: value, f"cumulative_{name}": self._totals[name]}
        self._next["displacement"] = self.world.nats_from(self.base)
        self._next |= self.world.report(self.base)
        self._note_gains("")
        self.row = self._only_alive(self._next)

    def _note_blame(self) -> None:
        """Note each AI's share of the harm, where acts add up, and there is more than one AI.

        What the world still has of earlier acts counts for those who did them.
        """
        if len(self.ais) < 2 or not isinstance(self.base, GaussianWorld):
            return
        faults = [
            weight[:, None] * blame(self.spec.harm, human.utility, self.view(human))
            for weight, human in zip(self._weights, self.humans.values(), strict=True)
        ]
        fault = sum(faults, np.zeros_like(self.goal))
        memory = self.spec.world.dynamics.memory
        for name in self.ais:
            nats = self._kept * self._done.along(fault, name, self.base)
            if memory > 0.0:
                earlier = self._earlier.get(name, np.zeros_like(fault))
                nats = nats + np.vecdot(fault, earlier)
                now = self._kept[:, None] * self._done.shift(name, self.base)
                self._earlier[name] = memory * (earlier + now)
            self._next[f"harm_by.{name}"] = nats

    def settle(self) -> None:
        """Let the world's own dynamics take it to where the next step finds it; let AIs learn."""
        for aligner in self.aligners.values():
            if aligner.settles:
                aligner.settle(self.view(aligner))
        for name, ai in self.ais.items():
            if ai.spec.utility.learns:
                ai.learn(replace(self.view(ai), sights={name: self.sights[name]}))
        for name, aim in self._bonds.settled().items():
            self.ais[name].adopt(aim)
        self.world = self.spec.world.dynamics.settle(self.base, self.world)

    def prepare(self) -> None:
        """Take the next step's powers, note where AIs and aligners stand, see who is done."""
        powers = self._bonds.powers() if self.steps else {}
        for actor in (*self.ais.values(), *self.humans.values()):
            actor.grow(min(self.steps, self._last))
            actor.power = powers.get(actor.name, actor.power)
        self._gain_dimensions()
        self._power = {a.name: a.power for a in (*self.ais.values(), *self.humans.values())}
        self._aim_at_humans()
        self._bonds.serve()
        self._next = {f"power.{name}": power for name, power in self._power.items()}
        for name, ai in self.ais.items():
            self._next[f"alignment.{name}"] = np.vecdot(ai.subject.aim, self.goal)
            self._next |= ai.report()
        for name, budget in self._budgets.items():
            self._next[f"budget.{name}"] = budget
        self._note_beliefs()
        self._stop_those_done()

    def _gain_dimensions(self) -> None:
        """At the left turn, extend the world and the AIs' utilities; the humans' then or later."""
        turn = getattr(self.spec.world, "left_turn", None)
        if turn is None:
            return
        share = turn.share(self.spec.world.sphere)
        if self.steps == turn.step:
            before = self.base.dimensions
            assert isinstance(self.base, GaussianWorld)  # no other has a left turn
            assert isinstance(self.world, GaussianWorld)
            self.base, self.world = self.base.whole(), self.world.whole()
            for ai in self.ais.values():
                ai.extend(share)
            for aligner in self.aligners.values():
                aligner.grow(before, share, self.view(aligner))
        if self.steps == turn.step + turn.ai_first:
            for human in self.humans.values():
                human.extend(share)
            self._weights = []  # the goal moves

    # --- setting up -------------------------------------------------------------------------

    def _populate(self) -> None:
        self._zero = np.zeros(len(self.replicates))
        for name, spec in self.spec.population.items():
            if isinstance(spec, AISpec):
                self.ais[name] = AI(self, name, spec, self.base)
            elif isinstance(spec, HumanSpec):
                self.humans[name] = Human(self, name, spec, self.base)
            elif isinstance(spec, AlignerSpec):
                self.aligners[name] = Aligner(self, name, spec)
        # Mesa 3.3 keeps every model for ever in the table from which its agents got their ids
        getattr(mesa.Agent, "_ids", {}).pop(self, None)

    def _begin(self) -> None:
        self._weights = []
        self.sights = Sights((), dict)
        self._order = dict.fromkeys(self.ais, self._zero)
        self._turns = []
        self.utilities = {}
        self._kept, self._added = self._zero, np.zeros((1, 1))
        self._power = {a.name: a.power for a in (*self.ais.values(), *self.humans.values())}
        self._aim_at_humans()
        self._bonds = Bonds(self)
        for ai in self.ais.values():
            ai.begin(self.view(ai))
        self._bonds.begin()
        self._bonds.serve()
        for aligner in self.aligners.values():
            aligner.begin(self.view(aligner))
        self.row = dict.fromkeys((*_TOTALS, "displacement"), self._zero)
        self.prepare()

    # --- what agents see, and what is noted -------------------------------------------------

    def view(self, agent: SUMAgent) -> View:
        """Return what an agent may see now."""
        aligner = isinstance(agent, Aligner)
        served = self._bonds.services.get(agent.name) if aligner else None
        return View(
            step=max(self.steps - 1, 0),
            base=self.base,
            before=self.before,
            world=self.world,
            power=self._bonds.acting,
            utility={agent.name: agent.utility} if isinstance(agent, Actor) else {},
            goal=served.goal if served else self.goal,
            budget=served.budget if served else {},
            looks=served.looks if served else 0,
            sights=self._bonds.shown(agent.name, self.sights.of(agent.ais)) if aligner else {},
            audits=agent.audits if aligner else {},
            readings=agent.readings if aligner else {},
            certainty=agent.certainty if isinstance(agent, AI) else {},
            order=self._order,
            kept=self._kept,
            added=self._added,
            activation=self.spec.activation,
            dynamics=self.spec.world.dynamics,
        )

    def audit(self, ai: str) -> Sight:
        """Show what an AI would do if it thought that nobody looked, in a copy of the world."""
        act = self.ais[ai].unwatched(replace(self.view(self.ais[ai]), world=self.before))
        return _shown(self.before, act)

    def _aim_at_humans(self) -> None:
        """Set the goal v_Y, the power-weighted mean of the humans' utilities, if it has moved.

        An aligner may compare goals by identity: the array is new only when its values are.
        """
        humans = tuple(self.humans.values())
        powers = [human.power for human in humans]
        if self._weights and all(map(operator.is_, powers, self._weighed)):
            return
        self._weighed, weights = powers, shares_of(humans)
        if self._weights and all(map(np.array_equal, weights, self._weights)):
            return
        self._weights = weights
        try:
            self.goal = mean_aim(humans, getattr(self, "goal", None))
        except ValueError as error:
            raise ScenarioError(f"scenario {self.spec.scenario}", [f"agents: {error}"]) from None
        self._welfare = self.base.colour(self.goal)

    def _note_gains(self, moment: str) -> None:
        """Note expected utilities above the base world's, in base standard deviations."""
        for name, utility in self.utilities.items():
            self._next[f"utility{moment}.{name}"] = self._gain(utility)
        alone = len(self.humans) == 1
        human = next(iter(self.humans))
        self._next[f"welfare{moment}"] = (
            self._next[f"utility{moment}.{human}"] if alone else self._gain(self._welfare)
        )

    def _gain(self, utility: Array) -> Array:
        return self.world.expect(utility) - self.base.expect(utility)

    def _note_beliefs(self) -> None:
        """Note what the best informed aligner of each AI knows of it."""
        self._next |= {f"information.{name}": self._zero for name in self.ais}
        asked: dict[tuple[object, int], set[str]] = {}
        for aligner in self.aligners.values():
            what = aligner.mind, id(self._bonds.services[aligner.name].goal)
            of = asked.setdefault(what, set())
            new = [name for name in aligner.ais if name not in of]
            if not new:
                continue
            of.update(new)
            view = self.view(aligner)
            for name in new:
                belief = aligner.belief(self.ais[name], view)
                if belief is None:
                    continue
                told, aligned = belief
                if f"believed.{name}" in self._next:
                    best = self._next[f"information.{name}"]
                    aligned = np.where(told > best, aligned, self._next[f"believed.{name}"])
                    told = np.maximum(told, best)
                self._next |= {f"believed.{name}": aligned, f"information.{name}": told}

    def _stop_those_done(self) -> None:
        if self.spec.stop is not None and self.ais:
            aligned = [
                self._next[f"alignment.{name}"] >= self.spec.stop.alignment for name in self.ais
            ]
            self.alive = self.alive & ~np.logical_and.reduce(aligned)
        going_on = bool(self.alive.any())
        self.running = self.steps <= self._last and going_on
        self.ended = self._end if self.steps > self._last and going_on else ""
        totals = {f"cumulative_{name}": total for name, total in self._totals.items()}
        self.shown = {**self.row, **self._only_alive(self._next), **totals}

    def _only_alive(self, row: dict[str, Array]) -> dict[str, Array]:
        if self.alive.all():
            return row
        return {name: np.where(self.alive, values, np.nan) for name, values in row.items()}


def _shown(world: World, act: Act) -> Sight:
    """Show what an act would do to ``world``, which stays as it is."""
    return Sight(world, act.how(world, act.utility, act.power).world, act.within)
