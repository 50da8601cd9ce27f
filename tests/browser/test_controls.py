"""A scenario's controls, made from its components' fields; entries; the form that shows them."""

import gc
import time
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import ipyvuetify
import pytest
import solara
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field

from sumabm import ScenarioError, load_scenario
from sumabm.behaviours import Behaviour
from sumabm.browser.address import Address
from sumabm.browser.parameters.changes import Draft, entered, put_override, told
from sumabm.browser.parameters.controls import MOST_ENTRIES, RELATION, controls, more
from sumabm.browser.parameters.form import Form
from sumabm.browser.parameters.takes import kinds, made_of_parts, start, takes
from sumabm.browser.parameters.words import MOST_TYPED, shown
from sumabm.component import Slot, Strict, members
from sumabm.data import DataFile
from sumabm.graphs import Graph
from sumabm.oversight import Relation
from sumabm.power import Power
from sumabm.scenario import Scenario, library
from sumabm.toml import override_value
from sumabm.worlds import WorldSpec

SHIPPED = sorted(path.stem for path in library().glob("*.toml"))


def control(path, base="essay", overrides=MappingProxyType({})):
    found = {one.path: one for one in controls(load_scenario(base), overrides)}
    return found[path]


def changed(path, entry, base="essay", overrides=MappingProxyType({})):
    one = control(path, base, overrides)
    return put_override(load_scenario(base), overrides, one, entered(one, entry))


@pytest.fixture
def step():
    """A component that a user defined in a session, with fields of every sort."""

    class Part(Strict):
        weight: Annotated[float, Field(gt=0.0, lt=2.0)]

    class Step(Power):
        """Power that starts late."""

        kind: ClassVar[str] = "step-of-the-controls-tests"

        value: Annotated[
            float, Field(ge=0.0, description="from then on", json_schema_extra={"unit": "nats"})
        ]
        start_at: Annotated[int, Field(ge=3, le=9)]
        mode: Literal["soft", "hard"]
        order: Literal[1, 2] = 1
        sudden: bool
        maybe: bool | None = None
        name: str = "true"
        part: Part
        extra: Annotated[Power, Slot(Power)]
        many: list[Annotated[Power, Slot(Power)]] = []
        files: Annotated[list[DataFile], Field(description="never read")] = []

        def nats(self, step):
            return self.value if step >= self.start_at else 0.0

    yield Step
    del Step, Part
    gc.collect()  # rooms know their members as long as somebody holds them


# --- controls ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_control_set_to_its_own_value_changes_nothing(name):
    base = load_scenario(name)
    found = controls(base)
    assert len({one.path for one in found}) == len(found)
    for one in found:
        assert not one.changed
        if one.fixed:
            with pytest.raises(ValueError, match="file"):
                entered(one, one.value)
            continue
        value = entered(one, one.value)
        assert put_override(base, {}, one, value) == {}
        if one.part is None:
            assert base.replace({one.path: value}).identity() == base.identity()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_choice_is_valid_or_told_at_a_control(name):
    base = load_scenario(name)
    for one in controls(base):
        for choice in one.choices:
            overrides = put_override(base, {}, one, entered(one, choice))
            found = controls(base, overrides)
            assert next(other.value for other in found if other.path == one.path) == choice
            try:
                base.replace(overrides)
            except ScenarioError as error:
                placed, others = told(error, found)
                assert placed
                assert not others
            back = next(other for other in found if other.path == one.path)
            assert put_override(base, overrides, back, entered(back, one.value)) == {}


def test_a_control_tells_what_its_field_tells():
    value = control("agents.X.power.value")
    assert value[:6] == ("agents.X.power.value", "X", "ai", "power · value", "number", "2")
    assert (value.unit, value.about, value.bounds) == ("nats", "nats per action", "≥ 0")
    assert control("agents.X.behaviour.fraction", "sandbox").bounds == "> 0, ≤ 1"
    assert control("world.dimensions").bounds == "≥ 2, ≤ 10,000,000"
    assert set(control("agents.X.power.kind").choices) == set(members(Power))
    assert control("activation").sort == "choice"
    assert control("activation").group == "run"
    assert control("agents.W.method.cap").value is True
    assert control("agents.W.method.cap").sort == "switch"
    assert control("world.kind").label == "kind"
    assert control("world.kind").group == "world"
    assert control("agents.Y.utility.direction", "causal").value == "[0, 0, 0, 0, 1]"
    assert control("world.noise", "causal").value.startswith("{ income = 1, ")


