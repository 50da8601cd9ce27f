"""Components: strict fields, shorthand, rooms that find their members, plug-ins."""

import gc
import json
import os
import subprocess
import sys
from typing import Annotated, ClassVar

import pytest
from pydantic import Field, ValidationError

from sumabm import Scenario, ScenarioError, load_scenario, open_run
from sumabm.catalogue import ROOMS, catalogue
from sumabm.component import Component, Slot, Strict, expand, foreign_sources, members
from sumabm.identity import run_identity
from sumabm.power import Constant, Power


@pytest.fixture
def step():
    """A component that a user defined in a session."""

    class Step(Power):
        """Power that starts late.

        This is not shown in a list.
        """

        kind: ClassVar[str] = "step-of-the-component-tests"
        cites: ClassVar[tuple[str, ...]] = ("nobody-2026",)

        value: Annotated[float, Field(ge=0.0, description="nats from then on")]
        start: Annotated[
            int, Field(ge=0, description="first step", json_schema_extra={"unit": "steps"})
        ] = 3

        def nats(self, step):
            return self.value if step >= self.start else 0.0

    return Step


def teardown_module():
    gc.collect()  # rooms know their members as long as somebody holds them


def tables():
    return {
        room: {kind["kind"]: kind for kind in kinds}
        for room, kinds in catalogue()["components"].items()
    }


# --- fields ------------------------------------------------------------------------------------


def test_fields_are_strict():
    for value in ("1", True, None, float("nan"), float("inf"), -1.0):
        with pytest.raises(ValidationError):
            Constant(value=value)
    assert Constant(value=1).value == 1.0


def test_a_component_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Constant(value=1.0).value = 2.0


def test_an_unknown_field_says_what_would_do():
    with pytest.raises(ValidationError, match="unknown key; allowed: value; did you mean 'value'"):
        Constant(valeu=1.0)


def test_defaults_are_validated():
    class Wrong(Strict):
        number: int = "three"

    with pytest.raises(ValidationError, match="number"):
        Wrong()


def test_a_component_dumps_with_its_kind():
    assert Constant(value=1.0).model_dump() == {"kind": "constant", "value": 1.0}
    agent = load_scenario("essay").agents["Y"].model_dump()
    assert next(iter(agent)) == "role"
    assert agent["response"] == {"kind": "undo"}


@pytest.mark.parametrize("value", [True, None, [], {}, {"kind": "x"}])
def test_what_is_no_shorthand_stays(value):
    assert expand(value) is value


# --- rooms -------------------------------------------------------------------------------------


def test_rooms_know_their_members():
    for name, room in ROOMS.items():
        found = members(room)
        assert found, name
        assert list(found) == sorted(found)
        for kind, cls in found.items():
            assert cls.kind == kind
            assert issubclass(cls, room)


def test_a_component_of_the_session_is_like_any_other(step):
    assert members(Power)["step-of-the-component-tests"] is step
    spec = load_scenario(
        "essay", {"agents.X.power": {"kind": "step-of-the-component-tests", "value": 2}, "steps": 5}
    )
    assert spec.agents["X"].power == step(value=2.0)
    again = Scenario.model_validate(json.loads(json.dumps(spec.model_dump())))
    assert again == spec
    with pytest.raises(ScenarioError, match=r"agents\.X\.power\.start: .*got -1"):
        spec.replace({"agents.X.power.start": -1})


def test_the_list_is_made_from_the_class(step):
    entry = tables()["power"]["step-of-the-component-tests"]
    assert entry["about"] == "Power that starts late."
    assert entry["cites"] == ["nobody-2026"]
    value, start = entry["parameters"]
    assert value == {
        "name": "value",
        "about": "nats from then on",
        "unit": "",
        "bounds": ["≥ 0"],
        "required": True,
        "default": None,
    }
    assert (start["unit"], start["required"], start["default"]) == ("steps", False, 3)


def test_two_classes_of_one_kind_are_refused():
    class Room(Component):
        """A room of its own."""

    class One(Room):
        """The first."""

        kind = "same"

    class Two(Room):
        """The second."""

        kind = "same"

    with pytest.raises(TypeError, match=r"two components of kind 'same'.*One.*Two"):
        members(Room)


def test_a_class_defined_again_replaces_the_first():
    class Room(Component):
        """A room of its own."""

    def define(about):
        class Same(Room):
            kind = "same"

        Same.__doc__ = about
        return Same

    first, second = define("The first."), define("The second.")
    assert first.__qualname__ == second.__qualname__
    assert members(Room) == {"same": second}


def test_a_base_class_is_no_member():
    class Room(Component):
        """A room of its own."""

    class Abstract(Room):
        """Shared by members, and none itself."""

    class Member(Abstract):
        """The only one."""

        kind = "member"

    assert members(Room) == {"member": Member}


def test_a_slot_takes_an_instance_and_refuses_a_stranger():
    class Holder(Strict):
        power: Annotated[Power, Slot(Power)]

    power = Constant(value=2.0)
    assert Holder(power=power).power is power
    assert Holder(power=2).power == power
    assert Holder.model_validate({"power": {"kind": "constant", "value": 2}}).power == power
    with pytest.raises(ValidationError, match="should be a table, a name or a number"):
        Holder(power=load_scenario("essay").harm)


def test_sources_of_others_count(step):
    assert foreign_sources([Constant]) == {}
    [(name, source)] = foreign_sources([step, Constant]).items()
    assert name.endswith("Step")
    assert "test_sources_of_others_count" in source  # of the whole module


