"""Where an agent's utility comes from."""

from __future__ import annotations

from abc import abstractmethod

from sumabm.component import Component
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.worlds import World


class Origin(Component):
    """How an agent comes by its utility."""

    @abstractmethod
    def start(self, base: World, draw: Draw) -> Array:
        """Return the agent's first utility in ``base``, ``(R, …)`` or one for all replicates.

        Its scale and constant are immaterial.
        """
