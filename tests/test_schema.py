"""The schema takes what the readers take, and refuses what these refuse for its shape."""

import copy
import json
import tomllib

import jsonschema
import pytest
import tomli_w
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from sumabm.battery.spec import load_battery
from sumabm.cli import app
from sumabm.component import members
from sumabm.power import Constant, Power
from sumabm.scenario import Scenario, library, load_scenario
from sumabm.schema import SCHEMAS
from sumabm.toml import ScenarioError, problems

SCENARIOS = sorted(library().glob("*.toml"))
BATTERIES = sorted(library().glob("batteries/*.toml"))
TABLES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in SCENARIOS}


@pytest.fixture(scope="module")
def judge():
    """Return what is wrong with a table, by a schema's name."""
    made = {name: make() for name, make in SCHEMAS.items()}
    for schema in made.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    judges = {name: jsonschema.Draft202012Validator(schema) for name, schema in made.items()}
    return lambda name, table: [error.message for error in judges[name].iter_errors(table)]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_shipped_scenario_fits(judge, path):
    assert judge("scenario", TABLES[path.stem]) == []


@pytest.mark.parametrize("path", BATTERIES, ids=lambda path: path.stem)
def test_every_shipped_battery_fits(judge, path):
    assert judge("battery", tomllib.loads(path.read_text("utf-8"))) == []


def test_what_a_scenario_holds_in_full_fits_too(judge):
    for name in TABLES:
        table = load_scenario(library() / f"{name}.toml").model_dump(exclude_none=True)
        assert judge("scenario", json.loads(json.dumps(_without_none(table)))) == [], name


def _without_none(value):
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list | tuple) else value


SPOILT = {
    "steps": [0, 2.5, "many", True, [3], 10**9],
    "scenario": ["", "Essay", "a b", 3],
    "stepz": [5],
    "harm": ["regrets", 3.0, {"kind": "regrets"}, {}, {"kind": "regret", "width": 1}],
    "stop": [{"alignment": 1.5}, {"alignment": -1}, {"aligned": 0.5}, 0.5],
    "world": [{"kind": "gaussian"}, "gaussian", {"kind": "gaussian", "dimensions": 1}, 3],
    "agents": [{}, [], {"1X": {"role": "human", "power": 1.0}}],
    "agents.X": ["ai", {"role": "robot", "power": 1.0}, {"power": 1.0}, {"role": "ai"}],
    "agents.X.power": [-1.0, "strong", "exponential", {"initial": 1.0}, {"kind": "constant"}],
    "agents.X.power.rate": [0.1],
    "agents.X.count": [0, 1.5],
    "agents.Y.response": ["undone", {"kind": "undo", "share": 2}],
    "agents.W.method": ["bayes", {"kind": "bayesian", "looks": 0}, 1.0],
    "agents.W.oversees": ["X", [1]],
    "relations": [[], {"r": {"kind": "oversight"}}, {"r": {"kind": "oversees", "graph": "star"}}],
}
CASES = [(path, value) for path, values in SPOILT.items() for value in values]


@pytest.mark.parametrize(("path", "value"), CASES, ids=map(repr, CASES))
def test_what_the_reader_refuses_for_its_shape_is_refused(judge, tmp_path, path, value):
    table = copy.deepcopy(TABLES["bayesian"])
    *way, last = path.split(".")
    parent = table
    for key in way:
        if not isinstance(parent[key], dict):
            parent[key] = {"kind": "constant", "value": parent[key]}
        parent = parent[key]
    assert judge("scenario", table) == []
    parent[last] = value
    with pytest.raises(ScenarioError):
        load_scenario(_written(tmp_path, table))
    assert judge("scenario", table)