def test_only_a_used_plug_in_is_part_of_the_run(step):
    spec = load_scenario("essay")
    used = spec.replace({"agents.X.power": step(value=2.0, start=0)})
    assert foreign_sources(type(part) for _, _, part in spec.components()) == {}
    assert run_identity(used, 0, range(1)) != run_identity(spec, 0, range(1))


# --- plug-ins ----------------------------------------------------------------------------------

PLUG_IN = '''\
"""A package that somebody else wrote."""

from typing import Annotated

from pydantic import Field

from sumabm.harms import Harm
from sumabm.power import Power


class Saw(Power):
    """Power that rises and falls."""

    kind = "saw"
    cites = ("saw-2026",)

    top: Annotated[float, Field(ge=0.0, le=1e6, description="the most it reaches")]

    def nats(self, step: int) -> float:
        return FACTOR * self.top * (step % 3)


class Nothing(Harm):
    """No harm at all."""

    kind = "nothing"

    def amplitude(self, utility, view):
        return 0.0 * utility[:, 0]


FACTOR = 0.5
'''
SCENARIO = """\
scenario = "plugged"
steps = 4
harm = "nothing"
world = { kind = "gaussian", dimensions = 3 }

[agents.X]
role = "ai"
power = { kind = "saw", top = 1.5 }

[agents.Y]
role = "human"
power = 1.0
"""


EACH = """
import contextlib, io, json, sys
from sumabm.cli import main

told = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["sumabm", *words]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    told.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""
"""Runs several commands in one process, which has imported everything once."""


@pytest.fixture(scope="module")
def plugged(tmp_path_factory):
    """Install a package beside a scenario that needs it; return its folder and how to call it."""
    folder = tmp_path_factory.mktemp("plugged")
    site = folder / "site"
    facts = site / "somebodys_saw-1.0.dist-info"
    (site / "somebodys").mkdir(parents=True)
    facts.mkdir()
    (site / "somebodys" / "__init__.py").write_text("", encoding="utf-8")
    (site / "somebodys" / "saw.py").write_text(PLUG_IN, encoding="utf-8")
    (facts / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: somebodys-saw\nVersion: 1.0\n", encoding="utf-8"
    )
    (facts / "entry_points.txt").write_text(
        "[sumabm.components]\nsaw = somebodys.saw\n", encoding="utf-8"
    )
    (folder / "plugged.toml").write_text(SCENARIO, encoding="utf-8")

    def process(*words, installed=True):
        paths = [str(site)] * installed + [os.environ.get("PYTHONPATH", "")]
        return subprocess.run(
            [sys.executable, "-W", "error", *words],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            timeout=60,
        )

    return folder, process


RUN = ["run", "plugged.toml", "-r", "2", "--out", "store", "--json"]


@pytest.fixture(scope="module")
def told(plugged):
    """Return what each command says with the plug-in, and without: code, output, errors."""
    validate = ["validate", "plugged.toml"]
    asked = {
        True: {
            "list": ["list", "--json"],
            "validate": [*validate, "--json"],
            "bad": [*validate, "--set", "agents.X.power.top=-1"],
            "run": RUN,
        },
        False: {"list": ["list", "--json"], "validate": validate},
    }
    answers = {}
    for installed, commands in asked.items():
        words = ("-c", EACH, json.dumps(list(commands.values())))
        done = plugged[1](*words, installed=installed)
        assert (done.returncode, done.stderr) == (0, "")
        given = map(tuple, json.loads(done.stdout))
        answers[installed] = dict(zip(commands, given, strict=True))
    return answers


def test_a_plug_in_is_listed(told):
    code, out, err = told[True]["list"]
    assert code == 0, err
    [saw] = [k for k in json.loads(out)["components"]["power"] if k["kind"] == "saw"]
    assert saw["about"] == "Power that rises and falls."
    assert saw["parameters"][0]["bounds"] == ["≥ 0", "≤ 1e+06"]
    assert "nothing" in {k["kind"] for k in json.loads(out)["components"]["harm"]}
    code, out, _ = told[False]["list"]
    assert code == 0
    assert '"constant"' in out
    assert '"saw"' not in out


def test_a_plug_in_validates(told):
    code, out, err = told[True]["validate"]
    assert code == 0, err
    assert json.loads(out)["agents"]["X"]["power"] == {"kind": "saw", "top": 1.5}
    code, _, err = told[True]["bad"]
    assert code == 2
    assert "agents.X.power.top: " in err
    code, _, err = told[False]["validate"]
    assert code == 2
    assert "agents.X.power: unknown kind; allowed: constant, exponential" in err
    assert "harm: unknown kind" in err


def test_a_plug_in_runs_and_its_source_is_part_of_the_run(plugged, told):
    folder, process = plugged
    code, out, err = told[True]["run"]
    assert code == 0, err
    module = folder / "site" / "somebodys" / "saw.py"
    module.write_text(PLUG_IN.replace("FACTOR = 0.5", "FACTOR = 0.25"), encoding="utf-8")
    done = process("-m", "sumabm", *RUN)
    assert done.returncode == 0, done.stderr
    runs = [json.loads(out), json.loads(done.stdout)]
    assert not any(run["reused"] for run in runs)
    assert runs[0]["identity"] != runs[1]["identity"]
    first, second = (open_run(folder / run["path"]) for run in runs)  # without the plug-in
    power = first["power"].sel(agent="X", replicate=0).values
    assert power.tolist() == [0.0, 0.75, 1.5, 0.0]
    assert (second["power"].sel(agent="X", replicate=0).values == 0.5 * power).all()
    assert json.loads(first.attrs["scenario"])["harm"] == {"kind": "nothing"}
