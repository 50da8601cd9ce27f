"""The control: an aligner that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sumabm.aligners import AlignerMethod, Edit
from sumabm.component import Objection
from sumabm.view import View

if TYPE_CHECKING:
    from sumabm.scenario import Scenario


class NoAlignment(AlignerMethod[None]):
    """Watches nothing and edits nothing."""

    kind = "none"

    def objections(self, scenario: Scenario, agent: str | None) -> Iterator[Objection]:
        """Object to nothing."""
        yield from ()

    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return no edits."""
        return {}
