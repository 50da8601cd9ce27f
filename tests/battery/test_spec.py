"""The battery file: what it says, what it may not say, and what makes two the same."""

import json
import shutil

import pytest

from sumabm import ScenarioError, load_battery, load_scenario
from sumabm.battery import plan
from sumabm.battery.parameters.choice import Choice
from sumabm.battery.spec import Battery
from sumabm.recorder import VARIABLES
from sumabm.scenario import library

TEXT = """\
battery = "tiny"
scenario = "essay"
set = { "world.dimensions" = 3, steps = 3 }
replicates = 4

[uncertainties]
"agents.X.power" = { kind = "continuous", low = 1.0, high = 4.0 }

[levers]
"agents.W.method" = ["budget", "bayesian"]

[design]
kind = "grid"
levels = 2
"""

WHOLE = """\
battery = "whole"
description = "all there is to say"
tags = ["a", "b"]
scenario = "essay"
seed = 7
replicates = 10
paired = false
set = { steps = 9, "agents.Y.power" = 2.0 }
[uncertainties]
"world.dimensions" = { kind = "integer", low = 10, high = 1000, scale = "log" }
xi = { kind = "continuous", low = 1.0, high = 16.0, scale = "log", levels = 9 }
[levers]
"agents.W.method" = ["budget", { kind = "bayesian", looks = 10 }]
[derived]
"agents.X.power" = "2 * xi"
[design]
kind = "saltelli"
points = 8
[keep]
steps = 5
outcomes = ["harm", "alignment.X"]
[chunk]
seconds = 1.5
limit = 60.0
"""


@pytest.fixture
def load(tmp_path):
    """Return what loads a battery's text, and checks its points."""

    def call(text, overrides=None):
        file = tmp_path / "b.toml"
        file.write_text(text, encoding="utf-8")
        battery = load_battery(file, overrides or {})
        plan.check(battery)
        return battery

    return call


def test_every_field_is_what_the_file_says(load):
    b = load(WHOLE)
    assert (b.battery, b.description, b.tags) == ("whole", "all there is to say", ["a", "b"])
    assert (b.seed, b.replicates, b.paired) == (7, 10, False)
    assert b.scenario == load_scenario("essay", {"steps": 9, "agents.Y.power": 2.0})
    assert list(b.parameters) == ["world.dimensions", "xi", "agents.W.method"]
    assert list(b.levers) == ["agents.W.method"]
    assert b.uncertainties["xi"].levels == 9
    assert b.variables == {"xi"}
    assert (b.design.kind, b.design.points) == ("saltelli", 8)
    assert (b.keep.every, b.keep.outcomes) == (5, ["harm", "alignment.X"])
    assert (b.chunk.seconds, b.chunk.replicates, b.chunk.limit) == (1.5, None, 60.0)


def test_what_is_not_said_has_a_default(load):
    b = load('battery = "bare"\nscenario = "essay"\nreplicates = 1\n')
    assert (b.description, b.tags, b.seed, b.paired) == ("", [], 0, True)
    assert (b.parameters, b.derived, b.design.kind) == ({}, {}, "grid")
    assert (b.keep.every, b.keep.outcomes) == (None, [])
    assert (b.chunk.seconds, b.chunk.replicates, b.chunk.limit) == (2.0, None, 3600.0)
    assert plan.check(b) == 1  # the scenario itself


@pytest.mark.parametrize(("steps", "every"), [("end", None), ("all", 1), (1, 1), (7, 7)])
def test_which_steps_are_kept(load, steps, every):
    assert load(TEXT, {"keep.steps": steps}).keep.every == every


def test_a_bare_list_is_a_choice(load):
    method = load(TEXT).levers["agents.W.method"]
    assert method == Choice(values=["budget", "bayesian"])


def test_derived_values_and_variables_set_paths(load):
    b = load(WHOLE)
    values = {"world.dimensions": 12, "xi": 3.0, "agents.W.method": "budget"}
    assert b.overrides(values) == {
        "world.dimensions": 12,
        "agents.W.method": "budget",
        "agents.X.power": 6.0,
    }


