"""What the two Mesa peers share: one replicate per model, its agents, what is collected.

Plain Mesa, as its tutorials write it: a model of three agents, each holding NumPy vectors and
called by the model's step, a DataCollector of model reporters, `mesa.batch_run` over replicates.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mesa
import numpy as np

from sumabm.types import Array

REPORTERS = (
    "harm",
    "cumulative_harm",
    "alignment",
    "displacement",
    "welfare",
    "information",
    "believed",
    "spent",
)
"""What is collected after each step, by attribute of the model."""


class AI(mesa.Agent):  # type: ignore[misc]  # Mesa has no types
    """An AI: pushes the world's mean along its utility."""

    def __init__(self, model: Society, power: float) -> None:
        super().__init__(model)
        self.power = power
        self.utility = direction(model)

    def step(self) -> None:
        """Tilt the world: its mean moves by ``sqrt(2 O)``."""
        self.model.mean = self.model.mean + np.sqrt(2.0 * self.power) * self.utility


class Human(mesa.Agent):  # type: ignore[misc]
    """A human: takes the world back towards where the step began."""

    def __init__(self, model: Society, power: float) -> None:
        super().__init__(model)
        self.power = power
        self.utility = direction(model)

    def step(self) -> None:
        """Undo what the power reaches."""
        distance = float(np.linalg.norm(self.model.mean))
        reach = np.sqrt(2.0 * self.power)
        self.model.mean = self.model.mean * max(0.0, 1.0 - reach / distance)


class Aligner(mesa.Agent):  # type: ignore[misc]
    """An aligner; what it does each step is the scenario's."""

    information: float = 0.0
    believed: float = 0.0
    spent: float = 0.0

    @abstractmethod
    def step(self) -> None:
        """Edit the AI's utility."""


class Society(mesa.Model):  # type: ignore[misc]
    """An AI, a human and an aligner in a Gaussian world that resets each step."""

    aligner_class: type[Aligner]

    def __init__(
        self, seed: int = 0, dimensions: int = 100, steps: int = 50, **powers: float
    ) -> None:
        super().__init__(rng=np.random.default_rng(seed))
        self.dimensions, self.last = dimensions, steps
        self.mean = np.zeros(dimensions)
        self.ai = AI(self, powers.get("ai", 2.0))
        self.human = Human(self, powers.get("human", 1.0))
        self.aligner = self.aligner_class(self)
        self.cumulative_harm = 0.0
        self.datacollector = mesa.DataCollector(model_reporters={name: name for name in REPORTERS})

    def step(self) -> None:
        """Act, align, respond, measure."""
        self.mean = np.zeros(self.dimensions)
        self.alignment = self.ai.utility @ self.human.utility
        self.information, self.believed = self.aligner.information, self.aligner.believed
        self.ai.step()
        self.aligner.step()
        self.human.step()
        self.spent = self.aligner.spent
        self.measure()
        self.datacollector.collect(self)
        self.running = self.steps < self.last

    def measure(self) -> None:
        """Note regret: what an aligned society as far from base would have given, less what is."""
        length = float(np.linalg.norm(self.mean))
        self.welfare = self.mean @ self.human.utility
        self.displacement = 0.5 * length**2
        amplitude = max(length - float(self.welfare), 0.0) / np.sqrt(2.0)
        self.harm = amplitude**2
        self.cumulative_harm += self.harm


def direction(model: Society) -> Array:
    """Return a random unit vector ``(d,)``."""
    vector = model.rng.standard_normal(model.dimensions)
    return np.asarray(vector / np.linalg.norm(vector))


def run(
    model: type[Society], seeds: range, dimensions: int = 100, steps: int = 50
) -> list[dict[str, Any]]:
    """Return a row per replicate and step, as `mesa.batch_run` gives them."""
    rows: list[dict[str, Any]] = mesa.batch_run(
        model,
        {"seed": seeds, "dimensions": dimensions, "steps": steps},
        number_processes=1,
        data_collection_period=1,
        max_steps=steps,
        display_progress=False,
    )
    return rows
