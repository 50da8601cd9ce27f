"""The roles of agents, as a scenario file has them: AIs, humans and aligners."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from sumabm.aligners import AlignerMethod
from sumabm.behaviours import Behaviour
from sumabm.behaviours.honest import Honest
from sumabm.component import Component, Slot
from sumabm.origins import Origin
from sumabm.origins.fixed import Fixed
from sumabm.power import Power
from sumabm.responses import Response, Undo

MOST_AGENTS = 10_000

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class AgentSpec(Component):
    """An agent of a scenario, by its role; or several that differ only in what is drawn."""

    tag: ClassVar[str] = "role"
    later: ClassVar[tuple[str, ...]] = ("count",)

    count: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_AGENTS,
            description="how many there are, X1, X2, … of an entry X; by default one, X itself",
        ),
    ] = None


class AISpec(AgentSpec):
    """An AI: acts on the world by its own utility."""

    kind = "ai"

    power: Annotated[Power, Slot(Power), Field(description="nats per action")]
    utility: Annotated[
        Origin[Any], Slot(Origin), Field(description="where its utility comes from")
    ] = Fixed()
    behaviour: Annotated[
        Behaviour[Any], Slot(Behaviour), Field(description="how it acts on its utility")
    ] = Honest()


class HumanSpec(AgentSpec):
    """A human: harm is what happens to it; it responds to what the AIs did."""

    kind = "human"

    power: Annotated[Power, Slot(Power), Field(description="nats per action")]
    utility: Annotated[
        Origin[Any], Slot(Origin), Field(description="where its utility comes from")
    ] = Fixed()
    response: Annotated[
        Response, Slot(Response), Field(description="what it does after the AIs acted")
    ] = Undo()


class AlignerSpec(AgentSpec):
    """An aligner: watches AIs and re-aims their utilities at the humans'."""

    kind = "aligner"
    later: ClassVar[tuple[str, ...]] = ("count", "serves")

    method: Annotated[AlignerMethod[Any], Slot(AlignerMethod), Field(description="how it works")]
    oversees: Annotated[
        list[str] | None,
        Field(
            description="the AIs it watches and edits, by agent or entry; by default all of them, "
            'or those that the relation "oversight" says'
        ),
    ] = None
    serves: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            description="the humans at whose power-weighted mean utility it aims, by agent or "
            "entry; by default all of them",
        ),
    ] = None


def members(entry: str, count: int | None) -> tuple[str, ...]:
    """Return the names of the agents that an entry of a scenario stands for.

    >>> members("X", None), members("X", 2)
    (('X',), ('X1', 'X2'))
    """
    return (entry,) if count is None else tuple(f"{entry}{i}" for i in range(1, count + 1))