JUNK = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.floats(-2, 2).filter(lambda x: not x.is_integer()),  # 2.0 is whole to a schema
    st.text("ab-1", max_size=3),
    st.just({}),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_the_schema_takes_the_reader_does_not_refuse_for_its_shape(judge, data):
    """Anywhere in a file: a value of another sort, or a key that is not there or too many."""
    table = copy.deepcopy(data.draw(st.sampled_from(list(TABLES.values()))))
    parent = table
    while True:
        key = data.draw(st.sampled_from(sorted(parent)))
        if not isinstance(parent[key], dict) or not parent[key] or data.draw(st.booleans()):
            break
        parent = parent[key]
    what = data.draw(st.sampled_from(["change", "remove", "add"]))
    if what == "remove":
        del parent[key]
    else:
        parent[key if what == "change" else "extra"] = data.draw(JUNK)
    shape = _shape_errors(table)
    assume(shape)
    assert judge("scenario", table), shape


# what a shape is: the rules of pydantic and of rooms, not those between fields or of other files
_OF_SHAPE = ("should be a table", "input should", "field required", "unknown k", "unknown role")


def _shape_errors(table):
    try:
        Scenario.model_validate(table, context={"folder": library()})
    except ValidationError as error:
        told = [line.partition(": ")[2] for line in problems(error)]
        return [line for line in told if line.startswith(_OF_SHAPE)]
    return []


def _written(folder, table):
    path = folder / "spoilt.toml"
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "spoilt",
    [
        "replicates = 0",
        "scenario = 3",
        'designs = "grid"',
        'design = "grids"',
        "keep = { steps = 0 }",
        'keep = { steps = "some" }',
        'levers = { "agents.X.power" = [] }',
        'levers = { "agents.X.power" = { kind = "continuous", low = 1.0 } }',
        'levers = { "agents.X.power" = 3.0 }',
        "chunk = { seconds = 0.0 }",
        'flip = { over = "x", limit = 1.0 }',
    ],
)
def test_a_battery_of_another_shape_is_refused(judge, tmp_path, spoilt):
    whole = {"battery": "b", "scenario": "essay", "replicates": 2}
    assert judge("battery", whole) == []
    with pytest.raises(ScenarioError):
        load_battery(_written(tmp_path, whole | tomllib.loads(spoilt)))
    assert judge("battery", whole | tomllib.loads(spoilt))


def test_descriptions_bounds_units_and_defaults_are_there():
    kinds = SCHEMAS["scenario"]()["$defs"]
    rate = kinds["Power.exponential"]["properties"]["rate"]
    assert rate["description"] == "growth per step"  # which has the unit
    looks = kinds["Origin.explorer"]["properties"]["noise"]["description"]
    assert looks.endswith("[of the reward's standard deviation]")
    assert rate["type"] == "number"
    assert "minimum" in kinds["WorldSpec.gaussian"]["properties"]["dimensions"]
    assert kinds["AgentSpec.human"]["properties"]["response"]["default"] == {"kind": "undo"}
    assert set(members(Power)) == {
        name.removeprefix("Power.") for name in kinds if "Power." in name
    }
    assert kinds["Power.constant"]["properties"]["value"] == kinds["Power"]["anyOf"][-1]
    assert kinds["Power.constant"]["description"] in Constant.__doc__


def test_a_plug_in_is_in_it(judge):
    class Doubled(Power):
        """Twice as much."""

        kind = "doubled-for-the-schema"

        def nats(self, step):
            return 2.0

    table = copy.deepcopy(TABLES["essay"])
    table["agents"]["X"]["power"] = "doubled-for-the-schema"
    assert judge("scenario", table)
    fresh = jsonschema.Draft202012Validator(SCHEMAS["scenario"]())
    assert list(fresh.iter_errors(table)) == []


def test_the_command_prints_it():
    for name, make in SCHEMAS.items():
        told = CliRunner().invoke(app, ["schema", name])
        assert json.loads(told.stdout) == json.loads(json.dumps(make()))
    assert CliRunner().invoke(app, ["schema", "run"]).exit_code != 0
