"""Power as somebody measured or imagined it, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sumabm.component import Objection
from sumabm.data import DataFile, read_series
from sumabm.power import MOST_NATS, Power

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class TablePower(Power):
    """A power for every step: a list in the scenario, or a column of a file.

    Row t is the power of step t. A scenario with more steps than rows is refused, unless the last
    row's power is held (``beyond = "hold"``); rows beyond the last step are not used.

    >>> TablePower(values=[1.0, 3.0, 2.0], beyond="hold").nats(7)
    2.0
    """

    kind = "table"

    values: Annotated[
        list[float] | None,
        Field(json_schema_extra={"unit": "nats"}, description="nats per action, a number per step"),
    ] = None
    file: Annotated[
        DataFile | None, Field(description="or a CSV, Parquet or NPY file, a row per step")
    ] = None
    column: Annotated[str | None, Field(description="the column of a CSV or Parquet file")] = None
    beyond: Annotated[
        Literal["refuse", "hold"],
        Field(description="steps after the last row are refused, or have its power"),
    ] = "refuse"

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Refuse a table that is none, that is too short, or whose numbers are no powers."""
        if (self.values is None) == (self.file is None):
            yield Objection((), "needs either values or a file", self.kind)
            return
        where = "values" if self.file is None else "file"
        try:
            rows = self._rows
        except ValueError as error:
            yield Objection((where,), str(error), getattr(self, where))
            return
        bad = [row for row, nats in enumerate(rows) if not 0.0 <= nats <= MOST_NATS]
        if bad:
            rule = f"a power should be from 0 to {MOST_NATS:g} nats; row {bad[0]} is not"
            yield Objection((where,), rule, rows[bad[0]])
        if self.beyond == "refuse" and len(rows) < scenario.steps:
            rule = f"has too few rows for {scenario.steps} steps; beyond = 'hold' holds the last"
            yield Objection((where,), rule, len(rows))

    @cached_property
    def _rows(self) -> tuple[float, ...]:
        """Read once: what was checked is what is used."""
        rows = self.values if self.file is None else read_series(self.file, self.column).tolist()
        if not rows or not isinstance(rows, list) or isinstance(rows[0], list):
            raise ValueError("should be one power per step, from the first one on")
        return tuple(rows)

    def nats(self, step: int) -> float:
        """Return row ``step``, or the last one beyond it."""
        return self._rows[min(step, len(self._rows) - 1)]

    def most(self, steps: int) -> float:
        """Return the largest of the rows that are used."""
        return max(self._rows[:steps])
