"""The files that the how-to pages show are short, and keep their rooms' promises as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
SUITES = {
    "world": ["TestCircle", "TestMarket"],
    "ai": ["TestIngratiating", "TestAcquainted"],
    "aligner": ["TestForgetting"],
    "harm": ["TestUpheaval"],
}
"""The conformance suites of each page."""


def blocks(page):
    text = (HOWTO / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What pytest says of each page's blocks, put into a test file one after the other."""
    folder = tmp_path_factory.mktemp("howto")
    for page in SUITES:
        text = "\n\n".join(blocks(page))
        (folder / f"test_{page}.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    return run.stdout + run.stderr


@pytest.mark.parametrize("page", SUITES)
def test_its_files_are_short(page):
    assert blocks(page)[0].startswith('"""')
    assert all(len(block.splitlines()) < 40 for block in blocks(page))


@pytest.mark.parametrize("page", SUITES)
def test_the_page_holds_as_it_stands(page, outcomes):
    for suite in SUITES[page]:
        found = re.findall(rf"test_{page}\.py::{suite}::(\w+) (\w+)", outcomes)
        assert len(found) >= 4, outcomes
        assert {verdict for _, verdict in found} == {"PASSED"}, outcomes


def test_every_page_is_held():
    assert {path.stem for path in HOWTO.glob("*.md")} == set(SUITES)
