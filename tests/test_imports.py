"""One direction: imports point only towards the left, and nothing heavy comes unasked."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sumabm

PACKAGE = Path(sumabm.__file__).parent

ORDER = [
    ["types", "files", "display"],
    ["tilt", "sphere", "columns", "rows"],
    ["streams", "component"],
    ["dynamics", "data", "toml", "laws"],
    ["graphs"],
    ["worlds"],
    ["view", "turns", "measures", "ratings"],
    ["power", "origins", "behaviours", "responses", "harms", "aligners"],
    ["oversight", "acting", "blame", "roles"],
    ["scenario"],
    ["identity", "agents", "networks"],
    ["bonds", "collector"],
    ["model"],
    ["recorder"],
    ["theory", "bibliography", "provenance", "summary", "progress"],
    ["predict", "runs", "figures", "testing"],
    ["battery"],
    ["analysis", "catalogue", "schema"],
    ["report"],
    ["reproduce"],
    ["science"],
    ["atlas"],
    ["browser", "making"],
    ["cli"],
    ["__main__", "__init__"],
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}


def room_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(tree):
    """Yield the modules of ours that run-time code imports; type checking sees more."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sumabm"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                known = node.module == "sumabm" and alias.name in RANK
                yield name if known else node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("sumabm"))
        yield from imports(node)


def edges():
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        for module in imports(ast.parse(path.read_text())):
            yield parts[0], room_of(module)


def test_every_room_has_its_place():
    rooms = {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in PACKAGE.rglob("*.py")}
    assert rooms == set(RANK)


def test_the_documents_have_the_same_order():
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert page.split("```")[1].split() == [room for rooms in ORDER[:-1] for room in rooms]


def test_imports_point_only_to_the_left():
    backward = {(a, b) for a, b in edges() if a != b and RANK[b] >= RANK[a]}
    # Two rooms of one rank may lean on each other one way; an aligner may take a power.
    allowed = {("aligners", "power"), ("worlds", "dynamics"), ("predict", "theory")}
    assert backward - allowed == set()


def test_theory_and_tilts_know_nothing_of_the_simulator():
    for pure in ("theory", "tilt", "sphere"):
        seen = {b for a, b in edges() if a == pure} - {pure}
        assert seen <= {"types", "sphere"}, pure


def test_one_room_solves_for_the_multiplier():
    """What acts, aligns, responds or measures takes a world's tilts: it has no root finder."""
    solvers = ("scipy.optimize", "sumabm.tilt._root", "sumabm.tilt._rising", "sumabm.tilt._quick")
    found = {
        path.relative_to(PACKAGE).with_suffix("").parts[0]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(solvers)
    }
    assert "tilt" in found
    checks = {"theory", "analysis", "science"}  # integrals, thresholds, published numbers
    assert found - {"tilt"} <= checks


def test_importing_the_package_imports_nothing_heavy():
    code = "import sumabm, sys; print([m for m in ('numpy', 'mesa', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_all_there():
    for name in sumabm.__all__:
        assert getattr(sumabm, name) is not None
    assert set(sumabm.__all__) <= set(dir(sumabm))
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = sumabm.nothing_of_the_kind
