"""The page of what is stored: runs and batteries to open, and two runs to compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipyvuetify
import solara
import traitlets

from sumabm.browser.stored.shelf import Entry, Listing, Shelf


class ShelfWidget(ipyvuetify.VuetifyTemplate):
    """The widget: a list of runs and batteries that can be searched and chosen from."""

    template_file = (__file__, "list_page.vue")

    entries = traitlets.List([]).tag(sync=True)
    more = traitlets.Int(0).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    on_run = traitlets.Callable(None, allow_none=True)
    on_battery = traitlets.Callable(None, allow_none=True)
    on_compare = traitlets.Callable(None, allow_none=True)
    on_refresh = traitlets.Callable(None, allow_none=True)

    def vue_opened(self, data: Any) -> None:
        """Open the run or battery of that name, as far as it is in the list and whole."""
        entry = self._whole(data)
        if entry is not None:
            (self.on_battery if entry["kind"] == "battery" else self.on_run)(entry["name"])

    def vue_compared(self, data: Any) -> None:
        """Compare the two runs of these names."""
        chosen = [self._whole(name) for name in data] if isinstance(data, list) else []
        runs = [entry["name"] for entry in chosen if entry is not None and entry["kind"] == "run"]
        if len(runs) == 2:
            self.on_compare(*runs)

    def vue_refreshed(self, data: Any) -> None:
        """Read the folder again."""
        self.on_refresh()

    def _whole(self, name: Any) -> dict[str, Any] | None:
        found = (entry for entry in self.entries if entry["name"] == name)
        return next((entry for entry in found if not entry["problem"]), None)


@solara.component
def StoredPage(
    shelf: Shelf,
    on_open_run: Callable[[str], None],
    on_open_battery: Callable[[str], None],
    on_compare: Callable[[str, str], None],
) -> Any:
    """List what lies under the runs folder, the newest first; damaged folders say what is wrong."""
    turn, set_turn = solara.use_state(0)
    listed = solara.lab.use_task(
        shelf.entries, dependencies=[str(shelf.folder), turn], raise_error=False
    )
    found: Listing = listed.latest or Listing(())
    if listed.error:
        found = Listing((), problem=f"the runs folder cannot be read: {listed.exception!r}")
    return ShelfWidget.element(
        entries=[_row(entry) for entry in found.entries],
        more=found.more,
        busy=listed.pending,
        problem=found.problem,
        on_run=on_open_run,
        on_battery=on_open_battery,
        on_compare=on_compare,
        on_refresh=lambda: set_turn(turn + 1),
    )


def _row(entry: Entry) -> dict[str, str]:
    """Return an entry as the list shows it: with its numbers in words."""
    facts = []
    if entry.scenario:
        facts = [entry.scenario]
        facts += [_count(entry.points, "point")] * (entry.kind == "battery")
        facts += [_count(entry.replicates, "replicate"), _count(entry.steps, "step")]
        facts += [f"seed {entry.seed}"]
    return {
        "name": entry.name,
        "kind": entry.kind,
        "facts": " · ".join(facts),
        "description": entry.description,
        "when": entry.when,
        "problem": entry.problem,
    }


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
