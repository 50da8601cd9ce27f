"""The model: a Mesa model whose every quantity has a replicate axis, and the step as a list."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mesa
import numpy as np

from sumabm.agents import AI, Actor, Aligner, Human, SUMAgent
from sumabm.behaviours import Act
from sumabm.behaviours import tilt as tilt_by_kl
from sumabm.power import Power
from sumabm.scenario import AISpec, AlignerSpec, HumanSpec, Scenario, load_scenario
from sumabm.streams import Streams
from sumabm.toml import ScenarioError
from sumabm.turns import Turn
from sumabm.types import Array
from sumabm.view import Sight, View
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
    step and then after each, ``mesa.batch_run`` takes dotted names.

    Raises ScenarioError for a scenario or override that is not valid, ValueError for replicates or
    a seed that are none.

    >>> model = SUMModel("essay", replicates=3)
    >>> model.step()
    >>> model.row["harm"].shape
    (3,)
    """

    PHASES = ("act", "align", "respond", "align_late", "measure", "settle", "prepare")
    """The order of a step; `prepare` readies the next, so that what a model shows is current."""

    _order: dict[str, Array]
    _turns: list[tuple[str, Turn]]
    _weights: list[Array]
    sights: dict[str, Sight]
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
        self._last, self._end = _last_step(self.spec)
        self._populate()
        self.alive = np.ones(len(self.replicates), dtype=bool)
        self.row: dict[str, Array] = {}
        self._totals = dict.fromkeys(_TOTALS, self._zero)
        self._budgets = dict.fromkeys(self.aligners, self._zero)
        self._order_draw = self.streams.draw("", "order")
        self._begin()
        self.datacollector = mesa.DataCollector(
            model_reporters={name: partial(_mean, name) for name in self.shown}
        )
        self.datacollector.collect(self)

    def step(self) -> None:
        """Advance all replicates by one step: the phases in order."""
        for phase in self.PHASES:
            getattr(self, phase)()
        self.datacollector.collect(self)

    # --- the phases -------------------------------------------------------------------------

    def act(self) -> None:
        """AIs decide on the world as the step finds it, then tilt it in the order of activation.

        Those in a sandbox tilt copies of it, as the step finds it, and leave it alone.
        """
        self.before = self.world
        self.sights, self._order, self._turns = {}, {}, []
        self._kept, self._added = self._zero + 1.0, np.zeros((1, 1))
        self.utilities = {a.name: a.utility for a in (*self.ais.values(), *self.humans.values())}
        acts = {name: ai.act(self.view(ai)) for name, ai in self.ais.items()}
        said = {name: act.foreseen for name, act in acts.items() if act.foreseen is not None}
        self._next |= {f"foreseen.{name}": gain for name, gain in said.items()}
        turned = {name: ai.turned for name, ai in self.ais.items() if ai.turned is not None}
        self._next |= {f"turned.{name}": where.astype(float) for name, where in turned.items()}
        for name in [name for name, act in acts.items() if act.within is not None]:
            self._note_act(name, self._zero, self._zero, _shown(self.before, acts.pop(name)))
        if self.spec.activation == "simultaneous":
            self._act_together(acts)
        elif self.spec.activation == "random" and len(acts) > 1:
            self._act_in_random_order(acts)
        else:
            self._act_in_turn(acts)
        self.acted = self.world
        self._next["joint_spent"] = self.world.nats_from(self.before)
        self._note_gains("_acted")

    def align(self) -> None:
        """Aligners watch what each AI did, then edit one after the other; edits are public."""
        self._align([a for a in self.aligners.values() if not a.spec.method.late])

    def align_late(self) -> None:
        """Aligners that see the world only after the humans' response look and edit now."""
        self._align([a for a in self.aligners.values() if a.spec.method.late])

    def _align(self, aligners: list[Aligner]) -> None:
        """All look before any edits; who has not looked yet hears of edits after it has."""
        for aligner in aligners:
            aligner.look(self.view(aligner))
        for aligner in aligners:
            for ai, turn in self._turns:
                aligner.turned(ai, turn)
        for aligner in aligners:
            name, spent = aligner.name, self._zero
            for ai, edit in aligner.edit(self.view(aligner)).items():
                self.ais[ai].turn(edit.turn)
                spent = spent + edit.spent
                self._turns.append((ai, edit.turn))
                for other in self.aligners.values():
                    if other.spec.method.late <= aligner.spec.method.late:
                        other.turned(ai, edit.turn)
            self._next[f"spent.{name}"] = spent
            self._budgets[name] = self._budgets[name] + spent

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
        for name, value in now.items():
            self._totals[name] = self._totals[name] + np.where(self.alive, value, 0.0)
            self._next |= {name: value, f"cumulative_{name}": self._totals[name]}
        self._next["displacement"] = self.world.nats_from(self.base)
        self._next |= self.world.report(self.base)
        self._note_gains("")
        self.row = self._only_alive(self._next)

    def settle(self) -> None:
        """Let the world's own dynamics take it to where the next step finds it; let AIs learn."""
        for aligner in self.aligners.values():
            aligner.settle(self.view(aligner))
        for name, ai in self.ais.items():
            if ai.spec.utility.learns:
                ai.learn(replace(self.view(ai), sights={name: self.sights[name]}))
        self.world = self.spec.world.dynamics.settle(self.base, self.world)

    def prepare(self) -> None:
        """Take the next step's powers, note where AIs and aligners stand, see who is done."""
        for actor in (*self.ais.values(), *self.humans.values()):
            actor.grow(min(self.steps, self._last))
        self._gain_dimensions()
        self._power = {a.name: a.power for a in (*self.ais.values(), *self.humans.values())}
        self._aim_at_humans()
        self._next = {f"power.{name}": power for name, power in self._power.items()}
        for name, ai in self.ais.items():
            self._next[f"alignment.{name}"] = np.vecdot(ai.subject.aim, self.goal)
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
        for name, spec in self.spec.agents.items():
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
        self.sights = {}
        self._order = dict.fromkeys(self.ais, self._zero)
        self._turns = []
        self.utilities = {}
        self._kept, self._added = self._zero, np.zeros((1, 1))
        self._power = {a.name: a.power for a in (*self.ais.values(), *self.humans.values())}
        self._aim_at_humans()
        for agent in (*self.ais.values(), *self.aligners.values()):
            agent.begin(self.view(agent))
        self.row = dict.fromkeys((*_TOTALS, "displacement"), self._zero)
        self.prepare()

    # --- how AIs act ------------------------------------------------------------------------

    def _act_in_turn(self, acts: dict[str, Act]) -> None:
        for i, (name, act) in enumerate(acts.items()):
            tilt = act.how(self.world, act.utility, act.power)
            place = self._zero + float(i)
            self._note_act(name, tilt.spent, place, Sight(self.world, tilt.world))
            self.world = tilt.world

    def _act_together(self, acts: dict[str, Act]) -> None:
        if any(act.how is not tilt_by_kl for act in acts.values()):
            raise ValueError("only KL-limited tilts can be made at once")
        tilts = self.world.tilt_together([(act.utility, act.power) for act in acts.values()])
        for name, tilt in zip(acts, tilts, strict=True):
            self._note_act(name, tilt.spent, self._zero, Sight(self.before, tilt.world))
            self.world = tilt.world

    def _act_in_random_order(self, acts: dict[str, Act]) -> None:
        """Loop over places in the order, not over AIs: each replicate has an order of its own."""
        drawn = self._order_draw.uniform(len(self.ais))  # for those in a sandbox too
        mine = np.array([name in acts for name in self.ais])
        places = np.argsort(drawn[:, mine], axis=1).T  # place → AI, per row
        rows = np.arange(len(self.replicates))
        utilities = np.stack([act.utility for act in acts.values()])
        powers = np.stack([act.power for act in acts.values()])
        rules = [act.how for act in acts.values()]
        kinds = [rule for i, rule in enumerate(rules) if rule not in rules[:i]]
        kind = np.array([kinds.index(rule) for rule in rules])
        worlds, spent = [self.world], np.empty_like(powers)
        for who in places:
            tilts = []
            for k, how in enumerate(kinds):  # a rule may not suit the powers of other AIs
                own = np.where(kind[who] == k, powers[who, rows], 0.0)
                tilts.append(how(worlds[-1], utilities[who, rows], own))
            worlds.append(self.world.pick([tilt.world for tilt in tilts], kind[who]))
            spent[who, rows] = np.stack([tilt.spent for tilt in tilts])[kind[who], rows]
        self.world = worlds[-1]
        for i, name in enumerate(acts):
            place = np.argmax(places == i, axis=0)
            sight = Sight(self.world.pick(worlds[:-1], place), self.world.pick(worlds[1:], place))
            self._note_act(name, spent[i], place.astype(np.float64), sight)

    def _note_act(self, name: str, spent: Array, place: Array, sight: Sight) -> None:
        self.sights[name], self._order[name] = sight, place
        self._next |= {f"spent.{name}": spent, f"order.{name}": place}

    # --- what agents see, and what is noted -------------------------------------------------

    def view(self, agent: SUMAgent) -> View:
        """Return what an agent may see now."""
        aligner = isinstance(agent, Aligner)
        return View(
            step=max(self.steps - 1, 0),
            base=self.base,
            before=self.before,
            world=self.world,
            power=self._power,
            utility={agent.name: agent.utility} if isinstance(agent, Actor) else {},
            goal=self.goal,
            budget=self._shares(agent.ais) if aligner else {},
            sights={ai: self.sights[ai] for ai in agent.ais if ai in self.sights}
            if aligner
            else {},
            audits={ai: partial(self._audit, self.ais[ai]) for ai in agent.ais} if aligner else {},
            readings={ai: self.ais[ai].reading for ai in agent.ais} if aligner else {},
            certainty=agent.certainty if isinstance(agent, AI) else {},
            order=self._order,
            kept=self._kept,
            added=self._added,
            activation=self.spec.activation,
            dynamics=self.spec.world.dynamics,
        )

    def _audit(self, ai: AI) -> Sight:
        """Show what an AI would do if it thought that nobody looked, in a copy of the world."""
        act = ai.unwatched(replace(self.view(ai), world=self.before))
        return _shown(self.before, act)

    def _shares(self, ais: tuple[str, ...]) -> dict[str, Array]:
        """Return ι by AI: ``min(Σ powers of these AIs, Σ powers of humans)`` by their powers."""
        humans = sum((human.power for human in self.humans.values()), self._zero)
        total = sum((self._power[ai] for ai in ais), self._zero)
        rate = np.minimum(1.0, humans / np.where(total > 0.0, total, 1.0))
        return {ai: rate * self._power[ai] for ai in ais}

    def _aim_at_humans(self) -> None:
        """Set the goal v_Y, the power-weighted mean of the humans' utilities, if it has moved.

        An aligner may compare goals by identity: the array is new only when its values are.
        """
        total = sum((human.power for human in self.humans.values()), self._zero)
        equal = 1.0 / len(self.humans)
        weights = [
            np.where(total > 0.0, human.power / np.where(total > 0.0, total, 1.0), equal)
            for human in self.humans.values()
        ]
        if self._weights and all(map(np.array_equal, weights, self._weights)):
            return
        self._weights = weights
        aims = [human.aim for human in self.humans.values()]
        if len(aims) == 1:
            self.goal = aims[0]
            self._welfare = self.base.colour(self.goal)
            return
        mean = sum((w[:, None] * aim for w, aim in zip(weights, aims, strict=True)), np.zeros(()))
        length = np.sqrt(np.vecdot(mean, mean))
        cancelled = (length < 1e-12)[:, None]
        if np.any(cancelled):
            if not hasattr(self, "goal"):
                rule = "the humans' utilities cancel: their power-weighted mean has no direction"
                raise ScenarioError(f"scenario {self.spec.scenario}", [f"agents: {rule}"])
            mean = np.where(cancelled, self.goal, mean)  # until they differ again
            length = np.where(cancelled[:, 0], 1.0, length)
        self.goal = mean / length[:, None]
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
        for name, ai in self.ais.items():
            self._next[f"information.{name}"] = self._zero
            for aligner in self.aligners.values():
                belief = aligner.belief(ai, self.view(aligner)) if name in aligner.ais else None
                if belief is None:
                    continue
                believed = self._next.get(f"believed.{name}", belief.alignment)
                better = belief.information > self._next[f"information.{name}"]
                self._next |= {
                    f"believed.{name}": np.where(better, belief.alignment, believed),
                    f"information.{name}": np.where(
                        better, belief.information, self._next[f"information.{name}"]
                    ),
                }

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


