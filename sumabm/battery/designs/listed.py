"""Points from a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sumabm.battery.designs import Design, Points, dimensions
from sumabm.battery.parameters import MOST_POINTS, Parameter
from sumabm.component import unknown
from sumabm.data import DataFile
from sumabm.toml import ScenarioError

_SHOWN = 20  # problems in one message


def _is_csv(path: str) -> str:
    if not path.endswith(".csv"):
        raise PydanticCustomError("csv", "should be a CSV file, .csv")
    return path


class Listed(Design):
    """The rows of a CSV file: a column for each parameter, named after it.

    A simplex has a column for each entry, ``name[0]``, ``name[1]`` and so on; a choice its labels,
    or its values where they are numbers.
    """

    kind = "listed"

    file: Annotated[
        DataFile, AfterValidator(_is_csv), Field(description="a CSV file beside the battery's")
    ]

    def lay_out(self, parameters: Mapping[str, Parameter], seed: int) -> Points:
        """Return the rows; raises ScenarioError, naming rows and columns, for what does not fit."""
        dimensions(parameters)
        columns = {name: list(each.columns(name, [])) for name, each in parameters.items()}
        header, rows = self._table()
        places = self._places(header, [c for each in columns.values() for c in each])
        values: dict[str, list[Any]] = {name: [] for name in parameters}
        found: list[str] = []
        for line, row in rows:
            if len(row) != len(header):
                found.append(f"row {line}: has {len(row)} cells under {len(header)} names")
                continue
            for name, parameter in parameters.items():
                cells = [row[places[column]] for column in columns[name]]
                try:
                    values[name].append(parameter.read(cells))
                except ValueError as error:
                    where = ", ".join(columns[name])
                    found.append(f"row {line}, column {where}: {error} (got {', '.join(cells)!r})")
        if found:
            more = [f"and {len(found) - _SHOWN} problems more"] if len(found) > _SHOWN else []
            raise ScenarioError(self.file, found[:_SHOWN] + more)
        return Points(values, {})

    def _table(self) -> tuple[list[str], list[tuple[int, list[str]]]]:
        """Return the header and the rows that are not blank, with their line numbers."""
        try:
            with Path(self.file).open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, strict=True)
                header = [name.strip() for name in next(reader, [])]
                lines = ((reader.line_num, row) for row in reader if row)
                rows = list(islice(lines, MOST_POINTS + 1))
        except (OSError, UnicodeError, csv.Error) as error:
            raise ScenarioError(self.file, [f"cannot be read as a table: {error}"]) from None
        if not rows or len(rows) > MOST_POINTS:
            raise ScenarioError(self.file, [f"should have from 1 to {MOST_POINTS} rows of points"])
        return header, rows

    def _places(self, header: list[str], columns: list[str]) -> dict[str, int]:
        """Return where each column is; raises ScenarioError unless all are there, once, alone."""
        found = [f"has no column {name!r}" for name in columns if name not in header]
        for position, name in enumerate(header):
            if name not in columns:
                rule = unknown("column", name, columns).message()
                found.append(f"column {name!r}: {rule}")
            elif name in header[:position]:
                found.append(f"column {name!r} is there twice")
        if found:
            raise ScenarioError(self.file, found[:_SHOWN])
        return {name: position for position, name in enumerate(header)}