def test_the_scenario_is_relative_to_the_battery_file(tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    shutil.copy(library() / "unopposed.toml", tmp_path / "deep" / "mine.toml")
    text = TEXT.replace('"essay"', '"../mine.toml"').replace('"agents.W.method"', "harm")
    text = text.replace('["budget", "bayesian"]', '["regret"]')
    (folder / "b.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    b = load_battery("deep/down/b.toml")
    assert b.scenario == load_scenario("unopposed", {"world.dimensions": 3, "steps": 3})


def test_a_list_of_points_is_relative_to_the_battery_file(tmp_path, monkeypatch):
    (tmp_path / "points.csv").write_text("agents.X.power,agents.W.method\n1.5,budget\n")
    text = TEXT.replace('"grid"\nlevels = 2', '"listed"\nfile = "points.csv"')
    (tmp_path / "b.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir("/")
    b = load_battery(tmp_path / "b.toml")
    made = plan.plan(b)
    assert json.loads(made.overrides[0]) == {"agents.X.power": 1.5, "agents.W.method": "budget"}
    assert made.unit == {}
    assert load_battery(Battery.model_validate(b.model_dump())) == b


@pytest.mark.parametrize("name", sorted(p.stem for p in library().glob("batteries/*.toml")))
def test_shipped_batteries_are_valid(name):
    b = load_battery(name, {"design.points": 2} if name == "sensitivity" else {})
    assert b.battery == name
    assert plan.check(b) > 1


def test_overrides_change_battery_and_scenario(load):
    b = load(TEXT, {"replicates": 9, "design.levels": 3, "scenario.steps": 2, "chunk.limit": 5.0})
    assert (b.replicates, b.design.levels, b.scenario.steps, b.chunk.limit) == (9, 3, 2, 5.0)
    assert b.scenario.world.dimensions == 3
    assert load(TEXT, {"design.kind": "sobol", "design.points": 4}).design.kind == "sobol"
    assert load(TEXT, {"scenario.world.dimensions": 5}).scenario.world.dimensions == 5


def test_a_battery_in_python_is_changed_alike(load):
    b = load(TEXT)
    assert load_battery(b) == b
    changed = load_battery(b, {"replicates": 2, "scenario.steps": 1, "keep.steps": "all"})
    assert (changed.replicates, changed.scenario.steps, changed.keep.every) == (2, 1, 1)
    with pytest.raises(ScenarioError, match=r"^battery: scenario.steps: .*\(got 0\)$"):
        load_battery(b, {"scenario.steps": 0})


# --- what is wrong -----------------------------------------------------------------------------

METHODS, POWER = '["budget", "bayesian"]', '{ kind = "continuous", low = 1.0, high = 4.0 }'
X, W, SET = '"agents.X.power"', '"agents.W.method"', '{ "world.dimensions" = 3, steps = 3 }'

# What in the file becomes what, and what is said of it.
WRONG = {
    "unquoted path": (
        (X, "agents.X.power"),
        "uncertainties.agents: 'kind' is missing; allowed: choice, continuous, integer, simplex; "
        "a dotted path is one key, in quotes (got",
    ),
    "unquoted path of a list": ((W, "agents.W.method"), "levers.agents: 'kind' is missing; "),
    "unknown key": (
        ("replicates = 4", "replicates = 4\nrepeats = 4"),
        "repeats: unknown key; allowed: battery, chunk, derived, ",
    ),
    "key that is nearly known": (
        ("replicates = 4", "replicates = 4\nreplicate = 4"),
        "did you mean 'replicates'? (got 4)",
    ),
    "missing": (("replicates = 4\n", ""), "replicates: field required"),
    "name": (('"tiny"', '"../tiny"'), "battery: string should match pattern"),
    "seed": (("replicates = 4", "replicates = 4\nseed = -1"), "seed: input should be greater than"),
    "replicates": (("= 4\n", "= 0\n"), "replicates: input should be greater than or equal to 1"),
    "paired": (("replicates = 4", "replicates = 4\npaired = 1"), "paired: input should be a valid"),
    "tags": (
        ("replicates = 4", 'replicates = 4\ntags = "a"'),
        "tags: input should be a valid list",
    ),
    "kind of parameter": (
        ('"continuous"', '"continous"'),
        'uncertainties."agents.X.power": unknown kind; allowed: choice, continuous, integer, '
        "simplex; did you mean 'continuous'? (got",
    ),
    "bounds": (
        ("low = 1.0", "low = 9.0"),
        'uncertainties."agents.X.power".high: should be greater than low, 9.0 (got 4.0)',
    ),
    "no choice": ((METHODS, "[]"), 'levers."agents.W.method".values: list should have at least 1'),
    "a number for a parameter": ((METHODS, "3"), 'levers."agents.W.method": unknown kind'),
    "twice": ((W, X), 'levers."agents.X.power": is an uncertainty already'),
    "design": (
        ('"grid"', '"gird"'),
        "design: unknown kind; allowed: factorial, grid, latin-hypercube, listed, morris, "
        "one-at-a-time, random, saltelli, sobol; did you mean 'grid'?",
    ),
    "field of a design": (("levels", "points"), "design.points: unknown key; allowed: levels"),
    "no such list": (('"grid"\nlevels = 2', '"listed"\nfile = "x.csv"'), "no such file"),
    "set": ((SET, "[1]"), "set: should be a table of dotted paths, in quotes, and their values"),
    "path in set": (
        ('"world.dimensions" = 3', '"world.dimension" = 3'),
        "scenario.world.dimension: unknown key; allowed: covariance, dimensions, dynamics, "
        "left_turn; did you mean 'dimensions'? (got 3)",
    ),
    "value in set": (("steps = 3", "steps = 0"), "scenario.steps: input should be greater than"),
    "scenario": (('"essay"', "3"), "scenario: should name a scenario or its file"),
    "scenario in the file": (('"essay"', "{ steps = 3 }"), "scenario: should name a scenario"),
    "no such scenario": (('"essay"', '"esay"'), "did you mean 'essay'?"),
    "no such scenario file": (('"essay"', '"esay.toml"'), "esay.toml: is not a file"),
    "no TOML": (("replicates = 4", "replicates = = 4"), "is not valid TOML"),
    "depth": (("replicates = 4", f"a = {'[' * 50}{']' * 50}"), "is nested deeper than 32"),
    "size": (("replicates = 4", f"a = '{'x' * 1_000_001}'"), "is larger than 1000000 bytes"),
}

# What is put at the end of the file, and what is said of it.
WRONG_PARTS = {
    "steps kept": ('[keep]\nsteps = "some"', "keep.steps: should be 'end', 'all' or a whole"),
    "no steps kept": ("[keep]\nsteps = 0", "1 to 100000000 (got 0)"),
    "true steps": ("[keep]\nsteps = true", "1 to 100000000 (got true)"),
    "key of keep": ("[keep]\nstep = 1", "keep.step: unknown key; allowed: outcomes, steps"),
    "outcome": (
        '[keep]\noutcomes = ["harm", "harms"]',
        f"keep.outcomes.1: unknown outcome; allowed: {', '.join(sorted(VARIABLES))}; "
        "did you mean 'harm'? (got \"harms\")",
    ),
    "outcome of nobody": (
        '[keep]\noutcomes = ["alignment.Z"]',
        "keep.outcomes.0: unknown agent; allowed: W, X, Y",
    ),
    "outcome of another role": (
        '[keep]\noutcomes = ["alignment.Y"]',
        'keep.outcomes.0: alignment is recorded of ai (got "alignment.Y")',
    ),
    "outcome of all": (
        '[keep]\noutcomes = ["harm.X"]',
        "keep.outcomes.0: harm is recorded of no agent alone",
    ),
    "seconds": ("[chunk]\nseconds = inf", "chunk.seconds: input should be a finite number"),
    "limit": ("[chunk]\nlimit = 0.0", "chunk.limit: input should be greater than 0 (got 0.0)"),
    "chunk": ("[chunk]\nreplicates = 0", "chunk.replicates: input should be greater than or equal"),
    "unknown name": (
        '[derived]\n"agents.Y.power" = "2 * zeta"',
        'derived."agents.Y.power": unknown parameter; allowed: agents.W.method, agents.X.power '
        '(got "2 * zeta")',
    ),
    "no arithmetic": (
        '[derived]\n"agents.Y.power" = "__import__(1)"',
        'derived."agents.Y.power": __import__: unknown function; allowed: abs,',
    ),
    "unquoted": ('[derived]\nagents.Y.power = "1"', "derived.agents: input should be a valid str"),
    "derived twice": ('[derived]\n"agents.X.power" = "1"', "is a parameter already"),
}


def one_message(load, text, said, overrides=None):
    with pytest.raises(ScenarioError) as caught:
        load(text, overrides)
    lines = str(caught.value).splitlines()
    assert sum(said in line for line in lines) == 1, lines
    assert len(lines) == 1 + (said.startswith("replicates: field"))  # nothing else is said
    assert max(map(len, lines)) < 1000


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_once(load, change, said):
    assert TEXT.count(change[0]) == 1
    text = TEXT.replace(*change)
    if "replicates: field" in said:
        text += "[keep]\nsteps = 0\n"  # all that is wrong is said at once
    one_message(load, text, said)


@pytest.mark.parametrize(("part", "said"), WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_what_is_wrong_in_a_part_is_said_once(load, part, said):
    one_message(load, TEXT + part, said)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"replicate": 3}, "replicate: unknown key"),
        ({"replicates.x": 3}, "replicates: input should be a valid integer"),
        ({"design.points": 3}, "design.points: unknown key; allowed: levels"),
        ({"scenario.stepz": 3}, "scenario.stepz: unknown key"),
        ({"": 3}, '"": unknown key'),
        ({"levers.nobody.values": [1]}, "levers.nobody: unknown key; allowed: agents.W.method"),
    ],
)
def test_what_is_wrong_in_an_override_is_said_once(load, overrides, said):
    one_message(load, TEXT, said, overrides)


