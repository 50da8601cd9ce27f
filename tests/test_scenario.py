"""The scenario file: reading, shorthand, overrides, errors, identity."""

import itertools
import json
import runpy
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sumabm import Scenario, ScenarioError, load_scenario
from sumabm.cli import main
from sumabm.power import Constant, Exponential
from sumabm.scenario import library
from sumabm.toml import MAX_SHOWN, override_value, parse
from sumabm.worlds.gaussian import Gaussian

SPOILT = runpy.run_path(str(Path(__file__).with_name("malformed_cases.py")))
BASE, CASES = SPOILT["BASE"], SPOILT["CASES"]


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(BASE, encoding="utf-8")
    return path


def problems(scenario, overrides):
    with pytest.raises(ScenarioError) as caught:
        load_scenario(scenario, overrides)
    return caught.value.problems


# --- loading and shorthand ---------------------------------------------------------------------


def test_a_file_becomes_components(good):
    spec = load_scenario(good)
    assert spec.scenario == "bad"
    assert spec.world == Gaussian(dimensions=4)
    assert spec.agents["X"].power == Exponential(initial=2.0, rate=0.0)
    assert spec.agents["Y"].power == Constant(value=1.0)
    assert spec.names("ai") == ("X",)
    assert spec.names("human") == ("Y",)
    assert spec.overseen("W") == ("X",)


def test_paths_and_names_lead_to_the_same_scenario():
    path = library() / "essay.toml"
    assert load_scenario("essay") == load_scenario(path) == load_scenario(str(path))
    spec = load_scenario(path)
    assert load_scenario(spec) is spec


def test_every_shipped_scenario_is_valid_and_named_after_its_file():
    shipped = sorted(library().glob("*.toml"))
    assert {"essay", "bayesian", "many", "unopposed"} <= {path.stem for path in shipped}
    for path in shipped:
        spec = load_scenario(path)
        assert spec.scenario == path.stem
        assert spec.description.strip()
        assert spec.tags


def test_shorthand_means_the_long_form():
    long = {
        "agents.X.power": {"kind": "constant", "value": 3.0},
        "agents.X.behaviour": {"kind": "honest"},
        "agents.Y.response": {"kind": "undo"},
        "harm": {"kind": "orthogonal"},
        "world.dynamics": {"kind": "reset"},
    }
    short = {
        "agents.X.power": 3,
        "agents.X.behaviour": "honest",
        "agents.Y.response": "undo",
        "harm": "orthogonal",
        "world.dynamics": "reset",
    }
    assert load_scenario("essay", short) == load_scenario("essay", long)


def test_what_is_left_out_has_its_default():
    table = parse(BASE, "here")
    for key in ("harm", "activation", "tags", "description"):
        del table[key]
    del table["agents"]["X"]["behaviour"], table["agents"]["Y"]["response"]
    del table["agents"]["W"]["oversees"], table["agents"]["W"]["method"]["cap"]
    spec = Scenario.model_validate(table)
    assert spec.identity() == Scenario.model_validate(parse(BASE, "here")).identity().replace(
        '"oversees":["X"]', '"oversees":null'
    )
    assert spec.overseen("W") == ("X",)


def test_a_scenario_is_frozen():
    spec = load_scenario("essay")
    with pytest.raises(ValueError, match="frozen"):
        spec.steps = 3


def test_text_and_comments_may_have_many_dots():
    table = parse('x = "' + "a." * 40 + '" # ' + "b." * 40, "here")
    assert table["x"] == "a." * 40


def test_depth_32_is_the_limit():
    assert parse("a." * 30 + "a = 1", "here")
    with pytest.raises(ScenarioError, match="deeper than 32"):
        parse("a." * 31 + "a = 1", "here")


# --- malformed files, overrides and options ----------------------------------------------------


def test_the_cases_differ():
    assert len({case.name for case in CASES}) == len(CASES) >= 100