def _mean(name: str, model: SUMModel) -> float:
    """Return the mean of what the model shows, over the replicates that go on."""
    values = model.shown[name]
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")


def _last_step(spec: Scenario) -> tuple[int, str]:
    """Return the last step at which every power has a finite value, and why no other follows it.

    The reason is empty where they all last as long as the scenario.
    """
    powers = [(path, part) for path, _, part in spec.components() if isinstance(part, Power)]
    path, first = min(powers, key=lambda found: found[1].ends)
    lasts = first.lasts(spec.steps)
    if lasts == spec.steps:
        return lasts - 1, ""
    name, what = path[1], str(path[-1]).replace("_", " ")
    return lasts - 1, f"the {what} of {name} has no finite value from step {first.ends:g} on"


def seed_of(rng: Any) -> int:
    """Return the seed that ``rng`` stands for: itself, or one drawn where it is None.

    A NumPy Generator gives its next 63-bit integer. Raises ValueError for anything else that is
    not a whole number of at least 0.
    """
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return int(rng)
    raise ValueError(f"a seed should be a whole number of at least 0, got {rng!r}")


def replicate_range(replicates: int | range) -> range:
    """Return the replicates' numbers: ``range(n)`` for a count n, or the range itself.

    Raises ValueError unless there is at least one, numbered from 0 to 2³² − 1 in steps of 1.
    """
    if isinstance(replicates, int | np.integer) and not isinstance(replicates, bool):
        replicates = range(int(replicates))
    if (
        not isinstance(replicates, range)
        or not 0 <= replicates.start < replicates.stop <= 2**32
        or replicates.step != 1
    ):
        raise ValueError(f"replicates should be a count from 1 or a range, got {replicates!r}")
    return replicates
