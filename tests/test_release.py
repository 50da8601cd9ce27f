"""What a release says of itself is true: versions, constraints, licences, recipes, changelog."""

import re
import tomllib
from importlib import import_module
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import sumabm
from sumabm import testing
from sumabm.catalogue import ROOMS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("browser", "cluster", "discovery")
DIRECT = [
    Requirement(text)
    for texts in (
        PROJECT["dependencies"],
        *(PROJECT["optional-dependencies"][extra] for extra in EXTRAS),
    )
    for text in texts
]
FAMILIES = {"BSD": "BSD", "MIT": "MIT", "Apache": "Apache", "PSF": "Python Software|matplotlib"}


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text):
    """Yield the cells of a Markdown page's tables."""
    for line in re.findall(r"^\| `?[^-\n].*\|$", text, re.M):
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_version_is_the_same_everywhere():
    assert PROJECT["version"] == sumabm.__version__
    assert f"\nversion: {sumabm.__version__}\n" in text_of("CITATION.cff")


def test_every_dependency_of_users_has_a_constraint_that_fits():
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)$", text_of("constraints.txt"), re.M))
    for requirement in DIRECT:
        pin = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(pin)), requirement


def test_constraints_name_no_registry_and_no_place():
    lines = text_of("constraints.txt").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) == len(set(pins)) > len(DIRECT)
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins)
    assert not re.search(r"://|\.(com|org|io|net)\b|@|/", "\n".join(lines))


def test_every_core_dependency_has_a_lower_bound():
    for text in PROJECT["dependencies"]:
        assert re.match(r"[\w.-]+>=[\d.]+(,<\d+)?$", text), text


def test_the_table_of_dependencies_is_whole_and_its_licences_are_theirs():
    table = {row[0].strip("`"): row[2] for row in rows(text_of("docs/stability.md")) if row[2:]}
    table.pop("package")
    assert set(table) == {requirement.name for requirement in DIRECT}
    for package, licence in table.items():
        try:
            facts = metadata(package)
        except PackageNotFoundError:
            continue  # an extra that is not installed
        told = " ".join(
            [facts.get("License-Expression", ""), facts.get("License", "")[:2000]]
            + [line for line in facts.get_all("Classifier", []) if line.startswith("License")]
        )
        [family] = [known for known in FAMILIES if licence.startswith(known)]
        assert re.search(FAMILIES[family], told), (package, told[:200])


def test_the_recipe_names_every_room_its_file_its_base_and_its_suite():
    table = {row[0]: row[1:] for row in rows(text_of("CONTRIBUTING.md"))}
    table.pop("room")
    assert set(table) == ROOMS.keys() - {"design", "parameter"}
    for room, (place, base, suite) in table.items():
        file = place.strip("`")
        assert (ROOT / file).exists(), file
        cls = getattr(
            import_module(file.strip("/").removesuffix(".py").replace("/", ".")), base[1:-1]
        )
        assert cls is ROOMS[room]
        assert suite[1:-1] in testing.__all__


def test_the_changelog_is_kept():
    text = text_of("CHANGELOG.md")
    versions = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", text, re.M)
    assert versions[0] == "Unreleased"
    assert len(versions) == len(re.findall(r"^## ", text, re.M)) == len(set(versions))
    parts = set(re.findall(r"^### (.+)$", text, re.M))
    assert parts <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Results"}


def test_the_citation_file_has_what_the_format_requires():
    lines = text_of("CITATION.cff").splitlines()
    keys = {line.partition(":")[0] for line in lines if re.match(r"[a-z-]+:", line)}
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= keys
    assert re.search(r'^date-released: "\d{4}-\d\d-\d\d"$', "\n".join(lines), re.M)
    assert not any("\t" in line for line in lines)


@pytest.mark.parametrize("name", ["constraints.txt", "CONTRIBUTING.md", "docs/install.md"])
def test_pages_name_no_machine(name):
    assert not re.search(r"/(root|home|work|opt|Users)/|localhost|127\.0\.0", text_of(name))