def ring(number, frame):
    raise TimeoutError


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_malformed_is_refused(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command, *rest = case.prepare(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sumabm", command, "--out", str(tmp_path / "out"), *rest])
    before, began = set(tmp_path.rglob("*")), time.perf_counter()
    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    try:
        with pytest.raises(SystemExit) as stopped:
            main()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert not out
    assert "Traceback" not in err
    assert len(err) < 50_000
    for words in (case.about, *case.mentions):
        assert words in err
    assert set(tmp_path.rglob("*")) == before
    assert time.perf_counter() - began < 10.0  # 0.1 s or less, on a machine that is free


def test_all_errors_come_together():
    found = problems(
        "essay",
        {"steps": 0, "world.dimensions": 1, "harm": "x", "agents.X.power": -1, "agents.Y.powr": 1},
    )
    starts = ["steps: ", "world.dimensions: ", "harm: ", "agents.X.power.value: ", "agents.Y.powr"]
    assert len(found) == len(starts)
    for start in starts:
        assert any(problem.startswith(start) for problem in found), start


def test_misfits_come_together():
    table = parse(BASE, "here")
    table["world"]["covariance"] = [1.0]
    table["agents"]["W"]["oversees"] = ["X", "X", "Y"]
    with pytest.raises(ValueError, match="3 validation errors"):
        Scenario.model_validate(table)


def test_every_line_names_the_file(good):
    with pytest.raises(ScenarioError) as caught:
        load_scenario(good, {"steps": 0, "world.dimensions": 1})
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [str(good)] * 2


def test_a_flood_of_problems_is_cut():
    error = ScenarioError("here", [f"problem {i}" for i in range(MAX_SHOWN + 7)])
    assert len(error.problems) == MAX_SHOWN + 7
    assert str(error).splitlines()[-1] == "here: and 7 problems more"
    assert len(str(error).splitlines()) == MAX_SHOWN + 1


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [
        ({"stepz": 1}, "did you mean 'steps'?"),
        ({"wordl.dimensions": 3}, "did you mean 'world'?"),
        ({"harm": "regert"}, "did you mean 'regret'?"),
        ({"agents.X.behavior": "honest"}, "did you mean 'behaviour'?"),
        ({"agents.W.oversees": ["x"]}, "allowed: X"),
    ],
)
def test_did_you_mean(overrides, hint):
    [problem] = problems("essay", overrides)
    assert hint in problem


# --- overrides ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "path", "expected"),
    [
        ({"steps": 7}, "steps", 7),
        ({"world.dimensions": 3}, "world.dimensions", 3),
        ({"agents.X.power": 3}, "agents.X.power.value", 3.0),
        ({"agents.X.power.value": 3}, "agents.X.power.value", 3.0),
        ({"agents.W.method.cap": False}, "agents.W.method.cap", False),
        ({"agents.W.oversees": None}, "agents.W.oversees", None),
        ({"stop.alignment": 0.5}, "stop.alignment", 0.5),
        ({"stop": {"alignment": 0.5}}, "stop.alignment", 0.5),
        ({"harm.kind": "orthogonal"}, "harm.kind", "orthogonal"),
        ({"agents.X.utility.direction": "random"}, "agents.X.utility.kind", "fixed"),
        ({"world.dynamics.kind": "persist"}, "world.dynamics.kind", "persist"),
        ({"agents.Z": {"role": "ai", "power": 1}}, "agents.Z.power.value", 1.0),
    ],
)
def test_overrides(overrides, path, expected):
    found = load_scenario("essay", overrides).model_dump()
    for key in path.split("."):
        found = found[key]
    assert found == expected
    assert type(found) is type(expected)


def test_an_override_changes_nothing_else():
    before = load_scenario("essay").model_dump()
    after = load_scenario("essay", {"agents.X.power.value": 3.0}).model_dump()
    assert before["agents"]["X"].pop("power") == {"kind": "constant", "value": 2.0}
    assert after["agents"]["X"].pop("power") == {"kind": "constant", "value": 3.0}
    assert after == before


def test_a_new_kind_drops_the_old_fields():
    spec = load_scenario(
        "essay",
        {
            "agents.X.power.kind": "exponential",
            "agents.X.power.initial": 0.5,
            "agents.X.power.rate": 0.01,
        },
    )
    assert spec.agents["X"].power == Exponential(initial=0.5, rate=0.01)
    back = spec.replace({"agents.X.power.kind": "constant", "agents.X.power.value": 1.0})
    assert back.agents["X"].power == Constant(value=1.0)


def test_the_same_kind_keeps_the_fields():
    spec = load_scenario("essay", {"agents.W.method.kind": "budget"})
    assert spec == load_scenario("essay")


def test_a_new_role_drops_the_old_fields():
    spec = load_scenario("essay", {"agents.W.role": "human", "agents.W.power": 0.5})
    assert spec.names("human") == ("Y", "W")


def test_a_component_is_an_override_too():
    assert load_scenario("essay", {"agents.X.power": Constant(value=3.0)}) == load_scenario(
        "essay", {"agents.X.power": 3.0}
    )


def test_the_order_of_overrides_does_not_matter():
    overrides = {
        "agents.X.power.rate": 0.01,
        "agents.X.power.kind": "exponential",
        "agents.X.power.initial": 0.5,
        "agents.X": {"role": "ai", "power": 5.0},
        "stop.alignment": 0.5,
    }
    identities = {
        load_scenario("essay", dict(order)).identity()
        for order in itertools.permutations(overrides.items())
    }
    assert len(identities) == 1
    assert load_scenario("essay", overrides).agents["X"].power == Exponential(
        initial=0.5, rate=0.01
    )