def test_what_the_file_has_is_told_where_it_is_changed():
    one = control("agents.X.power.value", overrides={"agents.X.power.value": 0.25})
    assert one.changed
    assert one.known() == "nats per action · ≥ 0 · in the file: 2"
    switch = control("stop", overrides={"stop": {"alignment": 0.5}})
    assert switch.known().endswith("in the file: off")
    gone = control("agents.X.power.rate", overrides={"agents.X.power": {"kind": "exponential"}})
    assert gone.original is None
    assert not gone.changed
    assert gone.value == ""


def test_data_files_are_shown_by_name_and_not_changed():
    one = control("world.file", "reward-model")
    assert one.value == "reward-model.csv"
    assert one.fixed
    for entry in ("../../etc/passwd", "/etc/passwd", "data/reward-model.csv", one.value, ""):
        with pytest.raises(ValueError, match="names a file"):
            entered(one, entry)
    assert "table" in control("world.kind", "reward-model").choices  # the file has it
    assert "table" not in control("world.kind").choices  # it could not be filled in
    assert "table" in control("agents.X.power.kind").choices  # it needs no file


def test_of_a_thousand_agents_a_few_have_controls():
    table = load_scenario("essay").model_dump()
    table["agents"] = {f"X{i}": table["agents"]["X"] for i in range(1000)} | {
        "Y": table["agents"]["Y"]
    }
    base = Scenario.model_validate(table)
    start_at = time.perf_counter()
    found = controls(base)
    assert time.perf_counter() - start_at < 0.5
    agents = {one.group for one in found if one.role}
    assert agents == {"Y", *(f"X{i}" for i in range(MOST_ENTRIES))}
    assert more(base) == "988 more AIs: change them in the file"
    assert more(load_scenario("many")) == ""


def test_each_relation_has_controls_after_those_of_agents():
    found = controls(load_scenario("overseers"))
    groups = list(dict.fromkeys((one.group, one.role) for one in found))
    assert groups[-2:] == [("W", "aligner"), ("watch", RELATION)]
    labels = {one.path: one.label for one in found if one.role == RELATION}
    assert labels == {
        "relations.watch.kind": "kind",
        "relations.watch.graph.kind": "graph",
        "relations.watch.budget": "budget",
        "relations.watch.split": "split",
    }
    kind = control("relations.watch.kind", "overseers")
    assert set(kind.choices) == set(members(Relation))
    assert kind.about.startswith("Aligners on a graph")  # what the one that is chosen does
    graph = control("relations.watch.graph.kind", "overseers")
    assert set(graph.choices) == set(members(Graph)) - {"file"}
    edges = control("relations.help.graph.edges", "nested-oversight")
    assert (edges.sort, edges.value, edges.optional) == ("text", '[["A", "W2"]]', False)
    among = control("relations.talk.among", "consensus")
    oversees = control("agents.W.oversees", "consensus")
    assert (among.sort, among.optional) == (oversees.sort, oversees.optional) == ("text", True)
    assert not any(one.path == "relations" for one in found + controls(load_scenario("essay")))


def test_entries_have_a_count():
    count = control("agents.X.count", "overseers", {"agents.X.count": 12})
    assert (count.sort, count.value, count.bounds) == ("whole", "12", "≥ 1, ≤ 10,000")
    assert "how many there are" in count.known()
    assert count.known().endswith("in the file: 8")
    assert control("agents.Y.count", "overseers").value == ""
    alone = changed("agents.X.count", "", "overseers")
    assert load_scenario("overseers", alone).names("ai") == ("X",)
    assert changed("agents.X.count", "8", "overseers", alone) == {}
    one = control("agents.Y.count", "overseers", {"agents.Y.count": 2})
    assert one.known().endswith("may be left empty · in the file: empty")


def test_what_has_no_controls_is_counted():
    table = load_scenario("overseers").model_dump()
    table["relations"] |= {
        f"talk{i}": {"kind": "consensus", "graph": "ring"} for i in range(2 * MOST_ENTRIES)
    }
    table["agents"] |= {
        f"Z{i}-": {"role": "ai", "power": 1.0, "count": 3} for i in range(MOST_ENTRIES)
    }
    base = Scenario.model_validate(table)
    without = "3 more AIs, 13 more relations: change them in the file"
    assert more(base) == without  # the thirteenth entry, with its three agents
    shown_ones = {one.group for one in controls(base) if one.role == RELATION}
    assert shown_ones == {"watch", *(f"talk{i}" for i in range(MOST_ENTRIES - 1))}
    assert more(load_scenario("overseers", {"agents.X.count": 300})) == ""


