"""What happened in a run, in words, from its columns alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sumabm.browser.frame import Event, thinned
from sumabm.roles import AISpec, AlignerSpec
from sumabm.scenario import Scenario
from sumabm.types import Array

MARKS = (0.5, 0.9, 0.99)
"""Alignments that are worth a line."""

MOST_EVENTS = 200
"""Lines that a log has at most: the latest."""

_LOST = 0.01  # below a mark by so much is below it, and not about it
_HARM = 1e-6  # √nats: less is rounding
_MANY = 20  # AIs: of more, the log says how many there are
_SHARES = (0.1, 0.5, 0.9, 1.0)  # of many AIs, besides the first one

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Run:
    """The replicate on show: a column's values ``(count,)`` by its name."""

    spec: Scenario
    columns: Mapping[str, Array]
    shown: int

    def has(self, column: str) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> Array:
        return self.columns[column][:, self.shown]


def events(
    spec: Scenario, columns: Mapping[str, Array], shown: int, ended: str = ""
) -> tuple[Event, ...]:
    """Return the log of the replicate at place ``shown``, by step, at most `MOST_EVENTS` lines.

    ``columns`` are as in `frame.Frame`; ``ended`` is why the model stopped early, if it did. Of
    more than 20 AIs it is told how many of them have come to what. Empty before any step.
    """
    count = min((len(values) for values in columns.values()), default=0)
    if count == 0:
        return ()
    run = _Run(spec, columns, shown)
    found = [*_ais(run), *_aligners(run), *_harm(run), *_left_turn(run, count), *_done(run)]
    if ended:
        found.append(Event(count - 1, ended))
    found.sort(key=lambda event: event.step)
    left_out = len(found) - (MOST_EVENTS - 1)
    if left_out <= 1:
        return tuple(found)
    note = Event(found[left_out - 1].step, f"{left_out} earlier events are left out")
    return (note, *found[left_out:])


# --- AIs and aligners ----------------------------------------------------------------------------


def _ais(run: _Run) -> Iterator[Event]:
    ais = run.spec.names("ai")
    if len(ais) > _MANY:
        yield from _many_ais(run, ais)
        return
    for ai in ais:
        yield from _aligned(run, ai)
        yield from _turned(run, ai)
        yield from _stronger(run, ai)


def _aligned(run: _Run, ai: str) -> Iterator[Event]:
    if not run.has(f"alignment.{ai}"):
        return
    alignment = run[f"alignment.{ai}"]
    rises: dict[int, str] = {}
    falls: dict[int, str] = {}
    for mark in MARKS:
        swings = _swings(alignment >= mark, alignment < mark - _LOST)
        for nth, (step, is_up) in enumerate(swings):
            if is_up:  # of several marks at once, the highest
                rises[step] = f"{ai} is {mark} aligned{' again' if nth > 1 else ''}"
            elif nth > 0:  # and the lowest
                falls.setdefault(step, f"{ai} falls below alignment {mark}")
    yield from (Event(step, text) for step, text in [*rises.items(), *falls.items()])


def _turned(run: _Run, ai: str) -> Iterator[Event]:
    if run.has(f"turned.{ai}"):
        agent = run.spec.population[ai]
        assert isinstance(agent, AISpec)
        what = "was released" if agent.behaviour.kind == "sandboxed" else "turned"
        yield from _first(run[f"turned.{ai}"] > 0.5, f"{ai} {what}")


def _stronger(run: _Run, ai: str) -> Iterator[Event]:
    if not run.has(f"power.{ai}"):
        return
    power, humans = run[f"power.{ai}"], _humans(run)
    for nth, (step, is_up) in enumerate(_swings(power > humans, power <= humans)):
        if is_up:
            how = "surpasses" if nth > 0 else "begins above"
            yield Event(step, f"the power of {ai} {how} that of all humans")
        elif nth > 0:
            yield Event(step, f"the power of {ai} falls below that of all humans")


def _humans(run: _Run) -> Array:
    """Return the sum of the humans' powers ``(count,)``."""
    names = [f"power.{name}" for name in run.spec.names("human")]
    return sum((run[name] for name in names if run.has(name)), np.zeros(1))


