"""The page of two stored runs, side by side on shared axes, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import solara

from sumabm.browser.chart import Chart
from sumabm.browser.frame import Frame
from sumabm.browser.panels import pictures
from sumabm.browser.picture import Picture
from sumabm.browser.stored.differences import Difference, Paired, differences, paired
from sumabm.browser.stored.reading import read
from sumabm.browser.stored.replay import Replay, stored_spec
from sumabm.browser.stored.scrubber import Scrubber
from sumabm.browser.stored.shared_axes import on_shared_axes
from sumabm.browser.stored.shelf import Shelf
from sumabm.browser.stored.table import Table
from sumabm.files import RunError

_STYLE = """
.sumabm-pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 20px; margin-bottom: 16px; }
.sumabm-pair > * { min-width: 0; }
@media (max-width: 700px) { .sumabm-pair { grid-template-columns: 1fr; } }
"""
_MOST_LINES = 40  # of differences

Drawn = dict[str, Picture]


class Pair(NamedTuple):
    """Two runs that are compared: both, how they differ, and their panels at their ends."""

    replays: tuple[Replay, Replay]
    ends: tuple[Drawn, Drawn]
    differences: list[Difference]
    paired: list[Paired]
    unpaired: str


def open_pair(shelf: Shelf, a: str, b: str) -> Pair | str:
    """Return two runs of a shelf, or what is wrong with them, in words."""
    replays, problems = [], []
    for name in (a, b):
        try:
            run = shelf.open_run(name)
            replays.append(Replay(run, stored_spec(run, shelf.data)))
        except RunError as error:
            problems.append(f"{name}: {str(error).removeprefix(f'{name}: ')}")
    if problems:
        return "; ".join(dict.fromkeys(problems))
    first, second = replays
    lines, unpaired = paired(first.run, second.run)
    for replay in replays:
        replay.seek(replay.length)
    ends = (drawn(first.frame()), drawn(second.frame()))
    return Pair((first, second), ends, differences(first.run, second.run), lines, unpaired)


def drawn(frame: Frame) -> Drawn:
    """Return a frame's panels by name."""
    return dict(pictures(frame))


@solara.component
def ComparePage(shelf: Shelf, a: str, b: str) -> None:
    """Show two runs side by side: what differs, and their panels with one scrubber for both."""
    solara.Style(_STYLE)
    opened = read(
        lambda: open_pair(shelf, a, b),
        [str(shelf.folder), a, b],
        "Reading two runs …",
        "These cannot be compared",
    )
    if opened is not None:
        _Compared(opened, (a, b)).key(f"{a} {b}")


@solara.component
def _Compared(pair: Pair, names: Sequence[str]) -> None:
    last = max(replay.length for replay in pair.replays)
    at, set_at = solara.use_state(last)
    with solara.Column(gap="8px"):
        _Differing(pair, names)
        Scrubber(last, at, set_at, plays=True)
        _Panels(pair, names, at)
        _Outcomes(pair)


@solara.component
def _Differing(pair: Pair, names: Sequence[str]) -> None:
    """Say what was asked differently."""
    if not pair.differences:
        solara.Text("The two were asked for the same, seed and replicates included.")
    else:
        rows = [tuple(line) for line in pair.differences[:_MOST_LINES]]
        Table("What differs between the two", ("", *names), rows)
        if left := len(pair.differences) - len(rows):
            solara.Text(f"and {left} more")


@solara.component
def _Panels(pair: Pair, names: Sequence[str], at: int) -> None:
    """Draw the panels that both runs have, each pair on the same axes."""
    found = []
    for replay in pair.replays:
        replay.seek(at)
        found.append(drawn(replay.frame()))
    first, second = found
    late = [replay for replay in pair.replays if replay.behind]

    def catch_up() -> None:
        for replay in late:
            replay.catch_up()

    solara.lab.use_task(
        catch_up,
        dependencies=[at if late else None],  # when it is done this is drawn again
        raise_error=False,
    )
    for note in dict.fromkeys(replay.note for replay in pair.replays if replay.note):
        solara.Text(note)
    for panel in [name for name in first if name in second]:
        ends = [end[panel] for end in pair.ends if panel in end]
        both = on_shared_axes([first[panel], second[panel]], ends)
        with solara.Div(classes=["sumabm-pair"]):
            for place, (name, picture) in enumerate(zip(names, both, strict=True)):
                titled = picture._replace(title=f"{picture.title}: {name}")
                Chart(titled, f"{name}-{panel}").key(f"{place} {panel}")


@solara.component
def _Outcomes(pair: Pair) -> None:
    """Say what came out differently, replicate by replicate."""
    if pair.unpaired:
        solara.Text(f"Their replicates do not pair: {pair.unpaired}")
        return
    heads = ("at the end", "second less first", "unit", "pairs", "correlation")
    rows = [(p.outcome, p.difference, p.unit, str(p.pairs), p.correlation) for p in pair.paired]
    Table("Replicate by replicate: mean ± standard error", heads, rows)
