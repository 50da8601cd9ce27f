"""A Mesa model that does nothing, with as many agents and reporters as a scenario has."""

from __future__ import annotations

import mesa


class Idler(mesa.Agent):  # type: ignore[misc]  # Mesa has no types
    """An agent that adds one."""

    count = 0

    def step(self) -> None:
        """Add one."""
        self.count += 1


class Idle(mesa.Model):  # type: ignore[misc]
    """So many agents, so many reporters of a float each."""

    def __init__(self, agents: int = 3, reporters: int = 11) -> None:
        super().__init__(rng=0)
        self.value = 0.0
        Idler.create_agents(self, agents)
        names = [f"value_{i}" for i in range(reporters)]
        self.datacollector = mesa.DataCollector(model_reporters=dict.fromkeys(names, "value"))

    def step(self) -> None:
        """Let each agent add one, and collect."""
        self.agents.do("step")
        self.datacollector.collect(self)
