"""The control: an aligner that does nothing."""

from __future__ import annotations

from typing import Any

from sumabm.aligners import AlignerMethod, Edit
from sumabm.view import View


class NoAlignment(AlignerMethod[None]):
    """Watches nothing and edits nothing."""

    kind = "none"

    def edit(self, ais: tuple[str, ...], view: View, state: Any) -> dict[str, Edit]:
        """Return no edits."""
        return {}
