"""A utility given state by state: a table in the scenario, or a column of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from sumabm.component import Objection
from sumabm.data import DataFile, read_series
from sumabm.origins import Origin
from sumabm.streams import Draw
from sumabm.types import Array
from sumabm.worlds import World
from sumabm.worlds.states import DiscreteSpec

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class TableUtility(Origin[None]):
    """A utility for every state of a discrete world, as a reward model gives scores to samples."""

    kind = "table"

    values: Annotated[list[float] | None, Field(description="the utility of each state")] = None
    file: Annotated[
        DataFile | None, Field(description="or a CSV, Parquet or NPY file, a row per state")
    ] = None
    column: Annotated[str | None, Field(description="the column of a CSV or Parquet file")] = None

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a table that does not fit the world's states, or says nothing."""
        world = scenario.world
        if not isinstance(world, DiscreteSpec) or world.utilities != "free":
            rule = "a table of utilities needs a discrete world with utilities = 'free'"
            yield Objection((), rule, world.kind)
            return
        if (self.values is None) == (self.file is None):
            yield Objection((), "needs either values or a file", self.kind)
            return
        try:
            base = world.build(1)
        except ValueError:
            return  # the world says so itself
        try:
            utility = self._table()
        except ValueError as error:
            yield Objection(("file",), str(error), self.file)
            return
        where = "values" if self.file is None else "file"
        if utility.shape != base.log_probabilities.shape:
            rule = f"should have one utility per state, {base.log_probabilities.size}"
            yield Objection((where,), rule, f"{utility.shape}")
        elif not np.all(np.isfinite(utility)):
            yield Objection((where,), "utilities should be finite", where)
        elif base.spread(utility) == 0.0:
            yield Objection((where,), "should not be the same in all possible states", where)

    def _table(self) -> Array:
        if self.values is not None:
            return np.asarray(self.values, np.float64)
        return read_series(str(self.file), self.column)

    def start(self, base: World, draw: Draw) -> Array:
        """Return the table, ``(N,)``."""
        return self._table()