def test_a_component_of_ones_own_has_controls(step):
    assert step.kind in control("agents.X.power.kind").choices
    overrides = changed("agents.X.power.kind", step.kind)
    spec = load_scenario("essay").replace(overrides)  # all that it requires was filled in
    assert spec.agents["X"].power.nats(9) == 0.5 or spec.agents["X"].power.value == 2.0
    found = {
        one.path.removeprefix("agents.X.power."): one
        for one in controls(load_scenario("essay"), overrides)
        if one.path.startswith("agents.X.power.")
    }
    sorts = {path: one.sort for path, one in found.items()}
    assert sorts == {
        "kind": "choice",
        "value": "number",
        "start_at": "whole",
        "mode": "choice",
        "order": "choice",
        "sudden": "switch",
        "maybe": "choice",
        "name": "word",
        "part.weight": "number",
        "extra.kind": "choice",
        "extra.value": "number",
        "many": "text",
        "files": "text",
    }
    assert found["many"].fixed
    assert found["files"].fixed
    assert entered(found["order"], "2") == 2
    assert entered(found["maybe"], "true") is True
    assert entered(found["maybe"], "") is None
    assert entered(found["name"], "3") == "3"  # a word is a word
    with pytest.raises(ValueError, match="one of 1, 2"):
        entered(found["order"], "3")
    deep = put_override(load_scenario("essay"), overrides, found["extra.kind"], "logistic")
    deep = put_override(load_scenario("essay"), deep, found["part.weight"], 1.5)
    power = load_scenario("essay").replace(deep).agents["X"].power
    assert power.part.weight == 1.5
    assert power.extra.kind == "logistic"


# --- what a field takes ------------------------------------------------------------------------


def test_types_are_seen_through_their_wrappings():
    what = takes(Annotated[Annotated[int, Field(ge=2)] | None, Field(description="x")])
    assert (what.type, what.optional, what.bounds()) == (int, True, "≥ 2")
    assert takes(Literal["a", None]).literals == ("a",)
    assert takes(Literal["a", None]).optional
    assert takes(bool | None).literals == (True, False)
    assert takes(list[float] | Literal["x"]).literals == ()


def test_files_and_components_are_found_in_lists():
    assert made_of_parts(list[DataFile])
    assert made_of_parts(dict[str, tuple[int, DataFile | None]])
    assert made_of_parts(list[Annotated[Power, Slot(Power)]])
    assert not made_of_parts(list[tuple[str, str, float]] | Literal["identity"])


def test_kinds_start_with_what_they_require():
    assert start(members(Power)["exponential"]) == {"initial": 0.5, "rate": 0.01}
    assert start(members(Power)["exponential"], {"initial": 3.0})["initial"] == 3.0
    assert start(members(Power)["exponential"], {"initial": -3.0})["initial"] == 0.5
    assert start(members(Behaviour)["sandboxed"])["inner"]["kind"] == "honest"  # can be led into
    assert "table" in kinds(Power)
    assert "table" not in kinds(WorldSpec)  # a file is all that it is


# --- entries -----------------------------------------------------------------------------------


def test_entries_are_read_as_their_fields_ask():
    assert entered(control("steps"), " 3 ") == 3
    assert entered(control("agents.X.power.value"), "3") == 3.0
    assert entered(control("agents.W.oversees"), "") is None
    assert entered(control("agents.W.oversees"), '["X"]') == ["X"]
    assert entered(control("agents.X.utility.direction"), "random") == "random"
    assert entered(control("agents.X.utility.direction"), "[1, 2]") == [1, 2]


@pytest.mark.parametrize(
    ("path", "entry", "message"),
    [
        ("steps", "", "whole number"),
        ("steps", "3.5", "whole number"),
        ("steps", "9" * 4000, "too large"),
        ("steps", "9" * 9999, "whole number"),
        ("steps", "9" * 10_000_000, "longer than 10000 characters"),
        ("steps", 3, "text"),
        ("steps", "\ud800", "text"),
        ("agents.X.power.value", "1e999", "finite"),
        ("agents.X.power.value", "nan", "finite"),
        ("agents.X.power.value", "; import os", "a number"),
        ("agents.X.power.kind", "constantly", "one of constant, "),
        ("activation", "", "one of sequential, "),
        ("agents.W.method.cap", "yes", "on or off"),
        ("agents.X.utility.direction", " ", "empty"),
    ],
)
def test_what_is_no_value_is_refused(path, entry, message):
    with pytest.raises(ValueError, match=message):
        entered(control(path), entry)


