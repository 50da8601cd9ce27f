"""The form: a scenario's controls on a page, by what they are of, with what is wrong in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import solara
from solara.components.input import use_change

from sumabm.browser.parameters.changes import Draft
from sumabm.browser.parameters.controls import RELATION, Control, controls, more
from sumabm.scenario import Scenario

_FIELD: dict[str, Any] = {"dense": True, "persistent_hint": True, "hide_details": "auto"}
_MOST_TOLD = 8  # problems: each of many agents may have one

Enter = Callable[[Control, object], None]


@solara.component
def Form(
    base: Scenario,
    overrides: Mapping[str, object],
    on_overrides: Callable[[dict[str, object]], None],
) -> Any:
    """Show the controls of a scenario, as its file has it, with overrides.

    A change calls ``on_overrides`` with all overrides once they validate; until then it is kept
    here, with what is wrong under its field. To be drawn again only when something changes,
    ``on_overrides`` should be the same function each time.
    """
    fresh = Draft(base, dict(overrides), dict(overrides))
    draft, keep = solara.use_state(fresh)
    if draft.base is not base or draft.ran != overrides:
        draft = fresh
    found = solara.use_memo(lambda: controls(base, draft.overrides), [base, draft.overrides])

    def enter(control: Control, entry: object) -> None:
        new = draft.enter(control, entry)
        if new.error is not None or new.overrides == overrides:
            keep(new)
        else:
            keep(replace(new, ran=new.overrides))
            on_overrides(new.overrides)

    def restore() -> None:
        keep(fresh)
        if overrides:
            on_overrides({})

    placed, others = draft.problems(found)
    with solara.v.Html(tag="div", class_="sumabm-form") as main:
        _Button("Back to the file's values", restore, draft.is_blank).key("back")
        if placed or others:
            _NotRun([*others, *_lines(found, placed)], lambda: keep(fresh)).key("not run")
        _Groups(found, draft, placed, enter).key(f"groups of {base.scenario}")
        if left := more(base):
            solara.v.Html(tag="p", class_="text-caption pa-2", children=[left])
    return main


@solara.component
def _Button(text: str, on_click: Callable[[], None], disabled: bool = False) -> None:
    solara.Button(text, on_click=on_click, disabled=disabled, outlined=True, small=True)


def _lines(found: list[Control], placed: Mapping[str, list[str]]) -> list[str]:
    """Return the problems as lines that name their fields."""
    return [
        f"{_title(control.group, control.role)} · {control.label}: {problem}"
        for control in found
        for problem in placed.get(control.path, [])
    ]


def _title(group: str, role: str) -> str:
    return group if role else group.capitalize()


def _what(fields: list[Control]) -> str:
    """Return what a panel's fields are of: a role, with how many agents, or a relation's kind."""
    first = fields[0]  # an agent's count, a relation's kind
    if first.role == RELATION:
        return str(first.value)
    word = {"ai": "AI"}.get(first.role, first.role)
    several = word and str(first.value).isdecimal() and first.value != "1"
    return f"{first.value} {word}s" if several else word


@solara.component
def _NotRun(lines: list[str], on_drop: Callable[[], None]) -> None:
    """Tell that the changes are not run yet, why, and how to be rid of them."""
    with solara.v.Alert(
        type="warning",
        border="left",
        colored_border=True,
        dense=True,
        icon=False,
        class_="my-2",
    ):
        text = "Not run yet. The run on show is the last that fitted."
        solara.v.Html(tag="div", class_="text-body-2", children=[text])
        with solara.v.Html(tag="ul", class_="text-caption my-1"):
            for line in lines[:_MOST_TOLD]:
                solara.v.Html(tag="li", children=[line])
            if len(lines) > _MOST_TOLD:
                solara.v.Html(tag="li", children=[f"and {len(lines) - _MOST_TOLD} problems more"])
        _Button("Drop these changes", on_drop)


@solara.component
def _Groups(
    found: list[Control], draft: Draft, placed: Mapping[str, list[str]], enter: Enter
) -> None:
    """Show a panel for the run, the world, each agent and relation; an agent's is open at first."""
    groups: dict[tuple[str, str], list[Control]] = {}
    for control in found:
        groups.setdefault((control.group, control.role), []).append(control)
    first_agent = [place for place, (_, role) in enumerate(groups) if role][:1]
    opened, set_opened = solara.use_state(first_agent)
    with solara.v.ExpansionPanels(
        v_model=opened, on_v_model=set_opened, multiple=True, accordion=True, flat=True
    ):
        for place, ((name, role), fields) in enumerate(groups.items()):
            with solara.v.ExpansionPanel():
                _Header(_title(name, role), fields, placed)
                with solara.v.ExpansionPanelContent(class_="pt-2"):
                    for control in fields if place in opened else []:  # closed, it needs no fields
                        entry = draft.refused.get(control.path, (control.value, ""))[0]
                        problems = placed.get(control.path, [])
                        _Field(control, entry, problems, enter).key(control.path)


@solara.component
def _Header(title: str, fields: list[Control], placed: Mapping[str, list[str]]) -> None:
    changed = sum(control.changed for control in fields)
    wrong = sum(len(placed.get(control.path, [])) for control in fields)
    marks = [("primary", f"{changed} changed")] * (changed > 0)
    marks += [("error", f"{wrong} wrong")] * (wrong > 0)
    with solara.v.ExpansionPanelHeader(class_="py-2 px-3"), solara.v.Html(tag="div"):
        solara.v.Html(tag="span", class_="font-weight-medium", children=[title])
        solara.v.Html(tag="span", class_="text-caption ml-2", children=[_what(fields)])
        for colour, text in marks:
            solara.v.Chip(children=[text], x_small=True, outlined=True, color=colour, class_="ml-2")


@solara.component
def _Field(control: Control, entry: Any, problems: list[str], enter: Enter) -> None:
    """Show the field of a control, with its problems or else what is to be known of it."""
    common = {
        **_FIELD,
        "label": control.label,
        "disabled": bool(control.fixed),
        "error_messages": problems,
        "hint": control.known(),
    }
    if control.sort == "switch":
        solara.v.Switch(
            v_model=entry,
            on_v_model=lambda value: enter(control, value),
            class_="mt-0 mb-5 pt-0",
            **common,
        )
    elif control.sort == "choice":
        none = [{"text": "none", "value": ""}] if control.optional else []
        solara.v.Select(
            v_model=entry,
            on_v_model=lambda value: enter(control, value),
            items=[*none, *({"text": text, "value": text} for text in control.choices)],
            menu_props={"maxHeight": "60vh"},
            outlined=True,
            class_="mb-3",
            **common,
        )
    else:
        _Typed(control, str(entry), common, enter)


@solara.component
def _Typed(control: Control, value: str, common: Mapping[str, Any], enter: Enter) -> None:
    """Show a field to type into; Enter, or leaving it, enters the text."""
    typing, set_typing = solara.use_state((value, value))  # what it was, and what is typed
    text = typing[1] if typing[0] == value else value

    def done(typed: str | None) -> None:
        set_typing((value, value))
        if (typed or "") != value:
            enter(control, typed or "")

    rows = {"rows": 1, "auto_grow": True} if control.sort == "text" else {"suffix": control.unit}
    field = (solara.v.Textarea if control.sort == "text" else solara.v.TextField)(
        v_model=text,
        on_v_model=lambda typed: set_typing((value, typed or "")),
        outlined=True,
        class_="mb-3",
        **common,
        **rows,
    )
    use_change(field, done, update_events=["focusout", "keyup.enter"])