@pytest.mark.parametrize(
    ("path", "value", "plain"),
    [
        ("steps", np.int64(7), 7),
        ("world.dimensions", np.uint8(7), 7),
        ("agents.X.power", np.float64(0.3), 0.3),
        ("agents.X.power.value", np.float32(0.5), 0.5),
        ("agents.X.power", np.int32(2), 2.0),
        ("agents.W.method.cap", np.False_, False),
        ("harm", np.str_("orthogonal"), "orthogonal"),
    ],
)
def test_numpy_scalars_are_numbers(path, value, plain):
    changed = load_scenario("essay", {path: value})
    assert changed == load_scenario("essay", {path: plain})
    assert json.loads(json.dumps(changed.model_dump())) == changed.model_dump()


def test_a_file_that_is_wrong_is_wrong_whatever_the_overrides(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(BASE.replace("steps = 5", "steps = 0"), encoding="utf-8")
    with pytest.raises(ScenarioError, match="steps"):
        load_scenario(path, {"steps": 5})


def test_replace_leaves_the_original_alone():
    spec = load_scenario("essay")
    other = spec.replace({"agents.X.power": 9.0, "steps": 3})
    assert (other.steps, other.agents["X"].power.value) == (3, 9.0)
    assert spec == load_scenario("essay")
    assert spec.replace({}) == spec


def test_replace_refuses_like_a_file():
    with pytest.raises(ScenarioError, match=r"scenario essay: steps: .*got 0"):
        load_scenario("essay").replace({"steps": 0})


def test_what_is_no_table_is_set_as_a_whole():
    [problem] = problems("essay", {"tags.0": "x"})
    assert problem.startswith("tags: is no table")
    assert "in the override tags.0" in problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3.0", 3.0),
        ("true", True),
        ('"3"', "3"),
        ("undo", "undo"),
        ("", ""),
        ("[1, 2]", [1, 2]),
        ("{ kind = 'constant', value = 1 }", {"kind": "constant", "value": 1}),
        ("a = b", "a = b"),
        ("1\nx = 2", "1\nx = 2"),
        ("[" * 40 + "]" * 40, "[" * 40 + "]" * 40),
    ],
)
def test_override_values(text, value):
    found = override_value(text)
    assert found == value
    assert type(found) is type(value)


# --- identity of a scenario --------------------------------------------------------------------


def test_names_and_descriptions_do_not_matter():
    spec = load_scenario("essay")
    other = spec.replace({"scenario": "other", "description": "Another.", "tags": []})
    assert other.identity() == spec.identity()


def numbers(table, path=()):
    """Every number of a table with its dotted path."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from numbers(value, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield ".".join((*path, key)), value


@pytest.mark.parametrize("name", ["essay", "bayesian", "many"])
def test_every_number_matters(name):
    spec = load_scenario(name)
    found = list(numbers(spec.model_dump()))
    assert len(found) >= 4
    identities = {spec.identity()}
    for path, value in found:
        nearby = value + 1 if isinstance(value, int) else float(np.nextafter(value, 0.7))
        identities.add(spec.replace({path: nearby}).identity())
    assert len(identities) == len(found) + 1


@pytest.mark.parametrize(
    "overrides",
    [
        {"activation": "random"},
        {"harm": "orthogonal"},
        {"stop.alignment": 0.5},
        {"world.dynamics": "persist"},
        {"agents.W.method.cap": False},
        {"agents.W.oversees": []},
        {"agents.Y.response": "none"},
        {"agents.Z": {"role": "ai", "power": 0.0}},
    ],
)
def test_every_choice_matters(overrides):
    assert load_scenario("essay", overrides).identity() != load_scenario("essay").identity()


def test_the_order_of_agents_matters():
    table = load_scenario("essay").model_dump()
    table["agents"] = dict(reversed(table["agents"].items()))
    assert Scenario.model_validate(table).identity() != load_scenario("essay").identity()


def test_how_a_number_is_written_does_not_matter(good, tmp_path):
    whole = tmp_path / "whole.toml"
    whole.write_text(
        BASE.replace("initial = 2.0, rate = 0.0", "rate = 0, initial = 2"), encoding="utf-8"
    )
    assert whole.read_bytes() != good.read_bytes()
    assert load_scenario(whole).identity() == load_scenario(good).identity()


def test_identity_survives_a_round_trip():
    for name in ("essay", "bayesian", "many", "unopposed"):
        spec = load_scenario(name)
        again = Scenario.model_validate(json.loads(json.dumps(spec.model_dump())))
        assert again == spec
        assert again.identity() == spec.identity()


def test_fields_that_came_later_change_no_identity_until_they_are_used():
    """Seeds of unpaired points are made of it, and stored results are found by it."""
    spec = load_scenario("essay")
    for later in ("count", "serves", "efficiency", "relations"):
        assert later not in spec.identity()
        assert later in json.dumps(spec.model_dump())
    talk = {"kind": "consensus", "graph": "complete"}
    used = [
        {"agents.X.count": 1},
        {"agents.W.serves": ["Y"]},
        {"agents.W.method.efficiency": 0.5},
        {"relations.talk": talk},
    ]
    assert len({load_scenario("essay", one).identity() for one in [{}, *used]}) == 5