HOSTILE = ["../../etc/passwd", "1e999", "nan", "; import os", "[" * 5000, "{ a = 1 }", "1979-05-27"]
WORDS = (
    st.sampled_from(HOSTILE)
    | st.text(max_size=20)
    | st.sampled_from(["-1", "0", "2", "true", "[]", "1e400"])
)


@settings(max_examples=150)
@given(
    st.sampled_from(["essay", "causal", "reward-model", "sandbox", "overseers"]), st.data(), WORDS
)
def test_hostile_entries_are_refused_in_words(name, data, entry):
    base = load_scenario(name)
    one = data.draw(st.sampled_from(controls(base)))
    draft = Draft(base, {}, {}).enter(one, entry)
    found = controls(base, draft.overrides)
    placed, others = draft.problems(found)
    assert all(isinstance(line, str) for lines in [*placed.values(), others] for line in lines)
    if draft.error is None and not draft.refused:
        base.replace(draft.overrides)


VALUES = st.recursive(
    st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(VALUES)
@example("\x7f\u2028😀")
@example({"a.b c": {"": [True, 1e300, -0.0]}})
def test_what_is_shown_is_read_back(value):
    read = override_value(shown(value))
    assert repr(read).replace(".0", "") == repr(value).replace(".0", "") or read == value


def test_what_is_too_long_is_not_shown():
    assert shown([0.5] * MOST_TYPED) is None
    base = load_scenario("essay").replace(
        {"world.covariance": [1.5] * 5000, "world.dimensions": 5000}
    )
    one = next(one for one in controls(base) if one.path == "world.covariance")
    assert "too long" in one.fixed
    assert one.value == ""


# --- overrides ---------------------------------------------------------------------------------


def test_a_kind_takes_its_fields_with_it():
    first = changed("agents.X.power.value", "3")
    assert first == {"agents.X.power.value": 3.0}
    second = changed("agents.X.power.kind", "exponential", overrides=first)
    assert second == {"agents.X.power": {"kind": "exponential", "initial": 0.5, "rate": 0.01}}
    third = changed("agents.X.power.rate", "0.5", overrides=second)
    assert load_scenario("essay", third).agents["X"].power.rate == 0.5
    assert changed("agents.X.power.rate", "0.01", overrides=third) == second
    assert changed("agents.X.power.kind", "constant", overrides=third) == {}
    assert changed("agents.X.behaviour.kind", "treacherous") == {
        "agents.X.behaviour": "treacherous"
    }


def test_a_new_kind_keeps_what_it_shares_with_the_old():
    overrides = changed("world.kind", "cloud")
    assert overrides["world"]["dimensions"] == 100


def test_a_new_kind_of_relation_keeps_its_graph():
    tree = changed("relations.watch.graph.kind", "tree", "overseers")
    tree = changed("relations.watch.graph.children", "3", "overseers", tree)
    assert load_scenario("overseers", tree).relations["watch"].graph.children == 3
    talk = changed("relations.watch.kind", "consensus", "overseers", tree)
    assert talk == {
        "relations.watch": {"kind": "consensus", "graph": {"kind": "tree", "children": 3}}
    }
    assert changed("relations.watch.kind", "oversight", "overseers", talk) == {}


def test_a_graph_of_a_file_stays_where_it_is(tmp_path):
    (tmp_path / "watch.csv").write_text("W1,X1,1\n")
    file = {"relations.watch.graph": {"kind": "file", "file": "watch.csv"}}
    base = load_scenario("overseers").replace(file, tmp_path)
    found = {one.path: one for one in controls(base)}
    assert found["relations.watch.graph.file"].value == "watch.csv"
    assert found["relations.watch.graph.file"].fixed
    talk = put_override(base, {}, found["relations.watch.kind"], "consensus")
    assert "file" not in str(talk)  # no path of ours in an address
    assert put_override(base, talk, found["relations.watch.kind"], "oversight") == {}


@pytest.mark.parametrize(
    "entries",
    [
        {"watch.graph.kind": "watts-strogatz", "watch.graph.neighbours": "4"},
        {"watch.graph.kind": "edges", "watch.graph.edges": '[["W", "X1"], ["W1", "X2", 0.5]]'},
        {"watch.kind": "consensus", "watch.among": '["X1", "X2"]', "watch.rate": "0.25"},
        {"watch.kind": "manipulation", "watch.power.kind": "logistic"},
        {"watch.budget": "each"},
    ],
)
def test_a_relation_is_changed_and_travels_in_an_address(entries):
    base, overrides = load_scenario("overseers"), {}
    for path, entry in entries.items():
        overrides = changed(f"relations.{path}", entry, "overseers", overrides)
    there = Address.of(Address("overseers", overrides=overrides).query()).overrides
    assert base.replace(there).identity() == base.replace(overrides).identity()
    assert base.replace(there).identity() != base.identity()
    found = {one.path: one.value for one in controls(base, there)}
    for path, entry in entries.items():
        assert found[f"relations.{path}"] == entry


def test_what_is_wrong_with_a_relation_is_told_at_it():
    base = load_scenario("consensus")
    for path, entry, where in (
        ("graph.kind", "edges", "graph.edges"),
        ("among", '["W"]', "among"),
        ("among", "[]", "kind"),
        ("rate", "2", "rate"),
    ):
        draft = Draft(base, {}, {}).enter(control(f"relations.talk.{path}", "consensus"), entry)
        placed, others = draft.problems(controls(base, draft.overrides))
        assert list(placed) == [f"relations.talk.{where}"]
        assert not others


def test_an_edge_that_is_none_is_told_of_once():
    base = load_scenario("arms-race")
    one = control("relations.race.graph.edges", "arms-race")
    draft = Draft(base, {}, {}).enter(one, '[["X1", "X2"], ["X2"]]')
    placed, others = draft.problems(controls(base, draft.overrides))
    [told] = placed[one.path]
    assert told.startswith("1: should be [from, to] or [from, to, weight]")
    assert not others


def test_optional_parts_come_and_go():
    kind = "agents.W.method.edit_power.kind"
    given_one = changed(kind, "constant", "bayesian")
    assert load_scenario("bayesian", given_one).agents["W"].method.edit_power.value == 0.5
    assert changed(kind, "", "bayesian", given_one) == {}
    assert changed("stop", True) == {"stop": {"alignment": 0.5}}
    assert (
        changed("stop", False, overrides={"stop": {"alignment": 0.5}, "stop.alignment": 1.0}) == {}
    )
    assert changed("world.left_turn", False, "sharp-left-turn") == {"world.left_turn": None}
    off = {"world.left_turn": None}
    assert changed("world.left_turn", True, "sharp-left-turn", off) == {}


def test_relations_that_are_none_do_no_harm():
    for bad in ([1], 3, "gossip", {"kind": 3}, {"graph": 5}, None):
        found = controls(load_scenario("overseers"), {"relations.watch": bad})
        assert [one.path for one in found if one.role == RELATION] == ["relations.watch.kind"]
    assert control("relations.watch.kind", "overseers", {"relations.watch.graph": [1]})


def test_overrides_that_lead_nowhere_do_no_harm():
    bad = {
        "agents.X.power": [1],
        "agents.Q.power": 3,
        "world.x.y": 1,
        "steps": "many",
        "harm": None,
        "relations.nobody.rate": 1,
    }
    found = {one.path: one for one in controls(load_scenario("essay"), bad)}
    assert found["steps"].value == "many"
    assert found["agents.X.power.kind"].value == ""


def test_a_draft_is_kept_until_it_fits():
    draft = Draft(load_scenario("essay"), {}, {})

    def enter(draft, path, entry):
        found = {one.path: one for one in controls(draft.base, draft.overrides)}
        return draft.enter(found[path], entry)

    draft = enter(draft, "agents.X.behaviour.kind", "treacherous")
    placed, others = draft.problems(controls(draft.base, draft.overrides))
    assert list(placed) == ["agents.X.behaviour.kind"]
    assert not others
    draft = enter(draft, "agents.X.behaviour.release", "soon")
    assert draft.refused["agents.X.behaviour.release"] == ("soon", "should be a whole number")
    draft = enter(draft, "agents.X.behaviour.release", "50")
    assert draft.error is None
    assert not draft.refused
    assert draft.overrides == {
        "agents.X.behaviour": "treacherous",
        "agents.X.behaviour.release": 50,
    }


def test_problems_find_their_controls():
    problems = [
        "agents.X.utility.direction.2: is odd",
        "agents.X.power: is weak",
        "agents.X.power.value: is none",
        "agents: needs a human",
        "the whole file: is bad",
    ]
    placed, others = told(ScenarioError("a page", problems), controls(load_scenario("essay")))
    assert placed == {
        "agents.X.utility.direction": ["2: is odd"],
        "agents.X.power.kind": ["is weak"],
        "agents.X.power.value": ["is none"],
    }
    assert others == problems[3:]


# --- the form ----------------------------------------------------------------------------------


@pytest.fixture
def form():
    """A form on show, what it called with, and its fields by label."""
    contexts = []

    def show(name="essay", overrides=MappingProxyType({})):
        base, calls = load_scenario(name), []

        @solara.component
        def page():
            now, set_now = solara.use_state(dict(overrides))
            Form(base, now, lambda new: (calls.append(new), set_now(new)))

        _, context = solara.render(page(), handle_error=False)
        contexts.append(context)
        return context, calls

    yield show
    for context in contexts:
        context.close()


def typed(context, label, text):
    field = context.find(ipyvuetify.TextField, label=label).widget
    field.v_model = text
    field.fire_event("focusout")


def test_a_number_typed_is_told_of_or_run(form):
    context, calls = form()
    typed(context, "power · value", "-3")
    field = context.find(ipyvuetify.TextField, label="power · value").widget
    assert "greater than or equal to 0" in field.error_messages[0]
    assert field.v_model == "-3"
    assert not calls
    typed(context, "power · value", "many")
    assert field.error_messages == ["should be a number"]
    typed(context, "power · value", "3")
    assert calls == [{"agents.X.power.value": 3.0}]
    assert field.error_messages == []
    assert field.v_model == "3"
    assert "in the file: 2" in field.hint


def test_a_choice_that_lacks_something_shows_its_fields(form):
    context, calls = form()
    select = context.find(ipyvuetify.Select, label="behaviour").widget
    select.v_model = "treacherous"
    assert not calls
    assert "waits for nothing" in select.error_messages[0]
    typed(context, "behaviour · release", "50")
    assert calls == [{"agents.X.behaviour": "treacherous", "agents.X.behaviour.release": 50}]


def button(context, text):
    return next(w.widget for w in context.find(ipyvuetify.Btn) if text in w.widget.children)


def test_changes_are_dropped_or_taken_back(form):
    context, calls = form(overrides={"steps": 7})
    typed(context, "power · value", "x")
    button(context, "Drop these changes").click()
    assert context.find(ipyvuetify.TextField, label="power · value").widget.v_model == "2"
    assert not calls
    button(context, "Back to the file's values").click()
    assert calls == [{}]
    assert button(context, "Back to the file's values").disabled


def test_only_open_panels_have_fields(form):
    context, _ = form("many")
    panels = context.find(ipyvuetify.ExpansionPanels).widget
    assert len(panels.children) == 9
    assert len(context.find(ipyvuetify.TextField)) == 2  # X1's count and power
    panels.v_model = []
    assert len(context.find(ipyvuetify.TextField)) == 0
    panels.v_model = [0]
    assert context.find(ipyvuetify.TextField, label="steps").widget.v_model == "200"


def headers(context):
    return [
        "".join(span.widget.children[0] for span in header.find(ipyvuetify.Html, tag="span"))
        for header in context.find(ipyvuetify.ExpansionPanelHeader)
    ]


def test_a_panel_says_how_many_agents_or_what_relation_it_is_of(form):
    context, calls = form("overseers")
    assert headers(context) == ["Run", "World", "X8 AIs", "Yhuman", "W8 aligners", "watchoversight"]
    typed(context, "count", "12")
    assert calls == [{"agents.X.count": 12}]
    assert headers(context)[2] == "X12 AIs"
    context.find(ipyvuetify.ExpansionPanels).widget.v_model = [5]
    context.find(ipyvuetify.Select, label="kind").widget.v_model = "consensus"
    assert headers(context)[5] == "watchconsensus"
    typed(context, "rate", "0.5")
    assert calls[-1]["relations.watch.rate"] == 0.5


def test_what_each_of_many_agents_lacks_is_told_in_a_few_lines(form):
    context, calls = form("coalition", {"agents.X.count": 60})
    context.find(ipyvuetify.ExpansionPanels).widget.v_model = [5]
    context.find(ipyvuetify.Select, label="kind").widget.v_model = "lending"
    told = [line.widget.children[0] for line in context.find(ipyvuetify.Html, tag="li")]
    assert len(told) == 4
    assert "the AI X1 should not help W" in told[0]
    assert "57 more problems like these" in told[-1]
    assert not calls
