"""What makes two runs the same run."""

import json
import shutil

import pytest

from sumabm import identity, load_scenario, simulate
from sumabm.identity import code_digest, run_identity


@pytest.fixture
def essay():
    return load_scenario("essay")


def test_the_same_asked_twice_is_the_same(essay):
    again = load_scenario("essay", {"agents.X.power": 2})
    assert run_identity(essay, 0, range(3)) == run_identity(again, 0, range(3))
    assert len(run_identity(essay, 0, range(3))) == 64


def test_seed_and_replicates_matter(essay):
    asked = [(0, range(3)), (1, range(3)), (0, range(4)), (0, range(1, 3)), (2**70, range(3))]
    assert len({run_identity(essay, seed, replicates) for seed, replicates in asked}) == len(asked)


def test_names_do_not_matter(essay):
    other = essay.replace({"scenario": "other", "description": "Other.", "tags": ["x"]})
    assert run_identity(other, 0, range(3)) == run_identity(essay, 0, range(3))


@pytest.mark.parametrize("overrides", [{"steps": 201}, {"world.dynamics": "persist"}])
def test_what_changes_results_matters(essay, overrides):
    assert run_identity(essay.replace(overrides), 0, range(3)) != run_identity(essay, 0, range(3))


def test_a_run_carries_its_identity(essay):
    run = simulate(essay, 2, seed=5, steps=3)
    assert run.attrs["identity"] == run_identity(essay.replace({"steps": 3}), 5, range(2))
    assert json.loads(run.attrs["scenario"])["steps"] == 3
    assert run.attrs["seed"] == "5"


def test_the_code_is_part_of_it(essay, monkeypatch):
    before = run_identity(essay, 0, range(3))
    monkeypatch.setattr(identity, "code_digest", lambda: "0" * 64)
    assert run_identity(essay, 0, range(3)) != before


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the package; return how to digest it."""
    package = tmp_path / "sumabm"
    original = identity.__file__.rpartition("identity.py")[0]
    shutil.copytree(original, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(identity, "__file__", str(package / "identity.py"))
    return package, code_digest.__wrapped__


def test_the_digest_is_of_the_sources_wherever_they_lie(copy, monkeypatch):
    package, digest = copy
    before = digest()
    assert digest() == before
    shutil.copytree(package, package.parent / "elsewhere")
    monkeypatch.setattr(identity, "__file__", str(package.parent / "elsewhere" / "identity.py"))
    assert digest() == before


@pytest.mark.parametrize(
    "name", ["model.py", "streams.py", "harms.py", "tilt/gaussian.py", "sphere/moments.py"]
)
def test_numeric_sources_matter(copy, name):
    package, digest = copy
    before = digest()
    (package / name).write_bytes((package / name).read_bytes() + b"# changed\n")
    assert digest() != before


@pytest.mark.parametrize(
    "name", ["cli/app.py", "runs.py", "figures/style.py", "catalogue.py", "battery/plan.py"]
)
def test_sources_that_only_show_do_not_matter(copy, name):
    package, digest = copy
    before = digest()
    (package / name).write_bytes((package / name).read_bytes() + b"# changed\n")
    assert digest() == before


def test_every_room_named_as_not_numeric_is_there():
    """A room that is renamed must not slip out of the list unseen."""
    package = identity.Path(identity.__file__).parent
    there = {path.stem for path in package.iterdir()}
    assert set(identity._NOT_NUMERIC) - {"scenarios"} <= there


def test_every_room_is_numeric_or_not_on_purpose():
    """A new room belongs here, where its sources change identities, or in the other list."""
    numeric = {
        *("__init__", "__main__", "acting", "agents", "aligners", "behaviours", "blame", "bonds"),
        *("columns", "component", "data", "dynamics", "graphs", "harms", "laws", "measures"),
        *("model", "networks", "origins", "oversight", "power", "ratings", "recorder", "responses"),
        *("roles", "rows", "scenario", "sphere", "streams", "tilt", "turns", "types", "view"),
        "worlds",
    }
    package = identity.Path(identity.__file__).parent
    there = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert there - set(identity._NOT_NUMERIC) - {"__pycache__", "scenarios"} == numeric


def test_new_files_and_names_matter(copy):
    package, digest = copy
    seen = {digest()}
    (package / "behaviours" / "other.py").write_text('"""Other."""\n')
    seen.add(digest())
    (package / "behaviours" / "other.py").rename(package / "behaviours" / "otherwise.py")
    seen.add(digest())
    (package / "behaviours" / "notes.txt").write_text("not a source")
    seen.add(digest())
    assert len(seen) == 3
