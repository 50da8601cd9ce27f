"""A scenario's relations at work in a model: each asked in file order, its state kept."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sumabm.agents import mean_aim
from sumabm.behaviours import Act
from sumabm.oversight import CANCELLED, Mandate, Relation, Society
from sumabm.types import Array
from sumabm.view import Sight

if TYPE_CHECKING:
    from sumabm.agents import Aligner
    from sumabm.model import SUMModel


class Service(NamedTuple):
    """What an aligner aims at, its nats ι by AI, and the looks that it is lent."""

    goal: Array
    budget: Mapping[str, Array]
    looks: int


class Bonds:
    """The relations of a model's scenario; without any, aligners serve all humans by the rule.

    ``acting`` are the powers with which agents act, ``services`` what each aligner may do.
    """

    acting: Mapping[str, Array]
    services: dict[str, Service]

    def __init__(self, model: SUMModel) -> None:
        self._model = model
        self._states: dict[str, Any] = {}
        self._relations: dict[str, Relation[Any]] = {}
        self._asked: dict[str, list[tuple[str, Relation[Any]]]] = {}
        self._known: tuple[Array, ...] = ()
        self.acting = {a.name: a.power for a in (*model.ais.values(), *model.humans.values())}
        self.services = {}

    def begin(self) -> None:
        """Set up all relations, once the AIs are there."""
        spec, society = self._model.spec, self._society()
        self._states = {name: one.begin(spec, society) for name, one in spec.relations.items()}
        self._relations, self._asked = spec.relations, {}

    def _all(self, hook: str) -> list[tuple[str, Relation[Any]]]:
        """Return the relations, by name, that have something to say at a hook."""
        if hook not in self._asked:
            default = getattr(Relation, hook)
            self._asked[hook] = [
                (name, one)
                for name, one in self._relations.items()
                if getattr(type(one), hook) is not default
            ]
        return self._asked[hook]

    def agreed(self, acts: dict[str, Act]) -> tuple[dict[str, Act], dict[str, Array]]:
        """Return what AIs do once they have spoken, and what is to be recorded, by column."""
        columns: dict[str, Array] = {}
        for name, relation in self._all("agreed"):
            acts, told = relation.agreed(acts, self._society(), self._states[name])
            columns |= told
        return acts, columns

    def settled(self) -> dict[str, Array]:
        """Return the aims of AIs that change at the end of a step."""
        found: dict[str, Array] = {}
        for name, relation in self._all("settled"):
            society = self._society(found)
            aims, self._states[name] = relation.settled(society, self._states[name])
            found |= aims
        return found

    def powers(self) -> dict[str, Array]:
        """Return the next powers of those agents whose power a relation sets."""
        found: dict[str, Array] = {}
        for name, relation in self._all("powers"):
            found |= relation.powers(self._society(ahead=True), self._states[name])
        return found

    def serve(self) -> None:
        """Note the powers that agents act with, and what each aligner aims at and may spend.

        Unless a power or the goal has moved, or AIs lend, all is as it was. An aligner's goal is
        the same array as before where its values are: methods may compare goals by identity.
        """
        model = self._model
        power = {a.name: a.power for a in (*model.ais.values(), *model.humans.values())}
        given = (model.goal, *power.values())
        same = len(given) == len(self._known) and all(map(operator.is_, given, self._known))
        if same and not self._all("help"):
            return
        self._known, lent = given, self._lent()
        self.acting = {**power, **{ai: power[ai] - nats for ai, nats in lent.items()}}
        for name, aligner in model.aligners.items():
            served = [model.humans[human] for human in aligner.humans]
            mandate = self._mandate(name)
            nats = mandate.part * sum((h.power for h in served), np.zeros_like(given[-1]))
            goal = model.goal
            if len(served) < len(model.humans):
                goal = mean_aim(served, goal)
            goal, nats, looks = self._helped(aligner, goal, nats)
            if (before := self.services.get(name)) and np.array_equal(before.goal, goal):
                goal = before.goal
            shares = _shares({ai: power[ai] for ai in aligner.ais}, nats, mandate.over)
            self.services[name] = Service(goal, shares, looks)

    def _lent(self) -> dict[str, Array]:
        """Return the nats of their power that AIs do not act with."""
        found: dict[str, Array] = {}
        for name, relation in self._all("lent"):
            found |= relation.lent(self._society(ahead=True), self._states[name])
        return found

    def _mandate(self, aligner: str) -> Mandate:
        """Return what an aligner may spend of the humans' power, and over whom."""
        for name, relation in self._all("mandate"):
            if mandate := relation.mandate(aligner, self._states[name]):
                return mandate
        return Mandate(1.0, None)

    def shown(self, aligner: str, sights: Mapping[str, Sight]) -> Mapping[str, Sight]:
        """Return what an aligner gets to see of the acts of its AIs."""
        for name, relation in self._all("shown"):
            sights = relation.shown(aligner, sights, self._society(), self._states[name])
        return sights

    def _helped(self, aligner: Aligner, goal: Array, nats: Array) -> tuple[Array, Array, int]:
        """Return an aligner's goal, nats and looks more, given those of the humans it serves."""
        looks = 0
        if not self._all("help"):
            return goal, nats, looks
        pull, lent = nats[:, None] * goal, np.zeros_like(nats)
        for name, relation in self._all("help"):
            society = self._society(ahead=True)
            if help_ := relation.help(aligner.name, society, self._states[name]):
                pull, lent, looks = pull + help_.pull, lent + help_.nats, looks + help_.looks
        if not lent.any():
            return goal, nats, looks
        length = np.sqrt(np.vecdot(pull, pull))
        there = (length > CANCELLED * (nats + lent))[:, None]
        return (
            np.where(there, pull / np.where(there, length[:, None], 1.0), goal),
            nats + lent,
            looks,
        )

    def _society(self, newer: Mapping[str, Array] = {}, *, ahead: bool = False) -> Society:
        """Return the agents as they are in this step, or ``ahead`` of the next one."""
        model = self._model
        aims = {name: ai.subject.aim for name, ai in model.ais.items()}
        aims |= {name: human.aim for name, human in model.humans.items()}
        return Society(
            step=model.steps if ahead else max(model.steps - 1, 0),
            base=model.base,
            goal=model.goal,
            power={a.name: a.power for a in (*model.ais.values(), *model.humans.values())},
            aim={**aims, **newer},
        )


def _shares(
    powers: Mapping[str, Array], nats: Array, over: Mapping[str, float] | None
) -> dict[str, Array]:
    """Return ι by AI: ``min(Σ powers, nats)``, in proportion to powers, or to what ``over`` has."""
    total = sum(powers.values(), np.zeros_like(nats))
    if over is not None:
        return {ai: np.minimum(total, nats) * over[ai] for ai in powers}
    rate = np.minimum(1.0, nats / np.where(total > 0.0, total, 1.0))
    return {ai: rate * power for ai, power in powers.items()}
