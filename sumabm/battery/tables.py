"""The small tables of a battery file: what is kept, how work is cut, where an outcome flips."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from sumabm.component import Strict
from sumabm.scenario import MOST_STEPS

_SECONDS: dict[str, Any] = {"unit": "s"}
_STEPS: dict[str, Any] = {
    "anyOf": [{"enum": ["end", "all"]}, {"type": "integer", "minimum": 1, "maximum": MOST_STEPS}]
}


def _which(value: object) -> object:
    """Return a valid choice of steps; one rule, where a union would tell two."""
    if value in ("end", "all") or (type(value) is int and 1 <= value <= MOST_STEPS):
        return value
    rule = f"should be 'end', 'all' or a whole number of steps, 1 to {MOST_STEPS}"
    raise PydanticCustomError("steps", "{rule}", {"rule": rule})


class Keep(Strict):
    """What is kept of every run."""

    steps: Annotated[
        Literal["end", "all"] | int,
        PlainValidator(_which),
        WithJsonSchema(_STEPS),
        Field(
            description="'end' (each replicate's last step), 'all', or k: every k-th and the end"
        ),
    ] = "end"
    outcomes: Annotated[
        list[str], Field(description="variables, or columns of one agent; all if none is named")
    ] = []

    @property
    def every(self) -> int | None:
        """Return k where every k-th step is kept, None where only the end is."""
        if self.steps == "end":
            return None
        return 1 if self.steps == "all" else int(self.steps)

    def facts(self) -> dict[str, object]:
        """Return what of this changes the data that a chunk holds."""
        return {"every": self.every, "outcomes": sorted(set(self.outcomes))}


class Flip(Strict):
    """A crux: the parameter along which an outcome goes from what is tolerable to what is worse."""

    outcome: Annotated[
        str, Field(description="a variable, or a column of one agent, at each replicate's end")
    ]
    limit: Annotated[float, Field(description="what is tolerable, in the outcome's unit")]
    worse: Annotated[
        Literal["above", "below"], Field(description="which side of the limit is intolerable")
    ] = "above"
    over: Annotated[str, Field(description="the parameter, of numbers, that is the crux")]
    by: Annotated[
        str | None, Field(description="a parameter with a curve for each of its values")
    ] = None
    label: Annotated[
        str, Field(description="what figures call the crux, with its unit; by default its name")
    ] = ""


class Chunking(Strict):
    """How replicates are cut into chunks: what one worker does at a time, and one file."""

    seconds: Annotated[
        float,
        Field(gt=0.0, description="what a chunk should take, at least", json_schema_extra=_SECONDS),
    ] = 2.0
    replicates: Annotated[
        int | None, Field(ge=1, description="replicates in a chunk, in place of the time target")
    ] = None
    limit: Annotated[
        float,
        Field(
            gt=0.0,
            le=31_536_000.0,
            description="when a chunk counts as hung",
            json_schema_extra=_SECONDS,
        ),
    ] = 3600.0