def test_names_of_shipped_batteries():
    with pytest.raises(ScenarioError, match=r"unknown battery; allowed: .*did you mean 'scaling'"):
        load_battery("scalling")


# --- identity ----------------------------------------------------------------------------------


def test_what_changes_no_result_changes_no_identity(tiny):
    same = tiny(description="x", tags=["y"], battery="other", chunk={"replicates": 2, "limit": 9.0})
    assert same.identity() == tiny().identity()
    assert tiny({"description": "x", "scenario": "other"}).identity() == tiny().identity()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"steps": 3}, {}),
        ({}, {"seed": 1}),
        ({}, {"replicates": 6}),
        ({}, {"paired": False}),
        ({}, {"design": {"kind": "grid", "levels": 3}}),
        ({}, {"keep": {"steps": "all"}}),
        ({}, {"keep": {"outcomes": ["harm"]}}),
        ({}, {"chunk": {"replicates": 3}}),
        ({}, {"derived": {"agents.Y.power": "1.5"}}),
        ({}, {"levers": {"agents.W.method": ["bayesian", "budget"]}}),
    ],
)
def test_what_changes_results_changes_the_identity(tiny, changes, fields):
    assert tiny(changes, **fields).identity() != tiny().identity()


def test_roles_and_order_of_parameters_are_part_of_the_identity(tiny):
    power = {"agents.X.power": {"kind": "continuous", "low": 2.0, "high": 4.0}}
    other = {"agents.Y.power": {"kind": "continuous", "low": 1.0, "high": 2.0}}
    batteries = [
        tiny(uncertainties=power | other),
        tiny(uncertainties=other | power),
        tiny(uncertainties=power, levers=other),
        tiny(uncertainties=other, levers=power),
    ]
    assert len({b.identity() for b in batteries}) == 4