def _aligners(run: _Run) -> Iterator[Event]:
    names = [name for name in run.spec.names("aligner") if run.has(f"spent.{name}")]
    if len(names) > _MANY:
        spent = _of_all(run, [f"spent.{name}" for name in names])
        yield from _counted(run, spent > 0.0, "aligners have edited")
        return
    for name in names:
        agent = run.spec.population[name]
        assert isinstance(agent, AlignerSpec)
        yield from _first(run[f"spent.{name}"] > 0.0, f"{name} makes its first edit")


# --- many AIs ------------------------------------------------------------------------------------


def _many_ais(run: _Run, ais: Sequence[str]) -> Iterator[Event]:
    """Tell how many AIs have come to what, at some of the steps only: see `thinned`."""
    for variable, told in _told(run):
        columns = [f"{variable}.{ai}" for ai in ais if run.has(f"{variable}.{ai}")]
        if columns:
            values = _of_all(run, columns)
            for least, what in told:
                yield from _counted(run, values >= least, what)


def _told(run: _Run) -> Iterator[tuple[str, list[tuple[float | Array, str]]]]:
    """Yield variables with the values ``(n, 1)`` that are worth telling of, and what to say."""
    yield "alignment", [(mark, f"AIs are {mark} aligned") for mark in MARKS]
    yield "turned", [(1.0, "AIs have turned or are released")]
    more = np.nextafter(_humans(run)[_chosen(run)], np.inf)[:, None]
    yield "power", [(more, "AIs have each more power than all humans")]


def _chosen(run: _Run) -> NDArray[np.intp]:
    return thinned(len(next(iter(run.columns.values()))))


def _of_all(run: _Run, columns: Sequence[str]) -> Array:
    """Return columns ``(n, A)`` at chosen steps."""
    chosen = _chosen(run)
    return np.stack([run.columns[column][chosen, run.shown] for column in columns], axis=1)


def _counted(run: _Run, reached: Mask, what: str) -> Iterator[Event]:
    """Tell when the first has reached it, and when certain shares of ``(n, A)`` have."""
    numbers, total = np.count_nonzero(reached, axis=1), reached.shape[1]
    places = {
        int(np.argmax(numbers >= least))
        for least in (1, *(np.ceil(share * total) for share in _SHARES))
        if numbers.max() >= least
    }
    for place in sorted(places):
        yield Event(int(_chosen(run)[place]), f"{numbers[place]} of {total} {what} by now")


# --- harm, the world, the end --------------------------------------------------------------------


def _harm(run: _Run) -> Iterator[Event]:
    if not run.has("harm_amplitude"):
        return
    amplitude = run["harm_amplitude"]
    for nth, (step, is_up) in enumerate(_swings(amplitude > _HARM, amplitude <= _HARM)):
        if is_up:
            yield Event(step, f"harm begins{' again' if nth > 1 else ''}")
        elif nth > 0:
            yield Event(step, "harm ends")


def _left_turn(run: _Run, count: int) -> Iterator[Event]:
    turn = getattr(run.spec.world, "left_turn", None)
    if turn is None or count <= turn.step:
        return
    only = ", in the AIs' utilities only" if turn.ai_first else ""
    yield Event(turn.step, f"the world gained {turn.dimensions} dimensions{only}")
    if turn.ai_first and count > turn.step + turn.ai_first:
        yield Event(turn.step + turn.ai_first, "the new dimensions are in the humans' utilities")


def _done(run: _Run) -> Iterator[Event]:
    if run.spec.stop is not None and run.has("harm"):
        mark = run.spec.stop.alignment
        yield from _first(np.isnan(run["harm"]), f"it is done: every AI is {mark:g} aligned")


# --- when ----------------------------------------------------------------------------------------


def _first(there: Mask, text: str) -> Iterator[Event]:
    """Tell of the first step at which it is there."""
    if there.any():
        yield Event(int(np.argmax(there)), text)


def _swings(up: Mask, down: Mask) -> list[tuple[int, bool]]:
    """Return the steps at which it is first up or down, and then each at which that changes.

    Where it is neither it stays as it was, and so it does where it is missing.
    """
    steps = np.flatnonzero(up | down)
    is_up = up[steps]
    changes = np.flatnonzero(np.diff(is_up, prepend=~is_up[:1]))
    return list(zip(steps[changes].tolist(), is_up[changes].tolist(), strict=True))
